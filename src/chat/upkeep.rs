//! What time alone brings about: strangers who never register, silent clients, answers that never come, counts to tell.

use std::fmt::Write;

use crate::store::record::Found;
use crate::wire::limits::{GONE_AFTER_MS, PING_AFTER_MS};

use super::session::Purpose;
use super::{Asker, Chat, ConnId, Effect, Now, SERVER_NAME, Token};

/// Deadlines are rounded up to this, so that ten thousand idle clients wake the server once a second, not ten thousand times.
const WAKE_STEP_MS: u64 = 1000;

impl Chat {
    /// When [`Chat::tick`] is wanted next (monotonic milliseconds).
    pub fn deadline(&self) -> Option<u64> {
        let session = self.due.first().map(|(at_ms, _)| *at_ms);
        let counts = self.counting.iter().filter_map(|id| self.rooms.get(id)).map(|room| room.untold.due_ms).min();
        session.into_iter().chain(counts).chain(self.shelf.deadline()).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now, effects: &mut Vec<Effect>) {
        while let Some((_, conn)) = self.due.first().copied().filter(|(at_ms, _)| *at_ms <= now.mono_ms) {
            self.due.pop_first();
            self.look_after(conn, now, effects);
        }
        self.tell_counts(now, effects);
        self.tidy_shelf(now, effects);
    }

    /// Asks for a look at a session at a time; a little later is fine.
    pub(super) fn wake_at(&mut self, at_ms: u64, conn: ConnId) {
        self.due.insert((at_ms.next_multiple_of(WAKE_STEP_MS), conn));
    }

    /// Notes that a connection is alive; false when it is not known (it was closed already).
    pub(super) fn note_life(&mut self, conn: ConnId, now: Now) -> bool {
        let Some(session) = self.session_mut(conn) else { return false };
        session.heard_ms = now.mono_ms;
        session.pinged = false;
        true
    }

    fn look_after(&mut self, conn: ConnId, now: Now, effects: &mut Vec<Effect>) {
        let wait = self.session(conn).and_then(|session| session.wait.as_ref());
        if let Some(token) = wait.filter(|wait| wait.until_ms <= now.mono_ms).map(|wait| wait.token) {
            self.give_up_on(token, now, effects);
        }
        let batch = self.session(conn).and_then(|session| session.batch());
        if batch.is_some_and(|batch| batch.is_late(now)) {
            self.turn(conn, now, effects, |turn| turn.give_up_batch());
        }
        // Giving up may have closed it. Else it goes on here, because this look may have been the one that its silence was due for, too.
        let Some(session) = self.session_mut(conn) else { return };
        let silent_ms = now.mono_ms.saturating_sub(session.heard_ms);
        // Whoever waits for the server is not to blame for being late.
        let waits_until = session.wait.as_ref().map(|wait| wait.until_ms);
        if let Some(hello) = &session.hello {
            return match waits_until.map_or(hello.until_ms, |until_ms| hello.until_ms.max(until_ms + 1)) {
                until_ms if until_ms <= now.mono_ms => {
                    self.turn(conn, now, effects, |turn| {
                        turn.close("you did not say who you are in time (NICK and USER)")
                    });
                }
                until_ms => self.wake_at(until_ms, conn),
            };
        }
        if silent_ms >= GONE_AFTER_MS {
            return self.turn(conn, now, effects, |turn| {
                turn.close(&format!("no answer for {} seconds", GONE_AFTER_MS / 1000))
            });
        }
        if silent_ms >= PING_AFTER_MS && !session.pinged {
            session.pinged = true;
            effects.push(Effect::Send { to: conn, lines: format!("PING :{SERVER_NAME}\r\n") });
        }
        let heard_ms = session.heard_ms;
        let next_ms = heard_ms + if silent_ms >= PING_AFTER_MS { GONE_AFTER_MS } else { PING_AFTER_MS };
        self.wake_at(next_ms, conn);
    }

    /// Treats an answer that never came as a failed one.
    fn give_up_on(&mut self, token: Token, now: Now, effects: &mut Vec<Effect>) {
        let failed = Found::Failed("the store did not answer in time".into());
        self.found(token, failed, now, effects);
    }

    /// Brings an answer of the store to whoever asked. Whoever is gone is forgotten.
    pub(super) fn found(&mut self, token: Token, found: Found, now: Now, effects: &mut Vec<Effect>) {
        match self.askers.remove(&token) {
            None => {}
            Some(Asker::Room(room)) => self.recent_found(room, found, effects),
            Some(Asker::Person(account)) => self.person_found(account, found, effects),
            Some(Asker::Missed(account)) => self.missed_found(account, found, now, effects),
            Some(Asker::Session(conn)) => self.answer(conn, token, now, effects, Answer::Found(found)),
            Some(Asker::Knock(knock)) => self.knock_found(knock, found, now, effects),
        }
    }

    /// Brings the verdict on a password to the session that typed it.
    pub(super) fn password_checked(&mut self, token: Token, correct: bool, now: Now, effects: &mut Vec<Effect>) {
        self.passwords_waiting = self.passwords_waiting.saturating_sub(1);
        match self.askers.remove(&token) {
            Some(Asker::Session(conn)) => self.answer(conn, token, now, effects, Answer::Password(correct)),
            Some(Asker::Knock(knock)) => self.knock_checked(knock, correct, now, effects),
            Some(Asker::Room(_) | Asker::Person(_) | Asker::Missed(_)) | None => {}
        }
    }

    /// Brings the hash of a new password to the session that typed it.
    pub(super) fn password_hashed(
        &mut self,
        token: Token,
        hash: Option<Box<str>>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.passwords_waiting = self.passwords_waiting.saturating_sub(1);
        if let Some(Asker::Session(conn)) = self.askers.remove(&token) {
            self.answer(conn, token, now, effects, Answer::Hash(hash));
        }
    }

    fn answer(&mut self, conn: ConnId, token: Token, now: Now, effects: &mut Vec<Effect>, answer: Answer) {
        let Some(session) = self.session_mut(conn) else { return };
        let Some(wait) = session.wait.take_if(|wait| wait.token == token) else { return };
        self.turn(conn, now, effects, |turn| {
            turn.replies.label = wait.label;
            turn.replies.lines().push_str(&wait.lines);
            match (wait.purpose, answer) {
                (Purpose::Recall(recall), Answer::Found(found)) => turn.recalled(*recall, found),
                (Purpose::Bang(question), Answer::Found(found)) => turn.show_bang_answer(question, found),
                (Purpose::MaybeSent(utterance), Answer::Found(found)) => turn.say_unless_sent(*utterance, found),
                (Purpose::Oper { name, password }, Answer::Found(found)) => {
                    turn.oper_account_found(name, password, found)
                }
                (Purpose::OperPassword { name, account }, Answer::Password(correct)) => {
                    turn.oper_password_checked(&name, account, correct)
                }
                (Purpose::OperPassword { name, .. }, _) => turn.oper_not_answered(&name),
                (Purpose::Login { door, name, password }, Answer::Found(found)) => {
                    turn.login_account_found(door, name, password, found)
                }
                (Purpose::LoginPassword(claim), Answer::Password(correct)) => {
                    turn.login_password_checked(*claim, correct)
                }
                (Purpose::LoginPassword(claim), _) => turn.login_not_answered(*claim),
                (Purpose::RegisterHash { door, name }, answer) => turn.register_hashed(door, name, answer.hash()),
                (Purpose::Registered { door, name }, Answer::Found(found)) => turn.register_done(door, name, found),
                (Purpose::NewPasswordHash { door }, answer) => turn.new_password_hashed(door, answer.hash()),
                (Purpose::PasswordSet { door }, Answer::Found(found)) => turn.password_set(door, found),
                (
                    Purpose::Login { .. }
                    | Purpose::Registered { .. }
                    | Purpose::PasswordSet { .. }
                    | Purpose::Recall(_)
                    | Purpose::Bang(_)
                    | Purpose::MaybeSent(_)
                    | Purpose::Oper { .. },
                    Answer::Password(_) | Answer::Hash(_),
                ) => {}
            }
        });
        if self.session(conn).is_some_and(|session| session.wait.is_none() && session.has_held()) {
            self.resumable.push_back(conn);
        }
    }

    /// Tells everybody that the server ends, and closes all connections.
    pub(super) fn say_goodbye(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.tell_all_gathered(now, effects);
        let everybody: Vec<ConnId> = self.sessions.iter().flatten().map(|session| session.conn).collect();
        for conn in everybody {
            self.turn(conn, now, effects, |turn| {
                let nick = turn.session().shown_nick().to_owned();
                let sentence = "服务器要停了，一会儿见 · the server is stopping, see you soon";
                let _ = write!(turn.replies.lines(), ":{SERVER_NAME} NOTICE {nick} :{sentence}\r\n");
                turn.hang_up("the server is stopping");
            });
        }
    }
}

/// What came back.
enum Answer {
    Found(Found),
    Password(bool),
    Hash(Option<Box<str>>),
}

impl Answer {
    /// The hash, when that is what came back.
    fn hash(self) -> Option<Box<str>> {
        if let Answer::Hash(hash) = self { hash } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::chat::Input;
    use crate::wire::limits::ANSWER_MS;

    #[test]
    fn a_silent_client_is_asked_even_when_an_answer_failed_at_that_very_moment() {
        let mut w = World::new();
        w.asks_by_hand = true;
        let anna = w.join("anna");
        w.handle(Input::Secured { conn: anna });
        w.pass_ms(PING_AFTER_MS - ANSWER_MS);
        w.line(anna, "OPER 阳 开门");
        // Both the end of the wait and the first look at anna's silence are due now, and are one entry.
        w.pass_ms(ANSWER_MS);
        assert_eq!(w.said_to(anna).len(), 1, "the answer failed");
        w.pass_ms(PING_AFTER_MS);
        assert_eq!(w.said_to(anna), ["PING :gzy.local"]);
        w.pass_ms(GONE_AFTER_MS);
        assert!(w.is_closed(anna));
    }
}
