//! One upload, as the connection that brings it sees it: a buffer, the next bytes, the end.

use std::sync::Arc;

use async_channel::Receiver;

use super::stream::Stream;
use super::writing::{Block, Ending, Write};
use super::{BUFFER_BYTES, Doors, Hash};
use crate::chat::shelf::order::{Fault, Intake};

/// Buffers of an upload at once: one comes in, one is hashed, one is written, one waits. With [`BUFFER_BYTES`] that is 1 MiB.
pub const BUFFERS: usize = 4;
/// An upload up to this size is taken in one buffer, and hashed and written in one visit: less than the handing over costs.
const SMALL_BYTES: u64 = 64 << 10;
/// The first buffer of an upload whose size nobody knows.
const FIRST_BYTES: usize = 64 << 10;
/// Room for a byte too many, to find out that there is one.
const LEAST_BYTES: usize = 4 << 10;

/// Whether an upload that begins at `offset` comes in one buffer.
pub fn is_small(intake: &Intake, offset: u64) -> bool {
    offset == 0 && intake.size.is_some_and(|size| size <= SMALL_BYTES)
}

/// One upload under way. Dropping it before [`Upload::finish`] pauses it; the rules are told.
pub struct Upload {
    doors: Arc<Doors>,
    /// `None` when all is there and only the verdict is waited for.
    stream: Option<Arc<Stream>>,
    /// Where the next bytes belong.
    at: u64,
    way: Way,
}

enum Way {
    /// In one buffer.
    Small(Vec<u8>),
    /// Through the threads.
    Long { empty: Receiver<Vec<u8>>, made: usize },
}

impl Upload {
    /// The way that the bytes will take, for [`Stream`] and [`Upload`].
    pub(super) fn small(doors: Arc<Doors>, stream: Arc<Stream>) -> Upload {
        Upload { doors, stream: Some(stream), at: 0, way: Way::Small(Vec::new()) }
    }

    /// An upload of more than one buffer, or one that goes on.
    pub(super) fn long(doors: Arc<Doors>, stream: Arc<Stream>, at: u64, empty: Receiver<Vec<u8>>) -> Upload {
        Upload { doors, stream: Some(stream), at, way: Way::Long { empty, made: 0 } }
    }

    /// All is there; another connection has handed it over.
    pub(super) fn finished(doors: Arc<Doors>) -> Upload {
        Upload { doors, stream: None, at: 0, way: Way::Small(Vec::new()) }
    }

    /// An empty buffer for the next bytes (capacity [`BUFFER_BYTES`] at most, and not much more than is missing).
    /// Waits while all buffers of this upload are being hashed and written.
    ///
    /// Best filled before it is given back, and read into without zeroing it first (`rustix::buffer::spare_capacity`).
    pub async fn buffer(&mut self) -> Result<Vec<u8>, Fault> {
        let Some(stream) = &self.stream else { return Ok(Vec::with_capacity(LEAST_BYTES)) };
        if stream.is_over() {
            return Err(stream.fault());
        }
        let missing = stream.intake.size.map(|size| size.saturating_sub(self.at));
        match &mut self.way {
            Way::Small(_) => Ok(Vec::with_capacity(wanted(missing))),
            Way::Long { empty, made } => {
                if let Ok(buffer) = empty.try_recv() {
                    return Ok(buffer);
                }
                if *made < BUFFERS {
                    *made += 1;
                    let first = if *made == 1 { FIRST_BYTES } else { BUFFER_BYTES };
                    return Ok(Vec::with_capacity(missing.map_or(first, |missing| wanted(Some(missing)))));
                }
                empty.recv().await.map_err(|_| stream.fault())
            }
        }
    }

    /// Hands over the next bytes.
    pub fn give(&mut self, bytes: Vec<u8>) {
        let Some(stream) = &self.stream else { return };
        if bytes.is_empty() {
            return stream.give_back(bytes);
        }
        let at = self.at;
        self.at += bytes.len() as u64;
        if self.at > stream.limit {
            self.doors.disk.fail(stream, Fault::TooLarge);
            self.doors.write(Write::Clear(stream.clone()));
            return;
        }
        match &mut self.way {
            Way::Small(held) if held.is_empty() => *held = bytes,
            Way::Small(held) => held.extend_from_slice(&bytes),
            Way::Long { .. } => {
                let block = Arc::new(Block { stream: stream.clone(), bytes, at });
                self.doors.hash(Hash::Bytes(block.clone()));
                self.doors.write(Write::Bytes(block));
            }
        }
    }

    /// All bytes were given. The verdict goes to the rules: `Stored` or `Failed`; `Paused` when they were fewer than announced.
    pub fn finish(mut self) {
        let Some(stream) = self.stream.take() else { return };
        if stream.is_over() {
            return;
        }
        if stream.intake.size.is_some_and(|size| size != self.at) {
            return self.pause(stream);
        }
        if !self.doors.disk.streams.finishing(&stream) {
            return;
        }
        match &mut self.way {
            Way::Small(held) => {
                let bytes = std::mem::take(held);
                self.doors.write(Write::Whole { stream, bytes });
            }
            Way::Long { .. } => {
                let ending = Arc::new(Ending(stream));
                self.doors.hash(Hash::End(ending.clone()));
                self.doors.write(Write::End(ending));
            }
        }
    }

    fn pause(&mut self, stream: Arc<Stream>) {
        let held = match &mut self.way {
            Way::Small(held) => std::mem::take(held),
            Way::Long { .. } => Vec::new(),
        };
        self.doors.write(Write::Pause { stream, held });
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take().filter(|stream| !stream.is_over()) {
            self.pause(stream);
        }
    }
}

/// The capacity for what is missing.
fn wanted(missing: Option<u64>) -> usize {
    let missing = missing.unwrap_or(u64::MAX);
    if missing == 0 {
        return LEAST_BYTES;
    }
    usize::try_from(missing).unwrap_or(usize::MAX).min(BUFFER_BYTES)
}
