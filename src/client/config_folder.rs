//! Where a user's settings live, and how a small file there is replaced so that it is never half written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::system;

/// The folder's name inside of the user's config folder.
const NAME: &str = "gzy";

/// How the system at hand calls its config folders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum System {
    Windows,
    Mac,
    Other,
}

const HERE: System = if cfg!(windows) {
    System::Windows
} else if cfg!(target_os = "macos") {
    System::Mac
} else {
    System::Other
};

/// The folder of this user, which may not exist yet; `None` for a user without a home.
pub fn of_user() -> Option<PathBuf> {
    of(HERE, |name| std::env::var_os(name).map(PathBuf::from))
}

/// `XDG_CONFIG_HOME` counts on every system: that is how tests and careful people keep things apart. Relative folders are ignored, as its standard says.
fn of(system: System, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).filter(|path| path.is_absolute());
    let of_system = || match system {
        System::Windows => folder("APPDATA"),
        System::Mac => folder("HOME").map(|home| home.join("Library").join("Application Support")),
        System::Other => folder("HOME").map(|home| home.join(".config")),
    };
    folder("XDG_CONFIG_HOME").or_else(of_system).map(|folder| folder.join(NAME))
}

/// The file's bytes; `None` when there is no such file.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the file, for the user's eyes only: written beside it and renamed, so that a power cut leaves the one or the other. Makes the folder where there is none.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A file that is a link, to a folder under version control for example, stays a link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    system::own_folder(folder)?;
    let beside = beside(path);
    let written = (|| {
        let mut file = system::only_mine(OpenOptions::new().write(true).create_new(true)).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        // Nothing to be done about a leftover that cannot be removed.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// The right to read a file and to replace it without another program of this user doing so in between. Given back when dropped, or by the system when the process dies.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held, not read")] File);

/// Waits for one's turn with a file, which takes others a moment. Makes the folder where there is none; the lock is a file beside.
pub fn turn(path: &Path) -> io::Result<Turn> {
    system::own_folder(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let lock = system::private_file().open(path.with_file_name(name))?;
    // Some folders in a network know no locks. There the last one to write wins, which is no reason not to write.
    let _ = lock.lock();
    Ok(Turn(lock))
}

/// A name that no other process takes, nor this one when it died before.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", getrandom::u64().unwrap_or_else(|_| std::process::id().into())));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn each_system_has_its_place_and_xdg_goes_first() {
        let set = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
        };
        let home = set(&[("HOME", "/home/anna"), ("APPDATA", "/c/anna")]);
        assert_eq!(of(System::Other, home), Some("/home/anna/.config/gzy".into()));
        assert_eq!(of(System::Mac, home), Some("/home/anna/Library/Application Support/gzy".into()));
        assert_eq!(of(System::Windows, home), Some("/c/anna/gzy".into()));
        let xdg = set(&[("HOME", "/home/anna"), ("XDG_CONFIG_HOME", "/tmp/x")]);
        assert_eq!(of(System::Mac, xdg), Some("/tmp/x/gzy".into()));
        let relative = set(&[("HOME", "/home/anna"), ("XDG_CONFIG_HOME", "x")]);
        assert_eq!(of(System::Other, relative), Some("/home/anna/.config/gzy".into()));
        assert_eq!(of(System::Other, set(&[])), None);
    }

    #[test]
    fn a_replaced_file_is_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("file");
        assert_eq!(read(&path).unwrap(), None);
        replace(&path, "one").unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it_even_when_they_could_before() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gzy").join("known_servers");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        replace(&path, "one").unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_failed_write_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "one").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, "two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"two");
        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("inside")).unwrap();
        assert!(replace(&taken, "x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
