//! The word that everybody must give to come in, kept in a file so that no process list shows it.

use std::path::Path;

use crate::chat::Secret;

use super::ServerError;

/// The first line of the file.
pub fn read(path: &Path) -> Result<Secret, ServerError> {
    let text =
        std::fs::read_to_string(path).map_err(|why| ServerError::File("read the password file", path.into(), why))?;
    let word = text.lines().next().unwrap_or("").trim_end();
    if word.is_empty() { Err(ServerError::EmptyPassword(path.into())) } else { Ok(Secret(word.into())) }
}
