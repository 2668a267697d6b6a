//! One client's incoming side: bytes become lines, lines become mail for the hub, no faster than the flood limits allow.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
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

/// Reads until the connection ends. `closed` is set when the hub wants no more of it; what still comes is thrown away, so that the goodbye is not lost in a reset.
pub async fn read(
    conn: ConnId,
    stream: Arc<Async<TcpStream>>,
    closed: Rc<Cell<bool>>,
    shared: Rc<Reading>,
    permit: Permit,
) {
    let reason = match read_lines(conn, &stream, &closed, &shared).await {
        Ok(reason) => reason.into(),
        Err(why) => format!("Connection lost: {why}").into(),
    };
    if !closed.get() {
        let _ = shared.mail.send(Mail::Fact(Input::Closed { conn, reason })).await;
    }
    drop(permit);
}

async fn read_lines(
    conn: ConnId,
    stream: &Async<TcpStream>,
    closed: &Cell<bool>,
    shared: &Reading,
) -> io::Result<&'static str> {
    let mut cutter = LineCutter::default();
    let mut bucket = Bucket::full(0);
    let mut lines = VecDeque::new();
    let mut is_first = true;
    loop {
        stream.readable().await?;
        let count = match read_some(stream, shared, |bytes| {
            if std::mem::take(&mut is_first) && !speaks_irc(bytes) {
                return Err("this is not IRC");
            }
            if !closed.get() {
                cutter.feed(bytes, |line| lines.push_back(line.map(Box::<str>::from)));
            }
            Ok(bytes.len())
        }) {
            Ok(result) => result,
            Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => continue,
            Err(why) => return Err(why),
        };
        match count {
            Ok(0) => return Ok("Connection closed"),
            Ok(_) => {}
            Err(reason) => return Ok(reason),
        }
        while let Some(line) = lines.pop_front() {
            if shared.flood_limits {
                wait_for_token(&mut bucket, shared.started).await;
            }
            let input = match line {
                Ok(text) => Input::Line { conn, text },
                Err(fault) => Input::Unreadable { conn, fault },
            };
            if closed.get() || shared.mail.send(Mail::Fact(input)).await.is_err() {
                break;
            }
        }
        if lines.capacity() > 0 {
            lines = VecDeque::new();
        }
    }
}

fn read_some<R>(stream: &Async<TcpStream>, shared: &Reading, take: impl FnOnce(&[u8]) -> R) -> io::Result<R> {
    let mut buffer = shared.buffer.borrow_mut();
    let count = stream.get_ref().read(&mut buffer[..])?;
    Ok(take(&buffer[..count]))
}

async fn wait_for_token(bucket: &mut Bucket, started: Instant) {
    while let Err(wait_ms) = bucket.take(started.elapsed().as_millis() as u64) {
        Timer::after(Duration::from_millis(wait_ms)).await;
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
