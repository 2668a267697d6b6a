//! A room: its members, its modes, and who may do what in it.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::store::record::{Place, Target};
use crate::wire::event::Event;
use crate::wire::mask::Mask;
use crate::wire::msgid::MsgId;
use crate::wire::name::{Key, RoomName};

use super::group::Group;
use super::{ConnId, RoomId, Session};

/// A member's standing, and the prefix that shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing(u8);

impl Standing {
    /// No special rights.
    pub const PLAIN: Standing = Standing(0);
    /// Channel operator (`o`, `@`).
    pub const OPERATOR: Standing = Standing(1);
    /// May speak in a moderated room (`v`, `+`).
    pub const VOICE: Standing = Standing(2);
    /// Whose group it is (`q`, `~`).
    pub const OWNER: Standing = Standing(4);

    /// As it is kept.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// What was kept; bits that mean nothing are left out.
    pub fn of_bits(bits: u8) -> Standing {
        Standing(bits & 7)
    }

    /// Whether it gives the use of an operator's tools.
    pub fn runs(self) -> bool {
        self.0 & (Standing::OPERATOR.0 | Standing::OWNER.0) != 0
    }

    /// Who may put out whom: only somebody of a higher rank.
    pub fn rank(self) -> u8 {
        if self.has(Standing::OWNER) { 2 } else { u8::from(self.has(Standing::OPERATOR)) }
    }

    /// Whether all of `other` is included.
    pub fn has(self, other: Standing) -> bool {
        self.0 & other.0 == other.0
    }

    /// Adds or takes `other`.
    pub fn set(&mut self, other: Standing, on: bool) {
        if on { self.0 |= other.0 } else { self.0 &= !other.0 }
    }

    /// `~@+`, all of them for a client with multi-prefix, else the highest.
    pub fn prefixes(self, all: bool) -> &'static str {
        let shown = ["", "@", "+", "@+", "~", "~@", "~+", "~@+"][usize::from(self.0)];
        if all || shown.is_empty() { shown } else { &shown[..1] }
    }
}

/// Somebody in a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Who.
    pub conn: ConnId,
    /// With which rights; all devices of an account have the same.
    pub standing: Standing,
    /// Another device of the same account stands for the person here.
    pub further: bool,
}

/// A room's topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Topic {
    /// What it says.
    pub text: Box<str>,
    /// Who set it, as `nick!user@host`.
    pub by: Box<str>,
    /// When (milliseconds since 1970).
    pub at_ms: u64,
}

/// A mask on a list, with who put it there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The mask.
    pub mask: Mask,
    /// Who set it, as `nick!user@host`.
    pub by: Box<str>,
    /// When (milliseconds since 1970).
    pub at_ms: u64,
}

/// The modes of a room that are on or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// `i`: by invitation only.
    pub invite_only: bool,
    /// `m`: only operators and voiced members speak.
    pub moderated: bool,
    /// `n`: only members speak.
    pub members_only: bool,
    /// `s`: not listed, not shown.
    pub secret: bool,
    /// `t`: only operators set the topic.
    pub topic_locked: bool,
}

/// What a room does not let somebody do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Barred {
    /// Not a member, and the room is members-only.
    Outside,
    /// The room is moderated.
    Moderated,
    /// On the ban list.
    Banned,
    /// On the ban list with `m:`.
    Muted,
}

/// One room, from its first member to its last; the lobby lives as long as the server, a group until it is ended.
#[derive(Debug)]
pub struct Room {
    /// Which life of it.
    pub id: RoomId,
    /// As it was written by who opened it.
    pub name: RoomName,
    /// The room that everybody enters.
    pub is_lobby: bool,
    /// Who belongs here, away or not; only rooms that members made have that.
    pub group: Option<Box<Group>>,
    /// Connections, in the order in which they came. [`Room::admit`] and [`Room::drop`] count.
    pub members: Vec<Member>,
    /// How many of them are further devices of somebody.
    further: usize,
    /// What it is about.
    pub topic: Option<Topic>,
    /// Modes without a parameter.
    pub flags: Flags,
    /// `k`: the key that a newcomer must give.
    pub password: Option<Box<str>>,
    /// `l`: the greatest number of members.
    pub limit: Option<u32>,
    /// `b`.
    pub bans: Vec<Listed>,
    /// `e`.
    pub exceptions: Vec<Listed>,
    /// `I`.
    pub invitations: Vec<Listed>,
    /// When it was opened (milliseconds since 1970).
    pub since_ms: u64,
    /// Tells its closed history from that of earlier rooms of the name; never 0, but for a group, whose number does that.
    pub instance: u64,
    /// The last messages, oldest first, for those who come.
    pub recent: VecDeque<Rc<Event>>,
    /// Bytes that they take about.
    pub recent_bytes: usize,
    /// Whether the store was asked for what was said before the room was opened.
    pub recent_asked: bool,
    /// Whether `recent` has it; until then these wait for their replay.
    pub recent_loaded: bool,
    /// Who waits for the replay, and the newest message when they came.
    pub awaiting_replay: Vec<(ConnId, MsgId)>,
    /// Joins and leaves that were not told one by one.
    pub untold: Untold,
}

/// Joins and leaves of a large room since its counts were last told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Untold {
    /// How many came.
    pub joined: u32,
    /// How many left.
    pub left: u32,
    /// When to tell (monotonic milliseconds); meaningless when both are 0.
    pub due_ms: u64,
}

impl Room {
    /// An empty room with the usual modes `+nt`.
    pub fn new(id: RoomId, name: RoomName, is_lobby: bool, since_ms: u64, instance: u64) -> Room {
        Room {
            id,
            name,
            is_lobby,
            group: None,
            members: Vec::new(),
            further: 0,
            topic: None,
            flags: Flags { members_only: true, topic_locked: true, ..Flags::default() },
            password: None,
            limit: None,
            bans: Vec::new(),
            exceptions: Vec::new(),
            invitations: Vec::new(),
            since_ms,
            instance,
            recent: VecDeque::new(),
            recent_bytes: 0,
            recent_asked: false,
            recent_loaded: false,
            awaiting_replay: Vec::new(),
            untold: Untold::default(),
        }
    }

    /// What it is looked up by.
    pub fn key(&self) -> Key {
        self.name.key()
    }

    /// How many people are in it, at this moment.
    pub fn people(&self) -> usize {
        self.members.len() - self.further
    }

    /// Takes a connection in.
    pub fn admit(&mut self, member: Member) {
        self.further += usize::from(member.further);
        self.members.push(member);
    }

    /// Takes a connection out.
    pub fn drop(&mut self, conn: ConnId) {
        let Some(at) = self.members.iter().position(|member| member.conn == conn) else { return };
        let member = self.members.remove(at);
        self.further -= usize::from(member.further);
        self.awaiting_replay.retain(|(waiting, _)| *waiting != conn);
    }

    /// From here on this connection stands for its person.
    pub fn show(&mut self, conn: ConnId) {
        let shown = self.member_mut(conn).is_some_and(|member| std::mem::take(&mut member.further));
        self.further -= usize::from(shown);
    }

    /// Another connection stands for its person from here on.
    pub fn hide(&mut self, conn: ConnId) {
        let hidden = self.member_mut(conn).is_some_and(|member| !std::mem::replace(&mut member.further, true));
        self.further += usize::from(hidden);
    }

    /// The standing of a member; `None` for others.
    pub fn standing(&self, conn: ConnId) -> Option<Standing> {
        self.members.iter().find(|member| member.conn == conn).map(|member| member.standing)
    }

    /// The entry of a member.
    pub fn member_mut(&mut self, conn: ConnId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.conn == conn)
    }

    /// Whether `session` may use an operator's tools here: a channel operator, or a server operator.
    pub fn is_run_by(&self, session: &Session) -> bool {
        session.operator || self.standing(session.conn).is_some_and(Standing::runs)
    }

    /// Whether strangers are kept out or the room is hidden: what is said is then for this instance of the room alone.
    pub fn is_closed(&self) -> bool {
        self.flags.invite_only || self.flags.secret || self.password.is_some()
    }

    /// Where its messages are filed.
    pub fn target(&self) -> Target {
        match &self.group {
            Some(group) => Target::group(group.id),
            None => Target::room(self.key().as_str()),
        }
    }

    /// All that was said here.
    pub fn whole_place(&self) -> Place {
        Place { target: self.target(), instance: self.instance, since: MsgId(0) }
    }

    /// What of it somebody may read who is in it.
    pub fn place(&self, asker: &Session) -> Place {
        let group = self.group.as_ref();
        let since = group.map_or(MsgId(0), |group| group.since(asker.account_id(), self.is_closed()));
        Place { since, ..self.whole_place() }
    }

    /// Why `session` may not speak here; `None` when it may.
    pub fn bars_speech_of(&self, session: &Session) -> Option<Barred> {
        if self.is_run_by(session) {
            return None;
        }
        let standing = self.standing(session.conn);
        if standing.is_none() && self.flags.members_only {
            return Some(Barred::Outside);
        }
        if standing.is_some_and(|standing| standing.has(Standing::VOICE)) {
            return None;
        }
        if self.flags.moderated {
            return Some(Barred::Moderated);
        }
        self.ban_on(session, true)
    }

    /// The ban that applies to `session`, if one does and no exception lifts it. Mutes count only for speech.
    pub fn ban_on(&self, session: &Session, for_speech: bool) -> Option<Barred> {
        self.ban_on_source(session.source(), for_speech)
    }

    /// The same for somebody by `nick!user@host`, here or away.
    pub fn ban_on_source(&self, source: &str, for_speech: bool) -> Option<Barred> {
        if self.bans.is_empty() {
            return None;
        }
        let source = crate::wire::name::fold(source);
        let ban =
            self.bans.iter().find(|listed| (for_speech || !listed.mask.mutes()) && listed.mask.matches(&source))?;
        let lifted = self.exceptions.iter().any(|listed| listed.mask.matches(&source));
        (!lifted).then_some(if ban.mask.mutes() { Barred::Muted } else { Barred::Banned })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    #[test]
    fn a_standing_shows_its_highest_prefix_or_all_of_them() {
        let mut standing = Standing::PLAIN;
        assert_eq!((standing.prefixes(false), standing.prefixes(true)), ("", ""));
        standing.set(Standing::VOICE, true);
        assert_eq!((standing.prefixes(false), standing.prefixes(true)), ("+", "+"));
        standing.set(Standing::OPERATOR, true);
        assert_eq!((standing.prefixes(false), standing.prefixes(true)), ("@", "@+"));
        standing.set(Standing::OWNER, true);
        assert_eq!((standing.prefixes(false), standing.prefixes(true)), ("~", "~@+"));
        standing.set(Standing::OWNER, false);
        standing.set(Standing::VOICE, false);
        assert_eq!((standing.prefixes(false), standing.prefixes(true)), ("@", "@"));
    }

    #[test]
    fn a_ban_counts_in_any_case_a_mute_only_for_speech_and_an_exception_lifts_both() {
        let mut w = World::new();
        let anna = w.join("anna");
        let eve = w.join("Eve");
        w.line(anna, "JOIN #茶");
        let barred = |w: &World| {
            let room = w.chat.room_named("#茶").unwrap();
            (room.ban_on(w.session(eve), false), room.ban_on(w.session(eve), true))
        };
        assert_eq!(barred(&w), (None, None));
        w.line(anna, "MODE #茶 +b m:eVE!*@*");
        assert_eq!(barred(&w), (None, Some(Barred::Muted)));
        w.line(anna, "MODE #茶 +b *!~eve@*");
        assert_eq!(barred(&w), (Some(Barred::Banned), Some(Barred::Muted)));
        w.line(anna, "MODE #茶 +e EVE");
        assert_eq!(barred(&w), (None, None));
    }

    #[test]
    fn a_room_is_closed_by_a_key_an_invitation_or_secrecy() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "JOIN #茶");
        let is_closed = |w: &World| w.chat.room_named("#茶").unwrap().is_closed();
        assert!(!is_closed(&w));
        for modes in ["k 龙井", "i", "s"] {
            w.line(anna, &format!("MODE #茶 +{modes}"));
            assert!(is_closed(&w), "{modes}");
            w.line(anna, &format!("MODE #茶 -{modes}"));
            assert!(!is_closed(&w), "{modes}");
        }
    }
}
