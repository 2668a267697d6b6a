//! How do files pass a connection? With larger reads and writes than talk needs, in buffers that belong to whoever moves many files.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::net::TcpStream;

use super::{Link, Tls, Wish, ended, is_harmless, write_now};
use crate::system::moving;
use crate::system::watch::Watch;
use crate::wire::limits::{SEALED_AT_ONCE_BYTES, TLS_INCOMING_BYTES};

/// Bytes read at once: several records, and the beginning of one that was there before.
pub const READ_MUCH_BYTES: usize = (64 << 10) + TLS_INCOMING_BYTES;

/// A buffer for encrypted bytes that is used again and again: it is not zeroed each time.
#[derive(Default)]
pub struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) used: usize,
}

impl Link {
    /// Has the socket watched by somebody else than the reactor.
    pub fn watch_by(&self, watch: &Watch, key: u64) -> io::Result<()> {
        watch.add(self.socket.get_ref(), key)
    }

    /// Reads once, and hands on the text in it; `None` when nothing has come yet. `scratch` has [`READ_MUCH_BYTES`].
    pub fn read_much(&self, scratch: &mut [u8], mut take: impl FnMut(&[u8])) -> io::Result<Option<usize>> {
        let mut tls = self.tls.borrow_mut();
        let kept = match tls.as_deref() {
            Some(tls) => {
                scratch[..tls.incoming.len()].copy_from_slice(&tls.incoming);
                tls.incoming.len()
            }
            None => 0,
        };
        let count = match self.socket.get_ref().read(&mut scratch[kept..]) {
            Ok(0) => return Err(ended()),
            Ok(count) => count,
            Err(why) if is_harmless(&why) => return Ok(None),
            Err(why) => return Err(why),
        };
        let Some(tls) = tls.as_deref_mut() else {
            take(&scratch[..count]);
            return Ok(Some(count));
        };
        let result = tls.take_in_behind(&mut scratch[..kept + count], &mut take);
        self.answer_tls(tls, result)?;
        Ok(Some(count))
    }

    /// Appends what has come to the spare room of a buffer; `None` when nothing has come yet. In the clear only.
    pub fn receive_into(&self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        match moving::receive_into(self.socket.get_ref(), buffer) {
            Ok(0) => Err(ended()),
            Ok(count) => Ok(Some(count)),
            Err(why) if is_harmless(&why) => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// Sends bytes of a file past this program, in the clear only; says how many the socket took. `Unsupported` where there is no such way.
    pub fn send_file(&self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        match moving::send_file(self.socket.get_ref(), file, offset, count) {
            Ok(0) if count > 0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
            Err(why) if is_harmless(&why) => Ok(0),
            result => result,
        }
    }

    /// As [`Link::write`], but what is encrypted goes out in one write, however many records it is.
    pub fn write_much(&self, bytes: &[u8], sealed: &mut Sealed) -> io::Result<usize> {
        match self.tls.borrow_mut().as_deref_mut() {
            None => write_now(self.socket.get_ref(), bytes),
            Some(tls) => tls.write_much(self.socket.get_ref(), bytes, sealed),
        }
    }
}

impl Tls {
    /// Works on what was kept and what came behind it.
    fn take_in_behind(&mut self, bytes: &mut [u8], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.incoming.clear();
        let was_open = self.is_open();
        let (used, result) = self.advance(bytes, take, Wish::Nothing);
        if used < bytes.len() {
            self.incoming.extend_from_slice(&bytes[used..]);
        } else {
            self.incoming = Vec::new();
        }
        self.judge(was_open, result)
    }

    fn write_much(&mut self, socket: &TcpStream, bytes: &[u8], sealed: &mut Sealed) -> io::Result<usize> {
        if bytes.len() <= SEALED_AT_ONCE_BYTES || self.ticket_waits || !self.is_open() {
            return self.write(socket, bytes);
        }
        if !self.flush(socket)? {
            return Ok(0);
        }
        sealed.used = 0;
        self.wish(Wish::SealInto(bytes, RefCell::new(sealed))).map_err(io::Error::other)?;
        let sent = write_now(socket, &sealed.bytes[..sealed.used])?;
        if sent < sealed.used {
            self.unsent = sealed.bytes[sent..sealed.used].to_vec();
        }
        Ok(bytes.len())
    }
}
