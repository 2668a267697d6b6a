//! Where in `Cloud/` is what: public files by their names, those of groups and pairs in hidden folders, and the parts under way.
//!
//! No link below `Cloud/` is ever followed. Plain file operations only; whose turn it is is decided elsewhere.

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(unix)]
pub use unix::{Folder, begin_to_write, read_at, share_blocks, stamp_of, write_at};
#[cfg(not(unix))]
pub use windows::{Folder, begin_to_write, read_at, share_blocks, stamp_of, write_at};

use crate::store::file::{FileKey, Scope, Stamp};
use crate::store::record::{AccountId, GroupId};
use crate::system;

/// Bytes under way.
const PARTS: &str = ".part";
/// A folder for each group.
pub const GROUPS: &str = ".groups";
/// A folder for each pair.
pub const PAIRS: &str = ".pairs";
/// Left on the disk for the database, the logs and the host: a full disk stops more than the cloud.
const RESERVE_BYTES: u64 = 64 << 20;
/// But no more than this part of a small disk.
const RESERVE_PART: u64 = 20;

/// What stands in a folder.
pub struct Entry {
    /// As it is on the disk: anything.
    pub name: OsString,
    /// What it is.
    pub kind: Kind,
    /// The number of the file; 0 where there is none.
    pub inode: u64,
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A link, a pipe, a device: never opened.
    Other,
}

/// `Cloud/` and all below it.
pub struct Tree {
    top: Folder,
    parts: Folder,
    /// Held while a name comes or goes together with what is known of it, and while an empty folder is removed.
    changes: Mutex<()>,
}

impl Tree {
    /// Opens it, and makes what is missing. Also says whether it was never used as a cloud before.
    pub fn open(path: &Path) -> io::Result<(Tree, bool)> {
        system::make_folder(path)?;
        let top = Folder::top(path)?;
        let is_fresh = top.make(PARTS, true)?;
        top.make(GROUPS, true)?;
        top.make(PAIRS, true)?;
        let parts = top.below(PARTS)?;
        Ok((Tree { top, parts, changes: Mutex::new(()) }, is_fresh))
    }

    /// Until it is dropped nobody else in this program changes names.
    pub fn changing(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder itself.
    pub fn top(&self) -> &Folder {
        &self.top
    }

    /// The folder of the parts.
    pub fn parts(&self) -> &Folder {
        &self.parts
    }

    /// Opens a file to be read, with what it looks like.
    pub fn open_file(&self, file: &FileKey) -> io::Result<(File, Stamp)> {
        let opened = match file.scope {
            Scope::Public => self.top.open(file.name.as_str())?,
            scope => self.top.open(&format!("{}/{}", scope_path(scope), file.name.as_str()))?,
        };
        let stamp = stamp_of(&opened.metadata()?);
        Ok((opened, stamp))
    }

    /// Whether a file is not there, for sure.
    pub fn is_missing(&self, file: &FileKey) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound};
        let found = self.folder_of(file).and_then(|folder| folder.stamp(file.name.last()));
        found.is_err_and(|why| matches!(why.kind(), NotFound | NotADirectory))
    }

    /// The folder that a file is in.
    pub fn folder_of(&self, file: &FileKey) -> io::Result<Folder> {
        self.top.below(&folder_path(file.scope, file.name.folder()))
    }

    /// The folder that a file will be in. Those that are missing are made, and come back in `made` with what they are in, to be synced.
    pub fn make_folder_of(&self, file: &FileKey, made: &mut Vec<Folder>) -> io::Result<Folder> {
        let path = folder_path(file.scope, file.name.folder());
        match self.top.below(&path) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
        let mut at = self.top.below("")?;
        for part in path.split('/') {
            let is_made = at.make(part, false)?;
            let next = at.below(part)?;
            if is_made {
                made.push(at);
            }
            at = next;
        }
        Ok(at)
    }

    /// Removes the folders of a file that are empty, up to its scope's own. Somebody holds [`Tree::changing`].
    pub fn remove_empty(&self, file: &FileKey) {
        let path = folder_path(file.scope, file.name.folder());
        let mut path = path.as_str();
        while !path.is_empty() && path != GROUPS && path != PAIRS {
            let (above, last) = path.rsplit_once('/').unwrap_or(("", path));
            if self.top.below(above).and_then(|above| above.remove_folder(last)).is_err() {
                return;
            }
            path = above;
        }
    }

    /// Opens a part to be written and read; `is_fresh` empties it.
    pub fn create_part(&self, name: &str, is_fresh: bool) -> io::Result<File> {
        self.parts.create(check_part(name)?, is_fresh)
    }

    /// How many bytes of a part are there.
    pub fn part_size(&self, name: &str) -> io::Result<u64> {
        match self.parts.stamp(check_part(name)?) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(0),
            found => Ok(found?.size),
        }
    }

    /// Removes a part; one that is not there is fine.
    pub fn remove_part(&self, name: &str) {
        let removed = check_part(name).and_then(|name| self.parts.remove(name));
        if let Err(why) = removed.or_else(|why| if why.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(why) }) {
            log::warn!("cannot remove a broken-off upload from {PARTS} in the cloud's folder: {why}");
        }
    }

    /// Whether so many more bytes fit, and leave the reserve.
    pub fn has_room(&self, bytes: u64) -> bool {
        match self.top.room() {
            Ok(Some((free, all))) => free >= bytes.saturating_add(RESERVE_BYTES.min(all / RESERVE_PART)),
            // A system that cannot be asked says so when it is full.
            Ok(None) | Err(_) => true,
        }
    }
}

/// Names of parts are made here and in the rules; this is for the day when one of them errs.
fn check_part(name: &str) -> io::Result<&str> {
    let is_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(is_good) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "that is no name of a part"));
    }
    Ok(name)
}

/// The path of a folder of a scope, below the top.
pub fn folder_path(scope: Scope, folder: &str) -> String {
    let path = scope_path(scope);
    match (path.is_empty(), folder.is_empty()) {
        (true, _) => folder.to_owned(),
        (false, true) => path,
        (false, false) => format!("{path}/{folder}"),
    }
}

/// The path of all that belongs to a scope, below the top.
pub fn scope_path(scope: Scope) -> String {
    match scope {
        Scope::Public => String::new(),
        Scope::Group(id) => format!("{GROUPS}/{}", id.0),
        Scope::Pair(one, other) => format!("{PAIRS}/{}-{}", one.0, other.0),
    }
}

/// Whose a folder in [`GROUPS`] is.
pub fn group_of(name: &str) -> Option<Scope> {
    let scope = Scope::Group(GroupId(name.parse().ok()?));
    (scope_path(scope).strip_prefix(GROUPS)?.strip_prefix('/')? == name).then_some(scope)
}

/// Whose a folder in [`PAIRS`] is.
pub fn pair_of(name: &str) -> Option<Scope> {
    let (one, other) = name.split_once('-')?;
    let scope = Scope::pair(AccountId(one.parse().ok()?), AccountId(other.parse().ok()?));
    (scope_path(scope).strip_prefix(PAIRS)?.strip_prefix('/')? == name).then_some(scope)
}
