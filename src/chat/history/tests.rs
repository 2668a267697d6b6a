//! CHATHISTORY as clients ask for it.

use super::super::ConnId;
use super::super::testing::{START_MS, World};
use super::*;

const CAPS: &str = "batch draft/chathistory message-tags standard-replies";

/// The texts of a history, in order; the target of each line and who said it are left out.
fn texts(lines: &[String]) -> Vec<&str> {
    assert!(lines.first().is_some_and(|line| line.contains(" BATCH +")), "no batch: {lines:?}");
    assert!(lines.last().is_some_and(|line| line.contains(" BATCH -")), "no end: {lines:?}");
    lines[1..lines.len() - 1].iter().map(|line| line.rsplit_once(" :").expect("a text").1).collect()
}

fn without_tags(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| if line.starts_with('@') { line.split_once(' ').unwrap().1 } else { line }).collect()
}

/// Anna in #茶, where one line was said in each of five seconds from the start of the world.
fn tea() -> (World, ConnId, Vec<MsgId>) {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", CAPS);
    w.line(anna, "JOIN #茶");
    for n in 1..=5 {
        w.line(anna, &format!("PRIVMSG #茶 :{n}"));
        w.now.wall_ms += 1000;
    }
    w.save();
    w.drain();
    let ids = w.stored.iter().map(|message| message.id).collect();
    (w, anna, ids)
}

fn at_second(n: u64) -> String {
    let mut text = "timestamp=".to_owned();
    timestamp::write_utc(START_MS + n * 1000, &mut text);
    text
}

#[test]
fn a_page_is_counted_from_the_side_that_was_asked_for() {
    let (mut w, anna, ids) = tea();
    let id = |n: usize| format!("msgid={}", ids[n - 1]);
    let cases = [
        ("LATEST #茶 * 2".to_owned(), "45"),
        (format!("LATEST #茶 {} 2", id(2)), "45"),
        (format!("LATEST #茶 {} 9", id(4)), "5"),
        (format!("LATEST #茶 {} 9", id(5)), ""),
        (format!("BEFORE #茶 {} 2", id(4)), "23"),
        (format!("BEFORE #茶 {} 9", at_second(1)), "1"),
        (format!("AFTER #茶 {} 2", id(2)), "34"),
        (format!("AFTER #茶 {} 2", at_second(0)), "23"),
        (format!("AROUND #茶 {} 3", id(3)), "234"),
        (format!("AROUND #茶 {} 1", id(3)), "3"),
        (format!("AROUND #茶 {} 4", at_second(2)), "1234"),
        (format!("AROUND #茶 {} 99", id(1)), "12345"),
    ];
    for (question, answer) in cases {
        let lines = w.ask(anna, &format!("CHATHISTORY {question}"));
        assert_eq!(texts(&lines).concat(), answer, "{question}");
        assert!(lines[0].ends_with(" chathistory #茶"), "{lines:?}");
    }
}

#[test]
fn between_two_messages_counts_from_the_first_that_was_named() {
    let (mut w, anna, ids) = tea();
    let id = |n: usize| format!("msgid={}", ids[n - 1]);
    let cases = [
        (id(1), id(5), 9, "234"),
        (id(1), id(5), 2, "23"),
        (id(5), id(1), 2, "34"),
        (at_second(0), at_second(4), 9, "234"),
        (at_second(4), id(2), 1, "4"),
        (id(3), id(3), 9, ""),
        (id(3), id(4), 9, ""),
    ];
    for (one, other, limit, answer) in cases {
        let lines = w.ask(anna, &format!("CHATHISTORY BETWEEN #茶 {one} {other} {limit}"));
        assert_eq!(texts(&lines).concat(), answer, "{one} {other} {limit}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_the_words_of_the_specification() {
    let (mut w, anna, _) = tea();
    let cases = [
        ("", "INVALID_PARAMS *"),
        ("FROB #茶 * 5", "INVALID_PARAMS FROB"),
        ("LATEST", "INVALID_PARAMS LATEST"),
        ("latest #茶 *", "INVALID_PARAMS latest"),
        ("LATEST #茶 * 5 6", "INVALID_PARAMS LATEST"),
        ("BETWEEN #茶 timestamp=2026-11-20T00:00:00Z 5", "INVALID_PARAMS BETWEEN"),
        ("BEFORE #茶 * 5", "INVALID_PARAMS BEFORE *"),
        ("BEFORE #茶 msgid=zzz 5", "INVALID_PARAMS BEFORE msgid=zzz"),
        ("AFTER #茶 timestamp=yesterday 5", "INVALID_PARAMS AFTER timestamp=yesterday"),
        ("AFTER #茶 5 5", "INVALID_PARAMS AFTER 5"),
        ("AFTER #茶 uid=5 5", "INVALID_MSGREFTYPE AFTER #茶 uid=5"),
        ("LATEST #茶 * 0", "INVALID_PARAMS LATEST 0"),
        ("LATEST #茶 * -1", "INVALID_PARAMS LATEST -1"),
        ("LATEST #茶 * many", "INVALID_PARAMS LATEST many"),
        ("LATEST #elsewhere * 5", "INVALID_TARGET LATEST #elsewhere"),
        ("LATEST #elsewhere * many", "INVALID_PARAMS LATEST many"),
        ("LATEST ben * 5", "INVALID_TARGET LATEST ben"),
        ("TARGETS * * 5", "INVALID_PARAMS TARGETS *"),
        ("TARGETS timestamp=2026-11-20T00:00:00Z 5", "INVALID_PARAMS TARGETS"),
        (
            "TARGETS msgid=0000000000000001 timestamp=2026-11-20T00:00:00Z 5",
            "INVALID_MSGREFTYPE TARGETS * msgid=0000000000000001",
        ),
    ];
    for (question, refusal) in cases {
        let lines = w.ask(anna, &format!("CHATHISTORY {question}"));
        assert!(
            lines.len() == 1 && lines[0].starts_with(&format!(":gzy.local FAIL CHATHISTORY {refusal} :")),
            "{lines:?}"
        );
    }
}

#[test]
fn an_absurd_number_gets_as_many_as_there_may_be() {
    let (mut w, anna, _) = tea();
    for limit in ["101", "99999999999999999999999"] {
        assert_eq!(texts(&w.ask(anna, &format!("CHATHISTORY LATEST #茶 * {limit}"))).concat(), "12345");
    }
    w.asks_by_hand = true;
    w.line(anna, "CHATHISTORY LATEST #茶 * 99999999999999999999999");
    assert!(matches!(w.questions[0].1, Query::Before { limit: HISTORY_MESSAGES, .. }));
}

#[test]
fn who_has_not_asked_for_histories_gets_none() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", "draft/chathistory standard-replies");
    let refusal = ":gzy.local FAIL CHATHISTORY NEED_CAPABILITY :ask for draft/chathistory and batch first";
    assert_eq!(w.ask(anna, "CHATHISTORY LATEST #lobby * 5"), [refusal]);
}

#[test]
fn nobody_reads_a_room_that_they_are_not_in() {
    let (mut w, anna, _) = tea();
    let eve = w.join_with_caps("eve", CAPS);
    for what in ["LATEST #茶 * 5", "AROUND #茶 timestamp=2026-11-20T13:19:21.000Z 5"] {
        let lines = w.ask(eve, &format!("CHATHISTORY {what}"));
        assert!(lines.len() == 1 && lines[0].contains(" INVALID_TARGET "), "{lines:?}");
    }
    w.line(anna, "KICK #茶 anna");
    w.drain();
    assert!(w.ask(anna, "CHATHISTORY LATEST #茶 * 5")[0].contains(" INVALID_TARGET "));
}

#[test]
fn both_sides_of_a_private_conversation_read_it_from_their_own_side() {
    let mut w = World::new();
    let [anna, ben, eve] = ["anna", "ben", "eve"].map(|nick| w.join_with_caps(nick, CAPS));
    for (conn, account) in [(anna, "anna"), (ben, "ben"), (eve, "eve")] {
        w.log_in(conn, account);
    }
    w.line(anna, "PRIVMSG ben :在吗");
    w.line(ben, "PRIVMSG anna :在");
    w.line(anna, "PRIVMSG eve :别的");
    let (a, b) = (w.source(anna), w.source(ben));
    w.drain();
    let said = [format!(":{a} PRIVMSG ben :在吗"), format!(":{b} PRIVMSG anna :在")];
    for target in ["ben", "BEN", "1001"] {
        let lines = w.ask(anna, &format!("CHATHISTORY LATEST {target} * 5"));
        assert!(lines[0].ends_with(" chathistory ben"), "{lines:?}");
        assert_eq!(without_tags(&lines)[1..3], said);
    }
    let lines = w.ask(ben, "CHATHISTORY LATEST anna * 5");
    assert_eq!(without_tags(&lines)[1..3], said);
    assert_eq!(texts(&w.ask(eve, "CHATHISTORY LATEST ben * 5")), [""; 0], "they have not talked");
    w.lose(ben);
    w.drain();
    assert_eq!(texts(&w.ask(anna, "CHATHISTORY LATEST ben * 5")), ["在吗", "在"], "and when the other is away");
}

#[test]
fn private_talk_with_a_guest_is_nowhere() {
    let mut w = World::new();
    let [anna, ben] = ["anna", "ben"].map(|nick| w.join_with_caps(nick, CAPS));
    w.log_in(anna, "anna");
    w.line(ben, "PRIVMSG anna :hi");
    w.drain();
    let guest = w.ask(ben, "CHATHISTORY LATEST anna * 5");
    assert!(guest[0].ends_with(":private talk is kept between accounts only; !register makes one"), "{guest:?}");
    let other = w.ask(anna, "CHATHISTORY LATEST ben * 5");
    assert!(other[0].contains(" INVALID_TARGET LATEST ben :there is no account of that name"), "{other:?}");
}

/// The targets of an answer, with the seconds since the start of the world.
fn targets(lines: &[String]) -> Vec<(String, u64)> {
    assert!(lines[0].ends_with(" draft/chathistory-targets"), "{lines:?}");
    let inner = lines[1..lines.len() - 1].iter().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[1..4], [":gzy.local", "CHATHISTORY", "TARGETS"], "{line}");
        (words[4].to_owned(), (timestamp::parse(words[5]).unwrap() - START_MS) / 1000)
    });
    inner.collect()
}

#[test]
fn targets_tell_in_which_rooms_and_conversations_something_was_said() {
    let mut w = World::new();
    let [anna, ben, eve] = ["anna", "ben", "eve"].map(|nick| w.join_with_caps(nick, CAPS));
    for (conn, account) in [(anna, "anna"), (ben, "ben"), (eve, "eve")] {
        w.log_in(conn, account);
    }
    w.line(eve, "JOIN #secret");
    for line in ["PRIVMSG #lobby :1", "PRIVMSG anna :2", "PRIVMSG anna :3", "PRIVMSG eve :4"] {
        w.line(ben, line);
        w.line(eve, "PRIVMSG #secret :hush");
        w.now.wall_ms += 1000;
    }
    w.drain();
    let mut ask = |from: u64, to: u64, limit: usize| {
        let lines = w.ask(anna, &format!("CHATHISTORY TARGETS {} {} {limit}", at_second(from), at_second(to)));
        targets(&lines)
    };
    // The first second is left out: the lobby's newest message is of that very millisecond.
    assert_eq!(ask(0, 9, 9), [("ben".to_owned(), 2)]);
    let before = "timestamp=2026-11-20T13:19:20.000Z";
    let all = w.ask(anna, &format!("CHATHISTORY TARGETS {before} {} 9", at_second(9)));
    assert_eq!(targets(&all), [("#lobby".to_owned(), 0), ("ben".to_owned(), 2)]);
    let oldest = w.ask(anna, &format!("CHATHISTORY TARGETS {before} {} 1", at_second(9)));
    assert_eq!(targets(&oldest), [("#lobby".to_owned(), 0)]);
    let newest = w.ask(anna, &format!("CHATHISTORY TARGETS {} {before} 1", at_second(9)));
    assert_eq!(targets(&newest), [("ben".to_owned(), 2)], "backwards in time the newest counts");
}

#[test]
fn a_store_that_fails_is_told_to_the_asker() {
    let (mut w, anna, _) = tea();
    w.asks_by_hand = true;
    w.line(anna, "CHATHISTORY LATEST #茶 * 5");
    w.answer(Found::Failed("disk on fire".into()));
    let failed = ":gzy.local FAIL CHATHISTORY MESSAGE_ERROR #茶 :the history could not be read: disk on fire";
    assert_eq!(w.said_to(anna), [failed]);
}
