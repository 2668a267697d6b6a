//! How does a crowd come in? Connects, registers and joins, many at a time, and waits until the server is done.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::crowd::{Crowd, Listener};
use crate::text::nick;

/// New connections between two looks at what the server said.
const CONNECTS_PER_ROUND: usize = 8;
/// Nobody getting any further for this long is an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which room a member joins.
pub enum Rooms {
    /// All in one.
    One,
    /// This many in each.
    Of(usize),
}

impl Rooms {
    /// The name of the room of this member.
    pub fn name(&self, member: usize) -> String {
        match self {
            Rooms::One => "#bench0".to_owned(),
            Rooms::Of(size) => format!("#bench{}", member / size),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Registering,
    Joining,
    Joined,
    Settled,
}

/// Where people come in.
#[derive(Clone, Copy)]
pub struct Entrance {
    /// The server's address.
    pub server: SocketAddr,
    /// People on their way in at the same time. More than the server's accept queue holds would wait in the kernel
    /// for a second or three; fewer than it can take make a server slow that admits by its clock.
    pub at_a_time: usize,
}

/// Brings the crowd to `wanted` members, each registered and in its room; returns when every answer has come.
pub fn enter(crowd: &mut Crowd, entrance: Entrance, wanted: usize, rooms: &Rooms) -> Result<(), String> {
    let before = crowd.len();
    let mut door =
        Door { first: before, stages: Vec::new(), welcomed: Vec::new(), settled: 0, moves: 0, last: String::new() };
    let (mut moves, mut moved_at) = (0, Instant::now());
    while door.settled < wanted - before {
        for _ in 0..CONNECTS_PER_ROUND {
            if crowd.len() == wanted || door.stages.len() - door.settled >= entrance.at_a_time {
                break;
            }
            let member = crowd.connect(entrance.server)?;
            door.stages.push(Stage::Registering);
            let nick = String::from_utf8_lossy(&nick(member)).into_owned();
            crowd.send(member, format!("NICK {nick}\r\nUSER {nick} 0 * :load\r\n").as_bytes())?;
        }
        // While there are more to connect, only look; the server may be slow to answer the first.
        let full = crowd.len() == wanted || door.stages.len() - door.settled >= entrance.at_a_time;
        crowd.listen(if full { Duration::from_secs(1) } else { Duration::ZERO }, &mut door)?;
        for member in std::mem::take(&mut door.welcomed) {
            // The answer to this PING comes behind everything that the JOIN brings.
            crowd.send(member, format!("JOIN {}\r\nPING settled\r\n", rooms.name(member)).as_bytes())?;
        }
        if let Some(&member) = crowd.closed().first() {
            return Err(format!("the server closed member {member} while {wanted} came in; it said: {}", door.last));
        }
        if door.moves > moves {
            (moves, moved_at) = (door.moves, Instant::now());
        } else if moved_at.elapsed() > PATIENCE {
            let waiting = crowd.len() - before - door.settled;
            return Err(format!("{waiting} members wait to come in for {PATIENCE:?}; the server said: {}", door.last));
        }
    }
    Ok(())
}

/// Follows the newcomers; who was there before is only drained.
struct Door {
    first: usize,
    stages: Vec<Stage>,
    welcomed: Vec<usize>,
    settled: usize,
    moves: u64,
    /// The last refusal, for the message when nothing moves any more.
    last: String,
}

impl Listener for Door {
    fn line(&mut self, member: usize, line: &[u8], _now_ns: u64) {
        let mut words = line.split(|&byte| byte == b' ');
        let (source, what) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if source == b"ERROR" || matches!(what, [b'4' | b'5', _, _]) && what != b"422" {
            self.last = line.escape_ascii().to_string();
        }
        let Some(stage) = member.checked_sub(self.first).and_then(|newcomer| self.stages.get_mut(newcomer)) else {
            return;
        };
        let next = match (*stage, what) {
            (Stage::Registering, b"001") => {
                self.welcomed.push(member);
                Stage::Joining
            }
            (Stage::Joining, b"JOIN") if source.get(1..7) == Some(&nick(member)) => Stage::Joined,
            (Stage::Joined, b"PONG") => {
                self.settled += 1;
                Stage::Settled
            }
            _ => return,
        };
        *stage = next;
        self.moves += 1;
    }
}

/// Hears nothing: for crowds that only have to be there.
pub struct Deaf;

impl Listener for Deaf {
    fn line(&mut self, _member: usize, _line: &[u8], _now_ns: u64) {}
}

/// Listens for this long without sending anything but the answers to PING.
pub fn stay(crowd: &mut Crowd, how_long: Duration) -> Result<(), String> {
    let until = Instant::now() + how_long;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        crowd.listen(left, &mut Deaf)?;
    }
    match crowd.closed() {
        [] => Ok(()),
        closed => Err(format!("the server closed {} idle connections", closed.len())),
    }
}
