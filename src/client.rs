//! A client without a screen: it dials, logs in, talks, comes back after a broken link, and says what there is to see.
//!
//! A front end starts [`link::run`] with two channels: it sends [`Command`]s and gets [`Event`]s. Every event goes through
//! [`view::View::take`], which answers with what to show ([`shown`]). [`words`] makes sentences of that.
//!
//! `session` is the talk with one server, pure: lines in, lines and events out. Its parts are `login` (capabilities and the nick), `knock` (the account),
//! `features` (what the server can), `batches` (which lines belong together), `outbox` and `pieces` (what is not yet acknowledged, and how it is sent),
//! `catchup` (what was missed while the link was broken), `news` (where else something was said), `marks` (what was read) and `asked` (what the user wants to see again).
//! Only `link` has sockets and timers. `transfers` moves files. `trust` decides whether a server's key is the right one, `known_servers` remembers it.

use std::io;

use crate::net::tls::NotEncrypted;
use crate::net::{Address, NotOpened};
use crate::wire::fingerprint::Fingerprint;

pub mod account;
pub mod asked;
pub mod batches;
pub mod catchup;
pub mod commands;
pub mod config_folder;
pub mod features;
pub mod knock;
pub mod known_servers;
pub mod link;
pub mod listing;
pub mod login;
pub mod logins;
pub mod lookup;
pub mod marks;
pub mod news;
pub mod outbox;
pub mod pace;
pub mod paths;
pub mod pieces;
pub mod room;
pub mod seen;
pub mod session;
pub mod settings;
pub mod shown;
pub mod start;
pub mod transfers;
pub mod trust;
pub mod typed;
pub mod view;
pub mod words;
pub mod writer;

use account::{Credentials, LoginFault, Secret, Wanted};
use asked::{NoAnswer, Question};
use features::Features;
use known_servers::{Distrusted, Trust};
use transfers::lines::Answer;

/// The room that is entered where a server does not put everybody into one.
pub const DEFAULT_ROOM: &str = "#lobby";

/// How the talk with a server is protected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Security {
    /// Not at all: anybody on the way can read it.
    Plain,
    /// Encrypted, for a server that is trusted.
    Encrypted(Trust),
}

/// How a client wants to be on a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server is.
    pub address: Address,
    /// How the talk is protected.
    pub security: Security,
    /// Milliseconds without any line after which the link counts as broken.
    pub broken_after_ms: u64,
    /// The nick to ask for.
    pub nick: Box<str>,
    /// The word that the server may want from everybody (`PASS`).
    pub password: Option<Box<str>>,
    /// Whether somebody is there to choose another nick when this one is refused. Otherwise the client takes what it can get.
    pub can_ask: bool,
    /// The account to log in to, at each link.
    pub account: Option<Credentials>,
    /// Whether somebody is there to type another password when this one is refused, unseen by others. Otherwise the client gives up.
    pub asks_password: bool,
    /// The room to talk in; the server's lobby when `None`.
    pub room: Option<Box<str>>,
    /// How many earlier messages of a room to fetch when entering it for the first time; 0 for none, also after a broken link.
    pub history: usize,
    /// Whether what was missed in all rooms of the account is fetched, not only private talk and the room that is entered.
    pub follows_rooms: bool,
}

/// What a front end wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Say a text to a room or a person. It is sent exactly once, in order, also across broken links.
    Say {
        /// Comes back in [`Event::Delivered`] or [`Event::Refused`].
        key: u64,
        /// A room or a nick; `None` is the room that the client is at home in.
        target: Option<Box<str>>,
        /// The text. Several lines are one message where the server takes that, else one each.
        text: Box<str>,
    },
    /// Take another nick; also the answer to [`Event::NickRefused`].
    Nick(Box<str>),
    /// Log in, or register; also the answer to [`Event::NotLoggedIn`].
    LogIn(Wanted, Credentials),
    /// Take another password, with this line that says so to the server.
    ChangePassword(Secret, Box<str>),
    /// Come in without an account; also an answer to [`Event::NotLoggedIn`].
    StayGuest,
    /// Enter a room.
    Join(Box<str>),
    /// Leave a room.
    Part(Box<str>),
    /// Ask for something that the server remembers; the number comes back in [`Event::Answered`].
    Ask(u64, Question),
    /// Say a line about files (`FILE …`); what answers it comes back in [`Event::File`], with its label. [`transfers`] sends it.
    File {
        /// Makes out the answer: [`transfers::lines::label`].
        label: Box<str>,
        /// The line, without tags.
        line: Box<str>,
    },
    /// The user has read a conversation up to this time (milliseconds since 1970).
    Read(Box<str>, u64),
    /// Leave the server. The link ends with [`Event::Ended`].
    Quit,
}

/// What happened on the link. All of them go into the view; front ends look at a few.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The key of an encrypted link is trusted from here on: it was never seen before, or the user accepted it in place of another.
    KeyAccepted {
        /// The server.
        server: Address,
        /// Its key.
        key: Fingerprint,
        /// There was another key before.
        replaced: bool,
    },
    /// Where the client is in, and by whose key it is trusted. Comes in front of [`Event::In`].
    Reached {
        /// The server, with the port that answered.
        server: Address,
        /// Its key, where the link is encrypted.
        key: Option<Fingerprint>,
    },
    /// Logged in.
    In {
        /// The nick that the server gave.
        nick: Box<str>,
        /// What the server can.
        features: Box<Features>,
        /// The room that is meant when no other is named.
        home: Box<str>,
        /// The client was in before and came back.
        again: bool,
    },
    /// The nick was refused while logging in. With `asked`, a [`Command::Nick`] is waited for.
    NickRefused {
        /// The refused nick.
        nick: Box<str>,
        /// The server's sentence.
        why: Box<str>,
        /// A nick that is free, when the server named one.
        suggestion: Option<Box<str>>,
        /// Somebody has to choose; otherwise the client tries another nick by itself.
        asked: bool,
    },
    /// The client is logged in to an account, and will be after each broken link.
    LoggedIn {
        /// The account, with its name as the server writes it.
        login: Credentials,
        /// The number of an account that was just made.
        number: Option<Box<str>>,
    },
    /// The account has another password from here on.
    PasswordChanged(Credentials),
    /// The client is not logged in. With `asked`, a [`Command::LogIn`] or [`Command::StayGuest`] is waited for.
    NotLoggedIn {
        /// What was wanted.
        wanted: Wanted,
        /// Of which account.
        name: Box<str>,
        /// Why not.
        fault: LoginFault,
        /// The link waits for an answer; otherwise it goes on, or ends.
        asked: bool,
    },
    /// The link broke; the client is trying to come back. Told once until it is in again.
    Lost(Trouble),
    /// The next attempt to come back begins after a pause. Front ends that can show it say so.
    Pausing {
        /// 1 for the first attempt since the link broke.
        attempt: u32,
        /// Milliseconds until it begins.
        pause_ms: u64,
    },
    /// A line from the server that a person may want to see the effect of.
    Line {
        /// The line, without line end, with its tags. A message of several lines is put together to one, with `\n` in its text.
        text: Box<str>,
        /// It was said before: it comes from the server's memory.
        history: bool,
    },
    /// The answer to a [`Command::Ask`].
    Answered {
        /// The number of the question.
        key: u64,
        /// Lines as in [`Event::Line`], oldest first.
        answer: Result<Vec<Box<str>>, NoAnswer>,
    },
    /// The answer to a [`Command::File`].
    File(Box<Answer>),
    /// A line could not be read: not UTF-8, or too long.
    Unreadable,
    /// A room has been entered: its names are known and what was missed has been told.
    Settled(Box<str>),
    /// The message is safe with the server.
    Delivered(u64),
    /// The server did not take the message.
    Refused {
        /// The key of its [`Command::Say`].
        key: u64,
        /// Whom it was for.
        target: Box<str>,
        /// The piece that was refused.
        text: Box<str>,
        /// The server's sentence.
        why: Box<str>,
    },
    /// Nothing follows. `None` after [`Command::Quit`].
    Ended(Option<Trouble>),
}

/// Why there is no link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// No such host, or the name could not be looked up.
    NoHost,
    /// Nothing listens there.
    NobodyListens,
    /// No answer in time.
    NoAnswer,
    /// The server closed the link, perhaps with a sentence.
    Closed(Option<Box<str>>),
    /// Nothing was heard for too long.
    Silent,
    /// No nick was accepted; the server's last sentence.
    NoNick(Box<str>),
    /// The account could not be logged in to.
    NoLogin(Box<str>, LoginFault),
    /// The server did not answer in TLS, perhaps with a line in clear.
    NoTls(Option<Box<str>>),
    /// The link is in clear, and the server answers in TLS.
    OnlyTls,
    /// Encryption failed otherwise, in the words of the library.
    Tls(Box<str>),
    /// The server's key is not trusted.
    Distrusted(Box<Distrusted>),
    /// Anything else, in the system's words.
    Other(Box<str>),
}

impl From<NotOpened> for Trouble {
    fn from(why: NotOpened) -> Trouble {
        match why {
            NotOpened::Dialing(error) => Trouble::of(&error),
            NotOpened::Encrypting(NotEncrypted::NoTls(said)) => Trouble::NoTls(said),
            NotOpened::Encrypting(NotEncrypted::Failed(words)) => Trouble::Tls(words),
        }
    }
}

impl Trouble {
    /// Whether it makes no sense to try again by oneself: somebody has to look into it.
    pub fn is_final(&self) -> bool {
        match self {
            Trouble::Distrusted(_) => true,
            Trouble::NoLogin(_, fault) => !fault.may_pass(),
            _ => false,
        }
    }

    /// The trouble behind an error of dialing, reading or writing.
    pub fn of(error: &io::Error) -> Trouble {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::ConnectionRefused => Trouble::NobodyListens,
            Kind::TimedOut => Trouble::NoAnswer,
            Kind::NotFound => Trouble::NoHost,
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
                Trouble::Closed(None)
            }
            _ => Trouble::Other(error.to_string().into()),
        }
    }
}

/// What has to be done after something was handled: lines for the server (without line end), and events for the front end.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Orders {
    /// In the order of sending.
    pub lines: Vec<String>,
    /// In the order of happening.
    pub events: Vec<Event>,
}

impl Orders {
    fn send(&mut self, line: String) {
        self.lines.push(line);
    }

    fn tell(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// The nick in front of `!` in a line's source.
pub fn nick_of(source: &str) -> &str {
    source.split_once('!').map_or(source, |(nick, _)| nick)
}
