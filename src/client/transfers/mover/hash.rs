//! The digests of files here.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use async_channel::Sender;
use sha2::{Digest as _, Sha256};

use super::{PIECE_BYTES, Stopped};
use crate::client::transfers::Why;
use crate::client::transfers::queue::{Fact, Hashed, Stamp};
use crate::wire::digest::Digest;

/// Computes the digests of some files, one after another. Blocks.
pub(super) fn all(paths: &[(u64, PathBuf)], facts: &Sender<Fact>, stopped: &Stopped) {
    let mut buffer = vec![0; PIECE_BYTES];
    for (key, path) in paths {
        let tell = |done| !stopped.has(*key) && facts.try_send(Fact::Moved { key: *key, done }).is_ok();
        match one(path, &mut buffer, tell) {
            Ok(Some(result)) => drop(facts.try_send(Fact::Hashed { key: *key, result })),
            Ok(None) => {}
            Err(why) => {
                let result = Err(Why::Here(path.clone(), why.to_string().into()));
                drop(facts.try_send(Fact::Hashed { key: *key, result }));
            }
        }
    }
}

/// The digest of one file; `None` when nobody wants it any more, which `tell` says.
fn one(path: &Path, buffer: &mut [u8], tell: impl Fn(u64) -> bool) -> io::Result<Option<Result<Hashed, Why>>> {
    let mut file = File::open(path)?;
    let stamp = stamp(&file.metadata()?);
    let mut hasher = Sha256::new();
    let mut done = 0;
    loop {
        let count = file.read(buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        done += count as u64;
        if count == buffer.len() && !tell(done) {
            return Ok(None);
        }
    }
    if done != stamp.size || self::stamp(&file.metadata()?) != stamp {
        return Ok(Some(Err(Why::Changed)));
    }
    Ok(Some(Ok(Hashed { digest: Digest(hasher.finalize().into()), stamp })))
}

/// By what a file is known not to have changed.
pub(super) fn stamp(file: &Metadata) -> Stamp {
    let modified = file.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Stamp { size: file.len(), modified_ns: modified.map_or(0, |since| since.as_nanos()) }
}

/// Takes the first `bytes` bytes of a file into a digest. Fails when there are fewer.
pub(super) fn beginning(file: &mut File, bytes: u64, hasher: &mut Sha256) -> io::Result<()> {
    let mut buffer = vec![0; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = file.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hasher.update(&buffer[..count]);
        left -= count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_gets_its_own_answer() {
        let folder = tempfile::tempdir().unwrap();
        let (there, gone) = (folder.path().join("there"), folder.path().join("gone"));
        std::fs::write(&there, vec![7; PIECE_BYTES * 2 + 1]).unwrap();
        let (facts, told) = async_channel::unbounded();
        all(&[(1, gone.clone()), (2, there)], &facts, &Stopped::default());
        let Ok(Fact::Hashed { key: 1, result: Err(Why::Here(path, _)) }) = told.try_recv() else { panic!() };
        assert_eq!(path, gone);
        let steps = [PIECE_BYTES as u64, 2 * PIECE_BYTES as u64];
        assert!(steps.iter().all(|done| told.try_recv() == Ok(Fact::Moved { key: 2, done: *done })));
        let Ok(Fact::Hashed { key: 2, result: Ok(hashed) }) = told.try_recv() else { panic!() };
        let digest = Sha256::digest(vec![7; PIECE_BYTES * 2 + 1]);
        assert_eq!((hashed.digest.0.as_slice(), hashed.stamp.size), (digest.as_slice(), PIECE_BYTES as u64 * 2 + 1));
    }

    #[test]
    fn what_nobody_wants_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, vec![7; PIECE_BYTES * 2]).unwrap();
        let (facts, told) = async_channel::unbounded();
        let stopped = Stopped::default();
        stopped.stop(1);
        all(&[(1, path)], &facts, &stopped);
        assert!(told.is_empty());
    }
}
