//! What was said before: CHATHISTORY for rooms and private conversations (IRCv3 draft/chathistory).

use std::fmt::Write;

use crate::store::record::{Found, Place, Query, Target};
use crate::wire::caps::Caps;
use crate::wire::limits::{HISTORY_MESSAGES, HISTORY_TARGETS};
use crate::wire::line::Line;
use crate::wire::msgid::MsgId;
use crate::wire::timestamp;

use super::join::clip_word;
use super::recall::{Recall, keep_what_fits, name_among};
use super::session::Purpose;
use super::turn::Turn;
use super::{Effect, SERVER_NAME};

/// Larger than every id.
const END: MsgId = MsgId(u64::MAX);

/// Where a CHATHISTORY answer begins or ends.
#[derive(Clone, Copy)]
enum Selector {
    /// The message itself is not part of the answer, whichever way it goes.
    Id(MsgId),
    /// Messages of that very millisecond are not part of the answer either.
    Time(u64),
}

impl Selector {
    /// The smallest id that it names: what it is compared by, and messages before it are before the selector.
    fn upper(self) -> MsgId {
        match self {
            Selector::Id(id) => id,
            Selector::Time(at_ms) => MsgId::first_at(at_ms),
        }
    }

    /// Messages after this id are after the selector.
    fn lower(self) -> MsgId {
        match self {
            Selector::Id(id) => id,
            Selector::Time(at_ms) => MsgId(MsgId::first_at(at_ms.saturating_add(1)).0.saturating_sub(1)),
        }
    }
}

/// What somebody did not get right: the code, its further context, a sentence.
type Fault<'a> = (&'static str, Option<&'a str>, &'static str);

fn invalid<'a>(word: Option<&'a str>, sentence: &'static str) -> Fault<'a> {
    ("INVALID_PARAMS", word, sentence)
}

/// Reads `msgid=…` and `timestamp=…`.
fn selector(text: &str) -> Result<Selector, Fault<'_>> {
    let read = match text.split_once('=') {
        Some(("msgid", value)) => MsgId::parse(value).map(Selector::Id),
        Some(("timestamp", value)) => timestamp::parse(value).map(Selector::Time),
        Some(_) => return Err(("INVALID_MSGREFTYPE", Some(text), "messages are named by msgid=… or timestamp=…")),
        None => None,
    };
    read.ok_or_else(|| invalid(Some(text), "that names no message and no time; say msgid=<id> or timestamp=<time>"))
}

/// Reads a time.
fn moment(text: &str) -> Result<Selector, Fault<'_>> {
    match selector(text)? {
        Selector::Id(_) => Err(("INVALID_MSGREFTYPE", Some(text), "TARGETS takes timestamp=<time>, twice")),
        time => Ok(time),
    }
}

/// Reads a count. One that is larger than any answer is as good as the largest.
fn count(text: &str) -> Result<usize, Fault<'_>> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse().unwrap_or(usize::MAX) } else { 0 };
    (number > 0)
        .then(|| number.min(HISTORY_MESSAGES))
        .ok_or_else(|| invalid(Some(text), "say how many messages at most, from 1 up"))
}

/// What follows the subcommand, when it is as much as it takes.
fn exactly<'a, const N: usize>(params: &[&'a str]) -> Result<[&'a str; N], Fault<'a>> {
    params.try_into().map_err(|_| {
        invalid(
            None,
            if params.len() < N { "that needs more parameters; see HELP CHATHISTORY" } else { "too many parameters" },
        )
    })
}

/// The question about a place that a subcommand stands for, and whether the answer counts from its newest message.
fn question<'a>(subcommand: &str, place: Place, params: &[&'a str]) -> Result<(Query, bool), Fault<'a>> {
    if subcommand == "BETWEEN" {
        let [one, other, limit] = exactly(params)?;
        let (one, other, limit) = (selector(one)?, selector(other)?, count(limit)?);
        let newest = one.upper() > other.upper();
        let (first, second) = if newest { (other, one) } else { (one, other) };
        let (after, before) = (first.lower(), second.upper());
        return Ok((Query::Between { place, after, before, limit, newest }, newest));
    }
    let [at, limit] = exactly(params)?;
    let limit = count(limit)?;
    if subcommand == "LATEST" && at == "*" {
        return Ok((Query::Before { place, before: None, limit }, true));
    }
    let at = selector(at)?;
    Ok(match subcommand {
        "BEFORE" => (Query::Before { place, before: Some(at.upper()), limit }, true),
        "AFTER" => (Query::After { place, after: at.lower(), limit }, false),
        "AROUND" => (Query::Around { place, id: at.upper(), limit }, false),
        _ => (Query::Between { place, after: at.lower(), before: END, limit, newest: true }, true),
    })
}

impl Turn<'_> {
    /// `CHATHISTORY LATEST|BEFORE|AFTER|AROUND <room or account> <selector> <limit>`, `… BETWEEN <room or account> <selector> <selector>
    /// <limit>`, `… TARGETS <time> <time> <limit>`
    pub(super) fn chathistory(&mut self, line: &Line) {
        if !self.session().caps.has(Caps::CHATHISTORY.with(Caps::BATCH)) {
            return self.fail("CHATHISTORY", "NEED_CAPABILITY", &[], "ask for draft/chathistory and batch first");
        }
        let (&what, params) = line.params().split_first().unwrap_or((&"*", &[]));
        let subcommand = what.to_ascii_uppercase();
        let asked = match (subcommand.as_str(), params.split_first()) {
            ("TARGETS", _) => self.ask_targets(params),
            ("LATEST" | "BEFORE" | "AFTER" | "AROUND" | "BETWEEN", Some((&target, params))) => {
                self.ask_history(&subcommand, target, params)
            }
            ("LATEST" | "BEFORE" | "AFTER" | "AROUND" | "BETWEEN", None) => {
                Err(invalid(None, "say of which room or account"))
            }
            _ => Err(invalid(None, "say LATEST, BEFORE, AFTER, AROUND, BETWEEN or TARGETS")),
        };
        let Err((code, word, sentence)) = asked else { return };
        let mut context = vec![clip_word(what)];
        if code == "INVALID_MSGREFTYPE" {
            context.push(params.first().filter(|_| subcommand != "TARGETS").map_or("*", |target| clip_word(target)));
        }
        context.extend(word.map(clip_word));
        self.fail("CHATHISTORY", code, &context, sentence);
    }

    fn ask_history<'a>(&mut self, subcommand: &str, target: &'a str, params: &[&'a str]) -> Result<(), Fault<'a>> {
        let Some(past) = self.chat.past(self.me, target) else {
            // What is wrong with the rest is told first: it is wrong for every target.
            let anywhere = Place { target: Target::room("#"), instance: 0, since: END };
            question(subcommand, anywhere, params)?;
            let sentence = match (target.starts_with('#'), self.session().account.is_some()) {
                (true, _) => "you can read the history of rooms that you are in",
                (false, true) => "there is no account of that name, and talk with guests is not kept",
                (false, false) => "private talk is kept between accounts only; !register makes one",
            };
            return Err(("INVALID_TARGET", Some(target), sentence));
        };
        let (query, from_newest) = question(subcommand, past.place, params)?;
        self.ask_recall(query, Recall::History { name: past.name, from_newest });
        Ok(())
    }

    fn ask_targets<'a>(&mut self, params: &[&'a str]) -> Result<(), Fault<'a>> {
        let [one, other, limit] = exactly(params)?;
        let (one, other, limit) = (moment(one)?, moment(other)?, count(limit)?);
        let newest = one.upper() > other.upper();
        let (first, second) = if newest { (other, one) } else { (one, other) };
        let pasts = self.chat.pasts_of_rooms(self.me);
        let query = Query::Targets {
            places: pasts.iter().map(|past| past.place.clone()).collect(),
            account: self.chat.account_of(self.me),
            after: first.lower(),
            before: second.upper(),
            limit: HISTORY_TARGETS,
        };
        let rooms = pasts.into_iter().map(|past| (past.place.target, past.name)).collect();
        self.ask_recall(query, Recall::Targets { rooms, limit, newest });
        Ok(())
    }

    /// Asks the store, and makes the session wait for it.
    pub(super) fn ask_recall(&mut self, query: Query, recall: Recall) {
        let token = self.wait_for(Purpose::Recall(Box::new(recall)));
        self.effects.push(Effect::Ask { token, query });
    }

    /// Answers CHATHISTORY with a batch.
    pub(super) fn show_history(&mut self, name: &str, from_newest: bool, found: Found) {
        let mut messages = match found {
            Found::Messages(messages) => messages,
            Found::Failed(reason) => return self.not_read(&reason, name),
            _ => return,
        };
        keep_what_fits(&mut messages, from_newest);
        self.reply_batch(&format!("chathistory {name}"), |turn, extra| {
            for message in messages {
                let event = turn.chat.kept_line(message, turn.me, name);
                turn.reply_event(&event, extra);
            }
        });
    }

    /// Answers CHATHISTORY TARGETS: the rooms by their names, the conversations by the name of the other.
    pub(super) fn show_targets(&mut self, rooms: &[(Target, Box<str>)], limit: usize, newest: bool, found: Found) {
        let all = match found {
            Found::Targets(all) => all,
            Found::Failed(reason) => return self.not_read(&reason, "*"),
            _ => return,
        };
        let mine = self.chat.account_of(self.me);
        let named = all.into_iter().filter_map(|(target, id)| {
            let conversation = || self.chat.past_filed(mine?, &target).map(|past| past.name);
            let name = name_among(rooms, &target).map(Box::from).or_else(conversation)?;
            Some((name, id))
        });
        let mut named: Vec<(Box<str>, MsgId)> = named.collect();
        if newest {
            named.drain(..named.len().saturating_sub(limit));
        } else {
            named.truncate(limit);
        }
        self.reply_batch("draft/chathistory-targets", |turn, extra| {
            for (name, id) in named {
                let lines = turn.replies.lines();
                let _ = write!(lines, "@{extra} :{SERVER_NAME} CHATHISTORY TARGETS {name} ");
                timestamp::write_utc(id.time_ms(), lines);
                lines.push_str("\r\n");
            }
        });
    }

    fn not_read(&mut self, reason: &str, name: &str) {
        let sentence = format!("the history could not be read: {reason}");
        self.fail("CHATHISTORY", "MESSAGE_ERROR", &[name], &sentence);
    }
}

#[cfg(test)]
mod tests;
