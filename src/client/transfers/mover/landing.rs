//! How bytes from the server become a file here: beside its place first, whole and verified before it gets its name, and never over another file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::hash;
use crate::client::transfers::queue::{Download, End};
use crate::wire::digest::Digest;
use crate::wire::file_name::{FILE_NAME_BYTES, FileName};

/// Names that are tried for one file (`a (99).zip`). Whoever fetches so many different files of one name has another problem.
const NAMES: u32 = 99;

/// A file that is on its way here.
#[derive(Debug)]
pub(super) struct Landing {
    folder: PathBuf,
    name: FileName,
    part: PathBuf,
    file: File,
    hasher: Sha256,
    /// Bytes that are there.
    pub(super) done: u64,
    size: u64,
    digest: Digest,
}

/// What there is to be done for a file.
#[derive(Debug)]
pub(super) enum Prepared {
    /// It was here before.
    Here(PathBuf),
    /// The rest has to come.
    Coming(Box<Landing>),
}

impl Landing {
    /// Looks what is here of a file, and makes a place for the rest. Blocks.
    pub(super) fn prepare(downloads: &Path, download: &Download) -> Result<Prepared, End> {
        let folder = downloads.join(download.name.folder());
        let here = |path: &Path, why: io::Error| End::Here(path.to_owned(), why.to_string().into());
        fs::create_dir_all(&folder).map_err(|why| here(&folder, why))?;
        let part = folder.join(part_name(&download.name, &download.digest));
        if let Some(path) = find_same(downloads, download) {
            // An earlier try that was not needed in the end.
            let _ = fs::remove_file(&part);
            return Ok(Prepared::Here(path));
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&part)
            .map_err(|why| here(&part, why))?;
        match file.try_lock() {
            // Another client of this user is fetching it. It will be here soon, or be given up.
            Err(TryLockError::WouldBlock) => return Err(End::Busy),
            // Some folders in a network know no locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let mut hasher = Sha256::new();
        let done = begun(&mut file, download.size, &mut hasher).map_err(|why| here(&part, why))?;
        let (name, size, digest) = (download.name.clone(), download.size, download.digest);
        let landing = Landing { folder: downloads.to_owned(), name, part, file, hasher, done, size, digest };
        Ok(Prepared::Coming(Box::new(landing)))
    }

    /// Whether all bytes are there.
    pub(super) fn is_whole(&self) -> bool {
        self.done == self.size
    }

    /// How many bytes there will be.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes are not there yet.
    pub(super) fn left(&self) -> u64 {
        self.size - self.done
    }

    /// Forgets what is there, because the server begins from the beginning. Blocks.
    pub(super) fn begin_again(&mut self) -> Result<(), End> {
        (self.hasher, self.done) = (Sha256::new(), 0);
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map(drop).map_err(|why| self.fault(why))
    }

    /// Takes the next bytes. Blocks.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.file.write_all(bytes).map_err(|why| self.fault(why))?;
        self.hasher.update(bytes);
        self.done += bytes.len() as u64;
        Ok(())
    }

    /// Verifies it, brings it safely to the disk, and gives it its name. Blocks.
    pub(super) fn land(self) -> End {
        if !self.is_whole() || Digest(self.hasher.clone().finalize().into()) != self.digest {
            let part = self.part.clone();
            drop(self);
            let _ = fs::remove_file(part);
            return End::Mismatch;
        }
        if let Err(why) = self.file.sync_all() {
            return self.fault(why);
        }
        for number in 1..=NAMES {
            let target = target(&self.folder, &self.name, number);
            match give_name(&self.part, &target) {
                Ok(()) => {
                    sync_folder(&target);
                    return End::Fetched { path: target, at_once: false };
                }
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
                Err(why) => return self.fault(why),
            }
        }
        self.fault(io::ErrorKind::AlreadyExists.into())
    }

    fn fault(&self, why: io::Error) -> End {
        End::Here(self.part.clone(), why.to_string().into())
    }
}

/// What a file is called while it is not whole.
fn part_name(name: &FileName, digest: &Digest) -> String {
    let tail = format!(".{}.part", &digest.to_string()[..16]);
    let last = name.last();
    format!(".{}{tail}", &last[..last.floor_char_boundary(FILE_NAME_BYTES - tail.len() - 1)])
}

fn target(downloads: &Path, name: &FileName, number: u32) -> PathBuf {
    if number == 1 { downloads.join(name.as_str()) } else { downloads.join(name.numbered(number).as_str()) }
}

/// A file of this name, perhaps with a number, that holds the same.
fn find_same(downloads: &Path, download: &Download) -> Option<PathBuf> {
    let names = (1..=NAMES).map(|number| target(downloads, &download.name, number));
    let mut there = names.map_while(|path| fs::symlink_metadata(&path).ok().map(|file| (path, file)));
    there.find_map(|(path, file)| {
        let is_same = || {
            let mut hasher = Sha256::new();
            hash::beginning(&mut File::open(&path).ok()?, download.size, &mut hasher).ok()?;
            (Digest(hasher.finalize().into()) == download.digest).then_some(())
        };
        (file.is_file() && file.len() == download.size && is_same().is_some()).then_some(path)
    })
}

/// Takes what there is of a file into the digest; says how much that is. More than all of it is nothing of it.
fn begun(file: &mut File, size: u64, hasher: &mut Sha256) -> io::Result<u64> {
    let there = file.metadata()?.len();
    if there > size {
        file.set_len(0)?;
        return Ok(0);
    }
    hash::beginning(file, there, hasher)?;
    Ok(there)
}

/// Gives a file its name, unless something else has it.
fn give_name(part: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(part, target) {
        Ok(()) => fs::remove_file(part),
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Err(why),
        // A file system without second names, as on most USB sticks: whoever makes the file has the name.
        Err(_) => {
            OpenOptions::new().write(true).create_new(true).open(target)?;
            fs::rename(part, target).inspect_err(|_| drop(fs::remove_file(target)))
        }
    }
}

/// A name is safe when its folder is. Where folders cannot be synced, the system does it soon.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(name: &str, bytes: &[u8]) -> Download {
        let digest = Digest(Sha256::digest(bytes).into());
        let name = FileName::parse(name).unwrap();
        Download { key: 1, name, token: "t".into(), size: bytes.len() as u64, digest }
    }

    fn coming(folder: &Path, download: &Download) -> Landing {
        match Landing::prepare(folder, download) {
            Ok(Prepared::Coming(landing)) => *landing,
            other => panic!("{other:?}"),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_goes_on_where_it_stopped_and_gets_its_name_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = download("周/作业.zip", b"hello world");
        coming(folder.path(), &wanted).take(b"hello ").unwrap();
        let inside = folder.path().join("周");
        assert_eq!(names(&inside), [format!(".作业.zip.{}.part", &wanted.digest.to_string()[..16])]);
        let mut landing = coming(folder.path(), &wanted);
        assert_eq!((landing.done, landing.is_whole()), (6, false));
        landing.take(b"world").unwrap();
        let path = inside.join("作业.zip");
        assert_eq!(landing.land(), End::Fetched { path: path.clone(), at_once: false });
        assert_eq!((fs::read(&path).unwrap().as_slice(), names(&inside).len()), (&b"hello world"[..], 1));
        let again = Landing::prepare(folder.path(), &wanted);
        assert!(matches!(again, Ok(Prepared::Here(there)) if there == path));
    }

    #[test]
    fn nothing_that_is_here_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.zip"), "mine").unwrap();
        fs::create_dir(folder.path().join("a (2).zip")).unwrap();
        let wanted = download("a.zip", b"yours");
        let mut landing = coming(folder.path(), &wanted);
        landing.take(b"yours").unwrap();
        assert!(matches!(landing.land(), End::Fetched { path, .. } if path.ends_with("a (3).zip")));
        assert_eq!(fs::read(folder.path().join("a.zip")).unwrap(), b"mine");
        let again = Landing::prepare(folder.path(), &wanted);
        assert!(matches!(again, Ok(Prepared::Here(path)) if path.ends_with("a (3).zip")));
    }

    #[test]
    fn wrong_bytes_are_gone_and_too_many_begin_again() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = download("a", b"right");
        let mut landing = coming(folder.path(), &wanted);
        landing.take(b"wrong").unwrap();
        assert_eq!(landing.land(), End::Mismatch);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        fs::write(folder.path().join(part_name(&wanted.name, &wanted.digest)), "much too much").unwrap();
        let mut landing = coming(folder.path(), &wanted);
        landing.take(b"ri").unwrap();
        landing.begin_again().unwrap();
        landing.take(b"right").unwrap();
        assert!(matches!(landing.land(), End::Fetched { .. }));
    }

    #[test]
    fn one_file_is_fetched_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = download("a", b"right");
        let first = coming(folder.path(), &wanted);
        assert!(matches!(Landing::prepare(folder.path(), &wanted), Err(End::Busy)));
        drop(first);
        coming(folder.path(), &wanted);
    }

    #[test]
    fn the_longest_name_has_room_for_its_part_and_a_folder_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let long = download(&"阳".repeat(85), b"x");
        let mut landing = coming(folder.path(), &long);
        landing.take(b"x").unwrap();
        assert!(matches!(landing.land(), End::Fetched { .. }));
        fs::write(folder.path().join("file"), "").unwrap();
        let below = Landing::prepare(folder.path(), &download("file/a", b"x"));
        assert!(matches!(below, Err(End::Here(path, _)) if path.ends_with("file")), "a file is no folder");
    }
}
