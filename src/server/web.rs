//! HTTP/1.1 on the port of the talk: files come and go here, on a thread of their own.
//!
//! A connection (`visit`) has two sides that go on side by side. `reader` takes requests in, asks the rules, and brings bodies to the disk (`receive`); `writer`
//! answers in the order of the requests, and sends files (`send`). Nothing is decided here that a rule could decide.

mod announced;
mod answer;
mod due;
mod file;
mod item;
mod listing;
mod rate;
mod reader;
mod receive;
mod route;
mod send;
mod shared;
mod sleep;
mod turns;
mod visit;
mod writer;

#[cfg(test)]
mod tests;

use std::io;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Instant;

use async_channel::{Receiver, Sender};
use async_io::Timer;
use smol::LocalExecutor;
use smol::future::FutureExt;

use crate::system;

use super::cloud::Cloud;
use super::hub::Mail;
use super::listen::Permit;
use super::transport::Link;

use self::shared::{Patience, Shared};

/// What the host chose for transfers.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Transfers at once.
    pub max_transfers: usize,
    /// Bytes per second of one transfer, at most.
    pub rate: Option<u64>,
    /// Bytes per second of all together, at most.
    pub rate_total: Option<u64>,
    /// The network's name, for the listing.
    pub network: Box<str>,
}

/// A connection whose first bytes are HTTP.
pub struct Arrived {
    /// Its bytes, both ways.
    pub link: Link,
    /// Where from.
    pub address: IpAddr,
    /// Nobody on the way can read it.
    pub is_secure: bool,
    /// What was read of it already.
    pub first: Vec<u8>,
    /// Its right to be here.
    pub permit: Permit,
}

/// The door to the thread of the transfers. The thread ends when nobody has it any more.
#[derive(Clone)]
pub struct Web(Sender<Arrived>);

impl Web {
    /// Starts the thread.
    pub fn start(settings: WebSettings, cloud: Cloud, mail: Sender<Mail>) -> io::Result<Web> {
        Web::start_with(settings, cloud, mail, Patience::default())
    }

    fn start_with(settings: WebSettings, cloud: Cloud, mail: Sender<Mail>, patience: Patience) -> io::Result<Web> {
        // As many as there are permits.
        let (door, arrivals) = async_channel::unbounded();
        let run = move || {
            // On a board with one core a line of talk must not wait for a turn of the transfers.
            system::give_way();
            let shared = Rc::new(Shared::new(settings, cloud, mail, patience));
            let executor = Rc::new(LocalExecutor::new());
            let sleeper = shared.sleeper.clone();
            sleeper.run(executor.run(receive(executor.clone(), shared, arrivals)));
        };
        std::thread::Builder::new().name("transfers".into()).spawn(run)?;
        Ok(Web(door))
    }

    /// Gives it a connection.
    pub fn take(&self, arrived: Arrived) {
        // When the thread is gone, so is the server.
        let _ = self.0.try_send(arrived);
    }
}

/// Serves whoever comes, and looks after those who wait. While nobody is there, nothing wakes it.
async fn receive(executor: Rc<LocalExecutor<'static>>, shared: Rc<Shared>, arrivals: Receiver<Arrived>) {
    let mut next_look: Option<Instant> = None;
    loop {
        let arrival = async { Some(arrivals.recv().await) };
        let look = async {
            match next_look {
                Some(at) => Timer::at(at).await,
                None => std::future::pending().await,
            };
            None
        };
        match look.or(arrival).await {
            Some(Ok(arrived)) => {
                executor.spawn(serve(arrived, shared.clone())).detach();
                next_look = next_look.or_else(|| Some(Instant::now() + shared.patience.look));
            }
            Some(Err(_)) => return,
            None => {
                shared.dues.ring(Instant::now());
                next_look = (!shared.dues.is_empty()).then(|| Instant::now() + shared.patience.look);
            }
        }
    }
}

async fn serve(arrived: Arrived, shared: Rc<Shared>) {
    // A panic is our mistake, and must cost this connection only: the executor would pass it on to all.
    if AssertUnwindSafe(visit::serve(arrived, shared)).catch_unwind().await.is_err() {
        log::error!("a transfer ended in a panic; this is a fault in gzy, please report it");
    }
}
