//! What the user wants to see of the server's memory: questions with labels, and their answers.

use super::batches::Memory;
use super::features::Features;
use super::{Event, Orders};
use crate::wire::caps::Caps;
use crate::wire::limits::HISTORY_MESSAGES;
use crate::wire::line::Line;

/// Milliseconds that an answer may take: a search over a full SD card needs seconds.
const ANSWER_WITHIN_MS: u64 = 30_000;

/// Questions that may be open; a front end that asks more is out of its mind.
const OPEN: usize = 64;

/// Something that a server remembers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Question {
    /// The latest messages of a room or of the talk with a person.
    Latest {
        /// The room or the person.
        target: Box<str>,
        /// How many.
        limit: usize,
    },
    /// The messages before one.
    Before {
        /// The room or the person.
        target: Box<str>,
        /// The id of that message; empty when it has none.
        msgid: Box<str>,
        /// Its time, in the server's words; empty when it is not known.
        time: Box<str>,
    },
    /// The messages after one.
    After {
        /// The room or the person.
        target: Box<str>,
        /// The id of that message; empty when it has none.
        msgid: Box<str>,
        /// Its time, in the server's words.
        time: Box<str>,
    },
    /// A message and those around it.
    Around {
        /// The room or the person.
        target: Box<str>,
        /// The id of the message.
        msgid: Box<str>,
        /// How many messages in all.
        limit: usize,
    },
    /// Messages with some words: the attributes of SEARCH, escaped.
    Search(Box<str>),
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoAnswer {
    /// The server keeps no such memory, or gives no labels.
    Cannot,
    /// The link broke, or nothing came.
    Lost,
    /// The server said no, in these words.
    Refused(Box<str>),
}

/// Questions that wait for their answers.
#[derive(Default, Debug)]
pub struct Asked {
    open: Vec<Open>,
    /// When the latest of them has to be answered.
    serial: u64,
}

#[derive(Debug)]
struct Open {
    key: u64,
    label: Box<str>,
    /// `None` until the clock was looked at.
    until_ms: Option<u64>,
}

impl Asked {
    /// Asks. `key` comes back in [`Event::Answered`].
    pub fn ask(&mut self, key: u64, question: &Question, features: &Features, orders: &mut Orders) {
        let can = match question {
            Question::Search(_) => features.caps.has(Caps::SEARCH.with(Caps::BATCH)),
            _ => features.has_history(),
        };
        if !can || !features.gives_receipts() || self.open.len() >= OPEN {
            return orders.tell(Event::Answered { key, answer: Err(NoAnswer::Cannot) });
        }
        self.serial += 1;
        let label: Box<str> = format!("q{}", self.serial).into();
        orders.send(format!("@label={label} {}", line_of(question, features)));
        self.open.push(Open { key, label, until_ms: None });
    }

    /// An answer is here. Gives its lines back when nobody here asked for it.
    pub fn answered(
        &mut self,
        of: &Memory,
        label: Option<&str>,
        lines: Vec<Box<str>>,
        orders: &mut Orders,
    ) -> Option<Vec<Box<str>>> {
        let at = label.and_then(|label| self.open.iter().position(|open| *open.label == *label));
        match at {
            Some(at) => {
                let key = self.open.remove(at).key;
                orders.tell(Event::Answered { key, answer: Ok(lines) });
                None
            }
            // Whoever searched does not wait any more.
            None if *of == Memory::Found => None,
            None => Some(lines),
        }
    }

    /// Whether a line refuses a question.
    pub fn refused(&mut self, line: &Line, label: Option<&str>, orders: &mut Orders) -> bool {
        let is_refusal = line.command == "FAIL" || line.command == "421" || line.command == "ACK";
        let at = label.and_then(|label| self.open.iter().position(|open| *open.label == *label));
        let Some(at) = at.filter(|_| is_refusal) else { return false };
        let key = self.open.remove(at).key;
        let why = line.params().last().copied().unwrap_or_default();
        orders.tell(Event::Answered { key, answer: Err(NoAnswer::Refused(why.into())) });
        true
    }

    /// The link broke.
    pub fn lost(&mut self, orders: &mut Orders) {
        for open in self.open.drain(..) {
            orders.tell(Event::Answered { key: open.key, answer: Err(NoAnswer::Lost) });
        }
    }

    /// When [`Asked::tick`] has something to do.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.open.iter().map(|open| open.until_ms.unwrap_or(0)).min()
    }

    /// Gives up questions that stay unanswered.
    pub fn tick(&mut self, now_ms: u64, orders: &mut Orders) {
        self.open.retain_mut(|open| {
            let until_ms = *open.until_ms.get_or_insert(now_ms + ANSWER_WITHIN_MS);
            if until_ms <= now_ms {
                orders.tell(Event::Answered { key: open.key, answer: Err(NoAnswer::Lost) });
            }
            until_ms > now_ms
        });
    }
}

fn selector(msgid: &str, time: &str, features: &Features) -> String {
    if features.history_by_id && !msgid.is_empty() { format!("msgid={msgid}") } else { format!("timestamp={time}") }
}

fn line_of(question: &Question, features: &Features) -> String {
    let most = features.history_limit.min(HISTORY_MESSAGES);
    match question {
        Question::Latest { target, limit } => format!("CHATHISTORY LATEST {target} * {}", most.min(*limit)),
        Question::Before { target, msgid, time } => {
            format!("CHATHISTORY BEFORE {target} {} {most}", selector(msgid, time, features))
        }
        Question::After { target, msgid, time } => {
            format!("CHATHISTORY AFTER {target} {} {most}", selector(msgid, time, features))
        }
        Question::Around { target, msgid, limit } => format!("CHATHISTORY AROUND {target} msgid={msgid} {limit}"),
        Question::Search(attributes) => format!("SEARCH {attributes}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::features::WANTED;

    fn features() -> Features {
        Features { caps: WANTED, ..Features::default() }
    }

    fn search() -> Question {
        Question::Search("text=上海".into())
    }

    #[test]
    fn an_answer_finds_its_question_by_the_label() {
        let (mut asked, mut orders) = (Asked::default(), Orders::default());
        asked.ask(1, &search(), &features(), &mut orders);
        let before = Question::Before { target: "ben".into(), msgid: "7".into(), time: "".into() };
        asked.ask(2, &before, &features(), &mut orders);
        assert_eq!(orders.lines, ["@label=q1 SEARCH text=上海", "@label=q2 CHATHISTORY BEFORE ben msgid=7 100"]);
        let of = Memory::History("ben".into());
        assert_eq!(asked.answered(&of, Some("h1"), vec!["x".into()], &mut orders), Some(vec!["x".into()]));
        assert_eq!(asked.answered(&of, Some("q2"), vec!["x".into()], &mut orders), None);
        let fail = Line::parse("@label=q1 :s FAIL SEARCH INVALID_PARAMS text :too much").unwrap();
        assert!(asked.refused(&fail, Some("q1"), &mut orders) && !asked.refused(&fail, Some("q1"), &mut orders));
        let answers = [
            Event::Answered { key: 2, answer: Ok(vec!["x".into()]) },
            Event::Answered { key: 1, answer: Err(NoAnswer::Refused("too much".into())) },
        ];
        assert_eq!(orders.events, answers);
    }

    #[test]
    fn who_cannot_be_asked_is_not_and_who_does_not_answer_is_given_up() {
        let (mut asked, mut orders) = (Asked::default(), Orders::default());
        asked.ask(1, &search(), &Features::default(), &mut orders);
        asked.ask(2, &search(), &features(), &mut orders);
        assert_eq!(asked.deadline_ms(), Some(0));
        asked.tick(5, &mut orders);
        assert_eq!(asked.deadline_ms(), Some(5 + ANSWER_WITHIN_MS));
        asked.tick(5 + ANSWER_WITHIN_MS, &mut orders);
        let answers = [(1, NoAnswer::Cannot), (2, NoAnswer::Lost)];
        let answers = answers.map(|(key, why)| Event::Answered { key, answer: Err(why) });
        assert_eq!((orders.events, asked.deadline_ms()), (answers.into(), None));
    }
}
