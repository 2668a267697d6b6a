//! Server operators: OPER, KILL, WALLOPS.

use std::rc::Rc;

use crate::store::record::{Found, Query};
use crate::wire::escape::printable;
use crate::wire::limits::{PASSWORD_ANSWER_MS, REASON_BYTES};
use crate::wire::line::{Line, clip};
use crate::wire::reply::*;

use super::bang::{Tongue, shown};
use super::join::clip_word;
use super::session::Purpose;
use super::turn::Turn;
use super::{Audience, ConnId, Effect, Login, Secret};

/// Checked in place of the hash of an account that does not exist, so that the answer takes as long. No password has it.
/// Its parameters are those with which the store hashes.
const DECOY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Turn<'_> {
    /// `OPER <account> <password>`: makes an operator of whoever has the password of an admin's account, and logs in to it.
    pub(super) fn oper(&mut self, line: &Line) {
        if !self.session().is_private() {
            let advice = "not in the clear: connect with TLS (the port is the same), then say OPER; and choose a new password, this one was sent for all to read";
            return self.numeric(ERR_NOOPERHOST, &[], advice);
        }
        let name: Box<str> = line.params()[0].into();
        if let Some(refused) = self.may_try_password(&name) {
            return self.numeric(ERR_NOOPERHOST, &[], &refused.sentence(Tongue::English));
        }
        let password = Secret(line.params()[1].into());
        let token = self.wait_for(Purpose::Oper { name: name.clone(), password });
        self.effects.push(Effect::Ask { token, query: Query::Account { name } });
    }

    /// The store has looked the account up. Whatever it found, a password is checked: time tells strangers nothing.
    pub(super) fn oper_account_found(&mut self, name: Box<str>, password: Secret, found: Found) {
        let Found::Account(account) = found else { return self.oper_not_answered(&name) };
        let admin = account.as_ref().filter(|account| account.admin);
        let admin = admin.map(|account| Login { id: account.id, name: (&*account.name).into() });
        let hash = account.map_or_else(|| DECOY_HASH.into(), |account| account.password_hash);
        let token = self.wait_within(PASSWORD_ANSWER_MS, Purpose::OperPassword { name, account: admin });
        self.chat.passwords_waiting += 1;
        self.effects.push(Effect::CheckPassword { token, password, hash });
    }

    /// The password was checked. `account` is the name as registered; without one the answer is no.
    pub(super) fn oper_password_checked(&mut self, name: &str, account: Option<Login>, correct: bool) {
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
        self.note_wrong_password(self.chat.accounts.meant(name));
        self.close_after_many_wrong();
    }

    fn become_operator(&mut self, account: Login) {
        self.forget_wrong_passwords(account.id);
        // Whoever is logged in stays who they are.
        if self.session().account.is_none() {
            self.log_in(account.clone());
        }
        self.set_operator(true);
        self.numeric(RPL_YOUREOPER, &[], "You are now an IRC operator");
        let nick = self.session().nick.as_str().to_owned();
        let mode = self.my_event(format_args!("MODE {nick} +o"), None);
        self.reply_event(&mode, "");
        self.log(format!("{nick} is an operator as {}", account.name));
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
        let (source, by) = (self.session().source().to_owned(), self.session().nick.as_str().to_owned());
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

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::chat::Input;
    use crate::wire::limits::{PASSWORD_ANSWER_MS, WRONG_PASSWORDS};

    const REFUSED: &str = ":gzy.local 464 anna :that is not the name and password of an operator";

    fn world() -> World {
        let mut w = World::new();
        w.add_account("阳", "开门", true);
        w.add_account("guest", "guest", false);
        w
    }

    #[test]
    fn an_admin_becomes_an_operator_and_is_logged_in() {
        let mut w = world();
        let (小阳, anna) = (w.join("小阳"), w.join_with_caps("anna", "account-notify"));
        w.handle(Input::Secured { conn: 小阳 });
        let as_guest = w.source(小阳);
        let told = w.ask(小阳, "OPER 阳 开门");
        let source = w.source(小阳);
        assert_eq!(
            told,
            [
                format!(":{as_guest} NICK 阳"),
                format!(":gzy.local 900 阳 {source} 阳 :You are now logged in as 阳"),
                ":gzy.local 381 阳 :You are now an IRC operator".into(),
                format!(":{source} MODE 阳 +o"),
            ]
        );
        assert_eq!(w.said_to(anna), [format!(":{as_guest} NICK 阳"), format!(":{source} ACCOUNT 阳")]);
        assert!(w.session(小阳).operator);
        assert_eq!(w.log.last().map(String::as_str), Some("阳 is an operator as 阳"));
        assert_eq!(
            w.ask(小阳, "OPER 1000 开门"),
            told[2..],
            "an account's number is as good, and once more does no harm"
        );
        assert_eq!(w.said_to(anna), [""; 0]);
        assert_eq!(w.chat.operators, 1);
    }

    #[test]
    fn an_operators_password_is_not_taken_where_others_can_read_it() {
        let mut w = world();
        w.asks_by_hand = true;
        let anna = w.join("anna");
        let told = w.ask(anna, "OPER 阳 开门");
        assert!(told[0].starts_with(":gzy.local 491 anna :") && told[0].contains("TLS"), "{told:?}");
        assert!(told.len() == 1 && told[0].len() < 400 && !w.session(anna).operator && w.questions.is_empty());
        let here = w.connect_from("127.0.0.1".parse().unwrap());
        w.line(here, "NICK ben");
        w.line(here, "USER ben 0 * :ben");
        w.drain();
        assert_eq!(w.ask(here, "OPER 阳 开门"), [""; 0]);
        assert_eq!(w.questions.len(), 1, "on the server's own machine nobody reads along");
    }

    #[test]
    fn every_refusal_looks_the_same_and_takes_the_same_work() {
        let mut w = world();
        w.passwords_by_hand = true;
        let anna = w.join("anna");
        w.handle(Input::Secured { conn: anna });
        for (attempt, correct) in [("阳 wrong", false), ("guest guest", true), ("nobody x", false)] {
            assert_eq!(w.ask(anna, &format!("OPER {attempt}")), [""; 0], "{attempt}");
            let (_, password, hash) = w.password_checks.front().cloned().unwrap();
            assert_eq!(attempt.split_once(' ').map(|(_, typed)| typed), Some(password.as_str()));
            assert!(attempt != "nobody x" || hash == DECOY_HASH);
            w.password_checked(correct);
            assert_eq!(w.said_to(anna), [REFUSED], "{attempt}");
            assert!(w.log.last().unwrap().ends_with("was refused"));
        }
        assert!(!w.session(anna).operator && w.session(anna).account.is_none());
        assert!(w.log.iter().all(|text| !text.contains("wrong")), "no password is logged: {:?}", w.log);
    }

    #[test]
    fn the_fifth_wrong_password_is_the_last() {
        let mut w = world();
        let (anna, ben) = (w.join("anna"), w.join("ben"));
        w.handle(Input::Secured { conn: anna });
        for _ in 1..WRONG_PASSWORDS {
            assert_eq!(w.ask(anna, "OPER 阳 芝麻"), [REFUSED]);
        }
        let quit = format!(":{} QUIT :too many wrong passwords", w.source(anna));
        assert_eq!(w.ask(anna, "OPER 阳 芝麻"), [REFUSED, "ERROR :Closing link: too many wrong passwords"]);
        assert!(w.is_closed(anna));
        assert_eq!(w.said_to(ben)[0], quit);
    }

    #[test]
    fn lines_behind_oper_wait_for_its_answer() {
        let mut w = world();
        w.passwords_by_hand = true;
        let anna = w.join_with_caps("anna", "labeled-response batch");
        w.handle(Input::Secured { conn: anna });
        w.line(anna, "@label=门 OPER 阳 芝麻");
        w.line(anna, "PING 1");
        assert_eq!(w.said_to(anna), [""; 0]);
        w.password_checked(false);
        assert_eq!(w.said_to(anna), [format!("@label=门 {REFUSED}"), ":gzy.local PONG gzy.local :1".into()]);
    }

    #[test]
    fn a_store_that_fails_or_is_silent_is_no_wrong_password() {
        let mut w = world();
        (w.asks_by_hand, w.passwords_by_hand) = (true, true);
        let anna = w.join("anna");
        let sorry = [":gzy.local 400 anna OPER :your password could not be checked; try again in a moment"];
        w.handle(Input::Secured { conn: anna });
        w.questions.clear();
        w.line(anna, "OPER 阳 开门");
        w.answer(Found::Failed("disk".into()));
        assert_eq!(w.said_to(anna), sorry);
        w.line(anna, "OPER 阳 开门");
        w.answer_from_memory();
        w.pass_ms(PASSWORD_ANSWER_MS + 1000);
        assert_eq!(w.said_to(anna)[1..], sorry, "a PING comes before it");
        w.password_checked(true);
        assert!(!w.session(anna).operator, "an answer that comes too late opens nothing");
        assert_eq!(w.session(anna).wrong_passwords, 0);
    }

    #[test]
    fn kill_closes_a_connection_and_the_room_reads_why() {
        let mut w = World::new();
        let (anna, eve, ben) = (w.join("anna"), w.join("eve"), w.join("ben"));
        let no = ":gzy.local 481 ben :Permission Denied- You're not an IRC operator; OPER makes you one";
        assert_eq!(w.ask(ben, "KILL eve"), [no]);
        w.make_operator(anna);
        let (killer, victim) = (w.source(anna), w.source(eve));
        w.line(anna, "KILL EVE :广告");
        assert_eq!(
            w.said_to(eve),
            [format!(":{killer} KILL eve :广告"), "ERROR :Closing link: Killed (anna: 广告)".into()]
        );
        assert!(w.is_closed(eve));
        let left = ":gzy.local NOTICE #lobby :eve 离开了，还有 2 人 · eve left, 2 still here".to_owned();
        let quit = [format!(":{victim} QUIT :Killed (anna: 广告)"), left];
        assert_eq!((w.said_to(anna), w.said_to(ben)), (quit.to_vec(), quit.to_vec()));
        assert_eq!(w.ask(anna, "KILL eve"), [":gzy.local 401 anna eve :nobody of that name is here"]);
        assert!(w.log.iter().any(|text| text == "anna kills eve (广告)"));
    }

    #[test]
    fn one_may_kill_oneself() {
        let mut w = World::new();
        let anna = w.join("anna");
        w.make_operator(anna);
        let source = w.source(anna);
        assert_eq!(
            w.ask(anna, "KILL anna"),
            [
                format!(":{source} KILL anna :no reason given"),
                "ERROR :Closing link: Killed (anna: no reason given)".into()
            ]
        );
        assert!(w.is_closed(anna));
        assert_eq!((w.chat.operators, w.chat.registered, w.chat.connections), (0, 0, 0));
    }

    #[test]
    fn wallops_reach_those_who_want_them() {
        let mut w = World::new();
        let (anna, 小阳, ben) = (w.join("anna"), w.join("小阳"), w.join("ben"));
        w.chat.session_mut(小阳).unwrap().wants_wallops = true;
        let no = ":gzy.local 481 anna :Permission Denied- You're not an IRC operator; OPER makes you one";
        assert_eq!(w.ask(anna, "WALLOPS :要停电了"), [no]);
        w.make_operator(anna);
        assert_eq!(w.ask(anna, "WALLOPS :要停电了"), [""; 0]);
        assert_eq!(w.said_to(小阳), [format!(":{} WALLOPS :要停电了", w.source(anna))]);
        assert_eq!(w.said_to(ben), [""; 0]);
        assert_eq!(w.ask(anna, "WALLOPS :"), [":gzy.local 461 anna WALLOPS :not enough parameters"]);
    }

    #[test]
    fn the_decoy_costs_as_much_as_a_real_hash_and_has_no_password() {
        let real = crate::password::hash("开门，我是小阳").unwrap();
        let cost = |phc: &str| {
            phc.split('$').map(|part| (part.len(), part.contains("m=").then(|| part.to_owned()))).collect::<Vec<_>>()
        };
        assert_eq!(cost(DECOY_HASH), cost(&real));
        assert!(!crate::password::verify("", DECOY_HASH));
    }
}
