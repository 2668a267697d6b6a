//! What the systems do differently: rights of files, limits, names. Elsewhere in the program there is one way for all.
//!
//! Where Windows has no answer that safe Rust can ask for, it says so; nothing is made up.

pub mod moving;
pub mod watch;

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use here::only_mine_to_write;
pub use here::{
    CAN_SUSPEND, free_bytes, give_way, host_name, is_open_to_others, only_mine, own_folder, raise_file_limit, suspend,
};

/// Opens a file for writing that nobody else may read. A file that exists keeps what it holds.
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    only_mine(&mut options);
    options
}

/// Opens a file for writing that everybody may read and only its owner write.
pub fn shown_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    only_mine_to_write(&mut options);
    options
}

/// Makes a folder with those above it; one that is there is fine. A file in its place is named.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder).map_err(|why| file_in_the_way(folder).unwrap_or(why))
}

/// Why a folder cannot be made: the nearest thing that exists, there or above, is a file.
pub fn file_in_the_way(folder: &Path) -> Option<io::Error> {
    let found = folder.ancestors().find(|path| path.exists()).filter(|path| !path.is_dir())?;
    let sentence = format!("{} is a file, not a folder", found.display());
    Some(io::Error::new(io::ErrorKind::NotADirectory, sentence))
}

#[cfg(unix)]
mod here {
    use std::fs::{DirBuilder, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
    use std::path::Path;

    use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setpriority_process, setrlimit};

    /// How much a thread gives way (`nice`): a ninth is left to it of a core that somebody else keeps busy.
    const GIVES_WAY: i32 = 10;

    /// Whether a program can be stopped and taken up again by its shell.
    pub const CAN_SUSPEND: bool = true;

    /// Stops all threads of this process, the calling one too, until the shell takes it up again.
    pub fn suspend() {
        // Refused only to a process that may not signal itself, and there is none.
        let _ = kill_process(getpid(), Signal::TSTP);
    }

    /// From here on the calling thread works when no other needs the processor. Without it, it is only less polite.
    pub fn give_way() {
        // Linux counts the thread that asks; elsewhere it would be the whole process.
        if cfg!(target_os = "linux") {
            let _ = setpriority_process(None, GIVES_WAY);
        }
    }

    /// A file that is made with these options is for its owner alone.
    pub fn only_mine(options: &mut OpenOptions) -> &mut OpenOptions {
        options.mode(0o600)
    }

    /// A file that is made with these options is its owner's to write, and everybody's to read.
    pub fn only_mine_to_write(options: &mut OpenOptions) {
        options.mode(0o644);
    }

    /// Makes a folder, with those above it, for its owner alone.
    pub fn own_folder(folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    /// Whether other users of the machine can read or write the file.
    pub fn is_open_to_others(file: &Metadata) -> bool {
        file.permissions().mode() & 0o077 != 0
    }

    /// The machine's name.
    pub fn host_name() -> Option<String> {
        rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
    }

    /// The room that this user has on the disk of a folder; `None` where the system cannot be asked.
    pub fn free_bytes(folder: &Path) -> io::Result<Option<u64>> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    /// Lets the process have `wanted` open files. Where the system allows fewer, returns how many.
    pub fn raise_file_limit(wanted: u64) -> Option<u64> {
        let limit = getrlimit(Resource::Nofile);
        if limit.current.is_none_or(|current| current >= wanted) {
            return None;
        }
        // Root may go beyond the hard limit, others up to it.
        let beyond = Rlimit { current: Some(wanted), maximum: limit.maximum.map(|most| most.max(wanted)) };
        if setrlimit(Resource::Nofile, beyond).is_ok() {
            return None;
        }
        let allowed = limit.maximum.map_or(wanted, |most| most.min(wanted));
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum: limit.maximum });
        Some(allowed)
    }
}

#[cfg(not(unix))]
mod here {
    use std::fs::{self, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    /// Shells do not do that here.
    pub const CAN_SUSPEND: bool = false;

    /// Does nothing.
    pub fn suspend() {}

    /// Safe Rust cannot ask for it.
    pub fn give_way() {}

    /// The folder decides who may read what is in it; a user's own folders are theirs already.
    pub fn only_mine(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    /// As [`only_mine`].
    pub fn only_mine_to_write(_: &mut OpenOptions) {}

    /// As [`only_mine`].
    pub fn own_folder(folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    /// Rights are lists here, which the standard library does not read.
    pub fn is_open_to_others(_: &Metadata) -> bool {
        false
    }

    /// The machine's name.
    pub fn host_name() -> Option<String> {
        std::env::var("COMPUTERNAME").ok()
    }

    /// Not to be asked for without `unsafe`.
    pub fn free_bytes(_: &Path) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Sockets are no files here, and there is no limit to raise.
    pub fn raise_file_limit(_: u64) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_place_of_a_folder_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("gzy");
        fs::write(&file, "").unwrap();
        for folder in [file.clone(), file.join("data").join("deep")] {
            let why = make_folder(&folder).unwrap_err();
            assert_eq!(why.to_string(), format!("{} is a file, not a folder", file.display()));
        }
        let deep = home.path().join("a").join("b");
        make_folder(&deep).unwrap();
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
    }
}
