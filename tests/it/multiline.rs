//! A poem of six lines: one message for the board, one for who takes it, six lines for everybody else.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::board::{Board, folder};
use crate::person::{HISTORIAN, Person, tag, text};

const POEM: [&str; 6] = ["静夜思", "", "床前明月光，", "疑是地上霜。", "！举头望明月，", "低头思故乡。"];

/// Sends the poem with a sender's own id.
fn recite(person: &mut Person) {
    person.say("@label=p;+gzy/id=poem-1 BATCH +1 draft/multiline #lobby");
    for line in POEM {
        person.say(&format!("@batch=1 PRIVMSG #lobby :{line}"));
    }
    person.say("BATCH -1");
}

/// Reads a batch from its first line; returns that line and what the batch says.
fn read_batch(person: &mut Person, opened: String) -> (String, Vec<String>) {
    let name = opened.split_once(" BATCH +").unwrap().1.split(' ').next().unwrap().to_owned();
    let mut lines = Vec::new();
    loop {
        let line = person.next().expect("a batch that is begun is ended");
        if line.ends_with(&format!(" BATCH -{name}")) {
            return (opened, lines);
        }
        assert_eq!(tag(&line, "batch").as_deref(), Some(&*name), "{line}");
        lines.push(text(&line));
    }
}

#[test]
fn a_poem_is_one_message_and_is_kept_as_one_through_a_pulled_plug() {
    let data = folder();
    let board = Board::start_in(data.path(), &[]);
    let modern = format!("{HISTORIAN} draft/multiline");
    let mut ben = Person::join(&board, "ben");
    let mut 小阳 = Person::join_with(&board, "小阳", &modern);
    let mut anna = Person::join_with(&board, "anna", &modern);
    recite(&mut anna);
    let opened = anna.hear("draft/multiline");
    let (receipt, lines) = read_batch(&mut anna, opened);
    let id = tag(&receipt, "msgid").expect("a receipt has an id");
    assert_eq!((tag(&receipt, "label").as_deref(), lines), (Some("p"), POEM.map(str::to_owned).to_vec()));
    let opened = 小阳.hear("draft/multiline");
    let (live, lines) = read_batch(&mut 小阳, opened);
    assert_eq!((tag(&live, "msgid"), lines), (Some(id.clone()), POEM.map(str::to_owned).to_vec()));
    for line in POEM.into_iter().filter(|line| !line.is_empty()) {
        assert_eq!(text(&ben.hear(" PRIVMSG ")), line);
    }

    // What has a receipt is on the disk; sent again it is not said again.
    board.pull_the_plug();
    let board = Board::start_in(data.path(), &[]);
    let mut anna = Person::join_with(&board, "anna", &modern);
    recite(&mut anna);
    assert_eq!(tag(&anna.hear("label=p"), "msgid"), Some(id.clone()));
    anna.settle();
    anna.say("CHATHISTORY LATEST #lobby * 10");
    anna.hear(" chathistory ");
    let opened = anna.next().unwrap();
    let (kept, lines) = read_batch(&mut anna, opened);
    assert_eq!((tag(&kept, "msgid"), lines.len()), (Some(id), POEM.len()));
    assert!(anna.next().unwrap().contains(" BATCH -h"), "it is there once");
}

#[test]
fn what_a_script_pipes_into_say_is_one_message() {
    let board = Board::start(&[]);
    let mut anna = Person::join_with(&board, "anna", &format!("{HISTORIAN} draft/multiline"));
    let config = folder();
    let mut say = Command::new(env!("CARGO_BIN_EXE_gzy"))
        .args(["say", &board.address.to_string(), "--nick", "df", "--plain"])
        .env("XDG_CONFIG_HOME", config.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut piped = say.stdin.take().unwrap();
    piped.write_all("Filesystem  Use%\n/dev/sda1    42%\n!bye\n".as_bytes()).unwrap();
    drop(piped);
    let opened = anna.hear(" BATCH +m");
    assert_eq!(read_batch(&mut anna, opened).1, ["Filesystem  Use%", "/dev/sda1    42%", "!bye"]);
    assert!(say.wait().unwrap().success());
}
