//! SEARCH: what was said anywhere that the asker may read (soju.im/search).

use crate::store::record::{Found, Query, Search, Target};
use crate::wire::caps::Caps;
use crate::wire::limits::{HISTORY_MESSAGES, SEARCH_BYTES, SEARCH_CONVERSATIONS, SEARCH_WORDS};
use crate::wire::line::{Line, Tags};
use crate::wire::msgid::MsgId;
use crate::wire::name::fold;
use crate::wire::timestamp;

use super::join::clip_word;
use super::places::Past;
use super::recall::{Recall, keep_what_fits, name_among};
use super::turn::Turn;

/// The attributes of a search, in the words of its specification.
const ATTRIBUTES: [&str; 6] = ["in", "from", "after", "before", "text", "limit"];

/// Why a search is not made: the attribute, and a sentence.
type Fault<'a> = (&'a str, &'static str);

/// What is said when there are too many words, or too long ones.
pub(super) const TOO_MUCH: &str = "that is too much to look for; a few words find it sooner";

/// What to look for, without the places.
fn parse<'a>(attributes: Tags<'a>) -> Result<Search, Fault<'a>> {
    let mut search = Search {
        places: Vec::new(),
        words: Vec::new(),
        from: None,
        since: None,
        before: None,
        limit: HISTORY_MESSAGES,
    };
    if let Some((unknown, _)) = attributes.iter().find(|(key, _)| !ATTRIBUTES.contains(key)) {
        return Err((unknown, "a search takes in, from, after, before, text and limit"));
    }
    if attributes.iter().next().is_none() {
        return Err(("*", "say what to look for: SEARCH text=<words>;in=<room>;from=<nick>"));
    }
    let time = |key: &'static str| match attributes.value(key) {
        None => Ok(None),
        Some(text) => timestamp::parse(&text).map(Some).ok_or((key, "that is no time; write 2026-11-20T13:19:21.000Z")),
    };
    if let Some(text) = attributes.value("text") {
        if text.len() > SEARCH_BYTES || text.split_whitespace().count() > SEARCH_WORDS {
            return Err(("text", TOO_MUCH));
        }
        search.words = text.split_whitespace().map(Box::from).collect();
    }
    search.from = attributes.value("from").filter(|who| !who.is_empty()).map(|who| fold(&who));
    search.since = time("after")?.map(MsgId::first_at);
    search.before = time("before")?.map(|at_ms| MsgId::first_at(at_ms.saturating_add(1)));
    if let Some(limit) = attributes.value("limit") {
        let is_number = !limit.is_empty() && limit.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_number { limit.parse().unwrap_or(HISTORY_MESSAGES) } else { 0 };
        if number == 0 {
            return Err(("limit", "that is no number of messages; say one from 1 up"));
        }
        search.limit = number.min(HISTORY_MESSAGES);
    }
    Ok(search)
}

impl Turn<'_> {
    /// `SEARCH <attributes>`
    pub(super) fn search(&mut self, line: &Line) {
        if !self.session().caps.has(Caps::SEARCH.with(Caps::BATCH)) {
            return self.fail("SEARCH", "NEED_CAPABILITY", &[], "ask for soju.im/search and batch first");
        }
        let attributes = Tags(line.param(0).unwrap_or(""));
        let mut search = match parse(attributes) {
            Ok(search) => search,
            Err((attribute, sentence)) => return self.refuse_search(attribute, sentence),
        };
        let Some(target) = attributes.value("in") else { return self.search_everywhere(search) };
        match self.chat.past(self.me, &target) {
            Some(past) => {
                search.places.push(past.place.clone());
                let names = vec![(past.place.target, past.name)];
                self.ask_recall(Query::Search(search), Recall::Search { names });
            }
            None => self.refuse_search("in", "you can search the rooms that you are in, and your talk with accounts"),
        }
    }

    fn refuse_search(&mut self, attribute: &str, sentence: &str) {
        self.fail("SEARCH", "INVALID_PARAMS", &[clip_word(attribute)], sentence);
    }

    fn search_everywhere(&mut self, mut search: Search) {
        let mut names = Vec::new();
        for past in self.chat.pasts_of_rooms(self.me) {
            names.push((past.place.target.clone(), past.name));
            search.places.push(past.place);
        }
        match self.conversations_query(&search) {
            Some(query) => self.ask_recall(query, Recall::SearchWhere { search, names }),
            None => self.ask_recall(Query::Search(search), Recall::Search { names }),
        }
    }

    /// Asks in which conversations the asker has ever talked; `None` for guests, whose conversations are not kept.
    pub(super) fn conversations_query(&self, search: &Search) -> Option<Query> {
        let account = Some(self.chat.account_of(self.me)?);
        // Nothing is found in what ended before the search begins.
        let after = search.since.map_or(MsgId(0), |since| MsgId(since.0.saturating_sub(1)));
        Some(Query::Targets { places: Vec::new(), account, after, before: MsgId(u64::MAX), limit: usize::MAX })
    }

    /// The conversations that the store named, those with the newest messages.
    pub(super) fn conversations_in(&self, targets: &[(Target, MsgId)]) -> Vec<Past> {
        let Some(mine) = self.chat.account_of(self.me) else { return Vec::new() };
        let known = targets.iter().rev().filter_map(|(target, _)| self.chat.past_filed(mine, target));
        known.take(SEARCH_CONVERSATIONS).collect()
    }

    /// The conversations of the asker are known: the search begins.
    pub(super) fn search_in_found(&mut self, mut search: Search, mut names: Vec<(Target, Box<str>)>, found: Found) {
        let Found::Targets(targets) = found else { return self.show_found(&names, found) };
        for past in self.conversations_in(&targets) {
            names.push((past.place.target.clone(), past.name));
            search.places.push(past.place);
        }
        self.ask_recall(Query::Search(search), Recall::Search { names });
    }

    /// Answers SEARCH with a batch.
    pub(super) fn show_found(&mut self, names: &[(Target, Box<str>)], found: Found) {
        let mut messages = match found {
            Found::Messages(messages) => messages,
            Found::Failed(reason) => {
                let sentence = format!("the search could not be made: {reason}");
                return self.fail("SEARCH", "INTERNAL_ERROR", &[], &sentence);
            }
            _ => return,
        };
        keep_what_fits(&mut messages, true);
        self.reply_batch("soju.im/search", |turn, extra| {
            for message in messages {
                let Some(name) = name_among(names, &message.target) else { continue };
                let event = turn.chat.kept_line(message, turn.me, name);
                turn.reply_event(&event, extra);
            }
        });
    }
}

#[cfg(test)]
mod tests;
