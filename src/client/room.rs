//! Who is in a room and what it is about, as far as the client was told.

use std::collections::BTreeMap;

use super::features::Features;
use super::nick_of;
use crate::wire::name::fold;

/// Members of one room that are remembered by name.
const MEMBERS: usize = 50_000;

/// Who is in a room and what it is about.
#[derive(Clone, Default, Debug)]
pub struct Room {
    /// The name as the server writes it.
    pub name: Box<str>,
    /// The topic.
    pub topic: Box<str>,
    /// By folded nick.
    members: BTreeMap<Box<str>, Member>,
    /// What a NAMES answer has brought so far.
    naming: Option<BTreeMap<Box<str>, Member>>,
    /// The client has been told that it is in.
    is_entered: bool,
}

/// One member of a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The nick.
    pub nick: Box<str>,
    /// The status marks in front of it (`@`, `+`).
    pub marks: Box<str>,
    /// The server says that they are away.
    pub is_away: bool,
}

impl Room {
    /// Everybody in the room, in the order of folded nicks.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// How many people are in the room.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// Whether somebody is in the room.
    pub fn has(&self, nick: &str) -> bool {
        self.members.contains_key(&fold(nick))
    }

    /// The client is in. After a broken link, who is there is told anew.
    pub fn begin(&mut self, name: &str, me: &str) {
        (self.name, self.members, self.naming) = (name.into(), BTreeMap::new(), None);
        self.add(me);
    }

    /// Somebody is in the room.
    pub fn add(&mut self, nick: &str) {
        for members in self.lists().filter(|members| members.len() < MEMBERS) {
            members.entry(fold(nick)).or_insert_with(|| Member { nick: nick.into(), marks: "".into(), is_away: false });
        }
    }

    /// Somebody is not in the room any more; false when they were not known to be.
    pub fn remove(&mut self, nick: &str) -> bool {
        self.lists().fold(false, |was_in, members| members.remove(&fold(nick)).is_some() | was_in)
    }

    /// Somebody has another nick; false when they were not known to be here.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let mut is_known = false;
        for members in self.lists() {
            if let Some(member) = members.remove(&fold(from)) {
                members.insert(fold(to), Member { nick: to.into(), ..member });
                is_known = true;
            }
        }
        is_known
    }

    /// Somebody is away, or back.
    pub fn set_away(&mut self, nick: &str, is_away: bool) {
        for members in self.lists() {
            members.get_mut(&fold(nick)).into_iter().for_each(|member| member.is_away = is_away);
        }
    }

    /// Takes one line of a NAMES answer: nicks with marks in front, perhaps with `!user@host` behind.
    pub fn listed(&mut self, names: &str, features: &Features) {
        let naming = self.naming.get_or_insert_default();
        for name in names.split(' ') {
            let bare = name.trim_start_matches(|c| features.status_marks.contains(c));
            let (nick, marks) = (nick_of(bare), &name[..name.len() - bare.len()]);
            if naming.len() < MEMBERS && !nick.is_empty() {
                let is_away = self.members.get(&fold(nick)).is_some_and(|member| member.is_away);
                naming.insert(fold(nick), Member { nick: nick.into(), marks: marks.into(), is_away });
            }
        }
    }

    /// The NAMES answer is complete. True the first time.
    pub fn names_ended(&mut self) -> bool {
        if let Some(naming) = self.naming.take() {
            self.members = naming;
        }
        !std::mem::replace(&mut self.is_entered, true)
    }

    /// Follows who has which mark. Which modes take a parameter: those with a mark, lists and keys always, a limit when set (RFC 2811).
    pub fn mode(&mut self, change: &[&str], features: &Features) {
        let Some((flags, params)) = change.split_first() else { return };
        let mut params = params.iter();
        let mut is_set = true;
        for flag in flags.chars() {
            let mark = features.status_modes.chars().position(|mode| mode == flag);
            let mark = mark.and_then(|at| features.status_marks.chars().nth(at));
            match (flag, mark) {
                ('+' | '-', _) => is_set = flag == '+',
                (_, Some(mark)) => {
                    let member = params.next().and_then(|nick| self.members.get_mut(&fold(nick)));
                    if let Some(member) = member {
                        let others = member.marks.chars().filter(|other| *other != mark);
                        member.marks = others.chain(is_set.then_some(mark)).collect::<String>().into();
                    }
                }
                ('b' | 'e' | 'I' | 'k', None) => drop(params.next()),
                ('l', None) if is_set => drop(params.next()),
                _ => {}
            }
        }
    }

    /// The members as known, and those that a NAMES answer under way has brought so far.
    fn lists(&mut self) -> impl Iterator<Item = &mut BTreeMap<Box<str>, Member>> {
        std::iter::once(&mut self.members).chain(self.naming.as_mut())
    }
}
