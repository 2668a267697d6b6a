//! What does a delivery cost when a fixed number of messages is under way? (Closed loop.)

use std::time::{Duration, Instant};

use crate::crowd::{Crowd, Listener};
use crate::gauge::{Gauge, Work};
use crate::server_process::ServerProcess;
use crate::tally::{Faults, Latency, Tally};
use crate::text::{LONGEST_LEN, Text};

/// Nothing delivered for this long, while something is under way, is a loss.
const STALLED: Duration = Duration::from_secs(10);
/// The longest wait for news before the clocks are looked at again.
const ROUND: Duration = Duration::from_millis(50);

/// How much is said by whom.
pub struct Talk {
    /// The first so many members talk.
    pub senders: usize,
    /// Messages of one sender that may be under way at a time.
    pub each: usize,
    /// Bytes of a text.
    pub text_len: usize,
    /// Talk before the measured part.
    pub warm_up: Duration,
    /// When the measured part ends.
    pub until: Until,
}

/// The end of a talk.
#[derive(Clone, Copy)]
pub enum Until {
    /// So long after the warm-up.
    Lasted(Duration),
    /// When so many messages have been sent, the warm-up counted too.
    Sent(u64),
}

/// What a talk brought.
pub struct Talked {
    /// What was done in the measured part and what it cost.
    pub work: Work,
    /// The server's largest resident memory seen during the talk.
    pub peak_kib: u64,
    /// From sending to delivery, in the measured part.
    pub latency: Latency,
    /// Of the whole talk.
    pub faults: Faults,
}

impl Talk {
    /// Runs the talk among all members of the crowd, who are in one room, to its end, and waits for the last delivery.
    pub fn run(&self, crowd: &mut Crowd, server: &ServerProcess) -> Result<Talked, String> {
        let mut gauge = Gauge::new(server)?;
        let mut floor = Floor::new(crowd.len(), self);
        let warm_at = Instant::now() + self.warm_up;
        floor.go_on(crowd, &mut gauge, |_| Instant::now() >= warm_at)?;
        floor.latency.clear();
        let first = gauge.read(floor.tally.heard)?;
        let began = Instant::now();
        floor.go_on(crowd, &mut gauge, |floor| match self.until {
            Until::Lasted(time) => began.elapsed() >= time,
            Until::Sent(messages) => floor.sent >= messages,
        })?;
        let last = gauge.read(floor.tally.heard)?;
        floor.free.clear();
        floor.open = false;
        floor.go_on(crowd, &mut gauge, |floor| floor.tally.missing() == 0)?;
        let work = last.since(&first);
        Ok(Talked { work, peak_kib: gauge.peak_kib(), latency: floor.latency, faults: floor.tally.faults() })
    }
}

/// Who may speak, and who still has to hear what is under way.
struct Floor {
    tally: Tally,
    latency: Latency,
    each: usize,
    text_len: usize,
    sent: u64,
    /// Members still to hear a message, at `sender * each + number % each`.
    left: Vec<u32>,
    /// Senders who may send one more, as often as they stand here.
    free: Vec<usize>,
    /// False once nothing more is to be sent.
    open: bool,
    receivers: u32,
}

impl Floor {
    fn new(members: usize, talk: &Talk) -> Self {
        Floor {
            tally: Tally::new(members, talk.senders),
            latency: Latency::new(),
            each: talk.each,
            text_len: talk.text_len,
            sent: 0,
            left: vec![0; talk.senders * talk.each],
            free: (0..talk.each).flat_map(|_| 0..talk.senders).collect(),
            open: true,
            receivers: members as u32 - 1,
        }
    }

    /// Talks until it is over or nothing moves any more; what is then missing is found by the tally.
    fn go_on(&mut self, crowd: &mut Crowd, gauge: &mut Gauge, over: impl Fn(&Floor) -> bool) -> Result<(), String> {
        let (mut heard, mut heard_at) = (self.tally.heard, Instant::now());
        while !over(self) {
            while let Some(sender) = self.free.pop() {
                self.say(crowd, sender)?;
            }
            crowd.listen(ROUND, self)?;
            crowd.all_there()?;
            gauge.look()?;
            if self.tally.heard > heard {
                (heard, heard_at) = (self.tally.heard, Instant::now());
            } else if heard_at.elapsed() > STALLED {
                return Ok(());
            }
        }
        Ok(())
    }

    fn say(&mut self, crowd: &mut Crowd, sender: usize) -> Result<(), String> {
        let number = self.tally.send(sender);
        self.sent += 1;
        self.left[sender * self.each + number as usize % self.each] = self.receivers;
        let text = Text { sender, number, sent_ns: crowd.now_ns() };
        say(crowd, &text, self.text_len)
    }
}

impl Listener for Floor {
    fn line(&mut self, member: usize, line: &[u8], now_ns: u64) {
        let text = match Text::read(line, self.text_len) {
            Some(Ok(text)) => text,
            Some(Err(_)) => return self.tally.garbled(),
            None => return,
        };
        if !self.tally.hear(member, &text) {
            return;
        }
        self.latency.note(now_ns.saturating_sub(text.sent_ns));
        let left = &mut self.left[text.sender * self.each + text.number as usize % self.each];
        *left = left.saturating_sub(1);
        if *left == 0 && self.open {
            self.free.push(text.sender);
        }
    }
}

/// Sends this text, `len` bytes long, to the one room.
pub fn say(crowd: &mut Crowd, text: &Text, len: usize) -> Result<(), String> {
    const COMMAND: &[u8] = b"PRIVMSG #bench0 :";
    const TEXT_AT: usize = COMMAND.len();
    let mut line = [0; TEXT_AT + LONGEST_LEN + 2];
    line[..TEXT_AT].copy_from_slice(COMMAND);
    text.write(&mut line[TEXT_AT..TEXT_AT + len]);
    line[TEXT_AT + len..TEXT_AT + len + 2].copy_from_slice(b"\r\n");
    crowd.send(text.sender, &line[..TEXT_AT + len + 2])
}
