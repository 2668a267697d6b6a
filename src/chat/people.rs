//! Who is who: WHOWAS, USERHOST, ISON.

use std::net::IpAddr;

use crate::wire::limits::{USERHOST_NAMES, WHOWAS_NAMES};
use crate::wire::line::Line;
use crate::wire::name::{Key, Nick};
use crate::wire::reply::*;
use crate::wire::timestamp;

use super::join::clip_word;
use super::turn::Turn;
use super::who::address_word;
use super::{Chat, SERVER_NAME, Session};

/// Somebody who was here.
#[derive(Clone, Debug)]
pub struct Whowas {
    nick: Nick,
    user: Box<str>,
    cloak: Box<str>,
    address: IpAddr,
    realname: Box<str>,
    account: Option<Box<str>>,
    left_ms: u64,
}

impl Whowas {
    /// A session as it is remembered after it has gone, or got another nick.
    pub(super) fn of(session: &Session, at_ms: u64) -> Whowas {
        Whowas {
            nick: session.nick.clone(),
            user: session.user.clone(),
            cloak: session.cloak.clone(),
            address: session.address,
            realname: session.realname.clone(),
            account: session.account.clone(),
            left_ms: at_ms,
        }
    }
}

impl Chat {
    /// Remembers somebody for WHOWAS.
    pub(super) fn remember_gone(&mut self, gone: Whowas) {
        self.whowas.push_front(gone);
        self.whowas.truncate(WHOWAS_NAMES);
    }
}

impl Turn<'_> {
    /// `WHOWAS <nick> [<count>]`, the last one first
    pub(super) fn whowas(&mut self, line: &Line) {
        let Some(nick) = line.param(0) else {
            return self.numeric(ERR_NONICKNAMEGIVEN, &[], "say who: WHOWAS <nick>");
        };
        let count = line.param(1).and_then(|count| count.parse::<usize>().ok()).filter(|count| *count > 0);
        let key = Key::of(nick);
        let gone = self.chat.whowas.iter().filter(|gone| gone.nick.key() == key);
        let gone: Vec<Whowas> = gone.take(count.unwrap_or(WHOWAS_NAMES)).cloned().collect();
        if gone.is_empty() {
            self.numeric(ERR_WASNOSUCHNICK, &[clip_word(nick)], "nobody of that name was here lately");
        }
        for person in &gone {
            self.show_gone(person);
        }
        self.numeric(RPL_ENDOFWHOWAS, &[clip_word(nick)], "that is all");
    }

    fn show_gone(&mut self, person: &Whowas) {
        let nick = person.nick.as_str();
        self.numeric(RPL_WHOWASUSER, &[nick, &person.user, &person.cloak, "*"], &person.realname);
        if let Some(account) = &person.account {
            self.numeric(RPL_WHOISACCOUNT, &[nick, account], "was logged in as");
        }
        if self.session().operator {
            self.numeric(RPL_WHOISACTUALLY, &[nick, &address_word(person.address)], "was using host");
        }
        let mut left = String::new();
        timestamp::write_utc(person.left_ms, &mut left);
        self.numeric(RPL_WHOISSERVER, &[nick, SERVER_NAME], &left);
    }

    /// `USERHOST <nick>{ <nick>}`
    pub(super) fn userhost(&mut self, line: &Line) {
        let names = line.params().iter().flat_map(|param| param.split(' ')).take(USERHOST_NAMES);
        let here = names.filter_map(|name| self.chat.session_named(name)).map(|person| {
            let operator = if person.operator { "*" } else { "" };
            let away = if person.away.is_some() { '-' } else { '+' };
            format!("{}{operator}={away}{}@{}", person.nick.as_str(), person.user, person.cloak)
        });
        let here: Vec<String> = here.collect();
        self.packed_numeric(RPL_USERHOST, &[], &here, ' ');
    }

    /// `ISON <nick>{ <nick>}`
    pub(super) fn ison(&mut self, line: &Line) {
        let names = line.params().iter().flat_map(|param| param.split(' '));
        let here = names.filter_map(|name| self.chat.session_named(name)).map(|person| person.nick.as_str().to_owned());
        let here: Vec<String> = here.collect();
        self.packed_numeric(RPL_ISON, &[], &here, ' ');
    }
}
