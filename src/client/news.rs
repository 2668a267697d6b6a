//! What was said where the client did not look yet: after logging in, in the groups of the account and in private talk.
//!
//! The server is asked once in which conversations something was said and when. For each, the newest first, it is known or asked up to
//! where it was read, and what follows is fetched. Few questions are under way at once, so that what is typed need not wait behind them.

use std::collections::{HashMap, VecDeque};

use super::Orders;
use super::catchup::Catchup;
use super::features::Features;
use crate::wire::caps::Caps;
use crate::wire::line::Line;
use crate::wire::name::fold;
use crate::wire::timestamp;

/// Conversations that are looked at: as many as one answer names.
const CONVERSATIONS: usize = 100;

/// Messages that are fetched of one conversation. More than that are "99+".
pub const UNREAD: usize = 100;

/// Messages that are fetched of a room in which nothing was ever marked as read.
const GLIMPSE: usize = 10;

/// Questions under way. Servers take four lines a second; two of them are left for what is typed.
const UNDER_WAY: usize = 2;

/// Later than every message. Milliseconds since 1970 of our own server end in 2248.
const FAR_AHEAD: &str = "timestamp=2200-01-01T00:00:00.000Z";
const THE_BEGINNING: &str = "timestamp=1970-01-01T00:00:00.000Z";

/// The label of the one question for conversations.
const LABEL: &str = "targets";

/// A conversation that may have news.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Talk {
    name: Box<str>,
    /// When the last word was said, in milliseconds since 1970.
    last_ms: u64,
}

/// The conversations, and what is known of them.
#[derive(Default, Debug)]
pub struct News {
    waiting: VecDeque<Talk>,
    /// Those whose marker is asked for.
    asking: Vec<Talk>,
    /// Those whose messages are on their way.
    fetching: Vec<Box<str>>,
    /// Up to where each was read, by folded name; `None` when nothing was ever read.
    read: HashMap<Box<str>, Option<u64>>,
}

impl News {
    /// The client is logged in: asks where something was said.
    pub fn ask(&mut self, features: &Features, orders: &mut Orders) {
        if features.has_history() && features.gives_receipts() {
            orders.send(format!(
                "@label={LABEL} CHATHISTORY TARGETS {FAR_AHEAD} {THE_BEGINNING} {}",
                CONVERSATIONS.min(features.history_limit)
            ));
        }
    }

    /// The link broke.
    pub fn lost(&mut self) {
        self.waiting.clear();
        self.asking.clear();
        self.fetching.clear();
    }

    /// The answer is here. `is_wanted` says of which names.
    pub fn answered(&mut self, lines: &[Box<str>], is_wanted: impl Fn(&str) -> bool) {
        let talks = lines.iter().filter_map(|text| {
            let line = Line::parse(text)?;
            let [_, name, time] = line.params() else { return None };
            Some(Talk { name: (*name).into(), last_ms: timestamp::parse(time)? })
        });
        self.waiting = talks.filter(|talk| is_wanted(&talk.name)).collect();
        // The server names them oldest first.
        self.waiting.make_contiguous().reverse();
    }

    /// A MARKREAD line: up to where something was read.
    pub fn marked(&mut self, name: &str, up_to_ms: Option<u64>) {
        self.read.insert(fold(name), up_to_ms);
    }

    /// A line refuses the question for a marker. True when it does.
    pub fn refused(&mut self, line: &Line) -> bool {
        let name = match (line.command, line.param(0)) {
            ("FAIL", Some("MARKREAD")) => line.param(2),
            ("FAIL", Some("CHATHISTORY")) => return line.params().contains(&"TARGETS"),
            _ => return false,
        };
        let before = self.asking.len();
        self.asking.retain(|talk| name.is_none_or(|name| fold(name) != fold(&talk.name)));
        self.asking.len() < before
    }

    /// Goes on with the next conversations, as far as that may be.
    pub fn go_on(&mut self, catchup: &mut Catchup, features: &Features, now_ms: u64, orders: &mut Orders) {
        self.fetching.retain(|name| catchup.is_asking(name));
        for talk in std::mem::take(&mut self.asking) {
            match self.read.get(&fold(&talk.name)).copied() {
                Some(read_ms) => self.fetch(talk, read_ms, catchup, features, now_ms, orders),
                None => self.asking.push(talk),
            }
        }
        while self.asking.len() + self.fetching.len() < UNDER_WAY
            && let Some(talk) = self.waiting.pop_front()
        {
            let read_ms = self.read.get(&fold(&talk.name)).copied();
            match (catchup.last_ms(&talk.name), read_ms) {
                (Some(known_ms), _) if talk.last_ms <= known_ms => {}
                (Some(_), _) => self.fetch(talk, None, catchup, features, now_ms, orders),
                (None, Some(read_ms)) => self.fetch(talk, read_ms, catchup, features, now_ms, orders),
                (None, None) if features.caps.has(Caps::READ_MARKER) => {
                    orders.send(format!("MARKREAD {}", talk.name));
                    self.asking.push(talk);
                }
                // Nobody knows what was read.
                (None, None) => catchup.known_up_to(&talk.name, talk.last_ms),
            }
        }
    }

    /// Fetches what follows what was read.
    fn fetch(
        &mut self,
        talk: Talk,
        read_ms: Option<u64>,
        catchup: &mut Catchup,
        features: &Features,
        now_ms: u64,
        orders: &mut Orders,
    ) {
        if read_ms.is_some_and(|read_ms| talk.last_ms <= read_ms) {
            return catchup.known_up_to(&talk.name, talk.last_ms);
        }
        let first = if read_ms.is_none() && features.is_room(&talk.name) { GLIMPSE } else { UNREAD };
        catchup.missed(&talk.name, (first, read_ms), features, now_ms, orders);
        self.fetching.push(talk.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::features::WANTED;

    fn features() -> Features {
        Features { caps: WANTED, ..Features::default() }
    }

    /// Conversations with the last word at so many seconds after 1970.
    fn named(talks: &[(&str, u64)]) -> News {
        let line = |(name, secs): &(&str, u64)| {
            let mut time = String::new();
            timestamp::write_utc(secs * 1000, &mut time);
            format!("@batch=t :gzy CHATHISTORY TARGETS {name} {time}").into()
        };
        let mut news = News::default();
        news.answered(&talks.iter().map(line).collect::<Vec<_>>(), |name| name != "#lobby");
        news
    }

    fn go_on(news: &mut News, catchup: &mut Catchup) -> Vec<String> {
        let mut orders = Orders::default();
        news.go_on(catchup, &features(), 0, &mut orders);
        orders.lines
    }

    #[test]
    fn what_was_not_read_is_fetched_newest_first_and_few_at_a_time() {
        let (mut news, mut catchup) =
            (named(&[("ben", 5), ("#茶", 7), ("#lobby", 8), ("小雨", 9)]), Catchup::default());
        assert_eq!(go_on(&mut news, &mut catchup), ["MARKREAD 小雨", "MARKREAD #茶"]);
        news.marked("小雨", Some(9_000));
        news.marked("#茶", Some(6_000));
        let fetched = "@label=h1 CHATHISTORY LATEST #茶 timestamp=1970-01-01T00:00:06.000Z 100";
        assert_eq!(go_on(&mut news, &mut catchup), [fetched, "MARKREAD ben"]);
        news.marked("ben", None);
        assert_eq!(go_on(&mut news, &mut catchup), ["@label=h2 CHATHISTORY LATEST ben * 100"]);
        assert!(!catchup.is_fetching(), "nothing that is typed waits for it");
        for name in ["#茶", "ben"] {
            catchup.fetched(name, vec![], &features(), 0, &mut Orders::default());
        }
        assert!(go_on(&mut news, &mut catchup).is_empty() && news.fetching.is_empty());
    }

    #[test]
    fn after_a_broken_link_only_what_follows_the_last_known_message_is_fetched() {
        let mut catchup = Catchup::default();
        catchup.known_up_to("ben", 5_000);
        catchup.known_up_to("小雨", 9_000);
        let mut news = named(&[("ben", 7), ("小雨", 9)]);
        let fetched = "@label=h1 CHATHISTORY AFTER ben timestamp=1970-01-01T00:00:05.000Z 100";
        assert_eq!(go_on(&mut news, &mut catchup), [fetched]);
    }

    #[test]
    fn a_refused_marker_does_not_hold_up_the_others() {
        let (mut news, mut catchup) = (named(&[("a", 1), ("b", 2), ("c", 3)]), Catchup::default());
        assert_eq!(go_on(&mut news, &mut catchup).len(), 2);
        let line = Line::parse(":gzy FAIL MARKREAD INVALID_PARAMS c :no").unwrap();
        assert!(news.refused(&line) && !news.refused(&line));
        assert_eq!(go_on(&mut news, &mut catchup), ["MARKREAD a"]);
    }
}
