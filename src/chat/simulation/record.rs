//! What was said on a simulated day, and by whom: what everybody's ears check against.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::store::record::Target;
use crate::wire::msgid::MsgId;

use super::super::ConnId;
use super::disk::Disk;

/// One message as it was handed to the store.
pub struct Said {
    pub number: u64,
    pub room: Option<Box<str>>,
    pub closed_in: u64,
    pub hurry: bool,
}

/// All that was said and by whom: what ears check against.
#[derive(Default)]
pub struct Record {
    pub disk: Disk,
    /// Who typed a message. More than one after a lost link.
    pub senders: HashMap<u64, BTreeSet<ConnId>>,
    pub times_typed: HashMap<u64, usize>,
    pub ids: HashMap<u64, Vec<MsgId>>,
    pub said: BTreeMap<MsgId, Said>,
    /// The last instance of each room.
    pub instances: HashMap<Box<str>, u64>,
    /// What groups are called, by where their messages are filed; also when they have ended.
    pub groups: HashMap<Target, Box<str>>,
    /// The newest message, and the newest before this step.
    pub newest: MsgId,
    pub newest_before: MsgId,
    /// So many people come that rooms tell numbers in place of names.
    pub is_crowded: bool,
}

impl Record {
    pub fn is_sender(&self, number: u64, conn: ConnId) -> bool {
        self.senders.get(&number).is_some_and(|senders| senders.contains(&conn))
    }

    pub fn was_sent_again(&self, number: u64) -> bool {
        self.times_typed.get(&number).is_some_and(|times| *times > 1)
    }

    pub fn only_sender(&self, number: u64) -> Option<ConnId> {
        if self.was_sent_again(number) { None } else { self.senders.get(&number)?.first().copied() }
    }

    pub fn ids_of(&self, number: u64) -> &[MsgId] {
        self.ids.get(&number).map_or(&[], Vec::as_slice)
    }

    pub fn only_id_of(&self, number: u64) -> Option<MsgId> {
        if let [id] = self.ids_of(number) { Some(*id) } else { None }
    }

    pub fn times_said(&self, number: u64, room: &str) -> usize {
        let in_room = |id: &&MsgId| self.said.get(id).is_some_and(|said| said.room.as_deref() == Some(room));
        self.ids_of(number).iter().filter(in_room).count()
    }
}
