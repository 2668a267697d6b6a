//! People talk: in the lobby, in Chinese, with names that are their own.

use crate::board::Board;
use crate::person::{HISTORIAN, Person, tag, text};

#[test]
fn two_people_talk_chinese_in_the_lobby() {
    let board = Board::start(&[]);
    let mut anna = Person::join(&board, "anna");
    let mut 小阳 = Person::join(&board, "小阳");
    assert!(anna.hear("欢迎 小阳").contains("NOTICE #lobby"));
    anna.say("PRIVMSG #lobby :你好，小阳");
    assert!(小阳.hear("你好，小阳").starts_with(":anna!"));
    小阳.say("PRIVMSG #lobby :吃了吗？😀");
    assert!(anna.hear("吃了吗？😀").starts_with(":小阳!"));
    小阳.say("PRIVMSG anna :悄悄话");
    assert!(anna.hear("悄悄话").contains(" PRIVMSG anna :"));
    小阳.say("QUIT :回家");
    assert!(anna.hear("QUIT").ends_with(":Quit: 回家"));
    assert!(anna.hear("还有 1 人").contains("小阳 left"));
    assert!(小阳.farewell().last().unwrap().starts_with("ERROR :"));
}

#[test]
fn a_taken_nick_is_refused_with_a_free_one_and_the_connection_stays() {
    let board = Board::start(&[]);
    let _anna = Person::join(&board, "anna");
    let mut eve = Person::connect(&board);
    eve.say("USER eve 0 * :eve");
    // A Cyrillic а looks like the Latin one.
    for look_alike in ["anna", "ANNA", "\u{430}nna"] {
        eve.say(&format!("NICK {look_alike}"));
        let refusal = eve.hear(" 433 ");
        let free = refusal.rsplit("; ").next().unwrap().strip_suffix(" is free").expect("a suggestion").to_owned();
        assert!(!free.is_empty() && free != look_alike, "{refusal}");
    }
    eve.say("NICK anna");
    let refusal = eve.hear(" 433 ");
    let free = refusal.rsplit("; ").next().unwrap().strip_suffix(" is free").unwrap().to_owned();
    eve.say(&format!("NICK {free}"));
    assert!(eve.hear(" 001 ").contains(&free));
}

#[test]
fn a_newcomer_is_shown_the_last_ten_messages_and_then_live_talk() {
    let board = Board::start(&["--flood", "off"]);
    let mut anna = Person::join_with(&board, "anna", "echo-message");
    for number in 1..=12 {
        anna.say(&format!("PRIVMSG #lobby :第{number}句"));
    }
    // The store answers in order: with this receipt it has also told what was said before the server started.
    anna.hear("第12句");
    let mut ben = Person::connect(&board);
    let shown = ben.register("ben", "");
    let shown: Vec<String> = shown.iter().filter(|line| line.contains(" PRIVMSG ")).map(|line| text(line)).collect();
    let expected: Vec<String> = (3..=12).map(|number| format!("第{number}句")).collect();
    assert_eq!(shown, expected);
    anna.say("PRIVMSG #lobby :现在");
    assert!(ben.hear(" PRIVMSG ").ends_with(":现在"));
}

#[test]
fn a_long_paragraph_reaches_a_classic_client_in_pieces_and_others_whole() {
    let board = Board::start(&[]);
    let mut anna = Person::join_with(&board, "anna", "gzy/long-lines");
    let mut ben = Person::join(&board, "ben");
    let mut 小阳 = Person::join_with(&board, "小阳", "gzy/long-lines");
    let paragraph = "我在上海。".repeat(200);
    anna.say(&format!("PRIVMSG #lobby :{paragraph}"));
    anna.say("PRIVMSG #lobby :完");
    assert_eq!(text(&小阳.hear(" PRIVMSG ")), paragraph);
    let mut whole = String::new();
    loop {
        let piece = ben.hear(" PRIVMSG ");
        assert!(piece.len() + 2 <= 512);
        if text(&piece) == "完" {
            break;
        }
        whole += &text(&piece);
    }
    assert_eq!(whole, paragraph);
}

#[test]
fn a_line_that_is_not_as_it_should_be_is_refused_and_the_next_one_is_taken() {
    let board = Board::start(&[]);
    let mut anna = Person::join_with(&board, "anna", "standard-replies");
    anna.say(&format!("PRIVMSG #lobby :{}", "长".repeat(4000)));
    assert!(anna.hear(" 417 ").contains("too long"));
    anna.send(b"PRIVMSG #lobby :\xff\xfe\r\n");
    assert!(anna.hear(" FAIL ").contains("INVALID_UTF8"));
    anna.send(b"PRIVMSG #lobby :a\0b\r\n");
    assert!(anna.hear(" FAIL ").contains("NUL"));
    let overlong_tags = format!("@+x={} PRIVMSG #lobby :hi", "y".repeat(5000));
    anna.say(&overlong_tags);
    anna.hear(" 417 ");
    let mut ben = Person::join(&board, "ben");
    anna.say("PRIVMSG #lobby :还在");
    assert!(ben.hear(" PRIVMSG ").ends_with(":还在"), "nothing of what was refused was said");
}

#[test]
fn what_cannot_be_a_nick_is_refused_with_a_reason_and_asked_for_again() {
    let board = Board::start(&[]);
    let mut eve = Person::connect(&board);
    eve.say("USER eve 0 * :eve");
    let ten_kilobytes = "e".repeat(3000);
    for rubbish in ["   ", ":", ":  ", ":a b", "#eve", "123", "e\u{200b}ve", "\u{202e}eve", "e!ve", &ten_kilobytes] {
        let answer = eve.ask(&format!("NICK {rubbish}"));
        let refused = answer.iter().any(|line| line.contains(" 432 ") || line.contains(" 431 "));
        assert!(refused && answer.len() == 1, "{rubbish:?}: {answer:?}");
    }
    eve.say(&format!("NICK {}", "e".repeat(10_000)));
    eve.hear(" 417 ");
    eve.say("NICK eve");
    eve.hear(" 001 ");
}

#[test]
fn a_history_is_read_in_pages_without_gap_or_double() {
    let board = Board::start(&["--flood", "off"]);
    let mut anna = Person::join_with(&board, "anna", HISTORIAN);
    for number in 0..250 {
        anna.say(&format!("PRIVMSG #lobby :{number}"));
    }
    anna.hear(" PRIVMSG #lobby :249");
    let all: Vec<String> = anna.history("#lobby").into_iter().map(|(_, text)| text).collect();
    let expected: Vec<String> = (0..250).map(|number| number.to_string()).collect();
    assert_eq!(all, expected);
    let latest = anna.ask("@label=L CHATHISTORY LATEST #lobby * 2");
    assert_eq!(tag(&latest[0], "label").as_deref(), Some("L"));
    let texts: Vec<String> = latest.iter().filter(|line| line.contains(" PRIVMSG ")).map(|line| text(line)).collect();
    assert_eq!(texts, ["248", "249"]);
    let refused = anna.ask("CHATHISTORY LATEST #elsewhere * 2");
    assert!(refused[0].contains("FAIL CHATHISTORY INVALID_TARGET"), "{refused:?}");
}
