//! WHOIS: all that may be told of one person.

use crate::store::record::AccountId;
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
        } else if let Some(account) = self.chat.accounts.meant(nick) {
            self.show_away_account(account);
        } else {
            self.numeric(ERR_NOSUCHNICK, &[clip_word(nick)], "nobody of that name is here");
        }
        self.numeric(RPL_ENDOFWHOIS, &[clip_word(nick)], "that is all");
    }

    /// Somebody with an account who is not here right now.
    fn show_away_account(&mut self, id: AccountId) {
        let Some(account) = self.chat.accounts.get(id) else { return };
        let (name, source) = (account.name.as_str().to_owned(), self.chat.source_of(id));
        let shown = account.display.as_deref().unwrap_or(&name).to_owned();
        let (user, host) = source.split_once('!').and_then(|(_, rest)| rest.split_once('@')).unwrap_or(("*", "*"));
        self.numeric(RPL_WHOISUSER, &[&name, user, host, "*"], &shown);
        self.numeric(RPL_WHOISACCOUNT, &[&name, &name], "is logged in as");
        self.numeric(RPL_AWAY, &[&name], "不在线 · not here right now");
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
        tell(RPL_WHOISUSER, &[person.user(), person.cloak(), "*"], &person.realname);
        tell(RPL_WHOISSERVER, &[SERVER_NAME], &self.chat.settings.network);
        if person.operator {
            tell(RPL_WHOISOPERATOR, &[], "is a server operator");
        }
        if let Some(account) = person.account_name() {
            tell(RPL_WHOISACCOUNT, &[account], "is logged in as");
        }
        if person.bot {
            tell(RPL_WHOISBOT, &[], "is a bot");
        }
        if person.is_secure {
            tell(RPL_WHOISSECURE, &[], "is using a secure connection");
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

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use crate::chat::Input;

    #[test]
    fn whois_tells_all_that_may_be_told() {
        let mut w = World::new();
        let (anna, 小阳) = (w.join("anna"), w.join("小阳"));
        w.line(小阳, "JOIN #茶");
        w.log_in(小阳, "小阳");
        w.make_operator(小阳);
        w.handle(Input::Secured { conn: 小阳 });
        w.chat.session_mut(小阳).unwrap().bot = true;
        w.pass_ms(7_000);
        w.line(小阳, "AWAY :吃饭");
        w.drain();
        let (host, address) = (w.session(小阳).cloak().to_string(), w.session(小阳).address.to_string());
        let told = [
            format!(":gzy.local 311 anna 小阳 1000 {host} * :小阳"),
            ":gzy.local 319 anna 小阳 :#lobby @#茶".into(),
            ":gzy.local 312 anna 小阳 gzy.local :GZY".into(),
            ":gzy.local 313 anna 小阳 :is a server operator".into(),
            ":gzy.local 330 anna 小阳 小阳 :is logged in as".into(),
            ":gzy.local 335 anna 小阳 :is a bot".into(),
            ":gzy.local 671 anna 小阳 :is using a secure connection".into(),
            ":gzy.local 317 anna 小阳 7 1795180761 :seconds idle, signon time".into(),
            ":gzy.local 301 anna 小阳 :吃饭".into(),
            ":gzy.local 318 anna 小阳 :that is all".into(),
        ];
        assert_eq!(w.ask(anna, "WHOIS 小阳"), told);
        assert_eq!(w.ask(anna, "WHOIS gzy.local 小阳"), told);
        assert_eq!(w.ask(anna, "WHOIS 小阳 小阳"), told);
        w.make_operator(anna);
        let actually = format!(":gzy.local 338 anna 小阳 {address} :is actually using host");
        assert_eq!(w.ask(anna, "WHOIS 小阳")[7], actually);
        let own = w.ask(小阳, "WHOIS 小阳");
        assert_eq!(own[7], actually.replace("338 anna", "338 小阳"), "one may know one's own address");
    }

    #[test]
    fn an_account_that_is_away_is_told_with_its_number() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.add_account("小阳", "开门开门开门", false);
        let told = [
            ":gzy.local 311 anna 小阳 1000 account.gzy * :小阳",
            ":gzy.local 330 anna 小阳 小阳 :is logged in as",
            ":gzy.local 301 anna 小阳 :不在线 · not here right now",
        ];
        w.drain();
        for name in ["小阳", "1000"] {
            assert_eq!(w.ask(anna, &format!("WHOIS {name}"))[..3], told);
        }
    }

    #[test]
    fn whois_of_nobody_says_so() {
        let mut w = World::new();
        let anna = w.join("anna");
        let nobody = [":gzy.local 401 anna 小阳 :nobody of that name is here", ":gzy.local 318 anna 小阳 :that is all"];
        assert_eq!(w.ask(anna, "WHOIS 小阳"), nobody);
        assert_eq!(w.ask(anna, "WHOIS 小阳 小阳"), nobody);
        assert_eq!(w.ask(anna, "WHOIS"), [":gzy.local 431 anna :say who: WHOIS <nick>"]);
        let elsewhere = [":gzy.local 402 anna irc.example :there is only gzy.local here"];
        assert_eq!(w.ask(anna, "WHOIS irc.example anna"), elsewhere);
        assert_eq!(w.ask(anna, "WHOIS anna,ben"), [":gzy.local 407 anna anna,ben :ask for one nick at a time"]);
    }

    #[test]
    fn rooms_are_told_to_those_who_may_know_of_them() {
        let mut w = World::new();
        let (anna, 小阳, eve) = (w.join("anna"), w.join("小阳"), w.join("eve"));
        w.line(小阳, "JOIN #秘密");
        w.line(小阳, "JOIN #茶");
        w.line(anna, "JOIN #秘密");
        let secret = w.chat.room_named("#秘密").map(|room| room.id).unwrap();
        w.chat.rooms.get_mut(&secret).unwrap().flags.secret = true;
        w.drain();
        let rooms = |w: &mut World, asker| {
            let told = w.ask(asker, "WHOIS 小阳").into_iter().find(|line| line.contains(" 319 "));
            told.and_then(|line| line.split_once(" :").map(|(_, rooms)| rooms.to_owned()))
        };
        assert_eq!(rooms(&mut w, eve).as_deref(), Some("#lobby @#茶"));
        assert_eq!(rooms(&mut w, anna).as_deref(), Some("#lobby @#秘密 @#茶"));
        w.chat.turn(小阳, w.now, &mut Vec::new(), |turn| turn.set_invisible(true));
        assert_eq!(
            rooms(&mut w, eve).as_deref(),
            Some("#lobby"),
            "what an invisible person does elsewhere is not told"
        );
        w.line(eve, "PART #lobby");
        w.drain();
        assert_eq!(rooms(&mut w, eve), None);
        w.make_operator(eve);
        assert_eq!(rooms(&mut w, eve).as_deref(), Some("#lobby @#秘密 @#茶"));
    }

    #[test]
    fn a_hundred_rooms_are_told_in_lines_that_fit() {
        let mut w = World::new();
        let anna = w.join("anna");
        for at in 10..90 {
            w.line(anna, &format!("JOIN #{}{at}", "很长的房间名字".repeat(2)));
        }
        w.drain();
        let lines = w.ask(anna, "WHOIS anna");
        let rooms: usize = lines.iter().filter(|l| l.contains(" 319 ")).map(|l| l.matches('#').count()).sum();
        assert_eq!(rooms, 81);
    }
}
