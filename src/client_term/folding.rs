//! Many files, few lines: which of those that came through, or that others bring, are told one by one. Pure.

use crate::client::shown::{Deed, Shared, Shown, What};
use crate::client::transfers::{Job, Way};
use crate::client::words::Many;
use crate::wire::name::fold;

/// Files that are told one by one; of more, the number is told.
const EACH: usize = 3;

/// Milliseconds without another file of the same person after which what came is told: nobody feels them.
const QUIET_MS: u64 = 300;

/// Milliseconds after which what came is told although more is coming.
const AT_MOST_MS: u64 = 2_000;

/// The same for somebody who has brought files just before: one who brings a whole folder over poor Wi-Fi.
const STREAK_QUIET_MS: u64 = 5_000;
const STREAK_AT_MOST_MS: u64 = 60_000;

/// Milliseconds after which somebody who brought files has not brought files just before.
const STREAK_MS: u64 = 10_000;

/// People whose files are held back at once; those of others are told at once.
const PEOPLE: usize = 50;

/// Milliseconds that a file of the user's own which came through waits for others.
const OWN_MS: u64 = 1_000;

/// The same where there are many.
const OWN_MANY_MS: u64 = 60_000;

/// A file of so many bytes takes long enough that whoever waits for it wants to read its name …
pub const LARGE: u64 = 16_000_000;

/// … as long as there are not too many of them.
const LARGE_EACH: usize = 20;

/// Failures that are told one by one.
const FAILURES: usize = 5;

/// Files that others bring and remove, held back for a moment.
#[derive(Default, Debug)]
pub struct Arrivals {
    groups: Vec<Group>,
}

/// What makes files belong together: what was done to them, by whom, and in which conversation.
type Key = (Deed, Box<str>, Option<Box<str>>);

/// Files that belong together.
#[derive(Debug)]
struct Group {
    key: Key,
    /// The first ones, as long as each of them may be told.
    first: Vec<Shown>,
    /// All of them as one; nothing when all were told.
    whole: Option<Shown>,
    since_ms: u64,
    latest_ms: u64,
    /// When files of this group were told the last time.
    told_ms: Option<u64>,
}

impl Group {
    fn add(&mut self, now_ms: u64, shown: Shown, files: &Shared) {
        self.latest_ms = now_ms;
        match &mut self.whole {
            Some(Shown { at_ms, what: What::Shared(whole), .. }) => {
                *at_ms = shown.at_ms;
                whole.count += 1;
                whole.size = whole.size.saturating_add(files.size);
                whole.name = common_folder(&whole.name, folder(&files.name)).into();
                whole.id = files.id.clone();
            }
            _ => {
                self.since_ms = now_ms;
                let whole = Shared { name: folder(&files.name).into(), digest: "".into(), ..files.clone() };
                self.whole = Some(Shown { what: What::Shared(Box::new(whole)), ..shown.clone() });
            }
        }
        if self.first.len() <= EACH {
            self.first.push(shown);
        }
    }

    fn due_ms(&self) -> Option<u64> {
        self.whole.as_ref()?;
        let (quiet, most) = match self.told_ms {
            Some(_) => (STREAK_QUIET_MS, STREAK_AT_MOST_MS),
            None => (QUIET_MS, AT_MOST_MS),
        };
        Some((self.latest_ms + quiet).min(self.since_ms + most))
    }

    fn tell(&mut self, now_ms: u64) -> Vec<Shown> {
        let Some(whole) = self.whole.take() else { return Vec::new() };
        self.told_ms = Some(now_ms);
        let first = std::mem::take(&mut self.first);
        if first.len() > EACH { vec![whole] } else { first }
    }
}

/// The folder of a name; empty when it is in none.
fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder that two folders are in.
fn common_folder(one: &str, other: &str) -> String {
    let same = one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other);
    same.map(|(part, _)| part).collect::<Vec<_>>().join("/")
}

impl Arrivals {
    /// Takes something to show. What is to be shown at once comes back: everything but files.
    pub fn take(&mut self, now_ms: u64, shown: Shown) -> Option<Shown> {
        let What::Shared(files) = &shown.what else { return Some(shown) };
        let files = files.clone();
        let key = (files.deed, fold(&files.who), shown.conversation().map(fold));
        self.groups
            .retain(|group| group.whole.is_some() || group.told_ms.is_some_and(|told| told + STREAK_MS > now_ms));
        if let Some(group) = self.groups.iter_mut().find(|group| group.key == key) {
            group.add(now_ms, shown, &files);
        } else if self.groups.len() < PEOPLE {
            let (first, whole, told_ms) = (Vec::new(), None, None);
            let mut group = Group { key, first, whole, since_ms: now_ms, latest_ms: now_ms, told_ms };
            group.add(now_ms, shown, &files);
            self.groups.push(group);
        } else {
            return Some(shown);
        }
        None
    }

    /// When [`Arrivals::due`] has something to tell.
    pub fn due_ms(&self) -> Option<u64> {
        self.groups.iter().filter_map(Group::due_ms).min()
    }

    /// What is to be told at this moment.
    pub fn due(&mut self, now_ms: u64) -> Vec<Shown> {
        let due = self.groups.iter_mut().filter(|group| group.due_ms().is_some_and(|due| due <= now_ms));
        due.flat_map(|group| group.tell(now_ms)).collect()
    }

    /// What somebody brought before they said something.
    pub fn of(&mut self, now_ms: u64, who: &str) -> Vec<Shown> {
        let who = fold(who);
        self.groups.iter_mut().filter(|group| group.key.1 == who).flat_map(|group| group.tell(now_ms)).collect()
    }

    /// Everything.
    pub fn all(&mut self, now_ms: u64) -> Vec<Shown> {
        self.groups.iter_mut().flat_map(|group| group.tell(now_ms)).collect()
    }
}

/// A file of the user's own that came through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Came {
    /// Which.
    pub job: Job,
    /// It was there already.
    pub at_once: bool,
    /// How it is told.
    pub words: String,
}

/// What there is to tell about the user's own files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// In these words.
    One(String),
    /// So many.
    Many(Many),
    /// So many were stopped by the user.
    ManyStopped(usize),
    /// So many failures more.
    MoreFailed(usize),
}

/// The user's own files that came through, or did not.
#[derive(Default, Debug)]
pub struct Tally {
    first: Vec<String>,
    ups: Option<Many>,
    downs: Option<Many>,
    /// Since when something is held back.
    since_ms: Option<u64>,
    /// Since when files are on their way.
    began_ms: Option<u64>,
    failures: usize,
    /// Large files that were told by their names.
    named: usize,
    stopped: usize,
    /// How the last one that was stopped is told.
    last_stopped: String,
}

impl Tally {
    /// A file is on its way.
    pub fn began(&mut self, now_ms: u64) {
        self.began_ms.get_or_insert(now_ms);
    }

    /// A file came through.
    /// Gives its words back when they are to be told at once.
    pub fn came(&mut self, now_ms: u64, came: Came) -> Option<String> {
        if came.job.size >= LARGE && self.named < LARGE_EACH {
            self.named += 1;
            return Some(came.words);
        }
        self.since_ms.get_or_insert(now_ms);
        let way = came.job.way;
        let sum = if way == Way::Up { &mut self.ups } else { &mut self.downs };
        let sum = sum.get_or_insert(Many { way, count: 0, at_once: 0, bytes: 0, took_ms: 0 });
        sum.count += 1;
        sum.at_once += usize::from(came.at_once);
        sum.bytes = sum.bytes.saturating_add(came.job.size);
        if self.first.len() <= EACH {
            self.first.push(came.words);
        }
        None
    }

    /// The user stopped a file.
    pub fn stopped(&mut self, now_ms: u64, words: String) {
        self.since_ms.get_or_insert(now_ms);
        self.stopped += 1;
        self.last_stopped = words;
    }

    /// A file did not come through. Says whether that is told in words of its own.
    pub fn failed(&mut self) -> bool {
        self.failures += 1;
        self.failures <= FAILURES
    }

    /// When [`Tally::due`] has something to tell.
    pub fn due_ms(&self) -> Option<u64> {
        let wait = if self.first.len() > EACH { OWN_MANY_MS } else { OWN_MS };
        self.since_ms.map(|since| since + wait)
    }

    /// What is to be told at this moment.
    pub fn due(&mut self, now_ms: u64) -> Vec<Told> {
        if self.due_ms().is_some_and(|due| due <= now_ms) { self.came_through(now_ms) } else { Vec::new() }
    }

    /// Nothing is on its way any more: everything that is left to tell.
    pub fn end(&mut self, now_ms: u64) -> Vec<Told> {
        let mut told = self.came_through(now_ms);
        let more = std::mem::take(&mut self.failures).saturating_sub(FAILURES);
        told.extend((more > 0).then_some(Told::MoreFailed(more)));
        (self.began_ms, self.named) = (None, 0);
        told
    }

    fn came_through(&mut self, now_ms: u64) -> Vec<Told> {
        let took_ms = now_ms.saturating_sub(self.began_ms.unwrap_or(now_ms));
        self.since_ms = None;
        let first = std::mem::take(&mut self.first);
        let sums = [self.ups.take(), self.downs.take()];
        let mut told: Vec<Told> = match first.len() <= EACH {
            true => first.into_iter().map(Told::One).collect(),
            false => sums.into_iter().flatten().map(|sum| Told::Many(Many { took_ms, ..sum })).collect(),
        };
        let words = std::mem::take(&mut self.last_stopped);
        match std::mem::take(&mut self.stopped) {
            0 => {}
            1 => told.push(Told::One(words)),
            count => told.push(Told::ManyStopped(count)),
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(who: &str, name: &str) -> Shown {
        let files =
            Shared { who: who.into(), name: name.into(), size: 1_000, id: Some(name.into()), ..Shared::default() };
        Shown { at_ms: 0, room: Some("#lobby".into()), what: What::Shared(Box::new(files)) }
    }

    /// Names and numbers of what is told.
    fn told(shown: Vec<Shown>) -> Vec<(String, usize)> {
        let files = shown.into_iter().map(|shown| match shown.what {
            What::Shared(files) => (files.name.into(), files.count),
            other => panic!("{other:?}"),
        });
        files.collect()
    }

    #[test]
    fn few_files_are_told_one_by_one_after_a_moment() {
        let mut arrivals = Arrivals::default();
        for name in ["a", "b"] {
            assert_eq!(arrivals.take(1_000, file("ben", name)), None);
        }
        assert_eq!(arrivals.take(1_100, file("小阳", "c")), None);
        assert_eq!((arrivals.due_ms(), arrivals.due(1_299)), (Some(1_300), vec![]));
        assert_eq!(told(arrivals.due(1_300)), [("a".into(), 1), ("b".into(), 1)]);
        assert_eq!(told(arrivals.due(1_400)), [("c".into(), 1)]);
        assert_eq!(arrivals.due_ms(), None);
    }

    #[test]
    fn a_folder_is_one_line_and_a_long_one_few() {
        let mut arrivals = Arrivals::default();
        let mut lines = Vec::new();
        for number in 0..10_000_u64 {
            let now_ms = number * 10;
            lines.extend(told(arrivals.due(now_ms)));
            arrivals.take(now_ms, file("ben", &format!("作业/{}/{number}", number % 7)));
        }
        lines.extend(told(arrivals.all(100_000)));
        assert_eq!(lines.iter().map(|(_, count)| count).sum::<usize>(), 10_000);
        assert!(lines.len() <= 4 && lines.iter().all(|(name, _)| name == "作业"), "{lines:?}");
    }

    #[test]
    fn who_says_something_has_brought_their_files_before() {
        let mut arrivals = Arrivals::default();
        arrivals.take(0, file("ben", "a"));
        arrivals.take(0, file("小阳", "b"));
        assert_eq!(told(arrivals.of(1, "BEN")), [("a".into(), 1)]);
        let said = Shown { at_ms: 0, room: None, what: What::Unreadable };
        assert_eq!(arrivals.take(1, said.clone()), Some(said));
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let mut arrivals = Arrivals::default();
        let at_once = (0..PEOPLE * 2).filter(|who| arrivals.take(0, file(&who.to_string(), "a")).is_some()).count();
        assert_eq!(at_once, PEOPLE);
        (0..100_000).for_each(|name| assert_eq!(arrivals.take(0, file("1", &name.to_string())), None));
        assert!(arrivals.groups.iter().all(|group| group.first.len() <= EACH + 1));
    }

    fn came(name: &str) -> Came {
        let job = Job { key: 1, way: Way::Up, scope: "*".into(), name: name.into(), size: 10 };
        Came { job, at_once: name == "0", words: name.into() }
    }

    #[test]
    fn own_files_are_told_one_by_one_when_they_are_few() {
        let mut tally = Tally::default();
        tally.began(0);
        tally.came(5_000, came("a"));
        assert_eq!((tally.due_ms(), tally.due(5_999)), (Some(6_000), vec![]));
        assert_eq!(tally.due(6_000), [Told::One("a".into())]);
        tally.came(7_000, came("b"));
        assert_eq!(tally.end(7_001), [Told::One("b".into())]);
        assert_eq!((tally.due_ms(), tally.end(9_000)), (None, vec![]));
    }

    #[test]
    fn a_large_file_is_named_at_once_among_how_many_small_ones_ever() {
        let mut tally = Tally::default();
        let film = |name: &str| Came { job: Job { size: LARGE, ..came(name).job }, ..came(name) };
        assert_eq!(tally.came(0, film("film")), Some("film".into()));
        (0..9).for_each(|number| assert_eq!(tally.came(0, came(&number.to_string())), None));
        assert!(matches!(tally.end(0)[..], [Told::Many(Many { count: 9, .. })]));
        let named = (0..1_000).filter(|number| tally.came(0, film(&number.to_string())).is_some()).count();
        assert_eq!(named, LARGE_EACH);
    }

    #[test]
    fn who_stops_everything_knows_why() {
        let mut tally = Tally::default();
        tally.came(0, came("a"));
        (0..100).for_each(|_| tally.stopped(10, "stopped".into()));
        assert_eq!(tally.end(20), [Told::One("a".into()), Told::ManyStopped(100)]);
        tally.stopped(30, "stopped".into());
        assert_eq!(tally.due(30 + OWN_MS), [Told::One("stopped".into())]);
    }

    #[test]
    fn ten_thousand_own_files_are_one_line_and_so_are_their_failures() {
        let mut tally = Tally::default();
        tally.began(0);
        let mut lines = Vec::new();
        for number in 0..10_000 {
            tally.came(number, came(&number.to_string()));
            lines.extend(tally.due(number));
        }
        let words = (0..100).filter(|_| tally.failed()).count();
        lines.extend(tally.end(10_000));
        let many = Many { way: Way::Up, count: 10_000, at_once: 1, bytes: 100_000, took_ms: 10_000 };
        assert_eq!((lines, words), (vec![Told::Many(many), Told::MoreFailed(100 - FAILURES)], FAILURES));
        assert!(tally.failed(), "the next ones are told again");
    }
}
