//! Exactly once: links are cut at random bytes and the plug is pulled, and everybody still gets every line, once, in a group and in private.
//!
//! The people here do what `gzy client` does: log in, fetch what they missed, send again with the same `+gzy/id` what has no receipt.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64, Encoding};
use gzy::client::outbox::SENT_ID;
use gzy::client::seen::{Identity, Seen};
use gzy::store::accounts::Accounts;

use crate::accounts::{PASSWORD, sasl};
use crate::board::{Board, PATIENCE, folder};
use crate::cuts::{Cuts, Dice};
use crate::person::{HISTORIAN, Person, make_patient, tag, text};

const NAMES: [&str; 3] = ["anna", "ben", "小阳"];
const GROUP: &str = "#茶馆";
/// What each says: every third message to the group, the others in private to the two others.
const EACH: usize = 240;
/// Sent and not acknowledged, at most.
const UNDER_WAY: usize = 12;
/// Receipts of all together after which the plug is pulled.
const PLUG_PULLED_AT: [usize; 5] = [15, 120, 300, 480, 650];
/// Another number, other cuts.
const SEED: u64 = 0x6a09_e667_f3bc_c909;

/// A link that may end at any byte; half a line at its end is no line.
struct Link {
    lines: BufReader<TcpStream>,
    /// It lives, and what is waited for does not come.
    is_silent: bool,
}

impl Link {
    fn say(&mut self, line: &str) -> Option<()> {
        self.lines.get_mut().write_all(format!("{line}\r\n").as_bytes()).ok()
    }

    fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        match self.lines.read_until(b'\n', &mut line) {
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.is_silent = true;
                return None;
            }
            read => read.ok()?,
        };
        let line = line.strip_suffix(b"\n")?;
        Some(String::from_utf8(line.strip_suffix(b"\r").unwrap_or(line).to_vec()).expect("the server speaks UTF-8"))
    }
}

/// One person's memory across links and lives of the server.
#[derive(Debug)]
struct Chatter {
    name: &'static str,
    /// What is still to be sent, last first: to whom, and the text.
    unsent: Vec<(&'static str, String)>,
    /// Sent and without a receipt, oldest first.
    under_way: Vec<(&'static str, String)>,
    /// Every text that was shown, with the id that it had last, in each conversation.
    shown: HashMap<(String, String), String>,
    /// The newest message of each conversation before which nothing is missing.
    newest: HashMap<&'static str, String>,
    /// How many texts there will be.
    expected: usize,
    receipts: Arc<AtomicUsize>,
    seen: Seen,
}

fn others(name: &str) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(move |other| *other != name)
}

/// What somebody says to whom, in this order.
fn sayings(name: &'static str) -> impl DoubleEndedIterator<Item = (&'static str, String)> {
    let [one, two] = <[&str; 2]>::try_from(others(name).collect::<Vec<_>>()).unwrap();
    (0..EACH).map(move |i| ([GROUP, one, two][i % 3], format!("{name}-{i} 一句也不能少")))
}

impl Chatter {
    fn new(name: &'static str, receipts: Arc<AtomicUsize>) -> Chatter {
        let to_me = others(name).flat_map(sayings).filter(|(to, _)| [GROUP, name].contains(to)).count();
        Chatter {
            name,
            unsent: sayings(name).rev().collect(),
            under_way: Vec::new(),
            shown: HashMap::new(),
            newest: HashMap::new(),
            expected: EACH + to_me,
            receipts,
            seen: Seen::default(),
        }
    }

    fn is_done(&self) -> bool {
        self.unsent.is_empty() && self.under_way.is_empty() && self.shown.len() == self.expected
    }

    /// Connects again and again until all is said and heard; returns what was shown.
    fn talk(mut self, address: SocketAddr) -> HashMap<(String, String), String> {
        while !self.is_done() {
            if let Ok(stream) = TcpStream::connect_timeout(&address, PATIENCE) {
                make_patient(&stream);
                let mut link = Link { lines: BufReader::new(stream), is_silent: false };
                self.one_link(&mut link);
                // To catch up later is no excuse.
                assert!(!link.is_silent, "{}: a link lives and brings nothing; {self:?}", self.name);
            }
        }
        self.shown
    }

    /// `None` when the link ended, wherever that was.
    fn one_link(&mut self, link: &mut Link) -> Option<()> {
        self.seen.lost();
        self.log_in(link)?;
        for conversation in others(self.name).chain([GROUP]) {
            self.catch_up(link, conversation)?;
        }
        for (to, text) in &self.under_way {
            link.say(&line(to, text))?;
        }
        while !self.is_done() {
            while self.under_way.len() < UNDER_WAY
                && let Some((to, text)) = self.unsent.pop()
            {
                self.under_way.push((to, text.clone()));
                link.say(&line(to, &text))?;
            }
            let heard = link.next()?;
            if let Some((conversation, id)) = self.note(&heard) {
                self.newest.insert(conversation, id);
            }
        }
        Some(())
    }

    fn log_in(&mut self, link: &mut Link) -> Option<()> {
        let message = Base64::encode_string(format!("\0{}\0{PASSWORD}", self.name).as_bytes());
        let hello = format!("CAP REQ :{HISTORIAN} sasl\r\nNICK {0}\r\nUSER u 0 * :u\r\nAUTHENTICATE PLAIN", self.name);
        for (say, wait_for) in
            [(hello, "AUTHENTICATE +"), (format!("AUTHENTICATE {message}"), " 903 "), ("CAP END".into(), " 376 ")]
        {
            link.say(&say)?;
            loop {
                let heard = link.next()?;
                assert!(!heard.contains(" 904 "), "a cut link is no wrong password: {heard}");
                self.note(&heard);
                // 422 where there is no message of the day.
                if heard.contains(wait_for) || wait_for == " 376 " && heard.contains(" 422 ") {
                    break;
                }
            }
        }
        Some(())
    }

    /// Fetches what was said meanwhile, page by page.
    fn catch_up(&mut self, link: &mut Link, conversation: &'static str) -> Option<()> {
        loop {
            let newest = self.newest.get(conversation).map(|id| format!("msgid={id}"));
            let after = newest.unwrap_or_else(|| "timestamp=1970-01-01T00:00:00.000Z".into());
            link.say(&format!("@label=page CHATHISTORY AFTER {conversation} {after} 40"))?;
            let mut batch = None;
            let mut known = 0;
            loop {
                let heard = link.next()?;
                let words: Vec<&str> = heard.split(' ').collect();
                assert!(words.get(2) != Some(&"FAIL"), "{heard}");
                if heard.contains("label=page") {
                    batch = words.get(3).map(|word| word.trim_start_matches('+').to_owned());
                }
                let id = self.note(&heard).map(|(_, id)| id);
                if let (Some(batch), Some(id)) = (&batch, id)
                    && tag(&heard, "batch").as_ref() == Some(batch)
                {
                    self.newest.insert(conversation, id);
                    known += 1;
                }
                if batch.as_ref().is_some_and(|batch| heard.ends_with(&format!(" BATCH -{batch}"))) {
                    break;
                }
            }
            if known == 0 {
                return Some(());
            }
        }
    }

    /// Looks at a line. What was shown may come again, out of the history or because it was lost with the plug: then a client can tell.
    fn note(&mut self, heard: &str) -> Option<(&'static str, String)> {
        let untagged = heard.split_once(' ').filter(|_| heard.starts_with('@')).map_or(heard, |(_, rest)| rest);
        let words: Vec<&str> = untagged.split(' ').collect();
        let &["PRIVMSG", target] = words.get(1..3)? else { return None };
        let sender = words[0].trim_start_matches(':').split('!').next()?;
        let conversation = if target == self.name { sender } else { target };
        let conversation = NAMES.into_iter().chain([GROUP]).find(|name| *name == conversation)?;
        let (id, text) = (tag(heard, "msgid").expect("a message has an id"), text(heard));
        let identity = Identity {
            msgid: Some(&id),
            sender,
            sent_id: Some(&tag(heard, SENT_ID).expect("the sender's id comes with it")),
            history: tag(heard, "batch").is_some(),
            own: sender == self.name,
        };
        let is_known = self.shown.insert((conversation.to_owned(), text.clone()), id.clone()).is_some();
        assert_eq!(self.seen.is_new(identity), !is_known, "{} is shown {text} twice, or not at all", self.name);
        if let Some(at) = self.under_way.iter().position(|(_, mine)| sender == self.name && *mine == text) {
            self.under_way.remove(at);
            self.receipts.fetch_add(1, Ordering::Relaxed);
        }
        Some((conversation, id))
    }
}

/// A hash that is checked at once: there are hundreds of log-ins here, and what a password costs is not the question.
fn cheap_hash() -> String {
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(PASSWORD.as_bytes()).unwrap().to_string()
}

/// A message with the sender's own id, which is its text's first word.
fn line(to: &str, text: &str) -> String {
    format!("@+gzy/id={} PRIVMSG {to} :{text}", text.split(' ').next().unwrap())
}

#[test]
fn nobody_misses_a_line_or_sees_one_twice_over_cut_links_and_pulled_plugs() {
    let data = folder();
    let accounts = Accounts::open(data.path()).unwrap();
    NAMES.iter().for_each(|name| assert!(accounts.add(name, &cheap_hash()).is_ok()));
    drop(accounts);
    let board = Board::start_in(data.path(), &["--flood", "off"]);
    for name in NAMES {
        assert!(sasl(&board, name, PASSWORD).0.ask(&format!("JOIN {GROUP}"))[0].contains(" JOIN "));
    }
    let cuts = Cuts::new(Dice(SEED));
    cuts.lead_to(Some(board.address));
    let receipts = Arc::new(AtomicUsize::new(0));
    let (board, shown) = thread::scope(|scope| {
        let mut board = board;
        let talking = NAMES.map(|name| {
            let (chatter, address) = (Chatter::new(name, receipts.clone()), cuts.address);
            scope.spawn(move || chatter.talk(address))
        });
        for wanted in PLUG_PULLED_AT {
            while receipts.load(Ordering::Relaxed) < wanted && !talking.iter().any(|thread| thread.is_finished()) {
                thread::yield_now();
                thread::park_timeout(Duration::from_millis(1));
            }
            cuts.lead_to(None);
            board.pull_the_plug();
            board = Board::start_in(data.path(), &["--flood", "off"]);
            cuts.lead_to(Some(board.address));
        }
        (board, talking.map(|thread| thread.join().unwrap()))
    });
    assert!(cuts.count() > 20, "only {} links were cut", cuts.count());
    for (name, shown) in NAMES.iter().zip(&shown) {
        check(&board, name, shown);
    }
}

/// What the server keeps is what was shown: each text once, under its id, each sender's in the order in which they were said.
fn check(board: &Board, name: &'static str, shown: &HashMap<(String, String), String>) {
    let mut reader = Person::connect(board);
    reader.say(&format!("CAP REQ :{HISTORIAN} sasl\r\nNICK x\r\nUSER u 0 * :u\r\nAUTHENTICATE PLAIN"));
    reader.hear("AUTHENTICATE +");
    reader.say(&format!("AUTHENTICATE {}", Base64::encode_string(format!("\0{name}\0{PASSWORD}").as_bytes())));
    reader.hear(" 903 ");
    reader.say("CAP END");
    reader.hear(" 001 ");
    let mut kept = 0;
    for conversation in others(name).chain([GROUP]) {
        let lines = reader.history(conversation);
        kept += lines.len();
        for (id, text) in &lines {
            assert_eq!(shown.get(&(conversation.to_owned(), text.clone())), Some(id), "{name}, {conversation}: {text}");
        }
        let said_by = |who: &'static str| {
            let all: Vec<&String> =
                lines.iter().map(|(_, text)| text).filter(|text| text.starts_with(&format!("{who}-"))).collect();
            let to = if who == name || conversation == GROUP { conversation } else { name };
            let said: Vec<String> = sayings(who).filter(|(target, _)| *target == to).map(|(_, text)| text).collect();
            assert!(all.into_iter().eq(&said), "{who} in {conversation} of {name}");
        };
        NAMES.into_iter().filter(|who| [name, conversation].contains(who) || conversation == GROUP).for_each(said_by);
    }
    assert_eq!(kept, shown.len(), "nothing is kept twice");
}
