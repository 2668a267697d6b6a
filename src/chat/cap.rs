//! CAP: which capabilities a client takes (IRCv3 capability negotiation).

use std::fmt::Write;

use crate::wire::caps::{CAPABILITIES, Caps};
use crate::wire::limits::{CAP_NAMES_BYTES, LINE_BYTES};
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::join::clip_word;
use super::turn::{Turn, pack};
use super::{Effect, SERVER_NAME};

impl Turn<'_> {
    /// `CAP LS [302]`, `CAP LIST`, `CAP REQ :<names>`, `CAP END`
    pub(super) fn cap(&mut self, line: &Line) {
        let what = line.params()[0];
        match what.to_ascii_uppercase().as_str() {
            "LS" => {
                let version = line.param(1).and_then(|version| version.parse::<u32>().ok()).unwrap_or(0);
                self.session_mut().knows_cap_302 |= version >= 302;
                self.cap_ls();
            }
            "LIST" => {
                let names: Vec<String> = self.session().caps.names().map(str::to_owned).collect();
                self.cap_lines("LIST", &names);
            }
            "REQ" => {
                self.negotiate(true);
                self.cap_req(line.param(1).unwrap_or(""));
            }
            "END" => {
                self.negotiate(false);
                self.welcome_when_complete();
            }
            _ => self.numeric(ERR_INVALIDCAPCMD, &[clip_word(what)], "CAP takes LS, LIST, REQ and END"),
        }
    }

    fn negotiate(&mut self, on: bool) {
        if let Some(hello) = &mut self.session_mut().hello {
            hello.negotiating = on;
        }
    }

    fn cap_ls(&mut self) {
        self.negotiate(true);
        let understands_values = self.session().knows_cap_302;
        if understands_values {
            let with_notify = self.session().caps.with(Caps::CAP_NOTIFY);
            self.change_caps(with_notify);
        }
        let named = CAPABILITIES.iter().map(|(_, name, value)| match (understands_values, value.is_empty()) {
            (true, false) => format!("{name}={value}"),
            _ => (*name).to_owned(),
        });
        let names: Vec<String> = named.collect();
        self.cap_lines("LS", &names);
    }

    /// Capabilities in as many lines as a classic client needs; all but the last are marked with `*`. A client that does not know that gets one line.
    fn cap_lines(&mut self, what: &str, names: &[String]) {
        let max_bytes = if self.session().knows_cap_302 { CAP_NAMES_BYTES } else { LINE_BYTES };
        let (nick, packed) = (self.session().shown_nick().to_owned(), pack(names, ' ', max_bytes));
        for (at, text) in packed.iter().enumerate() {
            let more = if at + 1 < packed.len() { "* " } else { "" };
            let _ = write!(self.replies.lines(), ":{SERVER_NAME} CAP {nick} {what} {more}:{text}\r\n");
        }
    }

    fn cap_req(&mut self, wanted: &str) {
        let wanted = wanted.trim_end();
        let changed = self.caps_after(wanted).filter(|_| wanted.len() <= CAP_NAMES_BYTES);
        if let Some(caps) = changed {
            self.change_caps(caps);
        }
        let nick = self.session().shown_nick().to_owned();
        let verdict = if changed.is_some() { "ACK" } else { "NAK" };
        let _ =
            write!(self.replies.lines(), ":{SERVER_NAME} CAP {nick} {verdict} :{}\r\n", clip(wanted, CAP_NAMES_BYTES));
    }

    /// The capabilities with all that is wanted done; `None` when a part of it cannot be, because then nothing is.
    fn caps_after(&self, wanted: &str) -> Option<Caps> {
        let mut caps = self.session().caps;
        for name in wanted.split_whitespace() {
            caps = match name.strip_prefix('-') {
                Some(name) => caps.without(Caps::named(name)?),
                None => caps.with(Caps::named(name)?),
            };
        }
        // IRCv3: whoever said CAP LS 302 cannot be without cap-notify.
        (!self.session().knows_cap_302 || caps.has(Caps::CAP_NOTIFY)).then_some(caps)
    }

    fn change_caps(&mut self, caps: Caps) {
        let lines = self.chat.receipts.take_lines_of(self.me);
        if !lines.is_empty() {
            self.effects.push(Effect::Send { to: self.me, lines });
        }
        self.session_mut().caps = caps;
        self.effects.push(Effect::CapsChanged { conn: self.me, caps });
        if !self.session().answers_labels() {
            self.replies.label = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;

    #[test]
    fn a_client_may_ask_before_it_has_a_name_and_is_waited_for() {
        let mut w = World::new();
        let 小阳 = w.connect();
        let ls = w.ask(小阳, "CAP LS 302");
        let [more, last] = &ls[..] else { panic!("not two lines: {ls:?}") };
        assert!(more.starts_with(":gzy.local CAP * LS * :server-time message-tags batch "), "{more}");
        assert!(last.starts_with(":gzy.local CAP * LS :"), "{last}");
        assert_eq!(w.ask(小阳, "NICK 小阳"), [""; 0]);
        assert_eq!(w.ask(小阳, "USER x 0 * :小阳"), [""; 0], "registration waits for CAP END");
        assert_eq!(
            w.ask(小阳, "CAP REQ :server-time echo-message"),
            [":gzy.local CAP 小阳 ACK :server-time echo-message"]
        );
        assert_eq!(w.ask(小阳, "CAP LIST"), [":gzy.local CAP 小阳 LIST :server-time echo-message cap-notify"]);
        assert!(w.ask(小阳, "CAP END")[0].starts_with(":gzy.local 001 小阳 :"));
        assert_eq!(w.ask(小阳, "CAP END"), [""; 0], "a second one does nothing");
        assert!(w.ask(小阳, "CAP LS")[0].starts_with(":gzy.local CAP 小阳 LS "), "one may look again later");
        assert_eq!(w.ask(小阳, "CAP REQ :-echo-message"), [":gzy.local CAP 小阳 ACK :-echo-message"]);
        assert_eq!(w.ask(小阳, "CAP LIST"), [":gzy.local CAP 小阳 LIST :server-time cap-notify"]);
    }

    #[test]
    fn asking_for_a_capability_suspends_registration_as_well() {
        let mut w = World::new();
        let anna = w.connect();
        w.line(anna, "NICK anna");
        assert_eq!(w.ask(anna, "CAP REQ :batch"), [":gzy.local CAP anna ACK :batch"]);
        assert_eq!(w.ask(anna, "USER anna 0 * :Anna"), [""; 0]);
        assert!(w.ask(anna, "CAP END")[0].starts_with(":gzy.local 001 anna "));
    }

    #[test]
    fn a_request_is_done_whole_or_not_at_all() {
        let mut w = World::new();
        let anna = w.join_with_caps("anna", "batch");
        for wanted in ["server-time no-such-thing", "-no-such-thing server-time", "Server-Time"] {
            assert_eq!(w.ask(anna, &format!("CAP REQ :{wanted}")), [format!(":gzy.local CAP anna NAK :{wanted}")]);
        }
        assert_eq!(w.ask(anna, "CAP LIST"), [":gzy.local CAP anna LIST :batch"]);
        assert_eq!(w.ask(anna, "CAP REQ :-batch server-time "), [":gzy.local CAP anna ACK :-batch server-time"]);
        assert_eq!(w.ask(anna, "CAP LIST"), [":gzy.local CAP anna LIST :server-time"]);
        let endless = "batch ".repeat(200);
        assert!(w.ask(anna, &format!("CAP REQ :{endless}"))[0].starts_with(":gzy.local CAP anna NAK :batch "));
        assert_eq!(w.ask(anna, "CAP LIST"), [":gzy.local CAP anna LIST :server-time"]);
    }

    #[test]
    fn whoever_said_302_cannot_lose_cap_notify() {
        let mut w = World::new();
        let (old, new) = (w.connect(), w.connect());
        w.line(old, "CAP LS");
        w.line(old, "CAP REQ :cap-notify");
        w.line(new, "CAP LS 302");
        w.drain();
        assert_eq!(w.ask(old, "CAP REQ :-cap-notify"), [":gzy.local CAP * ACK :-cap-notify"]);
        assert_eq!(w.ask(new, "CAP REQ :-cap-notify batch"), [":gzy.local CAP * NAK :-cap-notify batch"]);
        assert_eq!(w.ask(new, "CAP LIST"), [":gzy.local CAP * LIST :cap-notify"]);
        w.line(new, "CAP LS 301");
        w.drain();
        assert_eq!(w.ask(new, "CAP REQ :-cap-notify"), [":gzy.local CAP * NAK :-cap-notify"], "once said, it is said");
    }

    #[test]
    fn what_cap_does_not_know_is_refused() {
        let mut w = World::new();
        let anna = w.connect();
        assert_eq!(w.ask(anna, "CAP FOO"), [":gzy.local 410 * FOO :CAP takes LS, LIST, REQ and END"]);
        assert_eq!(w.ask(anna, "CAP"), [":gzy.local 461 * CAP :not enough parameters"]);
    }

    #[test]
    fn a_label_counts_only_for_those_who_asked_for_labels_and_batches() {
        let mut w = World::new();
        let (anna, ben, 小阳) = (
            w.join("anna"),
            w.join_with_caps("ben", "labeled-response"),
            w.join_with_caps("小阳", "labeled-response batch"),
        );
        assert_eq!(w.ask(anna, "@label=1 PING x"), [":gzy.local PONG gzy.local :x"]);
        assert_eq!(w.ask(ben, "@label=1 PING x"), [":gzy.local PONG gzy.local :x"]);
        assert_eq!(w.ask(小阳, "@label=1 PING x"), ["@label=1 :gzy.local PONG gzy.local :x"]);
        assert_eq!(w.ask(小阳, "@label=2 PONG x"), ["@label=2 :gzy.local ACK"]);
    }
}
