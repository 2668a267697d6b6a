//! Tickets: the short-lived right to move one file's bytes, told to one session and shown by whoever moves them.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::store::file::FileKey;
use crate::wire::digest::Digest;
use crate::wire::limits::{FILE_DOWNLOADS_PER_SESSION, FILE_TICKET_IDLE_MS};

use super::super::{ConnId, Now};
use super::BySession;
use super::order::UploadId;

/// What a ticket is known by. Nobody guesses 128 bits of a keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketKey([u8; 16]);

impl TicketKey {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<TicketKey> {
        let is_hex =
            text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let number = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
        Some(TicketKey(number.to_be_bytes()))
    }
}

impl fmt::Display for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TicketKey {
    /// A ticket is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey(…)")
    }
}

/// What a ticket is for.
#[derive(Clone, Debug)]
pub enum Ticket {
    /// Bringing the bytes of an upload.
    Put(UploadId),
    /// Fetching a file, as often as wanted, as long as its session is here.
    Get {
        /// Whose.
        conn: ConnId,
        /// Which.
        file: FileKey,
        /// What it held when the ticket was made.
        digest: Digest,
        /// When it was last used (monotonic milliseconds).
        used_ms: u64,
    },
}

/// All tickets.
#[derive(Default, Debug)]
pub struct Tickets {
    by_key: HashMap<TicketKey, Ticket>,
    /// Tickets for downloads, oldest first.
    downloads: BySession<VecDeque<TicketKey>>,
    /// Counts them, so that no two are the same.
    made: u64,
}

impl Tickets {
    /// A key that nobody can know before it is told.
    fn next_key(&mut self, secret: &[u8; 32], now: Now) -> TicketKey {
        self.made += 1;
        let mut hasher = Sha256::new();
        hasher.update(secret);
        hasher.update(b"ticket");
        hasher.update(self.made.to_be_bytes());
        // The count begins anew with the server, the time does not.
        hasher.update(now.wall_ms.to_be_bytes());
        hasher.update(now.mono_ms.to_be_bytes());
        let hash = hasher.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        TicketKey(key)
    }

    /// A ticket for the bytes of an upload.
    pub fn for_upload(&mut self, id: UploadId, secret: &[u8; 32], now: Now) -> TicketKey {
        let key = self.next_key(secret, now);
        self.by_key.insert(key, Ticket::Put(id));
        key
    }

    /// A ticket for a download. The oldest of the session ends when it has too many.
    pub fn for_download(
        &mut self,
        conn: ConnId,
        file: FileKey,
        digest: Digest,
        secret: &[u8; 32],
        now: Now,
    ) -> TicketKey {
        let key = self.next_key(secret, now);
        self.by_key.insert(key, Ticket::Get { conn, file, digest, used_ms: now.mono_ms });
        let mine = self.downloads.entry(conn).or_default();
        mine.push_back(key);
        if mine.len() > FILE_DOWNLOADS_PER_SESSION
            && let Some(oldest) = mine.pop_front()
        {
            self.by_key.remove(&oldest);
        }
        key
    }

    /// What a ticket is for; using it keeps it alive.
    pub fn redeem(&mut self, key: TicketKey, now_ms: u64) -> Option<Ticket> {
        let ticket = self.by_key.get_mut(&key)?;
        if let Ticket::Get { used_ms, .. } = ticket {
            *used_ms = now_ms;
        }
        Some(ticket.clone())
    }

    /// Ends a ticket of an upload.
    pub fn remove(&mut self, key: TicketKey) {
        self.by_key.remove(&key);
    }

    /// Ends a download's ticket that was idle too long; else says when to look again.
    pub fn look(&mut self, key: TicketKey, now_ms: u64) -> Option<u64> {
        let Ticket::Get { conn, used_ms, .. } = self.by_key.get(&key)? else { return None };
        let until_ms = used_ms + FILE_TICKET_IDLE_MS;
        if until_ms > now_ms {
            return Some(until_ms);
        }
        let conn = *conn;
        self.by_key.remove(&key);
        if let Some(mine) = self.downloads.get_mut(&conn) {
            mine.retain(|other| *other != key);
            if mine.is_empty() {
                self.downloads.remove(&conn);
            }
        }
        None
    }

    /// A session is gone, and its tickets for downloads with it.
    pub fn forget_session(&mut self, conn: ConnId) {
        for key in self.downloads.remove(&conn).into_iter().flatten() {
            self.by_key.remove(&key);
        }
    }

    /// Whether there are none.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty() && self.downloads.is_empty()
    }

    /// Panics when two tables disagree.
    #[cfg(test)]
    pub fn assert_agrees(&self, uploads: &super::upload::Uploads) {
        let listed: usize = self.downloads.values().map(VecDeque::len).sum();
        let (mut gets, mut puts) = (0, 0);
        for (key, ticket) in &self.by_key {
            match ticket {
                Ticket::Get { conn, .. } => {
                    gets += 1;
                    assert!(self.downloads[conn].contains(key));
                }
                Ticket::Put(id) => {
                    puts += 1;
                    assert_eq!(uploads.get(*id).and_then(|upload| upload.ticket), Some(*key));
                }
            }
        }
        assert_eq!((gets, puts), (listed, uploads.ticketed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_back_and_two_are_never_the_same() {
        let now = Now { mono_ms: 1, wall_ms: 2 };
        let mut tickets = Tickets::default();
        let (one, other) =
            (tickets.for_upload(UploadId(1), &[1; 32], now), tickets.for_upload(UploadId(1), &[1; 32], now));
        assert_ne!(one, other);
        assert_ne!(Tickets::default().for_upload(UploadId(1), &[2; 32], now), one, "the secret is in it");
        assert_eq!(TicketKey::parse(&one.to_string()), Some(one));
        for wrong in ["", "x", &"g".repeat(32), &"A".repeat(32), &"+".repeat(32), &one.to_string()[1..]] {
            assert_eq!(TicketKey::parse(wrong), None, "{wrong}");
        }
        assert!(!format!("{one:?}").contains(&one.to_string()));
    }
}
