//! One connection as the rules see it: hello, then in, then gone.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use crate::store::record::AccountId;
use crate::wire::caps::Caps;
use crate::wire::limits::{CONFIRM_MS, HELD_LINES, UNREGISTERED_MS};
use crate::wire::name::Nick;

use super::login::{Claim, Door};
use super::multiline::OpenBatch;
use super::{ConnId, Now, RoomId, Token};

/// What a connection has said of itself before it is in.
#[derive(Debug)]
pub struct Hello {
    /// When it has to be complete (monotonic milliseconds).
    pub until_ms: u64,
    /// `NICK` was taken (the nick is in [`Session::nick`]).
    pub has_nick: bool,
    /// `USER` was taken.
    pub has_user: bool,
    /// Between `CAP LS`/`REQ` and `CAP END`.
    pub negotiating: bool,
    /// The right `PASS` was given.
    pub knows_password: bool,
}

/// What a session waits for. One thing at a time; later lines are held.
#[derive(Debug)]
pub struct Wait {
    /// The question.
    pub token: Token,
    /// When it counts as failed (monotonic milliseconds).
    pub until_ms: u64,
    /// The label of the command that asked.
    pub label: Option<Box<str>>,
    /// What the command was answered already: a label gets one answer. Empty without a label.
    pub lines: String,
    /// What to do with the answer.
    pub purpose: Purpose,
}

/// What an answer is for.
#[derive(Debug)]
pub enum Purpose {
    /// Something of what was said before, for a command that programs send.
    Recall(Box<super::recall::Recall>),
    /// `!history` or `!search`: shown as notices.
    Bang(super::bang::Question),
    /// A message with a sender's own id that may have been stored before the link broke.
    MaybeSent(Box<super::talk::Utterance>),
    /// Logging in: looking the account up.
    Login { door: Door, name: Box<str>, password: super::Secret },
    /// Logging in: checking the password.
    LoginPassword(Box<Claim>),
    /// Registering: hashing the password.
    RegisterHash { door: Door, name: Box<str> },
    /// Registering: making the account.
    Registered { door: Door, name: Box<str> },
    /// Another password: hashing it.
    NewPasswordHash { door: Door },
    /// Another password: keeping it.
    PasswordSet { door: Door },
    /// `OPER`: looking the account up.
    Oper { name: Box<str>, password: super::Secret },
    /// `OPER`: checking the password. `account` is the name as registered; `None` when the answer is no in any case.
    OperPassword { name: Box<str>, account: Option<Login> },
}

/// An account, as a session that is logged in to it knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// Its number.
    pub id: AccountId,
    /// Its name as registered.
    pub name: Rc<str>,
}

/// What few connections have; boxed, so that the others do not hold the room for it.
#[derive(Default, Debug)]
struct Extras {
    /// Rooms it was invited to.
    invited: Vec<RoomId>,
    /// Its MONITOR list as the client wrote it.
    monitored: Vec<Nick>,
    /// Lines that came while it waited for an answer.
    held: VecDeque<Box<str>>,
    /// The pieces of a SASL message so far.
    sasl: Option<String>,
    /// A message of several lines that is under way.
    batch: Option<Box<OpenBatch>>,
    /// What it was asked to say again before it is done, and until when (monotonic milliseconds).
    unsure: Option<(Confirm, u64)>,
}

/// Something that is done when it is asked for twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirm {
    /// Leaving a group as its last member, which ends it.
    Leave(RoomId),
    /// Ending a group.
    End(RoomId),
}

/// One connection. Owned by `Chat`.
#[derive(Debug)]
pub struct Session {
    /// Which connection.
    pub conn: ConnId,
    /// Where from; shown to operators only.
    pub address: IpAddr,
    /// The connection is encrypted.
    pub is_secure: bool,
    /// Present until registration is complete.
    pub hello: Option<Box<Hello>>,
    /// The nick; meaningless before `hello` has one. Changed by [`Session::set_nick`] only.
    pub nick: Nick,
    /// `nick!user@host`, as others see it: put together once, not for every line.
    source: Box<str>,
    /// The realname, shown as display name.
    pub realname: Box<str>,
    /// Negotiated capabilities.
    pub caps: Caps,
    /// Has said `CAP LS 302`: it reads values and continued lines, and keeps cap-notify.
    pub knows_cap_302: bool,
    /// The account, when logged in.
    pub account: Option<Login>,
    /// The reason for being away.
    pub away: Option<Box<str>>,
    /// Server operator; set by `Turn::set_operator`, which counts.
    pub operator: bool,
    /// User mode `B`.
    pub bot: bool,
    /// User mode `i`; set by `Turn::set_invisible`, which counts.
    pub invisible: bool,
    /// User mode `w`.
    pub wants_wallops: bool,
    /// `PING` was sent and nothing has come since.
    pub pinged: bool,
    /// No tagged message of this connection has proved to be unsent before (see `talk`).
    pub may_repeat: bool,
    /// Wrong operator passwords so far.
    pub wrong_passwords: u8,
    /// The rooms it is in, in the order of joining.
    pub rooms: Vec<RoomId>,
    /// When it connected (milliseconds since 1970).
    pub since_ms: u64,
    /// When it last sent anything (monotonic milliseconds).
    pub heard_ms: u64,
    /// When it last talked (milliseconds since 1970).
    pub spoke_ms: u64,
    /// What it waits for.
    pub wait: Option<Box<Wait>>,
    extras: Option<Box<Extras>>,
}

impl Session {
    /// A connection that has said nothing yet.
    pub fn new(conn: ConnId, address: IpAddr, cloak: &str, now: Now) -> Session {
        Session {
            conn,
            address,
            is_secure: false,
            hello: Some(Box::new(Hello {
                until_ms: now.mono_ms + UNREGISTERED_MS,
                has_nick: false,
                has_user: false,
                negotiating: false,
                knows_password: false,
            })),
            nick: Nick::parse("unnamed").expect("a legal nick"),
            source: format!("*!@{cloak}").into(),
            realname: "".into(),
            caps: Caps::NONE,
            knows_cap_302: false,
            account: None,
            away: None,
            operator: false,
            bot: false,
            invisible: false,
            wants_wallops: false,
            pinged: false,
            may_repeat: true,
            wrong_passwords: 0,
            rooms: Vec::new(),
            since_ms: now.wall_ms,
            heard_ms: now.mono_ms,
            spoke_ms: now.wall_ms,
            wait: None,
            extras: None,
        }
    }

    /// Whether nobody between the client and the server can read along.
    pub fn is_private(&self) -> bool {
        self.is_secure || self.address.to_canonical().is_loopback()
    }

    /// Whether registration is complete.
    pub fn is_registered(&self) -> bool {
        self.hello.is_none()
    }

    /// Whether `NICK` was taken.
    pub fn has_nick(&self) -> bool {
        self.hello.as_ref().is_none_or(|hello| hello.has_nick)
    }

    /// The account's number, when logged in.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account.as_ref().map(|login| login.id)
    }

    /// The account's name, when logged in.
    pub fn account_name(&self) -> Option<&str> {
        self.account.as_ref().map(|login| &*login.name)
    }

    /// Whether its answers carry labels.
    pub fn answers_labels(&self) -> bool {
        self.caps.has(Caps::LABELED_RESPONSE.with(Caps::BATCH))
    }

    /// Whether its own messages come back to it.
    pub fn echoes(&self) -> bool {
        self.caps.has(Caps::ECHO_MESSAGE)
    }

    /// The nick, or `*` before there is one: how numerics address it.
    pub fn shown_nick(&self) -> &str {
        if self.has_nick() { self.nick.as_str() } else { "*" }
    }

    /// `nick!user@host`, as others see it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The user name.
    pub fn user(&self) -> &str {
        self.user_and_cloak().0
    }

    /// What others see in place of the address.
    pub fn cloak(&self) -> &str {
        self.user_and_cloak().1
    }

    /// Takes a nick.
    pub fn set_nick(&mut self, nick: Nick) {
        let (user, cloak) = self.user_and_cloak();
        self.source = format!("{}!{user}@{cloak}", nick.as_str()).into();
        self.nick = nick;
    }

    /// Takes a user name, without any of the signs that have a meaning in a source.
    pub fn set_user(&mut self, user: &str) {
        self.source = format!("{}!{user}@{}", self.shown_nick(), self.cloak()).into();
    }

    /// Takes the nick of its account, and the source that all its devices have: the number as user name, `host` as host part.
    pub fn set_source_of_account(&mut self, nick: Nick, account: AccountId, host: &str) {
        self.source = format!("{}!{}@{host}", nick.as_str(), account.0).into();
        self.nick = nick;
    }

    fn user_and_cloak(&self) -> (&str, &str) {
        let behind_nick = self.source.split_once('!').map_or("", |(_, rest)| rest);
        behind_nick.split_once('@').unwrap_or((behind_nick, ""))
    }

    /// Rooms it was invited to.
    pub fn invited(&self) -> &[RoomId] {
        self.extras.as_deref().map_or(&[], |extras| &extras.invited)
    }

    /// The same, to be changed.
    pub fn invited_mut(&mut self) -> &mut Vec<RoomId> {
        &mut self.extras.get_or_insert_default().invited
    }

    /// Its MONITOR list as the client wrote it.
    pub fn monitored(&self) -> &[Nick] {
        self.extras.as_deref().map_or(&[], |extras| &extras.monitored)
    }

    /// The same, to be changed.
    pub fn monitored_mut(&mut self) -> &mut Vec<Nick> {
        &mut self.extras.get_or_insert_default().monitored
    }

    /// The message of several lines that is under way.
    pub fn batch(&self) -> Option<&OpenBatch> {
        self.extras.as_ref()?.batch.as_deref()
    }

    /// The same, to be changed: opened, gone on with, taken.
    pub fn batch_mut(&mut self) -> &mut Option<Box<OpenBatch>> {
        &mut self.extras.get_or_insert_default().batch
    }

    /// The pieces of a SASL message so far; `None` when none is under way.
    pub fn sasl(&self) -> Option<&str> {
        self.extras.as_ref()?.sasl.as_deref()
    }

    /// Puts the pieces of a SASL message down; gives those of before.
    pub fn set_sasl(&mut self, pieces: Option<String>) -> Option<String> {
        if pieces.is_none() && self.extras.is_none() {
            return None;
        }
        std::mem::replace(&mut self.extras.get_or_insert_default().sasl, pieces)
    }

    /// Notes what is done when it is asked for again.
    pub fn expect_again(&mut self, what: Confirm, now: Now) {
        self.extras.get_or_insert_default().unsure = Some((what, now.mono_ms + CONFIRM_MS));
    }

    /// Whether this was asked for before, not long ago. Once only.
    pub fn confirms(&mut self, what: Confirm, now: Now) -> bool {
        let noted = self.extras.as_mut().and_then(|extras| extras.unsure.take());
        noted.is_some_and(|(noted, until_ms)| noted == what && now.mono_ms <= until_ms)
    }

    /// Whether lines wait until an answer has come.
    pub fn has_held(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| !extras.held.is_empty())
    }

    /// Keeps a line for later; false when too many wait already.
    pub fn hold(&mut self, text: Box<str>) -> bool {
        let held = &mut self.extras.get_or_insert_default().held;
        let fits = held.len() < HELD_LINES;
        if fits {
            held.push_back(text);
        }
        fits
    }

    /// The oldest line that waits. The queue gives its memory back when it is empty.
    pub fn next_held(&mut self) -> Option<Box<str>> {
        let held = &mut self.extras.as_mut()?.held;
        let text = held.pop_front();
        if held.is_empty() {
            *held = VecDeque::new();
        }
        text
    }
}
