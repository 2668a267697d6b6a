//! What does one member who never reads do to the others, to the server's memory, and to himself?

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use argh::FromArgs;
use socket2::{Domain, Socket, Type};

use crate::enter::Rooms;
use crate::paced::Pace;
use crate::report::Report;
use crate::scenario::{Site, checked, seconds};
use crate::secured::Pipe;
use crate::text::LONGEST_LEN;

/// The kernel doubles it; with so little, the server notices after a few kilobytes.
const RECEIVE_BUFFER: usize = 4096;
/// How long the slow one waits for an answer while he still reads.
const PATIENCE: Duration = Duration::from_secs(10);
/// Talk before the part that is compared.
const WARM_UP: Duration = Duration::from_millis(500);
/// He has no number among the members, so he has a name of another kind.
const NICK: &str = "slow";

/// A steady stream without, with, and again without a member who never reads: what the others, the memory and he see of it.
#[derive(FromArgs)]
#[argh(subcommand, name = "slow")]
pub struct SlowArgs {
    /// people who do read (20)
    #[argh(option, default = "20")]
    members: usize,
    /// messages per second of all together, 400 bytes each (8000)
    #[argh(option, default = "8000.0")]
    rate: f64,
    /// megabytes of text offered to the one who does not read (32)
    #[argh(option, default = "32")]
    megabytes: u32,
}

impl SlowArgs {
    /// Runs and reports; false when the others missed anything.
    pub fn run(&self, site: &Site) -> Result<bool, String> {
        let mut crowd = site.room_of(self.members)?;
        let measured = seconds(f64::from(self.megabytes) * 1024.0 * 1024.0 / LONGEST_LEN as f64 / checked(self.rate)?)?;
        let mut pace =
            Pace { rate: self.rate, even: true, text_len: LONGEST_LEN, warm_up: WARM_UP, measured: measured / 2 };
        let mut without = pace.run(&mut crowd, &site.process)?;
        let before_kib = site.process.resident_kib()?;
        let slow = SlowReader::join(site, &Rooms::One.name(0))?;
        // From the first moment: what happens when he is cut belongs to it.
        (pace.warm_up, pace.measured) = (Duration::ZERO, measured);
        let with = pace.run(&mut crowd, &site.process)?;
        let found = slow.read_on();
        // Half before and half behind: what grows with the history, as GZY's index does, is in both that are compared.
        (pace.warm_up, pace.measured) = (WARM_UP, measured / 2);
        without.add(&pace.run(&mut crowd, &site.process)?);
        let mut report = Report::new("slow");
        report.number("members", self.members as f64);
        report.number("messages_per_s", self.rate);
        report.work(&with.work);
        report.number("cpu_us_per_delivery_without", without.work.cpu_us_per_delivery());
        report.latency("", &with.latency);
        report.latency("_without", &without.latency);
        report.number("rss_before_kib", before_kib as f64);
        report.number("peak_rss_kib", with.peak_kib as f64);
        report.number("grown_kib", with.peak_kib as f64 - before_kib as f64);
        report.text("slow_one_was_cut", if found.cut { "yes" } else { "no" });
        report.number("slow_one_still_read_bytes", found.bytes as f64);
        report.text("slow_one_heard", found.error.as_deref().unwrap_or("no ERROR line"));
        report.text("others_heard", with.quit.as_deref().unwrap_or("no QUIT"));
        report.faults(&without.faults.and(&with.faults));
        Ok(report.print())
    }
}

/// A member of the room who stops reading once he is in.
struct SlowReader {
    socket: Pipe,
}

/// What he finds when he reads on at last.
struct Found {
    /// Bytes that were still there for him.
    bytes: u64,
    /// The server had ended the connection.
    cut: bool,
    /// The ERROR line, if it came through, escaped.
    error: Option<String>,
}

impl SlowReader {
    /// Registers and joins the room, and reads nothing more from here on.
    fn join(site: &Site, room: &str) -> Result<Self, String> {
        let socket =
            connect(site.entrance.server).map_err(|error| format!("the slow reader cannot connect: {error}"))?;
        let mut slow = SlowReader { socket: Pipe::new(socket, site.encryption.as_ref())? };
        slow.ask(&format!("NICK {NICK}\r\nUSER {NICK} 0 * :slow\r\n"), " 001 ")?;
        slow.ask(&format!("JOIN {room}\r\n"), " JOIN ")?;
        slow.ask("PING settled\r\n", " PONG ")?;
        Ok(slow)
    }

    fn ask(&mut self, question: &str, answer: &str) -> Result<(), String> {
        self.socket.write_all(question.as_bytes()).map_err(|error| format!("the slow reader cannot send: {error}"))?;
        let mut heard = String::new();
        let mut buffer = [0; 4096];
        let until = Instant::now() + PATIENCE;
        while !heard.contains(answer) {
            match self.socket.read(&mut buffer) {
                Ok(came) if came > 0 && Instant::now() < until => {
                    heard.push_str(&String::from_utf8_lossy(&buffer[..came]));
                }
                _ => return Err(format!("the slow reader waited for{answer}and heard {heard:?}")),
            }
        }
        Ok(())
    }

    /// Reads all that is left, to the end of the connection or to where nothing more comes.
    fn read_on(mut self) -> Found {
        let mut found = Found { bytes: 0, cut: false, error: None };
        let mut tail: Vec<u8> = Vec::new();
        let mut buffer = [0; 16 * 1024];
        // Somebody who was not cut may have megabytes waiting; nothing for a second is the end.
        let _ = self.socket.tcp().set_read_timeout(Some(Duration::from_secs(1)));
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => found.cut = true,
                Ok(came) => {
                    found.bytes += came as u64;
                    tail.extend_from_slice(&buffer[..came]);
                    let older = tail.len().saturating_sub(buffer.len());
                    tail.drain(..older);
                    continue;
                }
                Err(error) => found.cut = !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            }
            break;
        }
        let mut lines = tail.split(|&byte| byte == b'\n');
        found.error =
            lines.find(|line| line.starts_with(b"ERROR")).map(|line| line.trim_ascii().escape_ascii().to_string());
        found
    }
}

fn connect(server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    // Before connecting: afterwards the window that was offered cannot be taken back.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.connect(&server.into())?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_linger(Some(Duration::ZERO))?;
    Ok(socket.into())
}
