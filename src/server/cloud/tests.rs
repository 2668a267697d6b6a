//! What becomes of bytes: anna and ben bring files, the host changes some by hand, and the plug is pulled.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use smol::block_on;
use tempfile::TempDir;

use super::scanning::Pace;
use super::*;
use crate::chat::shelf::order::{FoundFile, StoredFile, UploadId};
use crate::store::file::Scope;
use crate::store::record::GroupId;
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;

/// No fact takes longer, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(60);
/// Looks at everything all the time.
const HASTY: Pace =
    Pace { folders: Duration::from_millis(5), files: Duration::from_millis(5), still: Duration::from_millis(2) };
/// Looks at the start, and then when it is asked.
const CALM: Pace = Pace { folders: DEADLINE, files: DEADLINE, still: Duration::from_millis(2) };

/// A server's folder and what its cloud told.
struct Host {
    home: TempDir,
    cloud: Cloud,
    facts: Receiver<ShelfFact>,
}

impl Host {
    fn new(pace: Pace) -> Host {
        Host::at(tempfile::tempdir().unwrap(), Vec::new(), pace)
    }

    fn at(home: TempDir, known: Vec<(FileKey, Stamp)>, pace: Pace) -> Host {
        let (tell, facts) = channel();
        let cloud =
            Cloud::open_with(&home.path().join("Cloud"), known, move |fact| drop(tell.send(fact)), pace).unwrap();
        Host { home, cloud, facts }
    }

    /// Another process on the same folder, after this one was killed: nothing that was under way is ended in order.
    fn killed(self, known: Vec<(FileKey, Stamp)>) -> Host {
        std::mem::forget(self.cloud);
        Host::at(self.home, known, CALM)
    }

    /// What the disk holds at this moment, as the next start would find it.
    fn image(&self) -> TempDir {
        let image = tempfile::tempdir().unwrap();
        for folder in ["", ".part"] {
            fs::create_dir_all(image.path().join("Cloud").join(folder)).unwrap();
            for entry in fs::read_dir(self.path(folder)).unwrap() {
                let entry = entry.unwrap();
                // It may have got its name meanwhile.
                let _ = fs::copy(entry.path(), image.path().join("Cloud").join(folder).join(entry.file_name()));
            }
        }
        image
    }

    fn fact(&self) -> ShelfFact {
        self.facts.recv_timeout(DEADLINE).expect("the cloud tells something")
    }

    fn stored(&self) -> Vec<StoredFile> {
        match self.fact() {
            ShelfFact::Stored(files) => files,
            other => panic!("{other:?}"),
        }
    }

    fn found(&self) -> Vec<FoundFile> {
        match self.fact() {
            ShelfFact::Found(files) => files,
            other => panic!("{other:?}"),
        }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.home.path().join("Cloud").join(below)
    }

    fn read(&self, below: &str) -> Vec<u8> {
        fs::read(self.path(below)).unwrap()
    }

    fn prepare(&self, intake: &Intake, same: Vec<(FileKey, Stamp)>) -> ShelfFact {
        self.cloud.order(ShelfOrder::Prepare { intake: intake.clone().into(), same });
        self.fact()
    }

    /// Sends all bytes from `offset` on.
    fn send(&self, intake: &Intake, bytes: &[u8], offset: usize) {
        let mut upload = block_on(self.cloud.receive(intake, offset as u64)).unwrap();
        give(&mut upload, &bytes[offset..]).unwrap();
        upload.finish();
    }

    fn store(&self, intake: &Intake, bytes: &[u8]) -> StoredFile {
        self.send(intake, bytes, 0);
        self.stored().remove(0)
    }

    /// What has a name in the public cloud, and what is under way.
    fn names(&self) -> (Vec<String>, Vec<String>) {
        let list = |path: PathBuf| {
            let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = entries.collect();
            names.sort();
            names
        };
        let public = list(self.path("")).into_iter().filter(|name| !name.starts_with('.')).collect();
        (public, list(self.path(".part")))
    }

    fn outgoing(&self, file: &FileKey, stored: &StoredFile) -> Outgoing {
        let (digest, media, stamp) = (stored.digest, stored.media, stored.stamp);
        Outgoing { file: file.clone(), digest, stored_ms: 0, media, stamp }
    }
}

fn give(upload: &mut Upload, mut bytes: &[u8]) -> Result<(), Fault> {
    while !bytes.is_empty() {
        let mut buffer = block_on(upload.buffer())?;
        let part = bytes.len().min(buffer.capacity());
        assert!(part > 0 && buffer.is_empty() && buffer.capacity() <= BUFFER_BYTES);
        buffer.extend_from_slice(&bytes[..part]);
        bytes = &bytes[part..];
        upload.give(buffer);
    }
    Ok(())
}

fn key(name: &str) -> FileKey {
    FileKey { scope: Scope::Public, name: FileName::parse(name).unwrap() }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Something that is not the same everywhere.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn intake(upload: u64, name: &str, bytes: &[u8]) -> Intake {
    let digest = digest(bytes);
    Intake {
        upload: UploadId(upload),
        to: key(name),
        part: format!("{digest}.1000").into(),
        size: Some(bytes.len() as u64),
        digest: Some(digest),
        at_most: u64::MAX,
        replaces: None,
        resumable: true,
    }
}

const MIB: usize = 1 << 20;

#[test]
fn what_anna_brings_is_there_whole_and_verified_however_large_it_is() {
    let host = Host::new(CALM);
    for (i, length) in [0, 1, 10_000, 64 << 10, (64 << 10) + 1, 256 << 10, 3 * MIB + 17].into_iter().enumerate() {
        let (bytes, name) = (bytes(length), format!("{i}.bin"));
        let intake = intake(i as u64, &name, &bytes);
        assert_eq!(host.prepare(&intake, vec![]), ShelfFact::Prepared { upload: intake.upload, offset: 0 });
        let stored = host.store(&intake, &bytes);
        assert_eq!((stored.upload, stored.digest), (intake.upload, digest(&bytes)));
        assert_eq!(stored.stamp.size, length as u64);
        assert_eq!(host.read(&name), bytes);
        let opened = host.cloud.open_file(&host.outgoing(&intake.to, &stored)).unwrap();
        assert_eq!(opened.metadata().unwrap().len(), length as u64);
    }
    assert!(host.names().1.is_empty());
}

#[test]
fn a_sender_that_knows_neither_size_nor_digest_is_told_the_digest() {
    let host = Host::new(CALM);
    let bytes = bytes(MIB);
    let unknown = Intake { size: None, digest: None, part: "put.7.1".into(), ..intake(7, "a.bin", &bytes) };
    assert_eq!(host.store(&unknown, &bytes).digest, digest(&bytes));
    assert_eq!(host.read("a.bin"), bytes);
}

#[test]
fn bytes_that_are_not_those_announced_are_gone() {
    let host = Host::new(CALM);
    for length in [100, MIB] {
        let mut bytes = bytes(length);
        let intake = intake(1, "a.bin", &bytes);
        bytes[length / 2] ^= 1;
        host.send(&intake, &bytes, 0);
        assert_eq!(host.fact(), ShelfFact::Failed { upload: intake.upload, fault: Fault::DigestMismatch });
        assert_eq!(host.names(), (vec![], vec![]));
        bytes[length / 2] ^= 1;
        host.store(&intake, &bytes);
        fs::remove_file(host.path("a.bin")).unwrap();
    }
}

#[test]
fn more_bytes_than_announced_or_allowed_are_refused_and_nothing_stays() {
    let host = Host::new(CALM);
    let bytes = bytes(MIB);
    let announced = Intake { size: Some(1000), ..intake(1, "a.bin", &bytes) };
    let allowed = Intake { size: None, at_most: 1000, ..intake(2, "a.bin", &bytes) };
    for intake in [announced, allowed] {
        let mut upload = block_on(host.cloud.receive(&intake, 0)).unwrap();
        let mut buffer = block_on(upload.buffer()).unwrap();
        buffer.extend_from_slice(&bytes[..1001]);
        upload.give(buffer);
        assert_eq!(host.fact(), ShelfFact::Failed { upload: intake.upload, fault: Fault::TooLarge });
        assert_eq!(block_on(upload.buffer()), Err(Fault::TooLarge));
        upload.finish();
        assert_eq!(block_on(host.cloud.progress(&intake)).unwrap(), 0);
        assert_eq!(host.names(), (vec![], vec![]));
    }
}

#[test]
fn an_upload_goes_on_where_it_broke_off_in_this_process_and_after_a_kill() {
    let mut host = Host::new(CALM);
    let bytes = bytes(3 * MIB);
    let intake = intake(1, "a.bin", &bytes);
    let mut upload = block_on(host.cloud.receive(&intake, 0)).unwrap();
    give(&mut upload, &bytes[..MIB]).unwrap();
    drop(upload);
    assert_eq!(host.fact(), ShelfFact::Paused { upload: intake.upload, offset: MIB as u64 });
    assert_eq!(host.prepare(&intake, vec![]), ShelfFact::Prepared { upload: intake.upload, offset: MIB as u64 });
    let wrong = block_on(host.cloud.receive(&intake, 5)).err();
    assert_eq!(wrong, Some(Fault::WrongOffset(MIB as u64)));

    let mut upload = block_on(host.cloud.receive(&intake, MIB as u64)).unwrap();
    give(&mut upload, &bytes[MIB..2 * MIB]).unwrap();
    assert_eq!(block_on(host.cloud.progress(&intake)).unwrap(), 2 * MIB as u64);
    std::mem::forget(upload);
    host = host.killed(vec![]);
    assert_eq!(host.names().0, Vec::<String>::new());
    assert_eq!(host.prepare(&intake, vec![]), ShelfFact::Prepared { upload: intake.upload, offset: 2 * MIB as u64 });
    host.send(&intake, &bytes, 2 * MIB);
    assert_eq!(host.stored()[0].digest, digest(&bytes));
    assert_eq!(host.read("a.bin"), bytes);
}

#[test]
fn all_bytes_that_are_there_before_a_kill_are_verified_after_it() {
    let mut host = Host::new(CALM);
    for length in [1000, MIB] {
        let bytes = bytes(length);
        let intake = intake(1, "a.bin", &bytes);
        fs::write(host.path(&format!(".part/{}", intake.part)), &bytes).unwrap();
        host = host.killed(vec![]);
        let mut upload = block_on(host.cloud.receive(&intake, length as u64)).unwrap();
        assert!(block_on(upload.buffer()).is_ok());
        upload.finish();
        assert_eq!(host.stored()[0].digest, digest(&bytes));
        fs::remove_file(host.path("a.bin")).unwrap();
    }
}

#[test]
fn a_part_that_is_longer_than_its_file_begins_again() {
    let host = Host::new(CALM);
    let bytes = bytes(MIB);
    let intake = intake(1, "a.bin", &bytes);
    fs::write(host.path(&format!(".part/{}", intake.part)), vec![1; MIB + 1]).unwrap();
    assert_eq!(host.prepare(&intake, vec![]), ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    assert_eq!(host.store(&intake, &bytes).digest, digest(&bytes));
}

#[test]
fn who_comes_later_takes_over_and_who_came_before_is_cut_off() {
    let host = Host::new(CALM);
    let bytes = bytes(3 * MIB);
    let intake = intake(1, "a.bin", &bytes);
    let mut first = block_on(host.cloud.receive(&intake, 0)).unwrap();
    give(&mut first, &bytes[..MIB]).unwrap();
    let there = block_on(host.cloud.progress(&intake)).unwrap();
    let mut second = block_on(host.cloud.receive(&intake, there)).unwrap();
    assert_eq!(block_on(first.buffer()), Err(Fault::Superseded));
    first.give(vec![0; 1000]);
    drop(first);
    give(&mut second, &bytes[there as usize..]).unwrap();
    second.finish();
    // Neither pause nor failure was told of the first.
    assert_eq!(host.stored()[0].digest, digest(&bytes));
    assert_eq!(host.read("a.bin"), bytes);
}

#[test]
fn another_upload_of_the_same_part_fails_when_it_is_taken_over() {
    let host = Host::new(CALM);
    let bytes = bytes(MIB);
    let (one, other) = (intake(1, "a.bin", &bytes), intake(2, "b.bin", &bytes));
    let mut first = block_on(host.cloud.receive(&one, 0)).unwrap();
    give(&mut first, &bytes[..1000]).unwrap();
    let there = block_on(host.cloud.progress(&one)).unwrap();
    host.send(&other, &bytes, there as usize);
    assert_eq!(host.fact(), ShelfFact::Failed { upload: one.upload, fault: Fault::Superseded });
    assert_eq!(host.stored()[0].upload, other.upload);
}

#[test]
fn a_name_that_is_taken_stays_what_it_was() {
    let host = Host::new(CALM);
    let (old, new) = (bytes(1000), bytes(2000));
    let before = host.store(&intake(1, "a.bin", &old), &old);
    host.send(&intake(2, "a.bin", &new), &new, 0);
    assert_eq!(host.fact(), ShelfFact::Failed { upload: UploadId(2), fault: Fault::NameTaken });
    assert_eq!(host.read("a.bin"), old);
    // The same content is no clash, and a folder's name is one.
    assert_eq!(host.store(&intake(3, "a.bin", &old), &old).stamp, before.stamp);
    host.send(&intake(4, "a.bin/b.bin", &new), &new, 0);
    assert_eq!(host.fact(), ShelfFact::Failed { upload: UploadId(4), fault: Fault::NameTaken });
    assert_eq!(host.names(), (vec!["a.bin".to_owned()], vec![]));
}

#[test]
fn only_the_content_that_may_be_replaced_is_replaced() {
    let host = Host::new(CALM);
    let (old, new, newest) = (bytes(1000), bytes(2000), bytes(3000));
    host.store(&intake(1, "a.bin", &old), &old);
    let replacing =
        |upload, what: &[u8], by: &[u8]| Intake { replaces: Some(digest(what)), ..intake(upload, "a.bin", by) };
    host.store(&replacing(2, &old, &new), &new);
    assert_eq!(host.read("a.bin"), new);
    host.send(&replacing(3, &old, &newest), &newest, 0);
    assert_eq!(host.fact(), ShelfFact::Failed { upload: UploadId(3), fault: Fault::NameTaken });
    assert_eq!(host.read("a.bin"), new);
    // What the host changed by hand was not what anybody meant to replace.
    fs::write(host.path("a.bin"), "by hand").unwrap();
    host.send(&replacing(4, &new, &newest), &newest, 0);
    assert_eq!(host.fact(), ShelfFact::Failed { upload: UploadId(4), fault: Fault::NameTaken });
    assert_eq!(host.read("a.bin"), b"by hand");
    assert_eq!(host.found()[0].digest, digest(b"by hand"));
}

#[test]
fn the_same_content_takes_its_space_once_and_no_bytes_are_sent() {
    let host = Host::new(CALM);
    let bytes = bytes(MIB);
    let first = host.store(&intake(1, "a.bin", &bytes), &bytes);
    let to = FileKey { scope: Scope::Group(GroupId(1000)), name: FileName::parse("周/b.bin").unwrap() };
    let second = Intake { to, ..intake(2, "x", &bytes) };
    let ShelfFact::Stored(files) = host.prepare(&second, vec![(key("a.bin"), first.stamp)]) else { panic!() };
    assert_eq!((files[0].upload, files[0].digest), (second.upload, first.digest));
    assert_eq!(host.read(".groups/1000/周/b.bin"), bytes);
    assert!(host.names().1.is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let inode = |path| fs::metadata(host.path(path)).unwrap().ino();
        // Or its blocks are shared, where the file system can.
        let is_linked = inode("a.bin") == inode(".groups/1000/周/b.bin");
        assert!(is_linked || files[0].stamp != first.stamp);
    }
    // Where it is not what it was, the bytes are asked for, and the host's change is noticed.
    fs::write(host.path("a.bin"), "by hand").unwrap();
    let third = intake(3, "c.bin", &bytes);
    let fact = host.prepare(&third, vec![(key("a.bin"), first.stamp)]);
    assert_eq!(fact, ShelfFact::Prepared { upload: third.upload, offset: 0 });
    assert_eq!(host.found()[0].digest, digest(b"by hand"));
}

#[test]
fn what_is_removed_is_gone_with_its_empty_folders_but_not_what_the_host_put_in_its_place() {
    let host = Host::new(CALM);
    let bytes = bytes(1000);
    let deep = host.store(&intake(1, "作业/week1/a.bin", &bytes), &bytes);
    let changed = host.store(&intake(2, "b.bin", &bytes), &bytes);
    fs::write(host.path("b.bin"), "by hand").unwrap();
    host.cloud.order(ShelfOrder::Remove { file: key("b.bin"), stamp: changed.stamp });
    host.cloud.order(ShelfOrder::Remove { file: key("作业/week1/a.bin"), stamp: deep.stamp });
    assert_eq!(host.found()[0].file, key("b.bin"));
    let last = intake(3, "c.bin", &bytes);
    host.prepare(&last, vec![]);
    assert_eq!(host.names().0, ["b.bin"]);
}

#[test]
fn all_of_a_group_goes_at_once_and_links_in_it_lead_nowhere() {
    let host = Host::new(CALM);
    let bytes = bytes(1000);
    let scope = Scope::Group(GroupId(1000));
    let in_group = |name| FileKey { scope, name: FileName::parse(name).unwrap() };
    for (upload, name) in [(1, "a.bin"), (2, "x/y/b.bin")] {
        host.store(&Intake { to: in_group(name), ..intake(upload, "x", &bytes) }, &bytes);
    }
    host.store(&intake(3, "public.bin", &bytes), &bytes);
    #[cfg(unix)]
    std::os::unix::fs::symlink(host.path(""), host.path(".groups/1000/x/link")).unwrap();
    host.cloud.order(ShelfOrder::RemoveAll { scope: Scope::Public });
    host.cloud.order(ShelfOrder::RemoveAll { scope });
    host.prepare(&intake(4, "c.bin", &bytes), vec![]);
    assert!(!host.path(".groups/1000").exists());
    assert_eq!(host.read("public.bin"), bytes);
}

#[test]
fn a_forgotten_upload_leaves_nothing_and_its_sender_is_cut_off() {
    let host = Host::new(CALM);
    let bytes = bytes(2 * MIB);
    let intake = intake(1, "a.bin", &bytes);
    let mut upload = block_on(host.cloud.receive(&intake, 0)).unwrap();
    give(&mut upload, &bytes[..MIB]).unwrap();
    host.cloud.order(ShelfOrder::Discard { part: intake.part.clone() });
    while block_on(upload.buffer()).is_ok_and(|buffer| {
        upload.give(buffer);
        true
    }) {}
    upload.finish();
    assert_eq!(block_on(host.cloud.progress(&intake)).unwrap(), 0);
    assert_eq!(host.names(), (vec![], vec![]));
}

#[test]
fn an_upload_that_nobody_can_go_on_with_leaves_nothing_when_its_link_breaks() {
    let host = Host::new(CALM);
    let bytes = bytes(MIB);
    let intake = Intake { part: "put.1.2".into(), digest: None, resumable: false, ..intake(1, "a.bin", &bytes) };
    let mut upload = block_on(host.cloud.receive(&intake, 0)).unwrap();
    give(&mut upload, &bytes[..MIB / 2]).unwrap();
    drop(upload);
    assert_eq!(host.fact(), ShelfFact::Paused { upload: intake.upload, offset: 0 });
    assert_eq!(host.names(), (vec![], vec![]));
}

#[test]
fn four_hundred_small_files_are_told_of_in_a_few_batches() {
    let host = Host::new(CALM);
    let mut contents = Vec::new();
    for i in 0..400_u64 {
        let content = format!("file {i}").into_bytes();
        host.send(&intake(i, &format!("homework/{i}.txt"), &content), &content, 0);
        contents.push(content);
    }
    let (mut stored, mut batches) = (Vec::new(), 0);
    while stored.len() < contents.len() {
        stored.extend(host.stored());
        batches += 1;
    }
    assert!(batches < 200, "{batches}");
    for file in stored {
        assert_eq!(host.read(&format!("homework/{}.txt", file.upload.0)), contents[file.upload.0 as usize]);
    }
}

#[test]
fn at_whatever_point_the_plug_is_pulled_a_name_is_a_whole_file_or_is_not_there() {
    let bytes = bytes(2 * MIB);
    let intake = intake(1, "a.bin", &bytes);
    let host = Host::new(CALM);
    let mut upload = block_on(host.cloud.receive(&intake, 0)).unwrap();
    let mut images = Vec::new();
    for piece in bytes.chunks(BUFFER_BYTES) {
        give(&mut upload, piece).unwrap();
        images.push(host.image());
    }
    upload.finish();
    // While the verdict is on its way.
    let fact = loop {
        images.push(host.image());
        if let Ok(fact) = host.facts.try_recv() {
            break fact;
        }
    };
    assert!(matches!(fact, ShelfFact::Stored(_)), "{fact:?}");
    images.push(host.image());
    let (mut without, mut with) = (0, 0);
    for image in images {
        let host = Host::at(image, vec![], CALM);
        if let Ok(there) = fs::read(host.path("a.bin")) {
            assert_eq!(there, bytes);
            with += 1;
            continue;
        }
        let ShelfFact::Prepared { offset, .. } = host.prepare(&intake, vec![]) else { panic!() };
        host.send(&intake, &bytes, offset as usize);
        assert_eq!(host.stored()[0].digest, digest(&bytes));
        assert_eq!(host.read("a.bin"), bytes);
        without += 1;
    }
    assert!(without >= 8 && with >= 1, "{without} {with}");
}

#[test]
fn what_the_host_does_by_hand_is_found_and_missed() {
    let host = Host::new(HASTY);
    fs::create_dir_all(host.path("作业/week1")).unwrap();
    fs::write(host.path("作业/week1/a.txt"), "one").unwrap();
    let found = host.found();
    assert_eq!((&found[0].file, found[0].digest), (&key("作业/week1/a.txt"), digest(b"one")));
    assert_eq!(found[0].media.kind(), "text/plain");
    // Changed in its place: its folder does not change.
    fs::write(host.path("作业/week1/a.txt"), "three").unwrap();
    assert_eq!(host.found()[0].digest, digest(b"three"));
    fs::rename(host.path("作业"), host.path("work")).unwrap();
    let mut facts = [host.fact(), host.fact()];
    facts.sort_by_key(|fact| matches!(fact, ShelfFact::Lost(_)));
    assert!(matches!(&facts[0], ShelfFact::Found(files) if files[0].file == key("work/week1/a.txt")), "{facts:?}");
    assert_eq!(facts[1], ShelfFact::Lost(vec![key("作业/week1/a.txt")]));
    fs::create_dir(host.path(".groups/1000")).unwrap();
    fs::write(host.path(".groups/1000/b.txt"), "two").unwrap();
    assert_eq!(host.found()[0].file.scope, Scope::Group(GroupId(1000)));
}

#[test]
fn what_the_index_knows_is_told_only_where_it_differs() {
    let host = Host::new(CALM);
    let files = ["same.txt", "changed.txt", "gone.txt"];
    let known = (0_u64..).zip(files).map(|(i, name)| {
        let stored = host.store(&intake(i, name, name.as_bytes()), name.as_bytes());
        (key(name), stored.stamp)
    });
    let known: Vec<_> = known.collect();
    fs::write(host.path("changed.txt"), "by hand").unwrap();
    fs::remove_file(host.path("gone.txt")).unwrap();
    let host = host.killed(known);
    let mut facts = [host.fact(), host.fact()];
    facts.sort_by_key(|fact| matches!(fact, ShelfFact::Lost(_)));
    assert!(matches!(&facts[0], ShelfFact::Found(files) if files.len() == 1 && files[0].file == key("changed.txt")));
    assert_eq!(facts[1], ShelfFact::Lost(vec![key("gone.txt")]));
}

#[test]
fn nothing_is_forgotten_when_the_disk_with_the_files_is_not_mounted() {
    let home = tempfile::tempdir().unwrap();
    let host = Host::at(home, vec![(key("a.txt"), Stamp::default())], HASTY);
    fs::write(host.path("b.txt"), "two").unwrap();
    // Many looks have passed before this is found; none of them missed the other.
    assert_eq!(host.found()[0].file, key("b.txt"));
}

#[test]
#[cfg(unix)]
fn links_pipes_and_names_that_not_everybody_can_have_are_never_opened_or_shown() {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, Mode, mkfifoat};

    let host = Host::new(HASTY);
    let secret = host.home.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key.txt"), "secret").unwrap();
    symlink(&secret, host.path("folder")).unwrap();
    symlink(secret.join("key.txt"), host.path("file.txt")).unwrap();
    mkfifoat(CWD, host.path("pipe.txt"), Mode::from_raw_mode(0o600)).unwrap();
    for name in [".hidden", "CON", "a\nb", "a\u{202e}b", "Zoe\u{308}"] {
        fs::write(host.path(name), "bad").unwrap();
    }
    fs::write(host.path("good.txt"), "good").unwrap();
    assert_eq!(host.found()[0].file, key("good.txt"));
    // A second whole walk brings nothing of the others either.
    fs::write(host.path("good2.txt"), "good").unwrap();
    let files = host.found();
    assert_eq!((files.len(), &files[0].file), (1, &key("good2.txt")));

    let linked = StoredFile {
        upload: UploadId(1),
        digest: digest(b"secret"),
        media: Default::default(),
        stamp: folder::stamp_of(&fs::metadata(secret.join("key.txt")).unwrap()),
    };
    for name in ["folder/key.txt", "file.txt", "pipe.txt", "nothing.txt"] {
        let why = host.cloud.open_file(&host.outgoing(&key(name), &linked)).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::NotFound, "{name}");
    }
    // And nothing is written through one.
    for (upload, name) in [(2, "folder/key.txt"), (3, "folder/new.txt"), (4, "file.txt")] {
        host.send(&intake(upload, name, b"evil"), b"evil", 0);
        let fact = host.fact();
        assert!(matches!(&fact, ShelfFact::Failed { upload: UploadId(id), .. } if *id == upload), "{fact:?}");
    }
    assert_eq!(fs::read(secret.join("key.txt")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(&secret).unwrap().count(), 1);
    // A part that is a link is not written through either.
    let part = intake(5, "e.bin", &bytes(MIB));
    symlink(secret.join("key.txt"), host.path(&format!(".part/{}", part.part))).unwrap();
    assert!(block_on(host.cloud.receive(&part, 0)).is_err());
    assert_eq!(fs::read(secret.join("key.txt")).unwrap(), b"secret");
}

#[test]
fn old_parts_and_those_without_a_content_are_swept_and_fresh_ones_stay() {
    let host = Host::new(CALM);
    let fresh = intake(1, "a.bin", &bytes(MIB)).part;
    let old = intake(2, "b.bin", &bytes(2 * MIB)).part;
    for part in [&*fresh, &*old, "put.1.2", "link.3"] {
        fs::write(host.path(".part").join(part), "begun").unwrap();
    }
    let yesterday = std::time::SystemTime::now() - Duration::from_secs(25 * 3600);
    fs::File::options().write(true).open(host.path(".part").join(&*old)).unwrap().set_modified(yesterday).unwrap();
    let host = host.killed(vec![]);
    // The sweep comes before the first look.
    fs::write(host.path("sign.txt"), "swept").unwrap();
    host.cloud
        .open_file(&host.outgoing(
            &key("sign.txt"),
            &StoredFile {
                upload: UploadId(1),
                digest: digest(b""),
                media: Default::default(),
                stamp: Stamp::default(),
            },
        ))
        .unwrap_err();
    host.found();
    assert_eq!(host.names().1, [fresh.into_string()]);
}
