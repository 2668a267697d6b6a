//! Accounts at a terminal: typed passwords, the offer to register, and whether to log in by oneself the next time.

use super::*;
use crate::client::account::{Credentials, LoginFault, Wanted};
use crate::client::words::AccountSaying;

/// A password that is being asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Password {
    /// What it is for.
    pub wanted: Wanted,
    /// The account.
    pub name: Box<str>,
    /// What was typed the first time, when a new one is typed twice.
    pub first: Option<Box<str>>,
    /// The link waits for it.
    pub is_awaited: bool,
}

impl Password {
    /// The question.
    pub fn saying(&self) -> Saying<'_> {
        Saying::Account(match (self.wanted, &self.first) {
            (Wanted::LogIn, _) => AccountSaying::AskPassword(&self.name),
            (Wanted::Register, None) => AccountSaying::AskNewPassword(&self.name),
            (Wanted::Register, Some(_)) => AccountSaying::AskAgain,
        })
    }
}

/// What an answer to a question that takes yes or no says; `None` when it is something else.
pub(super) fn yes_or_no(line: &str) -> Option<bool> {
    match &*line.trim().to_lowercase() {
        "y" | "yes" | "是" | "好" | "ｙ" => Some(true),
        "n" | "no" | "否" | "不" | "ｎ" | "" => Some(false),
        _ => None,
    }
}

impl Console {
    /// Whether what is typed must not be seen.
    pub fn hides_typed(&self) -> bool {
        matches!(self.asking, Asking::Password(_))
    }

    /// Whether the link waits for what is typed next.
    pub fn asks_at_the_door(&self) -> bool {
        matches!(&self.asking, Asking::Password(Password { is_awaited: true, .. }) | Asking::Register(_))
    }

    /// The login that is kept for the next time already: nobody is asked about that one.
    pub fn know_login(&mut self, login: Option<Credentials>) {
        self.kept_login = login;
    }

    /// The client is logged in: asks whether that should be so the next time.
    pub(super) fn logged_in(&mut self, login: &Credentials) {
        if self.front == Front::Script || self.kept_login.as_ref() == Some(login) {
            return;
        }
        self.asking = Asking::Remember(login.clone());
        self.ask();
    }

    /// A login that is kept is kept with its new password.
    pub(super) fn password_changed(&mut self, login: &Credentials) {
        if self.kept_login.as_ref().is_some_and(|kept| kept.is_for(&login.name)) {
            self.kept_login = Some(login.clone());
            self.errands.push_back(Errand::KeepLogin(login.clone()));
        }
    }

    /// The client is not logged in, and the link waits for an answer.
    pub(super) fn turned_away(&mut self, wanted: Wanted, name: &str, fault: &LoginFault) {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        match (wanted, fault) {
            (Wanted::LogIn, LoginFault::NoSuchAccount) if is_number => return self.stay_guest(),
            (Wanted::LogIn, LoginFault::NoSuchAccount) => self.asking = Asking::Register(name.into()),
            (_, LoginFault::Taken) => self.ask_password(Wanted::LogIn, name, true),
            _ => self.ask_password(wanted, name, true),
        }
        self.ask();
    }

    fn ask_password(&mut self, wanted: Wanted, name: &str, is_awaited: bool) {
        self.asking = Asking::Password(Password { wanted, name: name.into(), first: None, is_awaited });
    }

    /// `/login` or `/register`.
    pub(super) fn account_typed(&mut self, wanted: Wanted, name: Box<str>, password: Option<Box<str>>) {
        match password {
            Some(password) => self.commands.push_back(Command::LogIn(wanted, Credentials::new(&name, &password))),
            None if self.front == Front::Screen => {
                self.ask_password(wanted, &name, false);
                self.ask();
            }
            // Elsewhere it would be seen.
            None => self.tell(&Saying::Usage("/login NAME PASSWORD, /register NAME PASSWORD")),
        }
    }

    pub(super) fn password_typed(&mut self, asked: Password, typed: &str) {
        let Password { wanted, name, first, is_awaited } = asked;
        if typed.is_empty() {
            return if is_awaited { self.stay_guest() } else { self.leave_when_done() };
        }
        if let (Wanted::Register, None) = (wanted, &first) {
            self.asking = Asking::Password(Password { wanted, name, first: Some(typed.into()), is_awaited });
            return self.ask();
        }
        if first.is_some_and(|first| *first != *typed) {
            self.tell(&Saying::Account(AccountSaying::NotTheSame));
            self.ask_password(wanted, &name, is_awaited);
            return self.ask();
        }
        self.commands.push_back(Command::LogIn(wanted, Credentials::new(&name, typed)));
    }

    pub(super) fn register_typed(&mut self, name: Box<str>, typed: &str) {
        match yes_or_no(typed) {
            Some(true) => self.ask_password(Wanted::Register, &name, true),
            Some(false) => return self.stay_guest(),
            None => self.asking = Asking::Register(name),
        }
        self.ask();
    }

    /// Comes in without an account.
    pub(super) fn stay_guest(&mut self) {
        self.asking = Asking::Nothing;
        self.tell(&Saying::Account(AccountSaying::AsGuest));
        self.commands.push_back(Command::StayGuest);
    }
}
