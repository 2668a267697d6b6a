//! The file `gzy.db`: who may open it, which form it has, how SQLite treats it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::form;
use crate::system;

/// `gzy user add` writes for some milliseconds; the server waits for it, and it for the server's group commits on a slow card.
pub const WAIT_FOR_OTHER_WRITERS: Duration = Duration::from_secs(5);

/// Another program needs some milliseconds to make a fresh file; it is asked again so often.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// SQLite's page cache. The hot pages are the ends of three trees and a few index pages; the system caches the rest of the file.
/// Measured: 2 MiB more make appending no quicker, and an idle server has to stay below 4 MiB in all.
const CACHE_KIB: i32 = 768;

/// The write-ahead log goes back into the file when it has so many pages (4 MiB): often enough that a start after a crash is
/// quick, seldom enough that a busy page is written back once for many commits.
const CHECKPOINT_PAGES: i32 = 1000;

/// After a burst (or another program that read for long) the write-ahead log is cut down to this.
const WAL_BYTES_KEPT: i64 = 8 << 20;

/// The database file of a data folder.
pub fn file_in(data: &Path) -> PathBuf {
    data.join("gzy.db")
}

/// Holds the data folder for one server; given back when dropped, or by the system when the process dies.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "held, not read")] File);

/// Takes the data folder for this server. Command-line tools do not ask for it: they work beside a running server.
pub fn lock(data: &Path) -> Result<FolderLock, StoreError> {
    make_folder(data)?;
    let path = data.join("gzy.db.lock");
    let file = system::private_file().open(&path).map_err(|why| StoreError::Folder { path: path.clone(), why })?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: data.to_owned() }),
        Err(TryLockError::Error(why)) => Err(StoreError::Folder { path, why }),
    }
}

/// Opens the database of a data folder, makes it when it is missing, and brings it to the newest form. Whoever calls it holds the folder.
pub fn open(data: &Path) -> Result<Connection, StoreError> {
    let (db, path) = open_as_it_is(data)?;
    form::bring_up_to_date(&db, &path)?;
    Ok(db)
}

/// Opens the database for a command-line tool, also beside a running server; but under one of an older version it is not brought to another form.
pub fn open_beside(data: &Path) -> Result<Connection, StoreError> {
    let (db, path) = open_as_it_is(data)?;
    let form = form::of(&db, &path)?;
    let _lock = if form == 0 || form == form::newest() { None } else { Some(lock(data).map_err(older)?) };
    form::bring_up_to_date(&db, &path)?;
    Ok(db)
}

fn older(why: StoreError) -> StoreError {
    match why {
        StoreError::InUse { path } => StoreError::OlderServer { path },
        why => why,
    }
}

fn open_as_it_is(data: &Path) -> Result<(Connection, PathBuf), StoreError> {
    make_folder(data)?;
    let path = file_in(data);
    // Made here, so that it is private from the start: it holds private talk and password hashes. SQLite's side files follow it.
    match make_private(&path) {
        Ok(_) => {}
        // Not touched when it is there: closing a file takes away the locks that SQLite has on it elsewhere in this process.
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        Err(why) => return Err(StoreError::Folder { path, why }),
    }
    let wrong = |why| form::explain(&path, why);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&path, flags).map_err(wrong)?;
    db.busy_timeout(WAIT_FOR_OTHER_WRITERS).map_err(wrong)?;
    form::of(&db, &path)?;
    set_up(&db).map_err(wrong)?;
    Ok((db, path))
}

/// A fresh file that nobody else can read.
pub fn make_private(path: &Path) -> io::Result<File> {
    system::private_file().create_new(true).open(path)
}

/// The form of the database of a data folder, without changing anything; `None` where there is none.
pub fn look(data: &Path) -> Result<Option<u32>, StoreError> {
    let path = file_in(data);
    if !path.exists() {
        return Ok(None);
    }
    let wrong = |why| form::explain(&path, why);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&path, flags).map_err(wrong)?;
    db.busy_timeout(WAIT_FOR_OTHER_WRITERS).map_err(wrong)?;
    form::of(&db, &path).map(Some)
}

fn make_folder(data: &Path) -> Result<(), StoreError> {
    system::make_folder(data).map_err(|why| StoreError::Folder { path: data.to_owned(), why })
}

/// Turning a fresh file to a write-ahead log wants it for itself, and where another program is doing the same SQLite refuses at once
/// in place of waiting.
fn switch_to_wal(db: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + WAIT_FOR_OTHER_WRITERS;
    loop {
        match db.pragma_update(None, "journal_mode", "WAL") {
            Err(why) if why.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < until => {
                std::thread::sleep(BETWEEN_TRIES);
            }
            switched => return switched,
        }
    }
}

fn set_up(db: &Connection) -> rusqlite::Result<()> {
    switch_to_wal(db)?;
    // FULL: a commit that returned is on the disk, and receipts rely on it.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    // What is removed is overwritten, in free pages too. Messages are only ever added, so it costs them nothing.
    db.pragma_update(None, "secure_delete", true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn sentence<T>(result: Result<T, StoreError>) -> String {
        result.err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_fresh_folder_is_made_and_opens_again() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/b");
        for _ in 0..2 {
            let db = open(&data).unwrap();
            assert_eq!(db.pragma_query_value(None, "journal_mode", |r| r.get::<_, String>(0)).unwrap(), "wal");
            assert_eq!(db.pragma_query_value(None, "synchronous", |r| r.get::<_, u32>(0)).unwrap(), 2);
            assert_eq!(form::of(&db, &data).unwrap(), form::newest());
        }
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file_in(&data).metadata().unwrap().permissions().mode() & 0o077, 0, "nobody else reads it");
    }

    #[test]
    fn two_programs_that_open_a_fresh_folder_at_once_both_get_it() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|s| {
            let both = [(); 2].map(|()| s.spawn(|| open(dir.path()).map(drop)));
            both.into_iter().for_each(|one| one.join().unwrap().unwrap());
        });
    }

    #[test]
    fn a_newer_file_is_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let said = sentence(open(dir.path()));
        assert!(said.contains("gzy.db was written by a newer gzy (form 99, this one knows up to 4)"), "{said}");
        assert!(said.contains("install that version"), "{said}");
    }

    #[test]
    fn what_is_not_a_database_of_ours_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            file_in(dir.path()),
            "shopping list: rice, tea, and a good deal more than a head of a hundred bytes, so \
            that it is read as one",
        )
        .unwrap();
        let said = sentence(open(dir.path()));
        assert!(said.contains("gzy.db is not a database of gzy; move it away"), "{said}");

        let other = tempfile::tempdir().unwrap();
        Connection::open(file_in(other.path())).unwrap().execute_batch("CREATE TABLE recipes (name)").unwrap();
        assert!(matches!(open(other.path()), Err(StoreError::Foreign { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for result in [open(&file).map(drop), lock(&file).map(drop), open(&file.join("below")).map(drop)] {
            let said = sentence(result);
            assert!(said.starts_with(&format!("cannot write {}", file.display())) && said.contains("--data"), "{said}");
        }
        let said = sentence(open(Path::new("/proc")));
        assert!(said.starts_with("cannot write /proc/gzy.db: "), "{said}");
    }

    #[test]
    fn one_folder_serves_one_server_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = lock(dir.path()).unwrap();
        let said = sentence(lock(dir.path()));
        assert!(
            said.starts_with("another gzy server is running with the data in ") && said.contains("stop it"),
            "{said}"
        );
        drop(first);
        lock(dir.path()).unwrap();
    }
}
