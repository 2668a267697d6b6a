//! What happens to files on their way, and what is ordered about them: plain data, known to the queue and to the mover.

use std::path::PathBuf;

use super::SMALL_BYTES;
use crate::client::transfers::lines::Answer;
use crate::client::transfers::memory::Kept;
use crate::client::transfers::{News, Why, Wish};
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// The user wants something.
    Wished(Wish),
    /// The chat link is there, to a server with or without a cloud.
    In {
        /// It has one.
        has_cloud: bool,
    },
    /// The chat link broke; it may come back.
    Lost,
    /// The chat link will not come back.
    Ended,
    /// The server answered.
    Answered(Answer),
    /// A path was looked at.
    Looked {
        /// For which errand.
        errand: u64,
        /// The files there.
        found: Vec<Found>,
        /// What cannot be moved, and why.
        odd: Vec<(PathBuf, Box<str>)>,
    },
    /// A digest was computed, or could not be.
    Hashed {
        /// Of which file.
        key: u64,
        /// It, or why not.
        result: Result<Hashed, Why>,
    },
    /// So many bytes are hashed or moved.
    Moved {
        /// Of which file.
        key: u64,
        /// From its beginning.
        done: u64,
    },
    /// Moving a file came to an end.
    Came {
        /// Which file.
        key: u64,
        /// To which end.
        end: End,
    },
}

/// A file on this machine that may be brought to the cloud.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What it will be called.
    pub name: FileName,
    /// Bytes.
    pub size: u64,
}

/// What a file held when its digest was computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hashed {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// By what it is known not to have changed since.
    pub stamp: Stamp,
}

/// By what a file here is known not to have changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Last modification, nanoseconds since 1970.
    pub modified_ns: u128,
}

/// How moving a file ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The server has it, verified and safe.
    Stored,
    /// It is here, verified and safe.
    Fetched {
        /// Where.
        path: PathBuf,
        /// It was here before.
        at_once: bool,
    },
    /// The bytes were other ones; they are gone.
    Mismatch,
    /// The file here is not any more what it was.
    Changed,
    /// The connection broke.
    Broken,
    /// The ticket is of no use any more.
    Stale,
    /// The server is busy.
    Busy,
    /// The server said no.
    Refused {
        /// As in a FAIL.
        code: Box<str>,
        /// In the server's words.
        sentence: Box<str>,
    },
    /// Something on this machine is in the way.
    Here(PathBuf, Box<str>),
}

/// What has to be done. None of it is waited for; facts come back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Say a line on the chat link.
    Say {
        /// Its label.
        label: Box<str>,
        /// Without tags.
        line: Box<str>,
    },
    /// Look what is at a path. Answer: `Looked`.
    Look {
        /// For which errand.
        errand: u64,
        /// Where.
        path: PathBuf,
    },
    /// Compute the digests of these. Answers: `Hashed` for each.
    Hash(Vec<(u64, PathBuf)>),
    /// Bring bytes to the server. Answer: `Came`.
    Bring(Upload),
    /// Fetch bytes from the server. Answer: `Came`.
    Fetch(Download),
    /// Do nothing more with a file.
    Stop(u64),
    /// Tell the front end.
    Tell(News),
    /// These are the unfinished errands.
    Keep(Vec<Kept>),
}

/// Bytes to be brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// Of which file.
    pub key: u64,
    /// Where it is.
    pub path: PathBuf,
    /// What it was when it was announced.
    pub stamp: Stamp,
    /// The SHA-256 that was announced.
    pub digest: Digest,
    /// The ticket.
    pub token: Box<str>,
    /// So many bytes are there already.
    pub offset: u64,
}

/// Bytes to be fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Download {
    /// Of which file.
    pub key: u64,
    /// What it is called, below the folder for downloads.
    pub name: FileName,
    /// The ticket.
    pub token: Box<str>,
    /// Bytes.
    pub size: u64,
    /// Their SHA-256.
    pub digest: Digest,
}

impl Upload {
    /// Whether it goes together with others over one connection.
    pub fn is_small(&self) -> bool {
        self.stamp.size <= SMALL_BYTES
    }
}

impl Download {
    /// Whether it comes together with others over one connection.
    pub fn is_small(&self) -> bool {
        self.size <= SMALL_BYTES
    }
}
