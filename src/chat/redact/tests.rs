//! REDACT as clients send it.

use super::super::ConnId;
use super::super::testing::World;

const CAPS: &str = "draft/message-redaction message-tags standard-replies echo-message";

/// Somebody with an account.
fn person(w: &mut World, name: &str, caps: &str) -> ConnId {
    let conn = w.join_with_caps(name, caps);
    w.log_in(conn, name);
    w.drain();
    conn
}

/// Says something that is kept; its id.
fn say(w: &mut World, who: ConnId, target: &str, text: &str) -> String {
    w.line(who, &format!("PRIVMSG {target} :{text}"));
    w.save();
    w.drain();
    w.stored.last().unwrap().id.to_string()
}

fn is_kept(w: &World, id: &str) -> bool {
    !w.redacted.iter().any(|redacted| redacted.to_string() == id)
}

fn refusal(lines: &[String]) -> &str {
    assert_eq!(lines.len(), 1, "{lines:?}");
    let (_, rest) = lines[0].split_once(" FAIL REDACT ").expect("a refusal");
    rest.split_once(" :").expect("a sentence").0
}

#[test]
fn the_sender_takes_it_back_and_those_who_can_are_told() {
    let mut w = World::new();
    let [anna, ben] = ["anna", "ben"].map(|name| person(&mut w, name, CAPS));
    let old = person(&mut w, "eve", "");
    let id = say(&mut w, anna, "#lobby", "口令是 123");
    let lines = w.ask(anna, &format!("REDACT #LOBBY {id} :手滑"));
    assert!(
        lines.len() == 1 && lines[0].ends_with(&format!(":{} REDACT #lobby {id} :手滑", w.source(anna))),
        "{lines:?}"
    );
    assert!(
        lines[0].starts_with("@msgid=") && !lines[0].starts_with(&format!("@msgid={id}")),
        "it has an id of its own"
    );
    assert_eq!(w.said_to(ben), lines);
    assert_eq!(w.said_to(old), [""; 0]);
    assert!(!is_kept(&w, &id));
    let again = w.ask(anna, &format!("REDACT #lobby {id}"));
    assert_eq!(refusal(&again), format!("UNKNOWN_MSGID #lobby {id}"));
}

#[test]
fn a_newcomer_is_not_shown_what_was_taken_back() {
    let mut w = World::new();
    let anna = person(&mut w, "anna", CAPS);
    let id = say(&mut w, anna, "#lobby", "口令是 123");
    say(&mut w, anna, "#lobby", "没事");
    w.line(anna, &format!("REDACT #lobby {id}"));
    let ben = w.connect();
    w.line(ben, "NICK ben");
    let lines = w.ask(ben, "USER ben 0 * :Ben");
    let shown: Vec<&String> = lines.iter().filter(|line| line.contains(" PRIVMSG ")).collect();
    assert!(shown.len() == 1 && shown[0].ends_with(":没事"), "{shown:?}");
}

#[test]
fn only_the_sender_and_who_runs_the_room_may_do_it() {
    let mut w = World::new();
    let [anna, ben, eve] = ["anna", "ben", "eve"].map(|name| person(&mut w, name, CAPS));
    let guest = w.join_with_caps("guest", CAPS);
    for (at, conn) in [anna, ben, eve, guest].into_iter().enumerate() {
        w.line(conn, "JOIN #茶");
        assert_eq!(w.chat.room_named("#茶").unwrap().members.len(), at + 1);
    }
    let id = say(&mut w, ben, "#茶", "spam");
    for stranger in [eve, guest] {
        let lines = w.ask(stranger, &format!("REDACT #茶 {id}"));
        assert_eq!(refusal(&lines), format!("REDACT_FORBIDDEN #茶 {id}"));
    }
    assert!(is_kept(&w, &id));
    w.line(anna, &format!("REDACT #茶 {id} :spam"));
    assert!(!is_kept(&w, &id), "anna made the room");
    assert!(w.said_to(ben)[0].ends_with(&format!(" REDACT #茶 {id} :spam")));
    let id = say(&mut w, guest, "#茶", "me too");
    w.make_operator(eve);
    w.line(eve, &format!("REDACT #茶 {id}"));
    assert!(!is_kept(&w, &id), "an operator of the server");
}

#[test]
fn in_private_both_sides_see_it_go_and_nobody_else_can_do_it() {
    let mut w = World::new();
    let [phone, ben, eve] = ["anna", "ben", "eve"].map(|name| person(&mut w, name, CAPS));
    let laptop = w.join_with_caps("laptop", CAPS);
    w.log_in(laptop, "anna");
    w.make_operator(eve);
    let id = say(&mut w, phone, "ben", "算了");
    assert_eq!(refusal(&w.ask(eve, &format!("REDACT ben {id}"))), format!("UNKNOWN_MSGID ben {id}"));
    assert_eq!(refusal(&w.ask(ben, &format!("REDACT anna {id}"))), format!("REDACT_FORBIDDEN anna {id}"));
    let lines = w.ask(phone, &format!("REDACT ben {id}"));
    assert!(lines[0].ends_with(&format!(" REDACT ben {id}")), "{lines:?}");
    assert_eq!((w.said_to(ben), w.said_to(laptop)), (lines.clone(), lines));
    assert_eq!(w.said_to(eve), [""; 0]);
    assert!(!is_kept(&w, &id));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut w = World::new();
    let anna = person(&mut w, "anna", CAPS);
    for (line, wanted) in [
        ("REDACT #elsewhere 1", "INVALID_TARGET #elsewhere"),
        ("REDACT nobody 1", "INVALID_TARGET nobody"),
        ("REDACT #lobby zzz", "UNKNOWN_MSGID #lobby zzz"),
        ("REDACT #lobby :a b", "UNKNOWN_MSGID #lobby *"),
        ("REDACT #lobby 0000000000000001", "UNKNOWN_MSGID #lobby 0000000000000001"),
    ] {
        assert_eq!(refusal(&w.ask(anna, line)), wanted);
    }
    let ben = person(&mut w, "ben", "standard-replies");
    assert_eq!(refusal(&w.ask(ben, "REDACT #lobby 0000000000000001")), "NEED_CAPABILITY");
}

#[test]
fn a_store_that_fails_leaves_it_and_says_so() {
    let mut w = World::new();
    let anna = person(&mut w, "anna", CAPS);
    let id = say(&mut w, anna, "#lobby", "口令是 123");
    w.asks_by_hand = true;
    w.line(anna, &format!("REDACT #lobby {id}"));
    w.answer(super::Found::Failed("disk on fire".into()));
    assert_eq!(refusal(&w.said_to(anna)), format!("TRY_AGAIN #lobby {id}"));
    assert!(w.chat.room_named("#lobby").unwrap().recent.iter().any(|event| event.msgid.unwrap().to_string() == id));
}
