//! How does Windows reach names below a folder? By paths, looking at each part before it is used.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Entry, Kind};
use crate::store::file::Stamp;

/// A folder, by its path. Safe Rust has no handles of folders here; who can make links in it can write files in it anyway.
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path.
    pub fn top(path: &Path) -> io::Result<Folder> {
        Ok(Folder(fs::canonicalize(path)?))
    }

    /// A folder below this one; `""` is this one again.
    pub fn below(&self, path: &str) -> io::Result<Folder> {
        let path = self.reach(path)?;
        match fs::symlink_metadata(&path)?.is_dir() {
            true => Ok(Folder(path)),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Makes one folder; `false` when something has the name already.
    pub fn make(&self, name: &str, _is_own: bool) -> io::Result<bool> {
        match fs::create_dir(self.0.join(name)) {
            Ok(()) => Ok(true),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// Opens a file below, to be read. What is no plain file is not found.
    pub fn open(&self, path: &str) -> io::Result<File> {
        let path = self.reach(path)?;
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        File::open(path)
    }

    /// Opens a file in this folder to be written and read; `is_fresh` empties it. It is made where it is missing.
    pub fn create(&self, name: &str, is_fresh: bool) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(is_fresh).open(self.0.join(name))
    }

    /// What a plain file in this folder looks like.
    pub fn stamp(&self, name: &str) -> io::Result<Stamp> {
        let found = fs::symlink_metadata(self.0.join(name))?;
        if found.is_file() { Ok(stamp_of(&found)) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Renames a file into another folder. Something that has the name there is replaced, or the answer is `AlreadyExists`.
    pub fn rename(&self, name: &str, to: &Folder, to_name: &str, replaces: bool) -> io::Result<()> {
        let (from, to) = (self.0.join(name), to.0.join(to_name));
        if replaces {
            return fs::rename(from, to);
        }
        match fs::hard_link(&from, &to) {
            Ok(()) => fs::remove_file(from),
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Err(why),
            // FAT has no links. Only the host could be faster here than we are.
            Err(_) if fs::symlink_metadata(&to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        }
    }

    /// Gives a file a second name in another folder.
    pub fn link(&self, name: &str, to: &Folder, to_name: &str) -> io::Result<()> {
        fs::hard_link(self.0.join(name), to.0.join(to_name))
    }

    /// Removes a name; a folder is refused.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    /// Removes an empty folder.
    pub fn remove_folder(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }

    /// Calls `each` for what is in the folder, in no order.
    pub fn list(&self, mut each: impl FnMut(Entry)) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_file() => Kind::File,
                kind if kind.is_dir() => Kind::Folder,
                _ => Kind::Other,
            };
            each(Entry { name: entry.file_name(), kind, inode: 0 });
        }
        Ok(())
    }

    /// When a name in it was last made, changed or removed; nanoseconds since 1970.
    pub fn changed_ns(&self) -> io::Result<i64> {
        Ok(stamp_of(&fs::metadata(&self.0)?).mtime_ns)
    }

    /// Windows writes the names of a folder with the files.
    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    /// Cannot be asked for: `false`.
    pub fn sync_all(&self) -> io::Result<bool> {
        Ok(false)
    }

    /// Not to be asked for without `unsafe`.
    pub fn room(&self) -> io::Result<Option<(u64, u64)>> {
        Ok(None)
    }

    /// The path of something below, when no folder on the way is a link.
    fn reach(&self, path: &str) -> io::Result<PathBuf> {
        let mut at = self.0.clone();
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            at.push(part);
            if parts.peek().is_some() && !fs::symlink_metadata(&at)?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
        }
        Ok(at)
    }
}

/// By what a file is known again.
pub fn stamp_of(file: &Metadata) -> Stamp {
    let since_1970 = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let mtime_ns = since_1970.and_then(|time| i64::try_from(time.as_nanos()).ok()).unwrap_or(0);
    Stamp { size: file.len(), mtime_ns, inode: 0 }
}

/// Writes all of it at a place of a file.
pub fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = file.seek_write(bytes, at)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        at += written as u64;
    }
    Ok(())
}

/// Reads what is at a place of a file, as [`io::Read::read`].
pub fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(bytes, at)
}

/// Cannot be asked for.
pub fn begin_to_write(_: &File, _: u64, _: u64) {}

/// Not to be asked for without `unsafe`.
pub fn share_blocks(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
