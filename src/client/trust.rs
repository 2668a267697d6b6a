//! Whether a server is the one that it was the last time: its key is remembered at first sight and must not change.
//!
//! Pure: [`decide`] and the form of the file. [`super::known_servers`] reads and writes it.

use std::fmt::Write as _;

use crate::net::Address;
use crate::wire::fingerprint::Fingerprint;

/// How a key is written in the file.
const HASH: &str = "sha256";

/// What explains the file to somebody who opens it.
const HEADING: &str = "# The servers that gzy client knows by their keys: host:port, key, first seen.\n\
                       # Delete a line to trust that server's key anew at the next connection.\n";

/// A server whose key may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trusted {
    /// Its key is the remembered one.
    Known,
    /// It was never seen before. To be remembered, and shown.
    First,
    /// Its key is another one than before, and the user said that this is in order. To be remembered, and shown.
    Replaced,
}

/// A server whose key must not be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Distrust {
    /// Its key is not the remembered one.
    Changed {
        /// The key that it had.
        known: Fingerprint,
    },
    /// Its key is not the one that the user was given.
    NotAsInvited {
        /// The key that the user was given.
        wanted: Fingerprint,
    },
}

/// Decides about a server that shows the key `seen`. `known`: the remembered key. `invited`: the key in the invitation that was typed.
///
/// An invitation does not override memory: whoever wants to lure somebody to a false server can write invitations, too.
pub fn decide(
    seen: Fingerprint,
    known: Option<Fingerprint>,
    invited: Option<Fingerprint>,
    accept_new_key: bool,
) -> Result<Trusted, Distrust> {
    if let Some(wanted) = invited.filter(|wanted| *wanted != seen) {
        return Err(Distrust::NotAsInvited { wanted });
    }
    match known {
        None => Ok(Trusted::First),
        Some(known) if known == seen => Ok(Trusted::Known),
        Some(_) if accept_new_key => Ok(Trusted::Replaced),
        Some(known) => Err(Distrust::Changed { known }),
    }
}

/// The remembered keys, with everything else that stands in the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KnownServers {
    lines: Vec<Entry>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Entry {
    /// A server: its name as [`server_name`] makes it.
    Server { name: Box<str>, key: Fingerprint, line: Box<str> },
    /// A comment, an empty line, a key of a kind that this version does not know.
    Other(Box<str>),
}

/// A line of the file that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// Counted from 1.
    pub number: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is not `host:port sha256:HEX date`.
    Shape,
    /// It names a server that a line above names.
    Twice,
    /// The file is not text.
    NotText,
}

impl KnownServers {
    /// Reads the file's text. One line that makes no sense makes the whole file unusable: it could be that of the server in question.
    pub fn parse(text: &str) -> Result<KnownServers, BadLine> {
        let mut known = KnownServers::default();
        for (at, line) in text.lines().enumerate() {
            let bad = |fault| BadLine { number: at + 1, fault };
            let entry = read_line(line).ok_or(bad(Fault::Shape))?;
            if let Entry::Server { name, .. } = &entry
                && known.key_named(name).is_some()
            {
                return Err(bad(Fault::Twice));
            }
            known.lines.push(entry);
        }
        Ok(known)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for entry in &self.lines {
            let (Entry::Server { line, .. } | Entry::Other(line)) = entry;
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The remembered key of a server.
    pub fn key(&self, server: &Address) -> Option<Fingerprint> {
        self.key_named(&server_name(server))
    }

    /// Remembers the key of a server that was first seen with it on `date`; forgets the one that it had.
    pub fn remember(&mut self, server: &Address, key: Fingerprint, date: &str) {
        let name = server_name(server);
        let line = format!("{name} {HASH}:{} {date}", key.hex()).into();
        if self.lines.is_empty() {
            self.lines.extend(HEADING.lines().map(|line| Entry::Other(line.into())));
        }
        let is_it = |entry: &&mut Entry| matches!(entry, Entry::Server { name: other, .. } if **other == *name);
        let entry = Entry::Server { name: name.as_str().into(), key, line };
        match self.lines.iter_mut().find(is_it) {
            Some(old) => *old = entry,
            None => self.lines.push(entry),
        }
    }

    fn key_named(&self, wanted: &str) -> Option<Fingerprint> {
        self.lines.iter().find_map(|entry| match entry {
            Entry::Server { name, key, .. } if **name == *wanted => Some(*key),
            _ => None,
        })
    }
}

/// `None` for a line that makes no sense.
fn read_line(line: &str) -> Option<Entry> {
    let other = || Some(Entry::Other(line.into()));
    let mut words = line.split_whitespace();
    let Some(name) = words.next().filter(|word| !word.starts_with('#')) else { return other() };
    let (kind, key) = words.next()?.split_once(':')?;
    if kind != HASH {
        let is_kind = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        return if is_kind { other() } else { None };
    }
    let server: Address = name.parse().ok()?;
    let key = key.parse().ok()?;
    // Without its port, a name could stand for two servers.
    server.port()?;
    Some(Entry::Server { name: server_name(&server).into(), key, line: line.into() })
}

/// `host:port` in small letters: the same server however its name is typed.
fn server_name(server: &Address) -> String {
    let mut name = String::new();
    let _ = write!(name, "{server}");
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Fingerprint = Fingerprint([1; 32]);
    const NEW: Fingerprint = Fingerprint([2; 32]);

    fn server(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_key_is_taken_the_same_is_known_and_another_is_refused() {
        assert_eq!(decide(OLD, None, None, false), Ok(Trusted::First));
        assert_eq!(decide(OLD, Some(OLD), None, false), Ok(Trusted::Known));
        assert_eq!(decide(NEW, Some(OLD), None, false), Err(Distrust::Changed { known: OLD }));
    }

    #[test]
    fn another_key_is_taken_when_the_user_says_so() {
        assert_eq!(decide(NEW, Some(OLD), None, true), Ok(Trusted::Replaced));
        assert_eq!(decide(OLD, Some(OLD), None, true), Ok(Trusted::Known));
        assert_eq!(decide(OLD, None, None, true), Ok(Trusted::First));
    }

    #[test]
    fn an_invitation_binds_and_does_not_override_memory() {
        assert_eq!(decide(OLD, None, Some(OLD), false), Ok(Trusted::First));
        assert_eq!(decide(NEW, None, Some(OLD), false), Err(Distrust::NotAsInvited { wanted: OLD }));
        assert_eq!(decide(NEW, Some(NEW), Some(OLD), true), Err(Distrust::NotAsInvited { wanted: OLD }));
        assert_eq!(decide(NEW, Some(OLD), Some(NEW), false), Err(Distrust::Changed { known: OLD }));
        assert_eq!(decide(NEW, Some(OLD), Some(NEW), true), Ok(Trusted::Replaced));
    }

    #[test]
    fn two_servers_on_one_host_are_two_and_one_typed_in_capitals_is_the_same() {
        let mut known = KnownServers::default();
        known.remember(&server("board:510"), OLD, "2026-11-20");
        known.remember(&server("BOARD:5100"), NEW, "2026-11-21");
        known.remember(&server("[FE80::1]:510"), NEW, "2026-11-21");
        let read = KnownServers::parse(&known.text()).unwrap();
        assert_eq!(read, known);
        assert_eq!((read.key(&server("Board:510")), read.key(&server("board:5100"))), (Some(OLD), Some(NEW)));
        assert_eq!((read.key(&server("board:511")), read.key(&server("[fe80::1]:510"))), (None, Some(NEW)));
    }

    #[test]
    fn what_is_not_understood_is_kept_and_a_replaced_key_stays_in_its_line() {
        let text = format!(
            "# mine\n\nboard:510  sha256:{}  2026-01-02 of ben\nother:510 sha512:00ff later\nlast:510 sha256:{}\n",
            OLD.hex(),
            OLD.hex()
        );
        let mut known = KnownServers::parse(&text).unwrap();
        assert_eq!(known.text(), text);
        known.remember(&server("board:510"), NEW, "2026-11-20");
        let line = format!("board:510 sha256:{} 2026-11-20", NEW.hex());
        let wanted = text.replace(&format!("board:510  sha256:{}  2026-01-02 of ben", OLD.hex()), &line);
        assert_eq!(known.text(), wanted);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named_by_its_number() {
        let hex = OLD.hex();
        for line in [
            "board:510",
            "board:510 sha256",
            "board:510 sha256:12",
            &format!("board sha256:{hex}"),
            &format!(":510 sha256:{hex}"),
            &format!("board:510 :{hex}"),
            "<<<<<<< HEAD",
        ] {
            let read = KnownServers::parse(&format!("# first\n{line}\n"));
            assert_eq!(read, Err(BadLine { number: 2, fault: Fault::Shape }), "{line}");
        }
        let twice = format!("board:510 sha256:{hex}\nBoard:510 sha256:{}\n", NEW.hex());
        assert_eq!(KnownServers::parse(&twice), Err(BadLine { number: 2, fault: Fault::Twice }));
    }
}
