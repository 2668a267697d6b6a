//! How late do messages come when people talk at their own pace? (Open loop: nobody waits for a delivery.)

use std::time::{Duration, Instant};

use crate::crowd::{Crowd, Listener};
use crate::gauge::{Gauge, Work};
use crate::server_process::ServerProcess;
use crate::talk::say;
use crate::tally::{Faults, Latency, Tally};
use crate::text::Text;

/// How long the last messages may take after the last was sent.
const DRAIN: Duration = Duration::from_secs(10);
/// The longest wait for news.
const ROUND: Duration = Duration::from_millis(50);
/// The same for every server, so that all are asked the same thing.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Everybody in the room says one text per period, each at a moment of their own within it.
pub struct Pace {
    /// Messages per second of the whole room.
    pub rate: f64,
    /// The moments are evenly spread; otherwise they fall as dice do, and sometimes together.
    pub even: bool,
    /// Bytes of a text.
    pub text_len: usize,
    /// Talk before the measured part.
    pub warm_up: Duration,
    /// Length of the measured part.
    pub measured: Duration,
}

/// What a paced talk brought.
pub struct Paced {
    /// What was done in the measured part and what it cost.
    pub work: Work,
    /// From the moment when it was due to delivery: a generator or server that lags does not hide it.
    pub latency: Latency,
    /// From the moment when it was due to sending: what the generator itself adds.
    pub lag: Latency,
    /// The server's largest resident memory seen during the talk.
    pub peak_kib: u64,
    /// Of the whole talk.
    pub faults: Faults,
    /// The first QUIT that the members heard of, escaped.
    pub quit: Option<String>,
}

impl Pace {
    /// Runs the talk among all members of the crowd, who are in one room, and waits for the last delivery.
    pub fn run(&self, crowd: &mut Crowd, server: &ServerProcess) -> Result<Paced, String> {
        let mut gauge = Gauge::new(server)?;
        let mut hall = Hall {
            tally: Tally::new(crowd.len(), crowd.len()),
            latency: Latency::new(),
            lag: Latency::new(),
            text_len: self.text_len,
            timetable: Timetable::new(crowd.len(), self, crowd.now_ns()),
            quit: None,
        };
        hall.go_on(crowd, &mut gauge, self.warm_up)?;
        hall.latency.clear();
        hall.lag.clear();
        let first = gauge.read(hall.tally.heard)?;
        hall.go_on(crowd, &mut gauge, self.measured)?;
        let last = gauge.read(hall.tally.heard)?;
        let until = Instant::now() + DRAIN;
        while hall.tally.missing() > 0 && Instant::now() < until {
            crowd.listen(ROUND, &mut hall)?;
            crowd.all_there()?;
        }
        Ok(Paced {
            work: last.since(&first),
            latency: hall.latency,
            lag: hall.lag,
            peak_kib: gauge.peak_kib(),
            faults: hall.tally.faults(),
            quit: hall.quit,
        })
    }
}

impl Paced {
    /// Adds another talk of the same crowd, as if the two had been one. What was heard of a QUIT stays.
    pub fn add(&mut self, other: &Paced) {
        self.work = self.work.and(&other.work);
        self.latency.add(&other.latency);
        self.lag.add(&other.lag);
        self.peak_kib = self.peak_kib.max(other.peak_kib);
        self.faults = self.faults.and(&other.faults);
    }
}

/// When who speaks next.
struct Timetable {
    /// Moments within the period, ascending, with who speaks then.
    moments: Vec<(u64, usize)>,
    period_ns: u64,
    began_ns: u64,
    turn: u64,
}

impl Timetable {
    fn new(members: usize, pace: &Pace, began_ns: u64) -> Self {
        let period_ns = (members as f64 / pace.rate * 1e9) as u64;
        let mut dice = SEED;
        let mut moment = |member: u64| {
            // xorshift64: any spread will do, as long as it is the same one for every server.
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            if pace.even { member * period_ns / members as u64 } else { dice % period_ns }
        };
        let mut moments: Vec<_> = (0..members).map(|member| (moment(member as u64), member)).collect();
        moments.sort_unstable();
        Timetable { moments, period_ns, began_ns, turn: 0 }
    }

    /// The next moment on the crowd's clock, and who speaks then.
    fn next(&self) -> (u64, usize) {
        let members = self.moments.len() as u64;
        let (moment, member) = self.moments[(self.turn % members) as usize];
        (self.began_ns + self.turn / members * self.period_ns + moment, member)
    }
}

struct Hall {
    tally: Tally,
    latency: Latency,
    lag: Latency,
    text_len: usize,
    timetable: Timetable,
    quit: Option<String>,
}

impl Hall {
    fn go_on(&mut self, crowd: &mut Crowd, gauge: &mut Gauge, how_long: Duration) -> Result<(), String> {
        let until_ns = crowd.now_ns() + how_long.as_nanos() as u64;
        loop {
            let now_ns = crowd.now_ns();
            if now_ns >= until_ns {
                return Ok(());
            }
            let (mut due_ns, mut member) = self.timetable.next();
            while due_ns <= now_ns {
                self.timetable.turn += 1;
                self.lag.note(crowd.now_ns() - due_ns);
                let text = Text { sender: member, number: self.tally.send(member), sent_ns: due_ns };
                say(crowd, &text, self.text_len)?;
                (due_ns, member) = self.timetable.next();
            }
            crowd.wake_at(due_ns.min(until_ns))?;
            crowd.listen(ROUND, self)?;
            crowd.all_there()?;
            gauge.look()?;
        }
    }
}

impl Listener for Hall {
    fn line(&mut self, member: usize, line: &[u8], now_ns: u64) {
        match Text::read(line, self.text_len) {
            Some(Ok(text)) if self.tally.hear(member, &text) => {
                self.latency.note(now_ns.saturating_sub(text.sent_ns));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) => self.tally.garbled(),
            None if self.quit.is_none() && line.split(|&byte| byte == b' ').nth(1) == Some(b"QUIT") => {
                self.quit = Some(line.escape_ascii().to_string());
            }
            None => {}
        }
    }
}
