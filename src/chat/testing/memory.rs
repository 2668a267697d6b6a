//! What a store that holds everything in memory answers.

use crate::store::record::{Account, Found, Message, Place, Query, Search};
use crate::wire::name::fold;

use super::kept::Kept;

/// The answer to `query` from all messages, oldest first, and all accounts.
pub fn found<'a>(
    all: impl Iterator<Item = &'a Message> + Clone,
    accounts: &[Account],
    kept: &Kept,
    query: &Query,
) -> Found {
    match query {
        Query::Unread { account, places, limit } => {
            Found::Unread(places.iter().map(|place| kept.unread(*account, place, *limit, all.clone())).collect())
        }
        Query::Before { place, before, limit } => {
            let earlier = |m: &&Message| is_at(m, place) && before.is_none_or(|before| m.id < before);
            last(all.filter(earlier), *limit)
        }
        Query::After { place, after, limit } => {
            Found::Messages(all.filter(|m| is_at(m, place) && m.id > *after).take(*limit).cloned().collect())
        }
        Query::Search(search) => last(all.filter(|m| is_hit(m, search)), search.limit),
        Query::Sent(sent_as) => {
            let mut sent = all.filter(|m| m.sent_as.as_ref() == Some(sent_as));
            Found::Sent(sent.next().map(|m| m.id))
        }
        Query::Account { name } => {
            let named = |account: &&Account| fold(&account.name) == fold(name) || account.id.0.to_string() == **name;
            Found::Account(accounts.iter().find(named).cloned())
        }
        _ => Found::Failed("not there yet".into()),
    }
}

pub(super) fn last<'a>(messages: impl Iterator<Item = &'a Message>, limit: usize) -> Found {
    let mut messages: Vec<Message> = messages.cloned().collect();
    messages.drain(..messages.len().saturating_sub(limit));
    Found::Messages(messages)
}

pub(super) fn is_at(message: &Message, place: &Place) -> bool {
    message.id >= place.since
        && message.target == place.target
        && (message.closed_in == 0 || message.closed_in == place.instance)
}

fn is_hit(message: &Message, search: &Search) -> bool {
    search.places.iter().any(|place| is_at(message, place))
        && search.words.iter().all(|word| fold(&message.text).contains(&*fold(word)))
        && search.from.as_deref().is_none_or(|who| is_from(message, who))
        && search.since.is_none_or(|since| message.id >= since)
        && search.before.is_none_or(|before| message.id < before)
}

fn is_from(message: &Message, who: &str) -> bool {
    let nick = message.source.split('!').next().unwrap_or("");
    *fold(nick) == *who || message.account.as_deref().is_some_and(|account| *fold(account) == *who)
}
