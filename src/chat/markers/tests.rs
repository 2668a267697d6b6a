//! MARKREAD as clients send it.

use super::super::ConnId;
use super::super::testing::World;
use super::*;

const CAPS: &str = "draft/read-marker standard-replies";

/// A further device of somebody's account, or the first; what they were told so far is thrown away.
fn device(w: &mut World, account: &str, caps: &str) -> ConnId {
    let nick = format!("{account}{}", w.chat.session_count());
    let conn = w.join_with_caps(&nick, caps);
    w.log_in(conn, account);
    w.drain();
    conn
}

fn marked(place: &str, up_to: &str) -> String {
    format!(":gzy.local MARKREAD {place} {up_to}")
}

const NOON: &str = "timestamp=2026-11-20T12:00:00.000Z";
const LATER: &str = "timestamp=2026-11-20T13:00:00.000Z";

#[test]
fn a_marker_is_told_to_all_devices_of_the_account_and_to_nobody_else() {
    let mut w = World::new();
    let phone = device(&mut w, "anna", CAPS);
    let laptop = device(&mut w, "anna", CAPS);
    let old = device(&mut w, "anna", "");
    let ben = device(&mut w, "ben", CAPS);
    assert_eq!(w.ask(phone, "MARKREAD #lobby"), [marked("#lobby", "*")]);
    assert_eq!(w.ask(phone, &format!("MARKREAD #LOBBY {NOON}")), [marked("#lobby", NOON)]);
    assert_eq!(w.said_to(laptop), [marked("#lobby", NOON)]);
    assert_eq!((w.said_to(old), w.said_to(ben)), (Vec::new(), Vec::new()));
    assert_eq!(w.ask(laptop, "MARKREAD #lobby"), [marked("#lobby", NOON)]);
    assert_eq!(w.ask(ben, "MARKREAD #lobby"), [marked("#lobby", "*")]);
}

#[test]
fn a_marker_moves_forward_only_and_never_past_the_present() {
    let mut w = World::new();
    let [phone, laptop] = [0, 1].map(|_| device(&mut w, "anna", CAPS));
    w.line(phone, &format!("MARKREAD #lobby {LATER}"));
    w.drain();
    assert_eq!(w.ask(phone, &format!("MARKREAD #lobby {NOON}")), [marked("#lobby", LATER)]);
    assert_eq!(w.said_to(laptop), [""; 0], "nothing has changed");
    let now = "timestamp=2026-11-20T13:19:21.000Z";
    assert_eq!(w.ask(phone, "MARKREAD #lobby timestamp=2030-01-01T00:00:00.000Z"), [marked("#lobby", now)]);
    assert_eq!(w.said_to(laptop), [marked("#lobby", now)]);
}

#[test]
fn a_private_conversation_has_a_marker_as_well() {
    let mut w = World::new();
    let [phone, laptop] = [0, 1].map(|_| device(&mut w, "anna", CAPS));
    let ben = device(&mut w, "ben", CAPS);
    for target in ["ben", "1001"] {
        w.line(phone, &format!("MARKREAD {target} {NOON}"));
    }
    assert_eq!(w.said_to(laptop), [marked("ben", NOON)]);
    assert_eq!(w.ask(ben, "MARKREAD anna"), [marked("anna", "*")], "what one has read is not told to the other");
}

#[test]
fn markers_outlive_the_connection_and_come_with_the_join() {
    let mut w = World::new();
    let guest = w.join("ben");
    w.line(guest, "JOIN #茶");
    let phone = device(&mut w, "anna", CAPS);
    w.line(phone, &format!("MARKREAD #lobby {NOON}"));
    w.save();
    w.lose(phone);
    assert_eq!(w.chat.readers.len(), 0, "who is away costs nothing");

    w.asks_by_hand = true;
    let laptop = w.join_with_caps("laptop", CAPS);
    w.log_in(laptop, "anna");
    w.drain();
    while !w.questions.is_empty() {
        w.answer_from_memory();
    }
    assert_eq!(w.said_to(laptop), [marked("#lobby", NOON)], "what was not known at the JOIN is told when it is");
    w.line(laptop, "PART #lobby");
    w.drain();
    let joined = w.ask(laptop, "JOIN #lobby");
    let commands: Vec<&str> = joined.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(commands, ["JOIN", "NOTICE", "MARKREAD", "353", "366"]);
    assert_eq!(joined[2], marked("#lobby", NOON));
}

#[test]
fn what_was_marked_while_the_store_was_asked_stays() {
    let mut w = World::new();
    let phone = device(&mut w, "anna", CAPS);
    w.line(phone, &format!("MARKREAD #lobby {NOON}"));
    w.save();
    w.lose(phone);
    w.asks_by_hand = true;
    let phone = device(&mut w, "anna", CAPS);
    assert_eq!(w.ask(phone, &format!("MARKREAD #lobby {LATER}")), [marked("#lobby", LATER)]);
    w.answer_from_memory();
    assert_eq!(w.said_to(phone), [marked("#lobby", LATER)]);
}

#[test]
fn a_guest_has_markers_for_as_long_as_it_is_here() {
    let mut w = World::new();
    let guest = w.join_with_caps("ben", CAPS);
    assert_eq!(w.ask(guest, &format!("MARKREAD #lobby {NOON}")), [marked("#lobby", NOON)]);
    assert_eq!(w.ask(guest, "MARKREAD #lobby"), [marked("#lobby", NOON)]);
    assert!(w.unsaved_changes.is_empty());
    w.lose(guest);
    assert_eq!(w.chat.readers.len(), 0);
}

#[test]
fn what_cannot_be_marked_is_refused() {
    let mut w = World::new();
    let anna = device(&mut w, "anna", CAPS);
    let cases = [
        ("MARKREAD", "NEED_MORE_PARAMS"),
        ("MARKREAD #elsewhere", "INVALID_PARAMS #elsewhere"),
        ("MARKREAD nobody", "INVALID_PARAMS nobody"),
        ("MARKREAD #lobby *", "INVALID_PARAMS #lobby *"),
        ("MARKREAD #lobby timestamp=soon", "INVALID_PARAMS #lobby timestamp=soon"),
        ("MARKREAD #lobby 2026-11-20T12:00:00.000Z", "INVALID_PARAMS #lobby 2026-11-20T12:00:00.000Z"),
    ];
    for (line, refusal) in cases {
        let lines = w.ask(anna, line);
        assert!(
            lines.len() == 1 && lines[0].starts_with(&format!(":gzy.local FAIL MARKREAD {refusal} :")),
            "{lines:?}"
        );
    }
    let plain = w.join_with_caps("ben", "standard-replies");
    assert!(w.ask(plain, "MARKREAD #lobby")[0].contains(" FAIL MARKREAD NEED_CAPABILITY :"));
}

#[test]
fn the_oldest_marker_makes_room_when_there_are_too_many() {
    let mut markers = Markers::default();
    let room = |n: u64| Target::room(&format!("#{n}"));
    for n in 1..=3 {
        assert!(markers.advance(&room(n), n * 10, 3));
    }
    assert!(markers.advance(&room(1), 99, 3) && !markers.advance(&room(1), 98, 3));
    assert!(markers.advance(&room(4), 40, 3));
    let mut held: Vec<&str> = markers.up_to_ms.keys().map(Target::as_str).collect();
    held.sort_unstable();
    assert_eq!(held, ["#1", "#3", "#4"]);
}
