//! How a copy of everything is made while the server runs, and how it comes back: `gzy backup`, `gzy restore`.
//!
//! A backup is one SQLite file: the database, and the small files beside it by which the server is known (`side_files`).

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::database::{WAIT_FOR_OTHER_WRITERS, file_in, lock};
use super::form;
use crate::system;
pub use problem::BackupError;

mod problem;

/// The files of a data folder that belong to the database: with another key every client warns its user, and with another cloak secret
/// bans of addresses fit nobody.
const SIDE_FILES: [&str; 3] = ["cloak.key", "tls.key", SHOWN];

/// The only one of them that others may read.
const SHOWN: &str = "tls.crt";

/// A side file is some thousand bytes; more is somebody's mistake.
const SIDE_FILE_BYTES: u64 = 1 << 20;

/// What a file had in its way is kept under its name with this behind.
const BEFORE: &str = "before-restore";

/// Its name and what is in it.
type SideFile = (&'static str, Vec<u8>);

/// What is in a backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contents {
    /// Messages.
    pub messages: u64,
    /// Accounts.
    pub accounts: u64,
}

/// Copies the database of a data folder, as it is at this moment, into a file that is not there yet. Checked before it gets its name.
pub fn make(data: &Path, file: &Path) -> Result<Contents, BackupError> {
    refuse_existing(file)?;
    let source = file_in(data);
    if !source.exists() {
        return Err(BackupError::NothingThere { data: data.into() });
    }
    let db = open(&source)?;
    form::of(&db, &source).map_err(BackupError::Store)?;
    let unfinished = Unfinished::make(file)?;
    let path = unfinished.0.to_str().ok_or_else(|| BackupError::OddName { path: file.into() })?;
    db.execute("VACUUM INTO ?1", [path]).map_err(sqlite(file))?;
    drop(db);
    let copy = open(&unfinished.0)?;
    add_side_files(&copy, data, file)?;
    let contents = check(&copy, file)?;
    copy.close().map_err(|(_, why)| sqlite(file)(why))?;
    refuse_existing(file)?;
    unfinished.finish(file)?;
    Ok(contents)
}

/// Puts a backup in the place of a data folder's database. `replace`: one that is there is kept as `gzy.db.before-restore`.
pub fn restore(file: &Path, data: &Path, replace: bool) -> Result<Contents, BackupError> {
    look_at_head(file)?;
    let _lock = lock(data).map_err(BackupError::Store)?;
    let place = file_in(data);
    if place.exists() && !replace {
        return Err(BackupError::Occupied { path: place });
    }
    let unfinished = Unfinished::make(&place)?;
    copy_bytes(file, &unfinished.0)?;
    let copy = open(&unfinished.0)?;
    let contents = check(&copy, file)?;
    let side_files = take_side_files(&copy, file)?;
    copy.close().map_err(|(_, why)| sqlite(&place)(why))?;
    let in_the_way = in_the_way(data, &place, &side_files)?;
    for path in &in_the_way {
        keep_old(path)?;
    }
    for (name, content) in &side_files {
        write_whole(&data.join(name), content)?;
    }
    put_aside_log(&place)?;
    unfinished.finish(&place)?;
    Ok(contents)
}

fn open(path: &Path) -> Result<Connection, BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(sqlite(path))?;
    db.busy_timeout(WAIT_FOR_OTHER_WRITERS).map_err(sqlite(path))?;
    Ok(db)
}

/// Everything in it is read once.
fn check(db: &Connection, file: &Path) -> Result<Contents, BackupError> {
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(damaged(file))?;
    if verdict != "ok" {
        return Err(BackupError::Damaged { path: file.into(), why: verdict.into() });
    }
    let count = |table: &str| {
        let count = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
        count.map(|count| count as u64).map_err(damaged(file))
    };
    Ok(Contents { messages: count("messages")?, accounts: count("accounts")? })
}

fn add_side_files(copy: &Connection, data: &Path, file: &Path) -> Result<(), BackupError> {
    copy.execute_batch("CREATE TABLE side_files (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID")
        .map_err(sqlite(file))?;
    for name in SIDE_FILES {
        let path = data.join(name);
        let mut content = Vec::new();
        match File::open(&path).and_then(|open| open.take(SIDE_FILE_BYTES).read_to_end(&mut content)) {
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
            Err(why) => return Err(BackupError::File { doing: "read", path, why }),
        }
        copy.execute("INSERT INTO side_files (name, content) VALUES (?1, ?2)", (name, content))
            .map_err(sqlite(file))?;
    }
    Ok(())
}

/// Takes the side files out of the copy; a plain copy of a database has none.
fn take_side_files(copy: &Connection, file: &Path) -> Result<Vec<SideFile>, BackupError> {
    let has_any = "SELECT count(*) FROM sqlite_schema WHERE name = 'side_files'";
    let mut found = Vec::new();
    if copy.query_row(has_any, [], |row| row.get::<_, i64>(0)).map_err(damaged(file))? == 0 {
        return Ok(found);
    }
    let mut all = copy.prepare("SELECT content FROM side_files WHERE name = ?1").map_err(damaged(file))?;
    for name in SIDE_FILES {
        let mut rows = all.query([name]).map_err(damaged(file))?;
        if let Some(row) = rows.next().map_err(damaged(file))? {
            found.push((name, row.get(0).map_err(damaged(file))?));
        }
    }
    drop(all);
    // The keys are not left behind in free pages of the database.
    copy.pragma_update(None, "secure_delete", true).map_err(sqlite(file))?;
    copy.execute_batch("DROP TABLE side_files").map_err(sqlite(file))?;
    Ok(found)
}

/// Is it a database of ours, in a form that we know? Its first hundred bytes say so.
fn look_at_head(file: &Path) -> Result<(), BackupError> {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|open| open.take(100).read_to_end(&mut head));
    read.map_err(|why| BackupError::File { doing: "read", path: file.into(), why })?;
    match form::in_head(&head) {
        None | Some(0) => Err(BackupError::NoBackup { path: file.into() }),
        Some(form) if form > form::newest() => Err(BackupError::Newer { path: file.into(), form }),
        Some(_) => Ok(()),
    }
}

/// Which files would be replaced by others. What was kept of an earlier time stays, so nothing may have its name.
fn in_the_way(data: &Path, place: &Path, side_files: &[SideFile]) -> Result<Vec<PathBuf>, BackupError> {
    let differs = |(name, content): &&SideFile| fs::read(data.join(name)).is_ok_and(|there| there != *content);
    let mut all: Vec<PathBuf> = side_files.iter().filter(differs).map(|(name, _)| data.join(name)).collect();
    all.extend(place.exists().then(|| place.to_owned()));
    match all.iter().map(|path| kept_name(path)).find(|kept| kept.exists()) {
        Some(path) => Err(BackupError::KeptEarlier { path }),
        None => Ok(all),
    }
}

/// Keeps a file under another name. A second name for it where the disk can do that, so that there is no moment without one.
fn keep_old(path: &Path) -> Result<(), BackupError> {
    // Folded in, so that the one file is all of it. A damaged one is kept as it is.
    if path.extension().is_some_and(|extension| extension == "db")
        && let Ok(db) = open(path)
    {
        let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    let kept = kept_name(path);
    let done = fs::hard_link(path, &kept).or_else(|_| fs::rename(path, &kept));
    done.map_err(|why| BackupError::File { doing: "keep the old", path: path.into(), why })
}

/// A write-ahead log without its database, or of one that could not be folded in: SQLite would apply it to the restored one.
fn put_aside_log(place: &Path) -> Result<(), BackupError> {
    for end in ["-wal", "-shm"] {
        let path = with_end(place, end);
        if path.exists() {
            let aside = with_end(&kept_name(place), end);
            fs::rename(&path, aside).map_err(|why| BackupError::File { doing: "move away", path, why })?;
        }
    }
    Ok(())
}

fn kept_name(path: &Path) -> PathBuf {
    path.with_added_extension(BEFORE)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

fn copy_bytes(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(|why| BackupError::File { doing: "read", path: from.into(), why })?;
    let target = fs::OpenOptions::new().write(true).truncate(true).open(to);
    let copied = target.and_then(|mut target| io::copy(&mut source, &mut target));
    copied.map(drop).map_err(|why| BackupError::File { doing: "write", path: to.into(), why })
}

fn write_whole(path: &Path, content: &[u8]) -> Result<(), BackupError> {
    let is_shown = path.ends_with(SHOWN);
    let unfinished = Unfinished::make_as(path, if is_shown { system::shown_file() } else { system::private_file() })?;
    let written = fs::OpenOptions::new().write(true).open(&unfinished.0).and_then(|mut file| file.write_all(content));
    written.map_err(|why| BackupError::File { doing: "write", path: path.into(), why })?;
    unfinished.finish(path)
}

fn refuse_existing(file: &Path) -> Result<(), BackupError> {
    if file.exists() { Err(BackupError::Exists { path: file.into() }) } else { Ok(()) }
}

fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError + '_ {
    move |why| BackupError::Store(form::explain(path, why))
}

fn damaged(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError + '_ {
    move |why| BackupError::Damaged { path: path.into(), why: why.to_string().into() }
}

/// A file that is written beside its place. It goes away unless it is finished.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Empty, readable by nobody else.
    fn make(place: &Path) -> Result<Unfinished, BackupError> {
        Unfinished::make_as(place, system::private_file())
    }

    /// Empty, readable as the options say.
    fn make_as(place: &Path, mut options: fs::OpenOptions) -> Result<Unfinished, BackupError> {
        let path = place.with_added_extension(format!("{}.part", std::process::id()));
        let _ = fs::remove_file(&path);
        let made = options.create_new(true).open(&path);
        made.map(drop).map_err(|why| BackupError::File { doing: "write", path: path.clone(), why })?;
        Ok(Unfinished(path))
    }

    /// On the disk first, then under its name: after a power cut the file is whole or not there.
    fn finish(self, place: &Path) -> Result<(), BackupError> {
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let on_disk = fs::OpenOptions::new().write(true).open(&self.0).and_then(|file| file.sync_all());
        let finished = on_disk.and_then(|()| fs::rename(&self.0, place));
        // Not every system lets a folder be opened; it writes the name down by itself then.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        finished.map_err(|why| BackupError::File { doing: "write", path: place.into(), why })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(with_end(&self.0, "-journal"));
    }
}

#[cfg(test)]
mod tests;
