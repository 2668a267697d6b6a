//! Many files of one person: the first few are told one by one, those that follow at once in one sentence after a while. Nobody reads ten thousand.

use std::collections::BTreeMap;

use crate::store::file::Scope;
use crate::wire::limits::{FILES_GATHERED_MAX_MS, FILES_GATHERED_MS, FILES_TOLD_EACH};

use super::super::{Chat, Effect, Now};
use super::settling::Arrival;

/// What one person has brought to one scope lately.
#[derive(Debug)]
struct Gathering {
    /// Files that were told one by one.
    told: usize,
    held: Held,
    /// When the held ones are told (monotonic milliseconds), and how long that is from the last time.
    due_ms: u64,
    wait_ms: u64,
}

/// Files that are told together.
#[derive(Default, Debug)]
pub struct Held {
    /// The first of them: few are told one by one all the same.
    pub first: Vec<Arrival>,
    /// How many in all.
    pub count: usize,
    /// Bytes of all.
    pub bytes: u64,
    /// The folder that all are in; empty when there is none.
    pub folder: String,
}

impl Held {
    fn add(&mut self, arrival: Arrival) {
        let folder = arrival.key.name.folder();
        self.folder = if self.count == 0 { folder.to_owned() } else { common_folder(&self.folder, folder) };
        self.count += 1;
        self.bytes = self.bytes.saturating_add(arrival.size);
        if self.first.len() < FILES_TOLD_EACH {
            self.first.push(arrival);
        }
    }
}

/// All who are bringing files, by what others call them, and where.
#[derive(Default, Debug)]
pub struct Gatherings(BTreeMap<(Box<str>, Scope), Gathering>);

impl Gatherings {
    /// When some are to be told.
    pub fn deadline(&self) -> Option<u64> {
        self.0.values().map(|gathering| gathering.due_ms).min()
    }

    /// Whether nothing is held back.
    #[cfg(test)]
    pub fn is_resting(&self) -> bool {
        self.0.values().all(|gathering| gathering.held.count == 0)
    }
}

impl Chat {
    /// Tells of files that came together: each to programs, and to people one by one as long as they are few.
    pub(super) fn announce(&mut self, arrivals: Vec<Arrival>, now: Now, effects: &mut Vec<Effect>) {
        let mut by_person: BTreeMap<(Box<str>, Scope), Vec<Arrival>> = BTreeMap::new();
        for arrival in arrivals {
            by_person.entry((arrival.by.source.clone(), arrival.key.scope)).or_default().push(arrival);
        }
        for (person, together) in by_person {
            let gathering = self.shelf.gatherings.0.entry(person).or_insert_with(|| Gathering {
                told: 0,
                held: Held::default(),
                due_ms: now.mono_ms + FILES_GATHERED_MS,
                wait_ms: FILES_GATHERED_MS,
            });
            let is_few = gathering.held.count == 0 && gathering.told + together.len() <= FILES_TOLD_EACH;
            if is_few {
                gathering.told += together.len();
                together.iter().for_each(|arrival| self.announce_one(arrival, now, effects));
                continue;
            }
            for arrival in &together {
                self.tell_programs(arrival, now.wall_ms, None, effects);
            }
            if let Some(gathering) = self.shelf.gatherings.0.get_mut(&person_of(&together)) {
                together.into_iter().for_each(|arrival| gathering.held.add(arrival));
            }
        }
    }

    /// Tells of what was held long enough. Whoever goes on bringing files is told of less and less often.
    pub(super) fn tell_gathered(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let due = self.shelf.gatherings.0.iter_mut().filter(|(_, gathering)| gathering.due_ms <= now.mono_ms);
        let mut held = Vec::new();
        let mut over = Vec::new();
        for (person, gathering) in due {
            if gathering.held.count == 0 {
                over.push(person.clone());
                continue;
            }
            held.push(std::mem::take(&mut gathering.held));
            gathering.told = FILES_TOLD_EACH;
            gathering.wait_ms = (2 * gathering.wait_ms).min(FILES_GATHERED_MAX_MS);
            gathering.due_ms = now.mono_ms + gathering.wait_ms;
        }
        for person in over {
            self.shelf.gatherings.0.remove(&person);
        }
        held.iter().for_each(|held| self.tell_held(held, now, effects));
    }

    /// The server ends: nothing is held back.
    pub(in crate::chat) fn tell_all_gathered(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for gathering in std::mem::take(&mut self.shelf.gatherings.0).into_values() {
            self.tell_held(&gathering.held, now, effects);
        }
    }

    fn tell_held(&mut self, held: &Held, now: Now, effects: &mut Vec<Effect>) {
        if held.count > held.first.len() {
            return self.tell_people_of_all(held, now, effects);
        }
        for arrival in &held.first {
            self.tell_people_of_one(arrival, now, effects);
        }
    }
}

fn person_of(together: &[Arrival]) -> (Box<str>, Scope) {
    let first = together.first();
    first.map_or(("".into(), Scope::Public), |arrival| (arrival.by.source.clone(), arrival.key.scope))
}

/// The folder that both folders are in, or are.
fn common_folder(one: &str, other: &str) -> String {
    let same = one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other);
    same.map(|(part, _)| part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_are_in_the_deepest_that_holds_both() {
        for (one, other, common) in
            [("a/b", "a/c", "a"), ("a", "a", "a"), ("a/b", "a", "a"), ("ab", "a", ""), ("", "a", ""), ("", "", "")]
        {
            assert_eq!((common_folder(one, other), common_folder(other, one)), (common.into(), common.into()));
        }
    }
}
