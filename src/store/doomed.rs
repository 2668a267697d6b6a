//! Is everything there that was acknowledged, when the process is killed in the midst of it?

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::accounts::Accounts;
use super::change::{Change, GroupShape, Membership};
use super::fixture::{at, open, place, said, texts_of};
use super::record::{AccountId, Found, GroupId, Message, Query, Redaction, Target};
use super::{Answer, Entry, Store};
use crate::wire::msgid::MsgId;

/// Names the folder to the process that is killed.
const DOOMED: &str = "GZY_TEST_DOOMED_STORE";

/// Of each batch whose number this divides, the middle message is removed.
const REMOVED_EACH: u64 = 10;

/// Anna and ben, who talk in private too.
const PAIR: (AccountId, AccountId) = (AccountId(1000), AccountId(1001));

/// What belongs together: a group with its founder, three lines in the lobby, one in private.
fn batch_of(batch: u64) -> Vec<Entry> {
    let id = |i| MsgId(at(batch).0 + i);
    let shape = GroupShape {
        name: format!("#group{batch}").into(),
        owner: PAIR.0,
        since_ms: batch,
        flags: "nt".into(),
        key: None,
        limit: None,
        topic: None,
        open_since: MsgId(0),
    };
    let group = GroupId(batch as u32);
    let membership = Some(Membership { standing: 1, since: id(1) });
    let private = Message { id: id(5), target: Target::pair(PAIR.0, PAIR.1), ..said(0, &format!("{batch}.5")) };
    let lines = [2, 3, 4].map(|i| Entry::Message(Message { id: id(i), ..said(0, &format!("{batch}.{i}")) }));
    let mut all = vec![
        Entry::Change { id: id(0), change: Change::Group { id: group, shape: Box::new(shape) } },
        Entry::Change { id: id(1), change: Change::Member { group, account: PAIR.0, membership } },
    ];
    all.extend(lines);
    all.push(private.into());
    all
}

/// Starts the process, and kills it when it has told so much. What it acknowledged.
fn acknowledged_by_doomed(data: &Path) -> (Vec<u64>, Vec<u64>) {
    let mut doomed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::doomed::process_that_is_killed", "--ignored", "--nocapture"])
        .env(DOOMED, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(doomed.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told: Vec<String> = Vec::new();
    while told.len() < 200 {
        told.push(lines.next().expect("it goes on until it is killed"));
    }
    doomed.kill().unwrap();
    // What was still in the pipe was acknowledged too; a last half line was not.
    told.extend(lines);
    told.pop();
    doomed.wait().unwrap();
    let numbers = |prefix: &str| told.iter().filter_map(|line| line.strip_prefix(prefix)?.parse().ok()).collect();
    (numbers("saved "), numbers("removed "))
}

#[test]
fn everything_that_a_killed_process_acknowledged_is_kept_and_what_it_removed_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = Accounts::open(dir.path()).unwrap();
    for name in ["anna", "ben"] {
        accounts.add(name, "h").unwrap();
    }
    drop(accounts);
    for round in 0..3 {
        let (saved, removed) = acknowledged_by_doomed(dir.path());
        let (opened, answers) = open(dir.path());
        let last = *saved.last().unwrap();
        assert!(opened.last_id >= at(last) && !removed.is_empty(), "round {round}: {} < {last}", opened.last_id);
        let ask = |query| {
            opened.store.ask(1, query).unwrap();
            match answers.recv().unwrap() {
                Answer::Found { found, .. } => found,
                other => panic!("{other:?}"),
            }
        };
        for batch in saved {
            let after = MsgId(at(batch).0 - 1);
            let lines = texts_of(ask(Query::After { place: place("#lobby"), after, limit: 3 }));
            if !batch.is_multiple_of(REMOVED_EACH) {
                assert_eq!(lines, [2, 3, 4].map(|i| format!("{batch}.{i}")));
            }
            assert!(!removed.contains(&batch) || !lines.contains(&format!("{batch}.3")));
            let id = GroupId(batch as u32);
            let group = opened.directory.groups.binary_search_by_key(&id, |group| group.id).expect("it is there");
            assert_eq!(opened.directory.groups[group].members.len(), 1);
        }
        // Whatever the last commit was, the conversation agrees with the messages.
        let (after, before, limit) = (MsgId(0), MsgId(u64::MAX), 1);
        let newest = ask(Query::Targets { places: Vec::new(), account: Some(PAIR.1), after, before, limit });
        let Found::Messages(private) = ask(Query::Private { account: PAIR.1, after, limit }) else { panic!() };
        assert_eq!(newest, Found::Targets(vec![(Target::pair(PAIR.0, PAIR.1), private[0].id)]));
        assert!(private[0].id >= at(last));
        opened.store.close();
        opened.thread.join();
    }
}

#[test]
#[ignore = "not a test: the process that the one above kills"]
fn process_that_is_killed() {
    let Some(data) = std::env::var_os(DOOMED) else { return };
    let opened = Store::open(Path::new(&data), None, |answer| match answer {
        Answer::Saved { batch, result: Ok(()) } => println!("saved {batch}"),
        Answer::Found { token, found: Found::Redacted(Redaction::Done) } => println!("removed {token}"),
        other => panic!("{other:?}"),
    });
    let opened = opened.unwrap();
    let first = (opened.last_id.time_ms() / 60_000).saturating_sub(at(0).time_ms() / 60_000) + 1;
    for batch in first.. {
        while opened.store.append(batch, batch_of(batch)).is_err() {
            std::thread::yield_now();
        }
        let gone = Query::Redact { place: place("#lobby"), id: MsgId(at(batch).0 + 3), only_of: None };
        while batch.is_multiple_of(REMOVED_EACH) && opened.store.ask(batch, gone.clone()).is_err() {
            std::thread::yield_now();
        }
    }
}
