//! One connection that speaks HTTP: what is read and what is answered go side by side, so that requests may follow each other without waiting.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use async_io::Timer;

use crate::server::listen::household;
use crate::server::transport::Link;
use crate::wire::limits::HTTP_PIPELINED;

use super::Arrived;
use super::due::Due;
use super::reader::Reader;
use super::shared::Shared;
use super::sleep::Watched;
use super::writer::Writer;

/// How long somebody has to read the last answer and hang up. Hanging up on bytes that nobody has read would be a reset, which takes the answer away.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// What both sides of a connection know.
pub struct Visit {
    /// Who watches the socket; `None` where the reactor does. Dropped before the link.
    watched: Option<Watched>,
    /// Its bytes.
    pub link: Link,
    /// Where from.
    pub address: IpAddr,
    /// What counts as one address.
    pub household: IpAddr,
    /// Nobody on the way can read it.
    pub is_secure: bool,
    /// What all connections have in common.
    pub shared: Rc<Shared>,
    /// Until when is waited for something to read.
    pub reads: Rc<Due>,
    /// Until when is waited for room to write.
    pub writes: Rc<Due>,
    /// Requests that are not answered to their end.
    pub open: Open,
}

/// Serves a connection until it ends.
pub async fn serve(arrived: Arrived, shared: Rc<Shared>) {
    let Arrived { link, address, is_secure, first, permit } = arrived;
    let (reads, writes) = (shared.due(), shared.due());
    let (open, watched) = (Open::new(), shared.sleeper.watch(&link));
    let visit = Visit { watched, link, address, household: household(address), is_secure, shared, reads, writes, open };
    let (queue, items) = async_channel::bounded(HTTP_PIPELINED);
    let read = async {
        let end = Reader::new(&visit, queue, first).read().await;
        // What was asked is answered before the connection ends.
        visit.open.settled().await;
        end
    };
    let write = async {
        match Writer::new(&visit, items).write().await {
            // The reader says how it ends.
            Ok(()) => std::future::pending().await,
            Err(_) => End::Broken,
        }
    };
    if smol::future::or(Box::pin(read), Box::pin(write)).await == End::Said {
        visit.part().await;
    }
    drop(permit);
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// By an answer that was the last.
    Said,
    /// There is nobody to be told anything.
    Broken,
}

impl Visit {
    /// Waits for something to read, but not beyond this moment. To be called right after a try that found nothing.
    pub async fn readable_until(&self, at: Instant) -> io::Result<()> {
        self.reads.until(at, self.wait_for_bytes()).await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Waits for something to read, for ever. Meanwhile what TLS has to say goes out, when nobody else writes.
    async fn wait_for_bytes(&self) -> io::Result<()> {
        let Some(watched) = &self.watched else { return poll_fn(|cx| self.link.poll_readable(cx)).await };
        let flush = async {
            while self.link.unsent_bytes() > 0 && self.open.rests_since().is_some() {
                self.link.write(&[])?;
                watched.writable().await;
            }
            std::future::pending().await
        };
        let bytes = async {
            watched.readable().await;
            Ok(())
        };
        smol::future::or(bytes, flush).await
    }

    /// Waits for something to read while a transfer is under way.
    pub async fn readable(&self) -> io::Result<()> {
        self.readable_until(Instant::now() + self.shared.patience.stalled).await
    }

    /// Waits for room to write. To be called right after a try that found none.
    pub async fn writable(&self) -> io::Result<()> {
        let writable = async {
            match &self.watched {
                Some(watched) => {
                    watched.writable().await;
                    Ok(())
                }
                None => self.link.writable().await,
            }
        };
        let writable = self.writes.within(self.shared.patience.stalled, writable);
        writable.await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Lets the other side read the last answer and hang up.
    async fn part(&self) {
        self.link.end();
        let read_past = async {
            while self.link.read_past(&mut self.shared.scratch.borrow_mut()).is_ok() {
                if self.wait_for_bytes().await.is_err() {
                    return;
                }
            }
        };
        let too_late = async {
            Timer::after(FAREWELL_WITHIN).await;
        };
        smol::future::or(read_past, too_late).await;
    }
}

/// Requests that are not answered to their end: how many, and since when there is none.
pub struct Open {
    count: Cell<usize>,
    since: Cell<Instant>,
    waiting: Cell<Option<Waker>>,
}

impl Open {
    fn new() -> Open {
        Open { count: Cell::new(0), since: Cell::new(Instant::now()), waiting: Cell::new(None) }
    }

    /// One more.
    pub fn begin(&self) {
        self.count.set(self.count.get() + 1);
    }

    /// So many are answered to their last byte.
    pub fn end(&self, count: usize) {
        if count == 0 {
            return;
        }
        self.count.set(self.count.get().saturating_sub(count));
        if self.count.get() == 0 {
            self.since.set(Instant::now());
            if let Some(waiting) = self.waiting.take() {
                waiting.wake();
            }
        }
    }

    /// Since when everything is answered; `None` when something is not.
    pub fn rests_since(&self) -> Option<Instant> {
        (self.count.get() == 0).then(|| self.since.get())
    }

    /// Waits until everything is answered.
    pub async fn settled(&self) {
        poll_fn(|cx| {
            if self.count.get() == 0 {
                return Poll::Ready(());
            }
            self.waiting.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}
