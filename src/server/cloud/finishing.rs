//! The thread that makes files of what is written: digest, sync, name, sync of the folder, and only then the news.
//!
//! While the disk syncs one group of uploads, the next gathers: ten thousand small files need a few syncs, one file needs one.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use std::{iter, thread};

use super::disk::{Disk, fault_of};
use super::folder::{Folder, read_at, stamp_of};
use super::hashing::digest_of;
use super::known::Item;
use super::scanning::Look;
use super::stream::Stream;
use crate::chat::shelf::order::{Fault, ShelfFact, StoredFile};
use crate::store::file::{FileKey, Scope, Stamp};
use crate::wire::digest::Digest;
use crate::wire::media::{MEDIA_BYTES, Media};

/// Uploads in one group, at most: the first of them waits for the last.
const GROUP: usize = 512;
/// More files than this are synced with the whole file system: each sync alone is a commit of its journal.
const FEW: usize = 8;

/// While many come, the next group gathers for so long, and nobody is woken for each: a sync costs as much for ten files as for a hundred.
const GATHER: Duration = Duration::from_millis(5);

/// What comes to be finished.
pub enum Finish {
    /// All bytes are written and hashed.
    Written(Arc<Stream>),
    /// The same, and all is known of it: a small file, or a link.
    Ready(Box<Ready>),
}

/// A part whose digest is right.
pub struct Ready {
    /// The upload.
    pub stream: Arc<Stream>,
    /// Of its bytes.
    pub digest: Digest,
    /// What is in it.
    pub media: Media,
    /// What it looks like.
    pub stamp: Stamp,
    /// The same was there already under its name.
    pub was_there: bool,
}

/// Works until nobody can hand over anything any more.
pub fn run(disk: &Disk, work: &Receiver<Finish>, look: &SyncSender<Look>) {
    let mut are_many = false;
    while let Ok(first) = work.recv() {
        if are_many {
            thread::sleep(GATHER);
        }
        let group = iter::once(first).chain(work.try_iter()).take(GROUP);
        let group: Vec<Ready> = group.filter_map(|item| check(disk, item)).collect();
        are_many = group.len() > FEW;
        finish(disk, group, look);
    }
}

/// Whether the bytes are those that were announced.
fn check(disk: &Disk, item: Finish) -> Option<Ready> {
    let stream = match item {
        Finish::Ready(ready) => return Some(*ready),
        Finish::Written(stream) if stream.is_over() => return None,
        Finish::Written(stream) => stream,
    };
    let digest = stream.hashed.lock().unwrap_or_else(PoisonError::into_inner).digest();
    if stream.intake.digest.is_some_and(|announced| announced != digest) {
        give_up(disk, &stream, Fault::DigestMismatch);
        return None;
    }
    let looked_at = stream.file().ok_or_else(|| io::ErrorKind::NotFound.into()).and_then(look_at);
    match looked_at {
        Ok((media, stamp)) => Some(Ready { stream, digest, media, stamp, was_there: false }),
        Err(why) => {
            give_up(disk, &stream, fault_of(&why));
            None
        }
    }
}

/// What is in a file, and what it looks like.
pub fn look_at(file: &File) -> io::Result<(Media, Stamp)> {
    let stamp = stamp_of(&file.metadata()?);
    let mut first = vec![0; usize::try_from(stamp.size).unwrap_or(usize::MAX).min(MEDIA_BYTES)];
    let mut there = 0;
    while there < first.len() {
        match read_at(file, &mut first[there..], there as u64) {
            Ok(0) => break,
            Ok(read) => there += read,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok((Media::of(&first[..there]), stamp))
}

/// It will not be a file, and nothing stays of it.
fn give_up(disk: &Disk, stream: &Arc<Stream>, fault: Fault) {
    // First, because nobody else may begin this part before it failed.
    disk.tree.remove_part(&stream.intake.part);
    disk.fail(stream, fault);
}

/// Makes files of a group and tells of them.
fn finish(disk: &Disk, group: Vec<Ready>, look: &SyncSender<Look>) {
    if let Err(why) = sync_parts(disk, &group) {
        log::error!("cannot sync uploads in the cloud's folder: {why}");
        return group.iter().for_each(|ready| give_up(disk, &ready.stream, fault_of(&why)));
    }
    let mut stored = Vec::with_capacity(group.len());
    let mut clashes = Vec::new();
    let mut folders = Folders::default();
    let changing = disk.tree.changing();
    for ready in group {
        if ready.stream.is_over() {
            continue;
        }
        match place(disk, &mut folders, &ready, false) {
            Ok(()) => stored.push(ready),
            Err(why) if is_taken(&why) => clashes.push(ready),
            Err(why) => give_up(disk, &ready.stream, fault_of(&why)),
        }
    }
    drop(changing);
    for ready in clashes {
        stored.extend(settle(disk, &mut folders, ready, look));
    }
    if let Err(why) = folders.sync(disk) {
        log::error!("cannot sync the cloud's folder: {why}");
        for ready in stored.drain(..) {
            take_back(disk, &ready);
            give_up(disk, &ready.stream, fault_of(&why));
        }
    }
    // Whoever gave one up in the meantime does not expect it any more.
    stored.retain(|ready| {
        let is_wanted = !ready.stream.is_cut();
        if !is_wanted {
            take_back(disk, ready);
        }
        is_wanted
    });
    if !stored.is_empty() {
        let _ = look.try_send(Look::Stored);
        tell(disk, stored);
    }
}

fn tell(disk: &Disk, stored: Vec<Ready>) {
    let files = stored.into_iter().map(|Ready { stream, digest, media, stamp, .. }| {
        disk.streams.end(&stream);
        StoredFile { upload: stream.intake.upload, digest, media, stamp }
    });
    disk.tell(ShelfFact::Stored(files.collect()));
}

/// Comes back when the bytes of all parts are on the disk.
fn sync_parts(disk: &Disk, group: &[Ready]) -> io::Result<()> {
    if group.len() > FEW && disk.tree.parts().sync_all()? {
        return Ok(());
    }
    group.iter().filter(|ready| !ready.stream.is_over()).try_for_each(|ready| match ready.stream.file() {
        Some(file) => file.sync_all(),
        None => disk.tree.create_part(&ready.stream.intake.part, false)?.sync_all(),
    })
}

/// Gives a part its name, and takes note of it. Somebody holds the tree's changes.
fn place(disk: &Disk, folders: &mut Folders, ready: &Ready, replaces: bool) -> io::Result<()> {
    let Stream { intake, .. } = &*ready.stream;
    let folder = folders.of(disk, &intake.to)?;
    disk.tree.parts().rename(&intake.part, folder, intake.to.name.last(), replaces)?;
    disk.known().insert(&intake.to, Item { stamp: ready.stamp, digest: Some(ready.digest) });
    Ok(())
}

/// A name on the way, or at its end, belongs to something else.
fn is_taken(why: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory};
    matches!(why.kind(), AlreadyExists | NotADirectory | IsADirectory)
}

/// Something has the name. It is the same content, or may be replaced, or keeps the name.
fn settle(disk: &Disk, folders: &mut Folders, mut ready: Ready, look: &SyncSender<Look>) -> Option<Ready> {
    let to = &ready.stream.intake.to;
    let found = disk.tree.open_file(to).ok();
    let known = disk.known().find(to);
    if let Some((file, stamp)) = found {
        let is_known = known.is_some_and(|known| known.stamp == stamp);
        let may_replace = ready.stream.intake.replaces.is_some_and(|old| {
            // A digest from before the start is the index's own, and the rules went by it.
            is_known && known.and_then(|known| known.digest).is_none_or(|digest| digest == old)
        });
        if may_replace {
            let changing = disk.tree.changing();
            let placed = place(disk, folders, &ready, true);
            drop(changing);
            // Of two names for one file a rename leaves both.
            disk.tree.remove_part(&ready.stream.intake.part);
            return match placed {
                Ok(()) => Some(ready),
                Err(why) => {
                    give_up(disk, &ready.stream, fault_of(&why));
                    None
                }
            };
        }
        if stamp.size == ready.stamp.size && digest_of(&file).is_ok_and(|digest| digest == ready.digest) {
            disk.tree.remove_part(&ready.stream.intake.part);
            disk.known().insert(to, Item { stamp, digest: Some(ready.digest) });
            (ready.stamp, ready.was_there) = (stamp, true);
            return Some(ready);
        }
        if !is_known {
            let _ = look.try_send(Look::File(to.clone()));
        }
    }
    give_up(disk, &ready.stream, Fault::NameTaken);
    None
}

/// Nobody was told of it: then it is no file.
fn take_back(disk: &Disk, ready: &Ready) {
    if ready.was_there {
        return;
    }
    let to = &ready.stream.intake.to;
    let _changing = disk.tree.changing();
    disk.known().remove(to);
    if let Err(why) = disk.tree.folder_of(to).and_then(|folder| folder.remove(to.name.last())) {
        log::error!("cannot remove a file that was not stored from the cloud's folder: {why}");
    }
}

/// The folders that a group's files go to: opened once, synced once.
#[derive(Default)]
struct Folders {
    open: Vec<(Scope, Box<str>, Folder)>,
    /// Those in which folders were made.
    grown: Vec<Folder>,
}

impl Folders {
    fn of(&mut self, disk: &Disk, file: &FileKey) -> io::Result<&Folder> {
        let is_it = |open: &(Scope, Box<str>, Folder)| open.0 == file.scope && *open.1 == *file.name.folder();
        // The files of a folder come one after the other.
        let at = match self.open.iter().rposition(is_it) {
            Some(at) => at,
            None => {
                let folder = disk.tree.make_folder_of(file, &mut self.grown)?;
                self.open.push((file.scope, file.name.folder().into(), folder));
                self.open.len() - 1
            }
        };
        Ok(&self.open[at].2)
    }

    /// Comes back when all names are on the disk.
    fn sync(&self, disk: &Disk) -> io::Result<()> {
        if self.open.len() + self.grown.len() > FEW && disk.tree.top().sync_all()? {
            return Ok(());
        }
        self.open.iter().map(|(_, _, folder)| folder).chain(&self.grown).try_for_each(Folder::sync)
    }
}
