//! Nicks: who may have which, and how one is changed.

use std::rc::Rc;

use crate::wire::line::Line;
use crate::wire::name::{BadName, Nick, suggestion};
use crate::wire::reply::*;

use super::accounts::is_reserved;
use super::join::clip_word;
use super::people::Whowas;
use super::turn::Turn;
use super::{Audience, Chat, ConnId, Effect};

impl Chat {
    /// Whether nobody has this nick or one that looks like it, `but` one aside, and nobody has registered it.
    pub(super) fn is_free(&self, nick: &Nick, but: ConnId) -> bool {
        let (key, skeleton) = (nick.key(), nick.skeleton());
        let unused = |text: &str| self.nicks.get(text).is_none_or(|conn| *conn == but);
        unused(key.as_str()) && unused(skeleton.as_str()) && self.accounts.resembling(nick).is_none()
    }

    /// Takes a nick off the market.
    pub(super) fn claim_nick(&mut self, nick: &Nick, conn: ConnId) {
        self.nicks.insert(nick.key().as_str().into(), conn);
        self.nicks.insert(nick.skeleton().as_str().into(), conn);
    }

    /// Makes a nick free for others, when it is this connection that holds it.
    pub(super) fn release_nick(&mut self, nick: &Nick, holder: ConnId) {
        for name in [nick.key().as_str(), nick.skeleton().as_str()] {
            if self.nicks.get(name) == Some(&holder) {
                self.nicks.remove(name);
            }
        }
    }

    /// Whether this connection holds its nick. Before the welcome it may only have said that it wants the name of an account.
    pub(super) fn holds_nick(&self, conn: ConnId) -> bool {
        self.session(conn).is_some_and(|session| self.nicks.get(session.nick.key().as_str()) == Some(&conn))
    }
}

impl Turn<'_> {
    /// `NICK <nick>`
    pub(super) fn nick(&mut self, line: &Line) {
        let Some(text) = line.param(0) else {
            return self.numeric(ERR_NONICKNAMEGIVEN, &[], "say which nick: NICK <nick>");
        };
        let nick = match Nick::parse(text) {
            Ok(nick) => nick,
            Err(why) => return self.refuse_nick(text, why),
        };
        if is_reserved(&nick) {
            return self.numeric(ERR_ERRONEUSNICKNAME, &[clip_word(text)], "that name is the server's; choose another");
        }
        if self.session().is_registered() && self.session().account.is_some() {
            return self.keep_nick(&nick);
        }
        let is_registered_name = self.chat.accounts.resembling(&nick).is_some();
        if is_registered_name && !self.session().is_registered() {
            // Whose it is shows at the welcome: until then they may log in.
            self.want_nick(nick);
        } else if self.chat.is_free(&nick, self.me) {
            self.take_or_change(nick);
        } else {
            self.refuse_taken(&nick);
        }
    }

    fn take_or_change(&mut self, nick: Nick) {
        if self.session().is_registered() {
            return self.rename(nick);
        }
        self.take_nick(nick);
        self.note_nick();
    }

    /// Notes a registered name as the wanted one, without holding it.
    fn want_nick(&mut self, nick: Nick) {
        let old = self.session().nick.clone();
        self.chat.release_nick(&old, self.me);
        self.session_mut().set_nick(nick);
        self.note_nick();
    }

    fn note_nick(&mut self) {
        if let Some(hello) = &mut self.session_mut().hello {
            hello.has_nick = true;
        }
        self.welcome_when_complete();
    }

    /// Somebody with an account has its name on every device.
    fn keep_nick(&mut self, nick: &Nick) {
        let own = self.session().nick.clone();
        if *nick != own {
            let sentence = format!(
                "you are logged in as {}, and that is your nick; SETNAME changes the name that is shown beside it",
                own.as_str()
            );
            self.numeric(ERR_CANTCHANGENICK, &[nick.as_str()], &sentence);
        }
    }

    fn refuse_taken(&mut self, nick: &Nick) {
        let free = suggestion(nick, |other| self.chat.is_free(other, self.me));
        let (taken, free) = (nick.as_str(), free.as_str());
        let sentence = match self.chat.accounts.resembling(nick) {
            Some(_) => format!(
                "{taken} belongs to an account (or looks like one); if it is yours: !login {taken} PASSWORD; {free} is free"
            ),
            None => format!("{taken} is taken (or looks like a nick that is); {free} is free"),
        };
        self.numeric(ERR_NICKNAMEINUSE, &[taken], &sentence);
    }

    fn refuse_nick(&mut self, text: &str, why: BadName) {
        self.numeric(ERR_ERRONEUSNICKNAME, &[clip_word(text)], &why.to_string());
    }

    pub(super) fn take_nick(&mut self, nick: Nick) {
        let old = self.session().nick.clone();
        self.chat.release_nick(&old, self.me);
        self.chat.claim_nick(&nick, self.me);
        self.session_mut().set_nick(nick);
    }

    /// Changes the nick of somebody who is in, and tells everybody who sees it.
    pub(super) fn rename(&mut self, nick: Nick) {
        let old = self.session().nick.clone();
        if old == nick {
            return;
        }
        let event = Rc::new(self.my_event(format_args!("NICK {}", nick.as_str()), None));
        self.reply_event(&event, "");
        let peers = self.chat.peers(self.me, |_| true);
        self.effects.push(Effect::ToEach { to: peers, only: Audience::ALL, event });
        let gone = Whowas::of(self.session(), self.now.wall_ms);
        self.take_nick(nick.clone());
        // Somebody who only changes the case of letters has not gone.
        if old.key() != nick.key() {
            self.chat.remember_gone(gone);
            self.chat.tell_watchers_gone(&old, self.effects);
            self.chat.tell_watchers_here(&nick, self.effects);
        }
        self.log(format!("{} is {} from here on", old.as_str(), nick.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;

    #[test]
    fn a_taken_nick_is_refused_with_one_that_is_free_and_the_client_asks_again() {
        let mut w = World::new();
        w.join("小阳");
        w.join("小阳2");
        let newcomer = w.connect();
        w.line(newcomer, "USER x 0 * :x");
        let taken = ":gzy.local 433 * 小阳 :小阳 is taken (or looks like a nick that is); 小阳3 is free";
        assert_eq!(w.ask(newcomer, "NICK 小阳"), [taken]);
        assert!(!w.is_closed(newcomer));
        assert!(w.ask(newcomer, "NICK 小阳3")[0].starts_with(":gzy.local 001 小阳3 "));
        let anna = w.join("anna");
        let twin = ":gzy.local 433 anna 小阳 :小阳 is taken (or looks like a nick that is); 小阳4 is free";
        assert_eq!(w.ask(anna, "NICK 小阳"), [twin]);
    }

    #[test]
    fn a_look_alike_is_refused_as_well() {
        let mut w = World::new();
        w.join("anna");
        let eve = w.connect();
        for look_alike in ["ANNA", "аnnа", "ａｎｎａ"] {
            let lines = w.ask(eve, &format!("NICK {look_alike}"));
            assert!(lines[0].starts_with(&format!(":gzy.local 433 * {look_alike} :")), "{lines:?}");
        }
    }

    #[test]
    fn a_nick_that_cannot_be_one_is_refused_with_the_reason() {
        let mut w = World::new();
        let eve = w.connect();
        assert_eq!(w.ask(eve, "NICK"), [":gzy.local 431 * :say which nick: NICK <nick>"]);
        assert_eq!(w.ask(eve, "NICK :"), [":gzy.local 431 * :say which nick: NICK <nick>"]);
        for (text, shown) in [("小~阳", "小~阳"), (":小 阳", "*"), ("12345", "12345"), ("#大厅", "#大厅")] {
            let lines = w.ask(eve, &format!("NICK {text}"));
            assert!(lines[0].starts_with(&format!(":gzy.local 432 * {shown} :that name ")), "{lines:?}");
        }
        let long = "阳".repeat(30);
        let clipped = format!(":gzy.local 432 * {} :that name is longer than 64 bytes", "阳".repeat(21));
        assert!(w.ask(eve, &format!("NICK {long}"))[0].starts_with(&clipped));
    }

    #[test]
    fn a_nick_may_be_changed_before_the_welcome_and_the_first_is_free_again() {
        let mut w = World::new();
        let ben = w.connect();
        w.line(ben, "NICK 小阳");
        w.line(ben, "NICK ben");
        let 小阳 = w.join("小阳");
        assert_eq!(w.said_to(ben), [""; 0]);
        w.line(ben, "USER ben 0 * :Ben");
        assert_eq!(w.session(ben).nick.as_str(), "ben");
        assert_eq!(w.chat.session_named("小阳").map(|session| session.conn), Some(小阳));
    }

    #[test]
    fn a_new_nick_is_told_to_everybody_in_a_common_room_once() {
        let mut w = World::new();
        let (anna, ben, 小阳) = (w.join("Anna"), w.join("ben"), w.join("小阳"));
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.line(小阳, "PART #lobby");
        w.drain();
        for (old, new) in [("Anna", "ANNA"), ("ANNA", "安娜")] {
            let line = format!(":{} NICK {new}", w.source(anna));
            assert!(line.starts_with(&format!(":{old}!")));
            assert_eq!(w.ask(anna, &format!("NICK {new}")), [line.clone()]);
            assert_eq!((w.said_to(ben), w.said_to(小阳)), (vec![line], Vec::new()));
        }
        assert_eq!(w.ask(anna, "NICK 安娜"), [""; 0], "the same nick is no change");
        assert_eq!(w.said_to(ben), [""; 0]);
        assert!(w.ask(小阳, "NICK anna")[0].ends_with(" NICK anna"), "the old nick is free");
    }
}
