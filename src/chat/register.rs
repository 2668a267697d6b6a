//! Coming in: PASS, USER, and the welcome.

use std::fmt::Write;
use std::net::IpAddr;

use crate::wire::limits::*;
use crate::wire::line::{Line, clip};
use crate::wire::name::suggestion;
use crate::wire::reply::*;

use super::cloak::cloak;
use super::inform::VERSION;
use super::room::Standing;
use super::turn::Turn;
use super::{Chat, ConnId, Login, Now, SERVER_NAME, Session};

impl Chat {
    /// Takes in a connection that has said nothing yet.
    pub(super) fn connected(&mut self, conn: ConnId, address: IpAddr, now: Now) {
        let slot = conn.slot as usize;
        if self.sessions.len() <= slot {
            self.sessions.resize_with(slot + 1, || None);
        }
        let cloak = cloak(&self.settings.cloak_secret, address);
        self.connections += 1;
        self.sessions[slot] = Some(Box::new(Session::new(conn, address, &cloak, now)));
        self.wake_at(now.mono_ms + UNREGISTERED_MS, conn);
    }
}

impl Turn<'_> {
    /// `PING <token>`
    pub(super) fn ping(&mut self, line: &Line) {
        let token = clip(line.params()[0], PING_TOKEN_BYTES);
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} PONG {SERVER_NAME} :{token}\r\n");
    }

    /// `PASS <password>`
    pub(super) fn pass(&mut self, line: &Line) {
        let fits = self.chat.settings.password.as_ref().is_none_or(|password| *password.0 == *line.params()[0]);
        match &mut self.session_mut().hello {
            Some(hello) => hello.knows_password = fits,
            None => self.numeric(ERR_ALREADYREGISTERED, &[], "you are in already"),
        }
    }

    /// `USER <user> <mode> <unused> :<realname>`
    pub(super) fn user(&mut self, line: &Line) {
        if self.session().is_registered() {
            return self.numeric(ERR_ALREADYREGISTERED, &[], "you are in already");
        }
        let user = user_name(line.params()[0]);
        let realname = clip(line.params()[3], REALNAME_BYTES).into();
        let session = self.session_mut();
        session.set_user(&user);
        session.realname = realname;
        if let Some(hello) = &mut session.hello {
            hello.has_user = true;
        }
        self.welcome_when_complete();
    }

    /// Welcomes the client once it has said all that is needed.
    pub(super) fn welcome_when_complete(&mut self) {
        let needs_password = self.chat.settings.password.is_some();
        let Some(hello) = &self.session().hello else { return };
        // Who is logged in has a name, whatever became of the nick that was asked for.
        let has_name = hello.has_nick || self.session().account.is_some();
        if !has_name || !hello.has_user || hello.negotiating {
            return;
        }
        if needs_password && !hello.knows_password {
            self.numeric(
                ERR_PASSWDMISMATCH,
                &[],
                "this server has a password; give it with PASS (in your client's server settings)",
            );
            return self.close("wrong password");
        }
        if !self.chat.settings.guests && self.session().account.is_none() {
            self.numeric(
                ERR_PASSWDMISMATCH,
                &[],
                "only people with an account come in here; log in (SASL), or register",
            );
            return self.close("no account");
        }
        self.session_mut().hello = None;
        self.chat.registered += 1;
        self.chat.most_registered = self.chat.most_registered.max(self.chat.registered);
        self.chat.wake_at(self.now.mono_ms + PING_AFTER_MS, self.me);
        match self.session().account.clone() {
            Some(login) => self.welcome_account(&login),
            None => self.welcome_guest(),
        }
    }

    fn welcome_account(&mut self, login: &Login) {
        let was_here = self.come_in_as(login);
        self.greet();
        self.log(format!("{} is in, from {}", login.name, self.session().address));
        if was_here {
            self.follow_the_others();
        } else {
            self.come_in();
        }
        self.catch_up();
    }

    fn welcome_guest(&mut self) {
        let wanted = self.session().nick.clone();
        let has_it = self.chat.holds_nick(self.me);
        if !has_it {
            let free = suggestion(&wanted, |other| self.chat.is_free(other, self.me));
            self.take_nick(free);
        }
        self.greet();
        let nick = self.session().nick.clone();
        self.log(format!("{} is in, from {}", nick.as_str(), self.session().address));
        if !has_it {
            let (wanted, nick) = (wanted.as_str(), nick.as_str());
            self.server_notice(&format!("{wanted} 已经有人注册，你现在叫 {nick}。如果是你：！登录*{wanted}*密码"));
            self.server_notice(&format!(
                "{wanted} belongs to an account (or looks like one), so you are {nick}. If it is yours: !login {wanted} PASSWORD"
            ));
        }
        self.come_in();
    }

    /// Tells those who wait for this person, and goes to the lobby.
    fn come_in(&mut self) {
        let nick = self.session().nick.clone();
        self.chat.tell_watchers_here(&nick, self.effects);
        if let Some(lobby) = self.chat.lobby {
            self.enter(lobby, Standing::PLAIN);
        }
        self.come_home();
    }

    fn greet(&mut self) {
        let network = self.chat.settings.network.clone();
        let source = self.session().source();
        self.numeric(RPL_WELCOME, &[], &format!("Welcome to {network}, {source}"));
        self.numeric(RPL_YOURHOST, &[], &format!("Your host is {SERVER_NAME}, running {VERSION}"));
        let mut started = String::new();
        crate::wire::timestamp::write_utc(self.chat.started_ms, &mut started);
        self.numeric(RPL_CREATED, &[], &format!("This server was started at {started}"));
        self.bare_numeric(RPL_MYINFO, &[SERVER_NAME, VERSION, "Biow", "beIiklmnoqstv", "beIkloqv"]);
        self.isupport();
        self.lusers();
        self.motd();
    }
}

/// What is left of a user name when everything that has a meaning in masks and sources is taken out. The `~` says that nobody checked it.
fn user_name(text: &str) -> Box<str> {
    let plain: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(USER_BYTES - 1).collect();
    format!("~{}", if plain.is_empty() { "user" } else { &plain }).into()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{World, settings};
    use super::super::{Secret, Settings};
    use super::*;

    #[test]
    fn the_welcome_comes_in_the_standard_order_and_leads_to_the_lobby() {
        let mut w = World::new();
        let 小阳 = w.connect();
        assert_eq!(w.ask(小阳, "USER 阳sunny 0 * :阳光"), [""; 0]);
        let lines = w.ask(小阳, "NICK 小阳");
        let source = w.source(小阳);
        assert!(source.starts_with("小阳!~sunny@") && source.ends_with(".gzy"), "{source}");
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            lines[..4],
            [
                format!(":gzy.local 001 小阳 :Welcome to GZY, {source}"),
                format!(":gzy.local 002 小阳 :Your host is gzy.local, running gzy-{version}"),
                ":gzy.local 003 小阳 :This server was started at 2026-11-20T13:19:21.000Z".into(),
                format!(":gzy.local 004 小阳 gzy.local gzy-{version} Biow beIiklmnoqstv beIkloqv"),
            ]
        );
        let mut codes: Vec<&str> = lines[4..].iter().filter_map(|line| line.split(' ').nth(1)).collect();
        codes.dedup();
        let order = ["005", "251", "252", "253", "254", "255", "265", "266", "422", "JOIN", "NOTICE", "353", "366"];
        assert_eq!(codes, order);
        assert!(lines.contains(&format!(":{source} JOIN #lobby")));
    }

    #[test]
    fn a_server_with_a_password_lets_in_those_who_know_it() {
        let mut w = World::with(Settings { password: Some(Secret("芝麻开门".into())), ..settings() });
        let (小阳, eve, late) = (w.connect(), w.connect(), w.connect());
        w.line(小阳, "PASS :芝麻开门");
        w.line(小阳, "NICK 小阳");
        assert!(w.ask(小阳, "USER x 0 * :x")[0].starts_with(":gzy.local 001 小阳 "));
        let refused = [
            ":gzy.local 464 eve :this server has a password; give it with PASS (in your client's server settings)",
            "ERROR :Closing link: wrong password",
        ];
        w.line(eve, "PASS guess");
        w.line(eve, "NICK eve");
        assert_eq!(w.ask(eve, "USER x 0 * :x"), refused);
        assert!(w.is_closed(eve));
        w.line(late, "NICK eve");
        assert_eq!(w.ask(late, "USER x 0 * :x"), refused, "and without PASS, and the nick was free again");
        assert!(w.log.iter().all(|text| !text.contains("芝麻") && !text.contains("guess")), "{:?}", w.log);
    }

    #[test]
    fn who_one_is_is_said_once() {
        let mut w = World::new();
        let anna = w.connect();
        w.line(anna, "USER a 0 * :Anna A.");
        w.line(anna, "USER b 0 * :Anna B.");
        w.line(anna, "NICK anna");
        w.drain();
        assert_eq!((w.session(anna).user(), &*w.session(anna).realname), ("~b", "Anna B."), "the last one counts");
        assert_eq!(w.ask(anna, "USER c 0 * :c"), [":gzy.local 462 anna :you are in already"]);
        assert_eq!(w.ask(anna, "PASS x"), [":gzy.local 462 anna :you are in already"]);
        let ben = w.connect();
        assert_eq!(w.ask(ben, "USER ben"), [":gzy.local 461 * USER :not enough parameters"]);
        assert_eq!(w.ask(ben, "PASS"), [":gzy.local 461 * PASS :not enough parameters"]);
    }

    #[test]
    fn before_the_welcome_only_the_doors_are_open() {
        let mut w = World::new();
        let eve = w.connect();
        for command in ["PRIVMSG anna :hi", "JOIN #a", "WHO *", "OPER a b", "MONITOR + anna", "MOTD"] {
            let refusal = ":gzy.local 451 * :say who you are first (NICK and USER)";
            assert_eq!(w.ask(eve, command), [refusal], "{command}");
        }
        assert_eq!(w.ask(eve, "PING 1"), [":gzy.local PONG gzy.local :1"]);
        assert_eq!(w.ask(eve, "QUIT"), ["ERROR :Closing link: bye"]);
    }

    #[test]
    fn a_stranger_who_never_says_who_it_is_is_let_go() {
        let mut w = World::new();
        let eve = w.connect();
        w.pass_ms(UNREGISTERED_MS - 1000);
        w.line(eve, "NICK eve");
        w.pass_ms(2000);
        let late = "ERROR :Closing link: you did not say who you are in time (NICK and USER)";
        assert_eq!(w.said_to(eve), [late]);
        assert!(w.is_closed(eve));
        w.join("eve");
    }

    #[test]
    fn a_user_name_is_made_harmless() {
        let long = "x".repeat(30);
        let cases = [
            ("anna", "~anna"),
            ("小阳", "~user"),
            ("a!b@c*d", "~abcd"),
            ("", "~user"),
            (&long, "~xxxxxxxxxxxxxxxxxxx"),
        ];
        for (text, user) in cases {
            assert_eq!(&*user_name(text), user);
            assert!(user.len() <= USER_BYTES);
        }
    }

    #[test]
    fn a_token_that_is_too_long_comes_back_cut_at_a_character() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        let pong = format!(":gzy.local PONG gzy.local :{}", "乒".repeat(PING_TOKEN_BYTES / 3));
        assert_eq!(w.ask(小阳, &format!("PING :{}", "乒".repeat(1000))), [pong]);
    }
}
