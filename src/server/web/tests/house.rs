//! A server of files for tests: the disk and the transfers are real, the rules are a table.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_io::Async;
use sha2::{Digest as _, Sha256};

use crate::chat::shelf::order::{Fault, Intake, ShelfFact, UploadId};
use crate::chat::shelf::web::{Listed, Outgoing, WebReply, WebRequest, WebWish};
use crate::server::cloud::Cloud;
use crate::server::hub::Mail;
use crate::server::listen::Permit;
use crate::server::transport::Link;
use crate::store::file::{FileKey, Scope};
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;

use super::super::shared::Patience;
use super::super::{Arrived, Web, WebSettings};

/// No test waits longer for a byte.
const LONGEST: Duration = Duration::from_secs(20);

/// The whole server.
pub struct House {
    web: Web,
    listener: TcpListener,
    _folder: tempfile::TempDir,
    /// What the rules were asked, in order.
    pub asked: Receiver<WebRequest>,
}

/// Somebody who speaks HTTP.
pub struct Client {
    pub stream: TcpStream,
    rest: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

pub fn settings() -> WebSettings {
    WebSettings { max_transfers: 4, rate: None, rate_total: None, network: "anna's".into() }
}

/// Short enough for a test to wait for what happens too late.
pub fn hurried() -> Patience {
    let short = Duration::from_millis(60);
    Patience { idle: short, head: short, stalled: short, turn: short, look: Duration::from_millis(10) }
}

pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Bytes that do not repeat soon.
pub fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}

impl House {
    pub fn new() -> House {
        House::with(settings(), Patience::default())
    }

    pub fn with(settings: WebSettings, patience: Patience) -> House {
        let folder = tempfile::tempdir().unwrap();
        let (tell, facts) = async_channel::unbounded();
        let cloud = Cloud::open(&folder.path().join("Cloud"), Vec::new(), move |fact| {
            let _ = tell.try_send(fact);
        })
        .unwrap();
        let (mail, inbox) = async_channel::bounded(1024);
        let (note, asked) = async_channel::unbounded();
        std::thread::spawn(move || smol::block_on(Rules::new(note).run(inbox, facts)));
        let web = Web::start_with(settings, cloud, mail, patience).unwrap();
        House { web, listener: TcpListener::bind("127.0.0.1:0").unwrap(), _folder: folder, asked }
    }

    /// A connection of which nothing was read.
    pub fn visit(&self) -> Client {
        self.visit_after(Vec::new(), |link| link)
    }

    /// A connection of which this was read, after something was done to the server's side of it.
    pub fn visit_after(&self, first: Vec<u8>, prepare: impl FnOnce(Link) -> Link) -> Client {
        let stream = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, peer) = self.listener.accept().unwrap();
        let link = prepare(Link::new(Async::new(socket).unwrap()));
        let is_secure = link.is_encrypted();
        self.web.take(Arrived { link, address: peer.ip(), is_secure, first, permit: Permit::for_test() });
        Client { stream, rest: Vec::new() }
    }

    /// The server's side of the next connection, for those who do the handshake first.
    pub fn accept(&self) -> (TcpStream, Link) {
        let stream = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        let (socket, _) = self.listener.accept().unwrap();
        (stream, Link::new(Async::new(socket).unwrap()))
    }

    pub fn take(&self, link: Link) {
        let (address, is_secure) = ("127.0.0.1".parse().unwrap(), link.is_encrypted());
        self.web.take(Arrived { link, address, is_secure, first: Vec::new(), permit: Permit::for_test() });
    }

    /// Brings a file.
    pub fn bring(&self, name: &str, bytes: &[u8]) {
        let answer =
            self.visit().ask(&format!("PUT /cloud/{name}"), &format!("Content-Length: {}\r\n", bytes.len()), bytes);
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

impl Client {
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// One request and its answer.
    pub fn ask(&mut self, line: &str, fields: &str, body: &[u8]) -> Answer {
        self.send(format!("{line} HTTP/1.1\r\nHost: board\r\n{fields}\r\n").as_bytes());
        self.send(body);
        self.answer(line.starts_with("HEAD"))
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "", b"")
    }

    /// The next answer.
    pub fn answer(&mut self, is_head_only: bool) -> Answer {
        let end = loop {
            if let Some(end) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.read(), "the answer is whole: {}", self.rest.escape_ascii());
        };
        let head = String::from_utf8(self.rest.drain(..end).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        let length = value(&head, "Content-Length").map_or(0, |length| length.parse().unwrap());
        let length = if is_head_only { 0 } else { length };
        while self.rest.len() < length {
            assert!(self.read(), "the body is whole");
        }
        Answer { status, head, body: self.rest.drain(..length).collect() }
    }

    /// Reads more; false at the end.
    pub fn read(&mut self) -> bool {
        let mut buffer = [0; 65536];
        let count = self.stream.read(&mut buffer).unwrap();
        self.rest.extend_from_slice(&buffer[..count]);
        count > 0
    }

    /// Nothing more comes, and the connection is over. What is left of a request that nobody read may make it a reset.
    pub fn is_over(&mut self) -> bool {
        let reset = |why: std::io::Error| why.kind() == std::io::ErrorKind::ConnectionReset;
        self.rest.is_empty() && self.stream.read(&mut [0; 64]).map_or_else(reset, |count| count == 0)
    }
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        value(&self.head, name)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The size that the ticket `up` is for, and its bytes.
pub const TICKET_BYTES: usize = 300_000;

/// The rules: everybody may everything, but for some names.
struct Rules {
    asked: Sender<WebRequest>,
    files: HashMap<String, Outgoing>,
    waiting: HashMap<UploadId, (Box<Intake>, Sender<WebReply>)>,
    uploads: u64,
}

impl Rules {
    fn new(asked: Sender<WebRequest>) -> Rules {
        Rules { asked, files: HashMap::new(), waiting: HashMap::new(), uploads: 0 }
    }

    async fn run(mut self, inbox: Receiver<Mail>, facts: Receiver<ShelfFact>) {
        enum Event {
            Mail(Mail),
            Fact(ShelfFact),
        }
        loop {
            let mail = async { inbox.recv().await.map(Event::Mail) };
            let fact = async { facts.recv().await.map(Event::Fact) };
            match smol::future::or(mail, fact).await {
                Ok(Event::Mail(Mail::Web(asks))) => {
                    asks.into_iter().for_each(|ask| self.ask(*ask.request, ask.answers))
                }
                Ok(Event::Mail(_)) => {}
                Ok(Event::Fact(fact)) => self.hear(fact),
                Err(_) => return,
            }
        }
    }

    fn ask(&mut self, request: WebRequest, answers: Sender<WebReply>) {
        let _ = self.asked.try_send(request.clone());
        let no = |status: u16, sentence: &str| WebReply::Refused { status, sentence: sentence.into(), offset: None };
        let reply = match request.wish {
            WebWish::List { .. } => WebReply::Listing(self.listing()),
            WebWish::Get { name } => match self.files.get(&*name) {
                Some(file) => WebReply::Send(Box::new(file.clone())),
                None if &*name == "作业" => WebReply::Folder,
                None => no(404, "there is no such file"),
            },
            WebWish::Put { name, .. } if &*name == "taken" => no(409, "that name is taken"),
            WebWish::Put { name, size, digest, .. } => {
                let intake = self.intake(&name, size, digest, 10_000_000);
                self.receive(intake, answers.clone())
            }
            WebWish::Remove { name } => match self.files.remove(&*name) {
                Some(_) => WebReply::Removed,
                None => no(404, "there is no such file"),
            },
            WebWish::Redeem { token } if &*token == "up" => {
                let bytes = noise(TICKET_BYTES);
                let intake = self.intake("ticket", Some(bytes.len() as u64), Some(sha256(&bytes)), u64::MAX);
                self.receive(Intake { part: "ticket.1001".into(), resumable: true, ..intake }, answers.clone())
            }
            WebWish::Redeem { token } if token.starts_with("small") => {
                let intake = self.intake(&token, Some(5), Some(sha256(b"hello")), u64::MAX);
                self.receive(intake, answers.clone())
            }
            WebWish::Redeem { token } => match self.files.get(&*token) {
                Some(file) => WebReply::Send(Box::new(file.clone())),
                None => no(404, "that ticket is not known, or used up"),
            },
        };
        let _ = answers.try_send(reply);
    }

    fn intake(&mut self, name: &str, size: Option<u64>, digest: Option<Digest>, at_most: u64) -> Intake {
        self.uploads += 1;
        Intake {
            upload: UploadId(self.uploads),
            to: FileKey { scope: Scope::Public, name: FileName::parse(name).unwrap() },
            part: format!("put.{}.1", self.uploads).into(),
            size,
            digest,
            at_most,
            replaces: None,
            resumable: false,
        }
    }

    fn receive(&mut self, intake: Intake, answers: Sender<WebReply>) -> WebReply {
        self.waiting.insert(intake.upload, (Box::new(intake.clone()), answers));
        WebReply::Receive(Box::new(intake))
    }

    fn hear(&mut self, fact: ShelfFact) {
        match fact {
            ShelfFact::Stored(batch) => {
                for stored in batch {
                    let Some((intake, answers)) = self.waiting.remove(&stored.upload) else { continue };
                    let (file, digest) = (intake.to.clone(), stored.digest);
                    let outgoing =
                        Outgoing { file: file.clone(), digest, stored_ms: 0, media: stored.media, stamp: stored.stamp };
                    self.files.insert(file.name.as_str().to_owned(), outgoing);
                    let _ = answers.try_send(WebReply::Stored { file, digest, is_new: true });
                }
            }
            ShelfFact::Failed { upload, fault } => {
                let Some((_, answers)) = self.waiting.remove(&upload) else { return };
                let status = if fault == Fault::DigestMismatch { 422 } else { 500 };
                let _ =
                    answers.try_send(WebReply::Refused { status, sentence: format!("{fault:?}").into(), offset: None });
            }
            _ => {}
        }
    }

    fn listing(&self) -> Vec<Listed> {
        let mut files: Vec<Listed> = self.files.values().map(listed).collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        files
    }
}

fn listed(file: &Outgoing) -> Listed {
    Listed {
        name: file.file.name.as_str().into(),
        size: file.stamp.size,
        digest: file.digest,
        stored_ms: file.stored_ms,
        uploader: None,
        media: file.media,
    }
}
