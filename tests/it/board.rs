//! A server under test: the program that `cargo` built, on a port of its own, ended when the test ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// When a test gives up. Nothing takes so long unless it is broken, or the machine has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A program that does not outlive its test, wherever that fails: it would keep the test's output open, and whoever reads that waiting.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `gzy server`. It is killed when this is dropped.
pub struct Board {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it printed when it was ready.
    pub ready_line: String,
    data: PathBuf,
    _own_folder: Option<TempDir>,
}

/// What became of a server that was started wrongly.
pub struct Failure {
    /// The exit code.
    pub code: Option<i32>,
    /// What it said on standard error.
    pub sentence: String,
}

/// A folder for the data of several lives of a server.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// `gzy server` on a free port, not started yet.
pub fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gzy"));
    command.args(["server", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(args);
    // The tests may themselves run under systemd.
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "STATE_DIRECTORY"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Runs a server that cannot start, to its end.
pub fn failure(mut command: Command) -> Failure {
    let mut process = Process(command.stderr(Stdio::piped()).spawn().unwrap());
    let status = end_of(&mut process.0);
    let mut sentence = String::new();
    process.0.stderr.take().unwrap().read_to_string(&mut sentence).unwrap();
    Failure { code: status.code(), sentence }
}

impl Board {
    /// A server with a fresh folder and these words on its command line.
    pub fn start(args: &[&str]) -> Board {
        let own = folder();
        let mut board = Board::start_in(own.path(), args);
        board._own_folder = Some(own);
        board
    }

    /// A server with the data of an earlier one.
    pub fn start_in(data: &Path, args: &[&str]) -> Board {
        Board::spawn(command(data, args), data)
    }

    /// A server from a prepared command.
    pub fn spawn(mut command: Command, data: &Path) -> Board {
        let mut process = Process(command.spawn().unwrap());
        let stdout = process.0.stdout.take().unwrap();
        let (tell, told) = channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout);
            let mut line = String::new();
            let _ = lines.read_line(&mut line);
            let _ = tell.send(line);
            // The pipe stays open as long as the server has anything to say.
            let _ = lines.read_to_end(&mut Vec::new());
        });
        let ready_line = told.recv_timeout(PATIENCE).expect("the server is ready or has ended in time");
        let (_, after) = ready_line.split_once(" is ready on ").unwrap_or_else(|| panic!("not ready: {ready_line:?}"));
        let address = after.split([',', ' ', '\n']).next().unwrap().parse().unwrap();
        Board { process, address, ready_line, data: data.to_owned(), _own_folder: None }
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// What is in its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.data.join("log.txt")).unwrap_or_default()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process.0), signal).unwrap();
    }

    /// Pulls its plug (`kill -9`).
    pub fn pull_the_plug(self) {
        drop(self);
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits until it has ended by itself.
    pub fn end(mut self) -> ExitStatus {
        end_of(&mut self.process.0)
    }
}

/// Waits for the end of a process with a deadline; the standard library has no such wait, so it looks now and then.
fn end_of(process: &mut Child) -> ExitStatus {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < until, "the server did not end in time");
        thread::yield_now();
        thread::park_timeout(Duration::from_millis(2));
    }
}
