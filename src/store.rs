//! What is kept: SQLite on a thread of its own. Requests in, answers out, never a wait.
//!
//! [`Store`] is the door: it queues, and refuses when the queue is full. `keeper` is the thread behind it: it takes all that is
//! queued in one transaction and answers after the commit. `ledger` writes messages, `history` reads them, `index` and `search`
//! find them, `pieces` says what a search means. `accounts` is also used by the command line, beside a running server.
pub mod accounts;
mod database;
mod error;
#[cfg(test)]
mod fixture;
mod history;
mod index;
mod keeper;
mod ledger;
mod names;
pub mod pieces;
pub mod record;
mod search;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

pub use error::StoreError;
use keeper::Keeper;
use record::{Found, Message, Query};

use crate::wire::msgid::MsgId;

/// The queue holds so many requests (its slots of 40 bytes exist from the start): a hub's turn makes a few, so when it is full the
/// disk has stood still for many turns.
const QUEUED_REQUESTS_MAX: usize = 1024;

/// … and so many bytes of messages; one batch is always taken. Bounds what a standing disk may cost in memory.
const QUEUED_BYTES_MAX: usize = 8 << 20;

/// The door to the store. Cheap to clone; belongs to whoever speaks for the rules.
#[derive(Clone, Debug)]
pub struct Store {
    queue: SyncSender<Request>,
    shared: Arc<Shared>,
}

/// What [`Store::open`] gives.
#[derive(Debug)]
pub struct Opened {
    /// The door.
    pub store: Store,
    /// The greatest id of a stored message; 0 when there is none.
    pub last_id: MsgId,
    /// The thread behind the door.
    pub thread: StoreThread,
}

/// The store's thread. Ends after [`Store::close`], or when the last [`Store`] is dropped.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

/// The queue is full: refuse what was to be stored or asked. Nothing of it was queued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

/// What the store tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A batch is on the disk; or a message of it is not, and why, in a sentence for its sender. When a whole transaction fails,
    /// nothing of the batch is stored; when one message is refused, the others of its batch are.
    Saved {
        /// The number that came with it.
        batch: u64,
        /// The sentence names the reason and the next step.
        result: Result<(), Box<str>>,
    },
    /// What a question found.
    Found {
        /// The number that came with it.
        token: u64,
        /// The answer.
        found: Found,
    },
}

enum Request {
    Append {
        batch: u64,
        messages: Vec<Message>,
        bytes: usize,
    },
    Ask {
        token: u64,
        query: Box<Query>,
    },
    /// Look whether the store is being closed.
    Wake,
}

/// What both sides of the queue know.
#[derive(Default, Debug)]
struct Shared {
    queued_bytes: AtomicUsize,
    closing: AtomicBool,
}

impl Store {
    /// Opens the database of a data folder, makes what is missing, and starts the thread. `answer` is called on that thread; it may
    /// block shortly. One folder serves one server at a time.
    pub fn open(data: &Path, answer: impl Fn(Answer) + Send + 'static) -> Result<Opened, StoreError> {
        let lock = database::lock(data)?;
        let db = database::open(data)?;
        let path = database::file_in(data);
        let (queue, requests) = sync_channel(QUEUED_REQUESTS_MAX);
        let (ready, is_ready) = sync_channel(1);
        let shared = Arc::new(Shared::default());
        let shared_there = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            let _lock = lock;
            let _guard = AbortOnPanic;
            keep(&db, &path, &requests, &shared_there, &ready, &answer);
        });
        let thread = StoreThread(thread.map_err(|why| StoreError::Thread { why })?);
        let last_id = is_ready.recv().expect("the thread tells how it starts before it ends")?;
        Ok(Opened { store: Store { queue, shared }, last_id, thread })
    }

    /// Queues messages, ids growing, for the next transaction; `Saved` with this number follows.
    pub fn append(&self, batch: u64, messages: Vec<Message>) -> Result<(), Busy> {
        let bytes = messages.iter().map(weight).sum();
        let queued = self.shared.queued_bytes.load(Ordering::Acquire);
        if queued > 0 && queued + bytes > QUEUED_BYTES_MAX {
            return Err(Busy);
        }
        self.shared.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.queue(Request::Append { batch, messages, bytes }).inspect_err(|Busy| {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
        })
    }

    /// Queues a question; `Found` with this token follows.
    pub fn ask(&self, token: u64, query: Query) -> Result<(), Busy> {
        self.queue(Request::Ask { token, query: Box::new(query) })
    }

    /// Takes nothing more, from any clone. The thread ends when all that is queued is committed and answered. Does not wait:
    /// [`StoreThread::join`] does.
    pub fn close(self) {
        self.shared.closing.store(true, Ordering::Release);
        // When the queue is full, the thread has something to do and sees the flag after it.
        let _ = self.queue.try_send(Request::Wake);
    }

    fn queue(&self, request: Request) -> Result<(), Busy> {
        if self.shared.closing.load(Ordering::Acquire) {
            return Err(Busy);
        }
        self.queue.try_send(request).map_err(|_| Busy)
    }
}

impl StoreThread {
    /// Waits until everything is on the disk and the folder is free for another server.
    pub fn join(self) {
        self.0.join().expect("a panic on the store thread ends the process");
    }
}

impl Request {
    fn messages(&self) -> usize {
        if let Request::Append { messages, .. } = self { messages.len() } else { 0 }
    }

    fn bytes(&self) -> usize {
        if let Request::Append { bytes, .. } = self { *bytes } else { 0 }
    }
}

/// The store thread's life: tell whether it can work, then work.
fn keep(
    db: &Connection,
    path: &Path,
    requests: &Receiver<Request>,
    shared: &Arc<Shared>,
    ready: &SyncSender<Result<MsgId, StoreError>>,
    answer: &dyn Fn(Answer),
) {
    let (keeper, told) = match Keeper::new(db, path.to_owned()) {
        Ok(keeper) => {
            let last_id = keeper.last_id();
            (Some(keeper), Ok(last_id))
        }
        Err(why) => (None, Err(StoreError::Sqlite { path: path.to_owned(), why })),
    };
    if ready.send(told).is_ok()
        && let Some(keeper) = keeper
    {
        keeper.run(requests, shared, answer);
    }
}

/// What a message costs while it is queued, in bytes.
fn weight(message: &Message) -> usize {
    size_of::<Message>()
        + message.text.len()
        + message.source.len()
        + message.tags.as_ref().map_or(0, |tags| tags.len())
}

/// Without its store the server must not go on promising: a panic there ends the process, and whoever watches it starts it again.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            log::error!("the store has a bug and stopped; the server ends, what was acknowledged is safe");
            log::logger().flush();
            std::process::abort();
        }
    }
}
