//! What is noticed that nobody said: what the host does by hand, links that eve planted, leftovers, addresses.

use super::*;

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
    let host = host.killed(known, ONCE);
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
        assert_eq!(host.fact(), ShelfFact::Failed { upload: UploadId(upload), fault: Fault::NameTaken });
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
    let host = host.killed(vec![], CALM);
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

#[test]
fn the_address_that_the_server_listens_on_is_announced() {
    let host = Host::new(CALM);
    for address in ["192.0.2.7:510", "[2001:db8::1]:511"] {
        host.cloud.announce(address.parse().unwrap());
        assert_eq!(host.fact(), ShelfFact::Reachable(format!("http://{address}").into()));
    }
}
