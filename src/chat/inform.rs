//! What the server says of itself.

use crate::wire::limits::MOTD_LINE_BYTES;
use crate::wire::line::{Line, split_text};
use crate::wire::mask::glob;
use crate::wire::name::fold;
use crate::wire::reply::*;
use crate::wire::timestamp;
use crate::wire::verb::Verb;

use super::SERVER_NAME;
use super::join::clip_word;
use super::turn::Turn;

/// What it runs, as VERSION and the welcome name it.
pub(super) const VERSION: &str = concat!("gzy-", env!("CARGO_PKG_VERSION"));

impl Turn<'_> {
    /// `MOTD|VERSION|TIME|INFO|ADMIN [<server>]`
    pub(super) fn inform(&mut self, verb: Verb, line: &Line) {
        if line.param(0).is_some_and(|server| !self.is_asked_here(server)) {
            return;
        }
        match verb {
            Verb::Motd => self.motd(),
            Verb::Version => self.version(),
            Verb::Time => self.time(),
            Verb::Info => self.info(),
            _ => self.admin(),
        }
    }

    /// Whether a server that somebody asks is this one (its name, a mask of it, or somebody who is on it); else that is refused.
    pub(super) fn is_asked_here(&mut self, server: &str) -> bool {
        let here = glob(&fold(server), SERVER_NAME) || self.chat.session_named(server).is_some();
        if !here {
            self.numeric(ERR_NOSUCHSERVER, &[clip_word(server)], &format!("there is only {SERVER_NAME} here"));
        }
        here
    }

    /// The message of the day; long lines of it in pieces.
    pub(super) fn motd(&mut self) {
        let motd = self.chat.motd.clone();
        if motd.is_empty() {
            return self.numeric(ERR_NOMOTD, &[], "the host has written no message of the day");
        }
        self.numeric(RPL_MOTDSTART, &[], &format!("- {SERVER_NAME} Message of the day - "));
        for line in &motd {
            if line.is_empty() {
                self.numeric(RPL_MOTD, &[], "- ");
            }
            for piece in split_text(line, MOTD_LINE_BYTES) {
                self.numeric(RPL_MOTD, &[], &format!("- {piece}"));
            }
        }
        self.numeric(RPL_ENDOFMOTD, &[], "End of /MOTD command.");
    }

    /// How many there are.
    pub(super) fn lusers(&mut self) {
        let chat = &*self.chat;
        let (all, invisible, operators) = (chat.registered, chat.invisible, chat.operators);
        let (strangers, rooms) = (chat.connections - all, chat.rooms.len());
        let (now, most) = (all.to_string(), chat.most_registered.to_string());
        let visible = all - invisible;
        let users = format!("There are {visible} users and {invisible} invisible on 1 servers");
        self.numeric(RPL_LUSERCLIENT, &[], &users);
        self.numeric(RPL_LUSEROP, &[&operators.to_string()], "operator(s) online");
        self.numeric(RPL_LUSERUNKNOWN, &[&strangers.to_string()], "unknown connection(s)");
        self.numeric(RPL_LUSERCHANNELS, &[&rooms.to_string()], "channels formed");
        self.numeric(RPL_LUSERME, &[], &format!("I have {all} clients and 1 servers"));
        self.numeric(RPL_LOCALUSERS, &[&now, &most], &format!("Current local users {now}, max {most}"));
        self.numeric(RPL_GLOBALUSERS, &[&now, &most], &format!("Current global users {now}, max {most}"));
    }

    fn version(&mut self) {
        self.numeric(RPL_VERSION, &[VERSION, SERVER_NAME], "a chat room that speaks IRC");
        self.isupport();
    }

    fn time(&mut self) {
        let time = timestamp::local(self.now.wall_ms, self.chat.settings.utc_offset_secs);
        self.numeric(RPL_TIME, &[SERVER_NAME], &time);
    }

    fn info(&mut self) {
        let since = timestamp::local(self.chat.started_ms, self.chat.settings.utc_offset_secs);
        let lines = [
            format!("{VERSION}, the chat room of {}", self.chat.settings.network),
            "One small binary for a cheap board: talk over IRC, and later files over HTTP, on one port.".to_owned(),
            format!("Up since {since}"),
            "Free software under the MIT licence. HELP lists the commands, !help those for everybody.".to_owned(),
        ];
        for line in &lines {
            self.numeric(RPL_INFO, &[], line);
        }
        self.numeric(RPL_ENDOFINFO, &[], "End of INFO list");
    }

    fn admin(&mut self) {
        let sentence =
            "No administrative info available; the host is whoever runs this board, WHO * o lists the operators";
        self.numeric(ERR_NOADMININFO, &[SERVER_NAME], sentence);
    }

    /// `LINKS`: this server, and no other.
    pub(super) fn links(&mut self) {
        let network = self.chat.settings.network.clone();
        self.numeric(RPL_LINKS, &[SERVER_NAME, SERVER_NAME], &format!("0 {network}"));
        self.numeric(RPL_ENDOFLINKS, &["*"], "End of LINKS list");
    }
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::super::testing::World;
    use super::*;
    use crate::wire::verb::VERBS;

    #[test]
    fn the_message_of_the_day_is_shown_whole() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        let none = [":gzy.local 422 小阳 :the host has written no message of the day"];
        assert_eq!(w.ask(小阳, "MOTD"), none);
        let long = "长".repeat(200);
        w.handle(Input::MotdRead(vec!["欢迎".into(), "".into(), long.as_str().into()]));
        let whole = [
            ":gzy.local 375 小阳 :- gzy.local Message of the day - ".to_owned(),
            ":gzy.local 372 小阳 :- 欢迎".into(),
            ":gzy.local 372 小阳 :- ".into(),
            format!(":gzy.local 372 小阳 :- {}", "长".repeat(133)),
            format!(":gzy.local 372 小阳 :- {}", "长".repeat(67)),
            ":gzy.local 376 小阳 :End of /MOTD command.".into(),
        ];
        assert_eq!(w.ask(小阳, "MOTD"), whole);
        assert_eq!(w.ask(小阳, "MOTD GZY.*"), whole);
        assert_eq!(w.ask(小阳, "MOTD 小阳"), whole, "the server that somebody is on");
    }

    #[test]
    fn another_server_is_not_answered_for() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        for command in ["MOTD", "VERSION", "TIME", "INFO", "ADMIN"] {
            let refusal = ":gzy.local 402 小阳 irc.example :there is only gzy.local here";
            assert_eq!(w.ask(小阳, &format!("{command} irc.example")), [refusal], "{command}");
        }
    }

    #[test]
    fn the_counts_are_right_whatever_people_do() {
        let mut w = World::new();
        let (anna, ben, 小阳) = (w.join("anna"), w.join("ben"), w.join("小阳"));
        w.connect();
        for (conn, nick) in [(anna, "anna"), (ben, "ben"), (小阳, "小阳")] {
            w.make_operator(conn);
            w.line(conn, &format!("MODE {nick} +i"));
        }
        for line in ["MODE anna -o", "MODE anna -o+i"] {
            w.line(anna, line);
        }
        w.line(小阳, "MODE 小阳 -io");
        w.line(小阳, "JOIN #茶");
        w.drain();
        let counts = |visible: u32, invisible: u32, operators: u32, all: u32| {
            [
                format!(":gzy.local 251 小阳 :There are {visible} users and {invisible} invisible on 1 servers"),
                format!(":gzy.local 252 小阳 {operators} :operator(s) online"),
                ":gzy.local 253 小阳 1 :unknown connection(s)".into(),
                ":gzy.local 254 小阳 2 :channels formed".into(),
                format!(":gzy.local 255 小阳 :I have {all} clients and 1 servers"),
                format!(":gzy.local 265 小阳 {all} 3 :Current local users {all}, max 3"),
                format!(":gzy.local 266 小阳 {all} 3 :Current global users {all}, max 3"),
            ]
        };
        assert_eq!(w.ask(小阳, "LUSERS"), counts(1, 2, 1, 3));
        w.lose(ben);
        w.drain();
        assert_eq!(w.ask(小阳, "LUSERS"), counts(1, 1, 0, 2));
        w.line(anna, "QUIT");
        w.drain();
        assert_eq!(w.ask(小阳, "LUSERS"), counts(1, 0, 0, 1));
        assert_eq!(w.chat.connections, w.chat.session_count());
    }

    #[test]
    fn the_server_says_what_it_is() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        let version = w.ask(小阳, "VERSION");
        assert_eq!(version[0], format!(":gzy.local 351 小阳 {VERSION} gzy.local :a chat room that speaks IRC"));
        assert!(version.len() > 2 && version[1..].iter().all(|line| line.starts_with(":gzy.local 005 小阳 ")));
        assert_eq!(w.ask(小阳, "TIME"), [":gzy.local 391 小阳 gzy.local :2026-11-20T21:19:21+08:00"]);
        let info = w.ask(小阳, "INFO");
        assert_eq!(info[0], format!(":gzy.local 371 小阳 :{VERSION}, the chat room of GZY"));
        assert_eq!(info[2], ":gzy.local 371 小阳 :Up since 2026-11-20T21:19:21+08:00");
        assert_eq!(info.last().map(String::as_str), Some(":gzy.local 374 小阳 :End of INFO list"));
        assert_eq!(
            w.ask(小阳, "LINKS"),
            [":gzy.local 364 小阳 gzy.local gzy.local :0 GZY", ":gzy.local 365 小阳 * :End of LINKS list",]
        );
        let admin = w.ask(小阳, "ADMIN");
        assert!(admin.len() == 1 && admin[0].starts_with(":gzy.local 423 小阳 gzy.local :No administrative info"));
    }

    #[test]
    fn every_command_is_explained() {
        let mut w = World::new();
        let 小阳 = w.join("小阳");
        for (_, name, _) in VERBS {
            let lines = w.ask(小阳, &format!("HELP {}", name.to_lowercase()));
            assert_eq!(lines.len(), 3, "{name}");
            assert!(lines[0].starts_with(&format!(":gzy.local 704 小阳 {name} :{name}")), "{}", lines[0]);
            assert!(lines[1].starts_with(&format!(":gzy.local 705 小阳 {name} :")), "{}", lines[1]);
            assert_eq!(lines[2], format!(":gzy.local 706 小阳 {name} :End of HELP"));
        }
        let index = w.ask(小阳, "HELP");
        assert!(VERBS.iter().all(|(_, name, _)| index.iter().any(|line| line.contains(name))));
        assert!(index.iter().any(|line| line.contains("!help")));
        assert_eq!(w.ask(小阳, "HELPOP index"), index);
        let unknown =
            ":gzy.local 524 小阳 煮茶 :no such command; HELP lists those there are, !help those for everybody";
        assert_eq!(w.ask(小阳, "HELP 煮茶"), [unknown]);
    }
}
