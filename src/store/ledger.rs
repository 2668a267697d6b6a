//! How messages are written: one row each, in the order of their ids.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Statement};

use super::names::Names;
use super::record::{Kind, Message};
use crate::wire::msgid::MsgId;

/// Bit of `messages.flags`: it was a `NOTICE`.
const NOTICE: i64 = 1;
/// Bit of `messages.flags`: the sender was marked as a bot.
const BOT: i64 = 2;

/// Why a message was not written.
#[derive(Debug)]
pub enum NotWritten {
    /// This message cannot be kept, others can; the sentence is for its sender.
    Refused(Box<str>),
    /// SQLite failed: the whole transaction is lost.
    Broken(rusqlite::Error),
}

impl From<rusqlite::Error> for NotWritten {
    fn from(why: rusqlite::Error) -> NotWritten {
        NotWritten::Broken(why)
    }
}

/// Writes messages. Belongs to the store thread; its caller begins and commits.
pub struct Ledger<'c> {
    insert: Statement<'c>,
    touch: Statement<'c>,
    end: End,
    committed: End,
}

/// The last row: its number and its id.
#[derive(Clone, Copy, Default)]
struct End {
    n: i64,
    id: MsgId,
}

impl<'c> Ledger<'c> {
    /// Finds the end of what is stored. What was removed counts too: no number is used twice.
    pub fn new(db: &'c Connection, indexed_upto: i64) -> rusqlite::Result<Ledger<'c>> {
        let last = "SELECT n, id FROM messages ORDER BY n DESC LIMIT 1";
        let last = db.query_row(last, [], |row| Ok(End { n: row.get(0)?, id: MsgId(row.get::<_, i64>(1)? as u64) }));
        let mut end = last.optional()?.unwrap_or_default();
        let (removed_n, last_id) = db.query_row("SELECT last_n, last_id FROM ends", [], |row| {
            Ok((row.get::<_, i64>(0)?, MsgId(row.get::<_, i64>(1)? as u64)))
        })?;
        end = End { n: end.n.max(indexed_upto).max(removed_n), id: end.id.max(last_id) };
        let insert = db.prepare(
            "INSERT INTO messages (n, id, target, closed_in, source, account, flags, text, tags, sender, client_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (sender, client_id) WHERE client_id IS NOT NULL DO NOTHING",
        )?;
        let touch = db.prepare(
            "INSERT INTO conversations (account, target, newest) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET newest = excluded.newest",
        )?;
        Ok(Ledger { insert, touch, end, committed: end })
    }

    /// The greatest id that was ever stored.
    pub fn last_id(&self) -> MsgId {
        self.end.id
    }

    /// The number of the last row.
    pub fn last_n(&self) -> i64 {
        self.end.n
    }

    /// Writes one message; one that its sender sent before is silently left out.
    pub fn append(&mut self, names: &mut Names<'_>, message: &Message) -> Result<(), NotWritten> {
        let id = i64::try_from(message.id.0).ok().filter(|_| message.id > self.end.id);
        let Some(id) = id else {
            return Err(NotWritten::Refused(
                format!("message {} was not stored: ids must grow; say it again", message.id).into(),
            ));
        };
        let n = self.end.n + 1;
        self.bind(names, message, n, id)?;
        match self.insert.raw_execute() {
            Ok(0) => Ok(()),
            Ok(_) => {
                self.end = End { n, id: message.id };
                Ok(self.touch(names, message, id)?)
            }
            Err(why) if why.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(NotWritten::Refused(format!("message {} was not stored: {why}; say it again", message.id).into()))
            }
            Err(why) => Err(why.into()),
        }
    }

    /// What was appended is on the disk.
    pub fn committed(&mut self) {
        self.committed = self.end;
    }

    /// What was appended since the last commit is gone.
    pub fn rolled_back(&mut self) {
        self.end = self.committed;
    }

    /// Notes the newest message of a private conversation, for both.
    fn touch(&mut self, names: &mut Names<'_>, message: &Message, id: i64) -> rusqlite::Result<()> {
        let Some((one, other)) = message.target.accounts() else { return Ok(()) };
        let target = names.number(message.target.as_str())?;
        self.touch.execute((one.0, target, id))?;
        if one != other {
            self.touch.execute((other.0, target, id))?;
        }
        Ok(())
    }

    fn bind(&mut self, names: &mut Names<'_>, message: &Message, n: i64, id: i64) -> rusqlite::Result<()> {
        let account = message.account.as_deref().map(|account| names.number(account)).transpose()?;
        let sender = message.sent_as.as_ref().map(|sent| names.number(&sent.sender)).transpose()?;
        let row = &mut self.insert;
        row.raw_bind_parameter(1, n)?;
        row.raw_bind_parameter(2, id)?;
        row.raw_bind_parameter(3, names.number(message.target.as_str())?)?;
        row.raw_bind_parameter(4, message.closed_in as i64)?;
        row.raw_bind_parameter(5, names.number(&message.source)?)?;
        row.raw_bind_parameter(6, account)?;
        row.raw_bind_parameter(7, flags_of(message))?;
        row.raw_bind_parameter(8, &*message.text)?;
        row.raw_bind_parameter(9, message.tags.as_deref())?;
        row.raw_bind_parameter(10, sender)?;
        row.raw_bind_parameter(11, message.sent_as.as_ref().map(|sent| &*sent.id))
    }
}

fn flags_of(message: &Message) -> i64 {
    let notice = if message.kind == Kind::Notice { NOTICE } else { 0 };
    let bot = if message.bot { BOT } else { 0 };
    notice | bot
}

/// Reads back what was packed into `messages.flags`: the kind, and whether a bot spoke.
pub fn unpack_flags(flags: i64) -> (Kind, bool) {
    (if flags & NOTICE == 0 { Kind::Privmsg } else { Kind::Notice }, flags & BOT != 0)
}
