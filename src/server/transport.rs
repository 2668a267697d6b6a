//! The bytes of one connection, in the clear or through TLS. Whoever reads and writes here need not know which.
//!
//! Nothing here waits. TLS is driven by hand: what came is decrypted where it was read, what goes out is encrypted at once and tried at once, and between two
//! records a connection holds no buffer at all.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::task::{Context, Poll};

use async_io::Async;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{ProtocolVersion, ServerConfig};

use crate::wire::limits::{SEALED_AT_ONCE_BYTES, TLS_INCOMING_BYTES};

mod bulk;

pub use self::bulk::{READ_MUCH_BYTES, Sealed};

/// What a record adds to its text: header, number, padding byte, tag. The most of all suites is 30.
const RECORD_OVERHEAD: usize = 64;

/// One connection's bytes, both ways.
pub struct Link {
    socket: Async<TcpStream>,
    /// Boxed: most of it would be unused in a plain connection.
    tls: RefCell<Option<Box<Tls>>>,
}

impl Link {
    /// A connection that has not said which it is; it counts as plain.
    pub fn new(socket: Async<TcpStream>) -> Link {
        Link { socket, tls: RefCell::new(None) }
    }

    /// The first bytes that came, at most `N` and left where they are; `None` when none have come, `UnexpectedEof` when none will.
    pub fn first_bytes<const N: usize>(&self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = [0; N];
        match self.socket.get_ref().peek(&mut bytes) {
            Ok(0) => Err(ended()),
            Ok(count) => Ok(Some(bytes[..count].to_vec())),
            Err(why) if is_harmless(&why) => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// From here on it is TLS: what comes is a handshake, then text.
    pub fn begin_tls(&self, config: Arc<ServerConfig>) -> io::Result<()> {
        let session = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
        *self.tls.borrow_mut() = Some(Box::new(Tls {
            session,
            incoming: Vec::new(),
            unsent: Vec::new(),
            state: State::Handshake,
            ticket_waits: false,
            peer_closed: false,
        }));
        Ok(())
    }

    /// Whether text can pass: always in the clear, and after the handshake.
    pub fn is_open(&self) -> bool {
        self.tls.borrow().as_ref().is_none_or(|tls| tls.state == State::Open)
    }

    /// Whether it is TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.borrow().is_some()
    }

    /// Bytes that were encrypted and that the socket has not taken. They go out before anything else.
    pub fn unsent_bytes(&self) -> usize {
        self.tls.borrow().as_ref().map_or(0, |tls| if tls.ticket_waits { 0 } else { tls.unsent.len() })
    }

    /// Ready when there is something to read. Meanwhile what is unsent goes out.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unsent_bytes() > 0
            && let Poll::Ready(writable) = self.socket.poll_writable(cx)
        {
            writable.and_then(|()| self.write(&[]))?;
        }
        self.socket.poll_readable(cx)
    }

    /// Waits until the socket takes bytes again.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Reads once, and hands on the text in it. `Err` when the connection is at its end, after what came before the end was handed on.
    pub fn read(&self, buffer: &mut [u8], mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let count = match self.socket.get_ref().read(buffer) {
            Ok(0) => return Err(ended()),
            Ok(count) => count,
            Err(why) if is_harmless(&why) => return Ok(()),
            Err(why) => return Err(why),
        };
        let mut tls = self.tls.borrow_mut();
        let Some(tls) = tls.as_deref_mut() else {
            take(&buffer[..count]);
            return Ok(());
        };
        let result = tls.take_in(&mut buffer[..count], &mut take);
        self.answer_tls(tls, result)
    }

    /// After something was taken in: an answer goes out, or the reason for which it ends here.
    fn answer_tls(&self, tls: &mut Tls, taken_in: io::Result<()>) -> io::Result<()> {
        let flushed = if tls.ticket_waits && taken_in.is_ok() { Ok(true) } else { tls.flush(self.socket.get_ref()) };
        taken_in?;
        flushed?;
        if tls.peer_closed { Err(ended()) } else { Ok(()) }
    }

    /// Reads once, for nobody. `Err` at the end.
    pub fn read_past(&self, buffer: &mut [u8]) -> io::Result<()> {
        match self.socket.get_ref().read(buffer) {
            Ok(0) => Err(ended()),
            Err(why) if !is_harmless(&why) => Err(why),
            _ => Ok(()),
        }
    }

    /// Tries to write; says how many bytes were taken in. What a full socket does not take is not an error. Behind TLS, the last of what was taken in may be unsent.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.tls.borrow_mut().as_deref_mut() {
            None => write_now(self.socket.get_ref(), bytes),
            Some(tls) => tls.write(self.socket.get_ref(), bytes),
        }
    }

    /// Tells the client that nothing more comes.
    pub fn end(&self) {
        if let Some(tls) = self.tls.borrow_mut().as_deref_mut() {
            tls.end(self.socket.get_ref());
        }
        let _ = self.socket.get_ref().shutdown(Shutdown::Write);
    }

    /// Hangs up.
    pub fn hang_up(&self) {
        let _ = self.socket.get_ref().shutdown(Shutdown::Both);
    }
}

/// The TLS side of a connection. When it rests, both buffers are without memory.
struct Tls {
    session: UnbufferedServerConnection,
    /// The beginning of a record whose rest has not come.
    incoming: Vec<u8>,
    /// Records that the socket has not taken.
    unsent: Vec<u8>,
    state: State,
    /// What is unsent is a ticket only. It is worth no write of its own, and goes out with the first answer.
    ticket_waits: bool,
    peer_closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No text passes yet.
    Handshake,
    /// Text passes.
    Open,
    /// The other side broke the rules of TLS. The session must not be asked again: it would look for a buffer that is gone.
    Broken,
}

/// What is wanted of the session once it has nothing left to do.
enum Wish<'a> {
    Nothing,
    Seal(&'a [u8]),
    /// The same into a buffer of the caller.
    SealInto(&'a [u8], RefCell<&'a mut Sealed>),
    Close,
}

impl Tls {
    fn is_open(&self) -> bool {
        self.state == State::Open
    }

    fn take_in(&mut self, bytes: &mut [u8], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let was_open = self.is_open();
        let result = if self.incoming.is_empty() {
            let (used, result) = self.advance(bytes, take, Wish::Nothing);
            self.incoming = bytes[used..].to_vec();
            result
        } else {
            let mut joined = std::mem::take(&mut self.incoming);
            joined.extend_from_slice(bytes);
            let (used, result) = self.advance(&mut joined, take, Wish::Nothing);
            joined.drain(..used);
            if !joined.is_empty() {
                self.incoming = joined;
            }
            result
        };
        self.judge(was_open, result)
    }

    /// What follows from how the session took what came.
    fn judge(&mut self, was_open: bool, result: Result<(), rustls::Error>) -> io::Result<()> {
        if let Err(why) = result {
            self.incoming = Vec::new();
            self.state = State::Broken;
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("TLS: {why}")));
        }
        // In TLS 1.3 the server's part of the handshake is out before the client's last word comes.
        self.ticket_waits |=
            !was_open && self.state == State::Open && self.session.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        if self.incoming.len() > TLS_INCOMING_BYTES {
            self.state = State::Broken;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "TLS: a record that does not end"));
        }
        Ok(())
    }

    /// Lets the session work until it waits for the other side, then grants the wish. Says how many of the bytes it has used up.
    /// After an error it is asked only for what it has left to say, the alert: it must not look at the same bytes again.
    fn advance(
        &mut self,
        bytes: &mut [u8],
        take: &mut dyn FnMut(&[u8]),
        wish: Wish<'_>,
    ) -> (usize, Result<(), rustls::Error>) {
        let (mut used, mut result) = (0, Ok(()));
        loop {
            let UnbufferedStatus { mut discard, state } = self.session.process_tls_records(&mut bytes[used..]);
            let mut is_done = true;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        discard += record.discard;
                        take(record.payload);
                    }
                    is_done = false;
                }
                Ok(ConnectionState::EncodeTlsData(mut record)) => {
                    append_record(&mut record, &mut self.unsent);
                    is_done = false;
                }
                Ok(ConnectionState::TransmitTlsData(sent)) => {
                    sent.done();
                    is_done = false;
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.peer_closed = true;
                    is_done = false;
                }
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    self.state = State::Open;
                    result = result.and_then(|()| grant(&wish, &mut traffic, &mut self.unsent));
                }
                Ok(ConnectionState::Closed) => self.peer_closed = true,
                // The handshake waits for more. Early data is not offered, and there are no other states.
                Ok(_) => {}
                Err(why) => result = Err(why),
            }
            used += discard;
            if result.is_err() && self.session.wants_write() {
                continue;
            }
            if is_done || result.is_err() {
                return (used, result);
            }
        }
    }

    fn write(&mut self, socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        // Nobody could read what the rules say before the handshake is complete.
        if self.state != State::Open {
            self.flush(socket)?;
            return Ok(bytes.len());
        }
        let mut taken = 0;
        let mut has_room = std::mem::take(&mut self.ticket_waits) || self.flush(socket)?;
        while has_room && taken < bytes.len() {
            let piece = &bytes[taken..bytes.len().min(taken + SEALED_AT_ONCE_BYTES)];
            self.wish(Wish::Seal(piece)).map_err(io::Error::other)?;
            taken += piece.len();
            has_room = self.flush(socket)?;
        }
        Ok(taken)
    }

    fn wish(&mut self, wish: Wish<'_>) -> Result<(), rustls::Error> {
        // The session may be in the middle of a record: it must find the beginning where it was.
        let mut incoming = std::mem::take(&mut self.incoming);
        let (used, result) = self.advance(&mut incoming, &mut |_| {}, wish);
        incoming.drain(..used);
        self.incoming = incoming;
        result
    }

    /// Tries to write what is unsent; true when nothing is left.
    fn flush(&mut self, socket: &TcpStream) -> io::Result<bool> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match write_now(socket, &self.unsent[sent..])? {
                0 => break,
                count => sent += count,
            }
        }
        if sent == self.unsent.len() {
            self.unsent = Vec::new();
        } else {
            self.unsent.drain(..sent);
        }
        Ok(self.unsent.is_empty())
    }

    fn end(&mut self, socket: &TcpStream) {
        if self.state == State::Open {
            let _ = self.wish(Wish::Close);
        }
        self.ticket_waits = false;
        // A full socket has no room for a farewell; the end of the stream says as much.
        let _ = self.flush(socket);
    }
}

fn append_record(record: &mut EncodeTlsData<'_, rustls::server::ServerConnectionData>, to: &mut Vec<u8>) {
    let start = to.len();
    if let Err(EncodeError::InsufficientSize(size)) = record.encode(&mut []) {
        to.resize(start + size.required_size, 0);
        let written = record.encode(&mut to[start..]).unwrap_or(0);
        to.truncate(start + written);
    }
}

fn grant(
    wish: &Wish<'_>,
    traffic: &mut WriteTraffic<'_, rustls::server::ServerConnectionData>,
    to: &mut Vec<u8>,
) -> Result<(), rustls::Error> {
    if let Wish::SealInto(text, sealed) = wish {
        return seal_into(text, &mut sealed.borrow_mut(), traffic);
    }
    let start = to.len();
    let text_bytes = if let Wish::Seal(text) = wish { text.len() } else { 0 };
    let mut room = text_bytes + RECORD_OVERHEAD;
    loop {
        to.resize(start + room, 0);
        let result = match wish {
            Wish::Nothing | Wish::SealInto(..) => Ok(0),
            Wish::Seal(text) => traffic.encrypt(text, &mut to[start..]),
            Wish::Close => traffic.queue_close_notify(&mut to[start..]),
        };
        to.truncate(start + *result.as_ref().unwrap_or(&0));
        match result {
            Ok(_) => return Ok(()),
            Err(EncryptError::InsufficientSize(size)) if size.required_size > room => room = size.required_size,
            Err(why) => return Err(rustls::Error::General(why.to_string())),
        }
    }
}

fn seal_into(
    text: &[u8],
    sealed: &mut Sealed,
    traffic: &mut WriteTraffic<'_, rustls::server::ServerConnectionData>,
) -> Result<(), rustls::Error> {
    loop {
        match traffic.encrypt(text, &mut sealed.bytes) {
            Ok(used) => {
                sealed.used = used;
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(size)) if size.required_size > sealed.bytes.len() => {
                sealed.bytes.resize(size.required_size, 0);
            }
            Err(why) => return Err(rustls::Error::General(why.to_string())),
        }
    }
}

fn write_now(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match socket.write(bytes) {
            Ok(0) if !bytes.is_empty() => return Err(io::ErrorKind::WriteZero.into()),
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn is_harmless(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed")
}

#[cfg(test)]
pub mod tests;
