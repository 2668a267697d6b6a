//! What the shelf orders from the disk, and what the disk tells the shelf: plain data, known to both sides.

use crate::store::file::{FileKey, Scope, Stamp};
use crate::wire::digest::Digest;
use crate::wire::media::Media;

/// One upload, from its offer to its end. Never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UploadId(pub u64);

/// All that the disk needs to know of an upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intake {
    /// Which.
    pub upload: UploadId,
    /// What it will be called.
    pub to: FileKey,
    /// What its bytes are called while they are not whole: a file name in `.part/`, the same for the same content of the same sender.
    pub part: Box<str>,
    /// How many bytes there will be; `None` when the sender cannot say (chunked HTTP).
    pub size: Option<u64>,
    /// Their SHA-256; `None` when the sender does not know it before.
    pub digest: Option<Digest>,
    /// No more bytes than this are taken (the largest file, or what is left of a quota).
    pub at_most: u64,
    /// The content under that name that may be replaced; any other that is there stays, and the upload fails.
    pub replaces: Option<Digest>,
    /// Whether what is there stays for a day when the upload breaks off.
    pub resumable: bool,
}

/// An order to the disk. None of them is waited for; facts come back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShelfOrder {
    /// Look what is there of an upload. Where the same content is there already, under one of these names, link it instead: then the answer is `Stored`.
    /// Answers: `Prepared`, `Stored` or `Failed`.
    Prepare {
        /// The upload.
        intake: Box<Intake>,
        /// Files that should hold the same content, with what they looked like when that was so.
        same: Vec<(FileKey, Stamp)>,
    },
    /// Let a file that just came take no space of its own: another one has the same content. `Found` says what it looks like then, if that could be done.
    Share {
        /// The one that came.
        file: FileKey,
        /// What it looks like.
        stamp: Stamp,
        /// What both hold.
        digest: Digest,
        /// The other one, with what it looked like.
        same: (FileKey, Stamp),
    },
    /// Forget an upload and its bytes.
    Discard {
        /// Its [`Intake::part`].
        part: Box<str>,
    },
    /// Remove a file, if it still holds this.
    Remove {
        /// Which.
        file: FileKey,
        /// What it looked like.
        stamp: Stamp,
    },
    /// Remove everything of a group or a pair.
    RemoveAll {
        /// Whose.
        scope: Scope,
    },
}

/// What the disk tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShelfFact {
    /// There is room, and so many bytes of the upload are there already.
    Prepared {
        /// The upload.
        upload: UploadId,
        /// Bytes.
        offset: u64,
    },
    /// These are whole, verified, on the disk and synced, under their names. They were synced together.
    Stored(Vec<StoredFile>),
    /// The upload will not be a file. What there was of it is gone, unless the fault says otherwise.
    Failed {
        /// The upload.
        upload: UploadId,
        /// Why.
        fault: Fault,
    },
    /// The sender's link broke; so many bytes of the upload stay for a day (none, when it was not resumable).
    Paused {
        /// The upload.
        upload: UploadId,
        /// Bytes.
        offset: u64,
    },
    /// Files that were put there by hand, or changed by hand, with their digests. Sent in batches.
    Found(Vec<FoundFile>),
    /// Files that were there and are not any more.
    Lost(Vec<FileKey>),
    /// How the machine is reached from the network: `http://192.0.2.1:510`, without a slash at the end.
    Reachable(Box<str>),
}

/// A file that was just stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredFile {
    /// The upload that it was.
    pub upload: UploadId,
    /// The SHA-256 of its bytes, computed here.
    pub digest: Digest,
    /// What is in it.
    pub media: Media,
    /// What it looks like on the disk.
    pub stamp: Stamp,
}

/// A file that was not brought by an upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundFile {
    /// Which.
    pub file: FileKey,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// What is in it.
    pub media: Media,
    /// What it looks like on the disk.
    pub stamp: Stamp,
}

/// Why an upload did not become a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The bytes are not those that were announced; they are gone.
    DigestMismatch,
    /// More bytes than announced or allowed.
    TooLarge,
    /// The disk is full. What came is gone, so that others find room.
    DiskFull,
    /// Another content has the name by now.
    NameTaken,
    /// The bytes begin at the wrong place; here is the right one.
    WrongOffset(u64),
    /// Another connection has taken the upload over.
    Superseded,
    /// The system refused, in its words.
    Io(Box<str>),
}
