//! Does the generator notice what it is there to notice?
//!
//! A bench has no test harness, so these run when the generator is called without arguments, as `cargo test --benches`
//! does. Each is a name that says what must hold and the comparison that decides it.

use crate::tally::{Faults, Latency, Tally};
use crate::text::{Garbled, LONGEST_LEN, SHORTEST_LEN, Text};

/// Runs all checks; the error names the one that failed.
pub fn everything() -> Result<(), String> {
    let checks: [(&str, bool); 9] = [
        ("a text is found again as it was written", a_text_is_found_again()),
        ("a text that lost a letter is garbled", a_changed_text_is_garbled()),
        ("a text under another's name is garbled", a_text_under_anothers_name_is_garbled()),
        ("what is no benchmark text is left alone", other_lines_are_left_alone()),
        ("three messages to two others are six deliveries", everything_heard_is_no_fault()),
        ("a message that never comes is lost", a_missing_message_is_lost()),
        ("a message that comes twice is repeated", a_doubled_message_is_repeated()),
        ("two messages that swapped places are noticed", swapped_messages_are_noticed()),
        ("a percentile is right to 2 percent", percentiles_are_right()),
    ];
    match checks.iter().find(|(_, holds)| !holds) {
        None => Ok(()),
        Some((name, _)) => Err(format!("“{name}” does not hold")),
    }
}

fn line(text: &Text, len: usize) -> Vec<u8> {
    let mut line = b":b00007!~b00007@127.0.0.1 PRIVMSG #bench0 :".to_vec();
    let start = line.len();
    line.resize(start + len, 0);
    text.write(&mut line[start..]);
    line
}

fn from_seven(number: u32) -> Text {
    Text { sender: 7, number, sent_ns: 123_456_789_012 }
}

fn a_text_is_found_again() -> bool {
    [SHORTEST_LEN, 100, LONGEST_LEN].into_iter().all(|len| {
        let text = from_seven((1 << 30) - 1);
        Text::read(&line(&text, len), len) == Some(Ok(text))
    })
}

fn a_changed_text_is_garbled() -> bool {
    let whole = line(&from_seven(3), 100);
    // The marker and the nick apart, no byte of the text may change unnoticed except within its three numbers.
    (whole.len() - 83..whole.len()).all(|at| {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        Text::read(&changed, 100) == Some(Err(Garbled))
    })
}

fn a_text_under_anothers_name_is_garbled() -> bool {
    let text = Text { sender: 8, ..from_seven(3) };
    Text::read(&line(&text, 100), 100) == Some(Err(Garbled))
}

fn other_lines_are_left_alone() -> bool {
    let long = [b'x'; 200];
    let lines: [&[u8]; 4] = [b"", b"PING :x", b":b00007!~b00007@127.0.0.1 JOIN #bench0", &long];
    lines.into_iter().all(|line| Text::read(line, 100).is_none())
}

/// Three members, of whom 0 and 1 talk; what each receiver hears, as (receiver, sender, number).
fn judge(sent: [u32; 2], heard: &[(usize, usize, u32)]) -> Faults {
    let mut tally = Tally::new(3, 2);
    for (sender, count) in sent.into_iter().enumerate() {
        (0..count).for_each(|_| _ = tally.send(sender));
    }
    for &(receiver, sender, number) in heard {
        tally.hear(receiver, &Text { sender, number, sent_ns: 0 });
    }
    tally.faults()
}

fn everything_heard_is_no_fault() -> bool {
    let heard = [(1, 0, 0), (0, 1, 0), (2, 1, 0), (2, 0, 0), (1, 0, 1), (2, 0, 1)];
    judge([2, 1], &heard).none()
}

fn a_missing_message_is_lost() -> bool {
    let last_missing = judge([2, 0], &[(1, 0, 0), (2, 0, 0), (1, 0, 1)]);
    let first_missing = judge([2, 0], &[(1, 0, 0), (2, 0, 1), (1, 0, 1)]);
    let one_lost = Faults { lost: 1, ..Faults::default() };
    last_missing == one_lost && first_missing == one_lost
}

fn a_doubled_message_is_repeated() -> bool {
    let one_repeated = Faults { repeated: 1, ..Faults::default() };
    judge([1, 0], &[(1, 0, 0), (2, 0, 0), (2, 0, 0)]) == one_repeated
}

fn swapped_messages_are_noticed() -> bool {
    !judge([2, 0], &[(1, 0, 0), (1, 0, 1), (2, 0, 1), (2, 0, 0)]).none()
}

fn percentiles_are_right() -> bool {
    let mut latency = Latency::new();
    (1..=100_000).for_each(|us| latency.note(us * 1000));
    [0.5, 0.99, 0.999].into_iter().all(|share| (latency.within_ms(share) / (share * 100.0) - 1.0).abs() < 0.02)
        && latency.longest_ms() == 100.0
}
