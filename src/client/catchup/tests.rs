//! Rooms that are entered, left by a broken link, and entered again.

use super::*;
use crate::client::features::WANTED;

fn features() -> Features {
    Features { caps: WANTED, history_limit: 2, ..Features::default() }
}

fn message(id: u64, text: &str) -> Box<str> {
    format!("@msgid={id:016x} :ben!u@h PRIVMSG #lobby :{text}").into()
}

fn told(orders: &Orders) -> Vec<(&str, bool)> {
    let each = orders.events.iter().map(|event| match event {
        Event::Line { text, history } => (text.rsplit(':').next().unwrap(), *history),
        Event::Settled(_) => ("settled", false),
        other => panic!("{other:?}"),
    });
    each.collect()
}

fn live(catchup: &mut Catchup, id: u64, text: &str, orders: &mut Orders) {
    let text = message(id, text);
    catchup.pass("#lobby", &Line::parse(&text).unwrap(), &text, orders);
}

/// In the lobby, with message 5 as the last one known.
fn settled() -> Catchup {
    let (mut catchup, mut orders) = (Catchup::default(), Orders::default());
    catchup.joined("#Lobby", 10, &features(), 0, &mut orders);
    assert_eq!(orders.lines, ["@label=h1 CHATHISTORY LATEST #Lobby * 2"]);
    catchup.names_ended("#lobby", &mut orders);
    catchup.fetched("#lobby", vec![message(4, "four"), message(5, "five")], &features(), 0, &mut orders);
    assert_eq!(told(&orders), [("four", true), ("five", true), ("settled", false)]);
    catchup
}

#[test]
fn history_comes_before_what_is_said_meanwhile() {
    let mut catchup = settled();
    catchup.lost(&mut Orders::default());
    let mut orders = Orders::default();
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    assert_eq!(orders.lines, ["@label=h2 CHATHISTORY AFTER #lobby msgid=0000000000000005 2"]);
    live(&mut catchup, 9, "nine", &mut orders);
    catchup.fetched("#lobby", vec![message(6, "six"), message(7, "seven")], &features(), 0, &mut orders);
    // A full answer: there may be more, also beyond what is held back.
    assert_eq!(orders.lines[1..], ["@label=h3 CHATHISTORY AFTER #lobby msgid=0000000000000007 2"]);
    catchup.fetched("#lobby", vec![message(8, "eight")], &features(), 0, &mut orders);
    assert_eq!(told(&orders), [("six", true), ("seven", true), ("eight", true), ("nine", false)]);
    assert!(!catchup.is_fetching());
}

#[test]
fn a_link_that_breaks_again_while_catching_up_leaves_no_gap() {
    let mut catchup = settled();
    let mut orders = Orders::default();
    catchup.lost(&mut orders);
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    live(&mut catchup, 9, "nine", &mut orders);
    catchup.lost(&mut orders);
    assert_eq!(told(&orders), []);
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    assert_eq!(orders.lines[1], "@label=h3 CHATHISTORY AFTER #lobby msgid=0000000000000005 2");
}

#[test]
fn a_room_that_was_empty_is_fetched_from_its_beginning() {
    let (mut catchup, mut orders) = (Catchup::default(), Orders::default());
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    catchup.fetched("#lobby", vec![], &features(), 0, &mut orders);
    catchup.lost(&mut orders);
    orders.lines.clear();
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    assert_eq!(orders.lines, ["@label=h2 CHATHISTORY AFTER #lobby timestamp=1970-01-01T00:00:00.000Z 2"]);
}

#[test]
fn an_announcement_is_no_mark_where_there_are_messages() {
    let mut catchup = settled();
    let mut orders = Orders::default();
    let notice = "@time=2026-11-20T13:00:00.000Z :gzy NOTICE #lobby :Welcome ben";
    catchup.pass("#lobby", &Line::parse(notice).unwrap(), notice, &mut orders);
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    assert_eq!(orders.lines, ["@label=h2 CHATHISTORY AFTER #lobby msgid=0000000000000005 2"]);
}

#[test]
fn a_late_receipt_does_not_move_the_known_point_back() {
    let mut catchup = settled();
    let mut orders = Orders::default();
    live(&mut catchup, 8, "eight", &mut orders);
    live(&mut catchup, 6, "six", &mut orders);
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    assert_eq!(orders.lines, ["@label=h2 CHATHISTORY AFTER #lobby msgid=0000000000000008 2"]);
}

#[test]
fn a_room_without_history_is_settled_by_the_refusal() {
    for refusal in [
        "@label=h1 :s 421 anna CHATHISTORY :Unknown command",
        ":s FAIL CHATHISTORY INVALID_TARGET LATEST #lobby :No history here",
    ] {
        let (mut catchup, mut orders) = (Catchup::default(), Orders::default());
        catchup.joined("#lobby", 10, &features(), 0, &mut orders);
        catchup.names_ended("#lobby", &mut orders);
        live(&mut catchup, 1, "one", &mut orders);
        let line = Line::parse(refusal).unwrap();
        assert!(catchup.refused(&line, line.tags.value("label").as_deref(), &mut orders));
        assert_eq!(told(&orders), [("one", false), ("settled", false)]);
    }
}

#[test]
fn a_server_that_never_answers_does_not_hold_the_talk_up() {
    let (mut catchup, mut orders) = (Catchup::default(), Orders::default());
    catchup.joined("#lobby", 10, &features(), 1000, &mut orders);
    live(&mut catchup, 1, "one", &mut orders);
    let deadline = catchup.deadline_ms().unwrap();
    catchup.tick(deadline - 1, &mut orders);
    assert_eq!(told(&orders), []);
    catchup.tick(deadline, &mut orders);
    assert_eq!((told(&orders), catchup.deadline_ms()), (vec![("one", false)], None));
}

#[test]
fn what_overflows_while_waiting_is_fetched_again() {
    let mut catchup = settled();
    let mut orders = Orders::default();
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    for id in 0..=HELD as u64 {
        live(&mut catchup, 10 + id, "much", &mut orders);
    }
    catchup.fetched("#lobby", vec![], &features(), 0, &mut orders);
    assert_eq!(orders.lines[1..], ["@label=h3 CHATHISTORY AFTER #lobby msgid=0000000000000005 2"]);
    assert_eq!(told(&orders), []);
}

#[test]
fn notices_of_the_server_are_not_held_back() {
    let (mut catchup, mut orders) = (Catchup::default(), Orders::default());
    catchup.joined("#lobby", 10, &features(), 0, &mut orders);
    let welcome = "@msgid=0000000000000009 :gzy NOTICE #lobby :welcome";
    catchup.pass("#lobby", &Line::parse(welcome).unwrap(), welcome, &mut orders);
    assert_eq!(told(&orders), [("welcome", false)]);
}
