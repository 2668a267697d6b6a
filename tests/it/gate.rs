//! A relay before a server that does to the connections of files, and to no other, what a bad network or a bad moment does: flips bits, stops in the middle.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::board::PATIENCE;

/// What becomes of the bytes of files, either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// They arrive as they were sent.
    Arrive,
    /// One bit of each so many bytes arrives as another one.
    Flip(u64),
    /// After so many of them nothing more arrives on that connection.
    Stop(u64),
}

/// The relay. It runs until the test's process ends.
pub struct Gate {
    /// Where clients connect.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stopped: Receiver<()>,
}

struct Shared {
    /// Where the server is; nowhere while its plug is pulled.
    server: Mutex<Option<SocketAddr>>,
    moved: Condvar,
    fate: Mutex<Fate>,
    /// Bytes of files that went through, requests and heads with them.
    bytes: AtomicU64,
    to_test: Sender<()>,
}

impl Gate {
    /// A relay to a server.
    pub fn to(server: SocketAddr, fate: Fate) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (to_test, stopped) = channel();
        let shared = Arc::new(Shared {
            server: Mutex::new(Some(server)),
            moved: Condvar::new(),
            fate: Mutex::new(fate),
            bytes: AtomicU64::new(0),
            to_test,
        });
        let own = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = own.clone();
                thread::spawn(move || carry(client, &shared));
            }
        });
        Gate { address, shared, stopped }
    }

    /// From here on the server is there, or nowhere.
    pub fn lead_to(&self, server: Option<SocketAddr>) {
        *self.shared.server.lock().unwrap() = server;
        self.shared.moved.notify_all();
    }

    /// What becomes of the bytes of connections from here on.
    pub fn set_fate(&self, fate: Fate) {
        *self.shared.fate.lock().unwrap() = fate;
    }

    /// Waits until a connection has stopped in the middle.
    pub fn wait_for_stop(&self) {
        self.stopped.recv_timeout(PATIENCE).expect("a transfer comes to where it is stopped");
    }

    /// Bytes of files that went through so far.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }
}

/// Waits until the server is somewhere, looks who comes, and carries bytes both ways.
fn carry(client: TcpStream, shared: &Arc<Shared>) {
    let place = shared.server.lock().unwrap();
    let place = *shared.moved.wait_while(place, |server| server.is_none()).unwrap();
    let Ok(server) = TcpStream::connect(place.unwrap()) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut first = [0; 4];
    let Ok(count) = client.peek(&mut first) else { return };
    let fate = match &first[..count] {
        b"PATC" | b"GET " => Some(*shared.fate.lock().unwrap()),
        _ => None,
    };
    let ends = [(&client, &server), (&server, &client)].map(|(from, to)| (from.try_clone(), to.try_clone()));
    for (from, to) in ends {
        let (Ok(from), Ok(to)) = (from, to) else { return };
        let shared = shared.clone();
        thread::spawn(move || {
            pump(&from, &to, fate, &shared);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

/// One direction. Only what is long is touched: requests without bodies and answers without files are not.
fn pump(mut from: &TcpStream, mut to: &TcpStream, fate: Option<Fate>, shared: &Shared) {
    let mut buffer = vec![0; 64 << 10];
    let mut before = 0;
    while let Ok(came @ 1..) = from.read(&mut buffer) {
        let after = before + came as u64;
        let mut passes = came;
        match fate {
            Some(Fate::Flip(every)) if before / every < after / every => {
                buffer[(after / every * every - before) as usize % came] ^= 1;
            }
            Some(Fate::Stop(most)) if after > most => passes = most.saturating_sub(before) as usize,
            _ => {}
        }
        if to.write_all(&buffer[..passes]).is_err() {
            return;
        }
        if fate.is_some() {
            shared.bytes.fetch_add(passes as u64, Ordering::Relaxed);
        }
        if passes < came {
            let _ = shared.to_test.send(());
            // Held until one of the two ends goes: a read that brings nothing says so.
            while let Ok(1..) = from.read(&mut buffer) {}
            return;
        }
        before = after;
    }
}
