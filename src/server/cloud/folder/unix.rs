//! How does Unix reach names below a folder without ever following a link?

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{self, AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{Entry, Kind};
use crate::store::file::Stamp;

/// Folders of the host are shown to who looks on the machine, as their umask has it.
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);
/// Files under way, and those of groups and pairs, are nobody else's business; the folder keeps others out.
const OWN_FOLDER_MODE: Mode = Mode::from_raw_mode(0o700);
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);

/// An open folder.
pub struct Folder(OwnedFd);

impl Folder {
    /// The folder at a path. The host may have put a link there, to a larger disk.
    pub fn top(path: &Path) -> io::Result<Folder> {
        Ok(Folder(fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// A folder below this one; `""` is this one again.
    pub fn below(&self, path: &str) -> io::Result<Folder> {
        let path = if path.is_empty() { "." } else { path };
        Ok(Folder(self.reach(path, OFlags::DIRECTORY | OFlags::RDONLY)?))
    }

    /// Makes one folder; `false` when something has the name already.
    pub fn make(&self, name: &str, is_own: bool) -> io::Result<bool> {
        match fs::mkdirat(&self.0, name, if is_own { OWN_FOLDER_MODE } else { FOLDER_MODE }) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(why) => Err(why.into()),
        }
    }

    /// Opens a file below, to be read. What is no plain file is not found; a pipe or a device does not hold up the caller.
    pub fn open(&self, path: &str) -> io::Result<File> {
        let file = File::from(self.reach(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(file)
    }

    /// Opens a file in this folder to be written and read; `is_fresh` empties it. It is made where it is missing.
    pub fn create(&self, name: &str, is_fresh: bool) -> io::Result<File> {
        let fresh = if is_fresh { OFlags::TRUNC } else { OFlags::empty() };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | fresh;
        Ok(File::from(fs::openat(&self.0, name, flags, FILE_MODE)?))
    }

    /// What a plain file in this folder looks like.
    pub fn stamp(&self, name: &str) -> io::Result<Stamp> {
        let stat = fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(stamp_of_stat(&stat)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Renames a file into another folder. Something that has the name there is replaced, or the answer is `AlreadyExists`.
    pub fn rename(&self, name: &str, to: &Folder, to_name: &str, replaces: bool) -> io::Result<()> {
        if replaces {
            return Ok(fs::renameat(&self.0, name, &to.0, to_name)?);
        }
        match self.rename_to_free(name, to, to_name) {
            // The file system, or the system, does not know how. A second link is never made over something.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.rename_by_link(name, to, to_name),
            done => Ok(done?),
        }
    }

    #[cfg(any(target_os = "linux", target_os = "macos"))]
    fn rename_to_free(&self, name: &str, to: &Folder, to_name: &str) -> Result<(), Errno> {
        fs::renameat_with(&self.0, name, &to.0, to_name, fs::RenameFlags::NOREPLACE)
    }

    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    fn rename_to_free(&self, _: &str, _: &Folder, _: &str) -> Result<(), Errno> {
        Err(Errno::NOSYS)
    }

    fn rename_by_link(&self, name: &str, to: &Folder, to_name: &str) -> io::Result<()> {
        match fs::linkat(&self.0, name, &to.0, to_name, AtFlags::empty()) {
            Ok(()) => Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?),
            // FAT has no links. Only the host could be faster here than we are.
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => {
                match fs::statat(&to.0, to_name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                    Err(Errno::NOENT) => Ok(fs::renameat(&self.0, name, &to.0, to_name)?),
                    Err(why) => Err(why.into()),
                }
            }
            Err(why) => Err(why.into()),
        }
    }

    /// Gives a file a second name in another folder.
    pub fn link(&self, name: &str, to: &Folder, to_name: &str) -> io::Result<()> {
        Ok(fs::linkat(&self.0, name, &to.0, to_name, AtFlags::empty())?)
    }

    /// Removes a name; a folder is refused.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty folder.
    pub fn remove_folder(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Calls `each` for what is in the folder, in no order.
    pub fn list(&self, mut each: impl FnMut(Entry)) -> io::Result<()> {
        for entry in fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not say it in the folder.
                FileType::Unknown => fs::statat(&self.0, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
                known => known,
            };
            let kind = match kind {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                _ => Kind::Other,
            };
            each(Entry { name: OsString::from_vec(name.to_vec()), kind, inode: entry.ino() });
        }
        Ok(())
    }

    /// When a name in it was last made, changed or removed; nanoseconds since 1970.
    pub fn changed_ns(&self) -> io::Result<i64> {
        Ok(stamp_of_stat(&fs::fstat(&self.0)?).mtime_ns)
    }

    /// Comes back when the names in it are on the disk.
    pub fn sync(&self) -> io::Result<()> {
        Ok(fs::fsync(&self.0)?)
    }

    /// Comes back when all that was written to its file system is on the disk; `false` where only files can be asked for.
    #[cfg(target_os = "linux")]
    pub fn sync_all(&self) -> io::Result<bool> {
        fs::syncfs(&self.0)?;
        Ok(true)
    }

    /// As on Linux, but it cannot be asked for.
    #[cfg(not(target_os = "linux"))]
    pub fn sync_all(&self) -> io::Result<bool> {
        Ok(false)
    }

    /// Room for this user, and the whole size, in bytes.
    pub fn room(&self) -> io::Result<Option<(u64, u64)>> {
        let disk = fs::fstatvfs(&self.0)?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Ok(Some((bytes(disk.f_bavail), bytes(disk.f_blocks))))
    }

    #[cfg(target_os = "linux")]
    fn reach(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        use rustix::fs::ResolveFlags;
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match fs::openat2(&self.0, path, flags, Mode::empty(), resolve) {
            // Before Linux 5.6, inside some sandboxes, or while a folder above is being renamed.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => self.reach_by_steps(path, flags),
            Err(Errno::LOOP) => Err(io::ErrorKind::NotADirectory.into()),
            opened => Ok(opened?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn reach(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        self.reach_by_steps(path, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW)
    }

    /// One part of the path after the other, none of them through a link.
    fn reach_by_steps(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let step = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let (folders, last) = path.rsplit_once('/').map_or(("", path), |(folders, last)| (folders, last));
        let mut at: Option<OwnedFd> = None;
        let open = |at: &Option<OwnedFd>, part: &str, flags| {
            fs::openat(at.as_ref().unwrap_or(&self.0), part, flags, Mode::empty()).map_err(|why| match why {
                // A link.
                Errno::LOOP => io::ErrorKind::NotADirectory.into(),
                why => io::Error::from(why),
            })
        };
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            at = Some(open(&at, part, step)?);
        }
        open(&at, last, flags)
    }
}

/// By what a file is known again.
pub fn stamp_of(file: &Metadata) -> Stamp {
    let mtime_ns = file.mtime().saturating_mul(1_000_000_000).saturating_add(file.mtime_nsec());
    Stamp { size: file.size(), mtime_ns, inode: file.ino() }
}

#[allow(clippy::unnecessary_cast, reason = "the fields differ from system to system")]
fn stamp_of_stat(stat: &Stat) -> Stamp {
    let mtime_ns = (stat.st_mtime as i64).saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64);
    Stamp { size: stat.st_size as u64, mtime_ns, inode: stat.st_ino as u64 }
}

/// Writes all of it at a place of a file.
pub fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_all_at(bytes, at)
}

/// Reads what is at a place of a file, as [`io::Read::read`].
pub fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(bytes, at)
}

/// Asks the system to begin writing a stretch of a file to the disk, and not to wait for it.
#[cfg(target_os = "linux")]
pub fn begin_to_write(file: &File, at: u64, bytes: u64) {
    // Linux takes "not needed soon" as: begin to write what is dirty, then drop what is clean. All of this stretch is dirty.
    let _ = fs::fadvise(file, at, std::num::NonZeroU64::new(bytes), fs::Advice::DontNeed);
}

/// As on Linux, but it cannot be asked for.
#[cfg(not(target_os = "linux"))]
pub fn begin_to_write(_: &File, _: u64, _: u64) {}

/// Makes `to` a copy of `from` that shares its blocks until one of them changes. Most file systems cannot.
#[cfg(target_os = "linux")]
pub fn share_blocks(from: &File, to: &File) -> io::Result<()> {
    Ok(fs::ioctl_ficlone(to, from)?)
}

/// As on Linux, but it cannot be asked for.
#[cfg(not(target_os = "linux"))]
pub fn share_blocks(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
