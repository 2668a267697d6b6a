//! The disk's side of the cloud: bytes in, bytes out, files found and lost. It decides nothing; the rules' shelf does.
//!
//! [`Cloud`] is the door, cheap to clone and usable from any thread. What is slow happens on threads of its own:
//! one carries out orders, one writes and one hashes the same buffers at the same time, one makes files of what is
//! whole (sync, name, sync), and one looks what the host did by hand. At whatever point the plug is pulled, a name
//! in the folder is a whole, verified file or is not there.

mod disk;
mod finishing;
mod folder;
mod hashing;
mod known;
mod orders;
mod reachable;
mod scanning;
mod stream;
mod sweeping;
#[cfg(test)]
mod tests;
mod twins;
mod upload;
mod walking;
mod writing;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::thread;

use crate::chat::shelf::order::{Fault, Intake, ShelfFact, ShelfOrder};
use crate::chat::shelf::web::Outgoing;
use crate::store::file::{FileKey, Stamp};

use disk::Disk;
use folder::Tree;
use hashing::{Hash, Prefix};
use known::Known;
use orders::Others;
use scanning::{Look, Pace};
use stream::Begun;
pub use upload::Upload;
use upload::{BUFFERS, is_small};
use writing::Write;

/// Bytes of an upload that are handed over in one piece, at most.
pub const BUFFER_BYTES: usize = 256 << 10;
/// The stack of each thread: none of them calls deep or keeps buffers on it.
const STACK_BYTES: usize = 512 << 10;
/// Files that wait to be looked at again; anybody can ask for one that was changed, again and again.
const LOOKS: usize = 1024;

/// The door to the files on the disk.
#[derive(Clone)]
pub struct Cloud(Arc<Doors>);

/// The ways to the threads. They end when this is gone.
struct Doors {
    disk: Arc<Disk>,
    orders: Sender<ShelfOrder>,
    write: Sender<Write>,
    hash: Sender<Hash>,
    look: SyncSender<Look>,
}

impl Cloud {
    /// Opens the folder, makes what is missing, and starts the threads. `known` is what the index says is there; the difference to what is there comes as facts.
    /// `tell` is called on those threads and may block shortly.
    pub fn open(
        folder: &Path,
        known: Vec<(FileKey, Stamp)>,
        tell: impl Fn(ShelfFact) + Send + Sync + 'static,
    ) -> io::Result<Cloud> {
        Cloud::open_with(folder, known, tell, Pace::default())
    }

    fn open_with(
        folder: &Path,
        known: Vec<(FileKey, Stamp)>,
        tell: impl Fn(ShelfFact) + Send + Sync + 'static,
        pace: Pace,
    ) -> io::Result<Cloud> {
        let (tree, is_fresh) = Tree::open(folder)?;
        let is_moved = is_fresh && !known.is_empty();
        if is_moved {
            log::warn!(
                "{} is empty, but the cloud had {} files; if they are on another disk, mount it and start again. They are not forgotten before the next start",
                folder.display(),
                known.len()
            );
        }
        let disk = Arc::new(Disk::new(tree, Known::of(known), tell));
        let (orders, ordered) = mpsc::channel();
        let (write, to_write) = mpsc::channel();
        let (hash, to_hash) = mpsc::channel();
        let (finish, to_finish) = mpsc::channel();
        let (look, to_look) = mpsc::sync_channel(LOOKS);

        let others = Others { write: write.clone(), finish: finish.clone(), look: look.clone() };
        start("cloud orders", &disk, move |disk| orders::run(disk, &ordered, &others))?;
        let written = finish.clone();
        start("cloud write", &disk, move |disk| writing::run(disk, &to_write, &written))?;
        start("cloud hash", &disk, move |disk| hashing::run(disk, &to_hash, &finish))?;
        let stored = look.clone();
        start("cloud finish", &disk, move |disk| finishing::run(disk, &to_finish, &stored))?;
        start("cloud look", &disk, move |disk| scanning::run(disk, &to_look, pace, !is_moved))?;
        Ok(Cloud(Arc::new(Doors { disk, orders, write, hash, look })))
    }

    /// The server listens there: the rules are told how the machine is reached ([`ShelfFact::Reachable`]), at once and whenever that changes.
    pub fn announce(&self, listening: SocketAddr) {
        let reached = reachable::reached(listening);
        reachable::tell(&self.0.disk, reached);
        self.0.look(Look::Address(listening, reached));
    }

    /// Takes an order of the rules. Never waits.
    pub fn order(&self, order: ShelfOrder) {
        self.0.send(&self.0.orders, order);
    }

    /// Begins to take the bytes of an upload from `offset` on; whoever was sending them before is cut off ([`Fault::Superseded`]).
    pub async fn receive(&self, intake: &Intake, offset: u64) -> Result<Upload, Fault> {
        let (doors, streams) = (self.0.clone(), &self.0.disk.streams);
        if is_small(intake, offset) {
            return match self.begun(streams.begin(intake, offset, None)?) {
                Begun::Stream(stream) => Ok(Upload::small(doors, stream)),
                Begun::Finishing(bytes) => finishing(doors, bytes, offset),
            };
        }
        let (give_back, empty) = async_channel::bounded(BUFFERS);
        let stream = match self.begun(streams.begin(intake, offset, Some(give_back))?) {
            Begun::Stream(stream) => stream,
            Begun::Finishing(bytes) => return finishing(doors, bytes, offset),
        };
        // From here on whoever gives up pauses the upload.
        let upload = Upload::long(doors, stream.clone(), offset, empty);
        let (answer, opened) = async_channel::bounded(1);
        self.0.write(Write::Open { stream: stream.clone(), offset, answer });
        let mut verdict = opened.recv().await.unwrap_or(Err(Fault::Superseded));
        if verdict.is_ok() && offset > 0 {
            let (answer, hashed) = async_channel::bounded(1);
            self.0.hash(Hash::Prefix(Prefix { stream: stream.clone(), bytes: offset, answer }));
            verdict = hashed.recv().await.unwrap_or(Err(Fault::Superseded));
        }
        match verdict {
            Ok(()) if stream.is_over() => Err(stream.fault()),
            Ok(()) => Ok(upload),
            Err(fault @ Fault::WrongOffset(_)) => {
                // Nothing has happened to it; the sender comes again with the right one.
                streams.pause(&stream);
                stream.cut();
                Err(fault)
            }
            Err(fault) => {
                self.0.disk.fail(&stream, fault.clone());
                Err(fault)
            }
        }
    }

    /// How many bytes of an upload are there.
    pub async fn progress(&self, intake: &Intake) -> io::Result<u64> {
        let (answer, size) = async_channel::bounded(1);
        // Behind all that is to be written before.
        self.0.write(Write::Size { part: intake.part.clone(), answer });
        size.recv().await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }

    /// Opens a file to be sent. When it is not what the index says it is looked at again, and `NotFound` is the answer.
    pub fn open_file(&self, file: &Outgoing) -> io::Result<std::fs::File> {
        match self.0.disk.tree.open_file(&file.file) {
            Ok((opened, stamp)) if stamp == file.stamp => Ok(opened),
            _ => {
                self.0.look(Look::File(file.file.clone()));
                Err(io::ErrorKind::NotFound.into())
            }
        }
    }

    /// Tells of another upload that was cut off: its sender cannot go on, because the part belongs to this one.
    fn begun(&self, (begun, other): (Begun, Option<Arc<stream::Stream>>)) -> Begun {
        if let Some(other) = other {
            self.0.disk.tell(ShelfFact::Failed { upload: other.intake.upload, fault: Fault::Superseded });
        }
        begun
    }
}

/// All bytes are there, handed over by another connection; the verdict comes.
fn finishing(doors: Arc<Doors>, bytes: u64, offset: u64) -> Result<Upload, Fault> {
    if offset == bytes { Ok(Upload::finished(doors)) } else { Err(Fault::WrongOffset(bytes)) }
}

impl Doors {
    fn write(&self, work: Write) {
        self.send(&self.write, work);
    }

    fn hash(&self, work: Hash) {
        self.send(&self.hash, work);
    }

    fn look(&self, what: Look) {
        // What finds no place is seen at the next look at everything.
        let _ = self.look.try_send(what);
    }

    fn send<T>(&self, door: &Sender<T>, work: T) {
        if door.send(work).is_err() {
            // Its panic is in the log already. Whoever waits for it is told by the end of the answer's channel.
            log::error!("a thread of the cloud has ended");
        }
    }
}

fn start(name: &str, disk: &Arc<Disk>, work: impl FnOnce(&Arc<Disk>) + Send + 'static) -> io::Result<()> {
    let disk = disk.clone();
    thread::Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(move || work(&disk))?;
    Ok(())
}
