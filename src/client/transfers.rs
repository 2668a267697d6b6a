//! Files on their way: what a user wants moved, what has become of it, and how far it is.
//!
//! A front end sends [`Wish`]es and is told [`News`]. The lines go over the chat link, the bytes over connections of their own.
//!
//! How a front end wires it: [`start`] with the link's commands; every [`Event`] of the link also goes to [`Transfers::happened`]; what the user wants goes to
//! [`Transfers::wish`]; [`Transfers::news`] is received beside the link's events. None of the three makes the front end wait.
//!
//! `lines` is what is said about files on the chat link, `queue` decides what is done next (pure), `mover` has the sockets, the files and the clock.

use std::io;
use std::path::PathBuf;

use async_channel::{Receiver, Sender};

use super::{Command, Config, Event, Security};
use crate::net::Address;
use crate::wire::digest::Digest;

pub mod lines;
mod memory;
mod mover;
mod queue;

/// News on their way to the front end before the transfers have to wait.
const NEWS: usize = 256;

/// What the transfers need to know before anything can be moved.
#[derive(Debug)]
pub struct Setup {
    /// Where the chat link goes.
    pub address: Address,
    /// Whether it is encrypted. Then the bytes are, too, and only to a server with the same key.
    pub is_encrypted: bool,
    /// Where downloads go. Made when it is needed.
    pub downloads: PathBuf,
    /// The user's config folder, for a front end that remembers what is unfinished from one run to the next; scripts do not.
    pub memory: Option<PathBuf>,
    /// The chat link's commands.
    pub commands: Sender<Command>,
}

impl Setup {
    /// For the link that is made with this configuration.
    pub fn of(config: &Config, downloads: PathBuf, memory: Option<PathBuf>, commands: Sender<Command>) -> Setup {
        let is_encrypted = matches!(config.security, Security::Encrypted(_));
        Setup { address: config.address.clone(), is_encrypted, downloads, memory, commands }
    }
}

/// The door to the transfers. When it is dropped, they stop; what was moved stays, so that it can be taken up again.
#[derive(Debug)]
pub struct Transfers {
    told: Sender<Told>,
    news: Receiver<News>,
}

/// What a front end tells.
#[derive(Debug)]
enum Told {
    Wish(Wish),
    Happened(Event),
}

/// Starts the transfers of one client, on a thread of their own: talk does not wait for a disk.
pub fn start(setup: Setup) -> io::Result<Transfers> {
    // Not bounded: a user's wishes are few, and the link answers nothing that was not asked.
    let (to_mover, told) = async_channel::unbounded();
    let (to_front, news) = async_channel::bounded(NEWS);
    std::thread::Builder::new().name("transfers".into()).spawn(move || mover::run(setup, told, to_front))?;
    Ok(Transfers { told: to_mover, news })
}

impl Transfers {
    /// The user wants something done.
    pub fn wish(&self, wish: Wish) {
        let _ = self.told.try_send(Told::Wish(wish));
    }

    /// Something happened on the link. All events may be handed over; a few count.
    pub fn happened(&self, event: &Event) {
        use Event::{Ended, File, In, Lost, Reached};
        if matches!(event, Ended(_) | File(_) | In { .. } | Lost(_) | Reached { .. }) {
            let _ = self.told.try_send(Told::Happened(event.clone()));
        }
    }

    /// What is to be told to the user. The channel closes when the transfers have ended after [`Event::Ended`].
    pub fn news(&self) -> &Receiver<News> {
        &self.news
    }
}

/// What a user wants done with files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Bring files and folders to the cloud.
    Put {
        /// On this machine. A folder brings all that is in it, under its own name.
        paths: Vec<PathBuf>,
        /// Where to: `*`, a group (`#…`), or somebody.
        scope: Box<str>,
        /// Whether a file of that name may be replaced.
        replace: bool,
    },
    /// Fetch the files with these names, or that these patterns fit.
    Get {
        /// Names, or patterns with `*` and `?`; a folder's name fetches all in it.
        names: Vec<Box<str>>,
        /// Where from.
        scope: Box<str>,
    },
    /// List the files there.
    List {
        /// A pattern, or a folder; everything when `None`.
        pattern: Option<Box<str>>,
        /// Where.
        scope: Box<str>,
    },
    /// Remove files from the cloud.
    Remove {
        /// Its name.
        name: Box<str>,
        /// Where it is.
        scope: Box<str>,
    },
    /// Stop a transfer, or all of them. What was moved stays, so that it can be taken up again.
    Cancel(Option<u64>),
}

/// Which way a file goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// To the server.
    Up,
    /// From the server.
    Down,
}

/// A file on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its number, from 1 up, as the user sees it (`/cancel 2`).
    pub key: u64,
    /// Which way.
    pub way: Way,
    /// Where it is or will be in the cloud: `*`, `#group`, or somebody.
    pub scope: Box<str>,
    /// Its name in the cloud. A stranger may have given it.
    pub name: Box<str>,
    /// Bytes, as far as it is known.
    pub size: u64,
}

/// What is being done with a file at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Others are before it, or the link is broken.
    Waiting,
    /// Its digest is computed here.
    Hashing,
    /// The server was asked.
    Offered,
    /// Bytes move.
    Moving,
    /// All bytes are there; they are being checked and synced.
    Checking,
    /// The next try begins after a pause of so many milliseconds.
    Pausing(u64),
}

/// How far a file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Which.
    pub job: Job,
    /// What is being done.
    pub stage: Stage,
    /// Bytes that are done in this stage.
    pub done: u64,
    /// Bytes per second, lately.
    pub per_second: u64,
    /// Seconds until it is there, as far as one can tell.
    pub left_seconds: Option<u64>,
}

/// A file in the cloud, as the server lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name, with its folders.
    pub name: Box<str>,
    /// Bytes.
    pub size: u64,
    /// Its SHA-256.
    pub digest: Digest,
    /// When it was stored, milliseconds since 1970.
    pub stored_ms: u64,
    /// Who brought it; `None` for the host.
    pub uploader: Option<Box<str>>,
    /// What is in it (`image/png,640x480`), when the server says so.
    pub media: Option<Box<str>>,
}

/// Why a file did not come through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// The server said no: the code of its FAIL, and its sentence.
    Refused {
        /// `NAME_TAKEN`, `QUOTA`, …
        code: Box<str>,
        /// In the server's words.
        sentence: Box<str>,
    },
    /// Nothing is called so, there or here.
    NoSuchFile,
    /// The bytes were not what was announced, three times.
    Mismatch,
    /// The file here changed while it was on its way.
    Changed,
    /// A file or folder here could not be read or written: which, and why, in the system's words.
    Here(PathBuf, Box<str>),
    /// The server has no cloud.
    NoCloud,
    /// The link is broken, and nobody waits for it to come back.
    Lost,
    /// The user stopped it.
    Cancelled,
}

/// What a front end is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// A file is on its way from here on.
    Began(Job),
    /// What was unfinished when the client ended the last time is taken up again: these paths and names.
    TakenUp(Vec<Box<str>>),
    /// How far they are, in the order of their numbers; a few times per second while something moves, and once with nothing at the end.
    /// All that something is done with are in it, and the first few of those that wait.
    Progress(Vec<Progress>),
    /// It is there, checked with SHA-256 at both ends.
    Sent {
        /// Which.
        job: Job,
        /// Its SHA-256.
        digest: Digest,
        /// The server had the content already; nothing was moved.
        at_once: bool,
        /// Milliseconds that it took.
        took_ms: u64,
    },
    /// It is here, checked with SHA-256.
    Fetched {
        /// Which.
        job: Job,
        /// Its SHA-256.
        digest: Digest,
        /// Where it lies.
        path: PathBuf,
        /// It was here already.
        at_once: bool,
        /// Milliseconds that it took.
        took_ms: u64,
    },
    /// It did not come through.
    Failed {
        /// Which.
        job: Job,
        /// Why.
        why: Why,
    },
    /// A listing.
    Listing {
        /// Where.
        scope: Box<str>,
        /// What was asked for.
        pattern: Option<Box<str>>,
        /// The files, sorted by name; or why there is none.
        files: Result<Vec<Listed>, Why>,
    },
    /// A file was removed, or was not.
    Removed {
        /// Where it was.
        scope: Box<str>,
        /// Its name.
        name: Box<str>,
        /// Why not.
        result: Result<(), Why>,
    },
    /// A wish could not even be begun: a path that is not there, a pattern that fits nothing.
    Nothing {
        /// What was asked for, as it was typed.
        asked: Box<str>,
        /// Why.
        why: Why,
    },
    /// Nothing is under way any more.
    AllDone,
}
