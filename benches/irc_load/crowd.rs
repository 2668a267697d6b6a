//! What did the server say to which member? All connections of the crowd, on one thread, in the clear or through TLS.

use std::io::{BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::secured::{Encryption, LONGEST_RECORD, Session};

/// One read takes at most this much; a server that sends more is asked again in the next round.
const READ_LEN: usize = 64 * 1024;
/// A line that never ends: ten times what IRC allows, tags included.
const LONGEST_LINE: usize = 80 * 1024;
/// Sockets looked at in one round.
const EVENTS: usize = 1024;
/// Marks the timer among the members' indices.
const TIMER: u64 = u64::MAX;

/// Hears what the members of a crowd are told.
pub trait Listener {
    /// A line came, without its line end; PING is answered already. `now_ns` is the time of the read.
    fn line(&mut self, member: usize, line: &[u8], now_ns: u64);
}

/// Many connections to one server.
pub struct Crowd {
    epoll: OwnedFd,
    timer: OwnedFd,
    members: Vec<Member>,
    buffer: Box<[u8]>,
    /// What was read of an encrypted connection.
    sealed: Box<[u8]>,
    encryption: Option<Encryption>,
    /// Members whose handshake is under way.
    handshakes: usize,
    events: Vec<Event>,
    began: Instant,
    closed: Vec<usize>,
    /// The last ERROR line that anybody was sent, escaped.
    farewell: String,
}

struct Member {
    socket: TcpStream,
    tls: Option<Box<Session>>,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// What the socket would not take yet.
    unsent: Vec<u8>,
    /// Told when the socket takes bytes again.
    awaits_room: bool,
    /// The TLS handshake is not done.
    shakes_hands: bool,
}

impl Crowd {
    /// Nobody yet. Who comes in will talk through TLS, if so wished.
    pub fn new(encryption: Option<Encryption>) -> Result<Self, String> {
        let epoll = epoll::create(CreateFlags::CLOEXEC).map_err(|error| format!("cannot make an epoll: {error}"))?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)
            .map_err(|error| format!("cannot make a timer: {error}"))?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN)
            .map_err(|error| format!("cannot watch the timer: {error}"))?;
        Ok(Crowd {
            epoll,
            timer,
            members: Vec::new(),
            buffer: vec![0; LONGEST_LINE + LONGEST_RECORD + READ_LEN].into_boxed_slice(),
            sealed: vec![0; if encryption.is_some() { LONGEST_RECORD + READ_LEN } else { 0 }].into_boxed_slice(),
            encryption,
            handshakes: 0,
            events: Vec::with_capacity(EVENTS),
            began: Instant::now(),
            closed: Vec::new(),
            farewell: String::new(),
        })
    }

    /// How many have been connected.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Nanoseconds since the crowd was made: the clock of all measurements.
    pub fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Members whose connection the server has ended.
    pub fn closed(&self) -> &[usize] {
        &self.closed
    }

    /// An error when the server has ended a connection that was to stay.
    pub fn all_there(&self) -> Result<(), String> {
        match self.closed.first() {
            None => Ok(()),
            Some(member) => Err(format!("the server closed member {member}; it said: {}", self.farewell)),
        }
    }

    /// Members whose TLS handshake is not done.
    pub fn handshakes(&self) -> usize {
        self.handshakes
    }

    /// How this member's connection is encrypted.
    pub fn encryption_of(&self, member: usize) -> String {
        self.members[member].tls.as_ref().map_or_else(|| "none".to_owned(), |tls| tls.kind())
    }

    /// Connects one more member and returns its index.
    pub fn connect(&mut self, server: SocketAddr) -> Result<usize, String> {
        let socket = connect(server)?;
        let member = self.members.len();
        epoll::add(&self.epoll, &socket, EventData::new_u64(member as u64), EventFlags::IN)
            .map_err(|error| format!("cannot watch connection {member}: {error}"))?;
        let mut tls = self.encryption.as_ref().map(Encryption::session).transpose()?.map(Box::new);
        let mut hello = Vec::new();
        if let Some(tls) = &mut tls {
            tls.begin(&mut hello)?;
        }
        let shakes_hands = tls.is_some();
        self.handshakes += usize::from(shakes_hands);
        self.members.push(Member { socket, tls, partial: Vec::new(), unsent: hello, awaits_room: false, shakes_hands });
        self.flush(member)?;
        Ok(member)
    }

    /// Says bytes as this member; what the socket does not take follows when it can.
    pub fn send(&mut self, member: usize, bytes: &[u8]) -> Result<(), String> {
        self.members[member].say(bytes).map_err(|error| format!("member {member} cannot send: {error}"))?;
        self.await_room(member)
    }

    /// Waits at most this long for something to be readable, reads all that is, and tells the listener.
    pub fn listen(&mut self, wait: Duration, listener: &mut impl Listener) -> Result<(), String> {
        self.events.clear();
        // The kernel counts in milliseconds here; a finer wait is what `wake_at` is for.
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("cannot wait for the server: {error}")),
        }
        for index in 0..self.events.len() {
            // Taken apart by value: the kernel's form of it is packed.
            let Event { flags, data } = self.events[index];
            if data.u64() == TIMER {
                self.hush_timer();
                continue;
            }
            let member = data.u64() as usize;
            if flags.contains(EventFlags::OUT) {
                self.flush(member)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(member, listener)?;
            }
        }
        Ok(())
    }

    /// Ends the next `listen` at this time of the crowd's clock, if nothing else ends it before.
    pub fn wake_at(&self, at_ns: u64) -> Result<(), String> {
        let in_ns = at_ns.saturating_sub(self.now_ns()).max(1);
        let value = Timespec { tv_sec: (in_ns / 1_000_000_000) as i64, tv_nsec: (in_ns % 1_000_000_000) as i64 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)
            .map(|_| ())
            .map_err(|error| format!("cannot set the timer: {error}"))
    }

    fn hush_timer(&self) {
        // Level triggered: it would ring on until read. That it is empty already is no harm.
        let _ = rustix::io::read(&self.timer, &mut [0_u8; 8]);
    }

    fn flush(&mut self, member: usize) -> Result<(), String> {
        self.members[member].flush().map_err(|error| format!("member {member} cannot send: {error}"))?;
        self.await_room(member)
    }

    /// Asks to be told when the socket takes bytes again, as long as some are unsent.
    fn await_room(&mut self, index: usize) -> Result<(), String> {
        let member = &mut self.members[index];
        if member.unsent.is_empty() != member.awaits_room {
            return Ok(());
        }
        member.awaits_room = !member.awaits_room;
        let flags = if member.awaits_room { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        epoll::modify(&self.epoll, &member.socket, EventData::new_u64(index as u64), flags)
            .map_err(|error| format!("cannot watch connection {index}: {error}"))
    }

    fn read(&mut self, index: usize, listener: &mut impl Listener) -> Result<(), String> {
        let member = &mut self.members[index];
        let begun = member.partial.len();
        self.buffer[..begun].copy_from_slice(&member.partial);
        let came = match member.read(&mut self.buffer[begun..], &mut self.sealed) {
            Ok(came) => came,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(error) => {
                if error.kind() == ErrorKind::InvalidData {
                    self.farewell = error.to_string();
                }
                return self.close(index);
            }
        };
        let now_ns = self.began.elapsed().as_nanos() as u64;
        let mut rest = &self.buffer[..begun + came];
        while let Some(line) = next_line(&mut rest) {
            match line.first() {
                Some(b'P') if line.starts_with(b"PING") => member.pong(line).map_err(|error| error.to_string())?,
                Some(b'E') => self.farewell = line.escape_ascii().to_string(),
                _ => {}
            }
            listener.line(index, line, now_ns);
        }
        if rest.len() > LONGEST_LINE {
            return Err(format!("the server sent member {index} a line of more than {LONGEST_LINE} bytes"));
        }
        member.partial.clear();
        member.partial.extend_from_slice(rest);
        if member.shakes_hands && member.tls.as_ref().is_some_and(|tls| tls.is_open()) {
            member.shakes_hands = false;
            self.handshakes -= 1;
        }
        // The answer to a PING, or the next part of a handshake.
        if member.unsent.is_empty() { Ok(()) } else { self.flush(index) }
    }

    fn close(&mut self, member: usize) -> Result<(), String> {
        self.closed.push(member);
        epoll::delete(&self.epoll, self.members[member].socket.as_fd())
            .map_err(|error| format!("cannot stop watching connection {member}: {error}"))
    }
}

impl Member {
    /// Reads once: puts text into `plain` and says how long it is. `sealed` is room for what comes encrypted.
    fn read(&mut self, plain: &mut [u8], sealed: &mut [u8]) -> std::io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            return came(&self.socket, &mut plain[..READ_LEN]);
        };
        let begun = tls.put_begun(sealed);
        let all = begun + came(&self.socket, &mut sealed[begun..begun + READ_LEN])?;
        tls.open(&mut sealed[..all], plain, &mut self.unsent).map_err(invalid)
    }

    fn say(&mut self, text: &[u8]) -> std::io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return self.send(text);
        };
        tls.seal(text, &mut self.unsent).map_err(invalid)?;
        self.flush()
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let unsent = std::mem::take(&mut self.unsent);
        self.send(&unsent)
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let mut rest = bytes;
        while self.unsent.is_empty() && !rest.is_empty() {
            match (&self.socket).write(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.unsent.extend_from_slice(rest);
        Ok(())
    }

    /// Puts the answer to a PING behind what is still to be sent.
    fn pong(&mut self, ping: &[u8]) -> std::io::Result<()> {
        let pong = [b"PONG", &ping[4..], b"\r\n"].concat();
        match &mut self.tls {
            Some(tls) => tls.seal(&pong, &mut self.unsent).map_err(invalid)?,
            None => self.unsent.extend_from_slice(&pong),
        }
        Ok(())
    }
}

/// Reads once; the end of the stream is an error.
fn came(mut socket: &TcpStream, buffer: &mut [u8]) -> std::io::Result<usize> {
    match socket.read(buffer)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        came => Ok(came),
    }
}

fn invalid(error: String) -> std::io::Error {
    std::io::Error::new(ErrorKind::InvalidData, error)
}

/// Connects without waiting for small writes to fill a segment, and so that closing leaves no port waiting.
pub fn connect(server: SocketAddr) -> Result<TcpStream, String> {
    prepare(TcpStream::connect(server)).map_err(|error| format!("cannot connect to {server}: {error}"))
}

fn prepare(connected: std::io::Result<TcpStream>) -> std::io::Result<TcpStream> {
    let socket = connected?;
    socket.set_nodelay(true)?;
    socket.set_nonblocking(true)?;
    // Ten thousand connections per run would hold their ports for a minute after closing.
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
    Ok(socket)
}

/// Cuts one whole line off the front.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let all = *rest;
    let mut after = all;
    // The standard library's fast search for a byte, reached through a reader over the slice.
    let len = after.skip_until(b'\n').ok()?;
    let line = all[..len].strip_suffix(b"\n")?;
    *rest = after;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}
