//! A person at a client: the smallest IRC client that tests need. It blocks, and gives up when nothing comes.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::board::{Board, PATIENCE};

/// What carries bytes both ways: a socket, or TLS over one.
pub trait Pipe: Read + Write + Send {}

impl<T: Read + Write + Send> Pipe for T {}

/// One connection and what came over it.
pub struct Person {
    lines: BufReader<Box<dyn Pipe>>,
    /// Shown when a test fails.
    heard: Vec<String>,
    pings: u32,
}

impl Person {
    /// A connection that has said nothing yet.
    pub fn connect(board: &Board) -> Person {
        Person::connect_to(board.address)
    }

    /// The same, by address.
    pub fn connect_to(address: SocketAddr) -> Person {
        Person::over(TcpStream::connect_timeout(&address, PATIENCE).unwrap())
    }

    /// A person on a socket that was made in a particular way.
    pub fn over(stream: TcpStream) -> Person {
        make_patient(&stream);
        Person::through(Box::new(stream))
    }

    /// A person on something that carries bytes.
    pub fn through(pipe: Box<dyn Pipe>) -> Person {
        Person { lines: BufReader::new(pipe), heard: Vec::new(), pings: 0 }
    }

    /// Somebody who is in the lobby and has read everything that was said to a newcomer.
    pub fn join(board: &Board, nick: &str) -> Person {
        Person::join_with(board, nick, "")
    }

    /// The same, with capabilities (`"echo-message message-tags"`).
    pub fn join_with(board: &Board, nick: &str, caps: &str) -> Person {
        let mut person = Person::connect(board);
        person.register(nick, caps);
        person
    }

    /// Registers; returns what a newcomer is told.
    pub fn register(&mut self, nick: &str, caps: &str) -> Vec<String> {
        if !caps.is_empty() {
            self.say(&format!("CAP REQ :{caps}"));
            assert!(self.hear(" CAP ").contains(" ACK "), "{caps}");
        }
        self.say(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}"));
        if !caps.is_empty() {
            self.say("CAP END");
        }
        self.hear(" 001 ");
        self.settle()
    }

    /// Sends a line (or several, with line ends between them).
    pub fn say(&mut self, line: &str) {
        self.send(format!("{line}\r\n").as_bytes());
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.lines.get_mut().write_all(bytes).unwrap();
    }

    /// Sends what can be sent to somebody who may be gone.
    pub fn try_say(&mut self, line: &str) -> bool {
        self.lines.get_mut().write_all(format!("{line}\r\n").as_bytes()).is_ok()
    }

    /// The next line; `None` when the connection has ended.
    pub fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                let line = line.trim_end_matches(['\r', '\n']).to_owned();
                self.heard.push(line.clone());
                Some(line)
            }
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("nothing came; heard so far: {:#?}", self.heard)
            }
            Err(why) if why.kind() == ErrorKind::InvalidData => panic!("not UTF-8: {why}"),
            Err(_) => None,
        }
    }

    /// Reads until a line holds `part`, and returns that line.
    pub fn hear(&mut self, part: &str) -> String {
        while let Some(line) = self.next() {
            if line.contains(part) {
                return line;
            }
        }
        panic!("the connection ended before {part:?}; heard: {:#?}", self.heard)
    }

    /// Everything that was sent before this question was asked, except the answer to it.
    pub fn settle(&mut self) -> Vec<String> {
        self.pings += 1;
        let token = format!("settled-{}", self.pings);
        self.say(&format!("PING {token}"));
        let mut lines = Vec::new();
        loop {
            match self.next() {
                Some(line) if line.contains(" PONG ") && line.ends_with(&token) => return lines,
                Some(line) => lines.push(line),
                None => panic!("the connection ended; heard: {:#?}", self.heard),
            }
        }
    }

    /// Sends a line and returns what it is answered.
    pub fn ask(&mut self, line: &str) -> Vec<String> {
        self.settle();
        self.say(line);
        self.settle()
    }

    /// Reads to the end of the connection.
    pub fn farewell(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// Every message of a room that may be read, oldest first: `(msgid, text)`. The person has joined with [`HISTORIAN`].
    pub fn history(&mut self, room: &str) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        loop {
            let after = all.last().map_or("timestamp=1970-01-01T00:00:00.000Z".into(), |(id, _)| format!("msgid={id}"));
            self.say(&format!("CHATHISTORY AFTER {room} {after} 100"));
            let opened = self.hear(" BATCH +");
            let batch = opened.split(" BATCH +").nth(1).unwrap().split(' ').next().unwrap().to_owned();
            let known = all.len();
            loop {
                let line = self.next().expect("a history that is begun is ended");
                if line.ends_with(&format!(" BATCH -{batch}")) {
                    break;
                }
                if line.contains(&format!("batch={batch}")) {
                    all.push((tag(&line, "msgid").expect("history has ids"), text(&line)));
                }
            }
            if all.len() == known {
                return all;
            }
        }
    }
}

/// Sockets in tests wait, but not for ever.
pub fn make_patient(stream: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
}

/// The capabilities that [`Person::history`] and receipts need.
pub const HISTORIAN: &str =
    "batch server-time message-tags draft/chathistory echo-message labeled-response standard-replies gzy/long-lines";

/// The value of a tag of a line.
pub fn tag(line: &str, key: &str) -> Option<String> {
    let (tags, _) = line.strip_prefix('@')?.split_once(' ')?;
    tags.split(';').find_map(|tag| tag.split_once('=').filter(|(k, _)| *k == key).map(|(_, value)| value.to_owned()))
}

/// What a line says: its last parameter.
pub fn text(line: &str) -> String {
    let untagged = line.strip_prefix('@').and_then(|rest| rest.split_once(' ')).map_or(line, |(_, rest)| rest);
    untagged.split_once(" :").map_or("", |(_, text)| text).to_owned()
}
