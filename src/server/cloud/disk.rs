//! What all threads of the cloud share: the folder, what is known of it, who sends, and whom to tell.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::folder::Tree;
use super::known::Known;
use super::stream::{Stream, Streams};
use crate::chat::shelf::order::{Fault, ShelfFact};

/// Shared by all threads of the cloud.
pub struct Disk {
    /// The files.
    pub tree: Tree,
    /// Who sends.
    pub streams: Streams,
    known: Mutex<Known>,
    tell: Box<dyn Fn(ShelfFact) + Send + Sync>,
}

impl Disk {
    /// Nobody sends yet.
    pub fn new(tree: Tree, known: Known, tell: impl Fn(ShelfFact) + Send + Sync + 'static) -> Disk {
        Disk { tree, streams: Streams::default(), known: Mutex::new(known), tell: Box::new(tell) }
    }

    /// What the rules know of the files. Never locked before [`Tree::changing`] is.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the rules.
    pub fn tell(&self, fact: ShelfFact) {
        (self.tell)(fact);
    }

    /// An upload failed: its sender and the rules are told, once.
    pub fn fail(&self, stream: &Arc<Stream>, fault: Fault) {
        if stream.failed(fault.clone()) {
            self.streams.end(stream);
            self.tell(ShelfFact::Failed { upload: stream.intake.upload, fault });
        }
    }
}

/// What an error of the system means for an upload.
pub fn fault_of(why: &io::Error) -> Fault {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::DiskFull,
        _ => Fault::Io(why.to_string().into()),
    }
}
