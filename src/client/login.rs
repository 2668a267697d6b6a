//! How a client gets in: capabilities, the account, the nick, and another nick when that is taken.

use super::account::{Credentials, LoginFault, Wanted};
use super::features::worth_asking;
use super::knock::{Heard, Knock};
use super::{Event, Orders, Trouble, nick_of};
use crate::wire::caps::{Caps, MULTILINE};
use crate::wire::line::Line;
use crate::wire::name::{NAME_BYTES, Nick, fold, suggestion};

/// The user name of every GZY client; who somebody is says the nick.
const USER: &str = "gzy";

/// Nicks that are tried without asking anybody before the client gives up.
const NICKS_TRIED: u32 = 20;

/// With what a client comes to the door.
#[derive(Clone, Debug, Default)]
pub struct Greeting<'a> {
    /// The nick to ask for. Whoever logs in is called as their account, and asks for that.
    pub nick: &'a str,
    /// The word that the server may want from everybody (`PASS`).
    pub password: Option<&'a str>,
    /// Somebody is there to choose another nick.
    pub can_ask: bool,
    /// The account that is wanted.
    pub door: Option<(Wanted, Credentials)>,
    /// Nobody on the way can read what is sent.
    pub is_private: bool,
    /// Somebody is there to type another password.
    pub asks_password: bool,
}

/// One attempt to get in. Lives from the greeting to the end of the welcome.
#[derive(Debug)]
pub struct Login {
    nick: Box<str>,
    offered: Caps,
    caps: Caps,
    /// The value of `draft/multiline`.
    multiline: Box<str>,
    tries: u32,
    can_ask: bool,
    is_asking: bool,
    welcomed: bool,
    /// The account that is wanted, until the capabilities are known.
    door: Option<(Wanted, Credentials)>,
    knock: Option<Knock>,
    logged_in: Option<Credentials>,
    is_private: bool,
    asks_password: bool,
    is_asking_password: bool,
}

/// What became of a line while logging in.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    /// It belongs to the login; nothing else is to be done with it.
    Taken,
    /// It is for others.
    Other,
    /// The client is in, under this nick.
    In(Box<str>),
    /// There is no way in.
    Failed(Trouble),
}

impl Login {
    /// Greets.
    pub fn open(greeting: Greeting, orders: &mut Orders) -> Login {
        let Greeting { nick, password, can_ask, door, is_private, asks_password } = greeting;
        let account = door.as_ref().and_then(|(_, login)| Nick::parse(&login.name).ok());
        let nick = account.as_ref().map_or(nick, |account| account.as_str());
        orders.send("CAP LS 302".to_owned());
        if let Some(password) = password {
            orders.send(format!("PASS :{password}"));
        }
        orders.send(format!("NICK {nick}"));
        orders.send(format!("USER {USER} 0 * :{nick}"));
        Login {
            nick: nick.into(),
            offered: Caps::NONE,
            caps: Caps::NONE,
            multiline: "".into(),
            tries: 0,
            // Whoever logs in has the name of the account in the end.
            can_ask: can_ask && door.is_none(),
            is_asking: false,
            welcomed: false,
            door,
            knock: None,
            logged_in: None,
            is_private,
            asks_password,
            is_asking_password: false,
        }
    }

    /// The capabilities that were granted.
    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// The capabilities that the server offers.
    pub fn offered(&self) -> Caps {
        self.offered
    }

    /// The account that the server has logged the client in to.
    pub fn logged_in(&self) -> Option<&Credentials> {
        self.logged_in.as_ref()
    }

    /// How much a message of several lines may hold, in the server's words.
    pub fn multiline(&self) -> &str {
        &self.multiline
    }

    /// Whether the server waits for a nick that somebody has to choose.
    pub fn is_asking(&self) -> bool {
        self.is_asking
    }

    /// Whether the server waits for a password that somebody has to type.
    pub fn is_asking_password(&self) -> bool {
        self.is_asking_password
    }

    /// Somebody typed another password, wants an account, or none.
    pub fn answered(&mut self, door: Option<(Wanted, Credentials)>, orders: &mut Orders) -> Step {
        self.is_asking_password = false;
        self.door = door;
        self.knock_or_end(orders)
    }

    /// Somebody chose another nick.
    pub fn chosen(&mut self, nick: &str, orders: &mut Orders) {
        self.is_asking = false;
        self.nick = nick.into();
        orders.send(format!("NICK {nick}"));
    }

    /// Handles a line from the server.
    pub fn heard(&mut self, line: &Line, orders: &mut Orders) -> Step {
        if let Some(knock) = &mut self.knock {
            match knock.heard(line, orders) {
                Heard::Other => {}
                Heard::Taken => return Step::Taken,
                Heard::LoggedIn { name, number } => return self.is_in_account(name, number, orders),
                Heard::Refused(fault) => return self.turned_away(fault, orders),
            }
        }
        match line.command {
            "CAP" => return self.negotiate(line, orders),
            // A server from before capabilities; it goes on with the rest of the greeting.
            "421" if line.param(1) == Some("CAP") => {}
            "001" => {
                if let Some((_, login)) = self.door.take() {
                    // A server without capabilities has no accounts either.
                    return Step::Failed(Trouble::NoLogin(login.name, LoginFault::NoAccounts));
                }
                self.welcomed = true;
                self.nick = line.param(0).unwrap_or(&self.nick).into();
            }
            // The end of the message of the day, or that there is none: the welcome is over.
            "376" | "422" if self.welcomed => return Step::In(self.nick.clone()),
            // Or the server puts the client into a room before it has said all.
            "JOIN" if self.welcomed && nick_of(line.source.unwrap_or_default()) == &*self.nick => {
                return Step::In(self.nick.clone());
            }
            // Erroneous, in use, collision, temporarily not available.
            "432" | "433" | "436" | "437" if !self.welcomed => return self.refused(line, orders),
            // Wrong password, not allowed from there, banned: the server's sentence says more than "closed".
            "463" | "464" | "465" => {
                return Step::Failed(Trouble::Closed(line.params().last().map(|why| (*why).into())));
            }
            _ => return Step::Other,
        }
        Step::Taken
    }

    fn negotiate(&mut self, line: &Line, orders: &mut Orders) -> Step {
        let names = line.params().last().copied().unwrap_or_default();
        let caps = names.split(' ').filter_map(|cap| Caps::named(cap.split('=').next().unwrap_or(cap)));
        match line.param(1) {
            Some("LS") => {
                self.offered = caps.fold(self.offered, Caps::with);
                let values = names.split(' ').filter_map(|cap| cap.split_once('='));
                for (_, value) in values.filter(|(name, _)| *name == MULTILINE) {
                    self.multiline = value.into();
                }
                if line.param(2) == Some("*") && line.params().len() > 3 {
                    return Step::Taken; // More of the list follows.
                }
                let wanted = worth_asking(self.offered);
                if wanted == Caps::NONE {
                    return self.knock_or_end(orders);
                }
                orders.send(format!("CAP REQ :{}", wanted.names().collect::<Vec<_>>().join(" ")));
            }
            Some("ACK") => {
                self.caps = caps.fold(self.caps, Caps::with);
                return self.knock_or_end(orders);
            }
            Some("NAK") => return self.knock_or_end(orders),
            _ => {}
        }
        Step::Taken
    }

    /// The capabilities are known: knocks at the account's door, or goes on without one.
    fn knock_or_end(&mut self, orders: &mut Orders) -> Step {
        let Some((wanted, login)) = self.door.take() else {
            orders.send("CAP END".to_owned());
            return Step::Taken;
        };
        let knock = self.knock.insert(Knock::new(wanted, login));
        match knock.hindrance(self.offered, self.is_private) {
            Some(fault) => self.turned_away(fault, orders),
            None => {
                knock.begin(orders);
                Step::Taken
            }
        }
    }

    fn is_in_account(&mut self, name: Box<str>, number: Option<Box<str>>, orders: &mut Orders) -> Step {
        let Some(knock) = self.knock.take() else { return Step::Taken };
        let login = Credentials { name, ..knock.login };
        self.logged_in = Some(login.clone());
        orders.tell(Event::LoggedIn { login, number });
        orders.send("CAP END".to_owned());
        Step::Taken
    }

    fn turned_away(&mut self, fault: LoginFault, orders: &mut Orders) -> Step {
        let Some(Knock { wanted, login, .. }) = self.knock.take() else { return Step::Taken };
        let asked = self.asks_password && fault.can_be_asked_about() && !fault.may_pass();
        let name = login.name;
        if !asked {
            return Step::Failed(Trouble::NoLogin(name, fault));
        }
        orders.tell(Event::NotLoggedIn { wanted, name, fault, asked });
        self.is_asking_password = true;
        Step::Taken
    }

    fn refused(&mut self, line: &Line, orders: &mut Orders) -> Step {
        let why = line.params().last().copied().unwrap_or_default();
        let free = suggested(&self.nick, why);
        let asked = self.can_ask;
        orders.tell(Event::NickRefused { nick: self.nick.clone(), why: why.into(), suggestion: free.clone(), asked });
        if asked {
            self.is_asking = true;
            return Step::Taken;
        }
        self.tries += 1;
        if self.tries > NICKS_TRIED {
            return Step::Failed(Trouble::NoNick(why.into()));
        }
        self.nick = free.unwrap_or_else(|| self.next_try(line.command == "432"));
        orders.send(format!("NICK {}", self.nick));
        Step::Taken
    }

    /// A nick to try when the server names none: 小阳2 for a taken 小阳, guest2 where the server does not like the name at all.
    fn next_try(&self, is_bad: bool) -> Box<str> {
        let nick = if is_bad { Nick::parse("guest") } else { Nick::parse(&self.nick) };
        // A nick that even we would not take can only be replaced.
        nick.or_else(|_| Nick::parse("guest"))
            .map_or_else(|_| "guest".into(), |n| suggestion(&n, |_| true).as_str().into())
    }
}

/// The free nick that a server's sentence names: "小阳 is taken; 小阳2 is free".
fn suggested(refused: &str, sentence: &str) -> Option<Box<str>> {
    let said_free = sentence.rsplit(';').next()?.trim().trim_end_matches('.').strip_suffix(" is free");
    let is_other = |word: &&str| fold(word) != fold(refused) && word.len() <= NAME_BYTES && Nick::parse(word).is_ok();
    let counted = |word: &&str| word.strip_prefix(refused).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let mut words = sentence.split(|c: char| c.is_whitespace() || ",;:.，；：。、（）()\"'“”‘’".contains(c));
    said_free.filter(is_other).or_else(|| words.find(|word| is_other(word) && counted(word))).map(Into::into)
}

#[cfg(test)]
mod tests;
