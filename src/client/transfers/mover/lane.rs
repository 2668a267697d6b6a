//! One connection for bytes: requests go out without waiting for the answers, which come in the same order.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::rc::Rc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use smol::future;
use smol::io::{AsyncWriteExt, WriteHalf};

use super::PIECE_BYTES;
use super::hash;
use super::http;
use super::landing::{Landing, Prepared};
use super::lanes::{Load, Place};
use crate::client::transfers::queue::{Download, End, Fact, Upload};
use crate::net::{BoxedStream, within};

mod answers;

/// How long the other side may take no byte. Poor Wi-Fi has bad minutes.
const STALL: Duration = Duration::from_secs(120);

/// How long a connection with nothing to do is kept: the next file often comes at once.
const IDLE: Duration = Duration::from_secs(5);

/// How long an answer may still be on its way when the other side takes nothing any more: it says why.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Why a connection is of no use any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cut {
    /// It broke, or what came is no HTTP.
    Broken,
    /// The user wants what was under way no more; there is no other way to say that.
    Stopped,
}

impl From<io::Error> for Cut {
    fn from(_: io::Error) -> Cut {
        Cut::Broken
    }
}

/// A request whose answer is waited for.
enum Flight {
    Up { upload: Upload, is_sent: Rc<Cell<bool>> },
    Down { key: u64, landing: Box<Landing> },
}

struct Lane<'a> {
    place: &'a Rc<Place>,
    host: &'a str,
    /// Files that were begun here and whose end was not told.
    open: RefCell<BTreeSet<u64>>,
    /// Holds one `()` for each request that is under way; there is room for so and so many.
    room: (Sender<()>, Receiver<()>),
    flights: (Sender<Flight>, Receiver<Flight>),
}

/// Moves what there is to move, until there is nothing any more, or the connection breaks.
pub(super) async fn carry(
    stream: BoxedStream,
    host: &str,
    first: Load,
    loads: &Receiver<Load>,
    depth: usize,
    place: &Rc<Place>,
) {
    let (input, output) = smol::io::split(stream);
    let (room, flights) = (async_channel::bounded(depth), async_channel::unbounded());
    let lane = Lane { place, host, open: RefCell::default(), room, flights };
    let writing = async {
        if lane.send(output, first, loads).await == Err(Cut::Broken) {
            lane.flights.0.close();
            smol::Timer::after(LAST_WORDS).await;
        }
    };
    future::or(writing, async { lane.hear(input).await.unwrap_or_default() }).await;
    for key in lane.open.take() {
        place.tell(Fact::Came { key, end: End::Broken });
    }
}

impl Lane<'_> {
    /// Sends one request after another. `Ok` when there was nothing to do for a while.
    async fn send(&self, mut output: WriteHalf<BoxedStream>, first: Load, loads: &Receiver<Load>) -> Result<(), Cut> {
        let mut next = Some(first);
        loop {
            let _ = self.room.0.send(()).await;
            let load = match next.take() {
                Some(load) => load,
                None => match self.next(loads).await {
                    Some(load) => load,
                    None => return Ok(()),
                },
            };
            if self.place.stopped.has(load.key()) {
                let _ = self.room.1.try_recv();
                continue;
            }
            self.open.borrow_mut().insert(load.key());
            match load {
                Load::Bring(upload) => self.bring(&mut output, upload).await?,
                Load::Fetch(download) => self.fetch(&mut output, download).await?,
            }
        }
    }

    /// The next load; `None` when none comes, and no answer is waited for.
    async fn next(&self, loads: &Receiver<Load>) -> Option<Load> {
        loop {
            let idle = async {
                smol::Timer::after(IDLE).await;
                None
            };
            match future::or(async { Some(loads.recv().await) }, idle).await {
                Some(load) => return load.ok(),
                None if self.open.borrow().is_empty() => return None,
                None => {}
            }
        }
    }

    /// A file came to its end here.
    fn came(&self, key: u64, end: End) {
        self.is_done(key);
        self.place.tell(Fact::Came { key, end });
    }

    /// Nothing more is to be done for a file here.
    fn is_done(&self, key: u64) {
        self.open.borrow_mut().remove(&key);
        let _ = self.room.1.try_recv();
    }

    async fn bring(&self, output: &mut WriteHalf<BoxedStream>, upload: Upload) -> Result<(), Cut> {
        let of = upload.clone();
        let (file, piece) = match smol::unblock(move || opened(&of)).await {
            Ok(opened) => opened,
            Err(end) => {
                self.came(upload.key, end);
                return Ok(());
            }
        };
        let length = upload.stamp.size.saturating_sub(upload.offset);
        let mut bytes = http::bring(self.host, &upload.token, upload.offset, length).into_bytes();
        let is_sent = Rc::new(Cell::new(false));
        let _ = self.flights.0.try_send(Flight::Up { upload: upload.clone(), is_sent: is_sent.clone() });
        let mut left = length - piece.len() as u64;
        // The head and the first bytes are one piece: small files are one write.
        bytes.extend_from_slice(&piece);
        let mut spare = piece;
        let mut file = Some(file);
        loop {
            let next = read_piece(file.take().filter(|_| left > 0), spare, left);
            let (written, read) = future::zip(within(STALL, write(output, &bytes)), next).await;
            written?;
            self.place.tell(Fact::Moved { key: upload.key, done: upload.stamp.size - left });
            if left == 0 {
                break;
            }
            if self.place.stopped.has(upload.key) {
                return Err(Cut::Stopped);
            }
            let Ok((again, came)) = read else {
                // It cannot be sent to its end; the connection is of no use without it.
                self.came(upload.key, End::Changed);
                return Err(Cut::Stopped);
            };
            left -= came.len() as u64;
            spare = std::mem::replace(&mut bytes, came);
            file = Some(again);
        }
        is_sent.set(true);
        Ok(())
    }

    async fn fetch(&self, output: &mut WriteHalf<BoxedStream>, download: Download) -> Result<(), Cut> {
        let (key, token, place) = (download.key, download.token.clone(), self.place);
        let downloads = place.downloads.clone();
        let landing = match smol::unblock(move || Landing::prepare(&downloads, &download)).await {
            Ok(Prepared::Here(path)) => {
                self.came(key, End::Fetched { path, at_once: true });
                return Ok(());
            }
            Ok(Prepared::Coming(landing)) if landing.is_whole() => {
                self.land(key, landing);
                return Ok(());
            }
            Ok(Prepared::Coming(landing)) => landing,
            Err(end) => {
                self.came(key, end);
                return Ok(());
            }
        };
        place.tell(Fact::Moved { key, done: landing.done });
        let request = http::fetch(self.host, &token, landing.done);
        let _ = self.flights.0.try_send(Flight::Down { key, landing });
        within(STALL, write(output, request.as_bytes())).await?;
        Ok(())
    }

    /// All bytes are there: the rest is done beside the connection.
    fn land(&self, key: u64, landing: Box<Landing>) {
        self.is_done(key);
        let facts = self.place.facts.clone();
        smol::unblock(move || drop(facts.try_send(Fact::Came { key, end: landing.land() }))).detach();
    }
}

async fn write(output: &mut WriteHalf<BoxedStream>, bytes: &[u8]) -> io::Result<()> {
    output.write_all(bytes).await?;
    // Streams that encrypt keep what is written until they are flushed.
    output.flush().await
}

/// Opens a file that is to be brought, with its first bytes from the offset on. Blocks.
fn opened(upload: &Upload) -> Result<(File, Vec<u8>), End> {
    let here = |why: io::Error| End::Here(upload.path.clone(), why.to_string().into());
    let mut file = File::open(&upload.path).map_err(here)?;
    if hash::stamp(&file.metadata().map_err(here)?) != upload.stamp {
        return Err(End::Changed);
    }
    file.seek(SeekFrom::Start(upload.offset)).map_err(here)?;
    let mut first = Vec::new();
    let left = upload.stamp.size.saturating_sub(upload.offset);
    // A small file is read whole, so that it need not be looked at again.
    let most = if upload.is_small() { left } else { left.min(PIECE_BYTES as u64) };
    (&mut file).take(most).read_to_end(&mut first).map_err(here)?;
    if (first.len() as u64) < most { Err(End::Changed) } else { Ok((file, first)) }
}

/// Reads the next bytes of a file, away from this thread. Without a file there is nothing to read.
async fn read_piece(file: Option<File>, mut buffer: Vec<u8>, left: u64) -> io::Result<(File, Vec<u8>)> {
    let Some(mut file) = file else { return Err(io::ErrorKind::UnexpectedEof.into()) };
    smol::unblock(move || {
        buffer.clear();
        let most = left.min(PIECE_BYTES as u64);
        (&mut file).take(most).read_to_end(&mut buffer)?;
        if (buffer.len() as u64) < most { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok((file, buffer)) }
    })
    .await
}
