//! What becomes of bytes: anna and ben bring files, the host changes some by hand, and the plug is pulled.

mod by_hand;
mod names;
mod uploads;

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
/// Looks only when it is asked.
const CALM: Pace = Pace { first: DEADLINE, folders: DEADLINE, files: DEADLINE, still: Duration::from_millis(2) };
/// Looks at the start.
const ONCE: Pace = Pace { first: Duration::ZERO, ..CALM };
/// Looks at everything all the time.
const HASTY: Pace = Pace { folders: Duration::from_millis(5), files: Duration::from_millis(5), ..ONCE };

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
    fn killed(self, known: Vec<(FileKey, Stamp)>, pace: Pace) -> Host {
        std::mem::forget(self.cloud);
        Host::at(self.home, known, pace)
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
