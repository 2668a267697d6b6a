//! What is kept: SQLite on a thread of its own. Requests in, answers out, never a wait.
//!
//! [`Store`] is the door: it queues, and refuses when the queue is full. `keeper` is the thread behind it: it takes all that is
//! queued as one `round`, in one transaction, and answers after the commit. `ledger` writes messages, `book` groups and read markers,
//! `removal` takes away, `sweep` says what has to go. `directory` is read at the start; `readers` share the questions: `history` reads messages, `conversations`
//! looks over many places, `index`, `expression` and `search` find words, `pieces` says what a search means. `accounts` is also used by the command
//! line, beside a running server. `shelf` keeps which files there are. `form` brings older files to the newest form, `backup` copies everything and brings it back.
pub mod accounts;
pub mod backup;
mod book;
pub mod change;
mod conversations;
mod database;
pub mod directory;
#[cfg(test)]
mod doomed;
mod error;
mod expression;
pub mod file;
#[cfg(test)]
mod fixture;
mod form;
mod history;
mod index;
mod keeper;
mod ledger;
mod names;
mod pace;
pub mod pieces;
mod readers;
pub mod record;
mod removal;
mod round;
mod search;
mod shelf;
mod sweep;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use change::Change;
pub use database::look;
use directory::{AccountEntry, Directory};
pub use error::StoreError;
use file::FileEntry;
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

/// Something to be kept. Ids grow from one to the next, whatever it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// A message, under its own id.
    Message(Message),
    /// A change, under an id that the rules took from the same row.
    Change {
        /// Its place among everything that is kept.
        id: MsgId,
        /// What is true from now on.
        change: Change,
    },
}

impl From<Message> for Entry {
    fn from(message: Message) -> Entry {
        Entry::Message(message)
    }
}

impl Entry {
    /// Its place among everything that is kept.
    pub fn id(&self) -> MsgId {
        match self {
            Entry::Message(message) => message.id,
            Entry::Change { id, .. } => *id,
        }
    }
}

/// What [`Store::open`] gives.
#[derive(Debug)]
pub struct Opened {
    /// The door.
    pub store: Store,
    /// The greatest id of a stored message; 0 when there is none.
    pub last_id: MsgId,
    /// Accounts and groups as they are on the disk.
    pub directory: Directory,
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
    /// Another program (`gzy user`) changed something beside the running server: all accounts as they are. What is answered after it
    /// is newer.
    AccountsChanged(Vec<AccountEntry>),
}

enum Request {
    Append {
        batch: u64,
        entries: Vec<Entry>,
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
    /// block shortly. Messages that are older than `keep_ms` are removed by and by. One folder serves one server at a time.
    pub fn open(
        data: &Path,
        keep_ms: Option<u64>,
        answer: impl Fn(Answer) + Send + 'static,
    ) -> Result<Opened, StoreError> {
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
            keep(&db, &path, keep_ms, &requests, &shared_there, &ready, &answer);
        });
        let thread = StoreThread(thread.map_err(|why| StoreError::Thread { why })?);
        let (last_id, directory) = is_ready.recv().expect("the thread tells how it starts before it ends")?;
        Ok(Opened { store: Store { queue, shared }, last_id, directory, thread })
    }

    /// Queues entries, ids growing, for the next transaction; `Saved` with this number follows. When the queue is full the entries come back.
    pub fn append(&self, batch: u64, entries: Vec<Entry>) -> Result<(), Vec<Entry>> {
        let bytes = entries.iter().map(weight).sum();
        let queued = self.shared.queued_bytes.load(Ordering::Acquire);
        if queued > 0 && queued + bytes > QUEUED_BYTES_MAX {
            return Err(entries);
        }
        self.shared.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.queue(Request::Append { batch, entries, bytes }).map_err(|refused| {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
            if let Request::Append { entries, .. } = refused { entries } else { Vec::new() }
        })
    }

    /// Queues a question; `Found` with this token follows.
    pub fn ask(&self, token: u64, query: Query) -> Result<(), Busy> {
        self.queue(Request::Ask { token, query: Box::new(query) }).map_err(|_| Busy)
    }

    /// Takes nothing more, from any clone. The thread ends when all that is queued is committed and answered. Does not wait:
    /// [`StoreThread::join`] does.
    pub fn close(self) {
        self.shared.closing.store(true, Ordering::Release);
        // When the queue is full, the thread has something to do and sees the flag after it.
        let _ = self.queue.try_send(Request::Wake);
    }

    /// Queues a request, or gives it back.
    fn queue(&self, request: Request) -> Result<(), Request> {
        if self.shared.closing.load(Ordering::Acquire) {
            return Err(request);
        }
        self.queue.try_send(request).map_err(|refused| match refused {
            TrySendError::Full(request) | TrySendError::Disconnected(request) => request,
        })
    }
}

impl StoreThread {
    /// Waits until everything is on the disk and the folder is free for another server.
    pub fn join(self) {
        self.0.join().expect("a panic on the store thread ends the process");
    }
}

impl Request {
    /// Whether serving it changes what is stored.
    fn writes(&self) -> bool {
        match self {
            Request::Append { .. } => true,
            Request::Ask { query, .. } => query.writes(),
            Request::Wake => false,
        }
    }

    fn entries(&self) -> usize {
        if let Request::Append { entries, .. } = self { entries.len() } else { 0 }
    }

    fn bytes(&self) -> usize {
        if let Request::Append { bytes, .. } = self { *bytes } else { 0 }
    }
}

/// The store thread's life: tell whether it can work, then work.
fn keep(
    db: &Connection,
    path: &Path,
    keep_ms: Option<u64>,
    requests: &Receiver<Request>,
    shared: &Arc<Shared>,
    ready: &SyncSender<Result<(MsgId, Directory), StoreError>>,
    answer: &dyn Fn(Answer),
) {
    let begun = Keeper::new(db, path.to_owned(), keep_ms).and_then(|keeper| Ok((directory::read(db)?, keeper)));
    let (keeper, told) = match begun {
        Ok((directory, keeper)) => {
            let last_id = keeper.last_id();
            (Some(keeper), Ok((last_id, directory)))
        }
        Err(why) => (None, Err(StoreError::Sqlite { path: path.to_owned(), why })),
    };
    if ready.send(told).is_ok()
        && let Some(keeper) = keeper
    {
        keeper.run(requests, shared, answer);
    }
}

/// What an entry costs while it is queued, in bytes. Most changes are small and few: their size stands for what they point to.
fn weight(entry: &Entry) -> usize {
    let message = match entry {
        Entry::Change { change: Change::File { file, .. }, .. } => {
            return size_of::<Entry>() + size_of::<FileEntry>() + file.name.as_str().len();
        }
        Entry::Change { .. } => return size_of::<Entry>(),
        Entry::Message(message) => message,
    };
    size_of::<Entry>() + message.text.len() + message.source.len() + message.tags.as_ref().map_or(0, |tags| tags.len())
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::accounts::Accounts;
    use super::fixture::{at, open, place, said, texts_of};
    use super::*;

    fn saved(answers: &Receiver<Answer>) -> u64 {
        match answers.recv().unwrap() {
            Answer::Saved { batch, result: Ok(()) } => batch,
            other => panic!("{other:?}"),
        }
    }

    fn everything(store: &Store, answers: &Receiver<Answer>) -> Vec<String> {
        store.ask(1, Query::After { place: place("#lobby"), after: MsgId(0), limit: 10_000 }).unwrap();
        match answers.recv().unwrap() {
            Answer::Found { token: 1, found } => texts_of(found),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_closed_with_work_in_the_queue_is_all_there_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let (first, answers) = open(dir.path());
        assert_eq!(first.last_id, MsgId(0));
        let store = first.store.clone();
        for batch in 1..=500 {
            store.append(batch, vec![said(batch, "hi").into()]).unwrap();
        }
        first.store.close();
        assert_eq!(store.append(501, vec![said(501, "too late").into()]), Err(vec![said(501, "too late").into()]));
        first.thread.join();
        assert!((1..=500).eq(answers.iter().map(|answer| match answer {
            Answer::Saved { batch, result: Ok(()) } => batch,
            other => panic!("{other:?}"),
        })));
        assert!(!dir.path().join("gzy.db-wal").exists(), "it is folded in");
        let (again, answers) = open(dir.path());
        assert_eq!(again.last_id, at(500));
        assert_eq!(everything(&again.store, &answers).len(), 500);
    }

    #[test]
    fn the_thread_ends_and_frees_the_folder_when_the_last_door_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, answers) = open(dir.path());
        opened.store.append(1, vec![said(1, "hi").into()]).unwrap();
        assert!(matches!(Store::open(dir.path(), None, |_| ()), Err(StoreError::InUse { .. })));
        drop(opened.store);
        opened.thread.join();
        assert_eq!(saved(&answers), 1);
        open(dir.path());
    }

    /// A store whose first answer waits until the test drops what it gets.
    fn stalled(data: &Path) -> (Opened, SyncSender<()>, Receiver<Answer>) {
        let ((answer, answers), (go_on, may_go_on)) = (channel(), sync_channel::<()>(0));
        let opened = Store::open(data, None, move |said| {
            let _ = answer.send(said);
            let _ = may_go_on.recv();
        });
        let opened = opened.unwrap();
        opened.store.append(0, vec![said(1, "stalls").into()]).unwrap();
        assert_eq!(saved(&answers), 0);
        (opened, go_on, answers)
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_loses_nothing_that_it_took() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, go_on, answers) = stalled(dir.path());
        let taken = (1..)
            .take_while(|batch| opened.store.append(*batch, vec![said(1 + batch, "x").into()]).is_ok())
            .count() as u64;
        assert_eq!(taken, QUEUED_REQUESTS_MAX as u64);
        assert_eq!(opened.store.ask(1, Query::Account { name: "anna".into() }), Err(Busy));
        opened.store.close();
        drop(go_on);
        opened.thread.join();
        assert!((1..=taken).all(|batch| saved(&answers) == batch));
        assert!(answers.recv().is_err());
    }

    #[test]
    fn a_queue_full_of_bytes_refuses_too_and_takes_again_when_they_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, go_on, answers) = stalled(dir.path());
        let big = "x".repeat(1 << 20);
        let taken = (1..)
            .take_while(|batch| opened.store.append(*batch, vec![said(1 + batch, &big).into()]).is_ok())
            .count() as u64;
        assert!((6..=8).contains(&taken), "{taken}");
        drop(go_on);
        assert!((1..=taken).all(|batch| saved(&answers) == batch));
        everything(&opened.store, &answers);
        let huge = (0..10).map(|i| said(100 + i, &big).into()).collect();
        opened
            .store
            .append(99, huge)
            .expect("a batch that is larger than the bound is taken when nothing else is queued");
        assert_eq!(saved(&answers), 99);
    }

    #[test]
    fn accounts_are_made_beside_a_running_server() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, answers) = open(dir.path());
        opened.store.append(1, vec![said(1, "hi").into()]).unwrap();
        assert_eq!(saved(&answers), 1);
        let id = Accounts::open(dir.path()).unwrap().add("小阳", "hash").unwrap();
        opened.store.ask(8, Query::Person { account: id }).unwrap();
        let Answer::AccountsChanged(accounts) = answers.recv().unwrap() else { panic!("the rules are told first") };
        assert_eq!(accounts.iter().map(|account| (account.id, &*account.name)).collect::<Vec<_>>(), [(id, "小阳")]);
        assert!(matches!(answers.recv(), Ok(Answer::Found { token: 8, .. })));
        for (name, is_there) in [("小阳", true), ("1000", true), ("eve", false)] {
            opened.store.ask(9, Query::Account { name: name.into() }).unwrap();
            let Answer::Found { token: 9, found: Found::Account(account) } = answers.recv().unwrap() else { panic!() };
            assert_eq!(account.map(|account| account.id), is_there.then_some(id), "{name}");
        }
        opened.store.append(2, vec![said(2, "still writing").into()]).unwrap();
        assert_eq!(saved(&answers), 2);
    }
}
