//! How long does a server take from its start until somebody is let in?

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use argh::FromArgs;
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::report::Report;
use crate::secured::{Encryption, Pipe};

/// A server that has not let anybody in by then does not start at all.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two knocks; short against what is measured.
const KNOCK_EVERY: Duration = Duration::from_micros(100);
/// How long a server may take to end when asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// Starts a server several times: until it listens, until it greets.
#[derive(FromArgs)]
#[argh(subcommand, name = "start")]
pub struct StartArgs {
    /// how often (7)
    #[argh(option, default = "7")]
    times: usize,
    /// the core for the server (0)
    #[argh(option, default = "0")]
    core: usize,
    /// the server's command
    #[argh(positional, greedy)]
    command: Vec<String>,
}

impl StartArgs {
    /// Runs and reports.
    pub fn run(&self, server: SocketAddr, encryption: Option<&Encryption>) -> Result<bool, String> {
        let mut starts = Vec::new();
        for _ in 0..self.times.max(1) {
            starts.push(start_once(&self.command, server, self.core, encryption)?);
        }
        let mut report = Report::new("start");
        report.number("times", starts.len() as f64);
        for (name, of) in [("listens_ms", true), ("greets_ms", false)] {
            let mut times: Vec<_> = starts.iter().map(|start| if of { start.listens } else { start.greets }).collect();
            times.sort_unstable();
            report.number(name, times[times.len() / 2].as_secs_f64() * 1e3);
        }
        Ok(report.print())
    }
}

/// Times since the start of the program.
#[derive(Clone, Copy)]
struct Started {
    /// Until a connection was accepted by the kernel: the server listens.
    listens: Duration,
    /// Until that connection was registered (001).
    greets: Duration,
}

/// Starts the command once on this core, knocks until it lets somebody in, and ends it.
fn start_once(
    command: &[String],
    server: SocketAddr,
    core: usize,
    encryption: Option<&Encryption>,
) -> Result<Started, String> {
    let (program, arguments) = command.split_first().ok_or("no command to start is given; put it behind --")?;
    if TcpStream::connect(server).is_ok() {
        return Err(format!("something listens on {server} already; end it or name another port"));
    }
    let began = Instant::now();
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    let mut child = Running(child);
    child.pin(core)?;
    knock(&mut child, server, began, encryption)
}

fn knock(
    child: &mut Running,
    server: SocketAddr,
    began: Instant,
    encryption: Option<&Encryption>,
) -> Result<Started, String> {
    let socket = loop {
        match TcpStream::connect(server) {
            Ok(socket) => break socket,
            Err(_) if began.elapsed() < PATIENCE && child.lives() => std::thread::sleep(KNOCK_EVERY),
            Err(error) => return Err(format!("the server does not let anybody in: {error}")),
        }
    };
    let listens = began.elapsed();
    let cannot = |error| format!("the server does not greet: {error}");
    socket.set_read_timeout(Some(PATIENCE)).map_err(cannot)?;
    let mut socket = Pipe::new(socket, encryption)?;
    socket.write_all(b"NICK b00000\r\nUSER b00000 0 * :load\r\n").map_err(cannot)?;
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while !heard.windows(5).any(|five| five == b" 001 ") {
        match socket.read(&mut buffer).map_err(cannot)? {
            0 => return Err(format!("the server hung up; it said: {}", heard.escape_ascii())),
            came => heard.extend_from_slice(&buffer[..came]),
        }
    }
    Ok(Started { listens, greets: began.elapsed() })
}

/// A server that ends with this value.
struct Running(Child);

impl Running {
    fn pin(&self, core: usize) -> Result<(), String> {
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(self.pid(), &cores).map_err(|error| format!("cannot run the server on core {core}: {error}"))
    }

    fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.0.id() as i32)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let asked = Instant::now();
        if let Some(pid) = self.pid().filter(|_| self.lives()) {
            // It may have ended in between; then there is nothing left to do.
            let _ = kill_process(pid, Signal::TERM);
        }
        while self.lives() && asked.elapsed() < FAREWELL {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
