//! Texts that repeat in messages (places, senders, accounts), kept once under a number.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Statement};

/// So many numbers are remembered; then the memory starts afresh. 4096 people and rooms at 100 bytes each are 0.4 MiB at most.
const REMEMBERED_MAX: usize = 4096;

/// The numbers of the repeated texts. Belongs to the store thread.
pub struct Names<'c> {
    find: Statement<'c>,
    add: Statement<'c>,
    rename: Statement<'c>,
    remembered: HashMap<Box<str>, i64>,
}

impl<'c> Names<'c> {
    /// Prepares the look-ups.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Names<'c>> {
        Ok(Names {
            find: db.prepare("SELECT id FROM names WHERE text = ?1")?,
            add: db.prepare("INSERT INTO names (text) VALUES (?1)")?,
            rename: db.prepare("UPDATE names SET text = ?2 WHERE id = ?1")?,
            remembered: HashMap::new(),
        })
    }

    /// The number of a text, if it has one.
    pub fn find(&mut self, text: &str) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.remembered.get(text) {
            return Ok(Some(*id));
        }
        let found = self.find.query_row([text], |row| row.get(0)).optional()?;
        if let Some(id) = found {
            self.remember(text, id);
        }
        Ok(found)
    }

    /// The number of a text; it gets one when it has none.
    pub fn number(&mut self, text: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.find(text)? {
            return Ok(id);
        }
        let id = self.add.insert([text])?;
        self.remember(text, id);
        Ok(id)
    }

    /// Takes a text its number away, for good: nothing is found under it any more. Gives the number that it had.
    pub fn lose(&mut self, text: &str) -> rusqlite::Result<Option<i64>> {
        let Some(id) = self.find(text)? else { return Ok(None) };
        // No target, name or source begins so.
        self.rename.execute((id, format!("-{id} {text}")))?;
        self.remembered.remove(text);
        Ok(Some(id))
    }

    /// After a rollback: numbers that were given meanwhile do not exist.
    pub fn forget(&mut self) {
        self.remembered.clear();
    }

    fn remember(&mut self, text: &str, id: i64) {
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered.insert(text.into(), id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number_also_when_the_memory_started_afresh() {
        let dir = tempfile::tempdir().unwrap();
        let db = super::super::database::open(dir.path()).unwrap();
        let mut names = Names::new(&db).unwrap();
        let lobby = names.number("#大厅").unwrap();
        for other in 0..REMEMBERED_MAX {
            names.number(&format!("n{other}")).unwrap();
        }
        assert!(names.remembered.len() <= REMEMBERED_MAX);
        assert_eq!(names.number("#大厅").unwrap(), lobby);
        assert_eq!(names.find("nobody").unwrap(), None);
    }
}
