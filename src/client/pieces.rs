//! What is said as one message: a line, or a batch of lines where the server takes that. How a text is cut into such pieces, and how one is sent.

use super::Orders;
use super::features::Features;
use super::outbox::SENT_ID;
use crate::wire::caps::{Caps, MULTILINE};
use crate::wire::line::split_text;

/// A part of a text that is one message.
pub struct Piece {
    /// Comes back in the events about it.
    pub key: u64,
    /// A room or a nick.
    pub target: Box<str>,
    /// What to say; `\n` between its lines.
    pub text: Box<str>,
    /// The sender's own id of it.
    pub id: String,
    /// Both the label and the text of the PING behind it.
    pub label: String,
    /// Bytes of text that fit one line.
    pub room: usize,
    /// The nick under which it was sent first, folded.
    pub sent_as: Option<Box<str>>,
    /// It was sent on this link.
    pub is_sent: bool,
}

impl Piece {
    /// Whether it is sent as a batch.
    pub fn is_batch(&self) -> bool {
        self.text.len() > self.room || self.text.contains('\n')
    }

    /// Sends it.
    pub fn send(&self, features: &Features, orders: &mut Orders) {
        let Piece { target, text, id, label, .. } = self;
        let tags = match features.caps {
            caps if features.gives_receipts() && caps.has(Caps::MESSAGE_TAGS) => {
                format!("@{SENT_ID}={id};label={label} ")
            }
            caps if caps.has(Caps::MESSAGE_TAGS) => format!("@{SENT_ID}={id} "),
            _ => String::new(),
        };
        if self.is_batch() {
            orders.send(format!("{tags}BATCH +{label} {MULTILINE} {target}"));
            for (line, goes_on) in wire_lines(text, self.room) {
                let concat = if goes_on { ";draft/multiline-concat" } else { "" };
                orders.send(format!("@batch={label}{concat} PRIVMSG {target} :{line}"));
            }
            orders.send(format!("BATCH -{label}"));
        } else {
            orders.send(format!("{tags}PRIVMSG {target} :{text}"));
        }
        if !features.gives_receipts() {
            orders.send(format!("PING {label}"));
        }
    }
}

/// Cuts a text into the texts of messages, none of them empty: as few as possible where the server takes several lines in one, else one
/// for each line. `room`: bytes of text that fit one line.
pub fn cut(text: &str, room: usize, features: &Features) -> Vec<String> {
    let clean = text.replace(['\r', '\0'], "");
    let has_lines = clean.trim_end_matches('\n').contains('\n');
    let mut texts = match features.multiline() {
        Some(limits) => messages(&clean, room, limits.bytes, limits.lines),
        None => clean.split('\n').flat_map(|line| split_text(line, room)).map(str::to_owned).collect(),
    };
    // What was pasted is talk. Where the server has commands, a message of one line that looks like one gets a second mark,
    // which it takes off; in a message of several lines it looks for none.
    let is_mistakable = |text: &str| features.lobby.is_some() && !text.contains('\n') && text.starts_with(['!', '！']);
    for (at, text) in texts.iter_mut().enumerate() {
        if (has_lines || at > 0) && is_mistakable(text) {
            text.insert(0, '!');
        }
    }
    texts
}

/// Puts lines together to messages within the limits, without empty lines at their ends.
fn messages(text: &str, room: usize, most_bytes: usize, most_lines: usize) -> Vec<String> {
    let mut messages = Vec::new();
    let (mut message, mut count) = (String::new(), 0);
    for (line, goes_on) in wire_lines(text, room) {
        if count > 0 && (count == most_lines || message.len() + 1 + line.len() > most_bytes) {
            messages.push(std::mem::take(&mut message));
            count = 0;
        }
        if count == 0 && line.is_empty() {
            continue;
        }
        if count > 0 && !goes_on {
            message.push('\n');
        }
        message.push_str(line);
        count += 1;
    }
    messages.push(message);
    messages.iter().map(|message| message.trim_end_matches('\n')).filter(|m| !m.is_empty()).map(str::to_owned).collect()
}

/// The lines of a text as they are sent, and whether each goes on where the one before it stopped.
fn wire_lines(text: &str, room: usize) -> impl Iterator<Item = (&str, bool)> {
    text.split('\n').flat_map(move |line| {
        let empty = line.is_empty().then_some("");
        empty.into_iter().chain(split_text(line, room)).enumerate().map(|(at, piece)| (piece, at > 0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn features(value: &str) -> Features {
        let caps = Caps::MULTILINE.with(Caps::BATCH).with(Caps::MESSAGE_TAGS);
        let mut features = Features { caps, lobby: Some("#lobby".into()), ..Features::default() };
        features.learn_multiline(value);
        features
    }

    #[test]
    fn a_pasted_text_is_one_message_where_the_server_takes_that() {
        let poem = "\n床前明月光\r\n\n！退出\n\n";
        assert_eq!(cut(poem, 100, &features("max-bytes=10000,max-lines=10")), ["床前明月光\n\n！退出"]);
        let lobby = Features { lobby: Some("#lobby".into()), ..Features::default() };
        assert_eq!(cut(poem, 100, &lobby), ["床前明月光", "!！退出"]);
        assert_eq!(cut(poem, 100, &Features::default()), ["床前明月光", "！退出"], "elsewhere a mark is a mark");
    }

    #[test]
    fn what_was_typed_as_one_line_stays_a_command_and_what_was_pasted_does_not_become_one() {
        let features = features("max-bytes=10000,max-lines=2");
        assert_eq!(cut("!bye\n", 100, &features), ["!bye"]);
        assert_eq!(cut("\n!bye", 100, &features), ["!!bye"]);
        assert_eq!(cut("一\n二\n!bye", 100, &features), ["一\n二", "!!bye"]);
        assert_eq!(cut("!msg ben 一二 !x", 16, &Features { caps: Caps::NONE, ..features }), ["!msg ben 一二 ", "!!x"]);
    }

    #[test]
    fn a_batch_carries_its_id_and_label_on_its_first_line() {
        let features = Features { caps: crate::client::features::WANTED, ..features("max-bytes=10000") };
        let (id, label) = ("7".to_owned(), "m1".to_owned());
        let text = "一\n\n二二 三三".into();
        let piece = Piece { key: 1, target: "#a".into(), text, id, label, room: 8, sent_as: None, is_sent: false };
        let mut orders = Orders::default();
        piece.send(&features, &mut orders);
        let lines = [
            "@+gzy/id=7;label=m1 BATCH +m1 draft/multiline #a",
            "@batch=m1 PRIVMSG #a :一",
            "@batch=m1 PRIVMSG #a :",
            "@batch=m1 PRIVMSG #a :二二 ",
            "@batch=m1;draft/multiline-concat PRIVMSG #a :三三",
            "BATCH -m1",
        ];
        assert_eq!(orders.lines, lines);
    }

    proptest! {
        #[test]
        fn messages_keep_to_the_limits_and_lose_nothing(
            text in "[a上 \n]{0,120}", room in 4usize..30, bytes in 30usize..60, lines in 1usize..6,
        ) {
            let cut = messages(&text, room, bytes, lines);
            for message in &cut {
                prop_assert!(message.len() <= bytes && wire_lines(message, room).count() <= lines);
                prop_assert!(!message.starts_with('\n') && !message.ends_with('\n') && !message.is_empty());
            }
            let without_breaks = |text: &str| text.replace('\n', "");
            prop_assert_eq!(without_breaks(&cut.concat()), without_breaks(&text));
        }
    }
}
