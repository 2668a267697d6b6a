//! Which names do files get, keep and lose?

use super::*;

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
