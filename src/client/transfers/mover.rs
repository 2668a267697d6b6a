//! Carries out what the queue decides: it has the channels, the sockets, the files and the clock.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use smol::{LocalExecutor, Timer, future};

use super::memory::{Kept, Memory};
use super::queue::{Fact, Order, Queue};
use super::{News, Setup, Told, Wish};
use crate::client::{Command, Event};
use crate::net::tls::Encryption;
use lanes::{Lanes, Load, Place};

mod hash;
mod http;
mod landing;
mod lane;
mod lanes;
mod look;

/// Bytes that are read, hashed, written or sent in one piece.
const PIECE_BYTES: usize = 256 << 10;

/// Facts that are taken in before the orders are carried out.
const FACTS_AT_ONCE: usize = 256;

/// Works until the front end has gone, or the link has ended.
pub(super) fn run(setup: Setup, told: Receiver<Told>, news: Sender<News>) {
    let executor = Rc::new(LocalExecutor::new());
    let (to_queue, facts) = async_channel::unbounded();
    let place = Rc::new(Place {
        encryption: setup.is_encrypted.then(Encryption::default),
        server: RefCell::default(),
        downloads: absolute(setup.downloads),
        facts: to_queue.clone(),
        stopped: Stopped::default(),
    });
    let memory = setup.memory.and_then(|folder| Memory::open(&folder, setup.address.to_string()));
    let lanes = Lanes::open(&executor, &place);
    let mover = Mover {
        queue: Queue::default(),
        started: Instant::now(),
        told,
        facts,
        place,
        lanes,
        memory,
        to_keep: None,
        lines: VecDeque::new(),
        to_link: setup.commands,
        untold: VecDeque::new(),
        to_front: news,
    };
    smol::block_on(executor.run(mover.work()));
}

/// The keys of files that nothing more is to be done with, known to all threads.
#[derive(Clone, Default, Debug)]
struct Stopped(Arc<Mutex<HashSet<u64>>>);

impl Stopped {
    fn has(&self, key: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    fn stop(&self, key: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }
}

struct Mover {
    queue: Queue,
    started: Instant,
    told: Receiver<Told>,
    facts: Receiver<Fact>,
    place: Rc<Place>,
    lanes: Lanes,
    memory: Option<Memory>,
    /// What has changed since it was written.
    to_keep: Option<Vec<Kept>>,
    /// Lines that the link does not take yet.
    lines: VecDeque<Command>,
    to_link: Sender<Command>,
    /// News that the front end does not take yet.
    untold: VecDeque<News>,
    to_front: Sender<News>,
}

/// What the mover was woken by.
enum Woken {
    Told(Told),
    Fact(Fact),
    Due,
    /// The link has taken a line.
    Said,
    /// The front end has taken a piece of news.
    Heard,
    Over,
}

impl Mover {
    async fn work(mut self) {
        self.take_up();
        loop {
            self.carry_out();
            match self.woken().await {
                Woken::Told(Told::Wish(wish)) => self.wished(wish),
                Woken::Told(Told::Happened(Event::Ended(_))) => {
                    self.take(Fact::Ended);
                    return self.say_the_rest().await;
                }
                Woken::Told(Told::Happened(event)) => self.happened(event),
                Woken::Fact(fact) => {
                    self.take(fact);
                    for _ in 0..FACTS_AT_ONCE {
                        let Ok(fact) = self.facts.try_recv() else { break };
                        self.take(fact);
                    }
                }
                Woken::Due => self.queue.tick(self.now_ms()),
                Woken::Said | Woken::Heard => {}
                Woken::Over => return,
            }
        }
    }

    /// What was unfinished the last time is wished again.
    fn take_up(&mut self) {
        let kept = self.memory.as_ref().map(Memory::read).unwrap_or_default();
        let name = |kept: &Kept| match kept {
            Kept::Put { path, .. } => path.display().to_string().into(),
            Kept::Get { name, .. } => name.clone(),
        };
        if kept.is_empty() {
            return;
        }
        self.untold.push_back(News::TakenUp(kept.iter().map(name).collect()));
        for kept in kept {
            self.take(Fact::Wished(match kept {
                Kept::Put { path, scope, replace } => Wish::Put { paths: vec![path], scope, replace },
                Kept::Get { name, scope } => Wish::Get { names: vec![name], scope },
            }));
        }
    }

    fn wished(&mut self, wish: Wish) {
        let wish = match wish {
            Wish::Put { paths, scope, replace } => {
                Wish::Put { paths: paths.into_iter().map(absolute).collect(), scope, replace }
            }
            other => other,
        };
        self.take(Fact::Wished(wish));
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Reached { server, key } => *self.place.server.borrow_mut() = Some((server, key)),
            Event::In { features, .. } => self.take(Fact::In { has_cloud: features.has_files() }),
            Event::Lost(_) => self.take(Fact::Lost),
            Event::File(answer) => self.take(Fact::Answered(*answer)),
            _ => {}
        }
    }

    fn take(&mut self, fact: Fact) {
        self.queue.take(self.now_ms(), fact);
    }

    fn carry_out(&mut self) {
        for order in self.queue.orders() {
            match order {
                Order::Say { label, line } => self.lines.push_back(Command::File { label, line }),
                Order::Tell(news) => self.untold.push_back(news),
                Order::Keep(kept) => self.to_keep = Some(kept),
                Order::Stop(key) => self.place.stopped.stop(key),
                Order::Bring(upload) => self.lanes.load(Load::Bring(upload)),
                Order::Fetch(download) => self.lanes.load(Load::Fetch(download)),
                Order::Look { errand, path } => {
                    let facts = self.place.facts.clone();
                    smol::unblock(move || drop(facts.try_send(look::at(errand, &path)))).detach();
                }
                Order::Hash(paths) => {
                    let (facts, stopped) = (self.place.facts.clone(), self.place.stopped.clone());
                    smol::unblock(move || hash::all(&paths, &facts, &stopped)).detach();
                }
            }
        }
        if let (Some(memory), Some(kept)) = (&self.memory, self.to_keep.take()) {
            // Without it, the worst is that something has to be asked for again.
            let _ = memory.write(&kept);
        }
        while let Some(line) = self.lines.pop_front() {
            if let Err(error) = self.to_link.try_send(line) {
                self.lines.push_front(error.into_inner());
                break;
            }
        }
        while let Some(news) = self.untold.pop_front() {
            if let Err(error) = self.to_front.try_send(news) {
                self.untold.push_front(error.into_inner());
                break;
            }
        }
    }

    async fn woken(&mut self) -> Woken {
        let due = self.queue.deadline_ms().map(|due_ms| self.started + Duration::from_millis(due_ms));
        let (line, news) = (self.lines.front().cloned(), self.untold.front().cloned());
        let told = async { self.told.recv().await.map_or(Woken::Over, Woken::Told) };
        let fact = async { self.facts.recv().await.map_or(Woken::Over, Woken::Fact) };
        let due = async {
            match due {
                Some(due) => Timer::at(due).await,
                None => future::pending().await,
            };
            Woken::Due
        };
        let said = async {
            // A link that has ended takes nothing; that comes as an event.
            match line {
                Some(line) => self.to_link.send(line).await.is_ok().then_some(Woken::Said),
                None => None,
            }
        };
        let heard = async {
            match news {
                Some(news) => Some(self.to_front.send(news).await.map_or(Woken::Over, |()| Woken::Heard)),
                None => None,
            }
        };
        let said = async { or_never(said.await).await };
        let heard = async { or_never(heard.await).await };
        let woken = future::or(future::or(told, due), future::or(fact, future::or(said, heard))).await;
        match woken {
            Woken::Said => drop(self.lines.pop_front()),
            Woken::Heard => drop(self.untold.pop_front()),
            Woken::Told(_) | Woken::Fact(_) | Woken::Due | Woken::Over => {}
        }
        woken
    }

    /// The link has ended: what there is to tell is told, and that is all.
    async fn say_the_rest(mut self) {
        self.carry_out();
        for news in std::mem::take(&mut self.untold) {
            if self.to_front.send(news).await.is_err() {
                return;
            }
        }
    }

    /// Milliseconds since the start, by a clock that never jumps.
    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

async fn or_never<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => future::pending().await,
    }
}

/// What a path means, also when the program's folder is another one the next time.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests;
