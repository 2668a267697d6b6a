//! A network that cuts links in the middle of a byte stream: a relay between clients and a server whose address may change.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Half of the links are cut within a few screenfuls, many in the middle of coming in; the others live longer.
const SHORT_LIFE_BYTES: u64 = 10_000;
const LONG_LIFE_BYTES: u64 = 60_000;

/// A generator of numbers that are the same in every run (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end
    }
}

/// The relay. It runs until the test's process ends.
pub struct Cuts {
    /// Where clients connect.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where the server is; nowhere while its plug is pulled.
    server: Mutex<Option<SocketAddr>>,
    moved: Condvar,
    cut: AtomicUsize,
}

impl Cuts {
    /// A relay that cuts where the dice say.
    pub fn new(mut dice: Dice) -> Cuts {
        Cuts::with_lives(move || {
            let lifetime = if dice.below(2) == 0 { LONG_LIFE_BYTES } else { SHORT_LIFE_BYTES };
            dice.below(lifetime)
        })
    }

    /// A relay that cuts each link after between so many and so many bytes.
    pub fn between(mut dice: Dice, least: u64, most: u64) -> Cuts {
        Cuts::with_lives(move || least + dice.below(most - least))
    }

    fn with_lives(mut life: impl FnMut() -> u64 + Send + 'static) -> Cuts {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { server: Mutex::new(None), moved: Condvar::new(), cut: AtomicUsize::new(0) });
        let own = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (shared, budget) = (own.clone(), life() as i64);
                thread::spawn(move || carry(client, &shared, budget));
            }
        });
        Cuts { address, shared }
    }

    /// From here on the server is there, or nowhere.
    pub fn lead_to(&self, server: Option<SocketAddr>) {
        *self.shared.server.lock().unwrap() = server;
        self.shared.moved.notify_all();
    }

    /// Links that were cut by the dice, not by their ends.
    pub fn count(&self) -> usize {
        self.shared.cut.load(Ordering::Relaxed)
    }
}

/// Waits until the server is somewhere, and carries bytes both ways until the budget is spent.
fn carry(client: TcpStream, shared: &Arc<Shared>, budget: i64) {
    let place = shared.server.lock().unwrap();
    let place = *shared.moved.wait_while(place, |server| server.is_none()).unwrap();
    // Between the two the plug may have been pulled; then the client's link ends, as it would.
    let Ok(server) = TcpStream::connect(place.unwrap()) else { return };
    // No timeouts: a link on which nothing comes must look to its ends as it is.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let left = Arc::new(AtomicI64::new(budget));
    let ends = [(&client, &server), (&server, &client)].map(|(from, to)| (from.try_clone(), to.try_clone()));
    for (from, to) in ends {
        let (Ok(from), Ok(to)) = (from, to) else { return };
        let (shared, left) = (shared.clone(), left.clone());
        thread::spawn(move || {
            pump(&from, &to, &left, &shared.cut);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, left: &AtomicI64, cut: &AtomicUsize) {
    let mut buffer = [0; 1500];
    while let Ok(came @ 1..) = from.read(&mut buffer) {
        let before = left.fetch_sub(came as i64, Ordering::Relaxed);
        // The cut falls in the middle of what came, between any two bytes of a line or of a character.
        let may_pass = before.clamp(0, came as i64) as usize;
        if to.write_all(&buffer[..may_pass]).is_err() {
            return;
        }
        if may_pass < came {
            cut.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}
