//! What a slow receiver has not taken yet: it waits here, within bounds, and is written as the receiver reads.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::sync::Arc;

use async_io::Async;

use crate::wire::limits::{SEND_QUEUE_BYTES, SEND_QUEUES_BYTES};

/// What a receiver that is cut reads last.
const TOO_SLOW: &str = "ERROR :Closing link: too slow; what you missed is in the history\r\n";

/// Bytes that wait for one receiver. Its task ([`drain`]) writes them; the hub only appends.
pub struct Backlog {
    bytes: RefCell<Vec<u8>>,
    sent: Cell<usize>,
    /// The first of `bytes` goes on with a line whose beginning is out.
    starts_mid_line: Cell<bool>,
    closing: Cell<bool>,
    done: Cell<bool>,
    /// Of all backlogs together.
    total: Rc<Cell<usize>>,
}

impl Backlog {
    /// Nothing waits yet; `written` went out just before.
    pub fn behind(written: &[u8], total: Rc<Cell<usize>>) -> Rc<Backlog> {
        Rc::new(Backlog {
            bytes: RefCell::default(),
            sent: Cell::new(0),
            starts_mid_line: Cell::new(written.last().is_some_and(|last| *last != b'\n')),
            closing: Cell::new(false),
            done: Cell::new(false),
            total,
        })
    }

    /// Whether everything is out, or can never be.
    pub fn is_done(&self) -> bool {
        self.done.get()
    }

    /// The connection ends when everything is out.
    pub fn close(&self) {
        self.closing.set(true);
    }

    fn waiting_bytes(&self) -> usize {
        self.bytes.borrow().len() - self.sent.get()
    }

    /// Appends bytes, or cuts the receiver off when that is more than it may leave waiting; false then.
    pub fn append_or_cut(&self, more: &[u8]) -> bool {
        if self.waiting_bytes() + more.len() > SEND_QUEUE_BYTES || self.total.get() + more.len() > SEND_QUEUES_BYTES {
            self.cut(more);
            return false;
        }
        self.push(more);
        true
    }

    fn push(&self, more: &[u8]) {
        self.bytes.borrow_mut().extend_from_slice(more);
        self.total.set(self.total.get() + more.len());
    }

    /// Drops all but the rest of the line that is half sent (`refused` may be what holds it), and ends with a goodbye.
    fn cut(&self, refused: &[u8]) {
        if self.waiting_bytes() == 0 {
            self.push(rest_of_line(refused, self.is_mid_line()));
        } else {
            let mut bytes = self.bytes.borrow_mut();
            let sent = self.sent.get();
            let keep = sent + rest_of_line(&bytes[sent..], is_mid_line(&bytes[..sent], &self.starts_mid_line)).len();
            self.total.set(self.total.get() - (bytes.len() - keep));
            bytes.truncate(keep);
        }
        self.push(TOO_SLOW.as_bytes());
        self.close();
    }

    fn is_mid_line(&self) -> bool {
        is_mid_line(&self.bytes.borrow()[..self.sent.get()], &self.starts_mid_line)
    }

    /// Writes what the socket takes. `Ok(true)` when nothing is left.
    fn write_some(&self, mut stream: &TcpStream) -> io::Result<bool> {
        let mut bytes = self.bytes.borrow_mut();
        while self.sent.get() < bytes.len() {
            match stream.write(&bytes[self.sent.get()..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.sent.set(self.sent.get() + count);
                    self.total.set(self.total.get().saturating_sub(count));
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                    // What is out makes room for what comes.
                    let sent = self.sent.get();
                    self.starts_mid_line.set(is_mid_line(&bytes[..sent], &self.starts_mid_line));
                    bytes.drain(..self.sent.replace(0));
                    return Ok(false);
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(true)
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.total.set(self.total.get().saturating_sub(self.waiting_bytes()));
    }
}

fn is_mid_line(sent: &[u8], before: &Cell<bool>) -> bool {
    sent.last().map_or(before.get(), |last| *last != b'\n')
}

/// What has to follow so that no line is torn.
fn rest_of_line(bytes: &[u8], mid_line: bool) -> &[u8] {
    let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
    if mid_line { &bytes[..end] } else { &[] }
}

/// Writes a backlog as the receiver takes it. Lives only as long as there is one.
pub async fn drain(stream: Arc<Async<TcpStream>>, backlog: Rc<Backlog>) {
    loop {
        if stream.writable().await.is_err() {
            break;
        }
        match backlog.write_some(stream.get_ref()) {
            Ok(false) => {}
            Ok(true) | Err(_) => break,
        }
    }
    backlog.done.set(true);
    if backlog.closing.get() {
        end_stream(&stream);
    }
}

/// Tells the client that nothing more comes.
pub fn end_stream(stream: &Async<TcpStream>) {
    let _ = stream.get_ref().shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    /// Lines of an odd length, so that sockets fill up in the middle of one.
    fn lines(count: usize) -> Vec<u8> {
        (0..count).flat_map(|number| format!(":anna!u@h PRIVMSG #大厅 :{number} 慢慢来\r\n").into_bytes()).collect()
    }

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        near.set_nonblocking(true).unwrap();
        (near, listener.accept().unwrap().0)
    }

    /// Everything that a receiver reads who is cut when `waiting` bytes of lines wait, and `refused` would come on top.
    fn read_by_one_who_is_cut(waiting: usize, refused: usize) -> String {
        let (mut near, mut far) = pair();
        let total = Rc::new(Cell::new(0));
        let first = lines(SEND_QUEUE_BYTES / 8);
        let written = near.write(&first).unwrap();
        assert!(written < first.len(), "the socket is full");
        let backlog = Backlog::behind(&first[..written], total.clone());
        let end_of_line = first[written..].iter().position(|b| *b == b'\n').unwrap() + 1;
        let waiting = if waiting == 0 {
            Vec::new()
        } else {
            [&first[written..written + end_of_line], &lines(waiting / 40)].concat()
        };
        assert!(waiting.is_empty() || backlog.append_or_cut(&waiting));
        let refused = if waiting.is_empty() { first[written..].to_vec() } else { lines(refused / 40) };
        // Something of what waits goes out before it is cut.
        let mut read = vec![0; 100_001];
        far.read_exact(&mut read).unwrap();
        let _ = backlog.write_some(&near).unwrap();
        assert!(!backlog.append_or_cut(&refused));
        while !backlog.write_some(&near).unwrap() {
            let mut more = [0; 4096];
            let count = far.read(&mut more).unwrap();
            read.extend_from_slice(&more[..count]);
        }
        drop((backlog, near));
        far.read_to_end(&mut read).unwrap();
        assert_eq!(total.get(), 0);
        String::from_utf8_lossy(&read).into_owned()
    }

    #[test]
    fn who_is_cut_reads_whole_lines_and_then_why() {
        for (waiting, refused) in [(0, SEND_QUEUE_BYTES), (900_000, 900_000), (500_000, SEND_QUEUE_BYTES)] {
            let read = read_by_one_who_is_cut(waiting, refused);
            let (talk, goodbye) = read.rsplit_once("ERROR ").unwrap();
            assert_eq!(format!("ERROR {goodbye}"), TOO_SLOW);
            assert!(talk.split_terminator("\r\n").all(|line| line.starts_with(":anna") && line.ends_with("慢慢来")));
            assert!(talk.ends_with("\r\n"));
        }
    }
}
