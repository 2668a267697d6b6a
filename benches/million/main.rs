//! What does a store cost that has been in use for years? A million messages, half of them Chinese, ten thousand accounts.
//!
//! `cargo bench --bench million [-- FOLDER [MESSAGES]]`; the folder should be on the disk that is meant (default: `target/`). Everything
//! comes from a seed, so two runs ask the same questions about the same talk. Each figure stands beside the one that is promised.
//! `cargo bench --bench million -- FOLDER MESSAGES fill` makes the data in FOLDER itself and leaves them there, for `benches/people.py`.

mod words;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gzy::store::change::{Change, GroupShape, Membership};
use gzy::store::record::{AccountId, Found, GroupId, Kind, Message, Place, Query, Search, Target};
use gzy::store::{Answer, Entry, Opened, Store};
use gzy::wire::msgid::MsgId;

use words::{Dice, Words};

const MESSAGES: u64 = 1_000_000;
const ACCOUNTS: u32 = 10_000;
/// Groups in all; in the first of them the talk happens.
const GROUPS: u32 = 1000;
const LIVELY_GROUPS: u32 = 100;
/// So many accounts are members of every lively group, which makes 100 000 memberships.
const MEMBERS: u32 = 1000;
/// One in so many messages is private.
const PRIVATE_EACH: u64 = 50;
/// Different questions of each kind.
const QUESTIONS: usize = 200;
/// When the talk began, and how far apart the messages are.
const BEGUN_MS: u64 = 1_795_000_000_000;
const APART_MS: u64 = 37;
const BATCH: u64 = 1000;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let parent = args.next().map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let messages = args.next().map_or(MESSAGES, |count| count.parse().expect("MESSAGES is a number"));
    let words = Words::new();
    if args.next().is_some_and(|word| word == "fill") {
        return fill(&parent, &words, messages);
    }
    let data = parent.join(format!("million-bench-{}", std::process::id()));
    fill(&data, &words, messages);
    start(&data);
    let desk = Desk::open(&data, None);
    history(&desk, messages);
    search(&desk, &words, messages);
    unread(&desk);
    removal(&desk, messages);
    desk.close();
    prune(&data, messages);
    std::fs::remove_dir_all(&data).expect("the folder is ours");
}

/// A figure, beside the one that is promised.
fn tell(what: &str, figure: f64, unit: &str, promised: Option<f64>) {
    let verdict = match promised {
        Some(promised) if figure <= promised => format!("(promised: {promised} {unit})"),
        Some(promised) => format!("(promised: {promised} {unit}: MISSED)"),
        None => String::new(),
    };
    println!("{what:<90} {figure:>9.2} {unit} {verdict}");
}

/// How long an answer took, and how much of that the store's thread worked: on a machine that others use, only the second is ours.
#[derive(Clone, Copy)]
struct Took {
    elapsed: Duration,
    cpu: Duration,
}

/// The 95th of a hundred: of the thread's time, and of the clock's.
fn tell_p95(what: &str, took: impl Iterator<Item = Took>, promised: Option<f64>) {
    let (mut elapsed, mut cpu): (Vec<_>, Vec<_>) = took.map(|took| (ms(took.elapsed), ms(took.cpu))).unzip();
    elapsed.sort_unstable_by(f64::total_cmp);
    cpu.sort_unstable_by(f64::total_cmp);
    let at = cpu.len() * 95 / 100;
    tell(
        &format!("{what}, p95 (median {:.2}, p95 by the clock {:.2})", cpu[cpu.len() / 2], elapsed[at]),
        cpu[at],
        "ms",
        promised,
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A store, asked one question after the other.
struct Desk {
    opened: Opened,
    answers: Receiver<Answer>,
}

impl Desk {
    fn open(data: &Path, keep_ms: Option<u64>) -> Desk {
        let (answer, answers) = channel();
        let opened = Store::open(data, keep_ms, move |said| drop(answer.send(said)));
        Desk { opened: opened.unwrap_or_else(|why| panic!("{why}")), answers }
    }

    fn close(self) {
        self.opened.store.close();
        self.opened.thread.join();
    }

    fn ask(&self, query: Query) -> (Found, Took) {
        let (begun, cpu) = (Instant::now(), store_cpu());
        self.opened.store.ask(1, query).expect("the queue has room");
        match self.answers.recv().expect("the store answers") {
            Answer::Found { found, .. } => (found, Took { elapsed: begun.elapsed(), cpu: store_cpu() - cpu }),
            other => panic!("{other:?}"),
        }
    }

    fn save(&self, entries: Vec<Entry>) {
        self.opened.store.append(1, entries).expect("one batch fits");
        match self.answers.recv().expect("the store answers") {
            Answer::Saved { result: Ok(()), .. } => {}
            other => panic!("{other:?}"),
        }
    }

    /// Waits until the store has nothing to do any more; the longest that a question had to wait meanwhile.
    fn settle(&self) -> Duration {
        let (mut last_cpu, mut longest) = (store_cpu(), Duration::ZERO);
        loop {
            std::thread::sleep(Duration::from_millis(1500));
            longest = longest.max(self.ask(Query::Account { name: "1000".into() }).1.elapsed);
            let cpu = store_cpu();
            if cpu - last_cpu < Duration::from_millis(5) {
                return longest;
            }
            last_cpu = cpu;
        }
    }
}

fn fill(data: &Path, words: &Words, messages: u64) {
    let desk = Desk::open(data, None);
    // As long as an argon2id hash.
    let hash: Box<str> =
        "$argon2id$v=19$m=19456,t=2,p=1$".chars().chain("c2FsdA".chars().cycle()).take(97).collect::<String>().into();
    for i in 0..ACCOUNTS {
        desk.opened
            .store
            .ask(1, Query::Register { name: name(i).into(), hash: hash.clone() })
            .expect("it is asked slowly");
        if i % 500 == 499 {
            desk.answers.iter().take(500).for_each(drop);
        }
    }
    let mut changes = (1..).zip(groups());
    loop {
        let some =
            changes.by_ref().take(1000).map(|(id, change)| Entry::Change { id: MsgId(id), change }).collect::<Vec<_>>();
        if some.is_empty() {
            break;
        }
        desk.save(some);
    }
    desk.close();
    let before = size(data);
    let desk = Desk::open(data, None);
    let (cpu, mut bytes) = (store_cpu(), 0);
    let mut dice = Dice(7);
    for first in (0..messages).step_by(BATCH as usize) {
        let said: Vec<Message> = (first..first + BATCH).map(|i| message(i, words, &mut dice)).collect();
        bytes += said.iter().map(|message| message.text.len()).sum::<usize>();
        desk.save(said.into_iter().map(Entry::Message).collect());
    }
    let count = messages as f64;
    tell("writing a message (CPU of the store's thread)", (store_cpu() - cpu).as_secs_f64() * 1e6 / count, "us", None);
    let cpu = store_cpu();
    let wait = desk.settle();
    tell("indexing a message (CPU)", (store_cpu() - cpu).as_secs_f64() * 1e6 / count, "us", None);
    tell("longest wait of others meanwhile", ms(wait), "ms", None);
    desk.close();
    tell("text of a message", bytes as f64 / count, "bytes", None);
    tell("a message on the disk, index included", (size(data) - before) as f64 / count, "bytes", Some(180.0));
}

fn start(data: &Path) {
    let mut took: Vec<(Duration, Duration)> = (0..5)
        .map(|_| {
            let (begun, cpu) = (Instant::now(), own_cpu());
            let desk = Desk::open(data, None);
            let took = (own_cpu() - cpu + store_cpu(), begun.elapsed());
            let groups = &desk.opened.directory.groups;
            assert_eq!(groups.iter().map(|group| group.members.len()).max(), Some(MEMBERS as usize));
            desk.close();
            took
        })
        .collect();
    took.sort_unstable();
    let (cpu, elapsed) = took[2];
    tell(&format!("start to ready, median of 5 (by the clock {:.2})", ms(elapsed)), ms(cpu), "ms", Some(100.0));
}

fn history(desk: &Desk, messages: u64) {
    let mut dice = Dice(1);
    let times = (0..QUESTIONS).map(|_| {
        let (place, limit) = (place(dice.below(LIVELY_GROUPS.into()) as u32), 100);
        let id = id_of(dice.below(messages));
        let query = match dice.below(3) {
            0 => Query::Before { place, before: Some(id), limit },
            1 => Query::After { place, after: id, limit },
            _ => Query::Around { place, id, limit },
        };
        desk.ask(query).1
    });
    tell_p95("a page of 100 lines of history", times, Some(5.0));
}

fn search(desk: &Desk, words: &Words, messages: u64) {
    let long: Vec<String> = (0..QUESTIONS).map(|i| words.word(&mut Dice(i as u64 + 1))).collect();
    let one: Vec<String> =
        long.iter().filter_map(|word| word.chars().find(|c| !c.is_ascii())).map(String::from).collect();
    let here = |words: &[&str], places: Range<u32>| Search {
        places: places.map(place).collect(),
        words: words.iter().map(|word| Box::from(*word)).collect(),
        from: None,
        since: None,
        before: None,
        limit: 100,
    };
    let time = |search: Search| desk.ask(Query::Search(search)).1;
    for (what, places) in [("all 100 groups", 0..LIVELY_GROUPS), ("20 groups", 0..20), ("one group", 3..4)] {
        let all = long.iter().map(|word| time(here(&[word], places.clone())));
        tell_p95(&format!("search for a word, {what}"), all, Some(5.0));
        let two = long.iter().zip(long.iter().skip(1)).map(|(a, b)| time(here(&[a, b], places.clone())));
        tell_p95(&format!("search for two words, {what}"), two, Some(5.0));
        let single = one.iter().map(|word| time(here(&[word], places.clone())));
        tell_p95(&format!("search for one character, {what}"), single, Some(50.0));
    }
    let old = long.iter().map(|word| {
        let before = Some(id_of(messages / 2));
        time(Search { before, since: Some(id_of(messages / 4)), ..here(&[word], 0..LIVELY_GROUPS) })
    });
    tell_p95("search for a word in the second quarter", old, Some(5.0));
    let from = long
        .iter()
        .zip(0..)
        .map(|(word, i)| time(Search { from: Some(name(i).into()), ..here(&[word], 0..LIVELY_GROUPS) }));
    tell_p95("search for a word of one person", from, Some(5.0));
}

fn unread(desk: &Desk) {
    let places: Vec<Place> = (0..LIVELY_GROUPS).map(place).collect();
    let begun = Instant::now();
    let (mut most, cpu) = (Duration::ZERO, store_cpu());
    for i in 0..MEMBERS {
        let (found, took) =
            desk.ask(Query::Unread { account: AccountId(1000 + i), places: places.clone(), limit: 100 });
        let Found::Unread(found) = found else { panic!("{found:?}") };
        assert!(found.len() >= places.len() && found[0].2 > 50);
        most = most.max(took.elapsed);
    }
    let cpu = (store_cpu() - cpu).as_secs_f64();
    let elapsed = begun.elapsed().as_secs_f64();
    let what = format!("unread counts of 1000 accounts in 100 groups, all (by the clock {elapsed:.2} s)");
    tell(&what, cpu, "s", Some(3.0));
    tell("… the slowest of them, by the clock", ms(most), "ms", None);
    let begun = Instant::now();
    for i in 0..MEMBERS {
        desk.ask(Query::Private { account: AccountId(1000 + i), after: MsgId(0), limit: 100 });
    }
    tell("private messages of 1000 accounts, all", begun.elapsed().as_secs_f64(), "s", None);
}

fn removal(desk: &Desk, messages: u64) {
    let mut dice = Dice(3);
    let times = (0..QUESTIONS).map(|_| {
        let i = dice.below(messages / PRIVATE_EACH) * PRIVATE_EACH + 1;
        let place = place(group_of(i));
        let (found, took) = desk.ask(Query::Redact { place, id: id_of(i), only_of: None });
        assert!(matches!(found, Found::Redacted(_)), "{found:?}");
        took
    });
    tell_p95("removing a message, off the disk", times, None);
}

/// A tenth of the messages gets too old at once, while somebody asks.
fn prune(data: &Path, messages: u64) {
    let now_ms =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970").as_millis()
            as u64;
    let cut_ms = BEGUN_MS + messages / 10 * APART_MS;
    // The talk of the benchmark may be in the future of the clock; then nothing is too old.
    let Some(keep_ms) = now_ms.checked_sub(cut_ms) else {
        println!("pruning: not measured, the clock is before {BEGUN_MS}");
        return;
    };
    let cpu = store_cpu();
    let desk = Desk::open(data, Some(keep_ms));
    let wait = desk.settle();
    let count = messages as f64 / 10.0;
    tell("pruning a message (CPU)", (store_cpu() - cpu).as_secs_f64() * 1e6 / count, "us", None);
    tell("longest wait of others meanwhile", ms(wait), "ms", None);
    desk.close();
}

fn size(data: &Path) -> u64 {
    std::fs::metadata(data.join("gzy.db")).expect("it was made").len()
}

fn name(i: u32) -> String {
    format!("nick{i}")
}

fn id_of(i: u64) -> MsgId {
    MsgId::first_at(BEGUN_MS + i * APART_MS)
}

fn group(i: u32) -> GroupId {
    GroupId(1000 + i)
}

/// In which group a message is said that is not private.
fn group_of(i: u64) -> u32 {
    ((i + i / u64::from(LIVELY_GROUPS)) % u64::from(LIVELY_GROUPS)) as u32
}

fn place(i: u32) -> Place {
    Place { target: Target::group(group(i)), instance: 0, since: MsgId(0) }
}

/// All groups with their members.
fn groups() -> impl Iterator<Item = Change> {
    (0..GROUPS).flat_map(|i| {
        let shape = GroupShape {
            name: format!("#group{i}").into(),
            owner: AccountId(1000 + i),
            since_ms: BEGUN_MS,
            flags: "nt".into(),
            key: None,
            limit: None,
            topic: Some(("明天几点出发".into(), name(i).into(), BEGUN_MS)),
            open_since: MsgId(0),
        };
        let members = if i < LIVELY_GROUPS { 0..MEMBERS } else { i..i + 1 };
        let seat = Some(Membership { standing: 0, since: MsgId(0) });
        let members = members.map(move |who| Change::Member {
            group: group(i),
            account: AccountId(1000 + who),
            membership: seat,
        });
        std::iter::once(Change::Group { id: group(i), shape: Box::new(shape) }).chain(members)
    })
}

fn message(i: u64, words: &Words, dice: &mut Dice) -> Message {
    let who = dice.below(ACCOUNTS.into()) as u32;
    let target = if i.is_multiple_of(PRIVATE_EACH) {
        Target::pair(AccountId(1000 + who), AccountId(1000 + dice.below(MEMBERS.into()) as u32))
    } else {
        Target::group(group(group_of(i)))
    };
    Message {
        id: id_of(i),
        target,
        closed_in: 0,
        source: format!("{}!u{}@account.gzy", name(who), 1000 + who).into(),
        account: Some(name(who).into()),
        bot: false,
        kind: Kind::Privmsg,
        text: words.sentence(dice).into(),
        tags: None,
        sent_as: None,
    }
}

/// CPU time of this thread.
fn own_cpu() -> Duration {
    nanoseconds(std::fs::read_to_string("/proc/thread-self/schedstat"))
}

/// CPU time of the store thread so far, from the kernel; zero before it runs.
fn store_cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux tells").flatten();
    let is_store = |path: &Path| std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "store");
    let store = threads.map(|thread| thread.path()).find(|path| is_store(path));
    store.map_or(Duration::ZERO, |path| nanoseconds(std::fs::read_to_string(path.join("schedstat"))))
}

fn nanoseconds(stat: std::io::Result<String>) -> Duration {
    let stat = stat.unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}
