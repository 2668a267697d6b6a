//! WHOIS: all that may be told of one person.

use crate::wire::caps::Caps;
use crate::wire::line::Line;
use crate::wire::reply::*;

use super::join::clip_word;
use super::turn::Turn;
use super::who::address_word;
use super::{Chat, ConnId, SERVER_NAME, Session};

/// One line of an answer.
struct Fact {
    code: Numeric,
    params: Vec<String>,
    sentence: String,
}

impl Turn<'_> {
    /// `WHOIS [<server>] <nick>`
    pub(super) fn whois(&mut self, line: &Line) {
        let Some(nick) = line.param(1).or(line.param(0)) else {
            return self.numeric(ERR_NONICKNAMEGIVEN, &[], "say who: WHOIS <nick>");
        };
        // The nick stands twice where a client wants its server to be asked; for somebody who is gone that is no unknown server.
        let server = line.param(0).filter(|server| *server != nick);
        if !server.is_none_or(|server| self.is_asked_here(server)) {
            return;
        }
        if nick.contains(',') {
            return self.numeric(ERR_TOOMANYTARGETS, &[clip_word(nick)], "ask for one nick at a time");
        }
        if let Some(person) = self.chat.session_named(nick) {
            let (conn, nick) = (person.conn, person.nick.as_str().to_owned());
            self.show_person(conn, &nick);
        } else {
            self.numeric(ERR_NOSUCHNICK, &[clip_word(nick)], "nobody of that name is here");
        }
        self.numeric(RPL_ENDOFWHOIS, &[clip_word(nick)], "that is all");
    }

    fn show_person(&mut self, conn: ConnId, nick: &str) {
        let Some(person) = self.chat.session(conn) else { return };
        let (facts, rooms) = (self.facts_of(person), self.chat.rooms_shown_of(person, self.session()));
        for (at, fact) in facts.iter().enumerate() {
            let params: Vec<&str> = fact.params.iter().map(String::as_str).collect();
            self.numeric(fact.code, &params, &fact.sentence);
            // Right behind the name, as people know it.
            if at == 0 && !rooms.is_empty() {
                self.packed_numeric(RPL_WHOISCHANNELS, &[nick], &rooms, ' ');
            }
        }
    }

    /// What this session may know about somebody, the name first.
    fn facts_of(&self, person: &Session) -> Vec<Fact> {
        let nick = person.nick.as_str();
        let mut facts = Vec::new();
        let mut tell = |code, words: &[&str], sentence: &str| {
            let params = [nick].iter().chain(words).map(|word| (*word).to_owned()).collect();
            facts.push(Fact { code, params, sentence: sentence.to_owned() });
        };
        tell(RPL_WHOISUSER, &[&person.user, &person.cloak, "*"], &person.realname);
        tell(RPL_WHOISSERVER, &[SERVER_NAME], &self.chat.settings.network);
        if person.operator {
            tell(RPL_WHOISOPERATOR, &[], "is a server operator");
        }
        if let Some(account) = &person.account {
            tell(RPL_WHOISACCOUNT, &[account], "is logged in as");
        }
        if person.bot {
            tell(RPL_WHOISBOT, &[], "is a bot");
        }
        if self.session().operator || person.conn == self.me {
            tell(RPL_WHOISACTUALLY, &[&address_word(person.address)], "is actually using host");
        }
        let idle_secs = self.now.wall_ms.saturating_sub(person.spoke_ms) / 1000;
        let words = [idle_secs.to_string(), (person.since_ms / 1000).to_string()];
        tell(RPL_WHOISIDLE, &[&words[0], &words[1]], "seconds idle, signon time");
        if let Some(reason) = &person.away {
            tell(RPL_AWAY, &[], reason);
        }
        facts
    }
}

impl Chat {
    /// The rooms of `person` that `asker` may know of, with the standing in front.
    fn rooms_shown_of(&self, person: &Session, asker: &Session) -> Vec<String> {
        let rooms = person.rooms.iter().filter_map(|id| self.rooms.get(id));
        let shown = rooms.filter(|room| {
            asker.operator || asker.rooms.contains(&room.id) || !(room.flags.secret || person.invisible)
        });
        let all_prefixes = asker.caps.has(Caps::MULTI_PREFIX);
        let prefixed = shown.map(|room| {
            let standing = room.standing(person.conn).unwrap_or_default();
            format!("{}{}", standing.prefixes(all_prefixes), room.name.as_str())
        });
        prefixed.collect()
    }
}
