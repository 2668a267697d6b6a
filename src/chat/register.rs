//! Coming in: CAP, PASS, NICK, USER, and the welcome; changing the nick later.

use std::fmt::Write;
use std::net::IpAddr;
use std::rc::Rc;

use crate::wire::caps::{CAPABILITIES, Caps};
use crate::wire::limits::*;
use crate::wire::line::{Line, clip};
use crate::wire::name::{BadName, NAME_BYTES, Nick, suggestion};
use crate::wire::reply::*;

use super::cloak::cloak;
use super::join::clip_word;
use super::people::Whowas;
use super::room::Standing;
use super::turn::Turn;
use super::{Audience, Chat, ConnId, Effect, Now, SERVER_NAME, Session};

/// Tokens per ISUPPORT line: thirteen and the nick and the sentence make fifteen parameters.
const TOKENS_PER_LINE: usize = 13;

impl Chat {
    /// Takes in a connection that has said nothing yet.
    pub(super) fn connected(&mut self, conn: ConnId, address: IpAddr, now: Now, effects: &mut Vec<Effect>) {
        let slot = conn.slot as usize;
        if self.sessions.len() <= slot {
            self.sessions.resize_with(slot + 1, || None);
        }
        let cloak = cloak(&self.settings.cloak_secret, address);
        self.sessions[slot] = Some(Box::new(Session::new(conn, address, cloak, now)));
        self.wake_at(now.mono_ms + UNREGISTERED_MS, conn);
        effects.push(Effect::Log { conn: Some(conn), text: format!("connected from {address}") });
    }

    /// Whether nobody has this nick or one that looks like it, `but` one aside.
    pub(super) fn is_free(&self, nick: &Nick, but: ConnId) -> bool {
        let (key, skeleton) = (nick.key(), nick.skeleton());
        let holder = |text: &str| self.nicks.get(text).is_none_or(|conn| *conn == but);
        holder(key.as_str()) && holder(skeleton.as_str())
    }

    fn claim_nick(&mut self, nick: &Nick, conn: ConnId) {
        self.nicks.insert(nick.key().as_str().into(), conn);
        self.nicks.insert(nick.skeleton().as_str().into(), conn);
    }

    /// Makes a nick free for others.
    pub(super) fn release_nick(&mut self, nick: &Nick) {
        self.nicks.remove(nick.key().as_str());
        self.nicks.remove(nick.skeleton().as_str());
    }
}

impl Turn<'_> {
    /// `CAP LS [302]`, `CAP LIST`, `CAP REQ :<names>`, `CAP END`
    pub(super) fn cap(&mut self, line: &Line) {
        let what = line.params()[0];
        match what.to_ascii_uppercase().as_str() {
            "LS" => {
                let version = line.param(1).and_then(|version| version.parse::<u32>().ok()).unwrap_or(0);
                self.cap_ls(version >= 302);
            }
            "LIST" => {
                let names: Vec<String> = self.session().caps.names().map(str::to_owned).collect();
                self.cap_lines("LIST", &names, true);
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

    fn cap_ls(&mut self, understands_values: bool) {
        self.negotiate(true);
        if understands_values {
            let with_notify = self.session().caps.with(Caps::CAP_NOTIFY);
            self.change_caps(with_notify);
        }
        let named = CAPABILITIES.iter().map(|(_, name, value)| match (understands_values, value.is_empty()) {
            (true, false) => format!("{name}={value}"),
            _ => (*name).to_owned(),
        });
        let names: Vec<String> = named.collect();
        self.cap_lines("LS", &names, understands_values);
    }

    /// Capabilities in as many lines as a classic client needs; all but the last are marked with `*` where the client knows that.
    fn cap_lines(&mut self, what: &str, names: &[String], may_continue: bool) {
        let mut lines: Vec<String> = vec![String::new()];
        for name in names {
            let last = lines.last_mut().expect("there is always a line");
            if may_continue && last.len() + name.len() > CLASSIC_LINE_BYTES - 120 {
                lines.push(name.clone());
            } else {
                last.push_str(if last.is_empty() { "" } else { " " });
                last.push_str(name);
            }
        }
        let (nick, count) = (self.session().shown_nick().to_owned(), lines.len());
        for (at, text) in lines.iter().enumerate() {
            let more = if at + 1 < count { "* " } else { "" };
            let _ = write!(self.replies.lines(), ":{SERVER_NAME} CAP {nick} {what} {more}:{text}\r\n");
        }
    }

    fn cap_req(&mut self, wanted: &str) {
        let mut caps = self.session().caps;
        let mut known = true;
        for name in wanted.split_whitespace() {
            match name.strip_prefix('-') {
                Some(name) => match Caps::named(name) {
                    Some(cap) => caps = caps.without(cap),
                    None => known = false,
                },
                None => match Caps::named(name) {
                    Some(cap) => caps = caps.with(cap),
                    None => known = false,
                },
            }
        }
        if known {
            self.change_caps(caps);
        }
        let nick = self.session().shown_nick().to_owned();
        let verdict = if known { "ACK" } else { "NAK" };
        let _ = write!(self.replies.lines(), ":{SERVER_NAME} CAP {nick} {verdict} :{}\r\n", clip(wanted, 400));
    }

    fn change_caps(&mut self, caps: Caps) {
        self.session_mut().caps = caps;
        self.effects.push(Effect::CapsChanged { conn: self.me, caps });
    }

    /// `PING <token>`
    pub(super) fn ping(&mut self, line: &Line) {
        let token = line.params()[0];
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
        session.user = user;
        session.realname = realname;
        if let Some(hello) = &mut session.hello {
            hello.has_user = true;
        }
        self.welcome_when_complete();
    }

    /// `NICK <nick>`
    pub(super) fn nick(&mut self, line: &Line) {
        let Some(text) = line.param(0) else {
            return self.numeric(ERR_NONICKNAMEGIVEN, &[], "say which nick: NICK <nick>");
        };
        let nick = match Nick::parse(text) {
            Ok(nick) => nick,
            Err(why) => return self.refuse_nick(text, why),
        };
        if !self.chat.is_free(&nick, self.me) {
            let free = suggestion(&nick, |other| self.chat.is_free(other, self.me));
            let sentence =
                format!("{} is taken (or looks like a nick that is); {} is free", nick.as_str(), free.as_str());
            return self.numeric(ERR_NICKNAMEINUSE, &[nick.as_str()], &sentence);
        }
        if self.session().is_registered() {
            return self.rename(nick);
        }
        self.take_nick(nick);
        if let Some(hello) = &mut self.session_mut().hello {
            hello.has_nick = true;
        }
        self.welcome_when_complete();
    }

    fn refuse_nick(&mut self, text: &str, why: BadName) {
        self.numeric(ERR_ERRONEUSNICKNAME, &[clip_word(text)], &why.to_string());
    }

    fn take_nick(&mut self, nick: Nick) {
        if self.session().has_nick() {
            let old = self.session().nick.clone();
            self.chat.release_nick(&old);
        }
        self.chat.claim_nick(&nick, self.me);
        self.session_mut().nick = nick;
    }

    fn rename(&mut self, nick: Nick) {
        let old = self.session().nick.clone();
        if old == nick {
            return;
        }
        let event = Rc::new(self.my_event(format_args!("NICK {}", nick.as_str()), None));
        self.reply_event(&event, "");
        let peers = self.chat.peers(self.me, |_| true);
        self.effects.push(Effect::ToEach { to: peers, only: Audience::ALL, event });
        let gone = Whowas::of(self.session(), self.now.wall_ms);
        self.chat.remember_gone(gone);
        self.take_nick(nick.clone());
        if old.key() != nick.key() {
            self.chat.tell_watchers_gone(&old, self.effects);
            self.chat.tell_watchers_here(&nick, self.effects);
        }
        self.log(format!("{} is {} from here on", old.as_str(), nick.as_str()));
    }

    /// Welcomes the client once it has said all that is needed.
    fn welcome_when_complete(&mut self) {
        let needs_password = self.chat.settings.password.is_some();
        let Some(hello) = &self.session().hello else { return };
        if !hello.has_nick || !hello.has_user || hello.negotiating {
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
        self.session_mut().hello = None;
        self.chat.registered += 1;
        self.chat.most_registered = self.chat.most_registered.max(self.chat.registered);
        self.chat.wake_at(self.now.mono_ms + PING_AFTER_MS, self.me);
        self.greet();
        let nick = self.session().nick.clone();
        self.log(format!("{} is in", nick.as_str()));
        self.chat.tell_watchers_here(&nick, self.effects);
        if let Some(lobby) = self.chat.lobby {
            self.enter(lobby, Standing::PLAIN);
        }
    }

    fn greet(&mut self) {
        let network = self.chat.settings.network.clone();
        let (source, version) = (self.session().source(), env!("CARGO_PKG_VERSION"));
        self.numeric(RPL_WELCOME, &[], &format!("Welcome to {network}, {source}"));
        self.numeric(RPL_YOURHOST, &[], &format!("Your host is {SERVER_NAME}, running gzy-{version}"));
        let mut started = String::new();
        crate::wire::timestamp::write_utc(self.chat.started_ms, &mut started);
        self.numeric(RPL_CREATED, &[], &format!("This server was started at {started}"));
        self.bare_numeric(RPL_MYINFO, &[SERVER_NAME, &format!("gzy-{version}"), "Biow", "beIiklmnostv", "beIklov"]);
        self.isupport();
        self.lusers();
        self.motd();
    }

    fn isupport(&mut self) {
        let tokens = self.chat.isupport_tokens();
        for line in tokens.chunks(TOKENS_PER_LINE) {
            let params: Vec<&str> = line.iter().map(String::as_str).collect();
            self.numeric(RPL_ISUPPORT, &params, "are supported by this server");
        }
    }
}

impl Chat {
    /// What the server supports, as ISUPPORT says it. Nothing is listed that is not so.
    fn isupport_tokens(&self) -> Vec<String> {
        let network: String = self.settings.network.replace(' ', "\\x20");
        let mut tokens = vec![
            format!("AWAYLEN={AWAY_BYTES}"),
            "BOT=B".into(),
            // Letter case is folded for all of Unicode; "ascii" is the closest word that clients know, and UTF8MAPPING says the rest.
            "CASEMAPPING=ascii".into(),
            format!("CHANLIMIT=#:{ROOMS_PER_SESSION}"),
            "CHANMODES=beI,k,l,imnst".into(),
            format!("CHANNELLEN={NAME_BYTES}"),
            "CHANTYPES=#".into(),
            format!("CHATHISTORY={HISTORY_MESSAGES}"),
            "ELIST=MNU".into(),
            "EXCEPTS=e".into(),
            "EXTBAN=,m".into(),
            "INVEX=I".into(),
            format!("KEYLEN={ROOM_KEY_BYTES}"),
            format!("KICKLEN={REASON_BYTES}"),
            format!("LINELEN={LINE_BYTES}"),
            format!("MAXLIST=b:{MASKS_PER_LIST},e:{MASKS_PER_LIST},I:{MASKS_PER_LIST}"),
            format!("MAXTARGETS={TARGETS}"),
            format!("MODES={MODES_PER_LINE}"),
            format!("MONITOR={MONITOR_NAMES}"),
            "MSGREFTYPES=msgid,timestamp".into(),
            format!("NAMELEN={REALNAME_BYTES}"),
            format!("NETWORK={network}"),
            format!("NICKLEN={NAME_BYTES}"),
            "PREFIX=(ov)@+".into(),
            "SAFELIST".into(),
            format!(
                "TARGMAX=JOIN:,KICK:{TARGETS},NAMES:,NOTICE:{TARGETS},PART:,PRIVMSG:{TARGETS},TAGMSG:{TARGETS},WHOIS:1"
            ),
            format!("TOPICLEN={TOPIC_BYTES}"),
            format!("USERLEN={USER_BYTES}"),
            "UTF8MAPPING=casefold".into(),
            "UTF8ONLY".into(),
            "WHOX".into(),
        ];
        let lobby = self.lobby.and_then(|id| self.rooms.get(&id));
        tokens.extend(lobby.map(|room| format!("gzy/LOBBY={}", room.name.as_str())));
        tokens
    }
}

/// What is left of a user name when everything that has a meaning in masks and sources is taken out. The `~` says that nobody checked it.
fn user_name(text: &str) -> Box<str> {
    let plain: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(USER_BYTES - 1).collect();
    format!("~{}", if plain.is_empty() { "user" } else { &plain }).into()
}
