//! Registering: a name gets a password and a number. REGISTER (IRCv3 draft/account-registration), NickServ and `!register` are one.

use crate::store::directory::AccountEntry;
use crate::store::record::{Account, AccountId, Found, NotRegistered, Query};
use crate::wire::limits::{PASSWORD_ANSWER_MS, PASSWORD_CHARS_MIN};
use crate::wire::line::{Line, clip};
use crate::wire::name::{BadName, Nick};

use super::accounts::is_reserved;
use super::login::Door;
use super::refused::Refused;
use super::session::{Login, Purpose};
use super::turn::Turn;
use super::{Chat, Effect, Now, Secret};

impl Turn<'_> {
    /// `REGISTER <account|*> <email|*> <password>`; there is no mail here, so the address is not looked at.
    pub(super) fn register(&mut self, line: &Line) {
        let [account, _, password] = [0, 1, 2].map(|at| line.params()[at]);
        self.try_register(Door::Register, account, Secret(password.into()));
    }

    /// Tries to make an account; `*` stands for the own nick.
    pub(super) fn try_register(&mut self, door: Door, name: &str, password: Secret) {
        let own = self.session().shown_nick().to_owned();
        let name: Box<str> = clip(if name == "*" { &own } else { name }, super::join::WORD_BYTES).into();
        let nick = match self.may_register(&name, &password) {
            Ok(nick) => nick,
            Err(refused) => return self.tell_refused(door, &name, refused),
        };
        let token = self.wait_within(PASSWORD_ANSWER_MS, Purpose::RegisterHash { door, name: nick.as_str().into() });
        self.chat.passwords_waiting += 1;
        self.effects.push(Effect::HashPassword { token, password });
    }

    fn may_register(&self, name: &str, password: &Secret) -> Result<Nick, Refused> {
        if !self.chat.settings.registration {
            return Err(Refused::Closed);
        }
        if let Some(login) = &self.session().account {
            return Err(Refused::LoggedIn { name: login.name.clone() });
        }
        if let Some(refused) = self.may_try_password("") {
            return Err(refused);
        }
        if let Some(secs) = self.chat.pauses.left_secs(&self.registrations_key(), self.now.wall_ms) {
            return Err(Refused::TooMany { secs });
        }
        let nick = match Nick::parse(name) {
            Ok(nick) => nick,
            Err(BadName::Empty) => return Err(Refused::Incomplete),
            Err(why) => return Err(Refused::BadName(why)),
        };
        if is_reserved(&nick) {
            return Err(Refused::Reserved);
        }
        if !self.chat.is_free(&nick, self.me) {
            return Err(Refused::Taken);
        }
        if password.0.chars().count() < PASSWORD_CHARS_MIN {
            return Err(Refused::TooShort);
        }
        Ok(nick)
    }

    /// Gives the account of this session another password.
    pub(super) fn change_password(&mut self, door: Door, password: Secret) {
        let name: Box<str> = self.session().shown_nick().into();
        if let Some(refused) = self.may_try_password(&name) {
            return self.tell_refused(door, &name, refused);
        }
        if password.0.chars().count() < PASSWORD_CHARS_MIN {
            return self.tell_refused(door, &name, Refused::TooShort);
        }
        let token = self.wait_within(PASSWORD_ANSWER_MS, Purpose::NewPasswordHash { door });
        self.chat.passwords_waiting += 1;
        self.effects.push(Effect::HashPassword { token, password });
    }

    /// The new password is hashed; the store takes it.
    pub(super) fn new_password_hashed(&mut self, door: Door, hash: Option<Box<str>>) {
        let (Some(hash), Some(login)) = (hash, self.session().account.clone()) else {
            return self.tell_refused(door, "*", Refused::Failed);
        };
        let token = self.wait_for(Purpose::PasswordSet { door });
        self.effects.push(Effect::Ask { token, query: Query::SetPassword { account: login.id, hash } });
    }

    /// The new password is on the disk, or is not.
    pub(super) fn password_set(&mut self, door: Door, found: Found) {
        match found {
            Found::PasswordSet(true) => {
                self.chat.shelf.knocks.forget_right();
                self.log(format!("{} has a new password", self.session().nick.as_str()));
                self.tell_password_set(door);
            }
            Found::PasswordSet(false) => self.tell_refused(door, "*", Refused::NoAccount),
            _ => self.tell_refused(door, "*", Refused::Failed),
        }
    }

    /// The password is hashed; the store makes the account.
    pub(super) fn register_hashed(&mut self, door: Door, name: Box<str>, hash: Option<Box<str>>) {
        let Some(hash) = hash else { return self.tell_refused(door, &name, Refused::Failed) };
        let token = self.wait_for(Purpose::Registered { door, name: name.clone() });
        self.effects.push(Effect::Ask { token, query: Query::Register { name, hash } });
    }

    /// The account is on the disk, or is not.
    pub(super) fn register_done(&mut self, door: Door, name: Box<str>, found: Found) {
        let id = match found {
            Found::Registered(Ok(id)) => id,
            Found::Registered(Err(NotRegistered::Taken)) => return self.tell_refused(door, &name, Refused::Taken),
            Found::Registered(Err(NotRegistered::LooksLikeNumber)) => {
                return self.tell_refused(door, &name, Refused::BadName(BadName::OnlyDigits));
            }
            _ => return self.tell_refused(door, &name, Refused::Failed),
        };
        self.chat.accounts.add(AccountEntry { id, name: name.clone(), display: None, admin: false });
        self.log(format!("{name} registers as account {}", id.0));
        self.note_registration();
        let login = Login { id, name: (&*name).into() };
        if self.session().account.is_none() {
            self.log_in(login.clone());
        }
        self.tell_registered(door, &login);
    }
}

impl Chat {
    /// Another program changed the accounts. Whoever is logged in to one that is gone has to come in anew.
    pub(super) fn take_in_accounts(&mut self, entries: Vec<AccountEntry>, now: Now, effects: &mut Vec<Effect>) {
        for id in self.accounts_changed(entries) {
            // Also those who have logged in and are not welcomed yet.
            let logged_in = self.sessions.iter().flatten().filter(|session| session.account_id() == Some(id));
            for device in logged_in.map(|session| session.conn).collect::<Vec<_>>() {
                self.turn(device, now, effects, |turn| turn.close("the host has removed this account"));
            }
            self.leave_all_groups(id, now, effects);
            self.accounts.remove(id);
            self.clear_shelf_of(id, now, effects);
        }
        self.shelf.knocks.forget_right();
    }

    /// Takes in an account that the store knows and the rules did not: it was made by the command line just now.
    pub(super) fn know_account(&mut self, account: &Account) {
        if self.accounts.get(account.id).is_none() {
            let name = account.name.clone();
            self.accounts.add(AccountEntry { id: account.id, name, display: None, admin: account.admin });
        }
    }

    /// Takes in all accounts as another program left them; gives those that are gone.
    fn accounts_changed(&mut self, entries: Vec<AccountEntry>) -> Vec<AccountId> {
        let gone: Vec<AccountId> =
            self.accounts.ids().filter(|id| entries.iter().all(|entry| entry.id != *id)).collect();
        for entry in entries {
            match self.accounts.get_mut(entry.id) {
                Some(account) => account.admin = entry.admin,
                None => self.accounts.add(entry),
            }
        }
        gone
    }
}
