//! SEARCH as clients send it.

use super::super::ConnId;
use super::super::testing::World;
use super::*;

const CAPS: &str = "batch soju.im/search standard-replies";

/// Somebody with an account.
fn person(w: &mut World, name: &str) -> ConnId {
    let conn = w.join_with_caps(name, CAPS);
    w.log_in(conn, name);
    w.drain();
    conn
}

/// What is found, each as `target: text`.
fn hits(lines: &[String]) -> Vec<String> {
    assert!(lines[0].ends_with(" soju.im/search") && lines.last().unwrap().contains(" BATCH -"), "{lines:?}");
    let inner = lines[1..lines.len() - 1].iter().map(|line| {
        let (head, text) = line.split_once(" :").and_then(|(_, rest)| rest.split_once(" :")).expect("a message");
        format!("{}: {text}", head.rsplit_once(' ').unwrap().1)
    });
    inner.collect()
}

/// Anna and ben in the lobby, anna and eve in #茶; a second between any two lines.
fn town() -> (World, [ConnId; 3]) {
    let mut w = World::new();
    let [anna, ben, eve] = ["anna", "ben", "eve"].map(|name| person(&mut w, name));
    w.line(anna, "JOIN #茶");
    w.line(eve, "JOIN #茶");
    let said = [
        (anna, "PRIVMSG #lobby :晚饭吃什么"),
        (ben, "PRIVMSG #lobby :晚饭在上海吃"),
        (eve, "PRIVMSG #茶 :上海的茶 Tea"),
        (ben, "PRIVMSG anna :上海见"),
        (anna, "PRIVMSG ben :好，上海"),
        (eve, "PRIVMSG ben :上海好玩"),
    ];
    for (who, line) in said {
        w.line(who, line);
        w.now.wall_ms += 1000;
    }
    w.save();
    w.drain();
    (w, [anna, ben, eve])
}

#[test]
fn everything_that_the_asker_may_read_is_searched_with_the_place_of_each_hit() {
    let (mut w, [anna, ben, eve]) = town();
    let mut found = |who, what: &str| hits(&w.ask(who, &format!("SEARCH {what}")));
    let all = ["#lobby: 晚饭在上海吃", "#茶: 上海的茶 Tea", "anna: 上海见", "ben: 好，上海"];
    assert_eq!(found(anna, "text=上海"), all);
    assert_eq!(found(ben, "text=上海"), [all[0], all[2], all[3], "ben: 上海好玩"]);
    assert_eq!(found(eve, "text=上海"), [all[0], all[1], "ben: 上海好玩"]);
}

#[test]
fn attributes_narrow_it_down() {
    let (mut w, [anna, ..]) = town();
    let mut found = |what: &str| hits(&w.ask(anna, &format!("SEARCH {what}"))).len();
    let cases = [
        ("text=上海;in=#茶", 1),
        ("text=上海;in=ben", 2),
        ("text=上海;in=1001", 2),
        ("text=TEA", 1),
        ("text=茶\\stea", 1),
        ("text=晚饭\\s上海", 1),
        ("from=BEN", 2),
        ("from=ben;in=#lobby", 1),
        ("from=nobody", 0),
        ("in=#lobby", 2),
        ("after=2026-11-20T13:19:22.000Z;in=#lobby", 1),
        ("before=2026-11-20T13:19:21.000Z", 1),
        ("after=2026-11-20T13:19:23.000Z;before=2026-11-20T13:19:24.000Z", 2),
        ("before=2010-01-01T00:00:00.000Z;in=#lobby", 0),
        ("text=上海;limit=2", 2),
        ("text=上海;limit=99999999999999999999", 4),
        ("text=%", 0),
        ("text=_", 0),
    ];
    for (what, count) in cases {
        assert_eq!(found(what), count, "{what}");
    }
    assert_eq!(hits(&w.ask(anna, "SEARCH text=上海;limit=1")), ["ben: 好，上海"], "the newest");
}

#[test]
fn a_guest_searches_the_rooms_that_it_is_in() {
    let (mut w, [anna, ..]) = town();
    let guest = w.join_with_caps("guest", CAPS);
    assert_eq!(hits(&w.ask(guest, "SEARCH text=上海")), ["#lobby: 晚饭在上海吃"]);
    for target in ["#茶", "anna"] {
        let lines = w.ask(guest, &format!("SEARCH text=上海;in={target}"));
        assert!(lines.len() == 1 && lines[0].contains(" FAIL SEARCH INVALID_PARAMS in :"), "{lines:?}");
    }
    w.line(guest, "JOIN #茶");
    w.line(anna, "KICK #茶 guest");
    w.drain();
    assert_eq!(hits(&w.ask(guest, "SEARCH text=上海")).len(), 1);
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let (mut w, [anna, ..]) = town();
    let long = format!("text={}", "x".repeat(SEARCH_BYTES + 1));
    let cases = [
        ("", "*"),
        (";;", "*"),
        ("hello", "hello"),
        ("text=a;regex=b", "regex"),
        ("after=yesterday", "after"),
        ("before=", "before"),
        ("text=a;limit=0", "limit"),
        ("text=a;limit=-5", "limit"),
        ("text=a;limit=", "limit"),
        ("in=#elsewhere", "in"),
        ("text=1\\s2\\s3\\s4\\s5\\s6\\s7\\s8\\s9", "text"),
        (&long, "text"),
    ];
    for (what, attribute) in cases {
        let lines = w.ask(anna, &format!("SEARCH {what}"));
        let refusal = format!(":gzy.local FAIL SEARCH INVALID_PARAMS {attribute} :");
        assert!(lines.len() == 1 && lines[0].starts_with(&refusal), "{what}: {lines:?}");
    }
    let ben = w.join_with_caps("plain", "soju.im/search standard-replies");
    assert!(w.ask(ben, "SEARCH text=a")[0].contains(" FAIL SEARCH NEED_CAPABILITY :"));
}

#[test]
fn a_label_gets_one_answer_though_the_store_is_asked_twice_and_a_failure_is_told() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", &format!("{CAPS} labeled-response"));
    w.log_in(anna, "anna");
    w.drain();
    let lines = w.ask(anna, "@label=s SEARCH text=茶");
    assert!(lines.len() == 2 && lines[0].starts_with("@label=s :gzy.local BATCH +"), "{lines:?}");
    w.asks_by_hand = true;
    for answers in [0, 1] {
        w.line(anna, "SEARCH text=茶");
        (0..answers).for_each(|_| w.answer_from_memory());
        w.answer(Found::Failed("disk on fire".into()));
        let failed = ":gzy.local FAIL SEARCH INTERNAL_ERROR :the search could not be made: disk on fire";
        assert_eq!(w.said_to(anna), [failed]);
    }
}
