//! A receiver that never reads: it is cut, the others lose nothing, and it finds the rest in the history.

use std::collections::HashSet;
use std::net::TcpStream;
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::board::Board;
use crate::person::{HISTORIAN, Person, tag, text};
use crate::tls;

/// More than the send queue and the buffers of the system take together.
const MOST_MESSAGES: usize = 4000;
/// Sent between two looks at whether the slow one is gone.
const MESSAGES_PER_ROUND: usize = 20;

/// A connection whose system buffers next to nothing.
fn with_a_small_buffer(board: &Board) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&board.address.into()).unwrap();
    TcpStream::from(socket)
}

#[test]
fn a_reader_that_never_reads_is_cut_and_the_room_goes_on() {
    let board = Board::start(&["--flood", "off"]);
    let slow = Person::over(with_a_small_buffer(&board));
    a_room_goes_on_without(slow, &board);
}

#[test]
fn a_reader_that_never_reads_what_is_encrypted_is_cut_the_same() {
    let board = Board::start(&["--flood", "off"]);
    let slow = tls::over(with_a_small_buffer(&board), tls::knowing(&board));
    a_room_goes_on_without(slow, &board);
}

fn a_room_goes_on_without(mut slow: Person, board: &Board) {
    slow.register("slow", HISTORIAN);
    let mut ben = Person::join_with(board, "ben", "gzy/long-lines");
    let mut anna = Person::join_with(board, "anna", "gzy/long-lines");

    let witness = thread::spawn(move || {
        let mut heard = Vec::new();
        while let Some(line) = ben.next() {
            if line.contains(" PRIVMSG ") {
                heard.push(text(&line).split(' ').next().unwrap().to_owned());
            }
            if line.ends_with(":end") {
                break;
            }
        }
        heard
    });

    let padding = "慢".repeat(1300);
    let mut said = 0;
    while said < MOST_MESSAGES {
        for number in said..said + MESSAGES_PER_ROUND {
            anna.say(&format!("PRIVMSG #lobby :{number} {padding}"));
        }
        said += MESSAGES_PER_ROUND;
        if anna.settle().iter().any(|line| line.starts_with(":slow!") && line.ends_with(" QUIT :too slow")) {
            break;
        }
    }
    assert!(said < MOST_MESSAGES, "the slow one was never cut");
    let heard_by_slow = slow.farewell();
    assert!(heard_by_slow.last().unwrap().contains("too slow"), "{:?}", heard_by_slow.last());

    anna.say("PRIVMSG #lobby :end");
    let heard = witness.join().unwrap();
    let expected: Vec<String> = (0..said).map(|number| number.to_string()).chain(["end".to_owned()]).collect();
    assert_eq!(heard, expected, "others lose nothing");

    let live: Vec<String> = heard_by_slow.iter().filter_map(|line| tag(line, "msgid")).collect();
    let mut slow = Person::join_with(board, "slow", HISTORIAN);
    let kept = slow.history("#lobby");
    assert_eq!(kept.len(), said + 1);
    let ids: HashSet<&String> = kept.iter().map(|(id, _)| id).collect();
    assert!(live.iter().all(|id| ids.contains(id)), "what it read is what is kept");
    let numbers: Vec<&str> = kept.iter().map(|(_, text)| text.split(' ').next().unwrap()).collect();
    assert_eq!(numbers, expected);
}
