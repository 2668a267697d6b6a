//! The thread that writes uploads into their parts, in the order in which the bytes came.

use std::fs::{File, Metadata};
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use async_channel::Sender as Answer;
use sha2::{Digest as _, Sha256};

use super::disk::{Disk, fault_of};
use super::finishing::{Finish, Ready};
use super::folder::{begin_to_write, stamp_of, write_at};
use super::stream::Stream;
use crate::chat::shelf::order::{Fault, ShelfFact};
use crate::system;
use crate::wire::digest::Digest;
use crate::wire::media::{MEDIA_BYTES, Media};

/// After so many bytes the disk begins to write them: the last sync is short, and a board's memory is not full of what waits for a slow card.
const WRITE_BEHIND_BYTES: u64 = 8 << 20;
/// Bytes that are written with one call. For each, ext4 wants memory in one stretch; for 256 KiB the kernel moves other pages out of the way, which takes longer than the
/// write itself (0.5 instead of 0.2 s per GiB on a machine whose memory is full of cached files).
const PIECE_BYTES: usize = 64 << 10;

/// What is to be done, in this order.
pub enum Write {
    /// Open a part of which `offset` bytes should be there.
    Open { stream: Arc<Stream>, offset: u64, answer: Answer<Result<(), Fault>> },
    /// The next bytes.
    Bytes(Arc<Block>),
    /// All bytes of a small upload.
    Whole { stream: Arc<Stream>, bytes: Vec<u8> },
    /// All bytes were handed over.
    End(Arc<Ending>),
    /// The sender is gone. What a small upload holds of its beginning is written first.
    Pause { stream: Arc<Stream>, held: Vec<u8> },
    /// An upload failed, and its part goes.
    Clear(Arc<Stream>),
    /// Forget a part.
    Discard(Box<str>),
    /// How many bytes of a part are there?
    Size { part: Box<str>, answer: Answer<io::Result<u64>> },
}

/// Bytes that are being hashed and written at the same time. Who is done last gives the buffer back.
pub struct Block {
    /// Whose.
    pub stream: Arc<Stream>,
    /// What.
    pub bytes: Vec<u8>,
    /// Where in the file.
    pub at: u64,
}

impl Block {
    /// One of the threads is done with it.
    pub fn done(block: Arc<Block>) {
        if let Some(block) = Arc::into_inner(block) {
            block.stream.give_back(block.bytes);
        }
    }
}

/// The end of an upload, on its way through both threads. Who sees it last hands the upload on.
pub struct Ending(pub Arc<Stream>);

impl Ending {
    /// One of the threads has done all that came before.
    pub fn done(ending: Arc<Ending>, finish: &Sender<Finish>) {
        if let Some(Ending(stream)) = Arc::into_inner(ending) {
            // Nobody finishes any more when the server stops; the part stays.
            let _ = finish.send(Finish::Written(stream));
        }
    }
}

/// Works until nobody can hand over anything any more.
pub fn run(disk: &Disk, work: &Receiver<Write>, finish: &Sender<Finish>) {
    // Small files are hashed here too.
    system::give_way();
    for work in work {
        match work {
            Write::Open { stream, offset, answer } => {
                let opened = open(disk, &stream, offset);
                // Who asked may have gone; then the stream is paused next.
                let _ = answer.try_send(opened);
            }
            Write::Bytes(block) => {
                write(disk, &block);
                Block::done(block);
            }
            Write::Whole { stream, bytes } => {
                if let Some(ready) = write_whole(disk, &stream, &bytes) {
                    let _ = finish.send(Finish::Ready(Box::new(ready)));
                }
            }
            Write::End(ending) => Ending::done(ending, finish),
            Write::Pause { stream, held } => pause(disk, &stream, &held),
            Write::Clear(stream) => {
                let part = &stream.intake.part;
                disk.streams.unless_busy(part, || disk.tree.remove_part(part));
            }
            Write::Discard(part) => {
                disk.streams.forget(&part);
                disk.tree.remove_part(&part);
            }
            Write::Size { part, answer } => {
                let _ = answer.try_send(disk.tree.part_size(&part));
            }
        }
    }
}

/// Opens the part. What stands in the file is what is there of the upload; the rules' number is advice.
fn open(disk: &Disk, stream: &Arc<Stream>, offset: u64) -> Result<(), Fault> {
    if stream.is_cut() {
        return Err(Fault::Superseded);
    }
    let part = &stream.intake.part;
    let open = || -> io::Result<Result<File, u64>> {
        let mut there = disk.tree.part_size(part)?;
        if there > stream.limit {
            // Bytes that nobody announced were never part of it.
            disk.tree.remove_part(part);
            there = 0;
        }
        Ok(if there == offset { Ok(disk.tree.create_part(part, false)?) } else { Err(there) })
    };
    match open() {
        Ok(Ok(file)) => {
            stream.opened(file, offset);
            Ok(())
        }
        Ok(Err(there)) => Err(Fault::WrongOffset(there)),
        Err(why) => Err(fault_of(&why)),
    }
}

fn write(disk: &Disk, block: &Block) {
    let stream = &block.stream;
    let Some(file) = stream.file().filter(|_| !stream.is_over()) else { return };
    for (piece, at) in block.bytes.chunks(PIECE_BYTES).zip((block.at..).step_by(PIECE_BYTES)) {
        if let Err(why) = write_at(file, piece, at) {
            return fail(disk, stream, fault_of(&why));
        }
    }
    let end = block.at + block.bytes.len() as u64;
    stream.wrote(end);
    if end / WRITE_BEHIND_BYTES > block.at / WRITE_BEHIND_BYTES {
        let begin = (end / WRITE_BEHIND_BYTES - 1) * WRITE_BEHIND_BYTES;
        begin_to_write(file, begin, WRITE_BEHIND_BYTES);
        if !disk.tree.has_room(0) {
            fail(disk, stream, Fault::DiskFull);
        }
    }
}

/// A small file: one visit of one thread, while its bytes are still in the processor's cache.
fn write_whole(disk: &Disk, stream: &Arc<Stream>, bytes: &[u8]) -> Option<Ready> {
    if stream.is_over() {
        return None;
    }
    let digest = Digest(Sha256::digest(bytes).into());
    if stream.intake.digest.is_some_and(|announced| announced != digest) {
        disk.fail(stream, Fault::DigestMismatch);
        return None;
    }
    match write_fresh(disk, stream, bytes) {
        Ok(metadata) => {
            stream.wrote(bytes.len() as u64);
            let media = Media::of(&bytes[..bytes.len().min(MEDIA_BYTES)]);
            Some(Ready { stream: stream.clone(), digest, media, stamp: stamp_of(&metadata), was_there: false })
        }
        Err(why) => {
            fail(disk, stream, fault_of(&why));
            None
        }
    }
}

/// Writes a part from its beginning.
fn write_fresh(disk: &Disk, stream: &Stream, bytes: &[u8]) -> io::Result<Metadata> {
    let mut file = disk.tree.create_part(&stream.intake.part, true)?;
    file.write_all(bytes)?;
    file.metadata()
}

/// The upload failed, and nothing stays of it: on a full disk least of all.
fn fail(disk: &Disk, stream: &Arc<Stream>, fault: Fault) {
    disk.tree.remove_part(&stream.intake.part);
    disk.fail(stream, fault);
}

/// Everything that its sender handed over is written by now.
fn pause(disk: &Disk, stream: &Arc<Stream>, held: &[u8]) {
    if stream.is_over() {
        return;
    }
    if stream.intake.resumable && !held.is_empty() {
        match write_fresh(disk, stream, held) {
            Ok(_) => stream.wrote(held.len() as u64),
            Err(why) => return fail(disk, stream, fault_of(&why)),
        }
    }
    let mut offset = 0;
    if stream.intake.resumable {
        disk.streams.pause(stream);
        offset = stream.written();
    } else {
        disk.streams.end(stream);
        disk.tree.remove_part(&stream.intake.part);
    }
    stream.cut();
    disk.tell(ShelfFact::Paused { upload: stream.intake.upload, offset });
}
