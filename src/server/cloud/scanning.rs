//! The thread that notices what the host puts into `Cloud/`, changes there, and takes out.
//!
//! It looks at the folders' times every few seconds, at every file now and then, and hashes what stands still, when nobody else needs the processor.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::disk::Disk;
use super::finishing::look_at;
use super::folder::stamp_of;
use super::hashing::digest_of;
use super::known::Item;
use super::reachable::Reachable;
use super::sweeping;
use super::walking::{Seen, Walk};
use crate::chat::shelf::order::{FoundFile, ShelfFact};
use crate::store::file::{FileKey, Stamp};
use crate::system;
use crate::wire::escape::printable;

/// Files that are told of at once.
const BATCH: usize = 256;
/// After so long of hashing what was found is told, and other questions get their turn.
const TURN: Duration = Duration::from_secs(2);
/// Looking may take this part of a processor, however many files there are.
const SHARE: u32 = 100;
/// Old parts are looked for so often.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// How often is looked.
#[derive(Clone, Copy)]
pub struct Pace {
    /// After the start; others have more to do then.
    pub first: Duration,
    /// At the folders, at least.
    pub folders: Duration,
    /// At every file, at least. A file that is changed in its place does not change its folder.
    pub files: Duration,
    /// A file that did not change for so long is not being written any more.
    pub still: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            first: Duration::from_secs(1),
            folders: Duration::from_secs(3),
            files: Duration::from_secs(60),
            still: Duration::from_secs(1),
        }
    }
}

/// What the scanner is asked to look at.
pub enum Look {
    /// A file that is not what the index says.
    File(FileKey),
    /// At the machine's addresses, now and then: the server listens there, and others were told this one.
    Address(SocketAddr, Option<SocketAddr>),
    /// Something was stored: addresses may have changed since the last time.
    Stored,
}

/// Works until nobody can ask for anything any more.
pub fn run(disk: &Arc<Disk>, asked: &Receiver<Look>, pace: Pace, is_lost_told: bool) {
    system::give_way();
    sweeping::sweep(disk, true);
    let mut scanner = Scanner {
        disk,
        pace,
        walk: Walk::default(),
        waiting: HashMap::new(),
        reachable: Reachable::default(),
        found: Vec::new(),
        is_lost_told,
    };
    let mut swept = Instant::now();
    let mut folders_at = swept + pace.first;
    let mut files_at = folders_at;
    loop {
        let begun = Instant::now();
        if begun >= folders_at {
            let is_full = begun >= files_at;
            scanner.look(is_full);
            folders_at = begun + pace.folders.max(begun.elapsed() * SHARE);
            if is_full {
                files_at = begun + pace.files.max(begun.elapsed() * SHARE);
            }
        }
        let is_done = scanner.take_in();
        if swept.elapsed() >= SWEEP_EVERY {
            sweeping::sweep(disk, false);
            swept = Instant::now();
        }
        let now = Instant::now();
        let next = match is_done {
            true if scanner.waiting.is_empty() => folders_at,
            true => folders_at.min(now + pace.still),
            false => now,
        };
        match asked.recv_timeout(next.saturating_duration_since(now)) {
            Ok(Look::File(file)) => scanner.look_again(file),
            Ok(Look::Address(listening, told)) => scanner.reachable = Reachable::since(listening, told),
            Ok(Look::Stored) => scanner.reachable.look_now_and_then(disk),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Scanner<'a> {
    disk: &'a Arc<Disk>,
    pace: Pace,
    walk: Walk,
    /// Files that are not known as they are, how they looked, and since when they look so.
    waiting: HashMap<FileKey, (Stamp, Instant)>,
    reachable: Reachable,
    /// Hashed, and not told yet.
    found: Vec<FoundFile>,
    /// Whether files that are missing are believed to be gone.
    is_lost_told: bool,
}

impl Scanner<'_> {
    fn look(&mut self, is_full: bool) {
        let Seen { changed, missing } = self.walk.go(self.disk, is_full);
        for (file, stamp) in changed {
            self.wait_for(file, stamp);
        }
        self.lose(missing);
    }

    /// A file that was asked for was not what the index says.
    fn look_again(&mut self, file: FileKey) {
        match self.disk.tree.open_file(&file) {
            Ok((_, stamp)) if self.is_news(&file, stamp) => self.wait_for(file, stamp),
            Ok(_) => {}
            Err(_) => self.lose(vec![file]),
        }
    }

    fn is_news(&self, file: &FileKey, stamp: Stamp) -> bool {
        self.disk.known().find(file).is_none_or(|known| known.stamp != stamp)
    }

    fn wait_for(&mut self, file: FileKey, stamp: Stamp) {
        let waiting = self.waiting.entry(file).or_insert((stamp, Instant::now()));
        if waiting.0 != stamp {
            *waiting = (stamp, Instant::now());
        }
    }

    /// Tells of files that are really not there.
    fn lose(&mut self, missing: Vec<FileKey>) {
        if !self.is_lost_told {
            return;
        }
        let changing = self.disk.tree.changing();
        let lost: Vec<FileKey> = missing
            .into_iter()
            .filter(|file| self.disk.tree.is_missing(file) && self.disk.known().remove(file).is_some())
            .collect();
        drop(changing);
        for lost in lost.chunks(BATCH) {
            self.disk.tell(ShelfFact::Lost(lost.to_vec()));
        }
    }

    /// Hashes what stands still, for one turn. True when nothing of that is left.
    fn take_in(&mut self) -> bool {
        let begun = Instant::now();
        let is_due =
            |(stamp, since): &(Stamp, Instant)| since.elapsed() >= self.pace.still && is_old(*stamp, self.pace.still);
        let due = self.waiting.iter().filter(|(_, looks)| is_due(looks));
        let mut due: Vec<(FileKey, Stamp)> = due.map(|(file, (stamp, _))| (file.clone(), *stamp)).collect();
        due.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        for (file, stamp) in &due {
            if begun.elapsed() >= TURN {
                self.tell_found();
                return false;
            }
            self.waiting.remove(file);
            if let Err(why) = self.hash(file, *stamp) {
                log::warn!("cannot read {} in the cloud's folder: {why}", printable(file.name.as_str()));
            }
            if self.found.len() >= BATCH {
                self.tell_found();
            }
        }
        self.tell_found();
        // Those that still change are looked at again here, because their folders do not change with them.
        let changing: Vec<FileKey> = self.waiting.keys().cloned().collect();
        for file in changing {
            match self.disk.tree.open_file(&file) {
                Ok((_, stamp)) => self.wait_for(file, stamp),
                Err(_) => drop(self.waiting.remove(&file)),
            }
        }
        true
    }

    fn hash(&mut self, file: &FileKey, stamp: Stamp) -> std::io::Result<()> {
        if !self.is_news(file, stamp) {
            // It was stored by an upload meanwhile.
            return Ok(());
        }
        let (opened, looks) = self.disk.tree.open_file(file)?;
        let digest = digest_of(&opened)?;
        let (media, _) = look_at(&opened)?;
        let after = stamp_of(&opened.metadata()?);
        if looks != stamp || after != stamp {
            self.wait_for(file.clone(), after);
            return Ok(());
        }
        let _changing = self.disk.tree.changing();
        if self.disk.tree.open_file(file)?.1 != stamp || !self.is_news(file, stamp) {
            return Ok(());
        }
        self.disk.known().insert(file, Item { stamp, digest: Some(digest) });
        self.found.push(FoundFile { file: file.clone(), digest, media, stamp });
        Ok(())
    }

    fn tell_found(&mut self) {
        if !self.found.is_empty() {
            self.disk.tell(ShelfFact::Found(std::mem::take(&mut self.found)));
        }
    }
}

/// Whether a file was last written so long ago. One from the future is.
fn is_old(stamp: Stamp, age: Duration) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let (mtime, age) = (i128::from(stamp.mtime_ns), age.as_nanos() as i128);
    let now = now as i128;
    mtime > now || now - mtime >= age
}
