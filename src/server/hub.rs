//! The hub: sole owner of the rules. Takes mail in, carries orders out.
//!
//! A turn: wait for mail or a deadline, handle a batch of it (all orders of one input before the next), hand messages to the store, write every outbox once.
//! It waits for nothing else; everybody else may wait for it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::{IpAddr, TcpStream};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use async_channel::{Receiver, Sender};
use async_io::{Async, Timer};
use smol::LocalExecutor;
use smol::future::FutureExt;

use crate::chat::shelf::web::{WebReply, WebRequest};
use crate::chat::{Chat, ConnId, Effect, Input, Now, Secret, Settings, Token};
use crate::password;
use crate::store::directory::Directory;
use crate::store::record::Found;
use crate::store::{Answer, Entry, Store};
use crate::wire::msgid::MsgId;

use super::alarm::Alarm;
use super::callers::Callers;
use super::cloud::Cloud;
use super::conn::{self, READ_BYTES, Reading};
use super::hashing::Hashing;
use super::listen::Permit;
use super::outbox::Outboxes;
use super::pace::Pace;
use super::saver::Saver;
use super::tls::Door;
use super::transport::Link;
use super::web::Web;
use super::{GOODBYE, notify};

/// Mails handled between two flushes: enough to merge writes when it is busy, few enough that nobody waits long.
const BATCH_MAILS: usize = 256;
/// A round with more bytes than this is flushed before its batch is complete; bounds the arenas.
const ROUND_BYTES: usize = 1 << 20;

/// What arrives at the hub.
pub enum Mail {
    /// A connection was accepted.
    Accepted {
        /// Its socket.
        stream: Async<TcpStream>,
        /// Where from.
        address: IpAddr,
        /// Its right to be here.
        permit: Permit,
    },
    /// Something for the rules.
    Fact(Input),
    /// A connection leaves the rules because it is HTTP.
    TakenOut {
        /// Which.
        conn: ConnId,
        /// Told when nobody here has it any more.
        done: Sender<()>,
    },
    /// Somebody who came by HTTP wants something, or several things: asked together they wake the hub once.
    Web(Vec<Ask>),
    /// The store answers.
    Store(Answer),
    /// Stop, in an orderly way.
    Stop,
}

/// A request that the rules decide.
pub struct Ask {
    /// What is wanted.
    pub request: Box<WebRequest>,
    /// Where the answers go; dropped at the other end when nobody waits for them any more.
    pub answers: Sender<WebReply>,
}

/// What a hub is made of.
pub struct Parts {
    /// What the host chose.
    pub settings: Settings,
    /// The message of the day.
    pub motd: Vec<Box<str>>,
    /// Accounts and groups as they are stored.
    pub directory: Directory,
    /// The greatest stored id.
    pub last_id: MsgId,
    /// The door to the store.
    pub store: Store,
    /// Whether talk is slowed to the flood limits.
    pub flood_limits: bool,
    /// Who comes in through TLS, and who in the clear.
    pub door: Rc<Door>,
    /// For those who write to the hub.
    pub mail: Sender<Mail>,
    /// The files on the disk.
    pub cloud: Cloud,
    /// Those who speak HTTP.
    pub web: Web,
}

/// The hub.
pub struct Hub {
    chat: Chat,
    effects: Vec<Effect>,
    outboxes: Outboxes,
    saver: Saver,
    /// Questions that the store was too busy to take.
    unasked: VecDeque<Token>,
    executor: Rc<LocalExecutor<'static>>,
    reading: Rc<Reading>,
    hashing: Hashing,
    cloud: Cloud,
    callers: Callers,
    started: Instant,
    pace: Pace,
    /// When what is queued goes out, if it does not at once.
    flush_at: Option<Instant>,
    alarm: Alarm,
    watchdog: Option<(Duration, Instant)>,
    is_stopping: bool,
}

impl Hub {
    /// A hub at rest.
    pub fn new(executor: Rc<LocalExecutor<'static>>, parts: Parts) -> Hub {
        let started = Instant::now();
        let web = parts.web;
        let reading = Rc::new(Reading {
            mail: parts.mail,
            flood_limits: parts.flood_limits,
            buffer: RefCell::new(Box::new([0; READ_BYTES])),
            door: parts.door,
            started,
            web: Box::new(move |arrived| web.take(arrived)),
        });
        let mut effects = Vec::new();
        let chat = Chat::new(parts.settings, parts.motd, parts.directory, parts.last_id, now(started), &mut effects);
        let watchdog = notify::watchdog_interval().map(|interval| (interval, started));
        Hub {
            chat,
            effects,
            outboxes: Outboxes::new(executor.clone()),
            saver: Saver::new(parts.store),
            unasked: VecDeque::new(),
            executor,
            reading,
            hashing: Hashing::new(),
            cloud: parts.cloud,
            callers: Callers::default(),
            started,
            pace: Pace::new(started),
            flush_at: None,
            alarm: Alarm::default(),
            watchdog,
            is_stopping: false,
        }
    }

    /// Turns until the server is told to stop.
    pub async fn run(&mut self, inbox: Receiver<Mail>) {
        self.carry_out();
        while !self.is_stopping {
            let mail = self.wait(&inbox).await;
            self.turn(mail, &inbox);
            // Lets the connections read, and the reactor look, however busy it is.
            smol::future::yield_now().await;
        }
    }

    /// Waits until everybody has heard the goodbye (or was given up on), and everything is on disk.
    pub async fn finish(self) {
        self.saver.close();
        let deadline = Instant::now() + GOODBYE;
        while Rc::strong_count(&self.reading) > 1 && Instant::now() < deadline {
            Timer::after(Duration::from_millis(5)).await;
        }
    }

    async fn wait(&mut self, inbox: &Receiver<Mail>) -> Option<Mail> {
        if let Ok(mail) = inbox.try_recv() {
            return Some(mail);
        }
        self.alarm.set(self.deadline());
        let alarm = async {
            self.alarm.ring().await;
            None
        };
        smol::future::or(async { inbox.recv().await.ok() }, alarm).await
    }

    /// When the hub has something to do although no mail comes.
    fn deadline(&self) -> Option<Instant> {
        let chat = self.chat.deadline().map(|at_ms| self.started + Duration::from_millis(at_ms));
        let watchdog = self.watchdog.map(|(_, at)| at);
        chat.into_iter().chain(self.saver.deadline()).chain(self.flush_at).chain(watchdog).min()
    }

    fn turn(&mut self, first: Option<Mail>, inbox: &Receiver<Mail>) {
        let now = now(self.started);
        let more = std::iter::from_fn(|| inbox.try_recv().ok());
        for mail in first.into_iter().chain(more).take(BATCH_MAILS) {
            self.take_in(mail, now);
            self.go_on(now);
            if self.outboxes.round_bytes() > ROUND_BYTES {
                self.flush(now);
            }
        }
        if self.chat.deadline().is_some_and(|at_ms| at_ms <= now.mono_ms) {
            self.chat.tick(now, &mut self.effects);
            self.carry_out();
            self.go_on(now);
        }
        self.saver.save_if_due();
        self.flush_if_due(now);
        self.feed_watchdog();
    }

    /// Does what follows by itself: lines that waited for an answer, and answers to questions that the store did not take.
    fn go_on(&mut self, now: Now) {
        loop {
            if let Some(token) = self.unasked.pop_front() {
                let found = Found::Failed("the store is busy; try again in a moment".into());
                self.handle(Input::Found { token, found }, now);
            } else if self.chat.has_resumable() {
                self.chat.resume(now, &mut self.effects);
                self.carry_out();
            } else {
                return;
            }
        }
    }

    fn take_in(&mut self, mail: Mail, now: Now) {
        let input = match mail {
            Mail::Accepted { stream, address, permit } => self.open(stream, address, permit),
            Mail::Fact(input) => input,
            Mail::TakenOut { conn, done } => {
                self.handle(Input::TakenOut { conn }, now);
                self.outboxes.forget(conn);
                let _ = done.try_send(());
                return;
            }
            Mail::Web(asks) => {
                for Ask { request, answers } in asks {
                    let web = self.callers.open(answers);
                    self.handle(Input::Web { web, request }, now);
                }
                return;
            }
            Mail::Store(Answer::Found { token, found }) => Input::Found { token: Token(token), found },
            Mail::Store(Answer::Saved { batch, result }) => match self.saver.saved(batch) {
                Some((up_to, count)) => Input::Saved { up_to, count, result },
                None => return,
            },
            // The rules learn of accounts when they hold them.
            Mail::Store(Answer::AccountsChanged(accounts)) => Input::AccountsChanged(accounts),
            Mail::Stop => {
                self.is_stopping = true;
                log::info!("stopping");
                Input::Stopping
            }
        };
        self.handle(input, now);
    }

    fn handle(&mut self, input: Input, now: Now) {
        let gone = if let Input::Closed { conn, .. } = &input { Some(*conn) } else { None };
        if let Input::WebGone { web } = &input {
            self.callers.forget(*web);
        }
        self.chat.handle(now, input, &mut self.effects);
        self.carry_out();
        if let Some(conn) = gone {
            self.outboxes.forget(conn);
        }
    }

    fn open(&mut self, stream: Async<TcpStream>, address: IpAddr, permit: Permit) -> Input {
        // A chat line must not wait for the next one to fill a packet.
        let _ = stream.get_ref().set_nodelay(true);
        let closed = Rc::new(Cell::new(false));
        let link = Rc::new(Link::new(stream));
        let conn = self.outboxes.open(link.clone(), closed.clone());
        // Boxed: a future that waits for another by value has room for it twice.
        let read = Box::pin(conn::read(conn, address, link, closed, self.reading.clone(), permit));
        let mail = self.reading.mail.clone();
        let guarded = async move {
            // A panic is our mistake, and must cost this connection only: the executor would pass it on to all.
            if AssertUnwindSafe(read).catch_unwind().await.is_err() {
                log::error!("#{} ended in a panic; this is a fault in gzy, please report it", conn.serial);
                let _ = mail.send(Mail::Fact(Input::Closed { conn, reason: "a fault in the server".into() })).await;
            }
        };
        self.executor.spawn(guarded).detach();
        Input::Connected { conn, address }
    }

    fn carry_out(&mut self) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Send { to, lines } => self.outboxes.send(to, &lines),
                Effect::ToRoom { room, except, only, event } => {
                    self.outboxes.send_to_members(self.chat.members(room), except, only, &event)
                }
                Effect::ToEach { to, only, event } => self.outboxes.send_to_each(to.into_iter(), only, &event),
                Effect::CapsChanged { conn, caps } => self.outboxes.set_caps(conn, caps),
                Effect::Remember { message, hurry } => self.saver.remember(Entry::Message(*message), hurry),
                Effect::Record { id, change, hurry } => {
                    self.saver.remember(Entry::Change { id, change: *change }, hurry)
                }
                Effect::Ask { token, query } => {
                    if !self.saver.ask(token, query) {
                        self.unasked.push_back(token);
                    }
                }
                Effect::CheckPassword { token, password, hash } => self.check_password(token, password, hash),
                Effect::HashPassword { token, password } => self.hash_password(token, password),
                Effect::Web { web, reply } => self.callers.answer(web, *reply, &self.executor, &self.reading.mail),
                Effect::Shelf(order) => self.cloud.order(*order),
                Effect::Close { conn } => self.outboxes.close(conn),
                Effect::Log { conn: Some(conn), text } => log::info!("#{} {text}", conn.serial),
                Effect::Log { conn: None, text } => log::info!("{text}"),
            }
        }
        // The allocation is used again.
        self.effects = effects;
    }

    fn check_password(&self, token: Token, password: Secret, hash: Box<str>) {
        let (mail, hashing) = (self.reading.mail.clone(), self.hashing.clone());
        let check = async move {
            // Without an answer the rules say so when they have waited long enough.
            let Some(correct) = hashing.run(move || password::verify(&password.0, &hash)).await else { return };
            let _ = mail.send(Mail::Fact(Input::PasswordChecked { token, correct })).await;
        };
        self.executor.spawn(check).detach();
    }

    fn hash_password(&self, token: Token, password: Secret) {
        let (mail, hashing) = (self.reading.mail.clone(), self.hashing.clone());
        let hash = async move {
            let hash = hashing.run(move || password::hash(&password.0)).await;
            let hash = hash.and_then(|hash| hash.map_err(|why| log::error!("{why}")).ok()).map(Box::from);
            let _ = mail.send(Mail::Fact(Input::PasswordHashed { token, hash })).await;
        };
        self.executor.spawn(hash).detach();
    }

    fn flush_if_due(&mut self, now: Now) {
        if !self.outboxes.is_dirty() {
            return;
        }
        let due = self.pace.due(self.outboxes.round());
        if self.is_stopping || due <= Instant::now() {
            self.flush(now);
        } else {
            self.flush_at = Some(due);
        }
    }

    /// Writes every outbox once. Those who are too slow are cut, and leave their rooms.
    fn flush(&mut self, now: Now) {
        let (begun, round) = (Instant::now(), self.outboxes.round());
        let had_waited = self.flush_at.take().is_some();
        while self.outboxes.is_dirty() {
            let mut cut = Vec::new();
            self.outboxes.flush(|conn| cut.push(conn));
            for conn in cut {
                self.handle(Input::Closed { conn, reason: "too slow".into() }, now);
            }
        }
        self.pace.flushed(round, had_waited, begun, Instant::now());
    }

    fn feed_watchdog(&mut self) {
        if let Some((interval, at)) = &mut self.watchdog
            && *at <= Instant::now()
        {
            notify::alive();
            *at = Instant::now() + *interval;
        }
    }
}

fn now(started: Instant) -> Now {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { mono_ms: started.elapsed().as_millis() as u64, wall_ms: wall.as_millis() as u64 }
}
