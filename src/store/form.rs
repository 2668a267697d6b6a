//! Which form the file has, and how an older one is brought to the newest.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::error::StoreError;

/// The forms of the database, oldest first; number `i` brings a file from form `i` to form `i + 1` (`PRAGMA user_version`).
pub const FORMS: [&str; 4] =
    [include_str!("1.sql"), include_str!("2.sql"), include_str!("3.sql"), include_str!("4.sql")];

/// "GZY." in the file's head, so that nobody's other database is taken for ours (`PRAGMA application_id`).
pub const APPLICATION_ID: i32 = 0x475a_592e;

/// The newest form that this binary knows.
pub fn newest() -> u32 {
    FORMS.len() as u32
}

/// The form of the file: 0 when it is empty. Refuses what is not ours and what is too new.
pub fn of(db: &Connection, path: &Path) -> Result<u32, StoreError> {
    // One look at all three: another program may be making the tables at this moment.
    let look =
        if db.is_autocommit() { Some(db.unchecked_transaction().map_err(|why| explain(path, why))?) } else { None };
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(|why| explain(path, why));
    let (form, owner, tables) = (pragma("user_version")?, pragma("application_id")?, pragma("schema_version")?);
    drop(look);
    let form = u32::try_from(form).unwrap_or(u32::MAX);
    if tables != 0 && owner != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    if form > newest() {
        return Err(StoreError::Newer { path: path.to_owned(), form, known: newest() });
    }
    Ok(form)
}

/// The form that the head of a file tells; `None` when it is no database of ours. <https://sqlite.org/fileformat.html>
pub fn in_head(head: &[u8]) -> Option<u32> {
    let number = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let is_ours = head.starts_with(b"SQLite format 3\0") && number(68)? == APPLICATION_ID as u32;
    is_ours.then(|| number(60)).flatten()
}

/// All or nothing, and a copy of the old file stays behind; two programs that open one file at once do it once.
pub fn bring_up_to_date(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let wrong = |why| explain(path, why);
    loop {
        let form = of(db, path)?;
        if form == newest() {
            return Ok(());
        }
        let copy = if form == 0 { None } else { Some(Copy::make(db, path, form)?) };
        let step = Transaction::new_unchecked(db, TransactionBehavior::Immediate).map_err(wrong)?;
        if of(&step, path)? != form || copy.as_ref().is_some_and(|copy| copy.is_outdated(db)) {
            continue;
        }
        for sql in &FORMS[form as usize..] {
            step.execute_batch(sql).map_err(wrong)?;
        }
        step.pragma_update(None, "application_id", APPLICATION_ID).map_err(wrong)?;
        step.pragma_update(None, "user_version", newest()).map_err(wrong)?;
        if let Some(copy) = copy {
            copy.keep()?;
        }
        step.commit().map_err(wrong)?;
        return if form == 0 { Ok(()) } else { scrub(db).map_err(wrong) };
    }
}

/// Files of the first form were written without `secure_delete`: their free pages hold old text, which nobody could take out later.
fn scrub(db: &Connection) -> rusqlite::Result<()> {
    let free: i64 = db.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    if free > 0 { db.execute_batch("VACUUM") } else { Ok(()) }
}

/// The file as it was, beside it: `gzy.db.form1-backup`.
struct Copy {
    unfinished: PathBuf,
    finished: PathBuf,
    seen: i64,
}

impl Copy {
    fn make(db: &Connection, path: &Path, form: u32) -> Result<Copy, StoreError> {
        let finished = path.with_added_extension(format!("form{form}-backup"));
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let unfinished = finished.with_added_extension(format!("{}-{number}", std::process::id()));
        let seen = version_seen(db).map_err(|why| explain(path, why))?;
        let copy = Copy { unfinished, finished, seen };
        // What a process of the same number left when it died is nobody's any more.
        let _ = fs::remove_file(&copy.unfinished);
        let written = super::database::make_private(&copy.unfinished).map(drop);
        written.map_err(|why| StoreError::Folder { path: copy.unfinished.clone(), why })?;
        db.execute("VACUUM INTO ?1", [copy.unfinished.to_string_lossy()]).map_err(|why| explain(path, why))?;
        Ok(copy)
    }

    /// Another program wrote while the copy was made.
    fn is_outdated(&self, db: &Connection) -> bool {
        version_seen(db).is_ok_and(|seen| seen != self.seen)
    }

    /// Before the file itself is changed, the copy is on the disk.
    fn keep(self) -> Result<(), StoreError> {
        let kept = fs::OpenOptions::new()
            .write(true)
            .open(&self.unfinished)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.unfinished, &self.finished));
        kept.map_err(|why| StoreError::Folder { path: self.finished.clone(), why })?;
        log::info!("{} is a copy of the database as the earlier version of gzy left it", self.finished.display());
        Ok(())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// A number that changes when another program commits.
pub fn version_seen(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "data_version", |row| row.get(0))
}

/// A failure of SQLite, with the name of the file.
pub fn explain(path: &Path, why: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match why.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign { path },
        _ => StoreError::Sqlite { path, why },
    }
}

#[cfg(test)]
mod tests {
    use super::super::database;
    use super::super::fixture::{at, make_first_form, texts_of};
    use super::super::record::{AccountId, Place, Query, Target};
    use super::super::{Answer, Store};
    use super::*;
    use crate::wire::msgid::MsgId;

    #[test]
    fn a_file_of_the_first_form_is_brought_over_with_everything_in_it() {
        let dir = tempfile::tempdir().unwrap();
        drop(make_first_form(dir.path()));
        let (answer, answers) = std::sync::mpsc::channel();
        let opened = Store::open(dir.path(), None, move |said| drop(answer.send(said))).unwrap();
        assert_eq!(opened.last_id, at(4));
        let names: Vec<_> = opened.directory.accounts.iter().map(|account| &*account.name).collect();
        assert_eq!(names, ["Anna", "ben"]);
        let pair = Target::pair(AccountId(1000), AccountId(1001));
        for (target, said) in [(&pair, vec!["hello ben", "ben?"]), (&Target::room("#lobby"), vec!["hello all"])] {
            let place = Place { target: target.clone(), instance: 0, since: MsgId(0) };
            opened.store.ask(1, Query::Before { place, before: None, limit: 9 }).unwrap();
            let Answer::Found { found, .. } = answers.recv().unwrap() else { panic!() };
            assert_eq!(texts_of(found), said);
        }
        let of_ben = Some(AccountId(1001));
        let (after, before) = (MsgId(0), MsgId(u64::MAX));
        opened.store.ask(1, Query::Targets { places: Vec::new(), account: of_ben, after, before, limit: 9 }).unwrap();
        let Answer::Found { found, .. } = answers.recv().unwrap() else { panic!() };
        assert_eq!(found, super::super::record::Found::Targets(vec![(pair, at(4))]));
    }

    #[test]
    fn a_copy_of_the_old_file_stays_and_nobody_else_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        drop(make_first_form(dir.path()));
        database::open(dir.path()).unwrap();
        let copy = dir.path().join("gzy.db.form1-backup");
        assert!(!crate::system::is_open_to_others(&copy.metadata().unwrap()));
        let old = Connection::open(&copy).unwrap();
        assert_eq!(of(&old, &copy).unwrap(), 1);
        let lines: i64 = old.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap();
        assert_eq!(lines, 4);
        let files = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name());
        let left: Vec<_> = files.filter(|name| name.to_string_lossy().contains("backup")).collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_fresh_file_leaves_no_copy() {
        let dir = tempfile::tempdir().unwrap();
        database::open(dir.path()).unwrap();
        assert!(!dir.path().join("gzy.db.form0-backup").exists());
    }

    #[test]
    fn two_programs_that_find_an_old_file_at_once_bring_it_over_once() {
        let dir = tempfile::tempdir().unwrap();
        drop(make_first_form(dir.path()));
        std::thread::scope(|s| {
            let both = [(); 2].map(|()| s.spawn(|| database::open(dir.path()).map(drop)));
            both.into_iter().for_each(|one| one.join().unwrap().unwrap());
        });
        let conversations: i64 = database::open(dir.path())
            .unwrap()
            .query_row("SELECT count(*) FROM conversations", [], |row| row.get(0))
            .unwrap();
        assert_eq!(conversations, 2);
    }

    #[test]
    fn an_older_server_that_is_running_keeps_its_file_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let old = make_first_form(dir.path());
        let lock = database::lock(dir.path()).unwrap();
        let said = database::open_beside(dir.path()).err().unwrap().to_string();
        assert!(said.contains("an older gzy server is running") && said.contains("restart it"), "{said}");
        assert_eq!(of(&old, dir.path()).unwrap(), 1);
        drop(lock);
        database::open_beside(dir.path()).unwrap();
        assert_eq!(of(&old, dir.path()).unwrap(), newest());
    }
}
