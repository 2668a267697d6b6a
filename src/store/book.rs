//! How changes are written: groups, memberships, invitations, read markers; files by the shelf. Each says what is true, so writing it twice is harmless.

use rusqlite::{Connection, Statement};

use super::change::{Change, GroupShape, List, Membership};
use super::file::Scope;
use super::history::as_column;
use super::names::Names;
use super::record::{AccountId, GroupId, Target};
use super::shelf::Shelf;
use crate::wire::msgid::MsgId;

/// Writes changes. Belongs to the store thread; its caller begins and commits.
///
/// What comes by the hundred (members when groups are made, markers when people log in) has its statement ready.
pub struct Book<'c> {
    db: &'c Connection,
    member: Statement<'c>,
    read: Statement<'c>,
    delivered: Statement<'c>,
    ends: Statement<'c>,
    shelf: Shelf<'c>,
}

impl<'c> Book<'c> {
    /// Prepares what is written often.
    pub fn new(db: &'c Connection) -> rusqlite::Result<Book<'c>> {
        Ok(Book {
            db,
            member: db.prepare(
                "INSERT INTO members (group_id, account, joined, standing, since) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET standing = excluded.standing, since = excluded.since",
            )?,
            read: db.prepare(
                "INSERT INTO markers (account, target, up_to_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET up_to_ms = excluded.up_to_ms WHERE excluded.up_to_ms > up_to_ms",
            )?,
            delivered: db.prepare("UPDATE accounts SET delivered = max(delivered, ?2) WHERE id = ?1")?,
            ends: db.prepare("UPDATE ends SET last_id = max(last_id, ?1)")?,
            shelf: Shelf::new(db)?,
        })
    }

    /// Writes one change.
    pub fn write(&mut self, names: &mut Names<'_>, id: MsgId, change: &Change) -> rusqlite::Result<()> {
        match change {
            Change::Group { id, shape } => self.shape(*id, shape),
            Change::GroupEnded { id, target } => self.end(names, *id, target),
            Change::Listed { group, list, mask, entry } => self.list(*group, *list, mask, entry.as_ref()),
            Change::Member { group, account, membership } => self.seat(id, *group, *account, *membership),
            Change::Invited { group, account, by } => self.invite(*group, *account, by.as_ref()),
            Change::Read { account, target, up_to_ms } => {
                let target = names.number(target.as_str())?;
                self.read.execute((account.0, target, as_ms(*up_to_ms))).map(drop)
            }
            Change::Delivered { account, up_to } => self.delivered.execute((account.0, as_column(*up_to))).map(drop),
            Change::DisplayName { account, name } => {
                self.db.execute("UPDATE accounts SET display = ?2 WHERE id = ?1", (account.0, &**name)).map(drop)
            }
            Change::Pause { key, wrong } => self.pause(key, *wrong),
            Change::File { file, entry } => self.shelf.write(file, entry.as_deref()),
        }
    }

    /// Notes the greatest id of the changes of a transaction: later ids are greater, after a restart too.
    pub fn note_last(&mut self, id: MsgId) -> rusqlite::Result<()> {
        self.ends.execute([as_column(id)]).map(drop)
    }

    fn shape(&self, id: GroupId, shape: &GroupShape) -> rusqlite::Result<()> {
        let (topic, by, set_ms) = match &shape.topic {
            Some((text, by, set_ms)) => (Some(&**text), Some(&**by), Some(as_ms(*set_ms))),
            None => (None, None, None),
        };
        self.db.execute("UPDATE ends SET last_group = max(last_group, ?1)", [id.0])?;
        self.db.execute(
            "INSERT OR REPLACE INTO groups
                 (id, name, owner, since_ms, flags, room_key, members_max, topic, topic_by, topic_ms, open_since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            rusqlite::params![
                id.0,
                &*shape.name,
                shape.owner.0,
                as_ms(shape.since_ms),
                &*shape.flags,
                shape.key.as_deref(),
                shape.limit,
                topic,
                by,
                set_ms,
                as_column(shape.open_since)
            ],
        )?;
        Ok(())
    }

    /// The group is gone at once; its messages are found by nobody from now on, because nothing has their place's name any more.
    fn end(&mut self, names: &mut Names<'_>, id: GroupId, target: &Target) -> rusqlite::Result<()> {
        for table in
            ["groups WHERE id", "members WHERE group_id", "group_lists WHERE group_id", "invitations WHERE group_id"]
        {
            self.db.execute(&format!("DELETE FROM {table} = ?1"), [id.0])?;
        }
        self.shelf.clear(Scope::Group(id))?;
        if let Some(target) = names.lose(target.as_str())? {
            self.db.execute("INSERT OR IGNORE INTO ended (target) VALUES (?1)", [target])?;
        }
        Ok(())
    }

    fn list(&self, group: GroupId, list: List, mask: &str, entry: Option<&(Box<str>, u64)>) -> rusqlite::Result<()> {
        let letter = list.letter().to_string();
        match entry {
            Some((by, set_ms)) => self.db.execute(
                "INSERT OR REPLACE INTO group_lists (group_id, list, mask, set_by, set_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                (group.0, letter, mask, &**by, as_ms(*set_ms)),
            ),
            None => self.db.execute(
                "DELETE FROM group_lists WHERE group_id = ?1 AND list = ?2 AND mask = ?3",
                (group.0, letter, mask),
            ),
        }
        .map(drop)
    }

    fn seat(
        &mut self,
        id: MsgId,
        group: GroupId,
        account: AccountId,
        seat: Option<Membership>,
    ) -> rusqlite::Result<()> {
        match seat {
            Some(Membership { standing, since }) => {
                self.member.execute((group.0, account.0, as_column(id), standing, as_column(since)))
            }
            None => self.db.execute("DELETE FROM members WHERE group_id = ?1 AND account = ?2", (group.0, account.0)),
        }
        .map(drop)
    }

    fn invite(&self, group: GroupId, account: AccountId, by: Option<&(Box<str>, u64)>) -> rusqlite::Result<()> {
        match by {
            Some((by, asked_ms)) => self.db.execute(
                "INSERT OR REPLACE INTO invitations (group_id, account, invited_by, invited_ms) VALUES (?1, ?2, ?3, ?4)",
                (group.0, account.0, &**by, as_ms(*asked_ms)),
            ),
            None => {
                self.db.execute("DELETE FROM invitations WHERE group_id = ?1 AND account = ?2", (group.0, account.0))
            }
        }
        .map(drop)
    }

    fn pause(&self, key: &str, wrong: Option<(u32, u64)>) -> rusqlite::Result<()> {
        match wrong {
            Some((count, until_ms)) => self.db.execute(
                "INSERT OR REPLACE INTO pauses (paused, wrong, until_ms) VALUES (?1, ?2, ?3)",
                (key, count, as_ms(until_ms)),
            ),
            None => self.db.execute("DELETE FROM pauses WHERE paused = ?1", [key]),
        }
        .map(drop)
    }
}

/// Milliseconds as SQLite keeps them.
fn as_ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::directory::{self, Directory, GroupEntry};
    use super::super::fixture::{Desk, at, said};
    use super::super::record::{Found, Query};
    use super::*;

    const ANNA: AccountId = AccountId(1000);
    const BEN: AccountId = AccountId(1001);
    const TEA: GroupId = GroupId(1000);

    fn desk() -> Desk {
        let mut desk = Desk::new();
        for name in ["anna", "ben", "小阳"] {
            desk.ask(Query::Register { name: name.into(), hash: "h".into() });
        }
        desk
    }

    fn shape(name: &str, owner: AccountId) -> Box<GroupShape> {
        Box::new(GroupShape {
            name: name.into(),
            owner,
            since_ms: 5,
            flags: "nt".into(),
            key: Some("k".into()),
            limit: Some(9),
            topic: Some(("茶".into(), "anna".into(), 7)),
            open_since: MsgId(3),
        })
    }

    fn member(account: AccountId, standing: u8) -> Change {
        let membership = Some(Membership { standing, since: MsgId(4) });
        Change::Member { group: TEA, account, membership }
    }

    fn read(desk: &Desk) -> Directory {
        directory::read(desk.db).unwrap()
    }

    #[test]
    fn a_group_comes_back_as_it_was_written_also_when_everything_is_written_twice() {
        let mut desk = desk();
        let changes = vec![
            Change::Group { id: TEA, shape: shape("#Tea", BEN) },
            member(BEN, 3),
            member(ANNA, 0),
            Change::Listed { group: TEA, list: List::Bans, mask: "eve!*@*".into(), entry: Some(("ben".into(), 8)) },
            Change::Listed { group: TEA, list: List::Exceptions, mask: "x!*@*".into(), entry: Some(("ben".into(), 9)) },
            Change::Listed { group: TEA, list: List::Exceptions, mask: "x!*@*".into(), entry: None },
            Change::Invited { group: TEA, account: AccountId(1002), by: Some(("ben".into(), 10)) },
            member(BEN, 1),
        ];
        let expected = GroupEntry {
            id: TEA,
            shape: *shape("#Tea", BEN),
            lists: vec![(List::Bans, "eve!*@*".into(), "ben".into(), 8)],
            members: [(BEN, 1), (ANNA, 0)]
                .map(|(who, standing)| (who, Membership { standing, since: MsgId(4) }))
                .to_vec(),
            invited: vec![(AccountId(1002), "ben".into(), 10)],
        };
        for _ in 0..2 {
            desk.change(changes.clone());
            assert_eq!(read(&desk).groups, [expected.clone()], "ben came first and stays first");
        }
        desk.change(vec![
            Change::Invited { group: TEA, account: AccountId(1002), by: None },
            Change::Member { group: TEA, account: BEN, membership: None },
            Change::Group {
                id: TEA,
                shape: Box::new(GroupShape { topic: None, key: None, limit: None, ..*shape("#T", ANNA) }),
            },
        ]);
        let group = read(&desk).groups.remove(0);
        assert_eq!((group.members.len(), group.invited.len()), (1, 0));
        assert_eq!((&*group.shape.name, group.shape.owner, group.shape.topic), ("#T", ANNA, None));
    }

    #[test]
    fn an_ended_group_is_gone_at_once_with_all_that_was_said_and_its_number_is_never_given_again() {
        let mut desk = desk();
        let target = Target::group(TEA);
        let say = |minute| super::super::record::Message { target: target.clone(), ..said(minute, "秘密 tea") };
        desk.save(vec![say(1), say(2), said(3, "lobby")]).unwrap();
        desk.change(vec![Change::Group { id: TEA, shape: shape("#tea", ANNA) }, member(ANNA, 0)]);
        let place = super::super::record::Place { target: target.clone(), instance: 0, since: MsgId(0) };
        let asked = Query::Before { place: place.clone(), before: None, limit: 9 };
        let Found::Messages(there) = desk.ask(asked.clone()) else { panic!() };
        assert_eq!(there.len(), 2);
        for _ in 0..2 {
            desk.change(vec![Change::GroupEnded { id: TEA, target: target.clone() }]);
            assert_eq!(desk.ask(asked.clone()), Found::Messages(Vec::new()));
        }
        let wish =
            super::super::record::Search { places: vec![place], ..super::super::fixture::search_for(&["秘密"]) };
        assert_eq!(desk.ask(Query::Search(wish)), Found::Messages(Vec::new()));
        let directory = read(&desk);
        assert_eq!((directory.groups.len(), directory.last_group), (0, 1000));
        assert_eq!(desk.texts("#lobby"), ["lobby"]);
    }

    #[test]
    fn markers_only_move_forward_and_pauses_come_and_go() {
        let mut desk = desk();
        let lobby = Target::room("#lobby");
        let marker = |up_to_ms| Change::Read { account: ANNA, target: Target::room("#lobby"), up_to_ms };
        let delivered = |id| Change::Delivered { account: ANNA, up_to: MsgId(id) };
        let pause = |wrong| Change::Pause { key: "account 1000".into(), wrong };
        desk.change(vec![
            marker(70),
            marker(60),
            delivered(9),
            delivered(8),
            pause(Some((2, 50))),
            pause(Some((3, 60))),
        ]);
        let person = Found::Person { read: vec![(lobby, 70)], delivered: MsgId(9) };
        assert_eq!(desk.ask(Query::Person { account: ANNA }), person);
        assert_eq!(read(&desk).pauses, [("account 1000".into(), 3, 60)]);
        desk.change(vec![pause(None), Change::DisplayName { account: BEN, name: "Ben B.".into() }]);
        assert_eq!(read(&desk).pauses, []);
        let shown: Vec<_> = read(&desk).accounts.into_iter().map(|account| account.display).collect();
        assert_eq!(shown, [None, Some("Ben B.".into()), None]);
    }

    #[test]
    fn ids_of_changes_are_not_given_again_after_a_restart() {
        let mut desk = desk();
        desk.save(vec![said(1, "hi")]).unwrap();
        desk.shift(50);
        desk.change(vec![member(ANNA, 0)]);
        let last = desk.again().keeper.last_id();
        assert!(last > at(50), "{last}");
    }
}
