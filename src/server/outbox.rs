//! Getting bytes to receivers: encoded once, one write per receiver and round, tried at once; only who is slow gets a buffer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use async_io::Timer;
use smol::LocalExecutor;

use super::pace::Round;
use super::transport::Link;
use crate::chat::{Audience, ConnId, Member};
use crate::wire::caps::Caps;
use crate::wire::event::{Event, TagSet};

use super::backlog::{Backlog, drain};

/// How long a client has to read its goodbye and hang up, before the connection is cut.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// The same for one that was too slow: it has to read what is under way before it comes to the reason.
const CLOSE_SLOW_WITHIN: Duration = Duration::from_secs(30);
/// The arena of lines for one receiver; the others are by [`TagSet`].
const DIRECT: usize = TagSet::COUNT;
/// Slots made at a time: doubling would leave up to half of them unused.
const SLOTS_AT_ONCE: usize = 256;
/// An arena that grew beyond this gives its memory back after the round.
const ARENA_KEPT_BYTES: usize = 256 << 10;

/// Lines of this round for one receiver: a stretch of an arena.
#[derive(Clone, Copy)]
struct Piece {
    arena: u8,
    start: u32,
    end: u32,
}

/// The outgoing side of one connection.
struct Outbox {
    conn: ConnId,
    caps: Caps,
    /// What the capabilities mean for its lines; looked at for every one of them.
    set: TagSet,
    link: Rc<Link>,
    /// Shared with the reading task: no more inputs are wanted.
    closed: Rc<Cell<bool>>,
    first: Option<Piece>,
    more: Vec<Piece>,
    backlog: Option<Rc<Backlog>>,
    closing: bool,
}

impl Outbox {
    /// Appends a piece; one that continues the last is joined to it. True for the first of the round.
    fn push(&mut self, piece: Piece) -> bool {
        let Some(first) = &mut self.first else {
            self.first = Some(piece);
            return true;
        };
        let last = self.more.last_mut().unwrap_or(first);
        if last.arena == piece.arena && last.end == piece.start {
            last.end = piece.end;
        } else {
            self.more.push(piece);
        }
        false
    }
}

/// All outgoing sides, and the lines of the round.
pub struct Outboxes {
    slots: Vec<Option<Outbox>>,
    free: Vec<u32>,
    last_serial: u32,
    dirty: Vec<u32>,
    arenas: [String; TagSet::COUNT + 1],
    /// Lines queued in this round, over all receivers.
    queued: usize,
    scratch: Vec<u8>,
    waiting_bytes: Rc<Cell<usize>>,
    executor: Rc<LocalExecutor<'static>>,
}

impl Outboxes {
    /// No connections yet.
    pub fn new(executor: Rc<LocalExecutor<'static>>) -> Outboxes {
        Outboxes {
            slots: Vec::new(),
            free: Vec::new(),
            last_serial: 0,
            dirty: Vec::new(),
            arenas: std::array::from_fn(|_| String::new()),
            queued: 0,
            scratch: Vec::new(),
            waiting_bytes: Rc::default(),
            executor,
        }
    }

    /// Takes a connection in and numbers it. `closed` is set when no more inputs of it are wanted.
    pub fn open(&mut self, link: Rc<Link>, closed: Rc<Cell<bool>>) -> ConnId {
        let slot = self.free.pop().unwrap_or_else(|| {
            if self.slots.len() == self.slots.capacity() {
                self.slots.reserve_exact(SLOTS_AT_ONCE);
            }
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.last_serial = self.last_serial.wrapping_add(1);
        let conn = ConnId { slot, serial: self.last_serial };
        let (caps, set, first, more, backlog) = (Caps::NONE, TagSet::default(), None, Vec::new(), None);
        self.slots[slot as usize] =
            Some(Outbox { conn, caps, set, link, closed, first, more, backlog, closing: false });
        conn
    }

    /// Sets what later events are encoded for.
    pub fn set_caps(&mut self, conn: ConnId, caps: Caps) {
        if let Some(outbox) = self.outbox_mut(conn) {
            (outbox.caps, outbox.set) = (caps, TagSet::of(caps));
        }
    }

    /// Queues lines for one receiver.
    pub fn send(&mut self, to: ConnId, lines: &str) {
        let start = self.arenas[DIRECT].len();
        self.arenas[DIRECT].push_str(lines);
        self.push(to, piece(DIRECT, start, self.arenas[DIRECT].len()));
    }

    /// Queues an event for the members of a room.
    pub fn send_to_members(&mut self, members: &[Member], except: Option<ConnId>, only: Audience, event: &Event) {
        let receivers = members.iter().map(|member| member.conn).filter(|conn| Some(*conn) != except);
        self.send_to_each(receivers, only, event);
    }

    /// Queues an event for several receivers, encoding it once per set of tags.
    pub fn send_to_each(&mut self, to: impl Iterator<Item = ConnId>, only: Audience, event: &Event) {
        let mut encoded: [Option<Piece>; TagSet::COUNT] = [None; TagSet::COUNT];
        for conn in to {
            let Some(outbox) =
                self.slots.get_mut(conn.slot as usize).and_then(Option::as_mut).filter(|outbox| outbox.conn == conn)
            else {
                continue;
            };
            if !only.includes(outbox.caps) {
                continue;
            }
            let set = outbox.set;
            let arena = &mut self.arenas[set.index()];
            let piece = *encoded[set.index()].get_or_insert_with(|| {
                let start = arena.len();
                event.encode(set, "", arena);
                piece(set.index(), start, arena.len())
            });
            self.queued += 1;
            if outbox.push(piece) {
                self.dirty.push(conn.slot);
            }
        }
    }

    /// Closes a connection once everything queued is out; nothing more is queued for it.
    pub fn close(&mut self, conn: ConnId) {
        let Some(outbox) = self.outbox_mut(conn) else { return };
        outbox.closed.set(true);
        outbox.closing = true;
        self.dirty.push(conn.slot);
    }

    /// Forgets a connection that is gone.
    pub fn forget(&mut self, conn: ConnId) {
        if self.outbox_mut(conn).is_some() {
            self.slots[conn.slot as usize] = None;
            self.free.push(conn.slot);
        }
    }

    /// Whether something is queued.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// What would be written if the round were flushed at this moment.
    pub fn round(&self) -> Round {
        Round { lines: self.queued, receivers: self.dirty.len() }
    }

    /// Bytes of lines in this round.
    pub fn round_bytes(&self) -> usize {
        self.arenas.iter().map(String::len).sum()
    }

    /// Writes what is queued: one write per receiver. `cut` is called for those who are too slow. They, and those to be closed, are forgotten.
    pub fn flush(&mut self, mut cut: impl FnMut(ConnId)) {
        for slot in std::mem::take(&mut self.dirty) {
            let in_time = self.write_round(slot);
            let ended = |outbox: &mut Outbox| outbox.closing || !in_time;
            let Some(outbox) = self.slots.get_mut(slot as usize).and_then(|outbox| outbox.take_if(ended)) else {
                continue;
            };
            if !in_time && !outbox.closing {
                cut(outbox.conn);
            }
            self.free.push(slot);
            self.let_go(outbox);
        }
        self.queued = 0;
        for arena in &mut self.arenas {
            arena.clear();
            arena.shrink_to(ARENA_KEPT_BYTES);
        }
        self.scratch.clear();
        self.scratch.shrink_to(ARENA_KEPT_BYTES);
    }

    /// Lets a connection end by itself: its backlog, then the end of the stream, then the client hangs up, or is hung up on.
    fn let_go(&self, outbox: Outbox) {
        outbox.closed.set(true);
        match &outbox.backlog {
            Some(backlog) if !backlog.is_done() => backlog.close(),
            _ => outbox.link.end(),
        }
        let is_slow = outbox.backlog.is_some_and(|backlog| !backlog.is_done());
        let within = if is_slow { CLOSE_SLOW_WITHIN } else { CLOSE_WITHIN };
        let link = Rc::downgrade(&outbox.link);
        let hang_up = async move {
            Timer::after(within).await;
            if let Some(link) = link.upgrade() {
                link.hang_up();
            }
        };
        self.executor.spawn(hang_up).detach();
    }

    fn push(&mut self, to: ConnId, piece: Piece) {
        let Some(outbox) = self.outbox_mut(to) else { return };
        let is_first = outbox.push(piece);
        self.queued += 1;
        if is_first {
            self.dirty.push(to.slot);
        }
    }

    fn outbox_mut(&mut self, conn: ConnId) -> Option<&mut Outbox> {
        self.slots.get_mut(conn.slot as usize)?.as_mut().filter(|outbox| outbox.conn == conn)
    }
}

fn piece(arena: usize, start: usize, end: usize) -> Piece {
    // A round is flushed long before an arena reaches 4 GiB.
    Piece { arena: arena as u8, start: start as u32, end: end as u32 }
}

impl Outboxes {
    /// Writes one receiver's lines of the round; false when it is too slow and was cut.
    fn write_round(&mut self, slot: u32) -> bool {
        let Some(outbox) = self.slots.get_mut(slot as usize).and_then(Option::as_mut) else { return true };
        let Some(first) = outbox.first.take() else { return true };
        let more = std::mem::take(&mut outbox.more);
        let lines =
            |piece: &Piece| &self.arenas[usize::from(piece.arena)].as_bytes()[piece.start as usize..piece.end as usize];
        let bytes = if more.is_empty() {
            lines(&first)
        } else {
            self.scratch.clear();
            for piece in std::iter::once(&first).chain(&more) {
                self.scratch.extend_from_slice(lines(piece));
            }
            &self.scratch
        };
        if let Some(backlog) = outbox.backlog.take_if(|backlog| !backlog.is_done()) {
            let in_time = backlog.append_or_cut(bytes);
            outbox.backlog = Some(backlog);
            return in_time;
        }
        outbox.backlog = None;
        match outbox.link.write(bytes) {
            Ok(written) if written == bytes.len() && outbox.link.unsent_bytes() == 0 => true,
            Ok(written) => {
                let backlog = Backlog::behind(&bytes[..written], self.waiting_bytes.clone());
                backlog.note_unsent(&outbox.link);
                let in_time = backlog.append_or_cut(&bytes[written..]);
                self.executor.spawn(drain(outbox.link.clone(), backlog.clone())).detach();
                outbox.backlog = Some(backlog);
                in_time
            }
            // The reading task sees the broken connection too, and reports it.
            Err(_) => true,
        }
    }
}
