//! The receipt: a message comes back to its sender when it is on disk, once, whatever happens in between.

use crate::board::{Board, folder};
use crate::person::{HISTORIAN, Person, tag, text};

#[test]
fn a_receipt_carries_the_label_and_the_id_under_which_the_message_is_kept() {
    let board = Board::start(&[]);
    let mut anna = Person::join_with(&board, "anna", HISTORIAN);
    let mut ben = Person::join_with(&board, "ben", "message-tags");
    anna.say("@label=l1 PRIVMSG #lobby :记下来");
    let receipt = anna.hear("记下来");
    assert_eq!(tag(&receipt, "label").as_deref(), Some("l1"));
    let id = tag(&receipt, "msgid").expect("a receipt has an id");
    let live = ben.hear("记下来");
    assert_eq!(tag(&live, "msgid").as_ref(), Some(&id));
    assert_eq!(tag(&live, "label"), None, "a label is its sender's alone");
    assert_eq!(anna.history("#lobby"), [(id, "记下来".to_owned())]);
}

#[test]
fn a_label_without_echo_is_acknowledged_and_every_other_labelled_command_is_answered() {
    let board = Board::start(&[]);
    let mut anna = Person::join_with(&board, "anna", "batch labeled-response");
    anna.say("@label=a PRIVMSG #lobby :hi");
    assert!(anna.hear("label=a").ends_with(" ACK"));
    anna.say("@label=b PING x");
    assert!(anna.hear("label=b").contains(" PONG "));
    anna.say("@label=c PONG x");
    assert!(anna.hear("label=c").ends_with(" ACK"));
    anna.say("@label=d JOIN #labelled");
    let opened = anna.hear("label=d");
    assert!(opened.contains(" BATCH +") && opened.ends_with(" labeled-response"), "{opened}");
    anna.say("@label=e NOSUCH");
    assert!(anna.hear("label=e").contains(" 421 "));
}

#[test]
fn a_message_sent_again_is_acknowledged_again_and_said_once_even_after_a_restart() {
    let data = folder();
    let (board, again) = (Board::start_in(data.path(), &[]), "@+gzy/id=anna-1 PRIVMSG #lobby :只说一次");
    let mut ben = Person::join(&board, "ben");
    let mut anna = Person::join_with(&board, "anna", HISTORIAN);
    anna.say(again);
    let first = tag(&anna.hear("只说一次"), "msgid").expect("an id");
    anna.say(again);
    assert_eq!(tag(&anna.hear("只说一次"), "msgid"), Some(first.clone()));
    anna.say("PRIVMSG #lobby :然后");
    assert!(text(&ben.hear(" PRIVMSG ")) == "只说一次" && text(&ben.hear(" PRIVMSG ")) == "然后");
    anna.hear("然后");

    // On another connection of hers, too.
    drop(anna);
    let mut anna = Person::join_with(&board, "anna2", HISTORIAN);
    anna.say(again);
    assert_eq!(tag(&anna.hear("只说一次"), "msgid"), Some(first.clone()));

    board.pull_the_plug();
    let board = Board::start_in(data.path(), &[]);
    let mut anna = Person::join_with(&board, "anna", HISTORIAN);
    anna.say(again);
    assert_eq!(tag(&anna.hear("只说一次"), "msgid"), Some(first.clone()));
    let kept: Vec<String> = anna.history("#lobby").into_iter().map(|(_, text)| text).collect();
    assert_eq!(kept, ["只说一次", "然后"]);
}

#[test]
fn a_label_gets_exactly_one_answer_however_long_the_message_and_however_many_its_receivers() {
    let board = Board::start(&["--flood", "off"]);
    // Without gzy/long-lines the echo of a long text comes in pieces.
    let mut anna = Person::join_with(&board, "anna", "batch labeled-response echo-message message-tags");
    anna.ask("JOIN #other");
    let long = "长".repeat(600);
    let commands = [
        format!("PRIVMSG #lobby :{long}"),
        "PRIVMSG #lobby,#other :两处".to_owned(),
        "PRIVMSG #lobby,nobody :一处".to_owned(),
    ];
    for command in commands {
        anna.say(&format!("@label=one {command}"));
        anna.say("@label=end PRIVMSG #lobby :end");
        let mut labelled = 0;
        loop {
            let line = anna.next().expect("the connection stays");
            match tag(&line, "label").as_deref() {
                Some("one") => labelled += 1,
                Some("end") => break,
                _ => {}
            }
        }
        assert_eq!(labelled, 1, "{}", command.chars().take(30).collect::<String>());
    }
}
