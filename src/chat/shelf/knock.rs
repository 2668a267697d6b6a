//! Logging in by HTTP: each request brings a name and a password, and ten thousand of them cost one look at the hash.

use std::collections::HashMap;
use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::store::change::Change;
use crate::store::record::{AccountId, Found, Query};
use crate::wire::limits::{PASSWORD_ANSWER_MS, PASSWORDS_WAITING, WEB_LOGIN_MS, WEB_LOGINS, WEB_WAITING};
use crate::wire::line::clip;
use crate::wire::name::{NAME_BYTES, fold};

use super::super::bang::shown;
use super::super::login::account_key;
use super::super::pauses::FREE_TRIES;
use super::super::{Asker, Chat, Effect, Now, Secret, Token};
use super::Due;
use super::visit::unauthorized;
use super::web::{WebId, WebReply, WebRequest};

/// A name and a password from one place, as a keyed hash: they can be compared, and not read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginHash([u8; 32]);

impl std::fmt::Debug for LoginHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginHash(…)")
    }
}

/// A password that is being looked at, and the requests that came with it.
#[derive(Debug)]
struct Knock {
    waiting: Vec<(WebId, WebRequest)>,
    name: Box<str>,
    address: IpAddr,
    password: Secret,
    account: Option<AccountId>,
    token: Token,
}

/// All that is being looked at, and what was right lately.
#[derive(Default, Debug)]
pub struct Knocks {
    open: HashMap<LoginHash, Knock>,
    waiting: usize,
    /// Whose it is, and until when that is remembered (monotonic milliseconds).
    right: HashMap<LoginHash, (AccountId, u64)>,
}

impl Knocks {
    /// Somebody has another password, or is no more: every password is looked at again.
    pub fn forget_right(&mut self) {
        self.right.clear();
    }

    /// A request is gone.
    pub fn forget(&mut self, web: WebId) {
        for knock in self.open.values_mut() {
            let before = knock.waiting.len();
            knock.waiting.retain(|(other, _)| *other != web);
            self.waiting -= before - knock.waiting.len();
        }
    }

    fn remember(&mut self, hash: LoginHash, account: AccountId, now_ms: u64) {
        self.right.retain(|_, (_, until_ms)| *until_ms > now_ms);
        if self.right.len() >= WEB_LOGINS
            && let Some(oldest) = self.right.iter().min_by_key(|(_, (_, until_ms))| *until_ms).map(|(hash, _)| *hash)
        {
            self.right.remove(&oldest);
        }
        self.right.insert(hash, (account, now_ms + WEB_LOGIN_MS));
    }

    fn close(&mut self, hash: LoginHash) -> Option<Knock> {
        let knock = self.open.remove(&hash)?;
        self.waiting -= knock.waiting.len();
        Some(knock)
    }

    /// Whether nothing is being looked at.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.waiting == 0
    }
}

impl Chat {
    /// A request came with a name and a password.
    pub(super) fn knocked(&mut self, web: WebId, mut request: WebRequest, now: Now, effects: &mut Vec<Effect>) {
        let Some((name, password)) = request.login.take() else { return };
        let is_private = request.is_secure || request.address.to_canonical().is_loopback();
        if !is_private && !self.settings.clear_passwords {
            let sentence = "no password over a link that others can read: use https (the port is the same), and choose a new password";
            return refuse(web, 403, sentence, effects);
        }
        let name: Box<str> = clip(&name, NAME_BYTES).into();
        let hash = self.login_hash(&name, &password, request.address);
        let right = self.shelf.knocks.right.get(&hash).filter(|(_, until_ms)| *until_ms > now.mono_ms);
        if let Some((account, _)) = right.copied() {
            return self.welcome_web(web, request, Some(account), now, effects);
        }
        let keys = self.accounts.meant(&name).map(account_key).into_iter().chain([self.address_key(request.address)]);
        if let Some(secs) = keys.filter_map(|key| self.pauses.left_secs(&key, now.wall_ms)).max() {
            return refuse(web, 429, &format!("too many wrong passwords; try again in {secs} seconds"), effects);
        }
        if self.shelf.knocks.waiting >= WEB_WAITING || self.passwords_waiting >= PASSWORDS_WAITING {
            return refuse(
                web,
                503,
                "too many people are logging in at this moment; try again in a few seconds",
                effects,
            );
        }
        self.shelf.knocks.waiting += 1;
        if let Some(knock) = self.shelf.knocks.open.get_mut(&hash) {
            return knock.waiting.push((web, request));
        }
        let token = self.next_token(Asker::Knock(hash));
        effects.push(Effect::Ask { token, query: Query::Account { name: name.clone() } });
        let address = request.address;
        let knock = Knock { waiting: vec![(web, request)], name, address, password, account: None, token };
        self.shelf.knocks.open.insert(hash, knock);
        self.shelf.wake(now.mono_ms + PASSWORD_ANSWER_MS, Due::Knock(hash));
    }

    fn login_hash(&self, name: &str, password: &Secret, address: IpAddr) -> LoginHash {
        let mut hasher = Sha256::new();
        hasher.update(self.settings.cloak_secret);
        hasher.update(b"login");
        // What is of any length stands behind its length, so that no two logins read the same.
        for part in [address.to_canonical().to_string().as_str(), &fold(name), &password.0] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        LoginHash(hasher.finalize().into())
    }

    /// The store has looked the account up.
    pub(in crate::chat) fn knock_found(&mut self, hash: LoginHash, found: Found, now: Now, effects: &mut Vec<Effect>) {
        let account = match found {
            Found::Account(account) => account,
            _ => {
                return self.refuse_knock(
                    hash,
                    503,
                    "the server could not look that up; try again in a moment",
                    effects,
                );
            }
        };
        let Some(account) = account else {
            return self.knock_was_wrong(hash, now, effects);
        };
        self.know_account(&account);
        let Some(knock) = self.shelf.knocks.open.get_mut(&hash) else { return };
        knock.account = Some(account.id);
        let password = knock.password.clone();
        let token = self.next_token(Asker::Knock(hash));
        if let Some(knock) = self.shelf.knocks.open.get_mut(&hash) {
            knock.token = token;
        }
        self.passwords_waiting += 1;
        effects.push(Effect::CheckPassword { token, password, hash: account.password_hash });
    }

    /// The password was checked.
    pub(in crate::chat) fn knock_checked(
        &mut self,
        hash: LoginHash,
        correct: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let account = self.shelf.knocks.open.get(&hash).and_then(|knock| knock.account);
        // It may have been removed while the password was being checked.
        let account = account.filter(|id| correct && self.accounts.get(*id).is_some());
        let Some(account) = account else { return self.knock_was_wrong(hash, now, effects) };
        let Some(knock) = self.shelf.knocks.close(hash) else { return };
        for key in [account_key(account), self.address_key(knock.address)] {
            if self.pauses.forget(&key) {
                self.record(Change::Pause { key, wrong: None }, now, effects);
            }
        }
        self.shelf.knocks.remember(hash, account, now.mono_ms);
        for (web, request) in knock.waiting {
            self.welcome_web(web, request, Some(account), now, effects);
        }
    }

    fn knock_was_wrong(&mut self, hash: LoginHash, now: Now, effects: &mut Vec<Effect>) {
        let Some(knock) = self.shelf.knocks.close(hash) else { return };
        let text = format!("a wrong name or password for {} by HTTP", shown(&knock.name));
        effects.push(Effect::Log { conn: None, text });
        for key in knock.account.map(account_key).into_iter().chain([self.address_key(knock.address)]) {
            let wrong = self.pauses.note(&key, FREE_TRIES, now.wall_ms);
            self.record(Change::Pause { key, wrong: Some(wrong) }, now, effects);
        }
        for (web, _) in knock.waiting {
            unauthorized(web, "that is not the name and password of an account", effects);
        }
    }

    /// Neither the store nor the check answered in time.
    pub(super) fn give_up_knock(&mut self, hash: LoginHash, effects: &mut Vec<Effect>) {
        self.refuse_knock(hash, 503, "your password could not be checked; try again in a moment", effects);
    }

    fn refuse_knock(&mut self, hash: LoginHash, status: u16, sentence: &str, effects: &mut Vec<Effect>) {
        let Some(knock) = self.shelf.knocks.close(hash) else { return };
        self.askers.remove(&knock.token);
        for (web, _) in knock.waiting {
            refuse(web, status, sentence, effects);
        }
    }
}

fn refuse(web: WebId, status: u16, sentence: &str, effects: &mut Vec<Effect>) {
    let reply = WebReply::Refused { status, sentence: sentence.into(), offset: None };
    effects.push(Effect::Web { web, reply: Box::new(reply) });
}
