//! A message of several lines, from its first line to what others hear.

use super::super::ConnId;
use super::super::testing::World;
use super::*;

const CAPS: &str = "batch message-tags draft/multiline standard-replies";

/// Sends a message of several lines; an empty string is an empty line.
fn send(w: &mut World, who: ConnId, tags: &str, target: &str, lines: &[&str]) -> Vec<String> {
    w.line(who, &format!("{tags}BATCH +1 draft/multiline {target}"));
    for line in lines {
        w.line(who, &format!("@batch=1 PRIVMSG {target} :{line}"));
    }
    w.ask(who, "BATCH -1")
}

fn fail(rest: &str) -> Vec<String> {
    vec![format!(":gzy.local FAIL BATCH {rest}")]
}

#[test]
fn a_poem_is_one_message_for_who_takes_it_and_lines_for_others() {
    let mut w = World::new();
    let (anna, ben) = (w.join_with_caps("anna", CAPS), w.join("ben"));
    let 小阳 = w.join_with_caps("小阳", CAPS);
    assert_eq!(send(&mut w, anna, "", "#lobby", &["床前明月光", "", "疑是地上霜"]), [""; 0]);
    let id = w.unsaved[0].message.id;
    assert_eq!(&*w.unsaved[0].message.text, "床前明月光\n\n疑是地上霜");
    assert_eq!(w.unsaved.len(), 1, "one message is one row");
    let head = format!(":{} PRIVMSG #lobby", w.source(anna));
    assert_eq!(w.said_to(ben), [format!("{head} :床前明月光"), format!("{head} :疑是地上霜")]);
    let heard = w.said_to(小阳);
    assert_eq!(heard[0], format!("@msgid={id} :{} BATCH +m{id} draft/multiline #lobby", w.source(anna)));
    assert_eq!(heard[2], format!("@batch=m{id} {head} :"));
    assert_eq!((heard.len(), &*heard[4]), (5, &*format!(":{} BATCH -m{id}", w.source(anna))));
}

#[test]
fn pieces_of_one_line_are_put_together_and_kinds_kept_apart() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", CAPS);
    w.line(anna, "BATCH +a draft/multiline #LOBBY");
    w.line(anna, "@batch=a;draft/multiline-concat NOTICE #lobby :你好，");
    w.line(anna, "@draft/multiline-concat;batch=a NOTICE #lobby :世界");
    assert_eq!(w.ask(anna, "BATCH -a"), [""; 0]);
    assert_eq!((&*w.unsaved[0].message.text, w.unsaved[0].message.kind), ("你好，世界", Kind::Notice));
    w.line(anna, "BATCH +a draft/multiline #lobby");
    w.line(anna, "@batch=a NOTICE #lobby :一");
    let refused = fail("MULTILINE_INVALID :a message is either PRIVMSG or NOTICE");
    assert_eq!(w.ask(anna, "@batch=a PRIVMSG #lobby :二"), refused);
    assert_eq!(w.ask(anna, "@batch=a PRIVMSG #lobby :三"), [""; 0], "it is told once");
    assert_eq!(w.ask(anna, "BATCH -a"), [""; 0]);
    assert_eq!(w.unsaved.len(), 1);
}

#[test]
fn the_receipt_is_the_whole_message_with_the_label_on_its_first_line() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", &format!("{CAPS} echo-message labeled-response"));
    assert_eq!(send(&mut w, anna, "@label=x;+gzy/id=7 ", "#lobby", &["一", "二"]), [""; 0], "it waits for the disk");
    w.save();
    let receipt = w.said_to(anna);
    let id = w.stored[0].id;
    assert!(receipt[0].starts_with(&format!("@label=x;msgid={id};+gzy/id=7 ")), "{receipt:?}");
    assert_eq!((receipt.len(), receipt.iter().filter(|line| line.contains("label=")).count()), (4, 1));
    let again = send(&mut w, anna, "@label=y;+gzy/id=7 ", "#lobby", &["一", "二"]);
    assert!(again[0].starts_with(&format!("@label=y;msgid={id};")), "sent again it gets the first receipt: {again:?}");
    assert_eq!(w.unsaved.len(), 0);
}

#[test]
fn who_may_not_speak_may_not_paste_and_the_label_says_so() {
    let mut w = World::new();
    let (anna, ben) = (w.join_with_caps("anna", &format!("{CAPS} labeled-response")), w.join("ben"));
    w.make_operator(ben);
    w.line(ben, "JOIN #茶");
    w.line(ben, "MODE #茶 +m");
    w.line(anna, "JOIN #茶");
    w.drain();
    let refused = send(&mut w, anna, "@label=x ", "#茶", &["一", "二"]);
    assert!(refused.len() == 1 && refused[0].starts_with("@label=x :gzy.local 404 anna #茶 :"), "{refused:?}");
    assert!(send(&mut w, anna, "", "nobody", &["一", "二"])[0].contains(" 401 anna nobody "));
    assert_eq!(w.said_to(ben), [""; 0]);
    send(&mut w, anna, "", "ben", &["嘘", "别说"]);
    let head = format!(":{} PRIVMSG ben", w.source(anna));
    assert_eq!(w.said_to(ben), [format!("{head} :嘘"), format!("{head} :别说")], "in private it is the same");
}

#[test]
fn limits_are_told_by_their_names_and_hold_to_the_byte() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", CAPS);
    let line = "x".repeat(255);
    w.line(anna, "BATCH +1 draft/multiline #lobby");
    for _ in 0..MULTILINE_LINES {
        w.line(anna, "@batch=1 PRIVMSG #lobby :x");
    }
    let refused = fail("MULTILINE_MAX_LINES 100 :that message has too many lines; send it in parts");
    assert_eq!(w.ask(anna, "@batch=1 PRIVMSG #lobby :x"), refused);
    assert_eq!((w.ask(anna, "BATCH -1"), w.unsaved.len(), w.chat.batch_bytes), (vec![], 0, 0));
    let long = line.repeat(16);
    w.line(anna, "BATCH +1 draft/multiline #lobby");
    for _ in 0..MULTILINE_BYTES / (long.len() + 1) {
        w.line(anna, &format!("@batch=1 PRIVMSG #lobby :{long}"));
    }
    assert!(w.said_to(anna).is_empty() && w.chat.batch_bytes + long.len() > MULTILINE_BYTES);
    let refused = fail("MULTILINE_MAX_BYTES 65536 :that message is too long; send it in parts");
    assert_eq!(w.ask(anna, &format!("@batch=1 PRIVMSG #lobby :{long}")), refused);
    assert_eq!((w.ask(anna, "BATCH -1"), w.unsaved.len(), w.chat.batch_bytes), (vec![], 0, 0));
}

#[test]
fn what_is_no_message_is_refused_as_the_specification_says() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", CAPS);
    w.line(anna, "BATCH +1 draft/multiline #lobby");
    let elsewhere = "all lines of a message go to the same room or person";
    let refused = fail(&format!("MULTILINE_INVALID_TARGET #lobby #other :{elsewhere}"));
    assert_eq!(w.ask(anna, "@batch=1 PRIVMSG #other :x"), refused);
    assert_eq!(w.ask(anna, "BATCH -1"), [""; 0]);
    let nothing = fail("MULTILINE_INVALID :there is no text to send");
    assert_eq!(send(&mut w, anna, "", "#lobby", &[]), nothing);
    let empty = fail("MULTILINE_INVALID :a message of empty lines says nothing");
    assert_eq!(send(&mut w, anna, "", "#lobby", &["", ""]), empty);
    let unknown = fail("MULTILINE_INVALID :no message of that name has begun");
    for line in ["BATCH -1", "BATCH 1", "BATCH +", "@batch=1 PRIVMSG #lobby :x"] {
        assert_eq!(w.ask(anna, line), unknown, "{line}");
    }
    assert!(w.ask(anna, "BATCH +1 netsplit a b")[0].contains(" UNKNOWN_TYPE "));
    assert!(w.ask(anna, "BATCH +1 draft/multiline")[0].contains(" MULTILINE_INVALID "));
    let ben = w.join_with_caps("ben", "draft/multiline standard-replies");
    assert!(w.ask(ben, "BATCH +1 draft/multiline #lobby")[0].contains(" NEED_CAPABILITY "));
    assert_eq!(w.unsaved.len(), 0);
}

#[test]
fn another_command_in_between_ends_it_but_an_answer_to_a_ping_does_not() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", &format!("{CAPS} labeled-response"));
    w.line(anna, "@label=a BATCH +1 draft/multiline #lobby");
    w.line(anna, "@batch=1 PRIVMSG #lobby :一");
    assert_eq!(w.ask(anna, "PONG gzy.local"), [""; 0]);
    assert_eq!(w.ask(anna, "PING x"), [":gzy.local PONG gzy.local :x"]);
    let answers = w.ask(anna, "@label=b ISON anna");
    let broken_off = "that message was broken off by another command";
    let refused = format!("@label=a :gzy.local FAIL BATCH MULTILINE_INVALID :{broken_off}");
    assert_eq!(answers, [refused, "@label=b :gzy.local 303 anna :anna".into()], "each label has its own answer");
    assert_eq!((w.ask(anna, "@batch=1 PRIVMSG #lobby :二"), w.ask(anna, "BATCH -1")), (vec![], vec![]));
    assert_eq!((w.unsaved.len(), w.chat.batch_bytes), (0, 0));
}

#[test]
fn a_message_without_end_is_given_up_and_one_of_a_lost_link_forgotten() {
    let mut w = World::new();
    let (anna, eve) = (w.join_with_caps("anna", CAPS), w.join_with_caps("eve", CAPS));
    for who in [anna, eve] {
        w.line(who, "BATCH +1 draft/multiline #lobby");
        w.line(who, "@batch=1 PRIVMSG #lobby :一");
    }
    assert_eq!(w.chat.batch_bytes, 6);
    w.lose(eve);
    assert_eq!(w.chat.batch_bytes, 3);
    w.pass_ms(MULTILINE_MS - 2000);
    assert!(!w.said_to(anna).iter().any(|line| line.contains("FAIL")));
    w.pass_ms(3000);
    assert_eq!(w.said_to(anna), fail("MULTILINE_INVALID :that message was not ended; send it again"));
    assert_eq!((w.ask(anna, "BATCH -1"), w.unsaved.len(), w.chat.batch_bytes), (vec![], 0, 0));
}

#[test]
fn strangers_who_never_end_cost_so_much_and_no_more() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", CAPS);
    w.line(anna, "BATCH +1 draft/multiline #lobby");
    w.chat.batch_bytes = MULTILINES_BYTES;
    assert!(w.ask(anna, "@batch=1 PRIVMSG #lobby :一")[0].contains(" MULTILINE_INVALID :too many long messages"));
}

#[test]
fn a_pasted_list_of_commands_is_shown_and_not_carried_out() {
    let mut w = World::new();
    let (anna, ben) = (w.join_with_caps("anna", CAPS), w.join("ben"));
    send(&mut w, anna, "", "#lobby", &["!bye", "！退出"]);
    let head = format!(":{} PRIVMSG #lobby", w.source(anna));
    assert_eq!(w.said_to(ben), [format!("{head} :!bye"), format!("{head} :！退出")]);
    assert_eq!(send(&mut w, anna, "", "#lobby", &["!howmany"]), [":gzy.local NOTICE #lobby :2 people here"]);
    send(&mut w, anna, "", "#lobby", &["!!howmany"]);
    assert_eq!(w.said_to(ben), [format!("{head} :!howmany")]);
}

#[test]
fn history_replay_and_search_know_it_as_one() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", CAPS);
    send(&mut w, anna, "", "#lobby", &["床前明月光", "疑是地上霜"]);
    w.save();
    let (id, source) = (w.stored[0].id, w.source(anna));
    let 小阳 = w.join_with_caps("小阳", &format!("{CAPS} draft/chathistory"));
    let history = w.ask(小阳, "CHATHISTORY LATEST #lobby * 10");
    assert_eq!(history.len(), 6);
    assert_eq!(history[1], format!("@batch=h2;msgid={id} :{source} BATCH +m{id} draft/multiline #lobby"));
    assert_eq!(history[4], format!("@batch=h2 :{source} BATCH -m{id}"));
    let ben = w.join_with_caps("ben", "batch message-tags draft/chathistory");
    let history = w.ask(ben, "CHATHISTORY LATEST #lobby * 10");
    assert_eq!(history[1], format!("@batch=h3;msgid={id} :{source} PRIVMSG #lobby :床前明月光"));
    assert_eq!(history[2], format!("@batch=h3 :{source} PRIVMSG #lobby :疑是地上霜"));
    let found = w.ask(ben, "PRIVMSG #lobby :!search 地上");
    let list =
        [":gzy.local NOTICE #lobby :21:19 anna: 床前明月光 ↵ 疑是地上霜", ":gzy.local NOTICE #lobby :1 line found"];
    assert_eq!(found, list);
    let eve = w.connect();
    w.line(eve, "NICK eve");
    let replay = w.ask(eve, "USER eve 0 * :Eve");
    assert_eq!(
        replay[replay.len() - 2..],
        ["床前明月光", "疑是地上霜"].map(|line| format!(":{source} PRIVMSG #lobby :{line}"))
    );
}

#[test]
fn many_long_messages_are_read_in_parts_and_are_no_greeting() {
    let mut w = World::new();
    let anna = w.join_with_caps("anna", &format!("{CAPS} draft/chathistory"));
    let line = "x".repeat(400);
    for _ in 0..20 {
        send(&mut w, anna, "", "#lobby", &[line.as_str(); MULTILINE_LINES]);
        w.save();
    }
    let ids = |lines: &[String]| -> Vec<String> {
        let opened = lines.iter().filter_map(|line| line.split_once(" BATCH +m"));
        opened.map(|(_, rest)| rest.split(' ').next().unwrap().to_owned()).collect()
    };
    let all: Vec<String> = w.stored.iter().map(|message| message.id.to_string()).collect();
    let latest = ids(&w.ask(anna, "CHATHISTORY LATEST #lobby * 100"));
    assert!(latest.len() > 4 && all.ends_with(&latest), "{latest:?}");
    let mut read = Vec::new();
    while read.len() < all.len() {
        let after = read.last().map_or("timestamp=1970-01-01T00:00:00.000Z".into(), |id| format!("msgid={id}"));
        let part = ids(&w.ask(anna, &format!("CHATHISTORY AFTER #lobby {after} 100")));
        assert!(!part.is_empty(), "it goes on");
        read.extend(part);
    }
    assert_eq!(read, all);
    let eve = w.connect();
    w.line(eve, "NICK eve");
    let replay = w.ask(eve, "USER eve 0 * :Eve");
    assert_eq!(replay.iter().filter(|line| line.contains(" PRIVMSG ")).count(), MULTILINE_LINES);
}
