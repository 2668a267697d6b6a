//! How the search index is filled behind the writes.
//!
//! Feeding it costs several times what writing the message costs, and little pieces of work cost most. So it is fed in full slices
//! only, when the store has nothing else to do; what is not in it yet is short enough to be searched directly.
//!
//! What is removed has two ways out of it. A single message that somebody wants gone is cut out of every page at once, at a millisecond
//! and twenty pages each. Old messages by the thousand are noted as gone, as cheap as feeding them, and when many are, the index is
//! [merged](Index::merge_step) in small steps, which leaves them out.

use rusqlite::{Connection, Row, Statement, TransactionBehavior};

use super::pieces;

/// Messages that go into the index in one transaction: some milliseconds of work (measured: 2 ms of CPU and a commit), which is what
/// a message may have to wait for it, and enough of them that SQLite writes few large segments.
pub const SLICE: i64 = 512;

/// When fewer rows are noted as gone, merging is not worth it …
const GONE_MIN: i64 = 10_000;

/// … and neither when they are less than this part of those that are left: the index is then at most half larger than it has to be.
const GONE_SHARE: i64 = 4;

/// Pages of the index that one step of merging writes: some milliseconds.
const MERGE_PAGES: i64 = 64;

/// The columns that [`write_document`] reads.
macro_rules! documents_where {
    ($condition:literal) => {
        concat!(
            "SELECT m.n, m.target, m.closed_in, m.text, source.text, account.text \
             FROM messages AS m JOIN names AS source ON source.id = m.source \
             LEFT JOIN names AS account ON account.id = m.account WHERE ",
            $condition
        )
    };
}
pub(super) use documents_where;

/// Fills the search index. Belongs to the store thread.
pub struct Index<'c> {
    db: &'c Connection,
    upto: i64,
    /// Rows that are noted as gone.
    gone: i64,
    is_merging: bool,
    select: Statement<'c>,
    insert: Statement<'c>,
    progress: Statement<'c>,
    merge: Statement<'c>,
}

impl<'c> Index<'c> {
    /// Reads how far the index reaches.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Index<'c>> {
        let (upto, gone) = db.query_row("SELECT upto, gone FROM indexed", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Index {
            db,
            upto,
            gone,
            is_merging: false,
            select: db.prepare(documents_where!("m.n > ?1 ORDER BY m.n LIMIT ?2"))?,
            insert: db.prepare("INSERT INTO pieces (rowid, text) VALUES (?1, ?2)")?,
            progress: db.prepare("UPDATE indexed SET upto = ?1")?,
            merge: db.prepare("INSERT INTO pieces (pieces, rank) VALUES ('merge', ?1)")?,
        })
    }

    /// Every row up to this number is in the index.
    pub fn upto(&self) -> i64 {
        self.upto
    }

    /// Takes the next slice in, in a transaction of its own, together with the note of how far it reaches. `last_n` is the last row.
    pub fn take_slice(&mut self, last_n: i64) -> rusqlite::Result<()> {
        let step = rusqlite::Transaction::new_unchecked(self.db, TransactionBehavior::Immediate)?;
        let (mut upto, mut rows_taken) = (self.upto, 0);
        let mut document = String::new();
        let mut rows = self.select.query((upto, SLICE))?;
        while let Some(row) = rows.next()? {
            upto = row.get(0)?;
            rows_taken += 1;
            write_document(&mut document, row)?;
            self.insert.execute((upto, &document))?;
        }
        drop(rows);
        if rows_taken < SLICE {
            // Removed rows leave gaps, at the end too.
            upto = upto.max(last_n);
        }
        self.progress.execute([upto])?;
        step.commit()?;
        self.upto = upto;
        Ok(())
    }

    /// Notes how many rows of a slice were noted as gone, once that is committed.
    pub fn note_gone(&mut self, rows: i64) {
        self.gone += rows;
    }

    /// Whether merging is worth its cost, with `first_n` the first row that is left.
    pub fn wants_merge(&self, first_n: i64) -> bool {
        let live = (self.upto - first_n).max(0);
        self.is_merging || (self.gone >= GONE_MIN && self.gone * GONE_SHARE >= live)
    }

    /// Merges a little. What is noted as gone is out of the file when [`Index::wants_merge`] says no again.
    pub fn merge_step(&mut self) -> rusqlite::Result<()> {
        let step = rusqlite::Transaction::new_unchecked(self.db, TransactionBehavior::Immediate)?;
        // A negative number begins with everything that is there; it goes on with positive ones.
        // <https://sqlite.org/fts5.html#the_merge_command>
        let pages = if self.is_merging { MERGE_PAGES } else { -MERGE_PAGES };
        let before = step.total_changes();
        self.merge.execute([pages])?;
        let is_done = self.is_merging && step.total_changes() - before < 2;
        if is_done {
            step.execute("UPDATE indexed SET gone = 0", [])?;
        }
        step.commit()?;
        self.is_merging = !is_done;
        if is_done {
            self.gone = 0;
        }
        Ok(())
    }
}

/// What the index holds of a message. It is taken out by the same words, so whoever changes them has the index made anew (a form of its own).
pub fn write_document(document: &mut String, row: &Row<'_>) -> rusqlite::Result<()> {
    document.clear();
    push_place(document, row.get(1)?, row.get::<_, i64>(2)? as u64);
    push_senders(document, row.get_ref(4)?.as_str()?, row.get_ref(5)?.as_str_or_null()?);
    pieces::cut(&pieces::fold(row.get_ref(3)?.as_str()?), document);
    Ok(())
}

/// The piece that stands for a place. No piece of a text begins with `@`, which separates there.
pub fn push_place(document: &mut String, target: i64, closed_in: u64) {
    use std::fmt::Write;
    let written =
        if closed_in == 0 { write!(document, "@{target}") } else { write!(document, "@{target}.{closed_in}") };
    written.expect("writing to a String cannot fail");
}

/// The piece that stands for a sender; `~` separates in texts. Names hold no spaces, and if one did, it would only not be found.
pub fn sender_piece(folded_name: &str) -> String {
    std::iter::once('~').chain(folded_name.chars().filter(|c| !c.is_whitespace())).collect()
}

/// The folded names under which a message's sender is found: nick, and account.
pub fn senders<'a>(source: &'a str, account: Option<&'a str>) -> impl Iterator<Item = String> + 'a {
    let nick = source.split('!').next().unwrap_or(source);
    std::iter::once(nick).chain(account).map(pieces::fold)
}

fn push_senders(document: &mut String, source: &str, account: Option<&str>) {
    for name in senders(source, account) {
        document.push(' ');
        document.push_str(&sender_piece(&name));
    }
}
