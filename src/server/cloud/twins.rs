//! The same content under two names takes its space once: shared blocks where the disk can, else two names for one file.

use std::cell::Cell;
use std::io;

use super::disk::Disk;
use super::finishing::{Ready, look_at};
use super::folder::{share_blocks, stamp_of};
use super::known::Item;
use super::stream::Stream;
use crate::chat::shelf::order::{FoundFile, Intake, ShelfFact};
use crate::store::file::{FileKey, Stamp};
use crate::wire::digest::Digest;
use crate::wire::media::Media;

/// How parts begin that are links. They never stay.
pub const LINK: &str = "link.";

/// Makes twins of files, in the way that the disk can.
pub struct Twins {
    shares_blocks: Cell<bool>,
}

impl Default for Twins {
    fn default() -> Twins {
        Twins { shares_blocks: Cell::new(true) }
    }
}

impl Twins {
    /// An upload that needs no bytes, because `file` holds its content. `None` when that is not what it was.
    pub fn for_upload(&self, disk: &Disk, intake: &Intake, file: &FileKey, stamp: Stamp) -> io::Result<Option<Ready>> {
        let Some(digest) = intake.digest else { return Ok(None) };
        let part = format!("{LINK}{}", intake.upload.0);
        let Some((media, stamp)) = self.make(disk, &part, file, stamp)? else { return Ok(None) };
        let stream = Stream::alone(Intake { part: part.into(), ..intake.clone() });
        Ok(Some(Ready { stream, digest, media, stamp, was_there: false }))
    }

    /// Puts a twin of another file in the place of one that came whole before anybody knew what it was. The rules learn what it looks like now.
    pub fn share(
        &self,
        disk: &Disk,
        file: &FileKey,
        stamp: Stamp,
        digest: Digest,
        same: &(FileKey, Stamp),
    ) -> io::Result<()> {
        let part = format!("{LINK}{digest}");
        let Some((media, new_stamp)) = self.make(disk, &part, &same.0, same.1)? else { return Ok(()) };
        let changing = disk.tree.changing();
        let folder = disk.tree.folder_of(file)?;
        let is_wanted = new_stamp.inode != stamp.inode && folder.stamp(file.name.last())? == stamp;
        let placed = if is_wanted { disk.tree.parts().rename(&part, &folder, file.name.last(), true) } else { Ok(()) };
        if is_wanted && placed.is_ok() {
            disk.known().insert(file, Item { stamp: new_stamp, digest: Some(digest) });
        }
        drop(changing);
        // Of two names for one file a rename leaves both.
        disk.tree.remove_part(&part);
        placed?;
        if is_wanted {
            disk.tell(ShelfFact::Found(vec![FoundFile { file: file.clone(), digest, media, stamp: new_stamp }]));
        }
        Ok(())
    }

    /// Makes a part of a file. `None` when that is not what it was.
    fn make(&self, disk: &Disk, part: &str, file: &FileKey, stamp: Stamp) -> io::Result<Option<(Media, Stamp)>> {
        let Ok((from, looks)) = disk.tree.open_file(file) else { return Ok(None) };
        if looks != stamp {
            return Ok(None);
        }
        disk.tree.remove_part(part);
        let is_shared = self.shares_blocks.get() && {
            let shared = disk.tree.create_part(part, true).and_then(|to| share_blocks(&from, &to));
            if shared.is_err() {
                // It is one file system, and does not learn it.
                self.shares_blocks.set(false);
                disk.tree.remove_part(part);
            }
            shared.is_ok()
        };
        if !is_shared {
            disk.tree.folder_of(file)?.link(file.name.last(), disk.tree.parts(), part)?;
        }
        let linked = disk.tree.parts().open(part)?;
        let (media, new_stamp) = look_at(&linked)?;
        // Between the look and the link somebody may have changed it, or put another in its place.
        let is_same = if is_shared { stamp_of(&from.metadata()?) == stamp } else { new_stamp == stamp };
        if !is_same {
            disk.tree.remove_part(part);
        }
        Ok(is_same.then_some((media, new_stamp)))
    }
}
