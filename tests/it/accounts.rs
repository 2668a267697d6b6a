//! Accounts as people use them: registering, coming back, several devices, the command line beside a running server.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};

use crate::board::{Board, folder};
use crate::person::Person;

pub const PASSWORD: &str = "开门开门开门";

/// `gzy user …` with a password on standard input; what it printed.
pub fn user(data: &Path, words: &[&str], password: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gzy"));
    command.arg("user").args(words).arg("--data").arg(data);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // A command that asks for no password may have ended already.
    let _ = writeln!(process.stdin.take().unwrap(), "{password}");
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Somebody who comes in with SASL; the nick that they are welcomed under.
pub fn sasl(board: &Board, name: &str, password: &str) -> (Person, String) {
    let mut person = Person::connect(board);
    person.say(&format!("CAP REQ :sasl echo-message\r\nNICK {name}x\r\nUSER u 0 * :u\r\nAUTHENTICATE PLAIN"));
    person.hear("AUTHENTICATE +");
    person.say(&format!("AUTHENTICATE {}", Base64::encode_string(format!("\0{name}\0{password}").as_bytes())));
    person.hear(" 90");
    person.say("CAP END");
    let welcome = person.hear(" 001 ");
    person.settle();
    (person, welcome.split(' ').nth(2).unwrap().to_owned())
}

#[test]
fn an_account_survives_the_plug_and_is_known_by_name_and_number() {
    let data = folder();
    let board = Board::start_in(data.path(), &[]);
    let mut anna = Person::join(&board, "小阳");
    anna.say(&format!("PRIVMSG #lobby :！注册*小阳*{PASSWORD}"));
    assert!(anna.hear("注册成功").contains("编号 1000"));
    // What was acknowledged is on the disk.
    board.pull_the_plug();
    let board = Board::start_in(data.path(), &[]);
    for name in ["小阳", "1000"] {
        let (_, nick) = sasl(&board, name, PASSWORD);
        assert_eq!(nick, "小阳");
    }
    let (_, nick) = sasl(&board, "小阳", "falsch falsch");
    assert_eq!(nick, "小阳x", "a wrong password opens nothing");
    let mut eve = Person::connect(&board);
    eve.say("NICK 小阳\r\nUSER e 0 * :e");
    assert!(eve.hear(" 001 ").contains(" 小阳2 "), "the name is somebody's");
    assert!(board.log().contains("小阳 logs in as account 1000"));
    assert!(!board.log().contains(PASSWORD) && !board.log().contains("falsch"));
}

#[test]
fn two_devices_are_one_person_to_everybody_else() {
    let board = Board::start(&[]);
    user(board.data(), &["add", "小阳"], PASSWORD);
    let mut ben = Person::join(&board, "ben");
    let (mut phone, _) = sasl(&board, "小阳", PASSWORD);
    let (mut laptop, _) = sasl(&board, "1000", PASSWORD);
    let heard = ben.settle();
    assert_eq!(heard.iter().filter(|line| line.contains(" JOIN ")).count(), 1, "{heard:#?}");
    assert!(ben.ask("NAMES #lobby")[0].ends_with(":ben 小阳"));
    laptop.say("PRIVMSG #lobby :从电脑上\r\nPRIVMSG ben :悄悄");
    assert!(phone.hear("从电脑上").starts_with(":小阳!1000@"));
    assert!(phone.hear("悄悄").contains(" PRIVMSG ben "), "each sees what the others said");
    ben.say("PRIVMSG 1000 :收到");
    phone.hear("收到");
    laptop.hear("收到");
    phone.say("QUIT");
    phone.farewell();
    laptop.say("PRIVMSG #lobby :还在");
    let meanwhile: Vec<String> = std::iter::from_fn(|| ben.next().filter(|line| !line.ends_with(":还在"))).collect();
    assert!(meanwhile.iter().all(|line| !line.contains(" QUIT ")), "the person stays: {meanwhile:#?}");
    laptop.say("QUIT");
    ben.hear(" QUIT ");
}

#[test]
fn the_command_line_makes_and_removes_accounts_beside_a_running_server() {
    let board = Board::start(&[]);
    let mut ben = Person::join(&board, "ben");
    assert_eq!(user(board.data(), &["add", "anna"], PASSWORD), "anna is account 1000\n");
    let (mut anna, nick) = sasl(&board, "anna", PASSWORD);
    assert_eq!(nick, "anna");
    user(board.data(), &["passwd", "anna"], "another one");
    assert_eq!(sasl(&board, "anna", PASSWORD).1, "annax");
    user(board.data(), &["remove", "1000"], "");
    // The server notices at the next thing that it keeps.
    ben.say("PRIVMSG #lobby :hi");
    assert!(anna.farewell().iter().any(|line| line.contains("removed this account")));
    assert_eq!(sasl(&board, "anna", "another one").1, "annax", "nobody is there to be");
}

#[test]
fn a_pause_after_wrong_passwords_outlives_a_restart() {
    let data = folder();
    let board = Board::start_in(data.path(), &[]);
    user(data.path(), &["add", "anna"], PASSWORD);
    let guess = |eve: &mut Person| {
        eve.say("PRIVMSG #lobby :!login anna guess-guess");
        eve.hear("password")
    };
    // Five are free, and the sixth begins a pause. A connection takes five.
    for nick in ["eve", "mallory"] {
        let mut stranger = Person::join(&board, nick);
        (0..3).for_each(|_| assert!(guess(&mut stranger).contains("wrong password")));
    }
    assert!(guess(&mut Person::join(&board, "trudy")).contains("too many wrong passwords; try again in"));
    board.stop();
    let board = Board::start_in(data.path(), &[]);
    let mut eve = Person::join(&board, "eve");
    // As soon as the pause is over the next one is looked at; without a memory it would be the first of five.
    while guess(&mut eve).contains("try again in") {}
    assert!(guess(&mut eve).contains("try again in"), "the count goes on");
}

#[test]
fn who_has_no_account_stays_outside_where_guests_are_not_wanted() {
    let board = Board::start(&["--guests", "no", "--registration", "closed"]);
    user(board.data(), &["add", "anna"], PASSWORD);
    let mut eve = Person::connect(&board);
    eve.say("NICK eve\r\nUSER e 0 * :e");
    assert!(eve.farewell().iter().any(|line| line.contains("only people with an account")));
    assert_eq!(sasl(&board, "anna", PASSWORD).1, "anna");
    let mut eve = Person::connect(&board);
    eve.say("CAP LS 302\r\nREGISTER eve * secret-secret");
    eve.hear("the host makes the accounts");
}
