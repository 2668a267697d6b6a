//! Who and what there is besides messages: accounts, groups and files, read whole when the server starts.

use rusqlite::{Connection, Row};

use super::change::{GroupShape, List, Membership};
use super::file::{FileEntry, FileKey};
use super::record::{AccountId, GroupId};
use super::shelf;
use crate::wire::msgid::MsgId;

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
    /// All files of the cloud, also those of groups and accounts that are no more: their bytes have to go yet.
    pub files: Vec<(FileKey, FileEntry)>,
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

/// Reads the directory of a database. Members and invitations of accounts that are no more are left out.
pub fn read(db: &Connection) -> rusqlite::Result<Directory> {
    // One look at everything: the command line may be removing an account at this moment.
    let look = if db.is_autocommit() { Some(db.unchecked_transaction()?) } else { None };
    let accounts = accounts(db)?;
    let mut groups = groups(db)?;
    lists(db, &mut groups)?;
    members(db, &mut groups, &accounts)?;
    invited(db, &mut groups, &accounts)?;
    let directory = Directory {
        accounts,
        groups,
        last_group: db.query_row("SELECT last_group FROM ends", [], |row| row.get(0))?,
        pauses: pauses(db)?,
        files: shelf::read(db)?,
    };
    drop(look);
    Ok(directory)
}

/// All accounts, oldest first.
pub fn accounts(db: &Connection) -> rusqlite::Result<Vec<AccountEntry>> {
    let mut all = db.prepare("SELECT id, name, display, admin FROM accounts ORDER BY id")?;
    let accounts = all.query_map([], |row| {
        let display = row.get_ref(2)?.as_str_or_null()?.map(Box::from);
        Ok(AccountEntry { id: AccountId(row.get(0)?), name: text(row, 1)?, display, admin: row.get(3)? })
    })?;
    accounts.collect()
}

fn groups(db: &Connection) -> rusqlite::Result<Vec<GroupEntry>> {
    let mut all = db.prepare(
        "SELECT id, name, owner, since_ms, flags, room_key, members_max, topic, topic_by, topic_ms, open_since
         FROM groups ORDER BY id",
    )?;
    let groups = all.query_map([], |row| {
        let maybe = |column| -> rusqlite::Result<Option<Box<str>>> {
            Ok(row.get_ref(column)?.as_str_or_null()?.map(Box::from))
        };
        let topic = match (maybe(7)?, maybe(8)?) {
            (Some(text), Some(by)) => Some((text, by, ms(row, 9)?)),
            _ => None,
        };
        let shape = GroupShape {
            name: text(row, 1)?,
            owner: AccountId(row.get(2)?),
            since_ms: ms(row, 3)?,
            flags: text(row, 4)?,
            key: maybe(5)?,
            limit: row.get(6)?,
            topic,
            open_since: MsgId(ms(row, 10)?),
        };
        let id = GroupId(row.get(0)?);
        Ok(GroupEntry { id, shape, lists: Vec::new(), members: Vec::new(), invited: Vec::new() })
    })?;
    groups.collect()
}

fn lists(db: &Connection, groups: &mut [GroupEntry]) -> rusqlite::Result<()> {
    let mut all =
        db.prepare("SELECT group_id, list, mask, set_by, set_ms FROM group_lists ORDER BY group_id, set_ms")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let list = row.get_ref(1)?.as_str()?.chars().next().and_then(List::of);
        if let (Some(group), Some(list)) = (find(groups, row.get(0)?), list) {
            group.lists.push((list, text(row, 2)?, text(row, 3)?, ms(row, 4)?));
        }
    }
    Ok(())
}

fn members(db: &Connection, groups: &mut [GroupEntry], accounts: &[AccountEntry]) -> rusqlite::Result<()> {
    let mut all = db.prepare("SELECT account, joined, standing, since FROM members WHERE group_id = ?1")?;
    for group in groups {
        let mut members: Vec<(i64, AccountId, Membership)> = Vec::new();
        let mut rows = all.query([group.id.0])?;
        while let Some(row) = rows.next()? {
            let account = AccountId(row.get(0)?);
            if is_there(accounts, account) {
                let since = MsgId(row.get::<_, i64>(3)? as u64);
                members.push((row.get(1)?, account, Membership { standing: row.get(2)?, since }));
            }
        }
        members.sort_unstable_by_key(|(joined, account, _)| (*joined, *account));
        group.members = members.into_iter().map(|(_, account, membership)| (account, membership)).collect();
    }
    Ok(())
}

fn invited(db: &Connection, groups: &mut [GroupEntry], accounts: &[AccountEntry]) -> rusqlite::Result<()> {
    let mut all = db.prepare("SELECT group_id, account, invited_by, invited_ms FROM invitations")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let account = AccountId(row.get(1)?);
        if let Some(group) = find(groups, row.get(0)?).filter(|_| is_there(accounts, account)) {
            group.invited.push((account, text(row, 2)?, ms(row, 3)?));
        }
    }
    Ok(())
}

fn pauses(db: &Connection) -> rusqlite::Result<Vec<(Box<str>, u32, u64)>> {
    let mut all = db.prepare("SELECT paused, wrong, until_ms FROM pauses")?;
    let pauses = all.query_map([], |row| Ok((text(row, 0)?, row.get(1)?, ms(row, 2)?)))?;
    pauses.collect()
}

fn find(groups: &mut [GroupEntry], id: u32) -> Option<&mut GroupEntry> {
    let at = groups.binary_search_by_key(&GroupId(id), |group| group.id).ok()?;
    Some(&mut groups[at])
}

fn is_there(accounts: &[AccountEntry], id: AccountId) -> bool {
    accounts.binary_search_by_key(&id, |account| account.id).is_ok()
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Box<str>> {
    Ok(row.get_ref(column)?.as_str()?.into())
}

fn ms(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)? as u64)
}
