//! What is done next with files that somebody wants moved: facts and the time in, orders out. No sockets, no files, no clock.
//!
//! A wish becomes errands (one per path or name), an errand becomes works (one per file). A work goes from step to step, and every change of its step
//! goes through `step_to`, which keeps the lines that it waits in.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::PathBuf;

use super::lines::{self, Answer, Said};
use super::memory::Kept;
use super::{Job, Listed, News, Progress, Stage, Way, Why, Wish};
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;

mod asks;
mod ends;
mod errands;
mod facts;
mod line_up;
mod meter;

pub use facts::{Download, End, Fact, Found, Hashed, Order, Stamp, Upload};
use line_up::LineUp;
use meter::Meter;

/// Bytes up to which a file is moved together with others over one connection: moving it takes no longer than asking for it.
pub const SMALL_BYTES: u64 = 1 << 20;

/// Small files whose digests are computed in one go.
const HASHED_TOGETHER: usize = 64;

/// Small files that are offered without an answer yet. The server answers in one go what came in one go.
const SMALL_OFFERED: usize = 64;

/// Small files between their offer and their end. While some are moved, the next are offered.
const SMALL_UNDER_WAY: usize = 192;

/// Big files that are moved at once: more would only make each of them late.
const BIG_UNDER_WAY: usize = 3;

/// Files of one listing. Our own server keeps no more; another one that lists without end is stopped here.
const LISTED: usize = 200_000;

/// Milliseconds between two reports of how far everything is: as often as an eye follows a bar.
const PROGRESS_EVERY_MS: u64 = 250;

/// Waiting files that are reported beside those that something is done with.
const WAITING_SHOWN: usize = 8;

/// Milliseconds that the server may take to answer an offer: a full disk that is busy with others.
const ANSWER_WITHIN_MS: u64 = 300_000;

/// Times that the bytes of a file may be other ones than announced.
const MISMATCHES: u32 = 3;

/// Everything that is wanted, and how far it is.
#[derive(Default, Debug)]
pub struct Queue {
    link: Link,
    errands: BTreeMap<u64, Errand>,
    works: BTreeMap<u64, Work>,
    /// What is under way already is not begun a second time.
    known: HashSet<(Way, Box<str>, Box<str>)>,
    small: LineUp,
    big: LineUp,
    /// Questions that wait for the link.
    to_ask: VecDeque<Ask>,
    /// Questions that wait for their answers, with the time of asking, by their numbers.
    asked: BTreeMap<u64, (u64, Ask)>,
    pauses: BTreeMap<(u64, u64), ()>,
    last_errand: u64,
    last_key: u64,
    last_ask: u64,
    progress: Report,
    orders: Vec<Order>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Link {
    #[default]
    NotYet,
    In,
    NoCloud,
    Lost,
    Ended,
}

/// When the front end was told how far everything is.
#[derive(Default, Debug)]
struct Report {
    told_ms: Option<u64>,
    /// Something has changed since.
    is_due: bool,
}

/// One path that is to be brought, or one name that is to be fetched.
#[derive(Debug)]
struct Errand {
    kept: Kept,
    /// Files that are not done, and one more while it is not known which files there are.
    open: usize,
}

#[derive(Debug)]
struct Work {
    job: Job,
    errand: u64,
    /// Its name, checked.
    name: FileName,
    /// Where it is on this machine, when it is brought.
    path: PathBuf,
    replace: bool,
    step: Step,
    /// What was hashed, or what the ticket says.
    digest: Option<Digest>,
    stamp: Option<Stamp>,
    /// When something was first done with it.
    began_ms: Option<u64>,
    /// A byte was moved for it.
    has_moved: bool,
    mismatches: u32,
    /// Failures since a byte was moved.
    failures: u32,
    done: u64,
    meter: Meter,
}

/// What is being done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    ToHash,
    Hashing,
    ToOffer,
    Offered,
    Moving,
    Pausing { until_ms: u64 },
}

/// A question to the server.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ask {
    /// May this file be moved?
    Offer(u64),
    /// Which files does this errand mean?
    Names { errand: u64, name: Box<str>, scope: Box<str>, known: Vec<Listed> },
    /// What is there? The user wants to know.
    List { scope: Box<str>, pattern: Option<Box<str>>, known: Vec<Listed> },
    /// Remove this.
    Remove { scope: Box<str>, name: Box<str> },
}

impl Queue {
    /// Takes a fact. What has to be done about it is in [`Queue::orders`].
    pub fn take(&mut self, now_ms: u64, fact: Fact) {
        match fact {
            Fact::Wished(wish) => self.wished(wish),
            Fact::In { has_cloud: true } => self.link = Link::In,
            Fact::In { has_cloud: false } => self.link_gone(Link::NoCloud, &Why::NoCloud),
            Fact::Lost => self.lost(),
            Fact::Ended => self.link_gone(Link::Ended, &Why::Lost),
            Fact::Answered(answer) => self.answered(now_ms, answer),
            Fact::Looked { errand, found, odd } => self.looked(errand, found, odd),
            Fact::Hashed { key, result } => self.hashed(key, result),
            Fact::Moved { key, done } => self.moved(key, done),
            Fact::Came { key, end } => self.came(now_ms, key, end),
        }
        self.go_on(now_ms);
    }

    /// When [`Queue::tick`] has something to do.
    pub fn deadline_ms(&self) -> Option<u64> {
        let pause = self.pauses.keys().next().map(|(until_ms, _)| *until_ms);
        let report = self.progress.is_due.then(|| self.progress.told_ms.map_or(0, |told| told + PROGRESS_EVERY_MS));
        let answer = self.asked.values().next().map(|(asked_ms, _)| asked_ms + ANSWER_WITHIN_MS);
        [pause, report, answer].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now_ms: u64) {
        while let Some(((until_ms, key), ())) = self.pauses.first_key_value().map(|(at, ())| (*at, ()))
            && until_ms <= now_ms
        {
            self.pauses.remove(&(until_ms, key));
            if self.works.get(&key).is_some_and(|work| work.step == Step::Pausing { until_ms }) {
                self.step_to(key, Step::ToOffer);
            }
        }
        while let Some((number, (asked_ms, _))) = self.asked.first_key_value().map(|(n, ask)| (*n, ask))
            && asked_ms + ANSWER_WITHIN_MS <= now_ms
        {
            self.answered(now_ms, Answer { label: lines::label(number), said: Said::Odd });
        }
        if self.progress.is_due && self.progress.told_ms.is_none_or(|told| told + PROGRESS_EVERY_MS <= now_ms) {
            self.report(now_ms);
        }
        self.go_on(now_ms);
    }

    /// What has to be done, in this order. Each order is given out once.
    pub fn orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    fn line_up(&mut self, size: u64) -> &mut LineUp {
        if size <= SMALL_BYTES { &mut self.small } else { &mut self.big }
    }

    /// The only way from one step to the next.
    fn step_to(&mut self, key: u64, step: Step) {
        let Some(work) = self.works.get_mut(&key) else { return };
        work.step = step;
        (work.done, work.meter) = (0, Meter::default());
        let size = work.job.size;
        self.line_up(size).enter(key, step);
        if let Step::Pausing { until_ms } = step {
            self.pauses.insert((until_ms, key), ());
        }
        self.progress.is_due = true;
    }

    /// Begins whatever there is room for.
    fn go_on(&mut self, now_ms: u64) {
        while let Some(keys) = self.next_to_hash() {
            let paths = keys.iter().filter_map(|key| Some((*key, self.works.get(key)?.path.clone()))).collect();
            keys.iter().for_each(|key| self.begin_step(*key, Step::Hashing, now_ms));
            self.orders.push(Order::Hash(paths));
        }
        if self.link != Link::In {
            return;
        }
        while let Some(ask) = self.to_ask.pop_front() {
            self.ask(now_ms, ask);
        }
        while let Some(key) = self.next_to_offer() {
            self.begin_step(key, Step::Offered, now_ms);
            self.ask(now_ms, Ask::Offer(key));
        }
    }

    fn next_to_hash(&mut self) -> Option<Vec<u64>> {
        let small = self.small.next_to_hash(&self.works, HASHED_TOGETHER);
        small.or_else(|| self.big.next_to_hash(&self.works, 1))
    }

    fn next_to_offer(&mut self) -> Option<u64> {
        let small = self.small.next_to_offer(&self.works, SMALL_OFFERED, SMALL_UNDER_WAY);
        small.or_else(|| self.big.next_to_offer(&self.works, BIG_UNDER_WAY, BIG_UNDER_WAY))
    }

    fn begin_step(&mut self, key: u64, step: Step, now_ms: u64) {
        self.step_to(key, step);
        if let Some(work) = self.works.get_mut(&key) {
            work.began_ms.get_or_insert(now_ms);
        }
    }

    fn moved(&mut self, key: u64, done: u64) {
        let Some(work) = self.works.get_mut(&key) else { return };
        if work.step == Step::Moving && done > work.done {
            (work.has_moved, work.failures) = (true, 0);
        }
        work.done = done;
        self.progress.is_due = true;
    }

    fn report(&mut self, now_ms: u64) {
        self.progress = Report { told_ms: Some(now_ms), is_due: false };
        let mut waiting = 0;
        let mut all = Vec::new();
        for work in self.works.values_mut() {
            let stage = work.stage(now_ms);
            if stage == Stage::Waiting {
                waiting += 1;
                if waiting > WAITING_SHOWN {
                    continue;
                }
            }
            // A transfer that stands still says so by its speed.
            self.progress.is_due |= matches!(stage, Stage::Hashing | Stage::Moving | Stage::Pausing(_));
            all.push(work.progress(stage, now_ms));
        }
        if !all.is_empty() {
            self.orders.push(Order::Tell(News::Progress(all)));
        }
    }
}

impl Work {
    fn stage(&self, now_ms: u64) -> Stage {
        match self.step {
            Step::ToHash | Step::ToOffer => Stage::Waiting,
            Step::Hashing => Stage::Hashing,
            Step::Offered => Stage::Offered,
            Step::Moving if self.done >= self.job.size => Stage::Checking,
            Step::Moving => Stage::Moving,
            Step::Pausing { until_ms } => Stage::Pausing(until_ms.saturating_sub(now_ms)),
        }
    }

    fn progress(&mut self, stage: Stage, now_ms: u64) -> Progress {
        let per_second = self.meter.per_second(now_ms, self.done);
        let left = self.job.size.saturating_sub(self.done);
        let left_seconds = (stage == Stage::Moving && per_second > 0).then(|| left.div_ceil(per_second));
        Progress { job: self.job.clone(), stage, done: self.done, per_second, left_seconds }
    }
}

#[cfg(test)]
mod tests;
