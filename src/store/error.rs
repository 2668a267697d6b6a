//! Why the store cannot be opened, in one sentence with the next step.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Opening the store failed. `Display` names the path, the reason and what to do.
#[derive(Debug)]
pub enum StoreError {
    /// The data folder cannot be made, read or written.
    Folder {
        /// The folder or a file in it.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// Another running server holds the data folder.
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// A running server of an older version holds the data folder, so its database cannot be brought to the newest form.
    OlderServer {
        /// The data folder.
        path: PathBuf,
    },
    /// A newer version of GZY wrote the file.
    Newer {
        /// The database file.
        path: PathBuf,
        /// The form that the file says it has.
        form: u32,
        /// The newest form that this binary knows.
        known: u32,
    },
    /// The file is not a database of GZY.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refused.
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What it said.
        why: rusqlite::Error,
    },
    /// The system gave no thread.
    Thread {
        /// What the system said.
        why: io::Error,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Folder { path, why } if why.kind() == io::ErrorKind::NotADirectory => {
                write!(f, "cannot write {}: {why}; name a folder with --data", path.display())
            }
            StoreError::Folder { path, why } => write!(
                f,
                "cannot write {}: {why}; let the user that runs gzy write there, or name another folder with --data",
                path.display()
            ),
            StoreError::InUse { path } => write!(
                f,
                "another gzy server is running with the data in {}; stop it, or name another folder with --data",
                path.display()
            ),
            StoreError::OlderServer { path } => write!(
                f,
                "an older gzy server is running with the data in {}; restart it with this version first",
                path.display()
            ),
            StoreError::Newer { path, form, known } => write!(
                f,
                "{} was written by a newer gzy (form {form}, this one knows up to {known}); install that version again, or name another folder with --data",
                path.display()
            ),
            StoreError::Foreign { path } => write!(
                f,
                "{} is not a database of gzy; move it away (a backup can be put in its place), or name another folder with --data",
                path.display()
            ),
            StoreError::Sqlite { path, why } => write!(
                f,
                "cannot use the database {}: {why}; check that the disk has room and that the user that runs gzy may write there",
                path.display()
            ),
            StoreError::Thread { why } => write!(f, "cannot start the store's thread: {why}; end other programs first"),
        }
    }
}

impl std::error::Error for StoreError {}
