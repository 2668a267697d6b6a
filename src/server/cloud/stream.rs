//! Whose bytes go into which part? One sender at a time; who comes later cuts off who came before.

use std::collections::HashMap;
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_channel::Sender;
use sha2::{Digest as _, Sha256};

use crate::chat::shelf::order::{Fault, Intake};
use crate::wire::digest::Digest;

/// Parts whose hash is remembered while nobody sends: they go on without being read again. An uploader has a few, and each takes 200 bytes.
const IDLE_PARTS: usize = 1024;

/// The bytes of one upload by one connection, from its beginning to its end. Shared by the threads that work on them.
pub struct Stream {
    /// What is being brought.
    pub intake: Intake,
    /// No byte beyond this is taken.
    pub limit: u64,
    /// What is hashed of the part; the next stream of it goes on with that.
    pub hashed: Arc<Mutex<Hashed>>,
    file: OnceLock<File>,
    written: AtomicU64,
    is_cut: AtomicBool,
    is_finishing: AtomicBool,
    fault: OnceLock<Fault>,
    /// Takes the buffers back; `None` when the upload is one buffer.
    empty: Option<Sender<Vec<u8>>>,
}

impl Stream {
    /// A stream for an upload that nobody else sends.
    pub fn alone(intake: Intake) -> Arc<Stream> {
        Arc::new(Stream::of(intake, None, Arc::default()))
    }

    fn of(intake: Intake, empty: Option<Sender<Vec<u8>>>, hashed: Arc<Mutex<Hashed>>) -> Stream {
        Stream {
            limit: intake.size.unwrap_or(u64::MAX).min(intake.at_most),
            intake,
            hashed,
            file: OnceLock::new(),
            written: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            is_finishing: AtomicBool::new(false),
            fault: OnceLock::new(),
            empty,
        }
    }

    /// Where the bytes go, once it is open.
    pub fn file(&self) -> Option<&File> {
        self.file.get()
    }

    /// The part is open, and so many bytes of it are there.
    pub fn opened(&self, file: File, bytes: u64) {
        // A stream is opened once; if it were twice, the first file would stay.
        let _ = self.file.set(file);
        self.wrote(bytes);
    }

    /// So many bytes of the part are written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// All bytes before this one are written.
    pub fn wrote(&self, up_to: u64) {
        self.written.store(up_to, Ordering::Release);
    }

    /// Nothing more is done for it: it is cut or has failed.
    pub fn is_over(&self) -> bool {
        self.is_cut() || self.fault.get().is_some()
    }

    /// Another has taken over, or the upload is forgotten.
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// Nothing more is to be done for it, and nothing told.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.wake();
    }

    /// Why no more bytes are taken.
    pub fn fault(&self) -> Fault {
        self.fault.get().cloned().unwrap_or(Fault::Superseded)
    }

    /// Takes note of a fault; `false` when it is over already, so that only one is told.
    pub fn failed(&self, fault: Fault) -> bool {
        let is_first = !self.is_cut() && self.fault.set(fault).is_ok();
        self.wake();
        is_first
    }

    /// A buffer is hashed and written.
    pub fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        if let Some(empty) = &self.empty {
            // There are as many places as buffers; when the sender is gone, the buffer goes too.
            let _ = empty.try_send(buffer);
        }
    }

    /// Who waits for a buffer looks why there is none.
    fn wake(&self) {
        if let Some(empty) = &self.empty {
            empty.close();
        }
    }
}

/// A hash under way.
#[derive(Default)]
pub struct Hashed {
    state: Sha256,
    bytes: u64,
}

impl Hashed {
    /// The next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes are in it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Of all bytes so far.
    pub fn digest(&self) -> Digest {
        Digest(self.state.clone().finalize().into())
    }
}

/// What is being sent, by the part's name.
#[derive(Default)]
pub struct Streams(Mutex<HashMap<Box<str>, Slot>>);

struct Slot {
    hashed: Arc<Mutex<Hashed>>,
    stream: Option<Arc<Stream>>,
}

/// What becomes of who wants to send.
pub enum Begun {
    /// Bytes may come.
    Stream(Arc<Stream>),
    /// All of it is there and being stored; its verdict comes anyway. So many bytes.
    Finishing(u64),
}

impl Streams {
    /// A connection wants to send from `offset` on. Who sent before is cut off, and comes back when it was another upload.
    pub fn begin(
        &self,
        intake: &Intake,
        offset: u64,
        empty: Option<Sender<Vec<u8>>>,
    ) -> Result<(Begun, Option<Arc<Stream>>), Fault> {
        let mut slots = self.slots();
        let before = slots.get_mut(&intake.part).and_then(|slot| slot.stream.take());
        if let Some(running) = &before
            && running.is_finishing.load(Ordering::Acquire)
        {
            let is_same = running.intake.upload == intake.upload;
            let bytes = running.intake.size.unwrap_or_else(|| running.written());
            if let Some(slot) = slots.get_mut(&intake.part) {
                slot.stream = before;
            }
            return if is_same { Ok((Begun::Finishing(bytes), None)) } else { Err(same_bytes_elsewhere()) };
        }
        if let Some(before) = &before {
            before.cut();
        }
        let hashed = match slots.get(&intake.part) {
            Some(slot) if offset > 0 => slot.hashed.clone(),
            _ => Arc::default(),
        };
        let stream = Arc::new(Stream::of(intake.clone(), empty, hashed.clone()));
        slots.insert(intake.part.clone(), Slot { hashed, stream: Some(stream.clone()) });
        let other = before.filter(|before| before.intake.upload != intake.upload);
        Ok((Begun::Stream(stream), other))
    }

    /// All bytes were handed over. `false` when another has taken over.
    pub fn finishing(&self, stream: &Arc<Stream>) -> bool {
        let slots = self.slots();
        let is_current = slots.get(&stream.intake.part).is_some_and(|slot| slot.has(stream));
        if is_current {
            stream.is_finishing.store(true, Ordering::Release);
        }
        is_current
    }

    /// The sender is gone; what is hashed stays for the next one.
    pub fn pause(&self, stream: &Arc<Stream>) {
        let mut slots = self.slots();
        if slots.values().filter(|slot| slot.stream.is_none()).count() >= IDLE_PARTS {
            slots.retain(|_, slot| slot.stream.is_some());
        }
        if let Some(slot) = slots.get_mut(&stream.intake.part).filter(|slot| slot.has(stream)) {
            slot.stream = None;
        }
    }

    /// It became a file, or never will.
    pub fn end(&self, stream: &Arc<Stream>) {
        let mut slots = self.slots();
        if slots.get(&stream.intake.part).is_some_and(|slot| slot.has(stream)) {
            slots.remove(&stream.intake.part);
        }
    }

    /// Forgets a part and cuts off who sends it.
    pub fn forget(&self, part: &str) {
        if let Some(stream) = self.slots().remove(part).and_then(|slot| slot.stream) {
            stream.cut();
        }
    }

    /// How many bytes the others, that are coming just now, have announced and not brought.
    pub fn announced(&self, but: &str) -> u64 {
        let slots = self.slots();
        let running = slots.iter().filter(|(part, _)| ***part != *but).filter_map(|(_, slot)| slot.stream.as_ref());
        let missing = running.map(|stream| stream.intake.size.unwrap_or(0).saturating_sub(stream.written()));
        missing.fold(0, u64::saturating_add)
    }

    /// Does something to a part that nobody is sending.
    pub fn unless_busy(&self, part: &str, work: impl FnOnce()) {
        let mut slots = self.slots();
        if slots.get(part).is_none_or(|slot| slot.stream.is_none()) {
            slots.remove(part);
            work();
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Box<str>, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn has(&self, stream: &Arc<Stream>) -> bool {
        self.stream.as_ref().is_some_and(|mine| Arc::ptr_eq(mine, stream))
    }
}

fn same_bytes_elsewhere() -> Fault {
    Fault::Io(
        "the same bytes are just being stored under another name; offer them again, then they need not be sent".into(),
    )
}
