//! Clients that behave badly: too fast, too much, at the wrong moment. The room goes on.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::board::Board;
use crate::person::{Person, text};

#[test]
fn a_burst_arrives_whole_and_in_order_only_slower() {
    let board = Board::start(&[]);
    let mut ben = Person::join(&board, "ben");
    let mut eve = Person::join(&board, "eve");
    let burst: Vec<String> = (0..32).map(|number| format!("PRIVMSG #lobby :{number}")).collect();
    let began = std::time::Instant::now();
    eve.say(&burst.join("\r\n"));
    for number in 0..32 {
        assert_eq!(text(&ben.hear(" PRIVMSG ")), number.to_string());
    }
    // 20 at once and 4 a second: the last dozen cannot have come in the first second. A slow machine only makes it later.
    assert!(began.elapsed().as_millis() >= 1000, "the flood limit held nothing back");
}

#[test]
fn what_comes_behind_a_goodbye_is_not_said() {
    let board = Board::start(&["--flood", "off"]);
    let mut anna = Person::join(&board, "anna");
    for round in 0..20 {
        let mut eve = Person::join(&board, "eve");
        let more = "PRIVMSG #lobby :too late\r\nNICK anna2\r\nJOIN #eve\r\n".repeat(50);
        eve.send(format!("PRIVMSG #lobby :last {round}\r\nQUIT :bye\r\n{more}").as_bytes());
        assert_eq!(text(&anna.hear(" PRIVMSG ")), format!("last {round}"));
        assert!(anna.hear(" QUIT ").ends_with(":Quit: bye"));
        // The goodbye is read to its end: what was still coming does not turn it into a reset.
        assert!(eve.farewell().last().unwrap().starts_with("ERROR :"), "round {round}");
    }
    let heard = anna.settle();
    assert!(!heard.iter().any(|line| line.contains("too late")), "{heard:?}");
}

#[test]
fn talking_while_being_kicked_is_refused_in_words_and_the_connection_stays() {
    let board = Board::start(&["--flood", "off"]);
    let mut anna = Person::join(&board, "anna");
    anna.ask("JOIN #class");
    let mut eve = Person::join(&board, "eve");
    eve.ask("JOIN #class");
    let chatter: Vec<String> = (0..500).map(|number| format!("PRIVMSG #class :{number}")).collect();
    eve.say(&chatter.join("\r\n"));
    anna.hear(" PRIVMSG ");
    anna.say("KICK #class eve :安静");
    assert!(eve.hear(" KICK ").ends_with(":安静"));
    eve.say("PRIVMSG #class :I am still talking");
    let refused = eve.settle();
    let codes = |line: &&String| line.contains(" 404 ") || line.contains(" 442 ") || line.contains(" 403 ");
    assert!(refused.iter().any(|line| codes(&line)), "{refused:?}");
    let heard = anna.settle();
    let kicked_at = heard.iter().position(|line| line.contains(" KICK ")).expect("anna sees the kick");
    assert!(heard[kicked_at..].iter().all(|line| !line.contains(" PRIVMSG ")), "nothing comes after the kick");
}

/// Does something with the accounts beside the running server; the password goes to standard input.
fn user(board: &Board, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gzy"));
    command.arg("user").args(words).arg("--data").arg(board.data()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    // A command that asks for no password may have ended already.
    let _ = process.stdin.take().unwrap().write_all("correct horse\n".as_bytes());
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_operator_made_beside_the_running_server_ends_a_chatterer_in_mid_sentence() {
    let board = Board::start(&["--flood", "off"]);
    assert_eq!(user(&board, &["add", "anna"]), "anna is account 1000\n");
    user(&board, &["admin", "anna"]);
    let mut anna = Person::join(&board, "anna");
    anna.say("OPER anna wrong");
    anna.hear(" 464 ");
    anna.say("OPER anna :correct horse");
    anna.hear(" 381 ");
    let mut eve = Person::join(&board, "eve");
    let chatter: Vec<String> = (0..2000).map(|number| format!("PRIVMSG #lobby :{number}")).collect();
    let (mut half, all) = (Person::join(&board, "ben"), chatter.join("\r\n"));
    eve.say(&all);
    anna.hear(":0");
    anna.say("KILL eve :enough");
    let quit = half.hear(" QUIT ");
    assert!(quit.starts_with(":eve!") && quit.contains("enough"), "{quit}");
    assert!(half.settle().iter().all(|line| !line.starts_with(":eve!")), "nothing comes after the goodbye");
    let goodbye = eve.farewell();
    assert!(goodbye.last().unwrap().starts_with("ERROR :"), "{:?}", goodbye.last());
    // The nick is free again.
    Person::join(&board, "eve");
}

#[test]
fn a_thousand_rooms_are_asked_for_and_as_many_given_as_one_may_have() {
    let board = Board::start(&["--flood", "off"]);
    let mut eve = Person::join(&board, "eve");
    for number in 0..1000 {
        eve.say(&format!("JOIN #{number}"));
    }
    let answers = eve.settle();
    let joined = answers.iter().filter(|line| line.starts_with(":eve!") && line.contains(" JOIN ")).count();
    let refused = answers.iter().filter(|line| line.contains(" 405 ")).count();
    let most = gzy::wire::limits::ROOMS_PER_SESSION;
    assert_eq!((joined, refused), (most - 1, 1001 - most), "the lobby counts too");
    let mut anna = Person::join(&board, "anna");
    anna.say("PRIVMSG eve :你好");
    assert_eq!(text(&eve.hear(" PRIVMSG ")), "你好");
}

#[test]
fn foreign_text_stands_escaped_in_the_log() {
    let board = Board::start(&[]);
    let mut anna = Person::join(&board, "anna");
    let mut eve = Person::join(&board, "eve");
    eve.say("QUIT :\u{1b}[31mred\u{1b}[0m \u{202e}backwards 小阳");
    anna.hear("eve left");
    anna.say("NICK 小安");
    anna.hear(" NICK ");
    let log = board.log();
    assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'), "{log}");
    for words in ["anna is in, from 127.0.0.1", "eve is in", "eve left", "小阳", "小安"] {
        assert!(log.contains(words), "{words}: {log}");
    }
}
