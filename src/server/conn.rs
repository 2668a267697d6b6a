//! One client's incoming side: bytes become lines, lines become mail for the hub, no faster than the flood limits allow.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, Read};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::Sender;
use async_io::{Async, Timer};

use crate::chat::flood::Bucket;
use crate::chat::{ConnId, Input};
use crate::wire::line::LineCutter;

use super::hub::Mail;
use super::listen::Permit;

/// Bytes read at once. Read into one buffer that all connections share, so that an idle one has none.
pub const READ_BYTES: usize = 8192;

/// What the connections' tasks have in common.
pub struct Reading {
    /// Where lines go.
    pub mail: Sender<Mail>,
    /// Whether talk is slowed to the flood limits.
    pub flood_limits: bool,
    /// Borrowed between two awaits only.
    pub buffer: RefCell<Box<[u8; READ_BYTES]>>,
    /// For the buckets.
    pub started: Instant,
}

/// One connection's incoming side.
struct Incoming {
    conn: ConnId,
    stream: Arc<Async<TcpStream>>,
    /// The hub wants no more of it; what still comes is thrown away, so that the goodbye is not lost in a reset.
    closed: Rc<Cell<bool>>,
    shared: Rc<Reading>,
    cutter: LineCutter,
    bucket: Bucket,
    is_first: bool,
}

/// Reads until the connection ends.
///
/// Ten thousand idle connections sit in this future, so what is needed only while it works is made when it works.
pub fn read(
    conn: ConnId,
    stream: Arc<Async<TcpStream>>,
    closed: Rc<Cell<bool>>,
    shared: Rc<Reading>,
    permit: Permit,
) -> impl Future<Output = ()> {
    let mut incoming = Incoming {
        conn,
        stream,
        closed,
        shared,
        cutter: LineCutter::of_client(),
        bucket: Bucket::full(0),
        is_first: true,
    };
    async move {
        let reason = loop {
            let ready = poll_fn(|cx| incoming.stream.poll_readable(cx)).await;
            let lines = match ready.and_then(|()| incoming.read_lines()) {
                Ok(lines) => lines,
                Err(why) => break why,
            };
            if !lines.is_empty() {
                // Boxed, so that an idle connection does not hold the room for it.
                Box::pin(incoming.hand_over(lines)).await;
            }
        };
        Box::pin(incoming.report_end(reason)).await;
        drop(permit);
    }
}

impl Incoming {
    /// Reads once; the complete lines in what came. `Err` when the connection is at its end.
    fn read_lines(&mut self) -> io::Result<Vec<Input>> {
        let mut buffer = self.shared.buffer.borrow_mut();
        let bytes = match self.stream.get_ref().read(&mut buffer[..]) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed")),
            Ok(count) => &buffer[..count],
            Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(Vec::new());
            }
            Err(why) => return Err(why),
        };
        if std::mem::take(&mut self.is_first) && !speaks_irc(bytes) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is not IRC"));
        }
        let (conn, mut lines) = (self.conn, Vec::new());
        if !self.closed.get() {
            self.cutter.feed(bytes, |line| {
                lines.push(match line {
                    Ok(text) => Input::Line { conn, text: text.into() },
                    Err(fault) => Input::Unreadable { conn, fault },
                });
            });
        }
        Ok(lines)
    }

    /// Gives lines to the hub, no faster than the flood limits allow. Nothing is read meanwhile: the network holds the rest back.
    async fn hand_over(&mut self, lines: Vec<Input>) {
        for line in lines {
            while let Some(wait_ms) = self.must_wait() {
                Timer::after(Duration::from_millis(wait_ms)).await;
            }
            if self.closed.get() || self.shared.mail.send(Mail::Fact(line)).await.is_err() {
                return;
            }
        }
    }

    fn must_wait(&mut self) -> Option<u64> {
        let now_ms = self.shared.started.elapsed().as_millis() as u64;
        if self.shared.flood_limits { self.bucket.take(now_ms).err() } else { None }
    }

    async fn report_end(&self, why: io::Error) {
        if !self.closed.get() {
            let reason = why.to_string().into();
            let _ = self.shared.mail.send(Mail::Fact(Input::Closed { conn: self.conn, reason })).await;
        }
    }
}

/// Whether the first bytes can be a chat line. TLS and HTTP clients are turned away before their bytes are taken for commands:
/// a web page must not be able to make a browser speak IRC.
fn speaks_irc(first: &[u8]) -> bool {
    const TLS_HANDSHAKE: u8 = 0x16;
    const HTTP_METHODS: [&[u8]; 8] =
        [b"GET ", b"PUT ", b"POST ", b"PATCH ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"CONNECT "];
    first.first() != Some(&TLS_HANDSHAKE) && !HTTP_METHODS.iter().any(|method| first.starts_with(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_tls_clients_are_told_from_irc() {
        for stranger in [&b"GET / HTTP/1.1\r\n"[..], b"POST /x", b"\x16\x03\x01"] {
            assert!(!speaks_irc(stranger));
        }
        for guest in [&b"CAP LS 302\r\n"[..], b"NICK anna", b"", b"PUTA"] {
            assert!(speaks_irc(guest));
        }
    }
}
