//! What was said in private and in rooms, found again: over restarts, on other devices, and gone when it was taken back.

use base64ct::{Base64, Encoding};

use crate::board::{Board, folder};
use crate::person::{HISTORIAN, Person, tag, text};

const PASSWORD: &str = "开门开门开门";

/// Everything that a program of today takes.
const ALL: &str = "draft/read-marker draft/message-redaction soju.im/search";

/// Somebody with an account, made if it is not there.
fn person(board: &Board, name: &str, caps: &str) -> Person {
    let mut person = Person::connect(board);
    person.say(&format!(
        "CAP REQ :{caps}\r\nCAP REQ :sasl draft/account-registration standard-replies\r\nNICK {name}\r\nUSER u 0 * :u"
    ));
    person.say(&format!("REGISTER * * {PASSWORD}"));
    if person.hear(" REGISTER ").contains("FAIL") {
        person.say("AUTHENTICATE PLAIN");
        person.hear("AUTHENTICATE +");
        person.say(&format!("AUTHENTICATE {}", Base64::encode_string(format!("\0{name}\0{PASSWORD}").as_bytes())));
        person.hear(" 903 ");
    }
    person.say("CAP END");
    person.hear(" 001 ");
    person
}

fn program(board: &Board, name: &str) -> Person {
    let mut person = person(board, name, &format!("{HISTORIAN} {ALL}"));
    person.settle();
    person
}

/// Says something and waits until it is on the disk, and everything before it; its id.
fn say(person: &mut Person, to: &str, words: &str) -> String {
    person.say(&format!("PRIVMSG {to} :{words}"));
    tag(&person.hear(&format!(" PRIVMSG {to} :{words}")), "msgid").unwrap()
}

fn texts(lines: &[String]) -> Vec<String> {
    lines.iter().filter(|line| line.contains(" PRIVMSG ")).map(|line| text(line)).collect()
}

#[test]
fn private_messages_wait_over_a_restart_and_are_shown_once() {
    let data = folder();
    let board = Board::start_in(data.path(), &[]);
    drop(person(&board, "anna", "batch"));
    let mut ben = program(&board, "ben");
    say(&mut ben, "anna", "在吗");
    ben.say("PRIVMSG 1000 :回来说");
    ben.hear(" PRIVMSG anna :回来说");
    board.pull_the_plug();

    let board = Board::start_in(data.path(), &[]);
    let mut anna = person(&board, "anna", "server-time");
    let first = anna.hear("在吗");
    assert!(first.starts_with("@time=") && first.contains(":ben!1001@account.gzy PRIVMSG anna "), "{first}");
    anna.hear("回来说");
    let mut ben = program(&board, "ben");
    say(&mut ben, "anna", "现在呢");
    anna.hear("现在呢");
    say(&mut ben, "#lobby", "存好了");
    board.pull_the_plug();

    let board = Board::start_in(data.path(), &[]);
    let mut anna = person(&board, "anna", "server-time");
    assert_eq!(texts(&anna.settle()).iter().filter(|text| *text != "存好了").count(), 0, "nothing is shown again");
    let mut phone = program(&board, "anna");
    let targets =
        phone.ask("CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 9");
    let named: Vec<&str> = targets.iter().filter_map(|line| line.split(' ').nth(4)).collect();
    assert_eq!(named, ["ben", "#lobby"], "{targets:?}");
    assert_eq!(texts(&phone.ask("CHATHISTORY LATEST ben * 9")), ["在吗", "回来说", "现在呢"]);
}

#[test]
fn a_phone_and_a_laptop_agree_on_what_was_read_over_a_restart_too() {
    let data = folder();
    let board = Board::start_in(data.path(), &[]);
    let [mut phone, mut laptop] = [0, 1].map(|_| program(&board, "anna"));
    let mark = "timestamp=2026-01-02T03:04:05.678Z";
    phone.say(&format!("MARKREAD #lobby {mark}"));
    laptop.hear(&format!("MARKREAD #lobby {mark}"));
    say(&mut phone, "#lobby", "读到这里");
    board.pull_the_plug();
    let board = Board::start_in(data.path(), &[]);
    let mut tablet = person(&board, "anna", &format!("{HISTORIAN} {ALL}"));
    tablet.hear(&format!("MARKREAD #lobby {mark}"));
    assert_eq!(tablet.ask("MARKREAD #lobby"), [format!(":gzy.local MARKREAD #lobby {mark}")]);
}

#[test]
fn what_was_taken_back_is_found_by_nobody_any_more() {
    let data = folder();
    let board = Board::start_in(data.path(), &[]);
    let [mut anna, mut ben] = ["anna", "ben"].map(|name| program(&board, name));
    let secret = say(&mut anna, "#lobby", "口令是芝麻开门");
    say(&mut anna, "ben", "口令我只告诉你");
    assert_eq!(texts(&ben.ask("SEARCH text=口令")), ["口令是芝麻开门", "口令我只告诉你"]);
    assert!(ben.ask(&format!("REDACT #lobby {secret}"))[0].contains(" REDACT_FORBIDDEN "));
    anna.say(&format!("REDACT #lobby {secret} :手滑"));
    assert!(ben.hear(" REDACT ").ends_with(&format!(" REDACT #lobby {secret} :手滑")));
    let is_gone = |ben: &mut Person| {
        assert_eq!(texts(&ben.ask("SEARCH text=口令")), ["口令我只告诉你"]);
        assert_eq!(texts(&ben.ask("SEARCH text=芝麻;in=#lobby")), [""; 0]);
        assert_eq!(texts(&ben.ask("CHATHISTORY AROUND #lobby timestamp=2026-01-01T00:00:00.000Z 9")), [""; 0]);
    };
    is_gone(&mut ben);
    board.pull_the_plug();
    let board = Board::start_in(data.path(), &[]);
    is_gone(&mut program(&board, "ben"));
}
