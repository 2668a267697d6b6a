//! How does the thread of the transfers sleep, and what wakes it? It watches its own sockets where the system lets it: a transfer must not wake the thread of the talk
//! for every piece that a socket takes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::server::transport::Link;
use crate::system::watch::{Ready, Watch};

/// Watches the sockets of all connections.
pub struct Sleeper {
    /// `None` where the thread of the talk watches them.
    watch: Option<RefCell<Watch>>,
    signals: RefCell<HashMap<u64, Rc<Signal>>>,
    last: Cell<u64>,
}

/// What is known of one socket.
#[derive(Default)]
struct Signal {
    readable: Cell<bool>,
    writable: Cell<bool>,
    reader: Cell<Option<Waker>>,
    writer: Cell<Option<Waker>>,
}

/// A socket that is watched.
pub struct Watched {
    sleeper: Rc<Sleeper>,
    key: u64,
    signal: Rc<Signal>,
}

impl Sleeper {
    /// Watches nothing yet.
    pub fn new() -> Sleeper {
        let watch = match Watch::new() {
            Ok(watch) => Some(RefCell::new(watch)),
            Err(why) => {
                if why.kind() != std::io::ErrorKind::Unsupported {
                    log::warn!("the transfers cannot watch their own connections: {why}; the talk watches them");
                }
                None
            }
        };
        Sleeper { watch, signals: RefCell::default(), last: Cell::new(0) }
    }

    /// Watches a connection until what is returned is dropped; `None` where somebody else does.
    pub fn watch(self: &Rc<Self>, link: &Link) -> Option<Watched> {
        let watch = self.watch.as_ref()?.borrow();
        let key = self.last.get() + 1;
        link.watch_by(&watch, key).ok()?;
        self.last.set(key);
        let signal = Rc::new(Signal::default());
        self.signals.borrow_mut().insert(key, signal.clone());
        Some(Watched { sleeper: self.clone(), key, signal })
    }

    /// Runs a future to its end on this thread, and sleeps when it has nothing to do.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let Some(watch) = &self.watch else { return smol::future::block_on(future) };
        let waker = Waker::from(watch.borrow().bell());
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            watch.borrow().wake_up();
            if let Poll::Ready(result) = future.as_mut().poll(&mut cx) {
                return result;
            }
            let slept = watch.borrow_mut().rest(|ready| self.tell(ready));
            if let Err(why) = slept {
                // It does not happen to a descriptor that is open. If it did, everybody would be told to try.
                log::error!("the transfers cannot watch their connections: {why}");
                self.signals.borrow().values().for_each(|signal| signal.tell(true, true));
            }
        }
    }

    fn tell(&self, ready: Ready) {
        if let Some(signal) = self.signals.borrow().get(&ready.key) {
            signal.tell(ready.readable, ready.writable);
        }
    }
}

impl Signal {
    fn tell(&self, readable: bool, writable: bool) {
        for (has_come, flag, waiting) in
            [(readable, &self.readable, &self.reader), (writable, &self.writable, &self.writer)]
        {
            if has_come {
                flag.set(true);
                if let Some(waiting) = waiting.take() {
                    waiting.wake();
                }
            }
        }
    }
}

/// Waits for a change, beginning right after a try that found nothing: what was told before is no news.
async fn change(flag: &Cell<bool>, waiting: &Cell<Option<Waker>>) {
    flag.set(false);
    std::future::poll_fn(|cx| {
        if flag.get() {
            return Poll::Ready(());
        }
        waiting.set(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}

impl Watched {
    /// Waits for something to read. To be called right after a try that found nothing, before anything else is waited for.
    pub async fn readable(&self) {
        change(&self.signal.readable, &self.signal.reader).await;
    }

    /// Waits for room to write, likewise.
    pub async fn writable(&self) {
        change(&self.signal.writable, &self.signal.writer).await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.sleeper.signals.borrow_mut().remove(&self.key);
    }
}
