//! What was said and is not yet acknowledged: sent in order, sent again after a broken link, until the server has it.

use std::collections::VecDeque;

use super::features::Features;
use super::pieces::{Piece, cut};
use super::{Event, Orders, nick_of};
use crate::wire::limits::USER_BYTES;
use crate::wire::line::Line;
use crate::wire::name::fold;

/// The tag with the sender's own id of a message.
pub const SENT_ID: &str = "+gzy/id";

/// Messages that are sent before the first of them is acknowledged: keeps the link busy, and is below what servers take for a flood.
const UNDER_WAY: usize = 16;

/// Messages that may wait before the front end has to wait: more than anybody types while the link is broken.
pub const WAITING: usize = 1000;

/// Bytes that the host part may take in the line that others get, as long as it is not known (a DNS name's usual limit).
const HOST_BYTES: usize = 63;

/// The server's answer is that the other is away. That is no answer to whether the message was taken.
const RPL_AWAY: &str = "301";

/// Makes ids that nobody else makes.
pub type NewId = Box<dyn FnMut() -> u128 + Send>;

/// The messages on their way to the server.
pub struct Outbox {
    waiting: VecDeque<Message>,
    under_way: VecDeque<Piece>,
    new_id: NewId,
    serial: u64,
}

/// Something to say as it came from the front end.
struct Message {
    key: u64,
    target: Option<Box<str>>,
    text: Box<str>,
}

/// How the client stands on the server at the moment of sending.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What the server can.
    pub features: &'a Features,
    /// The client's nick.
    pub nick: &'a str,
    /// `user@host` as others see it, when known.
    pub host: Option<&'a str>,
    /// The room of messages without a target.
    pub home: &'a str,
}

/// What a line from the server was for the outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing.
    None,
    /// The receipt of a message.
    Receipt,
    /// The refusal of a message; it has been told.
    Refusal,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(new_id: NewId) -> Outbox {
        Outbox { waiting: VecDeque::new(), under_way: VecDeque::new(), new_id, serial: 0 }
    }

    /// Takes a message. One without any text counts as delivered.
    pub fn say(&mut self, key: u64, target: Option<Box<str>>, text: &str, orders: &mut Orders) {
        if text.trim_matches(['\r', '\n', '\0']).is_empty() {
            return orders.tell(Event::Delivered(key));
        }
        self.waiting.push_back(Message { key, target, text: text.into() });
    }

    /// Whether the front end should wait with more.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING
    }

    /// Whether something was sent on an earlier link, and may or may not have arrived.
    pub fn is_in_doubt(&self) -> bool {
        self.under_way.iter().any(|piece| piece.sent_as.is_some() && !piece.is_sent)
    }

    /// The link broke: what has no receipt has to be sent again.
    pub fn lost(&mut self) {
        self.under_way.iter_mut().for_each(|piece| piece.is_sent = false);
    }

    /// Sends what may be sent.
    pub fn flush(&mut self, standing: Standing, orders: &mut Orders) {
        while self.under_way.len() < UNDER_WAY
            && let Some(message) = self.waiting.pop_front()
        {
            self.cut(message, standing);
        }
        for piece in self.under_way.iter_mut().filter(|piece| !piece.is_sent) {
            piece.is_sent = true;
            piece.sent_as.get_or_insert_with(|| fold(standing.nick));
            piece.send(standing.features, orders);
        }
    }

    /// Cuts a message into pieces whose lines still fit when the server has put the sender in front.
    fn cut(&mut self, message: Message, standing: Standing) {
        let Message { key, target, text } = message;
        let target = target.unwrap_or_else(|| standing.home.into());
        let host_bytes = standing.host.map_or(USER_BYTES + 1 + HOST_BYTES, str::len);
        // ":NICK!USER@HOST PRIVMSG TARGET :TEXT\r\n"
        let around = 1 + standing.nick.len() + 1 + host_bytes + " PRIVMSG ".len() + target.len() + " :\r\n".len();
        // One byte stays for the mark that keeps a line from being taken for a command.
        let room = standing.features.line_bytes.saturating_sub(around + 1);
        for text in cut(&text, room, standing.features) {
            self.serial += 1;
            self.under_way.push_back(Piece {
                key,
                target: target.clone(),
                text: text.into(),
                id: format!("{:032x}", (self.new_id)()),
                label: format!("m{}", self.serial),
                room,
                sent_as: None,
                is_sent: false,
            });
        }
    }

    /// Looks at a line from the server; `label` is what it answers, `in_batch` that more of the answer follows.
    pub fn heard(
        &mut self,
        line: &Line,
        label: Option<&str>,
        in_batch: bool,
        gives_receipts: bool,
        orders: &mut Orders,
    ) -> Answer {
        if let Some(at) = self.echoed(line) {
            self.deliver(at, orders);
            return Answer::Receipt;
        }
        let Some(at) = self.answered(line, label, gives_receipts) else { return Answer::None };
        if is_refusal(line) {
            self.refuse(at, line.params().last().copied().unwrap_or_default(), orders);
            return Answer::Refusal;
        }
        if label.is_none() || in_batch || matches!(line.command, RPL_AWAY | "NOTE" | "WARN") {
            return Answer::None;
        }
        self.deliver(at, orders);
        Answer::Receipt
    }

    /// All of a labelled answer is here, and no refusal was in it.
    pub fn answer_ended(&mut self, label: &str, orders: &mut Orders) {
        if let Some(at) = self.labelled(label) {
            self.deliver(at, orders);
        }
    }

    /// The server answered a PING. Where there are no receipts, what was sent before has been dealt with:
    /// the target and text of the message that it acknowledges.
    pub fn ponged(&mut self, token: &str, gives_receipts: bool, orders: &mut Orders) -> Option<(Box<str>, Box<str>)> {
        let at = self.labelled(token).filter(|_| !gives_receipts)?;
        let said = (self.under_way[at].target.clone(), self.under_way[at].text.clone());
        self.deliver(at, orders);
        Some(said)
    }

    /// The piece whose own id a line carries back, on this link or out of the history.
    fn echoed(&self, line: &Line) -> Option<usize> {
        let id = line.tags.value(SENT_ID)?;
        let sender = fold(nick_of(line.source?));
        // Others see the id too; only a line from the sender is a receipt.
        self.under_way.iter().position(|piece| *piece.id == *id && piece.sent_as.as_deref() == Some(&*sender))
    }

    fn labelled(&self, label: &str) -> Option<usize> {
        self.under_way.iter().position(|piece| piece.is_sent && piece.label == label)
    }

    /// The piece that a line is an answer to: by its label, or, where there are no labels, the first to the target that an error names,
    /// or the first of several lines where those are refused.
    fn answered(&self, line: &Line, label: Option<&str>, gives_receipts: bool) -> Option<usize> {
        if let Some(label) = label {
            return self.labelled(label);
        }
        if gives_receipts || !is_refusal(line) {
            return None;
        }
        if line.command == "FAIL" && line.param(0) == Some("BATCH") {
            return self.under_way.iter().position(|piece| piece.is_sent && piece.is_batch());
        }
        let context = line.params().get(1..line.params().len().saturating_sub(1)).unwrap_or_default();
        self.under_way
            .iter()
            .position(|piece| piece.is_sent && context.iter().any(|named| fold(named) == fold(&piece.target)))
    }

    fn deliver(&mut self, at: usize, orders: &mut Orders) {
        let Some(piece) = self.under_way.remove(at) else { return };
        if self.under_way.iter().all(|other| other.key != piece.key) {
            orders.tell(Event::Delivered(piece.key));
        }
    }

    /// Gives up the whole message of a piece.
    fn refuse(&mut self, at: usize, why: &str, orders: &mut Orders) {
        let Some(Piece { key, target, text, .. }) = self.under_way.remove(at) else { return };
        self.under_way.retain(|other| other.key != key);
        orders.tell(Event::Refused { key, target, text, why: why.into() });
    }
}

/// Whether a line says no: an error numeric or `FAIL`.
fn is_refusal(line: &Line) -> bool {
    line.command == "FAIL" || line.command.parse().is_ok_and(|code: u16| (400..600).contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::features::WANTED;
    use crate::wire::caps::Caps;

    fn outbox() -> Outbox {
        let mut next = 0;
        Outbox::new(Box::new(move || {
            next += 1;
            next
        }))
    }

    fn with_receipts() -> Features {
        Features { caps: WANTED, ..Features::default() }
    }

    fn standing(features: &Features) -> Standing<'_> {
        Standing { features, nick: "anna", host: Some("gzy@cloak"), home: "#lobby" }
    }

    fn sent(outbox: &mut Outbox, features: &Features) -> Vec<String> {
        let mut orders = Orders::default();
        outbox.flush(standing(features), &mut orders);
        orders.lines
    }

    fn say(outbox: &mut Outbox, key: u64, target: Option<&str>, text: &str) {
        outbox.say(key, target.map(Into::into), text, &mut Orders::default());
    }

    fn hear(outbox: &mut Outbox, features: &Features, text: &str) -> (Answer, Vec<Event>) {
        let mut orders = Orders::default();
        let line = Line::parse(text).unwrap();
        let label = line.tags.value("label");
        let answer = outbox.heard(&line, label.as_deref(), false, features.gives_receipts(), &mut orders);
        (answer, orders.events)
    }

    #[test]
    fn a_message_is_delivered_when_its_echo_comes() {
        let (mut outbox, features) = (outbox(), with_receipts());
        say(&mut outbox, 7, None, "你好");
        let id = format!("{:032x}", 1);
        assert_eq!(sent(&mut outbox, &features), [format!("@+gzy/id={id};label=m1 PRIVMSG #lobby :你好")]);
        assert!(sent(&mut outbox, &features).is_empty());
        let eve = format!("@+gzy/id={id} :eve!u@h PRIVMSG #lobby :你好");
        assert_eq!(hear(&mut outbox, &features, &eve).0, Answer::None);
        let echo = format!("@+gzy/id={id};label=m1;msgid=1 :anna!u@h PRIVMSG #lobby :你好");
        assert_eq!(hear(&mut outbox, &features, &echo), (Answer::Receipt, vec![Event::Delivered(7)]));
        assert_eq!(hear(&mut outbox, &features, &echo).0, Answer::None);
    }

    #[test]
    fn what_has_no_receipt_is_sent_again_with_the_same_id_and_in_order() {
        let (mut outbox, features) = (outbox(), with_receipts());
        say(&mut outbox, 1, None, "one");
        say(&mut outbox, 2, None, "two");
        let first = sent(&mut outbox, &features);
        outbox.lost();
        say(&mut outbox, 3, None, "three");
        let again = sent(&mut outbox, &features);
        assert_eq!((&again[..2], again.len()), (&first[..], 3));
        // Found in the history: it had arrived, only the receipt was lost.
        let found = format!("@+gzy/id={:032x};msgid=1 :anna!u@h PRIVMSG #lobby :one", 1);
        assert_eq!(hear(&mut outbox, &features, &found), (Answer::Receipt, vec![Event::Delivered(1)]));
        outbox.lost();
        assert_eq!(sent(&mut outbox, &features), &again[1..]);
    }

    #[test]
    fn a_refusal_is_told_with_the_servers_reason_and_ends_the_message() {
        let (mut outbox, features) = (outbox(), with_receipts());
        say(&mut outbox, 1, Some("#quiet"), "one\ntwo");
        say(&mut outbox, 2, Some("ben"), "hi");
        assert_eq!(sent(&mut outbox, &features).len(), 3);
        let refused = |key, target: &str, text: &str, why: &str| Event::Refused {
            key,
            target: target.into(),
            text: text.into(),
            why: why.into(),
        };
        let (answer, events) = hear(&mut outbox, &features, "@label=m1 :s FAIL PRIVMSG BUSY #quiet :try later");
        assert_eq!((answer, events), (Answer::Refusal, vec![refused(1, "#quiet", "one", "try later")]));
        assert_eq!(hear(&mut outbox, &features, "@label=m2 :s FAIL PRIVMSG BUSY #quiet :try later").0, Answer::None);
        let (_, events) = hear(&mut outbox, &features, "@label=m3 :s 401 anna ben :No such nick");
        assert_eq!(events, [refused(2, "ben", "hi", "No such nick")]);
    }

    #[test]
    fn an_answer_to_the_asker_alone_is_a_receipt_but_somebody_away_is_not() {
        let (mut outbox, features) = (outbox(), with_receipts());
        for (key, text) in [(1, "!users"), (2, "!topic x"), (3, "hello")] {
            say(&mut outbox, key, None, text);
        }
        sent(&mut outbox, &features);
        assert_eq!(hear(&mut outbox, &features, "@label=m1 :s NOTICE anna :anna, ben").1, [Event::Delivered(1)]);
        assert_eq!(hear(&mut outbox, &features, "@label=m2 :s ACK").1, [Event::Delivered(2)]);
        assert_eq!(hear(&mut outbox, &features, "@label=m3 :s 301 anna ben :asleep").0, Answer::None);
        let mut orders = Orders::default();
        outbox.answer_ended("m3", &mut orders);
        assert_eq!(orders.events, [Event::Delivered(3)]);
    }

    #[test]
    fn without_receipts_the_answer_to_a_ping_has_to_do() {
        let (mut outbox, features) = (outbox(), Features::default());
        say(&mut outbox, 1, Some("nobody"), "one");
        say(&mut outbox, 2, None, "two");
        assert_eq!(sent(&mut outbox, &features), ["PRIVMSG nobody :one", "PING m1", "PRIVMSG #lobby :two", "PING m2"]);
        let (answer, events) = hear(&mut outbox, &features, ":s 401 anna Nobody :No such nick");
        assert!(answer == Answer::Refusal && matches!(events[..], [Event::Refused { key: 1, .. }]));
        let mut orders = Orders::default();
        assert_eq!(outbox.ponged("m1", false, &mut orders), None);
        assert_eq!(outbox.ponged("m2", false, &mut orders), Some(("#lobby".into(), "two".into())));
        assert_eq!(orders.events, [Event::Delivered(2)]);
    }

    #[test]
    fn long_texts_are_cut_so_that_they_fit_with_the_sender_in_front() {
        let (mut outbox, features) = (outbox(), Features::default());
        let text = "上海".repeat(300);
        say(&mut outbox, 1, None, &text);
        let lines = sent(&mut outbox, &features);
        let texts: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("PRIVMSG #lobby :")).collect();
        assert_eq!(texts.concat(), text);
        for said in &texts {
            let relayed = format!(":anna!gzy@cloak PRIVMSG #lobby :{said}\r\n").len();
            assert!((499..=511).contains(&relayed) || said == texts.last().unwrap(), "{relayed}");
        }
    }

    #[test]
    fn line_breaks_make_messages_and_no_commands() {
        let (mut outbox, features) = (outbox(), Features::default());
        say(&mut outbox, 1, None, "one\r\n\r\nQUIT\0\n");
        let lines = sent(&mut outbox, &features);
        assert_eq!(lines, ["PRIVMSG #lobby :one", "PING m1", "PRIVMSG #lobby :QUIT", "PING m2"]);
        let mut orders = Orders::default();
        outbox.say(2, None, "\r\n", &mut orders);
        assert_eq!(orders.events, [Event::Delivered(2)]);
    }

    #[test]
    fn a_poem_is_one_message_with_one_receipt_and_sent_again_as_one() {
        let mut features = with_receipts();
        features.learn_multiline("max-bytes=65536,max-lines=100");
        let mut outbox = outbox();
        say(&mut outbox, 7, None, "床前\n明月");
        let first = sent(&mut outbox, &features);
        assert!(first.len() == 4 && first[0].ends_with(" BATCH +m1 draft/multiline #lobby"), "{first:?}");
        outbox.lost();
        assert_eq!(sent(&mut outbox, &features), first);
        let echo = format!("@+gzy/id={:032x};label=m1;msgid=1 :anna!u@h PRIVMSG #lobby :床前\n明月", 1);
        assert_eq!(hear(&mut outbox, &features, &echo), (Answer::Receipt, vec![Event::Delivered(7)]));
    }

    #[test]
    fn a_poem_that_is_refused_is_told_also_where_there_are_no_labels() {
        let caps = Caps::MULTILINE.with(Caps::BATCH).with(Caps::MESSAGE_TAGS);
        let mut features = Features { caps, ..Features::default() };
        features.learn_multiline("max-bytes=4096");
        let mut outbox = outbox();
        say(&mut outbox, 1, None, "one line");
        say(&mut outbox, 2, None, "床前\n明月");
        assert_eq!(sent(&mut outbox, &features).len(), 2 + 5);
        let (answer, events) = hear(&mut outbox, &features, ":s FAIL BATCH MULTILINE_MAX_BYTES 3 :too long");
        assert!(answer == Answer::Refusal && matches!(events[..], [Event::Refused { key: 2, .. }]), "{events:?}");
    }

    #[test]
    fn only_so_many_are_under_way_at_once() {
        let (mut outbox, features) = (outbox(), Features::default());
        for key in 0..100 {
            say(&mut outbox, key, None, "x");
        }
        assert_eq!(sent(&mut outbox, &features).len(), 2 * UNDER_WAY);
        outbox.ponged("m1", false, &mut Orders::default());
        assert_eq!(sent(&mut outbox, &features).len(), 2);
    }
}
