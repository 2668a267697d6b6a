//! The message of the day, read from a file at the start and on SIGHUP.

use std::path::Path;

use crate::wire::escape::printable;
use crate::wire::line::clip;

use super::ServerError;

/// Lines of a message of the day: more scrolls off every screen.
const MOTD_LINES: usize = 100;
/// Bytes of one of its lines: fits a classic IRC line with everything around it.
const MOTD_LINE_BYTES: usize = 400;

/// Reads the lines of the file; no file is no message.
pub fn read(path: Option<&Path>) -> Result<Vec<Box<str>>, ServerError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let bytes =
        std::fs::read(path).map_err(|why| ServerError::File("read the message of the day", path.into(), why))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().take(MOTD_LINES).map(|line| clip(&printable(line), MOTD_LINE_BYTES).into()).collect())
}
