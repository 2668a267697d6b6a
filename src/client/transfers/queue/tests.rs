//! Conversations with the queue: what is wished, what happens, what is ordered.

use super::*;
use std::path::Path;

const BIG: u64 = 10 * SMALL_BYTES;

/// A queue with a user, a server and a disk that the test plays.
struct Desk {
    queue: Queue,
    now_ms: u64,
}

fn digest(of: u8) -> Digest {
    Digest([of; 32])
}

fn put(path: &str) -> Wish {
    Wish::Put { paths: vec![path.into()], scope: "*".into(), replace: false }
}

fn get(name: &str) -> Wish {
    Wish::Get { names: vec![name.into()], scope: "*".into() }
}

fn listed(name: &str, size: u64) -> Listed {
    Listed { name: name.into(), size, digest: digest(1), stored_ms: 0, uploader: None, media: None }
}

impl Desk {
    /// Where the link is there.
    fn new() -> Desk {
        let mut desk = Desk { queue: Queue::default(), now_ms: 0 };
        assert_eq!(desk.take(Fact::In { has_cloud: true }), []);
        desk
    }

    fn take(&mut self, fact: Fact) -> Vec<Order> {
        self.queue.take(self.now_ms, fact);
        self.orders()
    }

    /// Orders but for what is kept.
    fn orders(&mut self) -> Vec<Order> {
        self.queue.orders().into_iter().filter(|order| !matches!(order, Order::Keep(_))).collect()
    }

    fn news(orders: &[Order]) -> Vec<News> {
        let news = orders.iter().filter_map(|order| match order {
            Order::Tell(news) => Some(news.clone()),
            _ => None,
        });
        news.collect()
    }

    /// Wishes to bring files of these sizes, `a0`, `a1`, … out of one folder. Returns what is ordered.
    fn bring(&mut self, sizes: &[u64]) -> Vec<Order> {
        let orders = self.take(Fact::Wished(put("/a")));
        let [Order::Look { errand, .. }] = orders[..] else { panic!("{orders:?}") };
        let found = |(at, size): (usize, &u64)| {
            let name = FileName::parse(&format!("a{at}")).unwrap();
            Found { path: format!("/a/{at}").into(), name, size: *size }
        };
        let found = sizes.iter().enumerate().map(found).collect();
        self.take(Fact::Looked { errand, found, odd: vec![] })
    }

    fn hashed(&mut self, key: u64, size: u64) -> Vec<Order> {
        let stamp = Stamp { size, modified_ns: 1 };
        self.take(Fact::Hashed { key, result: Ok(Hashed { digest: digest(key as u8), stamp }) })
    }

    fn said(&mut self, label: &str, said: Said) -> Vec<Order> {
        self.take(Fact::Answered(Answer { label: label.into(), said }))
    }

    fn ticket(&mut self, label: &str, offset: u64) -> Vec<Order> {
        self.said(label, Said::PutTicket { token: format!("t-{label}").into(), offset })
    }

    fn came(&mut self, key: u64, end: End) -> Vec<Order> {
        self.take(Fact::Came { key, end })
    }

    /// Lets the time pass to the next thing that is due.
    fn wait(&mut self) -> Vec<Order> {
        self.now_ms = self.queue.deadline_ms().unwrap();
        self.queue.tick(self.now_ms);
        self.orders()
    }

    /// Lets the time pass until something is said to the server.
    fn wait_for_line(&mut self) -> String {
        loop {
            if let Some(line) = lines_in(&self.wait()).pop() {
                return line;
            }
        }
    }

    /// A big file that is moving, with the key 1.
    fn moving(&mut self) {
        self.bring(&[BIG]);
        assert_eq!(lines_in(&self.hashed(1, BIG)).len(), 1);
        assert!(matches!(&self.ticket("f1", 0)[..], [Order::Bring(upload)] if upload.offset == 0));
    }
}

fn lines_in(orders: &[Order]) -> Vec<String> {
    let lines = orders.iter().filter_map(|order| match order {
        Order::Say { label, line } => Some(format!("{label} {line}")),
        _ => None,
    });
    lines.collect()
}

#[test]
fn a_file_is_hashed_offered_brought_and_there() {
    let mut desk = Desk::new();
    let orders = desk.bring(&[BIG]);
    let job = Job { key: 1, way: Way::Up, scope: "*".into(), name: "a0".into(), size: BIG };
    let hash = Order::Hash(vec![(1, "/a/0".into())]);
    assert_eq!(orders, [Order::Tell(News::Began(job.clone())), hash]);
    let orders = desk.hashed(1, BIG);
    assert_eq!(lines_in(&orders), [format!("f1 FILE PUT * {BIG} {} :a0", digest(1))]);
    let stamp = Stamp { size: BIG, modified_ns: 1 };
    let upload = Upload { key: 1, path: "/a/0".into(), stamp, digest: digest(1), token: "t-f1".into(), offset: 5 };
    assert_eq!(desk.ticket("f1", 5), [Order::Bring(upload)]);
    desk.now_ms = 70;
    let orders = desk.came(1, End::Stored);
    let sent = News::Sent { job, digest: digest(1), at_once: false, took_ms: 70 };
    assert_eq!(Desk::news(&orders), [sent, News::Progress(vec![]), News::AllDone]);
    assert_eq!(desk.queue.deadline_ms(), None);
}

#[test]
fn what_the_server_has_already_is_there_at_once() {
    let mut desk = Desk::new();
    desk.bring(&[BIG]);
    desk.hashed(1, BIG);
    let news = Desk::news(&desk.said("f1", Said::Stored));
    assert!(matches!(news[0], News::Sent { at_once: true, .. }), "{news:?}");
}

#[test]
fn three_big_files_move_at_once_and_many_small_ones_beside_them() {
    let mut desk = Desk::new();
    let sizes: Vec<u64> = [BIG; 5].into_iter().chain([10; 300]).collect();
    let orders = desk.bring(&sizes);
    let hashes: Vec<usize> = orders
        .iter()
        .filter_map(|order| if let Order::Hash(paths) = order { Some(paths.len()) } else { None })
        .collect();
    assert_eq!(hashes, [HASHED_TOGETHER, 1], "small ones together, big ones one by one");
    let mut labels = Vec::new();
    for key in (1..=305).rev().chain(1..=305) {
        labels.extend(lines_in(&desk.hashed(key, sizes[key as usize - 1])));
    }
    let (big, small): (Vec<_>, Vec<_>) = labels.iter().partition(|line| line.contains(&BIG.to_string()));
    assert_eq!((big.len(), small.len()), (BIG_UNDER_WAY, SMALL_OFFERED));
    // With each answer, the next is offered.
    let label = small[0].split(' ').next().unwrap().to_owned();
    assert_eq!(lines_in(&desk.ticket(&label, 0)).len(), 1);
    let label = big[0].split(' ').next().unwrap().to_owned();
    assert_eq!(lines_in(&desk.ticket(&label, 0)).len(), 0, "it is still under way");
    assert_eq!(lines_in(&desk.came(1, End::Stored)).len(), 1);
}

#[test]
fn a_broken_link_is_waited_for_and_the_file_is_offered_again() {
    let mut desk = Desk::new();
    desk.moving();
    desk.take(Fact::Moved { key: 1, done: 1000 });
    assert_eq!(desk.take(Fact::Lost), []);
    assert_eq!(desk.came(1, End::Broken), []);
    let waiting = desk.wait();
    assert!(
        matches!(&Desk::news(&waiting)[..], [News::Progress(all)] if all[0].stage == Stage::Waiting),
        "{waiting:?}"
    );
    assert_eq!(desk.queue.deadline_ms(), None, "nothing to look at until it is back");
    assert_eq!(lines_in(&desk.take(Fact::In { has_cloud: true })).len(), 1);
    let orders = desk.ticket("f2", 900);
    assert!(matches!(&orders[..], [Order::Bring(upload)] if upload.offset == 900), "{orders:?}");
    assert!(matches!(Desk::news(&desk.came(1, End::Stored))[0], News::Sent { at_once: false, .. }));
}

#[test]
fn an_offer_that_was_under_way_when_the_link_broke_is_made_again() {
    let mut desk = Desk::new();
    desk.bring(&[10]);
    desk.hashed(1, 10);
    desk.take(Fact::Lost);
    assert_eq!(desk.ticket("f1", 0), [], "an answer from another life counts for nothing");
    let lines = lines_in(&desk.take(Fact::In { has_cloud: true }));
    assert!(lines.len() == 1 && lines[0].starts_with("f2 FILE PUT"), "{lines:?}");
}

#[test]
fn wrong_bytes_are_tried_three_times() {
    let mut desk = Desk::new();
    desk.moving();
    for label in ["f2", "f3"] {
        assert_eq!(lines_in(&desk.came(1, End::Mismatch)).len(), 1);
        desk.ticket(label, 0);
    }
    let news = Desk::news(&desk.came(1, End::Mismatch));
    assert!(matches!(news[0], News::Failed { why: Why::Mismatch, .. }), "{news:?}");
    assert_eq!(news.last(), Some(&News::AllDone));
}

#[test]
fn pauses_grow_and_in_the_end_a_file_is_given_up() {
    let mut desk = Desk::new();
    desk.moving();
    let mut pauses = Vec::new();
    for number in 2.. {
        let before_ms = desk.now_ms;
        let orders = desk.came(1, End::Broken);
        if !Desk::news(&orders).is_empty() {
            assert!(matches!(Desk::news(&orders)[0], News::Failed { why: Why::Lost, .. }), "{orders:?}");
            break;
        }
        desk.wait_for_line();
        pauses.push(desk.now_ms - before_ms);
        desk.ticket(&format!("f{number}"), 0);
    }
    assert!(pauses.is_sorted() && pauses.starts_with(&[250, 500, 1000]), "{pauses:?}");
    assert_eq!((pauses.len(), pauses.last()), (14, Some(&30_000)));
}

#[test]
fn a_byte_that_moves_makes_the_pauses_short_again_and_a_busy_server_is_waited_for() {
    let mut desk = Desk::new();
    desk.moving();
    for number in 2..40 {
        desk.came(1, if number % 2 == 0 { End::Busy } else { End::Broken });
        desk.wait_for_line();
        desk.ticket(&format!("f{number}"), 0);
        if number % 2 == 1 {
            desk.take(Fact::Moved { key: 1, done: number });
        }
    }
    desk.came(1, End::Busy);
    let before_ms = desk.now_ms;
    desk.wait_for_line();
    assert_eq!(desk.now_ms - before_ms, 250);
    let busy = Said::Refused { code: "BUSY".into(), sentence: "later".into() };
    assert_eq!(Desk::news(&desk.said("f40", busy)), []);
}

#[test]
fn a_refusal_is_told_with_its_code_and_is_the_end() {
    let mut desk = Desk::new();
    desk.bring(&[10]);
    desk.hashed(1, 10);
    let refused = Said::Refused { code: "QUOTA".into(), sentence: "no room".into() };
    let news = Desk::news(&desk.said("f1", refused));
    let why = Why::Refused { code: "QUOTA".into(), sentence: "no room".into() };
    assert!(matches!(&news[0], News::Failed { why: told, .. } if *told == why), "{news:?}");
}

#[test]
fn names_and_patterns_become_files() {
    let mut desk = Desk::new();
    assert_eq!(lines_in(&desk.take(Fact::Wished(get("*.zip")))), ["f1 FILE LIST * :*.zip"]);
    let orders = desk.said(
        "f1",
        Said::Listing { files: vec![listed("b.zip", 5), listed("a.zip", BIG), listed("../x", 1)], more: None },
    );
    let names: Vec<String> = Desk::news(&orders)
        .iter()
        .map(|news| match news {
            News::Began(job) => job.name.to_string(),
            News::Nothing { asked, .. } => format!("not {asked}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["not ../x", "a.zip", "b.zip"]);
    assert_eq!(lines_in(&orders), ["f2 FILE GET * :b.zip", "f3 FILE GET * :a.zip"]);
    let ticket = Said::GetTicket { token: "t".into(), size: 6, digest: digest(9) };
    let name = FileName::parse("b.zip").unwrap();
    let download = Download { key: 2, name, token: "t".into(), size: 6, digest: digest(9) };
    assert_eq!(desk.said("f2", ticket), [Order::Fetch(download)], "what the ticket says is newer than the listing");
    let path = Path::new("/r/b.zip");
    let news = Desk::news(&desk.came(2, End::Fetched { path: path.into(), at_once: true }));
    assert!(
        matches!(&news[..], [News::Fetched { job, digest: told, path: there, at_once: true, .. }]
            if job.size == 6 && *told == digest(9) && there == path),
        "{news:?}"
    );
}

#[test]
fn a_name_that_nothing_has_and_a_path_that_leads_nowhere_are_told() {
    let mut desk = Desk::new();
    desk.take(Fact::Wished(get("nothing")));
    let news = Desk::news(&desk.said("f1", Said::Listing { files: vec![], more: None }));
    assert_eq!(news[0], News::Nothing { asked: "nothing".into(), why: Why::NoSuchFile });
    assert_eq!(news.last(), Some(&News::AllDone));
    desk.take(Fact::Wished(put("/none")));
    let odd = vec![("/none".into(), "not found".into())];
    let news = Desk::news(&desk.take(Fact::Looked { errand: 2, found: vec![], odd }));
    let why = Why::Here("/none".into(), "not found".into());
    assert_eq!(news[0], News::Nothing { asked: "/none".into(), why });
}

#[test]
fn what_is_cancelled_stops_and_the_rest_goes_on() {
    let mut desk = Desk::new();
    desk.bring(&[BIG, BIG]);
    desk.hashed(1, BIG);
    desk.ticket("f1", 0);
    let orders = desk.take(Fact::Wished(Wish::Cancel(Some(1))));
    assert_eq!(orders[0], Order::Stop(1));
    assert!(matches!(Desk::news(&orders)[..], [News::Failed { why: Why::Cancelled, .. }]), "{orders:?}");
    assert_eq!(desk.came(1, End::Broken), []);
    let orders = desk.take(Fact::Wished(Wish::Cancel(None)));
    assert_eq!(Desk::news(&orders).last(), Some(&News::AllDone));
    assert_eq!(desk.take(Fact::Wished(Wish::Cancel(Some(9)))), []);
    desk.take(Fact::Wished(get("*")));
    let orders = desk.take(Fact::Wished(Wish::Cancel(None)));
    assert_eq!(Desk::news(&orders).last(), Some(&News::AllDone));
    assert_eq!(desk.said("f2", Said::Listing { files: vec![listed("late", 1)], more: None }), []);
}

#[test]
fn what_is_unfinished_is_kept_until_it_is_done_and_when_the_link_ends() {
    let kept = |orders: Vec<Order>| {
        let all = orders.into_iter().filter_map(|order| match order {
            Order::Keep(kept) => Some(kept.len()),
            _ => None,
        });
        all.collect::<Vec<_>>()
    };
    let mut queue = Queue::default();
    queue.take(0, Fact::Wished(put("/a")));
    queue.take(0, Fact::Wished(put("/a")));
    queue.take(0, Fact::Wished(get("x")));
    assert_eq!(kept(queue.orders()), [1, 2], "the same wish twice is one");
    queue.take(0, Fact::In { has_cloud: true });
    queue.take(0, Fact::Answered(Answer { label: "f1".into(), said: Said::Listing { files: vec![], more: None } }));
    assert_eq!(kept(queue.orders()), [1]);
    queue.take(0, Fact::Ended);
    let orders = queue.orders();
    assert!(Desk::news(&orders).contains(&News::Nothing { asked: "/a".into(), why: Why::Lost }), "{orders:?}");
    assert_eq!(kept(orders), []);
}

#[test]
fn a_server_without_a_cloud_is_named_as_the_reason() {
    let mut desk = Desk { queue: Queue::default(), now_ms: 0 };
    desk.bring(&[10]);
    desk.take(Fact::Wished(Wish::List { pattern: None, scope: "*".into() }));
    let news = Desk::news(&desk.take(Fact::In { has_cloud: false }));
    assert!(matches!(news[0], News::Listing { files: Err(Why::NoCloud), .. }), "{news:?}");
    assert!(matches!(news[1], News::Failed { why: Why::NoCloud, .. }), "{news:?}");
    let news = Desk::news(&desk.take(Fact::Wished(get("x"))));
    assert_eq!(news[0], News::Nothing { asked: "x".into(), why: Why::NoCloud });
}

#[test]
fn questions_are_answered_or_given_up() {
    let mut desk = Desk::new();
    let list = Wish::List { pattern: None, scope: "*".into() };
    desk.take(Fact::Wished(list.clone()));
    desk.take(Fact::Wished(Wish::Remove { name: "a".into(), scope: "*".into() }));
    let news = Desk::news(&desk.said("f1", Said::Listing { files: vec![listed("b", 1), listed("a", 1)], more: None }));
    let [News::Listing { files: Ok(files), .. }] = &news[..] else { panic!("{news:?}") };
    assert_eq!(files.iter().map(|file| &*file.name).collect::<Vec<_>>(), ["a", "b"]);
    let news = Desk::news(&desk.said("f2", Said::Refused { code: "NO_SUCH_FILE".into(), sentence: "x".into() }));
    assert!(matches!(news[0], News::Removed { result: Err(Why::NoSuchFile), .. }), "{news:?}");
    desk.take(Fact::Wished(list.clone()));
    assert!(matches!(Desk::news(&desk.take(Fact::Lost))[0], News::Listing { files: Err(Why::Lost), .. }));
    assert!(matches!(Desk::news(&desk.take(Fact::Wished(list)))[0], News::Listing { files: Err(Why::Lost), .. }));
}

#[test]
fn how_far_everything_is_comes_a_few_times_per_second() {
    let mut desk = Desk::new();
    desk.moving();
    let first = Desk::news(&desk.wait());
    assert!(matches!(&first[..], [News::Progress(all)] if all[0].stage == Stage::Moving), "{first:?}");
    let began_ms = desk.now_ms;
    desk.take(Fact::Moved { key: 1, done: BIG / 2 });
    let second = Desk::news(&desk.wait());
    assert_eq!(desk.now_ms - began_ms, PROGRESS_EVERY_MS);
    let [News::Progress(all)] = &second[..] else { panic!("{second:?}") };
    assert_eq!((all[0].done, all[0].per_second, all[0].left_seconds), (BIG / 2, BIG * 2, Some(1)));
    desk.take(Fact::Moved { key: 1, done: BIG });
    let third = Desk::news(&desk.wait());
    assert!(matches!(&third[..], [News::Progress(all)] if all[0].stage == Stage::Checking), "{third:?}");
}

#[test]
fn a_server_that_never_answers_an_offer_is_asked_again() {
    let mut desk = Desk::new();
    desk.bring(&[10]);
    desk.hashed(1, 10);
    assert!(desk.wait_for_line().starts_with("f2 FILE PUT"));
    assert!(desk.now_ms >= ANSWER_WITHIN_MS);
}

#[test]
fn a_long_listing_is_asked_for_until_its_end() {
    let mut desk = Desk::new();
    desk.take(Fact::Wished(get("作 业")));
    let part = |names: &[&str], more: Option<&str>| Said::Listing {
        files: names.iter().map(|name| listed(name, 1)).collect(),
        more: more.map(Into::into),
    };
    let orders = desk.said("f1", part(&["作 业/a", "作 业/b"], Some("作 业/b")));
    assert_eq!(lines_in(&orders), ["f2 FILE LIST * 作?业/* :作 业/b"]);
    let orders = desk.said("f2", part(&["作 业/c", "作-业/d"], None));
    let names: Vec<_> = lines_in(&orders).iter().map(|line| line.rsplit(':').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["作 业/a", "作 业/b", "作 业/c"], "and nothing that only looks like it");
    desk.take(Fact::Wished(Wish::List { pattern: None, scope: "*".into() }));
    let orders = desk.said("f6", part(&[], Some("x")));
    assert!(matches!(&Desk::news(&orders)[..], [News::Listing { files: Ok(_), .. }]), "one that gets no further ends");
}
