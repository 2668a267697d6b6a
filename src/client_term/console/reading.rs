//! Reading back at a terminal: pages of the conversation that is looked at, and what a search found.

use super::super::reader::{End, Item, Reader, Turned};
use super::recall::Wish;
use super::*;
use crate::client::asked::{NoAnswer, Question};
use crate::client::lookup;
use crate::client::words::ReadSaying;
use crate::wire::caps::Caps;
use crate::wire::timestamp;

/// Hits of a search that are shown with a line before and after: the newest, as many as one looks at. Each costs a question.
const WITH_CONTEXT: usize = 20;

/// A message and its two neighbours.
const AROUND: usize = 3;

/// What is read instead of the talk.
#[derive(Debug)]
pub(super) struct Reading {
    pub reader: Reader,
    /// What it is about.
    about: About,
    /// Answers for an earlier one are not for this one.
    number: u64,
}

#[derive(Debug)]
enum About {
    /// A conversation.
    Talk(Box<str>),
    /// A search for these words.
    Search { words: Box<str>, hits: Vec<Hit>, is_done: bool },
}

/// A message that was found, with its neighbours as far as they are known.
#[derive(Debug)]
struct Hit {
    found: Shown,
    before: Option<Shown>,
    after: Option<Shown>,
    is_asked: bool,
}

impl Console {
    /// Whether something is read instead of the talk.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Back to the talk. False when that is where the user is.
    pub fn stop_reading(&mut self) -> bool {
        self.reading.take().is_some()
    }

    /// A page up or down.
    pub fn turn_page(&mut self, end: End) {
        if self.reading.is_none() {
            match end {
                End::Older => self.begin_reading(),
                End::Newer => return,
            }
        }
        let Some(reading) = &mut self.reading else { return };
        let turned = match end {
            End::Older => reading.reader.up(),
            End::Newer => reading.reader.down(),
        };
        match turned {
            Turned::Page => {}
            Turned::Left => self.reading = None,
            Turned::Wants(end) => self.fetch_more(end),
        }
    }

    /// Reads the conversation that is looked at, from its end on.
    fn begin_reading(&mut self) {
        let name: Box<str> = self.current().into();
        let Some(talk) = self.talks.named(&name) else { return };
        let items: Vec<Item> = talk.lines().filter(|shown| shown.is_message()).cloned().map(Item::Line).collect();
        let remembers = self.features().has_history();
        self.next_key += 1;
        let mut reader = Reader::new(items.into_iter(), !remembers);
        reader.owe_page();
        self.reading = Some(Reading { reader, about: About::Talk(name), number: self.next_key });
    }

    fn fetch_more(&mut self, end: End) {
        let Some(Reading { reader, about: About::Talk(name), number }) = &self.reading else { return };
        let (target, number) = (name.clone(), *number);
        let question = match (end, reader.at(end)) {
            (_, None) => Question::Latest { target, limit: lookup::HITS },
            (End::Older, Some(shown)) => Question::Before { target, msgid: id_of(shown), time: time_of(shown) },
            (End::Newer, Some(shown)) => Question::After { target, msgid: id_of(shown), time: time_of(shown) },
        };
        self.ask_server(Wish::Page(number, end), question);
    }

    pub(super) fn page_came(&mut self, number: u64, end: End, answer: &Result<Vec<Box<str>>, NoAnswer>) {
        let lines = answer.as_ref().map(|lines| self.view.read(lines));
        let Some(reading) = self.reading.as_mut().filter(|reading| reading.number == number) else { return };
        match lines {
            Ok(lines) => reading.reader.more(end, lines),
            Err(_) => reading.reader.no_more(end),
        }
    }

    /// `/search WORDS`. False when the server has to be asked in words.
    pub(super) fn search(&mut self, now_ms: u64, words: &str) -> bool {
        let can = self.features().caps.has(Caps::SEARCH) && self.features().gives_receipts();
        if self.front != Front::Screen || !can || words.is_empty() {
            return false;
        }
        let writer = &self.painter.writer;
        let lobby = self.features().lobby.as_deref();
        let attributes = lookup::attributes(words, writer.day(now_ms), writer.offset, lobby);
        self.next_key += 1;
        let number = self.next_key;
        let about = About::Search { words: words.into(), hits: Vec::new(), is_done: false };
        self.reading = Some(Reading { reader: Reader::new(std::iter::empty(), true), about, number });
        self.ask_server(Wish::Hits(number), Question::Search(attributes.into()));
        true
    }

    pub(super) fn hits_came(&mut self, number: u64, answer: &Result<Vec<Box<str>>, NoAnswer>) {
        let found = answer.as_ref().map(|lines| self.view.read(lines));
        let Some(Reading { about: About::Search { hits, is_done, .. }, .. }) =
            self.reading.as_mut().filter(|reading| reading.number == number)
        else {
            return;
        };
        match found {
            Ok(found) => {
                let hit = |found| Hit { found, before: None, after: None, is_asked: false };
                *hits = found.into_iter().map(hit).collect();
                *is_done = true;
                self.show_hits();
                self.ask_context();
            }
            Err(why) => {
                self.reading = None;
                let why = why.clone();
                self.tell(&Saying::Read(ReadSaying::NoAnswer(&why)));
            }
        }
    }

    /// Asks for the neighbours of the next hit, from the newest on: one at a time, so that what is typed need not wait behind them.
    fn ask_context(&mut self) {
        let Some(Reading { about: About::Search { hits, .. }, number, .. }) = &mut self.reading else { return };
        let number = *number;
        let newest = hits.iter_mut().enumerate().rev().take(WITH_CONTEXT);
        let Some((at, hit)) = newest.into_iter().find(|(_, hit)| !hit.is_asked && hit.found.id().is_some()) else {
            return;
        };
        hit.is_asked = true;
        let target = hit.found.conversation().unwrap_or_default().into();
        let question = Question::Around { target, msgid: id_of(&hit.found), limit: AROUND };
        self.ask_server(Wish::Context(number, at), question);
    }

    pub(super) fn context_came(&mut self, number: u64, at: usize, answer: &Result<Vec<Box<str>>, NoAnswer>) {
        let lines = answer.as_ref().map_or_else(|_| Vec::new(), |lines| self.view.read(lines));
        let Some(Reading { about: About::Search { hits, .. }, .. }) =
            self.reading.as_mut().filter(|reading| reading.number == number)
        else {
            return;
        };
        if let Some(hit) = hits.get_mut(at)
            && let Some(place) = lines.iter().position(|shown| shown.id() == hit.found.id())
        {
            hit.before = place.checked_sub(1).and_then(|before| lines.get(before).cloned());
            hit.after = lines.get(place + 1).cloned();
        }
        self.show_hits();
        self.ask_context();
    }

    fn show_hits(&mut self) {
        let Some(Reading { about: About::Search { hits, .. }, .. }) = &self.reading else { return };
        let mut items = Vec::new();
        for hit in hits {
            let day = self.painter.writer.day(hit.found.at_ms);
            let day = format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day());
            let title = self.title(hit.found.conversation().unwrap_or_default());
            items.push(Item::Heading(format!("── {title} {day} ──")));
            items.extend(hit.before.clone().map(Item::Context));
            items.push(Item::Found(hit.found.clone()));
            items.extend(hit.after.clone().map(Item::Context));
        }
        if let Some(reading) = &mut self.reading {
            reading.reader.replace(items.into_iter());
        }
    }

    /// Something was said, or taken back, while the user reads.
    pub(super) fn note_for_reader(&mut self, shown: &Shown) {
        let Some(reading) = &mut self.reading else { return };
        match (&reading.about, &shown.what) {
            (_, What::Removed { id, .. }) => reading.reader.removed(id, &shown.what),
            (About::Talk(name), What::Said(_) | What::Shared(_))
                if shown.conversation().is_some_and(|of| fold(of) == fold(name)) =>
            {
                reading.reader.said(shown);
            }
            _ => {}
        }
    }

    /// The rows of the page, for a window of this size.
    pub fn page(&mut self, columns: usize, height: usize) -> Vec<&str> {
        let Some(reading) = &mut self.reading else { return Vec::new() };
        let mut painter = self.painter.for_a_page();
        if let About::Talk(name) = &reading.about {
            painter.writer.current = name.clone();
        }
        reading.reader.page(columns, height, &painter, self.view.nick())
    }

    /// What is said about the page, below it.
    pub fn page_status(&self) -> Option<String> {
        let reading = self.reading.as_ref()?;
        let saying = match &reading.about {
            _ if reading.reader.asking().is_some() => ReadSaying::Fetching,
            About::Search { is_done: false, .. } => ReadSaying::Fetching,
            About::Search { words, hits, .. } => ReadSaying::Found(words, hits.len()),
            About::Talk(_) if reading.reader.is_at_start() => ReadSaying::Start,
            About::Talk(name) => return Some(say(self.language(), &Saying::Read(ReadSaying::Talk(&self.title(name))))),
        };
        Some(say(self.language(), &Saying::Read(saying)))
    }
}

fn id_of(shown: &Shown) -> Box<str> {
    shown.id().unwrap_or_default().into()
}

fn time_of(shown: &Shown) -> Box<str> {
    let mut time = String::new();
    timestamp::write_utc(shown.at_ms, &mut time);
    time.into()
}
