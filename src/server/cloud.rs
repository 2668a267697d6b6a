//! The disk's side of the cloud: bytes in, bytes out, files found and lost. It decides nothing; the rules' shelf does.
//!
//! [`Cloud`] is the door, cheap to clone and usable from any thread. What is slow happens on threads of its own.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::chat::shelf::order::{Fault, Intake, ShelfFact, ShelfOrder};
use crate::chat::shelf::web::Outgoing;
use crate::store::file::{FileKey, Stamp};

/// Bytes of an upload that are handed over in one piece, at most.
pub const BUFFER_BYTES: usize = 256 << 10;

/// The door to the files on the disk.
#[derive(Clone)]
pub struct Cloud {
    tell: Arc<dyn Fn(ShelfFact) + Send + Sync>,
}

impl Cloud {
    /// Opens the folder, makes what is missing, and starts the threads. `known` is what the index says is there; the difference to what is there comes as facts.
    /// `tell` is called on those threads and may block shortly.
    pub fn open(
        folder: &Path,
        known: Vec<(FileKey, Stamp)>,
        tell: impl Fn(ShelfFact) + Send + Sync + 'static,
    ) -> io::Result<Cloud> {
        let _ = (folder, known);
        Ok(Cloud { tell: Arc::new(tell) })
    }

    /// Takes an order of the rules. Never waits.
    pub fn order(&self, order: ShelfOrder) {
        if let ShelfOrder::Prepare { intake, .. } = order {
            let fault = Fault::Io("the file cloud is not built yet".into());
            (self.tell)(ShelfFact::Failed { upload: intake.upload, fault });
        }
    }

    /// Begins to take the bytes of an upload from `offset` on; whoever was sending them before is cut off ([`Fault::Superseded`]).
    pub async fn receive(&self, intake: &Intake, offset: u64) -> Result<Upload, Fault> {
        let _ = (intake, offset);
        Err(Fault::Io("the file cloud is not built yet".into()))
    }

    /// How many bytes of an upload are there.
    pub async fn progress(&self, intake: &Intake) -> io::Result<u64> {
        let _ = intake;
        Ok(0)
    }

    /// Opens a file to be sent. When it is not what the index says it is looked at again, and `NotFound` is the answer.
    pub fn open_file(&self, file: &Outgoing) -> io::Result<std::fs::File> {
        let _ = file;
        Err(io::ErrorKind::NotFound.into())
    }
}

/// One upload under way. Dropping it before [`Upload::finish`] pauses it; the rules are told.
pub struct Upload;

impl Upload {
    /// An empty buffer for the next bytes (capacity [`BUFFER_BYTES`] at most). Waits while all buffers of this upload are being hashed and written.
    pub async fn buffer(&mut self) -> Result<Vec<u8>, Fault> {
        Err(Fault::Io("the file cloud is not built yet".into()))
    }

    /// Hands over the next bytes.
    pub fn give(&mut self, bytes: Vec<u8>) {
        let _ = bytes;
    }

    /// All bytes were given. The verdict goes to the rules: `Stored` or `Failed`.
    pub fn finish(self) {}
}
