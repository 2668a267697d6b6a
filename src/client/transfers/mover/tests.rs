//! The mover against a small server of its own: the test plays the chat link, a thread per connection plays HTTP.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::client::features::{Features, WANTED};
use crate::client::transfers::lines::{Answer, Said, number};
use crate::client::transfers::{Listed, Transfers, Why, start};
use crate::wire::digest::Digest;
use crate::wire::fingerprint::Fingerprint;

use super::*;

/// A request that came in.
#[derive(Debug)]
struct Request {
    line: String,
    /// `Upload-Offset`, or where a `Range` begins.
    from: usize,
    length: usize,
}

/// What the server does about it.
enum Reply {
    /// Takes the body, and says this.
    Say(&'static str, Vec<u8>),
    /// Sends so much of an answer and hangs up.
    Half(String, Vec<u8>),
    /// Takes so many bytes of the body and hangs up.
    HangUp(usize),
}

type Answers = dyn Fn(&Request, Vec<u8>) -> Reply + Send + Sync;

/// A server for bytes. `answers` gets each request with its body, but for those that `hangs_up` says otherwise about.
struct Board {
    address: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Board {
    fn new(answers: impl Fn(&Request, Vec<u8>) -> Reply + Send + Sync + 'static) -> Board {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (count, log, answers) =
            (connections.clone(), requests.clone(), Arc::<Answers>::from(Box::new(answers) as Box<Answers>));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                let (answers, log) = (answers.clone(), log.clone());
                thread::spawn(move || {
                    let _ = talk(&stream, &*answers, &log);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Board { address, connections, requests }
    }
}

fn talk(stream: &TcpStream, answers: &Answers, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut input = BufReader::new(stream);
    let mut output = stream;
    loop {
        let mut request = Request { line: String::new(), from: 0, length: 0 };
        if input.read_line(&mut request.line)? == 0 {
            return Ok(());
        }
        loop {
            let mut field = String::new();
            input.read_line(&mut field)?;
            let Some((name, value)) = field.trim().split_once(": ") else { break };
            match name {
                "Upload-Offset" => request.from = value.parse().unwrap(),
                "Content-Length" => request.length = value.parse().unwrap(),
                "Range" => request.from = value.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap(),
                _ => {}
            }
        }
        log.lock().unwrap().push(request.line.trim().to_owned());
        // Whoever hangs up in the middle says so before the body is there.
        let mut body = Vec::new();
        if let Reply::HangUp(bytes) = answers(&request, body.clone()) {
            input.read_exact(&mut vec![0; bytes])?;
            return Ok(());
        }
        (&mut input).take(request.length as u64).read_to_end(&mut body)?;
        match answers(&request, body) {
            Reply::Say(status, body) => {
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
                output.write_all(&[head.as_bytes(), &body].concat())?;
            }
            Reply::Half(head, body) => {
                output.write_all(&[head.as_bytes(), &body].concat())?;
                return Ok(());
            }
            Reply::HangUp(_) => return Ok(()),
        }
    }
}

/// A person with files, and the chat link that the test plays.
struct Desk {
    transfers: Arc<Transfers>,
    folder: TempDir,
}

impl Desk {
    /// `chat` answers each line about files.
    fn at(board: &Board, key: Option<Fingerprint>, chat: impl FnMut(u64, &str) -> Said + Send + 'static) -> Desk {
        Desk::in_folder(tempfile::tempdir().unwrap(), None, board, key, chat)
    }

    /// With a memory of what is unfinished.
    fn in_folder(
        folder: TempDir,
        memory: Option<PathBuf>,
        board: &Board,
        key: Option<Fingerprint>,
        chat: impl FnMut(u64, &str) -> Said + Send + 'static,
    ) -> Desk {
        let (to_link, commands) = async_channel::bounded(4);
        let address: crate::net::Address = board.address.parse().unwrap();
        let setup = Setup {
            address: address.clone(),
            is_encrypted: false,
            downloads: folder.path().join("Recv"),
            memory,
            commands: to_link,
        };
        let transfers = Arc::new(start(setup).unwrap());
        let features = Box::new(Features { caps: WANTED, ..Features::default() });
        transfers.happened(&Event::Reached { server: address, key });
        let event = Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: false };
        transfers.happened(&event);
        let (link, mut chat) = (transfers.clone(), chat);
        thread::spawn(move || {
            while let Ok(Command::File { label, line }) = commands.recv_blocking() {
                let said = chat(number(&label).unwrap(), &line);
                link.happened(&Event::File(Box::new(Answer { label, said })));
            }
        });
        Desk { transfers, folder }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn put(&self, path: &Path) -> Vec<News> {
        self.transfers.wish(Wish::Put { paths: vec![path.to_owned()], scope: "*".into(), replace: false });
        self.hear()
    }

    fn get(&self, name: &str) -> Vec<News> {
        self.transfers.wish(Wish::Get { names: vec![name.into()], scope: "*".into() });
        self.hear()
    }

    /// All news until all is done, but for progress.
    fn hear(&self) -> Vec<News> {
        let all = std::iter::from_fn(|| self.transfers.news().recv_blocking().ok());
        let all = all.take_while(|news| *news != News::AllDone);
        all.filter(|news| !matches!(news, News::Progress(_) | News::Began(_))).collect()
    }

    fn received(&self) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.folder.path().join("Recv")).into_iter().flatten().flatten();
        let mut all: Vec<_> =
            entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect();
        all.sort();
        all
    }
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 7 / 3) as u8 ^ (at >> 13) as u8).collect()
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn put_ticket(number: u64, offset: u64) -> Said {
    Said::PutTicket { token: format!("t{number}").into(), offset }
}

/// A chat that has one file, with these bytes.
fn shelf(name: &'static str, content: &[u8]) -> impl FnMut(u64, &str) -> Said + Send + 'static {
    let (size, digest) = (content.len() as u64, digest(content));
    move |number, line| match line.split(' ').nth(1) {
        Some("LIST") => {
            let name = name.into();
            let file = Listed { name, size, digest, stored_ms: 0, uploader: None, media: None };
            Said::Listing { files: vec![file], more: None }
        }
        Some("GET") => Said::GetTicket { token: format!("t{number}").into(), size, digest },
        _ => panic!("{line}"),
    }
}

fn cloud(body: &Arc<Mutex<Vec<u8>>>, request: &Request, bytes: &[u8]) {
    let mut body = body.lock().unwrap();
    body.truncate(request.from);
    body.extend_from_slice(bytes);
}

#[test]
fn a_big_file_arrives_whole_and_goes_on_where_its_connection_broke() {
    const SIZE: usize = 5 << 20;
    let there = Arc::<Mutex<Vec<u8>>>::default();
    let (body, tries) = (there.clone(), AtomicUsize::new(0));
    let board = Board::new(move |request, came| {
        // The first time, before the body is read.
        if request.from == 0 && came.is_empty() && tries.fetch_add(1, Ordering::Relaxed) == 0 {
            return Reply::HangUp(SIZE / 3);
        }
        cloud(&body, request, &came);
        Reply::Say("204 No Content", vec![])
    });
    let content = bytes(SIZE);
    *there.lock().unwrap() = content[..SIZE / 3].to_vec();
    let desk = Desk::at(&board, None, |number, line| {
        assert!(line.starts_with("FILE PUT * "), "{line}");
        put_ticket(number, if number == 1 { 0 } else { (SIZE / 3) as u64 })
    });
    let news = desk.put(&desk.write("big", &content));
    assert!(matches!(&news[..], [News::Sent { at_once: false, digest: d, .. }] if *d == digest(&content)), "{news:?}");
    assert!(*there.lock().unwrap() == content, "byte for byte");
    assert_eq!(*board.requests.lock().unwrap(), ["PATCH /t/t1 HTTP/1.1", "PATCH /t/t2 HTTP/1.1"]);
}

#[test]
fn many_small_files_go_over_two_connections() {
    const FILES: usize = 300;
    let board = Board::new(move |_, _| Reply::Say("204 No Content", vec![]));
    let desk = Desk::at(&board, None, |number, _| put_ticket(number, 0));
    for at in 0..FILES {
        desk.write(&format!("作业/{}/{at}.txt", at % 7), &bytes(at));
    }
    let news = desk.put(&desk.folder.path().join("作业"));
    assert_eq!(news.iter().filter(|news| matches!(news, News::Sent { .. })).count(), FILES, "{news:?}");
    assert_eq!(board.requests.lock().unwrap().len(), FILES);
    assert!(board.connections.load(Ordering::Relaxed) <= 2);
}

#[test]
fn a_download_goes_on_where_it_broke_and_gets_its_name_at_the_end() {
    let content = bytes(3 << 20);
    let whole = content.clone();
    let board = Board::new(move |request, _| {
        let rest = &whole[request.from..];
        let (from, last, all) = (request.from, whole.len() - 1, whole.len());
        let head = match from {
            0 => format!("HTTP/1.1 200 OK\r\nContent-Length: {all}\r\n\r\n"),
            _ => format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{last}/{all}\r\nContent-Length: {}\r\n\r\n",
                rest.len()
            ),
        };
        Reply::Half(head, rest[..rest.len().min(1_000_000)].to_vec())
    });
    let desk = Desk::at(&board, None, shelf("作业.zip", &content));
    let news = desk.get("作业*");
    assert!(matches!(&news[..], [News::Fetched { at_once: false, .. }]), "{news:?}");
    assert!(desk.received() == [("作业.zip".to_owned(), content.clone())], "whole, and nothing beside it");
    let requests = board.requests.lock().unwrap().len();
    assert!(matches!(&desk.get("作业.zip")[..], [News::Fetched { at_once: true, .. }]));
    assert_eq!(board.requests.lock().unwrap().len(), requests, "not asked for again");
}

#[test]
fn bytes_that_are_not_what_was_announced_are_tried_three_times_and_gone() {
    let content = bytes(100_000);
    let mut flipped = content.clone();
    flipped[77_777] ^= 4;
    let board = Board::new(move |_, _| Reply::Say("200 OK", flipped.clone()));
    let desk = Desk::at(&board, None, shelf("a", &content));
    let news = desk.get("a");
    assert!(matches!(&news[..], [News::Failed { why: Why::Mismatch, .. }]), "{news:?}");
    assert_eq!((desk.received(), board.requests.lock().unwrap().len()), (vec![], 3));
}

#[test]
fn a_server_that_finds_other_bytes_is_believed_and_a_full_one_too() {
    let board = Board::new(|request, _| match request.length {
        10 => Reply::Say("507 Insufficient Storage", b"the disk is full".to_vec()),
        _ => Reply::Say("422 Unprocessable Content", b"not what was announced".to_vec()),
    });
    let desk = Desk::at(&board, None, |number, _| put_ticket(number, 0));
    let news = desk.put(&desk.write("a", &bytes(11)));
    assert!(matches!(&news[..], [News::Failed { why: Why::Mismatch, .. }]), "{news:?}");
    assert_eq!(board.requests.lock().unwrap().len(), 3);
    let news = desk.put(&desk.write("b", &bytes(10)));
    let why = Why::Refused { code: "DISK_FULL".into(), sentence: "the disk is full".into() };
    assert!(matches!(&news[..], [News::Failed { why: told, .. }] if *told == why), "{news:?}");
}

#[test]
fn a_file_that_changes_while_it_is_offered_is_not_sent() {
    let board = Board::new(|_, _| Reply::Say("204 No Content", vec![]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "one").unwrap();
    let changing = path.clone();
    let desk = Desk::at(&board, None, move |number, _| {
        fs::write(&changing, "another one").unwrap();
        put_ticket(number, 0)
    });
    let news = desk.put(&path);
    assert!(matches!(&news[..], [News::Failed { why: Why::Changed, .. }]), "{news:?}");
    assert_eq!(board.requests.lock().unwrap().len(), 0);
}

#[test]
fn an_empty_file_goes_and_comes() {
    let board = Board::new(|_, _| Reply::Say("204 No Content", vec![]));
    let desk = Desk::at(&board, None, |number, _| put_ticket(number, 0));
    assert!(matches!(&desk.put(&desk.write("empty", b""))[..], [News::Sent { .. }]));
    let desk = Desk::at(&board, None, shelf("empty", b""));
    assert!(matches!(&desk.get("empty")[..], [News::Fetched { at_once: false, .. }]));
    assert_eq!(desk.received(), [("empty".to_owned(), vec![])]);
}

#[test]
fn nothing_is_said_to_a_server_with_another_key() {
    let board = Board::new(|_, _| Reply::Say("204 No Content", vec![]));
    let desk = Desk::at(&board, Some(Fingerprint([1; 32])), |number, _| put_ticket(number, 0));
    let path = desk.write("a", b"secret");
    desk.transfers.wish(Wish::Put { paths: vec![path], scope: "*".into(), replace: false });
    let is_pausing = |news: &News| matches!(news, News::Progress(all) if matches!(all[0].stage, crate::client::transfers::Stage::Pausing(_)));
    while !is_pausing(&desk.transfers.news().recv_blocking().unwrap()) {}
    assert_eq!((board.requests.lock().unwrap().len(), board.connections.load(Ordering::Relaxed) > 0), (0, true));
    desk.transfers.wish(Wish::Cancel(None));
    assert!(matches!(desk.hear().last(), Some(News::Failed { why: Why::Cancelled, .. })));
}

#[test]
fn what_was_unfinished_is_taken_up_by_the_next_client() {
    let content = bytes(100_000);
    let whole = content.clone();
    let board = Board::new(move |request, _| match !request.line.contains("/t/t10") {
        true => Reply::HangUp(0),
        false => Reply::Say("200 OK", whole.clone()),
    });
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let desk = Desk::in_folder(folder, Some(config.clone()), &board, None, shelf("a", &content));
    desk.transfers.wish(Wish::Get { names: vec!["a*".into()], scope: "*".into() });
    let is_pausing = |news: &News| matches!(news, News::Progress(all) if matches!(all[0].stage, crate::client::transfers::Stage::Pausing(_)));
    while !is_pausing(&desk.transfers.news().recv_blocking().unwrap()) {}
    // It ends as a client does that is killed: without a word.
    desk.transfers.told.close();
    while desk.transfers.news().recv_blocking().is_ok() {}
    let Desk { folder, .. } = desk;
    let mut next = shelf("a", &content);
    let desk =
        Desk::in_folder(folder, Some(config.clone()), &board, None, move |number, line| next(number + 100, line));
    let news = desk.hear();
    assert_eq!(news[0], News::TakenUp(vec!["a*".into()]));
    assert!(matches!(&news[1..], [News::Fetched { at_once: false, .. }]), "{news:?}");
    assert!(desk.received() == [("a".to_owned(), content)]);
    let kept = fs::read_to_string(config.join("transfers")).unwrap();
    assert!(kept.lines().all(|line| line.starts_with('#')), "nothing is unfinished: {kept}");
}
