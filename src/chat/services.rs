//! NickServ: what people are used to type, as thin names for REGISTER and logging in.

use std::fmt::Write;

use crate::wire::line::Line;
use crate::wire::name::Key;

use super::login::Door;
use super::turn::Turn;
use super::{SERVER_NAME, Secret};

/// What NickServ can do, in both languages.
const HELP: [&str; 3] = [
    "REGISTER 密码：给你现在的名字注册账号 · REGISTER <password>: makes an account of your nick",
    "IDENTIFY [名字] 密码：登录 · IDENTIFY [name] <password>: logs in",
    "更多命令：在任何地方输入 ！帮助 · more commands: type !help anywhere",
];

/// Whether somebody talks to NickServ.
pub(super) fn is_service(target: &str) -> bool {
    *Key::of(target).as_str() == *"nickserv"
}

impl Turn<'_> {
    /// `NICKSERV <command> …`
    pub(super) fn nickserv(&mut self, line: &Line) {
        let text = line.params().join(" ");
        self.service(&text);
    }

    /// Does what NickServ is asked to. None of it is ever shown to others or kept.
    pub(super) fn service(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        let command = words.next().unwrap_or("").to_ascii_uppercase();
        let words: Vec<&str> = words.collect();
        let own = self.session().shown_nick().to_owned();
        match (command.as_str(), &words[..]) {
            ("REGISTER", [password, ..]) => self.try_register(Door::Service, "*", Secret((*password).into())),
            ("IDENTIFY" | "LOGIN", [password]) => self.try_login(Door::Service, &own, Secret((*password).into())),
            ("IDENTIFY" | "LOGIN", [name, password, ..]) => {
                self.try_login(Door::Service, name, Secret((*password).into()));
            }
            _ => HELP.into_iter().for_each(|line| self.service_says(line)),
        }
    }

    /// A notice of NickServ.
    pub(super) fn service_says(&mut self, sentence: &str) {
        let nick = self.session().shown_nick().to_owned();
        let _ = write!(self.replies.lines(), ":NickServ!NickServ@{SERVER_NAME} NOTICE {nick} :{sentence}\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use crate::chat::Input;

    #[test]
    fn nickserv_registers_and_identifies_however_it_is_talked_to() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        w.handle(Input::Secured { conn: 小阳 });
        let told = w.ask(小阳, "NS REGISTER 开门开门开门 me@example.org");
        assert!(told.iter().any(|line| line.starts_with(":NickServ!") && line.contains("1000")), "{told:?}");
        assert_eq!(w.session(小阳).account_name(), Some("小阳"));
        let again = w.join("anna");
        w.handle(Input::Secured { conn: again });
        w.drain();
        let told = w.ask(again, "PRIVMSG nickserv :identify 小阳 falsch");
        assert!(told[0].contains("密码不对 · wrong password"), "{told:?}");
        w.line(again, "PRIVMSG NickServ :IDENTIFY 1000 开门开门开门");
        assert_eq!(w.session(again).nick.as_str(), "小阳", "two devices, one nick");
    }

    #[test]
    fn nickserv_says_what_it_can_do() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.drain();
        assert_eq!(w.ask(anna, "NICKSERV INFO").len(), 3);
        assert_eq!(w.ask(anna, "PRIVMSG NickServ :hello").len(), 3);
        assert!(w.unsaved.is_empty(), "nothing of it is kept");
    }
}
