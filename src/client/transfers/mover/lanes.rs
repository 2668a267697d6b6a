//! How many connections there are for bytes, and where they go.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use async_channel::{Receiver, Sender};
use smol::LocalExecutor;

use super::Stopped;
use super::lane;
use crate::client::transfers::queue::{Download, End, Fact, Upload};
use crate::net::tls::Encryption;
use crate::net::{self, Address, BoxedStream};
use crate::wire::fingerprint::Fingerprint;

/// Connections for small files, and how many requests are under way on each: while one is synced at the other end, the next are there already.
const SMALL_LANES: usize = 2;
const SMALL_DEPTH: usize = 64;

/// Connections for big files: as many as the queue lets move at once.
const BIG_LANES: usize = 3;
const BIG_DEPTH: usize = 1;

/// What every connection has to know.
pub(super) struct Place {
    /// Makes connections encrypted, where the chat link is.
    pub(super) encryption: Option<Encryption>,
    /// Where the chat link goes, and the key that it trusts.
    pub(super) server: RefCell<Option<(Address, Option<Fingerprint>)>>,
    /// Where downloads go.
    pub(super) downloads: PathBuf,
    /// To the queue.
    pub(super) facts: Sender<Fact>,
    pub(super) stopped: Stopped,
}

impl Place {
    pub(super) fn tell(&self, fact: Fact) {
        let _ = self.facts.try_send(fact);
    }

    /// A connection to the server that the chat link goes to, and the name of its host; `None` when there is none, or when somebody else answers there.
    pub(super) async fn connect(&self) -> Option<(BoxedStream, String)> {
        let (address, trusted) = self.server.borrow().clone()?;
        let opened = net::open(&address, self.encryption.as_ref()).await.ok()?;
        // In clear there is no key on either side. Nothing is said to a key that the chat link does not trust.
        (opened.key == trusted).then(|| (opened.stream, address.to_string()))
    }
}

/// Bytes to be moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Load {
    /// To the server.
    Bring(Upload),
    /// From the server.
    Fetch(Download),
}

impl Load {
    pub(super) fn key(&self) -> u64 {
        match self {
            Load::Bring(upload) => upload.key,
            Load::Fetch(download) => download.key,
        }
    }

    fn is_small(&self) -> bool {
        match self {
            Load::Bring(upload) => upload.is_small(),
            Load::Fetch(download) => download.is_small(),
        }
    }
}

/// All connections for bytes. Each is made when there is something to move, and ends when there is nothing any more.
pub(super) struct Lanes {
    small: Sender<Load>,
    big: Sender<Load>,
}

impl Lanes {
    /// None of them is connected yet.
    pub(super) fn open(executor: &Rc<LocalExecutor<'static>>, place: &Rc<Place>) -> Lanes {
        let lanes = |count: usize, depth: usize| {
            // Not bounded: the queue lets so and so many be under way.
            let (to_lanes, loads) = async_channel::unbounded();
            for _ in 0..count {
                executor.spawn(serve(loads.clone(), depth, place.clone())).detach();
            }
            to_lanes
        };
        Lanes { small: lanes(SMALL_LANES, SMALL_DEPTH), big: lanes(BIG_LANES, BIG_DEPTH) }
    }

    /// The next free lane takes it.
    pub(super) fn load(&self, load: Load) {
        let lanes = if load.is_small() { &self.small } else { &self.big };
        let _ = lanes.try_send(load);
    }
}

/// One connection after another, as long as there is something to move.
async fn serve(loads: Receiver<Load>, depth: usize, place: Rc<Place>) {
    while let Ok(first) = loads.recv().await {
        match place.connect().await {
            Some((stream, host)) => lane::carry(stream, &host, first, &loads, depth, &place).await,
            None => place.tell(Fact::Came { key: first.key(), end: End::Broken }),
        }
    }
}
