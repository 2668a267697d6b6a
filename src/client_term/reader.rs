//! Reading back: a page of a conversation, or of what a search found, with more of it fetched when its end is reached. Pure.

use std::collections::VecDeque;

use super::paint::Painter;
use super::screen::wrapped;
use crate::client::shown::{Shown, What};

/// Messages that are kept while reading back; the ones that are farthest from what is looked at are let go of and fetched again.
const KEPT: usize = 2_000;

/// Rows of the page before that stay visible, so that the eye finds its place.
const OVERLAP: usize = 1;

/// A piece of what can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A message, or what took its place.
    Line(Shown),
    /// A message around the one that was found.
    Context(Shown),
    /// A message that was found.
    Found(Shown),
    /// Where what follows was said, safe to print.
    Heading(String),
}

/// Which end of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// What was said before.
    Older,
    /// What was said after.
    Newer,
}

/// What pressing a key led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turned {
    /// Another page, or nothing.
    Page,
    /// More has to be fetched at this end.
    Wants(End),
    /// Behind the last page: back to the talk.
    Left,
}

/// What is read, and which part of it is on the screen.
#[derive(Debug)]
pub struct Reader {
    items: VecDeque<Item>,
    rows: Vec<Row>,
    columns: usize,
    height: usize,
    /// The first row on the screen.
    top: usize,
    /// Nothing was said before the first item.
    begins: bool,
    /// What is said next belongs behind the last item.
    ends: bool,
    asking: Option<End>,
    /// A page up was wanted where nothing was.
    owes_page: bool,
    /// The next time it is drawn, the last page is shown.
    to_end: bool,
}

#[derive(Debug)]
struct Row {
    item: usize,
    text: String,
}

impl Reader {
    /// Begins at the end of these items. `begins`: nothing was said before them.
    pub fn new(items: impl Iterator<Item = Item>, begins: bool) -> Reader {
        Reader {
            items: items.collect(),
            rows: Vec::new(),
            columns: 0,
            height: 0,
            top: 0,
            begins,
            ends: true,
            asking: None,
            owes_page: false,
            to_end: true,
        }
    }

    /// Whoever begins to read wants what is above the end.
    pub fn owe_page(&mut self) {
        self.owes_page = true;
    }

    /// The first message with an id, or the last one: from where more is fetched.
    pub fn at(&self, end: End) -> Option<&Shown> {
        let messages = || {
            self.items.iter().filter_map(|item| match item {
                Item::Line(shown) => Some(shown).filter(|shown| shown.id().is_some()),
                _ => None,
            })
        };
        match end {
            End::Older => messages().next(),
            End::Newer => messages().next_back(),
        }
    }

    /// Whether more is on its way.
    pub fn asking(&self) -> Option<End> {
        self.asking
    }

    /// Whether the first row is the first of all.
    pub fn is_at_start(&self) -> bool {
        self.top == 0 && self.begins
    }

    /// A page up. Nothing while there is something that was not drawn yet.
    pub fn up(&mut self) -> Turned {
        if self.columns == 0 {
            return Turned::Page;
        }
        if self.top == 0 && !self.begins {
            self.owes_page = true;
            return self.want(End::Older);
        }
        self.top = self.top.saturating_sub(self.step());
        // So that it is here when it is needed.
        if self.top < self.step() && !self.begins { self.want(End::Older) } else { Turned::Page }
    }

    fn step(&self) -> usize {
        self.height.saturating_sub(OVERLAP).max(1)
    }

    /// A page down. Nothing while there is something that was not drawn yet.
    pub fn down(&mut self) -> Turned {
        if self.columns == 0 {
            return Turned::Page;
        }
        let last = self.rows.len().saturating_sub(self.height);
        if self.top >= last {
            return if self.ends { Turned::Left } else { self.want(End::Newer) };
        }
        self.top = (self.top + self.step()).min(last);
        Turned::Page
    }

    fn want(&mut self, end: End) -> Turned {
        if self.asking.is_some() {
            return Turned::Page;
        }
        self.asking = Some(end);
        Turned::Wants(end)
    }

    /// More is here, oldest first. None of it is shown twice; nothing new means that there is nothing more.
    pub fn more(&mut self, end: End, lines: Vec<Shown>) {
        self.asking = None;
        let known = |shown: &Shown| shown.id().is_some() && self.items.iter().any(|item| item.id() == shown.id());
        let new: Vec<Item> = lines.into_iter().filter(|shown| !known(shown)).map(Item::Line).collect();
        let surplus = (self.items.len() + new.len()).saturating_sub(KEPT);
        match end {
            End::Older => {
                self.begins = new.is_empty();
                let added = new.len();
                new.into_iter().rev().for_each(|item| self.items.push_front(item));
                self.items.truncate(self.items.len() - surplus);
                self.ends &= surplus == 0;
                self.shift(added as isize);
            }
            End::Newer => {
                self.ends = new.is_empty();
                self.items.extend(new);
                self.items.drain(..surplus);
                self.begins &= surplus == 0;
                self.shift(-(surplus as isize));
            }
        }
    }

    /// There is nothing more to be had at this end.
    pub fn no_more(&mut self, end: End) {
        (self.asking, self.owes_page) = (None, false);
        match end {
            End::Older => self.begins = true,
            End::Newer => self.ends = true,
        }
    }

    /// Something was said in the conversation that is read.
    pub fn said(&mut self, shown: &Shown) {
        if self.ends {
            self.items.push_back(Item::Line(shown.clone()));
            let surplus = self.items.len().saturating_sub(KEPT);
            self.items.drain(..surplus);
            self.begins &= surplus == 0;
            self.shift(-(surplus as isize));
        }
    }

    /// A message was taken back.
    pub fn removed(&mut self, id: &str, notice: &What) {
        for item in self.items.iter_mut().filter(|item| item.id() == Some(id)) {
            if let Item::Line(shown) | Item::Context(shown) | Item::Found(shown) = item {
                shown.what = notice.clone();
            }
        }
        self.shift(0);
    }

    /// Puts other items in the place of all; what is looked at stays at its distance from the end.
    pub fn replace(&mut self, items: impl Iterator<Item = Item>) {
        let below = self.rows.len().saturating_sub(self.top);
        self.items = items.collect();
        (self.rows, self.columns) = (Vec::new(), 0);
        self.top = usize::MAX - below;
    }

    /// The rows are out of date: the item at the top has `by` items more in front of it.
    fn shift(&mut self, by: isize) {
        let item = self.rows.get(self.top).map_or(0, |row| row.item);
        let item = item.saturating_add_signed(by);
        // Until it is drawn again, which makes the rows.
        self.rows = vec![Row { item, text: String::new() }];
        (self.top, self.columns) = (0, 0);
    }

    /// The rows on a screen of this size.
    pub fn page(&mut self, columns: usize, height: usize, painter: &Painter, nick: &str) -> Vec<&str> {
        let (had_columns, to_end) = (self.columns, std::mem::take(&mut self.to_end));
        self.height = height;
        if had_columns != columns {
            let (top_item, below) = (self.rows.get(self.top).map_or(0, |row| row.item), usize::MAX - self.top);
            let was_replaced = self.rows.is_empty();
            self.columns = columns;
            self.rows = made_rows(&self.items, columns, painter, nick);
            self.top = match was_replaced {
                true => self.rows.len().saturating_sub(below),
                false => self.rows.iter().position(|row| row.item >= top_item).unwrap_or(self.rows.len()),
            };
        }
        if self.asking.is_none() && std::mem::take(&mut self.owes_page) {
            self.top = self.top.saturating_sub(self.step());
        }
        let last = self.rows.len().saturating_sub(height);
        self.top = if to_end { last } else { self.top.min(last) };
        self.rows.iter().skip(self.top).take(height).map(|row| row.text.as_str()).collect()
    }
}

impl Item {
    fn id(&self) -> Option<&str> {
        match self {
            Item::Line(shown) | Item::Context(shown) | Item::Found(shown) => shown.id(),
            Item::Heading(_) => None,
        }
    }
}

fn made_rows(items: &VecDeque<Item>, columns: usize, painter: &Painter, nick: &str) -> Vec<Row> {
    let mut painter = painter.for_a_page();
    let mut rows = Vec::new();
    for (item, content) in items.iter().enumerate() {
        let lines = painter.item(content, nick);
        let texts = lines.iter().flat_map(|line| wrapped(line, columns));
        rows.extend(texts.map(|text| Row { item, text }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use time::UtcOffset;

    use super::*;
    use crate::client::shown::Said;
    use crate::client::words::Language;
    use crate::client::writer::Writer;

    fn message(id: usize) -> Shown {
        let (text, id) = (format!("第{id}句").into(), Some(id.to_string().into()));
        let said = Said { who: "ben".into(), text, id, history: true, ..Said::default() };
        Shown { at_ms: 0, room: Some("#a".into()), what: What::Said(said) }
    }

    fn messages(ids: impl DoubleEndedIterator<Item = usize>) -> Vec<Shown> {
        ids.map(message).collect()
    }

    fn reader(ids: impl DoubleEndedIterator<Item = usize>, begins: bool) -> Reader {
        Reader::new(messages(ids).into_iter().map(Item::Line), begins)
    }

    /// The numbers of the messages on a screen of four rows.
    fn seen(reader: &mut Reader) -> Vec<usize> {
        let writer = Writer { language: Language::Zh, offset: UtcOffset::UTC, current: "#a".into() };
        let rows = reader.page(40, 4, &Painter::new(writer, None), "anna");
        let number = |row: &&str| row.split('第').nth(1).map_or(0, |rest| rest.trim_end_matches('句').parse().unwrap());
        rows.iter().map(number).filter(|number| *number > 0).collect()
    }

    #[test]
    fn pages_go_back_to_what_is_fetched_without_gap_or_double() {
        let mut reader = reader(96..=105, false);
        assert_eq!(seen(&mut reader), [102, 103, 104, 105]);
        assert_eq!(reader.up(), Turned::Page);
        assert_eq!(seen(&mut reader), [99, 100, 101, 102]);
        assert_eq!(reader.up(), Turned::Wants(End::Older));
        assert_eq!(reader.at(End::Older).and_then(Shown::id), Some("96"));
        assert_eq!(reader.up(), Turned::Page, "one question at a time");
        assert_eq!(seen(&mut reader), [96, 97, 98, 99]);
        // The answer overlaps with what is here.
        reader.more(End::Older, messages(90..=97));
        assert_eq!(seen(&mut reader), [93, 94, 95, 96], "the page that was wanted twice");
        assert_eq!(reader.up(), Turned::Wants(End::Older));
        assert_eq!(seen(&mut reader), [90, 91, 92, 93]);
        assert!(!reader.is_at_start());
        reader.more(End::Older, vec![]);
        assert!(reader.is_at_start());
    }

    #[test]
    fn behind_the_last_page_is_the_talk_and_what_is_said_meanwhile_is_there() {
        let mut reader = reader(1..=8, true);
        seen(&mut reader);
        reader.up();
        assert_eq!(seen(&mut reader), [2, 3, 4, 5]);
        reader.said(&message(9));
        assert_eq!(seen(&mut reader), [2, 3, 4, 5], "the page stays where it is");
        assert_eq!((reader.down(), seen(&mut reader)), (Turned::Page, vec![5, 6, 7, 8]));
        assert_eq!((reader.down(), seen(&mut reader)), (Turned::Page, vec![6, 7, 8, 9]));
        assert_eq!(reader.down(), Turned::Left);
    }

    #[test]
    fn memory_is_bounded_and_what_was_let_go_of_is_fetched_again() {
        let mut reader = reader(10_000..10_000 + KEPT, false);
        seen(&mut reader);
        reader.more(End::Older, messages(9_900..10_000));
        assert_eq!(reader.items.len(), KEPT);
        assert_eq!(reader.at(End::Newer).and_then(Shown::id), Some((9_999 + KEPT - 100).to_string().as_str()));
        reader.said(&message(99_999));
        assert_eq!(reader.items.len(), KEPT, "that would leave a gap");
        seen(&mut reader);
        while reader.down() == Turned::Page {
            seen(&mut reader);
        }
        assert_eq!(reader.asking(), Some(End::Newer));
        reader.more(End::Newer, messages(10_000 + KEPT - 100..10_000 + KEPT));
        assert_eq!((reader.items.len(), reader.begins), (KEPT, false));
        reader.more(End::Newer, vec![]);
        seen(&mut reader);
        while reader.down() == Turned::Page {
            seen(&mut reader);
        }
        assert_eq!(seen(&mut reader).last(), Some(&(9_999 + KEPT)));
    }

    #[test]
    fn what_was_taken_back_is_shown_as_that() {
        let mut reader = reader(1..=3, true);
        let notice = What::Removed { id: "2".into(), by: "ben".into(), with: None };
        reader.removed("2", &notice);
        let writer = Writer { language: Language::Zh, offset: UtcOffset::UTC, current: "#a".into() };
        let page = reader.page(40, 9, &Painter::new(writer, None), "anna").join("|");
        assert!(!page.contains("第2句") && page.contains("ben 撤回了一条消息"), "{page}");
    }
}
