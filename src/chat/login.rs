//! Logging in: one way for SASL, NickServ and `!login`. The store knows the hash, a thread checks it, and the outcome is told by the door it came through.

use std::net::IpAddr;

use crate::store::change::Change;
use crate::store::record::{AccountId, Found, Query};
use crate::wire::limits::{PASSWORD_ANSWER_MS, PASSWORDS_WAITING, UNREGISTERED_MS, WRONG_PASSWORDS};
use crate::wire::line::clip;

use super::bang::shown;
use super::pauses::{FREE_ACCOUNTS, FREE_TRIES};
use super::refused::Refused;
use super::session::{Login, Purpose};
use super::turn::Turn;
use super::{Chat, Effect, Secret};

/// Through which command somebody logs in or registers: it says how they are answered.
#[derive(Debug)]
pub enum Door {
    /// `AUTHENTICATE`.
    Sasl,
    /// `REGISTER`.
    Register,
    /// NickServ.
    Service,
    /// `!login`, `!register`.
    Bang(super::bang::Asked),
}

/// Somebody says to be an account; its password is being checked.
#[derive(Debug)]
pub struct Claim {
    /// How they are answered.
    pub door: Door,
    /// As they typed the name or number.
    pub name: Box<str>,
    /// Who they are when the password is right.
    pub login: Login,
}

impl Turn<'_> {
    /// Tries to log in with a name (or number) and a password.
    pub(super) fn try_login(&mut self, door: Door, name: &str, password: Secret) {
        let name: Box<str> = clip(name, super::join::WORD_BYTES).into();
        if let Some(refused) = self.may_try_password(&name) {
            let until_ms = self.now.mono_ms + UNREGISTERED_MS;
            if let (Refused::Busy, Some(hello)) = (&refused, &mut self.session_mut().hello) {
                // Whoever is told to come again in a few seconds gets the time for it.
                hello.until_ms = until_ms;
            }
            return self.tell_refused(door, &name, refused);
        }
        if let Some(login) = self.session().account.clone() {
            let refused = Refused::LoggedIn { name: login.name };
            return self.tell_refused(door, &name, refused);
        }
        let token = self.wait_within(PASSWORD_ANSWER_MS, Purpose::Login { door, name: name.clone(), password });
        self.effects.push(Effect::Ask { token, query: Query::Account { name } });
    }

    /// Why no password of this session is looked at now.
    pub(super) fn may_try_password(&self, name: &str) -> Option<Refused> {
        let me = self.session();
        if !me.is_private() && !self.chat.settings.clear_passwords {
            return Some(Refused::NotPrivate);
        }
        if me.wait.is_some() {
            // One line may have several targets.
            return Some(Refused::Busy);
        }
        let account = self.chat.accounts.meant(name).map(account_key);
        let keys = account.into_iter().chain([self.address_key()]);
        let left = keys.filter_map(|key| self.chat.pauses.left_secs(&key, self.now.wall_ms)).max();
        if let Some(secs) = left {
            return Some(Refused::Paused { secs });
        }
        (self.chat.passwords_waiting >= PASSWORDS_WAITING).then_some(Refused::Busy)
    }

    /// The store has looked the account up.
    pub(super) fn login_account_found(&mut self, door: Door, name: Box<str>, password: Secret, found: Found) {
        let account = match found {
            Found::Account(Some(account)) => account,
            Found::Account(None) => {
                self.note_wrong_password(None);
                self.log(format!("{} has no account, said somebody who wanted to log in", shown(&name)));
                return self.tell_refused(door, &name, Refused::NoAccount);
            }
            _ => return self.tell_refused(door, &name, Refused::Failed),
        };
        self.chat.know_account(&account);
        let Some(login) = self.chat.accounts.login(account.id) else {
            return self.tell_refused(door, &name, Refused::NoAccount);
        };
        let token = self.wait_within(PASSWORD_ANSWER_MS, Purpose::LoginPassword(Box::new(Claim { door, name, login })));
        self.chat.passwords_waiting += 1;
        self.effects.push(Effect::CheckPassword { token, password, hash: account.password_hash });
    }

    /// The password was checked.
    pub(super) fn login_password_checked(&mut self, claim: Claim, correct: bool) {
        let Claim { door, name, login } = claim;
        if !correct {
            self.log(format!("a wrong password for {}", login.name));
            self.note_wrong_password(Some(login.id));
            self.tell_refused(door, &name, Refused::WrongPassword);
            return self.close_after_many_wrong();
        }
        // It may have been removed while the password was being checked.
        if self.chat.accounts.get(login.id).is_none() {
            return self.tell_refused(door, &name, Refused::NoAccount);
        }
        self.forget_wrong_passwords(login.id);
        self.log(format!("{} logs in as account {}", login.name, login.id.0));
        self.log_in(login.clone());
        self.tell_logged_in(door, &login);
    }

    /// The store or the check did not answer: that is no wrong password.
    pub(super) fn login_not_answered(&mut self, claim: Claim) {
        self.tell_refused(claim.door, &claim.name, Refused::Failed);
    }

    /// Notes a wrong password for this address, and for an account when there is one.
    pub(super) fn note_wrong_password(&mut self, account: Option<AccountId>) {
        let session = self.session_mut();
        session.wrong_passwords = session.wrong_passwords.saturating_add(1);
        for key in account.map(account_key).into_iter().chain([self.address_key()]) {
            let wrong = self.chat.pauses.note(&key, FREE_TRIES, self.now.wall_ms);
            self.record(Change::Pause { key, wrong: Some(wrong) });
        }
    }

    /// Whoever guesses on one connection has to connect again.
    pub(super) fn close_after_many_wrong(&mut self) {
        if self.session().wrong_passwords >= WRONG_PASSWORDS {
            self.close("too many wrong passwords");
        }
    }

    /// Notes that an account was made from here.
    pub(super) fn note_registration(&mut self) {
        let key = self.registrations_key();
        let wrong = self.chat.pauses.note(&key, FREE_ACCOUNTS, self.now.wall_ms);
        self.record(Change::Pause { key, wrong: Some(wrong) });
    }

    /// What accounts made from here are counted under.
    pub(super) fn registrations_key(&self) -> Box<str> {
        format!("+{}", self.address_key()).into()
    }

    /// A right password makes up for the wrong ones.
    pub(super) fn forget_wrong_passwords(&mut self, account: AccountId) {
        self.session_mut().wrong_passwords = 0;
        for key in [account_key(account), self.address_key()] {
            if self.chat.pauses.forget(&key) {
                self.record(Change::Pause { key, wrong: None });
            }
        }
    }

    fn address_key(&self) -> Box<str> {
        self.chat.address_key(self.session().address)
    }
}

impl Chat {
    /// What wrong passwords from an address are counted under: it, or the household of an IPv6 address. The cloak stands for both.
    pub(super) fn address_key(&self, address: IpAddr) -> Box<str> {
        format!("@{}", super::cloak::cloak(&self.settings.cloak_secret, address)).into()
    }
}

/// What wrong passwords for an account are counted under.
pub(super) fn account_key(account: AccountId) -> Box<str> {
    account.0.to_string().into()
}
