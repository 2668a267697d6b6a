//! A small world for tests of the rules: people are connections with their lines of text, the store is in memory, the clock stands until it is moved.
//!
//! `let mut w = World::new(); let anna = w.join("anna"); w.line(anna, "PRIVMSG #lobby :你好"); assert_eq!(w.said_to(anna), [...]);`
//! Everything is carried out as the hub does it: all effects of one input before the next input.

#![allow(dead_code)] // A world has what the tests of any file of the chat may ask for.

pub mod cloud;
mod hub;
mod kept;
mod memory;
mod receiver;
mod recollection;
mod store;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use crate::store::change::Change;
use crate::store::directory::AccountEntry;
use crate::store::record::{Account, AccountId, Found, Message, NotRegistered, Query};
use crate::wire::caps::Caps;
use crate::wire::event::{Event, TagSet};
use crate::wire::line::LineFault;
use crate::wire::msgid::MsgId;
use crate::wire::name::{RoomName, fold};

use self::kept::Kept;
use super::shelf::order::ShelfOrder;
use super::shelf::web::{WebId, WebReply};
use super::{Audience, Chat, CloudRules, ConnId, Effect, Input, Now, RoomId, Session, Settings, Token};

/// When every world begins: 2026-11-20 13:19:21 UTC.
pub const START_MS: u64 = 1_795_180_761_000;

/// How many lines one input may bring one client, before a test takes it for a flood.
const MANY_EFFECTS: usize = 1_000_000;

/// A message that was handed to the store and is not on disk yet.
#[derive(Debug)]
pub struct Unsaved {
    pub message: Message,
    pub hurry: bool,
}

/// One client as the hub sees it.
#[derive(Default)]
struct Client {
    caps: Caps,
    lines: Vec<String>,
    closed: bool,
}

/// The chat, its people, its store and its clock.
pub struct World {
    pub chat: Chat,
    pub now: Now,
    /// Handed to the store; [`World::save`] and [`World::fail_save`] empty it.
    pub unsaved: Vec<Unsaved>,
    /// Handed to the store like them.
    pub unsaved_changes: Vec<(MsgId, Change)>,
    /// What is on disk, oldest first.
    pub stored: Vec<Message>,
    /// The same of changes.
    pub stored_changes: Vec<Change>,
    /// Messages that were taken back: the store finds them no more.
    pub redacted: BTreeSet<MsgId>,
    /// What else is on disk.
    pub kept: Kept,
    pub accounts: Vec<Account>,
    /// Questions stay in `questions` until [`World::answer`], instead of being answered from memory.
    pub asks_by_hand: bool,
    pub questions: VecDeque<(Token, Query)>,
    /// Passwords stay in `password_checks` until [`World::password_checked`].
    pub passwords_by_hand: bool,
    pub password_checks: VecDeque<(Token, String, String)>,
    /// What was logged, oldest first.
    pub log: Vec<String>,
    /// Answers to requests that came by HTTP, oldest first.
    pub web_replies: Vec<(WebId, WebReply)>,
    /// What the disk was asked to do, oldest first.
    pub shelf_orders: Vec<ShelfOrder>,
    webs: u64,
    clients: BTreeMap<ConnId, Client>,
    free_slots: BTreeSet<u32>,
    connections: u32,
    ready: VecDeque<Input>,
}

/// What is there after a restart.
#[derive(Default)]
struct Disk {
    stored: Vec<Message>,
    stored_changes: Vec<Change>,
    redacted: BTreeSet<MsgId>,
    kept: Kept,
    accounts: Vec<Account>,
}

/// What tests use unless they say otherwise: a lobby `#lobby`, ten messages of replay, no password.
pub fn settings() -> Settings {
    Settings {
        network: "GZY".into(),
        lobby: Some(RoomName::parse("#lobby").expect("a legal name")),
        guests: true,
        registration: true,
        clear_passwords: false,
        replay: 10,
        password: None,
        cloak_secret: [7; 32],
        utc_offset_secs: 8 * 3600,
        cloud: CloudRules::default(),
    }
}

impl World {
    /// An empty chat with the usual [`settings`].
    pub fn new() -> World {
        World::with(settings())
    }

    /// An empty chat with settings of one's own.
    pub fn with(settings: Settings) -> World {
        World::with_stored(settings, Vec::new())
    }

    /// A chat whose store holds messages from before, oldest first.
    pub fn with_stored(settings: Settings, stored: Vec<Message>) -> World {
        let now = Now { mono_ms: 1_000_000, wall_ms: START_MS };
        let last_id = stored.last().map_or(MsgId::default(), |message| message.id);
        World::with_disk(settings, Disk { stored, ..Disk::default() }, last_id, now)
    }

    /// The server is started again with what is on disk; what was on its way there is lost, and so is everybody's link.
    pub fn restarted(self) -> World {
        let last_id = self.chat.last_id;
        let disk = Disk {
            stored: self.stored,
            stored_changes: self.stored_changes,
            redacted: self.redacted,
            kept: self.kept,
            accounts: self.accounts,
        };
        let mut world = World::with_disk(self.chat.settings.clone(), disk, last_id, self.now);
        // No connection of before is taken for one of these.
        world.connections = self.connections;
        world
    }

    fn with_disk(settings: Settings, disk: Disk, last_id: MsgId, now: Now) -> World {
        let Disk { stored, stored_changes, redacted, kept, accounts } = disk;
        let mut effects = Vec::new();
        let chat = Chat::new(settings, Vec::new(), kept.directory.clone(), last_id, now, &mut effects);
        let mut world = World {
            chat,
            now,
            unsaved: Vec::new(),
            unsaved_changes: Vec::new(),
            stored,
            stored_changes,
            redacted,
            kept,
            accounts,
            asks_by_hand: false,
            questions: VecDeque::new(),
            passwords_by_hand: false,
            password_checks: VecDeque::new(),
            log: Vec::new(),
            web_replies: Vec::new(),
            shelf_orders: Vec::new(),
            webs: 0,
            clients: BTreeMap::new(),
            free_slots: BTreeSet::new(),
            connections: 0,
            ready: VecDeque::new(),
        };
        world.carry_out(effects);
        world.settle();
        world
    }

    // People.

    /// A connection that has said nothing yet, from an address of its own.
    pub fn connect(&mut self) -> ConnId {
        let [high, low] = u16::try_from(self.connections + 1).expect("a test has few connections").to_be_bytes();
        self.connect_from(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)))
    }

    /// A connection from this address. Slots are used again as the hub does.
    pub fn connect_from(&mut self, address: IpAddr) -> ConnId {
        let slot = self.free_slots.pop_first().unwrap_or_else(|| {
            let open = self.clients.values().filter(|client| !client.closed).count();
            u32::try_from(open).expect("a test has few connections")
        });
        self.connections += 1;
        let conn = ConnId { slot, serial: self.connections };
        self.clients.insert(conn, Client::default());
        self.handle(Input::Connected { conn, address });
        conn
    }

    /// Somebody who is in. Everybody's lines so far are thrown away, so that what follows is what the test is about.
    pub fn join(&mut self, nick: &str) -> ConnId {
        self.join_with_caps(nick, "")
    }

    /// The same, with capabilities (`"server-time message-tags"`).
    pub fn join_with_caps(&mut self, nick: &str, caps: &str) -> ConnId {
        let conn = self.connect();
        if !caps.is_empty() {
            self.line(conn, &format!("CAP REQ :{caps}"));
        }
        self.line(conn, &format!("NICK {nick}"));
        self.line(conn, &format!("USER {nick} 0 * :{nick}"));
        if !caps.is_empty() {
            self.line(conn, "CAP END");
        }
        assert!(self.session(conn).is_registered(), "{nick} is not in: {:?}", self.said_to(conn));
        self.drain();
        conn
    }

    /// The connection sends a line.
    pub fn line(&mut self, conn: ConnId, text: &str) {
        self.handle(Input::Line { conn, text: text.into() });
    }

    /// The connection sends a line and hears the answer: [`World::line`] and [`World::said_to`].
    pub fn ask(&mut self, conn: ConnId, text: &str) -> Vec<String> {
        self.line(conn, text);
        self.said_to(conn)
    }

    /// The connection sends something that is no line.
    pub fn unreadable(&mut self, conn: ConnId, fault: LineFault) {
        self.handle(Input::Unreadable { conn, fault });
    }

    /// The connection is lost, without a word from it.
    pub fn lose(&mut self, conn: ConnId) {
        self.mark_closed(conn);
        self.handle(Input::Closed { conn, reason: "connection lost".into() });
    }

    /// The lines that the connection got since this was last asked, without line ends.
    pub fn said_to(&mut self, conn: ConnId) -> Vec<String> {
        std::mem::take(&mut self.clients.get_mut(&conn).expect("a connection of this world").lines)
    }

    /// Throws away what everybody got so far.
    pub fn drain(&mut self) {
        self.clients.values_mut().for_each(|client| client.lines.clear());
    }

    /// Whether the server closed the connection, or it was lost.
    pub fn is_closed(&self, conn: ConnId) -> bool {
        self.clients[&conn].closed
    }

    /// What the rules know about somebody who is here.
    pub fn session(&self, conn: ConnId) -> &Session {
        self.chat.session(conn).expect("somebody who is here")
    }

    /// `nick!user@host` of somebody who is here.
    pub fn source(&self, conn: ConnId) -> String {
        self.session(conn).source().to_owned()
    }

    /// Makes somebody a server operator without asking for a password.
    pub fn make_operator(&mut self, conn: ConnId) {
        let mut effects = Vec::new();
        self.chat.turn(conn, self.now, &mut effects, |turn| turn.set_operator(true));
        assert!(effects.is_empty(), "only the standing changes");
    }

    /// Marks somebody as away without telling anybody.
    pub fn set_away(&mut self, conn: ConnId, reason: &str) {
        self.chat.session_mut(conn).expect("somebody who is here").away = Some(reason.into());
    }

    /// Logs somebody in without asking for a password; the account is made when it is not there.
    pub fn log_in(&mut self, conn: ConnId, account: &str) {
        if self.chat.accounts.meant(account).is_none() {
            self.add_account(account, "secret", false);
        }
        let id = self.chat.accounts.meant(account).expect("it was made");
        let login = self.chat.accounts.login(id).expect("it is there");
        let mut effects = Vec::new();
        self.chat.turn(conn, self.now, &mut effects, |turn| turn.log_in(login));
        self.carry_out(effects);
        self.settle();
    }

    /// Somebody who is in, logged in to the account of that name from the first moment.
    pub fn member(&mut self, account: &str) -> ConnId {
        self.member_with_caps(account, "")
    }

    /// The same, with capabilities.
    pub fn member_with_caps(&mut self, account: &str, caps: &str) -> ConnId {
        let conn = self.come_in(account, caps);
        self.drain();
        conn
    }

    /// The same, and what it is told stays to be read.
    pub fn come_in(&mut self, account: &str, caps: &str) -> ConnId {
        let conn = self.connect();
        self.line(conn, &format!("CAP REQ :{caps}"));
        self.line(conn, &format!("NICK {account}"));
        self.line(conn, &format!("USER {account} 0 * :{account}"));
        self.log_in(conn, account);
        self.line(conn, "CAP END");
        assert!(self.session(conn).is_registered(), "{account} is not in: {:?}", self.said_to(conn));
        conn
    }

    // Time.

    /// Lets time pass; everything that gets due on the way is done when it is due.
    pub fn pass_ms(&mut self, ms: u64) {
        let until_ms = self.now.mono_ms + ms;
        while let Some(due_ms) = self.chat.deadline().filter(|due_ms| *due_ms <= until_ms) {
            self.advance_to(due_ms.max(self.now.mono_ms));
            self.tick();
            assert!(self.chat.deadline() != Some(due_ms), "a tick does what is due");
        }
        self.advance_to(until_ms);
        self.tick();
    }

    fn advance_to(&mut self, mono_ms: u64) {
        self.now.wall_ms += mono_ms - self.now.mono_ms;
        self.now.mono_ms = mono_ms;
    }

    fn tick(&mut self) {
        let mut effects = Vec::new();
        self.chat.tick(self.now, &mut effects);
        self.carry_out(effects);
        self.settle();
    }
}

fn hash_of(password: &str) -> String {
    format!("hash of {password}")
}

#[test]
fn a_line_in_the_lobby_reaches_everybody_but_its_sender() {
    let mut w = World::new();
    let anna = w.join("anna");
    let 小阳 = w.join_with_caps("小阳", "server-time echo-message");
    w.line(anna, "PRIVMSG #lobby :你好");
    let anna_says = format!(":{} PRIVMSG #lobby :你好", w.source(anna));
    assert_eq!(w.said_to(anna), [""; 0]);
    assert_eq!(w.said_to(小阳), [format!("@time=2026-11-20T13:19:21.000Z {anna_says}")]);

    w.line(小阳, "PRIVMSG #lobby :在");
    assert_eq!(w.said_to(小阳), [""; 0], "the receipt waits for the disk");
    w.save();
    let receipt = format!("@time=2026-11-20T13:19:21.000Z :{} PRIVMSG #lobby :在", w.source(小阳));
    assert_eq!(w.said_to(小阳), [receipt]);
    assert_eq!(w.stored.len(), 2);
}

#[test]
fn a_newcomer_is_shown_what_was_said_before_the_server_started() {
    let mut w = World::new();
    let anna = w.join("anna");
    w.line(anna, "PRIVMSG #lobby :昨天");
    w.save();
    let said = format!(":{} PRIVMSG #lobby :昨天", w.source(anna));
    let mut w = World::with_stored(settings(), w.stored);
    let ben = w.connect();
    w.line(ben, "NICK ben");
    w.line(ben, "USER ben 0 * :Ben");
    assert_eq!(w.said_to(ben).last(), Some(&said));
}

#[test]
fn silence_is_asked_about_and_then_ends_the_connection() {
    let mut w = World::new();
    let anna = w.join("anna");
    w.pass_ms(121_000);
    assert_eq!(w.said_to(anna), ["PING :gzy.local"]);
    w.pass_ms(121_000);
    assert_eq!(w.said_to(anna), ["ERROR :Closing link: no answer for 240 seconds"]);
    assert!(w.is_closed(anna));
    let ben = w.join("anna");
    assert_eq!(ben.slot, anna.slot, "the slot is used again");
}
