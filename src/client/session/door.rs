//! The account of a session: which one it logs in to at each link, and what becomes of an attempt while it is in.

use super::*;
use crate::client::account::{LoginFault, Secret, Wanted};
use crate::client::knock::{Heard, Knock};

/// The label of the line that changes the password.
const PASSWORD_LABEL: &str = "password";

/// How a server of our own says that it has done that.
const PASSWORD_IS_CHANGED: [&str; 2] = ["your password is changed", "密码改好了"];

/// What a session knows about its account.
#[derive(Debug, Default)]
pub struct Door {
    /// To be logged in to at each link.
    account: Option<Credentials>,
    /// What is wanted next, when it is not that.
    next: Option<(Wanted, Credentials)>,
    /// An attempt on a link that is in.
    knock: Option<Knock>,
    /// The password that the account gets when the server says so.
    new_password: Option<Secret>,
    /// Somebody has to answer before it makes sense to dial again.
    is_open: bool,
    /// What an answer of theirs led to.
    doom: Option<Trouble>,
}

impl Door {
    /// For an account, or none.
    pub fn new(account: Option<Credentials>) -> Door {
        Door { account, ..Door::default() }
    }

    /// The account that the session is logged in to, or wants to be.
    pub fn account(&self) -> Option<&Credentials> {
        self.account.as_ref()
    }

    /// What to knock for on a new link.
    pub fn wanted(&mut self) -> Option<(Wanted, Credentials)> {
        self.next.take().or_else(|| self.account.clone().map(|login| (Wanted::LogIn, login)))
    }

    /// What somebody wanted while the session was on its way in.
    pub fn wanted_next(&mut self) -> Option<(Wanted, Credentials)> {
        self.next.take()
    }

    /// The link is gone. `is_open`: somebody was being asked.
    pub fn lost(&mut self, is_open: bool) {
        self.is_open = is_open;
        // Whether an account was made is not known; whoever only wanted to log in still does.
        if let Some(Knock { wanted: Wanted::LogIn, login, .. }) = self.knock.take() {
            self.next = Some((Wanted::LogIn, login));
        }
    }

    /// Whether somebody has to answer first.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Why the link has to end.
    pub fn doom(&self) -> Option<&Trouble> {
        self.doom.as_ref()
    }

    /// Takes why the link has to end.
    pub fn take_doom(&mut self) -> Option<Trouble> {
        self.doom.take()
    }

    /// The welcome is over, in this account.
    pub fn entered(&mut self, account: Option<&Credentials>) {
        self.account = account.cloned();
    }
}

impl Session {
    /// Somebody wants an account, or none.
    pub(super) fn told_account(&mut self, wanted: Option<(Wanted, Credentials)>, orders: &mut Orders) {
        match &mut self.stage {
            Stage::Down => {
                if wanted.is_none() {
                    self.door.account = None;
                }
                (self.door.next, self.door.is_open) = (wanted, false);
            }
            Stage::Hello { login, .. } if login.is_asking_password() => {
                if let Step::Failed(trouble) = login.answered(wanted, orders) {
                    self.door.doom = Some(trouble);
                }
            }
            // Whoever changes their mind before they are in does so when they are.
            Stage::Hello { .. } => self.door.next = wanted,
            Stage::In => {
                if let Some((wanted, login)) = wanted {
                    self.knock(wanted, login, orders);
                }
            }
        }
    }

    /// Knocks at an account's door while the session is in.
    pub(super) fn knock(&mut self, wanted: Wanted, login: Credentials, orders: &mut Orders) {
        let knock = Knock::new(wanted, login);
        let hindrance = knock.hindrance(self.features.offered, self.is_private());
        match (hindrance, &self.door.knock) {
            (Some(fault), _) => turned_away(knock, fault, orders),
            // The answers could not be told apart.
            (None, Some(_)) => turned_away(knock, LoginFault::NotNow("one attempt at a time".into()), orders),
            (None, None) => {
                knock.begin(orders);
                self.door.knock = Some(knock);
            }
        }
    }

    /// Whether a line was about an attempt to log in.
    pub(super) fn answers_knock(&mut self, line: &Line, orders: &mut Orders) -> bool {
        let Some(knock) = &mut self.door.knock else { return false };
        match knock.heard(line, orders) {
            Heard::Other => return false,
            Heard::Taken => {}
            Heard::LoggedIn { name, number } => {
                let Some(knock) = self.door.knock.take() else { return true };
                let login = Credentials { name, ..knock.login };
                self.door.account = Some(login.clone());
                (self.regain, self.wanted) = (None, self.nick.clone());
                orders.tell(Event::LoggedIn { login, number });
                self.ask_news(orders);
            }
            Heard::Refused(fault) => {
                if let Some(knock) = self.door.knock.take() {
                    turned_away(knock, fault, orders);
                }
            }
        }
        true
    }

    /// Tells the server about another password: at once and once, because nothing with a password in it waits for anything.
    pub(super) fn change_password(&mut self, password: Secret, line: &str, orders: &mut Orders) {
        if self.is_in() {
            let label =
                if self.features.gives_receipts() { format!("@label={PASSWORD_LABEL} ") } else { String::new() };
            orders.send(format!("{label}PRIVMSG {} :{line}", self.home()));
            self.door.new_password = Some(password);
        }
    }

    /// Notes when the account has another password.
    pub(super) fn follow_password(&mut self, line: &Line, label: Option<&str>, orders: &mut Orders) {
        if label != Some(PASSWORD_LABEL) || line.command != "NOTICE" {
            return;
        }
        let sentence = line.params().last().copied().unwrap_or_default();
        let is_done = PASSWORD_IS_CHANGED.iter().any(|words| sentence.contains(words));
        if let (true, Some(password), Some(login)) = (is_done, self.door.new_password.take(), &mut self.door.account) {
            login.password = password;
            orders.tell(Event::PasswordChanged(login.clone()));
        }
    }

    /// Whether nobody on the way can read what is sent.
    pub(super) fn is_private(&self) -> bool {
        matches!(self.config.security, Security::Encrypted(_)) || self.config.address.is_here()
    }
}

fn turned_away(knock: Knock, fault: LoginFault, orders: &mut Orders) {
    let Knock { wanted, login, .. } = knock;
    orders.tell(Event::NotLoggedIn { wanted, name: login.name, fault, asked: false });
}
