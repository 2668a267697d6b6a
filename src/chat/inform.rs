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
