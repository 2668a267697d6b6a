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
            user: session.user().into(),
            cloak: session.cloak().into(),
            address: session.address,
            realname: session.realname.clone(),
            account: session.account_name().map(Box::from),
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
            format!("{}{operator}={away}{}@{}", person.nick.as_str(), person.user(), person.cloak())
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

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    #[test]
    fn whoever_has_gone_is_remembered_the_last_one_first() {
        let mut w = World::new();
        let (anna, first) = (w.join("anna"), w.join("小阳"));
        let address = w.session(first).address.to_string();
        w.log_in(first, "小阳");
        w.line(first, "QUIT :回家");
        w.pass_ms(60_000);
        // As the host had taken the account away: the name is free again.
        w.chat.accounts.remove(crate::store::record::AccountId(1000));
        let second = w.join("小阳");
        let h2 = w.session(second).cloak().to_string();
        w.line(second, "NICK 阳阳");
        w.drain();
        let (later, earlier) = (
            [
                format!(":gzy.local 314 anna 小阳 ~user {h2} * :小阳"),
                ":gzy.local 312 anna 小阳 gzy.local :2026-11-20T13:20:21.000Z".into(),
            ],
            [
                ":gzy.local 314 anna 小阳 1000 account.gzy * :小阳".into(),
                ":gzy.local 330 anna 小阳 小阳 :was logged in as".into(),
                ":gzy.local 312 anna 小阳 gzy.local :2026-11-20T13:19:21.000Z".into(),
            ],
        );
        let end = [":gzy.local 369 anna 小阳 :that is all".to_owned()];
        assert_eq!(w.ask(anna, "WHOWAS 小阳"), [&later[..], &earlier[..], &end[..]].concat());
        assert_eq!(w.ask(anna, "WHOWAS 小阳 0").len(), 6, "0 asks for all");
        assert_eq!(w.ask(anna, "WHOWAS 小阳 1"), [&later[..], &end[..]].concat());
        w.make_operator(anna);
        let at = format!(":gzy.local 338 anna 小阳 {address} :was using host");
        assert!(w.ask(anna, "WHOWAS 小阳").contains(&at), "operators see the address");
    }

    #[test]
    fn whoever_was_never_here_is_not_made_up() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.line(anna, "NICK ANNA");
        w.drain();
        let refusal = |nick: &str| {
            [
                format!(":gzy.local 406 ANNA {nick} :nobody of that name was here lately"),
                format!(":gzy.local 369 ANNA {nick} :that is all"),
            ]
        };
        assert_eq!(w.ask(anna, "WHOWAS 小阳"), refusal("小阳"));
        assert_eq!(w.ask(anna, "WHOWAS anna"), refusal("anna"), "other letter case is no other name");
        assert_eq!(w.ask(anna, "WHOWAS"), [":gzy.local 431 ANNA :say who: WHOWAS <nick>"]);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut w = World::new();
        let anna = w.join("anna");
        for at in 0..WHOWAS_NAMES {
            w.line(anna, &format!("NICK anna{at}"));
        }
        w.drain();
        assert_eq!(w.ask(anna, "WHOWAS anna").len(), 3);
        w.line(anna, "NICK 小安");
        w.drain();
        assert_eq!(w.chat.whowas.len(), WHOWAS_NAMES);
        assert_eq!(w.ask(anna, "WHOWAS anna").len(), 2, "the oldest is forgotten");
        assert_eq!(w.ask(anna, "WHOWAS anna0").len(), 3);
    }

    #[test]
    fn userhost_tells_who_is_away_and_who_is_an_operator() {
        let mut w = World::new();
        let (anna, 小阳) = (w.join("anna"), w.join("小阳"));
        w.make_operator(小阳);
        w.line(小阳, "AWAY :吃饭");
        let (h1, h2) = (w.session(anna).cloak().to_string(), w.session(小阳).cloak().to_string());
        let all = format!(":gzy.local 302 anna :小阳*=-~user@{h2} anna=+~anna@{h1}");
        assert_eq!(w.ask(anna, "USERHOST 小阳 eve ANNA"), [all]);
        assert_eq!(w.ask(anna, "USERHOST a b c d e anna"), [":gzy.local 302 anna :"], "five at a time");
    }

    #[test]
    fn ison_names_those_who_are_here() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.join("小阳");
        assert_eq!(w.ask(anna, "ISON 小阳 eve ANNA"), [":gzy.local 303 anna :小阳 anna"]);
        assert_eq!(w.ask(anna, "ISON :eve 小阳"), [":gzy.local 303 anna :小阳"]);
        assert_eq!(w.ask(anna, "ISON eve"), [":gzy.local 303 anna :"]);
        let many = w.ask(anna, &format!("ISON :{}", "小阳 ".repeat(200)));
        assert_eq!(many.iter().map(|line| line.matches("小阳").count()).sum::<usize>(), 200, "in as many lines as fit");
    }
}
