//! Who and what there is besides messages: accounts and groups, read whole when the server starts.

use rusqlite::Connection;

use super::change::{GroupShape, List, Membership};
use super::record::{AccountId, GroupId};

/// Everything that the rules hold in memory from the start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Directory {
    /// All accounts, oldest first.
    pub accounts: Vec<AccountEntry>,
    /// All groups, oldest first.
    pub groups: Vec<GroupEntry>,
    /// The greatest number that a group ever had; 999 when there was none.
    pub last_group: u32,
    /// Wrong passwords that still count: what is paused, how many, until when (milliseconds since 1970).
    pub pauses: Vec<(Box<str>, u32, u64)>,
}

/// An account without its password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountEntry {
    /// Its number.
    pub id: AccountId,
    /// Its name as registered.
    pub name: Box<str>,
    /// Its display name, when it has chosen one.
    pub display: Option<Box<str>>,
    /// May use `OPER`.
    pub admin: bool,
}

/// A group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupEntry {
    /// Its number.
    pub id: GroupId,
    /// Name, owner, modes, topic.
    pub shape: GroupShape,
    /// Masks on its lists: list, mask, who set it, when (milliseconds since 1970).
    pub lists: Vec<(List, Box<str>, Box<str>, u64)>,
    /// Its members, in the order in which they joined.
    pub members: Vec<(AccountId, Membership)>,
    /// Who is invited: who, by whom, when (milliseconds since 1970).
    pub invited: Vec<(AccountId, Box<str>, u64)>,
}

/// Reads the directory of a database.
pub fn read(db: &Connection) -> rusqlite::Result<Directory> {
    let mut all = db.prepare("SELECT id, name, admin FROM accounts ORDER BY id")?;
    let accounts = all.query_map([], |row| {
        Ok(AccountEntry {
            id: AccountId(row.get(0)?),
            name: row.get_ref(1)?.as_str()?.into(),
            display: None,
            admin: row.get(2)?,
        })
    })?;
    Ok(Directory { accounts: accounts.collect::<rusqlite::Result<_>>()?, last_group: 999, ..Directory::default() })
}
