//! Server operators: OPER, KILL, WALLOPS.

use std::fmt::Write;
use std::rc::Rc;

use crate::store::record::{Found, Query};
use crate::wire::caps::Caps;
use crate::wire::escape::printable;
use crate::wire::limits::{REASON_BYTES, WRONG_PASSWORDS};
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::join::clip_word;
use super::session::Purpose;
use super::turn::Turn;
use super::{Audience, ConnId, Effect, Secret};

/// Checked in place of the hash of an account that does not exist, so that the answer takes as long. No password has it.
/// Its parameters are those with which the store hashes.
const DECOY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Turn<'_> {
    /// `OPER <account> <password>`: makes an operator of whoever has the password of an admin's account, and logs in to it.
    pub(super) fn oper(&mut self, line: &Line) {
        let name: Box<str> = line.params()[0].into();
        let password = Secret(line.params()[1].into());
        let token = self.wait_for(Purpose::Oper { name: name.clone(), password });
        self.effects.push(Effect::Ask { token, query: Query::Account { name } });
    }

    /// The store has looked the account up. Whatever it found, a password is checked: time tells strangers nothing.
    pub(super) fn oper_account_found(&mut self, name: Box<str>, password: Secret, found: Found) {
        let Found::Account(account) = found else { return self.oper_not_answered(&name) };
        let admin = account.as_ref().filter(|account| account.admin).map(|account| account.name.clone());
        let hash = account.map_or_else(|| DECOY_HASH.into(), |account| account.password_hash);
        let token = self.wait_for(Purpose::OperPassword { name, account: admin });
        self.effects.push(Effect::CheckPassword { token, password, hash });
    }

    /// The password was checked. `account` is the name as registered; without one the answer is no.
    pub(super) fn oper_password_checked(&mut self, name: &str, account: Option<Box<str>>, correct: bool) {
        match account.filter(|_| correct) {
            Some(account) => self.become_operator(account),
            None => self.refuse_password(name),
        }
    }

    /// The store or the check of the password failed: that is no wrong password.
    pub(super) fn oper_not_answered(&mut self, name: &str) {
        self.log(format!("OPER {} could not be checked", shown(name)));
        self.numeric(ERR_UNKNOWNERROR, &["OPER"], "your password could not be checked; try again in a moment");
    }

    fn refuse_password(&mut self, name: &str) {
        self.log(format!("OPER {} was refused", shown(name)));
        self.numeric(ERR_PASSWDMISMATCH, &[], "that is not the name and password of an operator");
        let session = self.session_mut();
        session.wrong_passwords = session.wrong_passwords.saturating_add(1);
        if session.wrong_passwords >= WRONG_PASSWORDS {
            self.close("too many wrong passwords");
        }
    }

    fn become_operator(&mut self, account: Box<str>) {
        self.session_mut().wrong_passwords = 0;
        self.log_in(account.clone());
        self.set_operator(true);
        self.numeric(RPL_YOUREOPER, &[], "You are now an IRC operator");
        let nick = self.session().nick.as_str().to_owned();
        let _ = write!(self.replies.lines(), ":{nick} MODE {nick} :+o\r\n");
        self.log(format!("{nick} is an operator as {account}"));
    }

    /// Logs this session in, and tells those in its rooms who want to know.
    pub(super) fn log_in(&mut self, account: Box<str>) {
        let changed = self.session().account.as_ref() != Some(&account);
        self.session_mut().account = Some(account.clone());
        let source = self.session().source();
        self.numeric(RPL_LOGGEDIN, &[&source, &account], &format!("You are now logged in as {account}"));
        if changed {
            let event = Rc::new(self.my_event(format_args!("ACCOUNT {account}"), None));
            let peers = self.chat.peers(self.me, |_| true);
            self.effects.push(Effect::ToEach { to: peers, only: Audience::with(Caps::ACCOUNT_NOTIFY), event });
        }
    }

    /// Sets user mode `o`, and counts.
    pub(super) fn set_operator(&mut self, on: bool) {
        if std::mem::replace(&mut self.session_mut().operator, on) != on {
            self.chat.operators = if on { self.chat.operators + 1 } else { self.chat.operators - 1 };
        }
    }

    /// `KILL <nick> [reason]`
    pub(super) fn kill(&mut self, line: &Line) {
        if !self.must_be_operator() {
            return;
        }
        let nick = line.params()[0];
        let Some(victim) = self.chat.session_named(nick) else {
            return self.numeric(ERR_NOSUCHNICK, &[clip_word(nick)], "nobody of that name is here");
        };
        let (conn, victim) = (victim.conn, victim.nick.as_str().to_owned());
        let reason = clip(line.param(1).unwrap_or("no reason given"), REASON_BYTES);
        let (source, by) = (self.session().source(), self.session().nick.as_str().to_owned());
        self.log(format!("{by} kills {victim} ({})", printable(reason)));
        let farewell = format!(":{source} KILL {victim} :{reason}\r\n");
        self.end_other(conn, &farewell, &format!("Killed ({by}: {reason})"));
    }

    /// Closes a connection, one's own or another's, after it was told `farewell`. The rooms it was in read the reason.
    pub(super) fn end_other(&mut self, conn: ConnId, farewell: &str, reason: &str) {
        if conn == self.me {
            self.replies.lines().push_str(farewell);
            return self.close(reason);
        }
        self.chat.turn(conn, self.now, self.effects, |turn| {
            turn.replies.lines().push_str(farewell);
            turn.close(reason);
        });
    }

    /// `WALLOPS <text>`: to all with user mode `w`
    pub(super) fn wallops(&mut self, line: &Line) {
        if !self.must_be_operator() {
            return;
        }
        let Some(text) = line.param(0) else {
            return self.numeric(ERR_NEEDMOREPARAMS, &["WALLOPS"], "not enough parameters");
        };
        let event = Rc::new(self.my_event(format_args!("WALLOPS"), Some(text)));
        let listeners = self.chat.sessions.iter().flatten().filter(|session| session.wants_wallops);
        let to: Vec<ConnId> = listeners.map(|session| session.conn).collect();
        self.effects.push(Effect::ToEach { to, only: Audience::ALL, event });
    }

    fn must_be_operator(&mut self) -> bool {
        let operator = self.session().operator;
        if !operator {
            self.numeric(ERR_NOPRIVILEGES, &[], "Permission Denied- You're not an IRC operator; OPER makes you one");
        }
        operator
    }
}

/// What somebody typed as a name, for the log.
fn shown(name: &str) -> String {
    printable(clip(name, 64)).into_owned()
}
