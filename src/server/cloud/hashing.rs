//! The thread that hashes uploads while another writes them. It works when nobody who talks needs the processor.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::sync::{Arc, MutexGuard, PoisonError};

use async_channel::Sender as Answer;

use super::BUFFER_BYTES;
use super::disk::{Disk, fault_of};
use super::finishing::Finish;
use super::folder::read_at;
use super::stream::{Hashed, Stream};
use super::writing::{Block, Ending};
use crate::chat::shelf::order::Fault;
use crate::system;
use crate::wire::digest::Digest;

/// How much of an old part is read again before the others get their turn.
const TURN_BYTES: u64 = 4 << 20;

/// What is to be hashed, in this order.
pub enum Hash {
    /// What is there of a part already, before the next bytes come.
    Prefix(Prefix),
    /// The next bytes.
    Bytes(Arc<Block>),
    /// All bytes were handed over.
    End(Arc<Ending>),
}

/// A part that goes on.
pub struct Prefix {
    /// Whose.
    pub stream: Arc<Stream>,
    /// Up to where.
    pub bytes: u64,
    /// It is done.
    pub answer: Answer<Result<(), Fault>>,
}

/// Works until nobody can hand over anything any more.
pub fn run(disk: &Disk, work: &Receiver<Hash>, finish: &Sender<Finish>) {
    system::give_way();
    // Parts that are read again take turns with the bytes that come.
    let mut prefixes = VecDeque::new();
    let mut buffer = Vec::new();
    loop {
        let next =
            if prefixes.is_empty() { work.recv().map_err(|_| TryRecvError::Disconnected) } else { work.try_recv() };
        match next {
            Ok(Hash::Prefix(prefix)) => prefixes.push_back(prefix),
            Ok(Hash::Bytes(block)) => {
                if !block.stream.is_over() {
                    hashed(&block.stream).add(&block.bytes);
                }
                Block::done(block);
            }
            Ok(Hash::End(ending)) => Ending::done(ending, finish),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        if let Some(prefix) = prefixes.pop_front() {
            buffer.resize(BUFFER_BYTES, 0);
            match read_again(&prefix, &mut buffer) {
                Ok(false) => prefixes.push_back(prefix),
                Ok(true) => answer(&prefix, Ok(())),
                Err(why) => {
                    disk.fail(&prefix.stream, fault_of(&why));
                    answer(&prefix, Err(prefix.stream.fault()));
                }
            }
        } else {
            // A resume is rare, its buffer is not kept.
            buffer = Vec::new();
        }
    }
}

fn answer(prefix: &Prefix, verdict: Result<(), Fault>) {
    // Who asked may have gone; the stream is paused then.
    let _ = prefix.answer.try_send(verdict);
}

fn hashed(stream: &Stream) -> MutexGuard<'_, Hashed> {
    stream.hashed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hashes one turn of what is there. True when nothing is left.
fn read_again(prefix: &Prefix, buffer: &mut [u8]) -> io::Result<bool> {
    let stream = &prefix.stream;
    let Some(file) = stream.file().filter(|_| !stream.is_over()) else { return Ok(true) };
    let mut hashed = hashed(stream);
    if hashed.bytes() > prefix.bytes {
        // The sender before was ahead of the disk.
        *hashed = Hashed::default();
    }
    let end = prefix.bytes.min(hashed.bytes() + TURN_BYTES);
    while hashed.bytes() < end {
        let at = hashed.bytes();
        let want = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        match read_at(file, &mut buffer[..want], at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => hashed.add(&buffer[..read]),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(hashed.bytes() == prefix.bytes)
}

/// The digest of a whole file, read from its beginning by the thread that asks.
pub fn digest_of(file: &File) -> io::Result<Digest> {
    let mut hashed = Hashed::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match read_at(file, &mut buffer, hashed.bytes()) {
            Ok(0) => return Ok(hashed.digest()),
            Ok(read) => hashed.add(&buffer[..read]),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}
