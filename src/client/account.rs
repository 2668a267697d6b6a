//! Who a client is on a server beyond its nick: an account with a password, and why a server did not take it.

use std::fmt;

use crate::wire::line::Line;
use crate::wire::name::fold;

/// A password. It is never shown, not even by mistake in a log of events.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Box<str>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(••••)")
    }
}

/// What one logs in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The account: its name, or its number.
    pub name: Box<str>,
    /// Its password.
    pub password: Secret,
}

impl Credentials {
    /// Both together.
    pub fn new(name: &str, password: &str) -> Credentials {
        Credentials { name: name.into(), password: Secret(password.into()) }
    }

    /// Whether they are for the account of this name.
    pub fn is_for(&self, name: &str) -> bool {
        fold(&self.name) == fold(name)
    }
}

/// What is wanted at the door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// To be logged in.
    LogIn,
    /// A new account, and to be logged in.
    Register,
}

/// Why somebody is not logged in, or has no new account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoginFault {
    /// The link is in clear and leaves this machine: the client does not send a password there.
    NotPrivate,
    /// The server has no accounts.
    NoAccounts,
    /// The password is another one.
    WrongPassword,
    /// Nobody has registered that name.
    NoSuchAccount,
    /// Too many wrong passwords: so many seconds of pause.
    Paused(u64),
    /// The name that is to be registered is somebody's.
    Taken,
    /// The new password is too short.
    TooShort,
    /// The host makes the accounts.
    Closed,
    /// Not at this moment, in the server's words.
    NotNow(Box<str>),
    /// Anything else, in the server's words.
    Other(Box<str>),
}

impl LoginFault {
    /// Whether the same try may well succeed later.
    pub fn may_pass(&self) -> bool {
        matches!(self, LoginFault::Paused(_) | LoginFault::NotNow(_))
    }

    /// Whether another password, or another name, may help.
    pub fn can_be_asked_about(&self) -> bool {
        !matches!(self, LoginFault::NotPrivate | LoginFault::NoAccounts | LoginFault::Closed)
    }

    /// The fault that a refusal of SASL tells of. Our own server says in a sentence what others leave open.
    pub fn of_sasl(sentence: &str) -> LoginFault {
        let says = |words: &str| sentence.contains(words);
        if says("too many wrong passwords") {
            return LoginFault::Paused(first_number(sentence).unwrap_or(0));
        }
        match () {
            () if says("wrong password") => LoginFault::WrongPassword,
            () if says("no such account") => LoginFault::NoSuchAccount,
            () if says("try again") => LoginFault::NotNow(sentence.into()),
            () if says("others can read") => LoginFault::NotPrivate,
            () => LoginFault::Other(sentence.into()),
        }
    }

    /// The fault that a FAIL line tells of (draft/account-registration).
    pub fn of_fail(line: &Line) -> LoginFault {
        let sentence: Box<str> = line.params().last().copied().unwrap_or_default().into();
        match line.param(1) {
            Some("ACCOUNT_EXISTS" | "USERNAME_EXISTS") => LoginFault::Taken,
            Some("WEAK_PASSWORD") => LoginFault::TooShort,
            Some("REGISTRATION_CLOSED") => LoginFault::Closed,
            Some("NOT_PRIVATE") => LoginFault::NotPrivate,
            Some("TEMPORARILY_UNAVAILABLE") => match first_number(&sentence) {
                Some(secs) if sentence.contains("wrong passwords") => LoginFault::Paused(secs),
                _ => LoginFault::NotNow(sentence),
            },
            _ => LoginFault::Other(sentence),
        }
    }
}

fn first_number(text: &str) -> Option<u64> {
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_by_mistake() {
        let shown = format!("{:?}", Credentials::new("anna", "geheim"));
        assert!(shown.contains("anna") && !shown.contains("geheim"), "{shown}");
    }

    #[test]
    fn what_the_server_says_is_told_apart() {
        let of = LoginFault::of_sasl;
        assert_eq!(of("wrong password"), LoginFault::WrongPassword);
        assert_eq!(of("there is no such account; !register NAME PASSWORD makes one"), LoginFault::NoSuchAccount);
        assert_eq!(of("too many wrong passwords; try again in 30 seconds"), LoginFault::Paused(30));
        assert!(of("too many people are logging in at this moment; try again in a few seconds").may_pass());
        assert_eq!(of("SASL authentication failed"), LoginFault::Other("SASL authentication failed".into()));
        let fail = |text: &str| LoginFault::of_fail(&Line::parse(text).unwrap());
        assert_eq!(fail(":s FAIL REGISTER ACCOUNT_EXISTS anna :that name is taken"), LoginFault::Taken);
        assert_eq!(fail(":s FAIL REGISTER WEAK_PASSWORD anna :too short"), LoginFault::TooShort);
        assert!(fail(":s FAIL REGISTER TEMPORARILY_UNAVAILABLE anna :try again in 5 seconds").may_pass());
    }
}
