//! What becomes of bytes that are sent: verified, refused, broken off, gone on with, and the plug pulled.

use super::*;

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
    for length in [100, MIB] {
        let host = Host::new(CALM);
        let mut bytes = bytes(length);
        let intake = intake(1, "a.bin", &bytes);
        bytes[length / 2] ^= 1;
        host.send(&intake, &bytes, 0);
        assert_eq!(host.fact(), ShelfFact::Failed { upload: intake.upload, fault: Fault::DigestMismatch });
        assert_eq!(host.names(), (vec![], vec![]));
        bytes[length / 2] ^= 1;
        host.store(&intake, &bytes);
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
    host = host.killed(vec![], CALM);
    assert_eq!(host.names().0, Vec::<String>::new());
    assert_eq!(host.prepare(&intake, vec![]), ShelfFact::Prepared { upload: intake.upload, offset: 2 * MIB as u64 });
    host.send(&intake, &bytes, 2 * MIB);
    assert_eq!(host.stored()[0].digest, digest(&bytes));
    assert_eq!(host.read("a.bin"), bytes);
}

#[test]
fn all_bytes_that_are_there_before_a_kill_are_verified_after_it() {
    for length in [1000, MIB] {
        let host = Host::new(CALM);
        let bytes = bytes(length);
        let intake = intake(1, "a.bin", &bytes);
        fs::write(host.path(&format!(".part/{}", intake.part)), &bytes).unwrap();
        let host = host.killed(vec![], CALM);
        let mut upload = block_on(host.cloud.receive(&intake, length as u64)).unwrap();
        assert!(block_on(upload.buffer()).is_ok());
        upload.finish();
        assert_eq!(host.stored()[0].digest, digest(&bytes));
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
fn an_upload_that_is_forgotten_at_its_end_is_either_told_of_or_not_there() {
    let host = Host::new(CALM);
    for i in 0..50_u64 {
        let (bytes, name) = (bytes(if i % 2 == 0 { 1000 } else { 100_000 } + i as usize), format!("{i}.bin"));
        let intake = intake(i, &name, &bytes);
        host.send(&intake, &bytes, 0);
        host.cloud.order(ShelfOrder::Discard { part: intake.part.clone() });
        // Behind the order, and behind the upload.
        let mark = super::intake(1000 + i, &format!("mark {i}"), name.as_bytes());
        host.cloud.order(ShelfOrder::Prepare { intake: mark.clone().into(), same: vec![] });
        let (mut is_told, mut is_marked) = (false, false);
        while !is_marked {
            match host.fact() {
                ShelfFact::Prepared { .. } => host.send(&mark, name.as_bytes(), 0),
                ShelfFact::Stored(files) => {
                    is_told |= files.iter().any(|file| file.upload == intake.upload);
                    is_marked = files.iter().any(|file| file.upload == mark.upload);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(host.path(&name).exists(), is_told, "{name}");
        assert!(!host.path(&format!(".part/{}", intake.part)).exists());
    }
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
fn a_small_upload_that_breaks_off_goes_on_or_begins_again() {
    let bytes = bytes(10_000);
    let intake = intake(1, "a.bin", &bytes);
    for goes_on_at in [4000, 0] {
        let host = Host::new(CALM);
        let mut upload = block_on(host.cloud.receive(&intake, 0)).unwrap();
        give(&mut upload, &bytes[..3000]).unwrap();
        give(&mut upload, &bytes[3000..4000]).unwrap();
        drop(upload);
        assert_eq!(host.fact(), ShelfFact::Paused { upload: intake.upload, offset: 4000 });
        assert_eq!(block_on(host.cloud.progress(&intake)).unwrap(), 4000);
        host.send(&intake, &bytes, goes_on_at);
        assert_eq!(host.stored()[0].digest, digest(&bytes));
        assert_eq!(host.read("a.bin"), bytes);
    }
}

#[test]
fn one_buffer_more_is_waited_for_and_small_files_get_small_ones() {
    let host = Host::new(CALM);
    let mut upload = block_on(host.cloud.receive(&intake(1, "a.bin", &bytes(3 * MIB)), 0)).unwrap();
    let mut buffers: Vec<Vec<u8>> = (0..BUFFERS).map(|_| block_on(upload.buffer()).unwrap()).collect();
    assert!(buffers.iter().all(|buffer| buffer.capacity() == BUFFER_BYTES));
    assert!(block_on(smol::future::poll_once(upload.buffer())).is_none());
    let mut buffer = buffers.remove(0);
    buffer.push(1);
    upload.give(buffer);
    assert!(block_on(upload.buffer()).is_ok());

    let mut small = block_on(host.cloud.receive(&intake(2, "b.bin", &bytes(10_000)), 0)).unwrap();
    assert_eq!(block_on(small.buffer()).unwrap().capacity(), 10_000);
}

#[test]
fn what_does_not_fit_on_the_disk_is_refused_before_a_byte_is_sent() {
    let host = Host::new(CALM);
    let huge = Intake { size: Some(1 << 60), ..intake(1, "a.bin", b"") };
    assert_eq!(host.prepare(&huge, vec![]), ShelfFact::Failed { upload: huge.upload, fault: Fault::DiskFull });
    // Nor what fits alone, but not beside what is coming already.
    let _coming = block_on(host.cloud.receive(&huge, 0)).unwrap();
    let beside = intake(2, "b.bin", &bytes(MIB));
    assert_eq!(host.prepare(&beside, vec![]), ShelfFact::Failed { upload: beside.upload, fault: Fault::DiskFull });
}

#[test]
fn the_same_content_under_a_second_name_takes_its_space_once_also_when_nobody_knew() {
    let host = Host::new(CALM);
    let bytes = bytes(MIB);
    let first = host.store(&intake(1, "first.bin", &bytes), &bytes);
    let unknown = Intake { digest: None, part: "put.2.1".into(), ..intake(2, "second.bin", &bytes) };
    let second = host.store(&unknown, &bytes);
    assert_ne!(first.stamp.inode, second.stamp.inode);
    let share = |stamp, same| ShelfOrder::Share { file: key("second.bin"), stamp, digest: second.digest, same };
    let same = (key("first.bin"), first.stamp);
    host.cloud.order(share(second.stamp, same.clone()));
    let found = host.found().remove(0);
    assert_eq!((found.file, found.digest), (key("second.bin"), first.digest));
    assert_eq!(host.read("second.bin"), bytes);
    assert_eq!(host.names(), (vec!["first.bin".into(), "second.bin".into()], vec![]));
    // Where blocks are shared the file keeps a number of its own; else it is one file with two names.
    let is_one = found.stamp.inode == first.stamp.inode;
    assert!(is_one || found.stamp.inode != second.stamp.inode);

    // What is not what it was stays as it is.
    fs::write(host.path("second.bin"), "the host's own").unwrap();
    host.cloud.order(share(found.stamp, same));
    assert_eq!(
        host.prepare(&intake(3, "third.bin", b"3"), vec![]),
        ShelfFact::Prepared { upload: UploadId(3), offset: 0 }
    );
    assert_eq!(host.read("second.bin"), b"the host's own");
}
