//! The word that everybody must give to come in, kept in a file so that no process list shows it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::chat::Secret;

/// Why there is no word.
#[derive(Debug)]
pub enum NoPassword {
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// Its first line is empty.
    Empty(PathBuf),
}

impl fmt::Display for NoPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPassword::Unreadable(path, why) => write!(f, "cannot read the password file {}: {why}", path.display()),
            NoPassword::Empty(path) => {
                write!(f, "{} is empty; its first line is the password that everybody must give", path.display())
            }
        }
    }
}

impl std::error::Error for NoPassword {}

/// The first line of the file.
pub fn read(path: &Path) -> Result<Secret, NoPassword> {
    let text = std::fs::read_to_string(path).map_err(|why| NoPassword::Unreadable(path.into(), why))?;
    let word = text.lines().next().unwrap_or("").trim_end();
    if word.is_empty() { Err(NoPassword::Empty(path.into())) } else { Ok(Secret(word.into())) }
}
