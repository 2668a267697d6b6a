//! What does one member who never reads do to the others, to the server's memory, and to himself?

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// The kernel doubles it; with so little, the server notices after a few kilobytes.
const RECEIVE_BUFFER: usize = 4096;
/// How long the slow one waits for an answer while he still reads.
const PATIENCE: Duration = Duration::from_secs(10);
/// He has no number among the members, so he has a name of another kind.
const NICK: &str = "slow";

/// A member of the room who stops reading once he is in.
pub struct SlowReader {
    socket: TcpStream,
}

/// What he finds when he reads on at last.
pub struct Found {
    /// Bytes that were still there for him.
    pub bytes: u64,
    /// The server had ended the connection.
    pub cut: bool,
    /// The ERROR line, if it came through, escaped.
    pub error: Option<String>,
}

impl SlowReader {
    /// Registers and joins the room, and reads nothing more from here on.
    pub fn join(server: SocketAddr, room: &str) -> Result<Self, String> {
        let socket = connect(server).map_err(|error| format!("the slow reader cannot connect: {error}"))?;
        let mut slow = SlowReader { socket };
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
    pub fn read_on(mut self) -> Found {
        let mut found = Found { bytes: 0, cut: false, error: None };
        let mut tail: Vec<u8> = Vec::new();
        let mut buffer = [0; 16 * 1024];
        // Somebody who was not cut may have megabytes waiting; nothing for a second is the end.
        let _ = self.socket.set_read_timeout(Some(Duration::from_secs(1)));
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
