//! What a store that holds everything in memory answers about pages of the past, private conversations and read markers.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::change::Change;
use crate::store::record::{AccountId, Found, Message, Place, Query, Redaction, Target};
use crate::wire::msgid::MsgId;
use crate::wire::name::fold;

use super::memory::{is_at, last};

/// The answer to a question about the past; `None` when it is about something else.
pub fn found<'a>(all: &[&'a Message], changes: impl Iterator<Item = &'a Change>, query: &Query) -> Option<Found> {
    let at = |place: &Place| all.iter().copied().filter(|m| is_at(m, place)).collect::<Vec<_>>();
    Some(match query {
        Query::Between { place, after, before, limit, newest } => {
            let between = at(place).into_iter().filter(|m| m.id > *after && m.id < *before);
            if *newest { last(between, *limit) } else { Found::Messages(between.take(*limit).cloned().collect()) }
        }
        Query::Around { place, id, limit } => {
            let (earlier, later): (Vec<_>, Vec<_>) = at(place).into_iter().partition(|m| m.id < *id);
            let Found::Messages(mut around) = last(earlier.into_iter(), limit / 2) else { return None };
            around.extend(later.into_iter().take(limit - limit / 2).cloned());
            Found::Messages(around)
        }
        Query::Targets { places, account, after, before, limit } => {
            let mut newest: Vec<(Target, MsgId)> = newest_in(all, places, *account).into_iter().collect();
            newest.retain(|(_, id)| id > after && id < before);
            newest.sort_by_key(|(_, id)| *id);
            newest.truncate(*limit);
            Found::Targets(newest)
        }
        Query::Private { account, after, limit } => {
            last(all.iter().copied().filter(|m| is_of(&m.target, *account) && m.id > *after), *limit)
        }
        Query::Person { account } => person(changes, *account),
        _ => return None,
    })
}

fn newest_in(all: &[&Message], places: &[Place], account: Option<AccountId>) -> BTreeMap<Target, MsgId> {
    let is_wanted = |m: &&&Message| {
        places.iter().any(|place| is_at(m, place)) || account.is_some_and(|account| is_of(&m.target, account))
    };
    all.iter().filter(is_wanted).map(|m| (m.target.clone(), m.id)).collect()
}

fn is_of(target: &Target, account: AccountId) -> bool {
    target.accounts().is_some_and(|(one, other)| one == account || other == account)
}

fn person<'a>(changes: impl Iterator<Item = &'a Change>, who: AccountId) -> Found {
    let mut markers = BTreeMap::new();
    let mut newest = MsgId(0);
    for change in changes {
        match change {
            Change::Read { account, target, up_to_ms } if *account == who => {
                let known: &mut u64 = markers.entry(target.clone()).or_default();
                *known = (*known).max(*up_to_ms);
            }
            Change::Delivered { account, up_to } if *account == who => newest = newest.max(*up_to),
            _ => {}
        }
    }
    Found::Person { read: markers.into_iter().collect(), delivered: newest }
}

/// Removes a message, when whoever asks may do so.
pub fn redact(all: &[&Message], redacted: &mut BTreeSet<MsgId>, query: &Query) -> Option<Found> {
    let Query::Redact { place, id, only_of } = query else { return None };
    let message = all.iter().find(|m| m.id == *id && is_at(m, place));
    Some(Found::Redacted(match (message, only_of) {
        (None, _) => Redaction::NotThere,
        (Some(message), Some(me)) if message.account.as_deref().map(fold) != Some(fold(me)) => Redaction::NotYours,
        (Some(_), _) => {
            redacted.insert(*id);
            Redaction::Done
        }
    }))
}
