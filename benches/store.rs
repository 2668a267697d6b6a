//! What does keeping a message cost? CPU time of the store thread per message, for batches of several sizes.
//!
//! `cargo bench --bench store [-- FOLDER [MESSAGES]]`; the folder should be on the disk that is meant (default: `target/`). Each
//! batch waits for the receipt of the one before, so batches of one are the worst case: one commit per message.
//! Then: what filling the search index costs, and what searches take with it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use gzy::store::record::{Found, Search};
use gzy::store::record::{Kind, Message, Place, Query, SentAs, Target};
use gzy::store::{Answer, Opened, Store};
use gzy::wire::msgid::MsgId;

/// Rooms that the messages go to, in turn.
const ROOMS: u64 = 20;
/// People who say them.
const PEOPLE: u64 = 100;
/// Messages per size of batch, unless the command line says otherwise.
const MESSAGES: u64 = 100_000;
/// Batches of one wait for the disk each time; so many tell enough.
const BATCHES_MAX: u64 = 5_000;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let parent = args.next().map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let messages = args.next().map_or(MESSAGES, |count| count.parse().expect("MESSAGES is a number"));
    let data = parent.join(format!("store-bench-{}", std::process::id()));
    println!("batch     messages    CPU us/message   elapsed us/message   bytes/message");
    for (batch, with_id) in [(1, false), (16, false), (64, false), (1000, false), (1000, true)] {
        append(&data, batch, messages.min(batch * BATCHES_MAX), with_id);
        std::fs::remove_dir_all(&data).expect("the folder is ours");
    }
    for per_second in [1000, 3000, 10_000] {
        paced(&data, per_second, messages.min(per_second * 3));
        std::fs::remove_dir_all(&data).expect("the folder is ours");
    }
    search(&data, messages * 4);
    std::fs::remove_dir_all(&data).expect("the folder is ours");
}

fn append(data: &Path, batch: u64, messages: u64, with_id: bool) {
    let (opened, answers) = open(data);
    let (cpu, begun) = (store_cpu(), Instant::now());
    say(&opened.store, &answers, batch, messages, with_id);
    let (cpu, elapsed) = (store_cpu() - cpu, begun.elapsed());
    opened.store.close();
    opened.thread.join();
    let bytes = std::fs::metadata(data.join("gzy.db")).expect("it was made").len();
    let each = |time: Duration| time.as_secs_f64() * 1e6 / messages as f64;
    println!(
        "{batch:>5}{} {messages:>10} {:>17.2} {:>20.2} {:>15}",
        if with_id { "+id" } else { "   " },
        each(cpu),
        each(elapsed),
        bytes / messages
    );
}

/// Single messages at a steady pace, without waiting for receipts: they share commits.
fn paced(data: &Path, per_second: u64, messages: u64) {
    let (opened, answers) = open(data);
    let cpu = store_cpu();
    let begun = Instant::now();
    let mut unanswered = 0;
    let hear_one = |unanswered: &mut u64| {
        assert!(matches!(answers.recv(), Ok(Answer::Saved { result: Ok(()), .. })));
        *unanswered -= 1;
    };
    for i in 1..=messages {
        let due = begun + Duration::from_secs_f64(i as f64 / per_second as f64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut said = vec![message(i, false).into()];
        // On a busy machine the queue fills up; an answer means that there is room again.
        while let Err(refused) = opened.store.append(i, said) {
            said = refused;
            hear_one(&mut unanswered);
        }
        unanswered += 1;
    }
    while unanswered > 0 {
        hear_one(&mut unanswered);
    }
    let cpu = store_cpu() - cpu;
    println!("{per_second} single messages a second: {:.2} us CPU/message", cpu.as_secs_f64() * 1e6 / messages as f64);
    opened.store.close();
    opened.thread.join();
}

fn search(data: &Path, messages: u64) {
    let (opened, answers) = open(data);
    say(&opened.store, &answers, 1000, messages, false);
    opened.store.close();
    opened.thread.join();
    let before = std::fs::metadata(data.join("gzy.db")).expect("it was made").len();

    let (opened, answers) = open(data);
    let (cpu, begun) = (store_cpu(), Instant::now());
    let mut longest_wait = Duration::ZERO;
    let mut last_cpu = cpu;
    // The index is fed in the pauses; a quick question now and then measures how long one waits for it.
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let asked = Instant::now();
        opened.store.ask(1, Query::Account { name: "anna".into() }).expect("the queue has room");
        answers.recv().expect("the store answers");
        longest_wait = longest_wait.max(asked.elapsed());
        let now = store_cpu();
        if now - last_cpu < Duration::from_millis(5) {
            break;
        }
        last_cpu = now;
    }
    let cpu = store_cpu() - cpu;
    println!(
        "\nindex: {messages} messages, {:.2} us CPU/message in {:.1} s, longest wait of others {:.1} ms",
        cpu.as_secs_f64() * 1e6 / messages as f64,
        begun.elapsed().as_secs_f64(),
        longest_wait.as_secs_f64() * 1e3
    );
    for words in [
        vec!["上海"],
        vec!["海"],
        vec!["我"],
        vec!["word77777"],
        vec!["word7"],
        vec!["天气", "明天", "word999"],
        vec!["没有"],
    ] {
        for (what, limit, places) in [("20 hits, all rooms", 20, ROOMS), ("1000 hits, one room", 1000, 1)] {
            let mut times: Vec<_> = (0..9).map(|_| ask(&opened.store, &answers, &words, limit, places)).collect();
            times.sort_unstable();
            let (median, hits) = times[4];
            println!("search {words:?}, {what}: {:.2} ms, {hits} hits", median.as_secs_f64() * 1e3);
        }
    }
    opened.store.close();
    opened.thread.join();
    let after = std::fs::metadata(data.join("gzy.db")).expect("it was made").len();
    println!("index: {} bytes/message beside {} for the message", (after - before) / messages, before / messages);
}

fn ask(store: &Store, answers: &Receiver<Answer>, words: &[&str], limit: usize, places: u64) -> (Duration, usize) {
    let search = Search {
        places: (0..places).map(|i| Place { target: room(i), instance: 0, since: MsgId(0) }).collect(),
        words: words.iter().map(|word| Box::from(*word)).collect(),
        from: None,
        since: None,
        before: None,
        limit,
    };
    let begun = Instant::now();
    store.ask(1, Query::Search(search)).expect("the queue has room");
    match answers.recv().expect("the store answers") {
        Answer::Found { found: Found::Messages(hits), .. } => (begun.elapsed(), hits.len()),
        other => panic!("{other:?}"),
    }
}

fn open(data: &Path) -> (Opened, Receiver<Answer>) {
    let (answer, answers) = channel();
    let opened = Store::open(data, None, move |said| drop(answer.send(said))).unwrap_or_else(|why| panic!("{why}"));
    (opened, answers)
}

fn say(store: &Store, answers: &Receiver<Answer>, batch: u64, messages: u64, with_id: bool) {
    for first in (1..=messages).step_by(batch as usize) {
        let said = (first..first + batch).map(|i| message(i, with_id).into()).collect();
        store.append(first, said).expect("one batch fits");
        match answers.recv().expect("the store answers") {
            Answer::Saved { result: Ok(()), .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn room(i: u64) -> Target {
    Target::room(&format!("#room{}", i % ROOMS))
}

/// About 100 bytes, half of them Chinese, as people write.
fn message(i: u64, with_id: bool) -> Message {
    const WHAT: [&str; 4] = ["我在上海等你", "明天的天气怎么样", "吃了吗，我们去喝茶", "文件在群里，自己下载"];
    let who = i * 7919 % PEOPLE;
    Message {
        id: MsgId::first_at(1_795_000_000_000 + i * 37),
        target: room(i * 31),
        closed_in: 0,
        source: format!("nick{who}!user@10.0.0.{who}").into(),
        account: (who.is_multiple_of(2)).then(|| format!("nick{who}").into()),
        bot: false,
        kind: Kind::Privmsg,
        text: format!(
            "{}，word{} and something in English, see you at {}",
            WHAT[i as usize % 4],
            i * 97 % 100_000,
            i % 24
        )
        .into(),
        tags: None,
        sent_as: with_id.then(|| SentAs { sender: format!("nick{who}").into(), id: format!("{:012x}", i * 37).into() }),
    }
}

/// CPU time of the store thread so far, from the kernel; zero before it runs.
fn store_cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux tells").flatten();
    let is_store = |path: &Path| std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "store");
    let store = threads.map(|thread| thread.path()).find(|path| is_store(path));
    let stat = store.and_then(|path| std::fs::read_to_string(path.join("schedstat")).ok()).unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}
