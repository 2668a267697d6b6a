//! Which lines belong together: the batches of IRCv3.

use std::collections::HashMap;

use crate::wire::caps::MULTILINE;
use crate::wire::limits::MULTILINE_BYTES;
use crate::wire::line::Line;

/// Batches that may be open at once: a server that opens more is out of its mind.
const BATCHES: usize = 64;

/// Lines that are kept of one batch: far more than one question for history asks for.
const BATCH_LINES: usize = 2_000;

/// Files that are kept of one listing: a whole cloud of somebody who keeps very much, in some 20 MiB.
const FILE_LINES: usize = 100_000;

/// Bytes that are kept of one message: four times of what our own server lets anybody say at once.
const MESSAGE_BYTES: usize = 4 * MULTILINE_BYTES;

/// The batches that are open on a link, by their names.
#[derive(Default, Debug)]
pub struct Batches {
    open: HashMap<Box<str>, Batch>,
}

#[derive(Debug)]
enum Batch {
    /// An answer out of the server's memory; its lines are kept until it is complete.
    Memory { of: Memory, label: Option<Box<str>>, lines: Vec<Box<str>> },
    /// A batch inside of another one.
    Inside(Box<str>),
    /// The answer to a label.
    Answer(Box<str>),
    /// One message, line by line.
    Message(Lines),
    /// Something whose lines are taken as they come.
    Other,
}

/// A message of several lines.
#[derive(Debug)]
struct Lines {
    /// The tags of its first line, and its source.
    head: Box<str>,
    /// The batch that it is in.
    outer: Option<Box<str>>,
    /// `PRIVMSG #room`, once the first line has come.
    command: Option<Box<str>>,
    text: String,
}

/// What a server remembers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Memory {
    /// Messages of a room, or of the talk with a person.
    History(Box<str>),
    /// In which rooms and conversations something was said.
    Targets,
    /// Messages that were searched for.
    Found,
    /// The files of a cloud.
    Files,
}

impl Memory {
    /// Lines that are kept of one answer.
    fn most_lines(&self) -> usize {
        match self {
            Memory::Files => FILE_LINES,
            Memory::History(_) | Memory::Targets | Memory::Found => BATCH_LINES,
        }
    }
}

/// A batch that is complete.
#[derive(PartialEq, Eq, Debug)]
pub enum Closed {
    /// An answer out of the server's memory.
    Memory {
        /// What it holds.
        of: Memory,
        /// The question that it answers, where questions have labels.
        label: Option<Box<str>>,
        /// Whole lines, oldest first.
        lines: Vec<Box<str>>,
    },
    /// The answer to this label; its lines came one by one.
    Answer(Box<str>),
    /// A message of several lines, as one line with `\n` in its text.
    Message(String),
}

impl Batches {
    /// Takes a BATCH line. Returns what it completed.
    pub fn heard(&mut self, line: &Line) -> Option<Closed> {
        let name = line.param(0)?;
        if let Some(name) = name.strip_prefix('+') {
            if self.open.len() < BATCHES {
                let label = self.label_of(line);
                self.open.insert(name.into(), Batch::opened_by(line, label));
            }
            return None;
        }
        match self.open.remove(name.strip_prefix('-')?)? {
            Batch::Memory { of, label, lines } => Some(Closed::Memory { of, label, lines }),
            Batch::Answer(label) => Some(Closed::Answer(label)),
            Batch::Message(lines) => lines.put_together().map(Closed::Message),
            Batch::Inside(_) | Batch::Other => None,
        }
    }

    /// Keeps a line that is part of the server's memory, or of a message. False when it is not.
    pub fn keeps(&mut self, line: &Line, text: &str) -> bool {
        if let Some(name) = line.tags.value("batch")
            && let Some(Batch::Message(lines)) = self.open.get_mut(&*name)
        {
            lines.take(line);
            return true;
        }
        let name = self.around(line).find(|(_, batch)| matches!(batch, Batch::Memory { .. })).map(|(name, _)| name);
        let Some(Batch::Memory { of, lines, .. }) = name.and_then(|name| self.open.get_mut(&name)) else {
            return false;
        };
        if lines.len() < of.most_lines() {
            lines.push(text.into());
        }
        true
    }

    /// The label that a line answers, its own or that of the batch around it.
    pub fn label_of(&self, line: &Line) -> Option<Box<str>> {
        let own = line.tags.value("label").map(|label| label.into_owned().into());
        own.or_else(|| {
            self.around(line).find_map(|(_, batch)| match batch {
                Batch::Answer(label) => Some(label.clone()),
                _ => None,
            })
        })
    }

    /// The batches that a line is in, from the inside out.
    fn around(&self, line: &Line) -> impl Iterator<Item = (Box<str>, &Batch)> {
        let mut name = line.tags.value("batch").map(|name| Box::from(&*name));
        let mut steps = 0;
        std::iter::from_fn(move || {
            let this: Box<str> = name.take()?;
            let batch = self.open.get(&this)?;
            steps += 1;
            // A batch inside of itself would never end.
            if let Batch::Inside(outer) | Batch::Message(Lines { outer: Some(outer), .. }) = batch
                && steps < BATCHES
            {
                name = Some(outer.clone());
            }
            Some((this, batch))
        })
    }
}

impl Batch {
    fn opened_by(line: &Line, label: Option<Box<str>>) -> Batch {
        let memory = |of| Batch::Memory { of, label: label.clone(), lines: Vec::new() };
        match (line.param(1), line.param(2), line.tags.value("label"), line.tags.value("batch")) {
            (Some("chathistory"), Some(target), ..) => memory(Memory::History(target.into())),
            (Some("draft/chathistory-targets"), ..) => memory(Memory::Targets),
            (Some("gzy/files"), ..) => memory(Memory::Files),
            (Some("soju.im/search"), ..) => memory(Memory::Found),
            (Some(MULTILINE), ..) => Batch::Message(Lines::opened_by(line)),
            (Some("labeled-response"), _, Some(label), _) => Batch::Answer(label.into_owned().into()),
            (.., Some(outer)) => Batch::Inside(outer.into_owned().into()),
            _ => Batch::Other,
        }
    }
}

impl Lines {
    fn opened_by(line: &Line) -> Lines {
        let mut head = if line.tags.0.is_empty() { String::new() } else { format!("@{} ", line.tags.0) };
        if let Some(source) = line.source {
            head = head + ":" + source + " ";
        }
        let outer = line.tags.value("batch").map(|outer| outer.into_owned().into());
        Lines { head: head.into(), outer, command: None, text: String::new() }
    }

    fn take(&mut self, line: &Line) {
        let [target, text] = line.params() else { return };
        if !matches!(line.command, "PRIVMSG" | "NOTICE") || self.text.len() + text.len() > MESSAGE_BYTES {
            return;
        }
        let goes_on = line.tags.value("draft/multiline-concat").is_some();
        if self.command.is_some() && !goes_on {
            self.text.push('\n');
        }
        self.command.get_or_insert_with(|| format!("{} {target}", line.command).into());
        self.text.push_str(text);
    }

    /// `None` for a message without a line.
    fn put_together(self) -> Option<String> {
        Some(format!("{}{} :{}", self.head, self.command?, self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds lines; returns whether the last one was kept, and what it completed.
    fn hear(batches: &mut Batches, lines: &[&str]) -> (bool, Option<Closed>) {
        let mut outcome = (false, None);
        for text in lines {
            let line = Line::parse(text).unwrap();
            outcome = match line.command {
                "BATCH" => (false, batches.heard(&line)),
                _ => (batches.keeps(&line, text), None),
            };
        }
        outcome
    }

    #[test]
    fn history_is_complete_at_the_end_of_its_batch() {
        let mut batches = Batches::default();
        let line = "@batch=h :ben!u@h PRIVMSG #lobby :one";
        assert!(hear(&mut batches, &[":s BATCH +h chathistory #lobby", line]).0);
        assert!(!hear(&mut batches, &[":ben!u@h PRIVMSG #lobby :live"]).0);
        let room = Closed::Memory { of: Memory::History("#lobby".into()), label: None, lines: vec![line.into()] };
        assert_eq!(hear(&mut batches, &[":s BATCH -h"]).1, Some(room));
        assert_eq!(hear(&mut batches, &[":s BATCH -h"]).1, None);
    }

    #[test]
    fn what_answers_a_question_keeps_its_label() {
        for (opened, of) in [
            ("@label=q1 :s BATCH +h soju.im/search", Memory::Found),
            ("@label=q1 :s BATCH +h draft/chathistory-targets", Memory::Targets),
            ("@label=q1 :s BATCH +h chathistory ben", Memory::History("ben".into())),
        ] {
            let closed = hear(&mut Batches::default(), &[opened, ":s BATCH -h"]).1;
            assert_eq!(closed, Some(Closed::Memory { of, label: Some("q1".into()), lines: vec![] }));
        }
    }

    #[test]
    fn a_message_of_several_lines_is_one_at_its_end() {
        let mut batches = Batches::default();
        let opened = "@label=7;msgid=9 :ben!u@h BATCH +m draft/multiline #a";
        let lines = [
            "@batch=m :ben!u@h PRIVMSG #a :one",
            "@batch=m :ben!u@h PRIVMSG #a :",
            "@batch=m :ben!u@h PRIVMSG #a :two",
        ];
        assert!(!hear(&mut batches, &[opened]).0);
        assert!(lines.iter().all(|line| hear(&mut batches, &[line]).0));
        assert!(hear(&mut batches, &["@draft/multiline-concat;batch=m :ben!u@h PRIVMSG #a : three"]).0);
        let whole = "@label=7;msgid=9 :ben!u@h PRIVMSG #a :one\n\ntwo three";
        assert_eq!(hear(&mut batches, &[":ben!u@h BATCH -m"]).1, Some(Closed::Message(whole.into())));
        assert_eq!(hear(&mut batches, &[opened, ":ben!u@h BATCH -m"]).1, None, "without a line there is no message");
        hear(&mut batches, &[opened]);
        let long = format!("@batch=m :ben!u@h PRIVMSG #a :{}", "x".repeat(4000));
        (0..1000).for_each(|_| drop(hear(&mut batches, &[&long])));
        let Some(Closed::Message(text)) = hear(&mut batches, &[":ben!u@h BATCH -m"]).1 else { panic!("no message") };
        assert!(text.len() < MESSAGE_BYTES + 1000, "what has no end costs no memory");
    }

    #[test]
    fn a_batch_inside_of_another_belongs_to_it() {
        let mut batches = Batches::default();
        hear(&mut batches, &["@label=7 :s BATCH +a labeled-response", "@batch=a :s BATCH +b netsplit x y"]);
        let label = |text: &str| batches.label_of(&Line::parse(text).unwrap());
        assert_eq!(label("@batch=b :s 401 anna ben :no").as_deref(), Some("7"));
        assert_eq!(label(":s 401 anna ben :no"), None);
        let mut batches = Batches::default();
        let nested = [":s BATCH +h chathistory #a", "@batch=h :s BATCH +m other", "@batch=m :ben PRIVMSG #a :x"];
        assert!(hear(&mut batches, &nested).0);
        hear(&mut batches, &["@label=7 :s BATCH +l labeled-response"]);
        assert_eq!(hear(&mut batches, &[":s BATCH -l"]).1, Some(Closed::Answer("7".into())));
    }

    #[test]
    fn batches_without_end_cost_no_memory() {
        let mut batches = Batches::default();
        for number in 0..BATCHES * 2 {
            hear(&mut batches, &[&format!(":s BATCH +{number} chathistory #a")]);
        }
        assert_eq!(batches.open.len(), BATCHES);
        for _ in 0..BATCH_LINES * 2 {
            hear(&mut batches, &["@batch=0 :ben PRIVMSG #a :x"]);
        }
        let Some(Closed::Memory { lines, .. }) = hear(&mut batches, &[":s BATCH -0"]).1 else { panic!("no history") };
        assert_eq!(lines.len(), BATCH_LINES);
    }

    #[test]
    fn a_batch_inside_of_itself_ends() {
        let mut batches = Batches::default();
        hear(&mut batches, &["@batch=a :s BATCH +a netsplit x"]);
        assert!(!hear(&mut batches, &["@batch=a :s NOTICE anna :inside"]).0);
    }
}
