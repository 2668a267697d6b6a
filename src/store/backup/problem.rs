//! Why there is no backup, or why it does not come back: sentences with the next step.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::store::StoreError;
use crate::store::form;

/// A backup that cannot be made or restored.
#[derive(Debug)]
pub enum BackupError {
    /// The file of the backup is there already.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The data folder has no database.
    NothingThere {
        /// The data folder.
        data: PathBuf,
    },
    /// SQLite takes file names in UTF-8 only.
    OddName {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    NoBackup {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of GZY made it.
    Newer {
        /// The file.
        path: PathBuf,
        /// The form that it says it has.
        form: u32,
    },
    /// It cannot be read to its end, or contradicts itself.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: Box<str>,
    },
    /// There is a database where the backup should go.
    Occupied {
        /// That database.
        path: PathBuf,
    },
    /// What an earlier restore kept is still there.
    KeptEarlier {
        /// The kept file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    File {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The store cannot be used.
    Store(StoreError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackupError::Exists { path } => {
                write!(f, "{} is there already and stays as it is; give the backup another name", path.display())
            }
            BackupError::NothingThere { data } => {
                write!(f, "there is no gzy.db in {}; name the folder of the server's data with --data", data.display())
            }
            BackupError::OddName { path } => {
                write!(f, "{} has a name that is not UTF-8; give the backup another one", path.display())
            }
            BackupError::NoBackup { path } => {
                write!(f, "{} is no backup of gzy; give a file that gzy backup has made", path.display())
            }
            BackupError::Newer { path, form } => write!(
                f,
                "{} was made by a newer gzy (form {form}, this one knows up to {}); install that version",
                path.display(),
                form::newest()
            ),
            BackupError::Damaged { path, why } => {
                write!(f, "{} is damaged ({why}); take an earlier backup", path.display())
            }
            BackupError::Occupied { path } => write!(
                f,
                "{0} is there already; with --force the backup takes its place, and it is kept as {0}.before-restore",
                path.display()
            ),
            BackupError::KeptEarlier { path } => {
                write!(f, "{} is still there from an earlier restore; move it away first", path.display())
            }
            BackupError::File { doing, path, why } => write!(
                f,
                "cannot {doing} {}: {why}; check the path, the rights and the room on the disk",
                path.display()
            ),
            BackupError::Store(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}
