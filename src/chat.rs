//! The rules of the chat, pure: one fact and the time go in, orders come out.
//!
//! [`Chat`] is a plain struct with one owner. It does no IO, reads no clock and waits for nothing; whatever is slow (the store, a password) goes out as an
//! [`Effect`] and comes back as an [`Input`].

mod accounts;
mod bang;
mod cap;
mod cloak;
mod devices;
mod effect;
pub mod flood;
mod group;
mod help;
mod history;
mod inform;
mod input;
mod isupport;
mod join;
mod leave;
mod lists;
mod login;
mod markers;
mod missed;
mod mode;
mod moderate;
mod monitor;
mod multiline;
mod nick;
mod oper;
mod pauses;
mod people;
mod places;
mod presence;
mod private;
mod recall;
mod receipt;
mod redact;
mod refused;
mod register;
mod replay;
mod replies;
mod room;
mod sasl;
mod search;
mod services;
mod session;
pub mod shelf;
mod signup;
#[cfg(test)]
mod simulation;
mod talk;
#[cfg(test)]
mod testing;
mod turn;
mod upkeep;
mod who;
mod whois;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use crate::store::directory::Directory;
use crate::store::record::AccountId;
use crate::wire::msgid::MsgId;
use crate::wire::name::{Key, RoomName};

pub use self::effect::{Audience, Effect, Secret};
pub use self::input::Input;
pub use self::room::{Member, Room};
pub use self::session::{Login, Session};
pub use self::shelf::CloudRules;
use self::shelf::{LoginHash, Shelf};

use self::accounts::Accounts;
use self::group::Groups;
use self::markers::Readers;
use self::pauses::Pauses;
use self::people::Whowas;
use self::receipt::Receipts;
use self::turn::Turn;

/// The name under which the server itself speaks. The dot tells clients that it is a server.
pub const SERVER_NAME: &str = "gzy.local";

/// The time of an input.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds on a clock that never jumps; for deadlines.
    pub mono_ms: u64,
    /// Milliseconds since 1970 (UTC); for what people read.
    pub wall_ms: u64,
}

/// One connection. A slot is used again after its connection is gone, the serial number never is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnId {
    /// Index into tables by connection.
    pub slot: u32,
    /// Counts all connections since the start.
    pub serial: u32,
}

/// One life of a room: it begins with the first member and ends with the last. Never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoomId(pub u64);

/// A question that is under way. Never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Token(pub u64);

/// What the host chose; fixed while the server runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The network's name (`--name`).
    pub network: Box<str>,
    /// The room that everybody enters; `None` puts nobody anywhere.
    pub lobby: Option<RoomName>,
    /// Whether people without an account come in.
    pub guests: bool,
    /// Whether people may make accounts for themselves.
    pub registration: bool,
    /// Whether passwords are taken from anybody who is not encrypted; else only from this machine.
    pub clear_passwords: bool,
    /// How many messages a newcomer is shown.
    pub replay: usize,
    /// The word that everybody must give (`PASS`), when there is one.
    pub password: Option<Secret>,
    /// Mixed into cloaks, so that they cannot be turned back into addresses.
    pub cloak_secret: [u8; 32],
    /// Seconds that local time is ahead of UTC; for what people read as text.
    pub utc_offset_secs: i32,
    /// How much the file cloud takes.
    pub cloud: CloudRules,
}

/// Whose answer is under way.
#[derive(Clone, Debug)]
enum Asker {
    /// A session waits ([`session::Wait`]).
    Session(ConnId),
    /// A room's last messages are being read.
    Room(RoomId),
    /// What is kept of somebody who has come.
    Person(AccountId),
    /// What somebody was told in private while they were away.
    Missed(AccountId),
    /// Whether HTTP requests that come with this name and password are their account's.
    Knock(LoginHash),
}

/// Everything that the rules know. Its one owner is the hub.
pub struct Chat {
    settings: Settings,
    started_ms: u64,
    motd: Vec<Box<str>>,
    isupport: Rc<[String]>,
    sessions: Vec<Option<Box<Session>>>,
    /// Sessions with a nick, registered or not, by the nick's key and by its skeleton, so that a look-alike finds its place taken.
    nicks: HashMap<Box<str>, ConnId>,
    accounts: Accounts,
    groups: Groups,
    /// Counted as they come and go, because every newcomer is told (LUSERS) and the sessions are many.
    connections: usize,
    registered: usize,
    most_registered: usize,
    /// Registered sessions with user mode `o`; [`Turn::set_operator`] counts.
    operators: usize,
    /// Registered sessions with user mode `i`; [`Turn::set_invisible`] counts.
    invisible: usize,
    rooms: HashMap<RoomId, Room>,
    rooms_by_name: HashMap<Key, RoomId>,
    lobby: Option<RoomId>,
    last_room: u64,
    last_id: MsgId,
    last_token: u64,
    askers: HashMap<Token, Asker>,
    receipts: Receipts,
    /// What those who are here have read.
    readers: Readers,
    pauses: Pauses,
    /// Passwords that are being looked up, checked or hashed.
    passwords_waiting: usize,
    /// Bytes of messages of several lines that are not finished, over all sessions.
    batch_bytes: usize,
    whowas: VecDeque<Whowas>,
    /// Who wants to know about a nick, by its key.
    watchers: HashMap<Key, Vec<ConnId>>,
    /// What is due when; several per session may be there, the session itself knows the truth.
    due: BTreeSet<(u64, ConnId)>,
    /// Sessions whose answer has come and whose held lines may go on.
    resumable: VecDeque<ConnId>,
    /// Rooms that have counts to tell.
    counting: Vec<RoomId>,
    /// The files of the cloud.
    shelf: Shelf,
}

impl Chat {
    /// An empty chat. `last_id` is the greatest id that the store holds; the lobby's last messages are asked for in `effects`.
    pub fn new(
        settings: Settings,
        motd: Vec<Box<str>>,
        directory: Directory,
        last_id: MsgId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Chat {
        let lobby_name = settings.lobby.clone();
        let accounts: HashSet<AccountId> = directory.accounts.iter().map(|account| account.id).collect();
        let mut chat = Chat {
            settings,
            started_ms: now.wall_ms,
            motd,
            isupport: Rc::default(),
            sessions: Vec::new(),
            nicks: HashMap::new(),
            accounts: Accounts::new(directory.accounts),
            groups: Groups::default(),
            connections: 0,
            registered: 0,
            most_registered: 0,
            operators: 0,
            invisible: 0,
            rooms: HashMap::new(),
            rooms_by_name: HashMap::new(),
            lobby: None,
            last_room: 0,
            last_id,
            last_token: 0,
            askers: HashMap::new(),
            receipts: Receipts::new(last_id),
            readers: Readers::default(),
            pauses: Pauses::new(directory.pauses),
            passwords_waiting: 0,
            batch_bytes: 0,
            whowas: VecDeque::new(),
            watchers: HashMap::new(),
            due: BTreeSet::new(),
            resumable: VecDeque::new(),
            counting: Vec::new(),
            shelf: Shelf::new(directory.files),
        };
        chat.lobby = lobby_name.map(|name| chat.open_room(name, true, now, effects));
        chat.lobby.into_iter().for_each(|lobby| chat.guard_look(lobby));
        chat.load_groups(directory.groups, directory.last_group, now, effects);
        chat.drop_ownerless(&accounts, now, effects);
        chat.isupport = chat.isupport_lines();
        chat
    }

    /// Takes one fact; what is to be done is appended to `effects`.
    pub fn handle(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Connected { conn, address } => self.connected(conn, address, now),
            Input::Secured { conn } => {
                if let Some(session) = self.session_mut(conn) {
                    session.is_secure = true;
                }
            }
            Input::Line { conn, text } => {
                if self.note_life(conn, now) {
                    self.line_or_hold(conn, text, now, effects);
                }
            }
            Input::Unreadable { conn, fault } => {
                if self.note_life(conn, now) {
                    self.turn(conn, now, effects, |turn| turn.refuse_unreadable(fault));
                }
            }
            Input::Closed { conn, reason } => {
                if self.session(conn).is_some() {
                    self.turn(conn, now, effects, |turn| turn.end_silently(&reason));
                }
            }
            Input::TakenOut { conn } => {
                if self.session(conn).is_some() {
                    self.turn(conn, now, effects, |turn| turn.take_out());
                }
            }
            Input::Saved { up_to, count, result } => self.saved(up_to, count, result, now, effects),
            Input::Found { token, found } => self.found(token, found, now, effects),
            Input::PasswordChecked { token, correct } => self.password_checked(token, correct, now, effects),
            Input::PasswordHashed { token, hash } => self.password_hashed(token, hash, now, effects),
            Input::Web { web, request } => self.visited(web, *request, now, effects),
            Input::WebGone { web } => self.visitor_gone(web),
            Input::Shelf(fact) => self.shelf_told(fact, now, effects),
            Input::AccountsChanged(entries) => self.take_in_accounts(entries, now, effects),
            Input::MotdRead(motd) => self.motd = motd,
            Input::Stopping => self.say_goodbye(now, effects),
        }
    }

    /// The members of a room, in the order in which they came; empty when the room is gone.
    pub fn members(&self, room: RoomId) -> &[Member] {
        self.rooms.get(&room).map_or(&[], |room| &room.members)
    }

    /// How many connections are known.
    pub fn session_count(&self) -> usize {
        self.sessions.iter().flatten().count()
    }

    /// How many rooms there are.
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    fn session(&self, conn: ConnId) -> Option<&Session> {
        self.sessions.get(conn.slot as usize)?.as_deref().filter(|session| session.conn == conn)
    }

    fn session_mut(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.sessions.get_mut(conn.slot as usize)?.as_deref_mut().filter(|session| session.conn == conn)
    }

    /// How many people are in a room; 0 when it is gone.
    fn people_in_room(&self, room: RoomId) -> usize {
        self.rooms.get(&room).map_or(0, Room::people)
    }

    /// The registered session with this nick, in any spelling that means the same, or of this account's number: its lead.
    fn session_named(&self, nick: &str) -> Option<&Session> {
        if let Ok(number) = nick.parse::<u32>() {
            return self.session(*self.accounts.devices(AccountId(number)).first()?);
        }
        let wanted = Key::of(nick);
        let session = self.session(*self.nicks.get(wanted.as_str())?)?;
        (session.is_registered() && session.nick.key() == wanted).then_some(session)
    }

    fn room_named(&self, name: &str) -> Option<&Room> {
        self.rooms.get(self.rooms_by_name.get(&Key::of(name))?)
    }

    fn next_token(&mut self, asker: Asker) -> Token {
        self.last_token += 1;
        let token = Token(self.last_token);
        self.askers.insert(token, asker);
        token
    }

    fn next_id(&mut self, now: Now) -> MsgId {
        self.last_id = self.last_id.next(now.wall_ms);
        self.last_id
    }

    /// Lets one session act, and sends what it is answered.
    fn turn<R>(&mut self, conn: ConnId, now: Now, effects: &mut Vec<Effect>, act: impl FnOnce(&mut Turn) -> R) -> R {
        let mut turn = Turn::new(self, conn, now, effects);
        let result = act(&mut turn);
        turn.finish();
        result
    }

    /// Handles a line, or keeps it for later while the session waits for an answer, so that lines are never overtaken.
    fn line_or_hold(&mut self, conn: ConnId, text: Box<str>, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.session_mut(conn) else { return };
        if session.wait.is_none() && !session.has_held() {
            self.turn(conn, now, effects, |turn| turn.line(&text));
        } else if !session.hold(text) {
            self.turn(conn, now, effects, |turn| turn.close("too many lines while an answer was awaited"));
        }
    }

    /// Whether held lines can go on ([`Chat::resume`]).
    pub fn has_resumable(&self) -> bool {
        !self.resumable.is_empty()
    }

    /// Handles one line that had to wait. Called until [`Chat::has_resumable`] is false, its effects carried out each time.
    pub fn resume(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(conn) = self.resumable.pop_front() else { return };
        let Some(session) = self.session_mut(conn).filter(|session| session.wait.is_none()) else { return };
        let Some(text) = session.next_held() else { return };
        self.turn(conn, now, effects, |turn| turn.line(&text));
        if self.session(conn).is_some_and(|session| session.wait.is_none() && session.has_held()) {
            self.resumable.push_front(conn);
        }
    }
}
