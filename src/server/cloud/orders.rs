//! The thread that carries out what the rules order: looking before an upload, linking, removing.

use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use super::disk::{Disk, fault_of};
use super::finishing::Finish;
use super::folder::{Folder, Kind, scope_path};
use super::scanning::Look;
use super::twins::Twins;
use super::upload::is_small;
use super::writing::Write;
use crate::chat::shelf::order::{Fault, Intake, ShelfFact, ShelfOrder};
use crate::store::file::{FileKey, Scope, Stamp};

/// Orders that are carried out before the folders are synced.
const GROUP: usize = 512;
/// Folders in folders that are removed with a group: names are not deeper, and what the host made deeper stays.
const DEEP: usize = 32;

/// Whom else the orders need.
pub struct Others {
    /// Discards go through the writer, behind what it has to write.
    pub write: Sender<Write>,
    /// Links are finished like uploads.
    pub finish: Sender<Finish>,
    /// Looks again where something is not what it was.
    pub look: SyncSender<Look>,
}

/// Works until nobody can order anything any more.
pub fn run(disk: &Disk, work: &Receiver<ShelfOrder>, others: &Others) {
    let twins = Twins::default();
    while let Ok(first) = work.recv() {
        let mut changed = Vec::new();
        for order in std::iter::once(first).chain(work.try_iter()).take(GROUP) {
            match order {
                ShelfOrder::Prepare { intake, same } => prepare(disk, others, *intake, &same, &twins),
                ShelfOrder::Share { file, stamp, digest, same } => {
                    if let Err(why) = twins.share(disk, &file, stamp, digest, &same) {
                        log::debug!("two files of the cloud keep their own space: {why}");
                    }
                }
                ShelfOrder::Discard { part } => {
                    let _ = others.write.send(Write::Discard(part));
                }
                ShelfOrder::Remove { file, stamp } => changed.extend(remove(disk, others, &file, stamp)),
                ShelfOrder::RemoveAll { scope } => remove_all(disk, scope),
            }
        }
        // A removed file does not come back after the plug was pulled.
        changed.dedup_by(|one, other| one.0 == other.0);
        for (path, folder) in changed {
            if let Err(why) = folder.sync() {
                log::warn!("cannot sync a folder of the cloud after a removal from {path:?}: {why}");
            }
        }
    }
}

fn prepare(disk: &Disk, others: &Others, intake: Intake, same: &[(FileKey, Stamp)], twins: &Twins) {
    let upload = intake.upload;
    for (file, stamp) in same {
        match twins.for_upload(disk, &intake, file, *stamp) {
            Ok(Some(ready)) => {
                let _ = others.finish.send(Finish::Ready(Box::new(ready)));
                return;
            }
            Ok(None) => {
                let _ = others.look.try_send(Look::File(file.clone()));
            }
            // No links here, or no right to make one: then the bytes are sent.
            Err(why) => log::debug!("cannot link a file of the cloud: {why}"),
        }
    }
    let fact = match offset(disk, &intake) {
        Ok(offset) if has_room(disk, &intake, offset) => ShelfFact::Prepared { upload, offset },
        Ok(_) => ShelfFact::Failed { upload, fault: Fault::DiskFull },
        Err(why) => ShelfFact::Failed { upload, fault: fault_of(&why) },
    };
    disk.tell(fact);
}

/// Whether the rest of an upload fits, beside those that are under way.
fn has_room(disk: &Disk, intake: &Intake, offset: u64) -> bool {
    let missing = intake.size.unwrap_or(0).saturating_sub(offset);
    // Small ones are not worth adding up the others; there are many of them.
    let others = if is_small(intake, offset) { 0 } else { disk.streams.announced(&intake.part) };
    disk.tree.has_room(missing.saturating_add(others))
}

/// How much of an upload is there already. Small ones come whole, always.
fn offset(disk: &Disk, intake: &Intake) -> io::Result<u64> {
    if is_small(intake, 0) {
        return Ok(0);
    }
    let there = disk.tree.part_size(&intake.part)?;
    Ok(if there <= intake.size.unwrap_or(u64::MAX).min(intake.at_most) { there } else { 0 })
}

/// Removes a file that is still what it was. Returns its folder, to be synced.
fn remove(disk: &Disk, others: &Others, file: &FileKey, stamp: Stamp) -> Option<(String, Folder)> {
    let _changing = disk.tree.changing();
    disk.known().remove(file);
    let look_again = || others.look.try_send(Look::File(file.clone()));
    let folder = disk.tree.folder_of(file).ok()?;
    match folder.stamp(file.name.last()) {
        Ok(looks) if looks == stamp => {}
        Ok(_) => {
            // It is another file by now, put there by the host.
            let _ = look_again();
            return None;
        }
        Err(_) => return None,
    }
    if let Err(why) = folder.remove(file.name.last()) {
        log::error!("cannot remove {:?} from the cloud's folder: {why}", file.name.as_str());
        let _ = look_again();
        return None;
    }
    disk.tree.remove_empty(file);
    Some((format!("{}/{}", scope_path(file.scope), file.name.folder()), folder))
}

/// Removes all that a group or a pair had.
fn remove_all(disk: &Disk, scope: Scope) {
    if scope == Scope::Public {
        return log::error!("the rules ordered to remove the whole public cloud, which is not done");
    }
    let _changing = disk.tree.changing();
    disk.known().remove_all(scope);
    let path = scope_path(scope);
    let Some((above, name)) = path.rsplit_once('/') else { return };
    let removed = disk.tree.top().below(above).and_then(|above| {
        empty(&above.below(name)?, DEEP)?;
        above.remove_folder(name)?;
        above.sync()
    });
    match removed {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            log::error!("cannot remove {path} from the cloud's folder: {why}");
        }
        _ => {}
    }
}

/// Removes what is in a folder. Links go, what they point to stays.
fn empty(folder: &Folder, deep: usize) -> io::Result<()> {
    let mut entries = Vec::new();
    folder.list(|entry| entries.push(entry))?;
    for entry in entries {
        // What is no text was not put there by us; the folder stays with it.
        let Some(name) = entry.name.to_str() else { continue };
        if entry.kind != Kind::Folder {
            folder.remove(name)?;
        } else if deep > 0 {
            empty(&folder.below(name)?, deep - 1)?;
            folder.remove_folder(name)?;
        }
    }
    Ok(())
}
