//! Who waits for what: the files of one kind, small or big, in the order in which they go on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Step, Work};

/// Files that wait, and those that something is done with, by their keys.
#[derive(Default, Debug)]
pub(super) struct LineUp {
    to_hash: VecDeque<u64>,
    hashing: BTreeSet<u64>,
    to_offer: VecDeque<u64>,
    offered: BTreeSet<u64>,
    moving: BTreeSet<u64>,
}

impl LineUp {
    /// A file has come to a step.
    pub(super) fn enter(&mut self, key: u64, step: Step) {
        self.leave(key);
        match step {
            Step::ToHash => self.to_hash.push_back(key),
            Step::ToOffer => self.to_offer.push_back(key),
            Step::Hashing => drop(self.hashing.insert(key)),
            Step::Offered => drop(self.offered.insert(key)),
            Step::Moving => drop(self.moving.insert(key)),
            Step::Pausing { .. } => {}
        }
    }

    /// A file is done. Where it waited, it is passed over when its turn comes.
    pub(super) fn leave(&mut self, key: u64) {
        for set in [&mut self.hashing, &mut self.offered, &mut self.moving] {
            set.remove(&key);
        }
    }

    /// The next files whose digests may be computed together; nothing while others are.
    pub(super) fn next_to_hash(&mut self, works: &BTreeMap<u64, Work>, most: usize) -> Option<Vec<u64>> {
        if !self.hashing.is_empty() {
            return None;
        }
        let mut keys = Vec::new();
        while keys.len() < most
            && let Some(key) = next(&mut self.to_hash, works, Step::ToHash)
        {
            keys.push(key);
        }
        (!keys.is_empty()).then_some(keys)
    }

    /// The next file that may be offered, where so many may be without an answer, and so many between their offer and their end.
    pub(super) fn next_to_offer(
        &mut self,
        works: &BTreeMap<u64, Work>,
        offered: usize,
        under_way: usize,
    ) -> Option<u64> {
        if self.offered.len() >= offered || self.offered.len() + self.moving.len() >= under_way {
            return None;
        }
        next(&mut self.to_offer, works, Step::ToOffer)
    }
}

/// The first that still waits for this.
fn next(line: &mut VecDeque<u64>, works: &BTreeMap<u64, Work>, step: Step) -> Option<u64> {
    std::iter::from_fn(|| line.pop_front()).find(|key| works.get(key).is_some_and(|work| work.step == step))
}
