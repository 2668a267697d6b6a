//! The log: a file that is rotated by size and never fills a card, or standard error.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use simplelog::{ConfigBuilder, FormatItem, WriteLogger, format_description};
use time::UtcOffset;

use super::{Config, ServerError};
use crate::system;

/// A log file is set aside at this size: opens in any editor.
const LOG_BYTES: u64 = 8 << 20;
/// So many are kept that were set aside; with the current one the log takes 40 MiB at most.
const LOGS_KEPT: u32 = 4;

/// `2026-11-20 13:19:21`, in local time.
const TIME_FORMAT: &[FormatItem] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// Lets the log file be opened again, after somebody moved it away.
#[derive(Clone, Debug, Default)]
pub struct Reopen(Arc<AtomicBool>);

impl Reopen {
    /// The next line goes to a file that is opened anew.
    pub fn reopen(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Starts logging: to `--log`, else to standard error under systemd, else to `log.txt` in the data folder.
pub fn start(config: &Config) -> Result<Reopen, ServerError> {
    let reopen = Reopen::default();
    let mut format = ConfigBuilder::new();
    format
        .set_target_level(log::LevelFilter::Off)
        .set_thread_level(log::LevelFilter::Off)
        .set_location_level(log::LevelFilter::Off);
    if let Ok(offset) = UtcOffset::from_whole_seconds(config.utc_offset_secs) {
        format.set_time_offset(offset);
    }
    format.set_time_format_custom(TIME_FORMAT);
    let sink: Box<dyn Write + Send> = if config.log.is_none() && under_systemd() {
        format.set_time_level(log::LevelFilter::Off);
        Box::new(io::stderr())
    } else {
        let path = config.log.clone().unwrap_or_else(|| config.data.join("log.txt"));
        system::make_folder(&config.data).map_err(|why| ServerError::data_folder(&config.data, why))?;
        let file = RotatingFile::open(path.clone(), LOG_BYTES, reopen.clone())
            .map_err(|why| ServerError::File("write the log", path, why))?;
        Box::new(file)
    };
    // A second server in one process (only tests do that) keeps the first one's log.
    let _ = WriteLogger::init(config.log_level, format.build(), sink);
    Ok(reopen)
}

fn under_systemd() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some() && !io::stderr().is_terminal()
}

/// A file that is renamed to `log.1.txt` (and so on) when it has grown enough.
struct RotatingFile {
    path: PathBuf,
    file: File,
    /// The beginning of a line; the logger writes in many small pieces.
    line: Vec<u8>,
    written_bytes: u64,
    limit_bytes: u64,
    reopen: Reopen,
}

impl RotatingFile {
    fn open(path: PathBuf, limit_bytes: u64, reopen: Reopen) -> io::Result<RotatingFile> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let written_bytes = file.metadata()?.len();
        Ok(RotatingFile { path, file, line: Vec::new(), written_bytes, limit_bytes, reopen })
    }

    /// One line, one write. Rotates between lines only, so that none is torn apart.
    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.reopen.0.swap(false, Ordering::Relaxed) {
            self.open_again()?;
        }
        self.file.write_all(line)?;
        self.written_bytes += line.len() as u64;
        if self.written_bytes >= self.limit_bytes { self.rotate() } else { Ok(()) }
    }

    fn open_again(&mut self) -> io::Result<()> {
        *self = RotatingFile::open(self.path.clone(), self.limit_bytes, self.reopen.clone())?;
        Ok(())
    }

    /// Moves every log one number up; the oldest is overwritten.
    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..LOGS_KEPT).rev() {
            let from = numbered(&self.path, number);
            if from.exists() {
                fs::rename(from, numbered(&self.path, number + 1))?;
            }
        }
        fs::rename(&self.path, numbered(&self.path, 1))?;
        self.open_again()
    }
}

/// `log.txt` → `log.1.txt`
fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or(String::new(), |extension| format!(".{}", extension.to_string_lossy()));
    path.with_file_name(format!("{stem}.{number}{extension}"))
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if self.line.ends_with(b"\n") {
            let line = std::mem::take(&mut self.line);
            self.write_line(&line)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_rotated_by_size_and_only_a_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let mut log = RotatingFile::open(path.clone(), 100, Reopen::default()).unwrap();
        for number in 0..100 {
            writeln!(log, "line {number:04} 小阳 joined").unwrap();
        }
        let mut names: Vec<String> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["log.1.txt", "log.2.txt", "log.3.txt", "log.4.txt", "log.txt"]);
        for name in names {
            let text = fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.len() <= 130 && text.lines().all(|line| line.ends_with("小阳 joined")), "{text}");
        }
    }

    #[test]
    fn a_log_that_was_moved_away_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let reopen = Reopen::default();
        let mut log = RotatingFile::open(path.clone(), LOG_BYTES, reopen.clone()).unwrap();
        writeln!(log, "one").unwrap();
        fs::rename(&path, folder.path().join("old.txt")).unwrap();
        reopen.reopen();
        writeln!(log, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(fs::read_to_string(folder.path().join("old.txt")).unwrap(), "one\n");
    }
}
