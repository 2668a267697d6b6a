//! Walks through `Cloud/` and compares it with what is known.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::disk::Disk;
use super::folder::{Folder, GROUPS, Kind, PAIRS, folder_path, group_of, pair_of};
use crate::store::file::{FileKey, Scope, Stamp};
use crate::wire::escape::printable;
use crate::wire::file_name::FileName;

/// A folder that changed so lately may change again within the same tick of the file system's clock (FAT: two seconds).
const TICK_NS: i64 = 2_000_000_000;
/// Names that were complained of are remembered, so that each is one line in the log; a folder full of them is not.
const COMPLAINTS: usize = 1000;

/// What a walk has seen that is not known so.
#[derive(Default)]
pub struct Seen {
    /// Files that are there and not known, or known to look different.
    pub changed: Vec<(FileKey, Stamp)>,
    /// Files that are known and not there.
    pub missing: Vec<FileKey>,
}

/// What is remembered from one walk to the next.
#[derive(Default)]
pub struct Walk {
    folders: HashMap<(Scope, Box<str>), Remembered>,
    complaints: HashSet<Box<OsStr>>,
}

/// A folder, as it was the last time.
struct Remembered {
    /// `None` when it must be read again.
    changed_ns: Option<i64>,
    /// The folders in it, by their whole names below the scope.
    folders: Vec<Box<str>>,
    walk: bool,
}

impl Walk {
    /// Reads the folders that changed; all of them, and every file's look, when `is_full`.
    pub fn go(&mut self, disk: &Disk, is_full: bool) -> Seen {
        let mut seen = Seen::default();
        let mut is_whole = true;
        self.folders.values_mut().for_each(|folder| folder.walk = false);
        for scope in scopes(disk, &mut is_whole) {
            let mut ahead: Vec<Box<str>> = vec!["".into()];
            while let Some(folder) = ahead.pop() {
                match self.enter(disk, scope, &folder, is_full, &mut seen) {
                    Ok(()) => {}
                    Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
                    Err(why) => {
                        // What cannot be read is not gone.
                        is_whole = false;
                        self.complain(OsStr::new(&folder_path(scope, &folder)), &why.to_string());
                        continue;
                    }
                }
                if let Some(entered) = self.folders.get(&(scope, folder)) {
                    ahead.extend(entered.folders.iter().cloned());
                }
            }
        }
        if is_whole {
            self.folders.retain(|_, folder| folder.walk);
            self.miss_folders(disk, &mut seen);
        }
        seen
    }

    fn enter(&mut self, disk: &Disk, scope: Scope, path: &str, is_full: bool, seen: &mut Seen) -> io::Result<()> {
        let folder = disk.tree.top().below(&folder_path(scope, path))?;
        // Before it is read: what comes meanwhile makes it look changed the next time.
        let changed_ns = folder.changed_ns()?;
        let key = (scope, path.into());
        if let Some(before) = self.folders.get_mut(&key)
            && !is_full
            && before.changed_ns == Some(changed_ns)
        {
            before.walk = true;
            return Ok(());
        }
        let folders = self.read(disk, (scope, path), &folder, is_full, seen)?;
        let is_settled = now_ns().saturating_sub(changed_ns) > TICK_NS;
        self.folders.insert(key, Remembered { changed_ns: is_settled.then_some(changed_ns), folders, walk: true });
        Ok(())
    }

    /// Compares what is in a folder with what is known. Returns the folders in it.
    fn read(
        &mut self,
        disk: &Disk,
        (scope, path): (Scope, &str),
        folder: &Folder,
        is_full: bool,
        seen: &mut Seen,
    ) -> io::Result<Vec<Box<str>>> {
        let mut folders = Vec::new();
        let mut files = HashSet::new();
        let mut unknown = Vec::new();
        folder.list(|entry| {
            // The cloud's own things, and what programs hide.
            if entry.name.as_encoded_bytes().starts_with(b".") {
                return;
            }
            if let (Kind::File, Some(name)) = (entry.kind, entry.name.to_str()) {
                files.insert(Box::<str>::from(name));
                let known = disk.known().find_in(scope, path, name);
                // The same file under the same name: its folder changed for another reason.
                if !is_full && entry.inode != 0 && known.is_some_and(|known| known.stamp.inode == entry.inode) {
                    return;
                }
            }
            unknown.push(entry);
        })?;
        for entry in unknown {
            let name = match (entry.kind, name_of(path, &entry.name)) {
                (Kind::Other, _) => {
                    self.complain(&entry.name, "it is a link, a pipe or a device");
                    continue;
                }
                (_, Err(why)) => {
                    self.complain(&entry.name, &why);
                    continue;
                }
                (_, Ok(name)) => name,
            };
            if entry.kind == Kind::Folder {
                folders.push(name.as_str().into());
            } else if let Ok(stamp) = folder.stamp(name.last()) {
                let known = disk.known().find_in(scope, path, name.last());
                if known.is_none_or(|known| known.stamp != stamp) {
                    seen.changed.push((FileKey { scope, name }, stamp));
                }
            }
        }
        let known = disk.known();
        let missing = known.names_in(scope, path).filter(|name| !files.contains(*name));
        seen.missing.extend(missing.filter_map(|name| key_of(scope, path, name)));
        Ok(folders)
    }

    /// Files in folders that are not there any more.
    fn miss_folders(&self, disk: &Disk, seen: &mut Seen) {
        let known = disk.known();
        for (scope, folder) in known.folders() {
            if !self.folders.contains_key(&(scope, Box::<str>::from(folder))) {
                seen.missing.extend(known.names_in(scope, folder).filter_map(|name| key_of(scope, folder, name)));
            }
        }
    }

    fn complain(&mut self, name: &OsStr, why: &str) {
        if self.complaints.len() < COMPLAINTS && self.complaints.insert(name.into()) {
            log::warn!("{} in the cloud's folder is not shown: {why}", printable(&name.to_string_lossy()));
        }
    }
}

fn key_of(scope: Scope, folder: &str, name: &str) -> Option<FileKey> {
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    Some(FileKey { scope, name: FileName::parse(&path).ok()? })
}

/// The name of something in a folder, when it is one that everybody can have.
fn name_of(folder: &str, name: &OsStr) -> Result<FileName, String> {
    let name = name.to_str().ok_or("its name is not UTF-8; rename it")?;
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let parsed = FileName::parse(&path).map_err(|why| why.to_string())?;
    // Another program would find it under the other form only.
    if parsed.as_str() == path { Ok(parsed) } else { Err("its name is not in Unicode's form NFC; rename it".into()) }
}

/// Whose files there may be.
fn scopes(disk: &Disk, is_whole: &mut bool) -> Vec<Scope> {
    let mut scopes = vec![Scope::Public];
    for (path, scope_of) in [(GROUPS, group_of as fn(&str) -> Option<Scope>), (PAIRS, pair_of)] {
        let listed = disk.tree.top().below(path).and_then(|folder| {
            folder.list(|entry| {
                if entry.kind == Kind::Folder {
                    scopes.extend(entry.name.to_str().and_then(scope_of));
                }
            })
        });
        *is_whole &= listed.is_ok();
    }
    scopes
}

fn now_ns() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}
