//! Backups: made beside a running store, refused where they would harm, brought back whole.

use std::sync::mpsc::Receiver;

use super::super::accounts::Accounts;
use super::super::fixture::{at, make_first_form, open as open_store, place, said, texts_of};
use super::super::record::Query;
use super::super::{Answer, Opened, Store};
use super::*;
use crate::wire::msgid::MsgId;

/// A data folder with anna's account, a hundred lines in the lobby, and the files beside.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    Accounts::open(dir.path()).unwrap().add("anna", "h").unwrap();
    for name in SIDE_FILES {
        fs::write(dir.path().join(name), format!("{name} of the old place")).unwrap();
    }
    let (opened, answers) = open_store(dir.path());
    save(&opened.store, &answers, 1, 100);
    close(opened);
    dir
}

fn save(store: &Store, answers: &Receiver<Answer>, first: u64, last: u64) {
    store.append(1, (first..=last).map(|minute| said(minute, &format!("茶 {minute}")).into()).collect()).unwrap();
    assert_eq!(answers.recv().unwrap(), Answer::Saved { batch: 1, result: Ok(()) });
}

fn close(opened: Opened) {
    opened.store.close();
    opened.thread.join();
}

fn lines(data: &Path) -> Vec<String> {
    let (opened, answers) = open_store(data);
    opened.store.ask(1, Query::After { place: place("#lobby"), after: MsgId(0), limit: 1000 }).unwrap();
    let Answer::Found { found, .. } = answers.recv().unwrap() else { panic!() };
    close(opened);
    texts_of(found)
}

fn sentence<T>(result: Result<T, BackupError>) -> String {
    result.err().map(|why| why.to_string()).unwrap_or_default()
}

/// All files of a folder, but for the lock that stays behind.
fn files(data: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |file: io::Result<fs::DirEntry>| {
        let path = file.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
    };
    let mut all: Vec<_> = fs::read_dir(data).unwrap().map(read).filter(|(name, _)| name != "gzy.db.lock").collect();
    all.sort();
    all
}

#[test]
fn a_backup_brings_back_messages_accounts_and_what_the_server_is_known_by() {
    let (old, place) = (folder(), tempfile::tempdir().unwrap());
    let backup = place.path().join("b.gzy");
    let contents = Contents { messages: 100, accounts: 1 };
    assert_eq!(make(old.path(), &backup).unwrap(), contents);
    assert!(!system::is_open_to_others(&backup.metadata().unwrap()), "nobody else reads it");
    assert_eq!(files(place.path()).len(), 1, "nothing is left beside it");
    let fresh = place.path().join("new/place");
    assert_eq!(restore(&backup, &fresh, false).unwrap(), contents);
    for name in SIDE_FILES {
        assert_eq!(fs::read_to_string(fresh.join(name)).unwrap(), format!("{name} of the old place"));
        let is_open = system::is_open_to_others(&fresh.join(name).metadata().unwrap());
        assert_eq!(is_open, name == SHOWN && cfg!(unix), "{name}");
    }
    let database = fs::read(fresh.join("gzy.db")).unwrap();
    assert!(!database.windows(9).any(|window| window == b"old place"), "the keys are not in the database");
    assert_eq!(lines(&fresh), lines(old.path()));
    assert_eq!(lines(&fresh).len(), 100);
    assert_eq!(Accounts::open(&fresh).unwrap().list().unwrap().len(), 1);
}

#[test]
fn a_backup_of_a_store_that_is_writing_holds_everything_that_was_acknowledged_before() {
    let (old, place) = (folder(), tempfile::tempdir().unwrap());
    let (opened, answers) = open_store(old.path());
    save(&opened.store, &answers, 101, 500);
    let store = opened.store.clone();
    let (backup, fresh) = (place.path().join("b.gzy"), place.path().join("fresh"));
    std::thread::scope(|s| {
        let writing = s.spawn(move || {
            for minute in 501..1000 {
                save(&store, &answers, minute, minute);
            }
        });
        let contents = make(old.path(), &backup).unwrap();
        assert!(contents.messages >= 500, "{contents:?}");
        writing.join().unwrap();
    });
    close(opened);
    restore(&backup, &fresh, false).unwrap();
    let there = lines(&fresh);
    assert_eq!(there[..], lines(old.path())[..there.len()]);
    assert!(there.len() >= 500);
}

#[test]
fn a_backup_never_takes_the_place_of_a_file() {
    let (old, place) = (folder(), tempfile::tempdir().unwrap());
    let backup = place.path().join("b.gzy");
    fs::write(&backup, "last year's").unwrap();
    let said = sentence(make(old.path(), &backup));
    assert!(said.ends_with("b.gzy is there already and stays as it is; give the backup another name"), "{said}");
    assert_eq!(fs::read_to_string(&backup).unwrap(), "last year's");
    let said = sentence(make(place.path(), &place.path().join("c")));
    assert!(said.starts_with("there is no gzy.db in ") && said.contains("--data"), "{said}");
    assert!(!place.path().join("gzy.db").exists());
    let said = sentence(make(old.path(), &place.path().join("no/such/folder/b")));
    assert!(said.starts_with("cannot write ") && said.contains("no/such/folder"), "{said}");
    assert_eq!(files(place.path()).len(), 1);
}

#[test]
fn what_is_no_backup_is_refused_and_nothing_changes() {
    let (old, place) = (folder(), tempfile::tempdir().unwrap());
    let before = files(old.path());
    let write = |name: &str, bytes: &[u8]| {
        let path = place.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let good = place.path().join("good");
    make(old.path(), &good).unwrap();
    let bytes = fs::read(&good).unwrap();
    let mut newer = bytes.clone();
    newer[63] = 99;
    let mut spoiled = bytes.clone();
    spoiled[5000..9000].fill(0xa5);
    let foreign = place.path().join("foreign");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE recipes (name)").unwrap();
    for (file, part) in [
        (write("text", b"shopping list: rice and tea"), "is no backup of gzy"),
        (write("empty", b""), "is no backup of gzy"),
        (foreign, "is no backup of gzy"),
        (write("newer", &newer), "was made by a newer gzy (form 99, this one knows up to 4)"),
        (write("half", &bytes[..bytes.len() / 2]), "is damaged ("),
        (write("spoiled", &spoiled), "is damaged ("),
        (place.path().join("nothing"), "cannot read "),
        (place.path().to_owned(), "cannot read "),
    ] {
        for data in [old.path().to_owned(), place.path().join("fresh")] {
            let said = sentence(restore(&file, &data, true));
            assert!(said.contains(part) && said.contains(file.to_str().unwrap()), "{said}");
            assert!(!place.path().join("fresh/gzy.db").exists());
        }
    }
    assert_eq!(files(old.path()), before);
}

#[test]
fn a_database_that_is_there_is_replaced_only_by_force_and_kept() {
    let (old, place) = (folder(), tempfile::tempdir().unwrap());
    let backup = place.path().join("b.gzy");
    make(old.path(), &backup).unwrap();
    let (opened, answers) = open_store(old.path());
    save(&opened.store, &answers, 101, 150);
    let said = sentence(restore(&backup, old.path(), true));
    assert!(said.starts_with("another gzy server is running with the data in "), "{said}");
    close(opened);
    fs::write(old.path().join("tls.key"), "a later key").unwrap();
    let said = sentence(restore(&backup, old.path(), false));
    assert!(said.contains("gzy.db is there already; with --force") && said.contains("before-restore"), "{said}");
    assert_eq!(lines(old.path()).len(), 150);

    restore(&backup, old.path(), true).unwrap();
    assert_eq!(lines(old.path()).len(), 100);
    let text = |name: &str| fs::read_to_string(old.path().join(name)).unwrap();
    assert_eq!((&*text("tls.key"), &*text("tls.key.before-restore")), ("tls.key of the old place", "a later key"));
    assert!(!old.path().join("tls.crt.before-restore").exists(), "it is the same");
    let said = sentence(restore(&backup, old.path(), true));
    assert!(said.contains("gzy.db.before-restore is still there"), "{said}");
    // And back again: what was kept is a database like any other.
    fs::rename(old.path().join("gzy.db.before-restore"), place.path().join("kept")).unwrap();
    restore(&place.path().join("kept"), &place.path().join("fresh"), false).unwrap();
    assert_eq!(lines(&place.path().join("fresh")).len(), 150);
}

#[test]
fn a_log_without_its_database_is_not_mixed_into_the_restored_one() {
    let (old, place) = (folder(), tempfile::tempdir().unwrap());
    let backup = place.path().join("b.gzy");
    make(old.path(), &backup).unwrap();
    let fresh = place.path().join("fresh");
    fs::create_dir(&fresh).unwrap();
    // A store whose log was not folded in, as after a power cut, and whose database somebody took away.
    let (opened, answers) = open_store(old.path());
    save(&opened.store, &answers, 101, 150);
    fs::copy(old.path().join("gzy.db-wal"), fresh.join("gzy.db-wal")).unwrap();
    close(opened);
    restore(&backup, &fresh, false).unwrap();
    assert_eq!(lines(&fresh).len(), 100);
    assert!(fresh.join("gzy.db.before-restore-wal").exists());
}

#[test]
fn a_backup_of_the_first_form_comes_back_in_the_newest() {
    let place = tempfile::tempdir().unwrap();
    let (old, fresh) = (place.path().join("old"), place.path().join("fresh"));
    fs::create_dir(&old).unwrap();
    let db = make_first_form(&old);
    db.execute("INSERT INTO messages VALUES (99, ?1, 1, 0, 4, 5, 0, 'last', NULL, NULL, NULL)", [at(99).0 as i64])
        .unwrap();
    drop(db);
    make(&old, &place.path().join("b")).unwrap();
    assert!(!old.join("gzy.db.form1-backup").exists(), "copying changes nothing");
    restore(&place.path().join("b"), &fresh, false).unwrap();
    assert_eq!(lines(&fresh), ["hello all", "last"]);
}
