//! `!register`, `!login` and `!password`: accounts by a line of text. What is typed is shown to nobody, not even to the one who typed it.

use super::super::Secret;
use super::super::login::Door;
use super::super::turn::Turn;
use super::parse::Rest;
use super::words::{Command, Tongue};
use super::{Asked, phrase};

impl Turn<'_> {
    /// `!register NAME PASSWORD`
    pub(super) fn bang_register(&mut self, rest: Rest) {
        if let Some((name, password, door)) = self.name_and_password(Command::Register, rest) {
            self.try_register(door, name, password);
        }
    }

    /// `!login NAME-or-NUMBER PASSWORD`
    pub(super) fn bang_login(&mut self, rest: Rest) {
        if let Some((name, password, door)) = self.name_and_password(Command::Login, rest) {
            self.try_login(door, name, password);
        }
    }

    /// `!password NEW`, for whoever is logged in.
    pub(super) fn bang_password(&mut self, rest: Rest) {
        let (tongue, password) = (self.tongue(), rest.name());
        if password.is_empty() {
            return self.refuse_usage(Command::Password);
        }
        let Some(asked) = self.asked.clone() else { return };
        if self.session().account.is_none() {
            return self.refuse(&phrase!(tongue, "先登录：！登录*名字*密码", "log in first: !login NAME PASSWORD"));
        }
        self.change_password(Door::Bang(asked), Secret(password.into()));
    }

    fn name_and_password<'r>(&mut self, command: Command, mut rest: Rest<'r>) -> Option<(&'r str, Secret, Door)> {
        let (name, password) = (rest.word(), rest.name());
        let asked = self.asked.clone()?;
        match name.filter(|_| !password.is_empty()) {
            Some(name) => Some((name, Secret(password.into()), Door::Bang(asked))),
            None => {
                self.refuse_usage(command);
                None
            }
        }
    }

    /// Says no to a `!` command whose answer took a while.
    pub(in crate::chat) fn bang_refused(&mut self, asked: Asked, sentence: impl FnOnce(Tongue) -> String) {
        let text = sentence(asked.tongue);
        self.asked = Some(asked);
        self.refuse(&text);
        self.asked = None;
    }

    /// Answers a `!` command whose answer took a while.
    pub(in crate::chat) fn bang_answered(&mut self, asked: Asked, chinese: &str, english: &str) {
        let text = if asked.tongue == Tongue::Chinese { chinese } else { english };
        self.asked = Some(asked);
        self.answer(text);
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::World;
    use crate::chat::{ConnId, Input};

    fn private(w: &mut World, nick: &str) -> ConnId {
        let conn = w.join(nick);
        w.handle(Input::Secured { conn });
        w.drain();
        conn
    }

    #[test]
    fn somebody_registers_and_logs_in_again_by_name_or_number() {
        let mut w = World::new();
        let 小阳 = private(&mut w, "小阳");
        let told = w.ask(小阳, "PRIVMSG #lobby :！注册*小阳*开门开门开门");
        assert!(told.iter().any(|line| line.contains("注册成功：小阳，编号 1000")), "{told:?}");
        for name in ["小阳", "1000"] {
            let device = private(&mut w, "x");
            let told = w.ask(device, &format!("PRIVMSG #lobby :!login {name} 开门开门开门"));
            assert!(told.iter().any(|line| line.contains("hello 小阳, you are logged in (account 1000)")), "{told:?}");
            w.line(device, "QUIT");
        }
    }

    #[test]
    fn every_outcome_has_a_sentence_of_its_own() {
        let mut w = World::new();
        w.add_account("anna", "right-one", false);
        let eve = private(&mut w, "eve");
        let mut says = |line: &str| w.ask(eve, &format!("PRIVMSG #lobby :{line}")).join("|");
        assert!(says("!login anna wrong-one").contains("wrong password"));
        assert!(says("！登录*anna*wrong-one").contains("密码不对"));
        assert!(says("!login nobody wrong-one").contains("no such account"));
        assert!(says("!register anna secret").contains("taken"));
        assert!(says("！注册*аnna*secret").contains("有人用了"), "a Cyrillic а looks the same");
        assert!(says("!register eve 12345").contains("too short"));
        assert!(says("!register 123 secret").contains("digits"));
        assert!(says("!register nickserv secret").contains("the server's"));
        assert!(says("!login anna").contains("type it like this"));
        assert!(says("!register eve secret").contains("registered: eve, account 1001"));
        assert!(says("!register eva secret").contains("logged in as eve already"));
    }

    #[test]
    fn a_password_is_shown_to_nobody_and_kept_nowhere() {
        let mut w = World::new();
        w.add_account("anna", "right-one", false);
        let eve = w.join_with_caps("eve", "echo-message");
        let ben = w.join("ben");
        w.handle(Input::Secured { conn: eve });
        w.drain();
        for line in ["!login anna pass-word", "！注册*ann*pass-word", "!password pass-word", "!LOGIN anna pass-word"]
        {
            for target in ["#lobby", "ben"] {
                let told = w.ask(eve, &format!("PRIVMSG {target} :{line}")).join("|");
                assert!(!told.contains("pass-word") && told.contains("******"), "{told}");
            }
        }
        assert_eq!(w.said_to(ben).iter().filter(|line| line.contains("pass-word")).count(), 0);
        assert!(w.unsaved.is_empty());
        assert!(w.log.iter().all(|text| !text.contains("pass-word")), "{:?}", w.log);
    }

    #[test]
    fn in_the_clear_the_sentence_says_why_not() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.drain();
        let told = w.ask(anna, "PRIVMSG #lobby :！注册*anna*开门开门开门").join("|");
        assert!(told.contains("TLS") && told.contains("换一个新的"), "{told}");
    }

    #[test]
    fn a_password_can_be_changed_by_its_owner() {
        let mut w = World::new();
        let anna = private(&mut w, "anna");
        w.line(anna, "PRIVMSG #lobby :!register anna first-one");
        w.drain();
        let told = w.ask(anna, "PRIVMSG #lobby :！改密码*second-one").join("|");
        assert!(told.contains("密码改好了"), "{told}");
        let other = private(&mut w, "x");
        assert!(w.ask(other, "PRIVMSG #lobby :!login anna first-one").join("|").contains("wrong password"));
        assert!(w.ask(other, "PRIVMSG #lobby :!login anna second-one").join("|").contains("hello anna"));
    }

    #[test]
    fn a_closed_server_says_who_makes_accounts() {
        let mut settings = super::super::super::testing::settings();
        settings.registration = false;
        let mut w = World::with(settings);
        let anna = private(&mut w, "anna");
        assert!(w.ask(anna, "PRIVMSG #lobby :!register anna secret").join("|").contains("the host makes the accounts"));
    }
}
