//! What somebody wants who came by HTTP, and what the rules answer: plain data, without heads, without bytes.

use std::net::IpAddr;

use crate::chat::Secret;
use crate::store::file::{FileKey, Stamp};
use crate::wire::digest::Digest;
use crate::wire::media::Media;

use super::order::Intake;

/// One request. Never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WebId(pub u64);

/// A request that the rules have to decide.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebRequest {
    /// Where from.
    pub address: IpAddr,
    /// Nobody on the way can read it: TLS.
    pub is_secure: bool,
    /// Account (name or number) and password, when they were given (`Authorization: Basic`).
    pub login: Option<(Box<str>, Secret)>,
    /// What is wanted.
    pub wish: WebWish,
}

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WebWish {
    /// `GET /cloud/…/`: the files in a folder, and below it; `""` is all of the public cloud.
    List {
        /// The folder, without `/` at its ends.
        folder: Box<str>,
    },
    /// `GET` or `HEAD /cloud/NAME`.
    Get {
        /// The decoded name.
        name: Box<str>,
    },
    /// `PUT /cloud/NAME`, `POST /upload`.
    Put {
        /// The decoded name.
        name: Box<str>,
        /// `Content-Length`.
        size: Option<u64>,
        /// `Repr-Digest`, or what a sender said by other means.
        digest: Option<Digest>,
        /// `If-Match`: the content that may be replaced, by those who may remove it.
        replaces: Option<Digest>,
        /// Where the name is taken, another is found (`a (2).zip`) instead of a refusal. `POST /upload` wants that.
        may_rename: bool,
    },
    /// `DELETE /cloud/NAME`.
    Remove {
        /// The decoded name.
        name: Box<str>,
    },
    /// `GET`, `HEAD` or `PATCH /t/TOKEN`.
    Redeem {
        /// What stood in the path.
        token: Box<str>,
    },
}

/// What the rules answer. `Receive` is followed by a second answer, all others are the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WebReply {
    /// The files, sorted by name.
    Listing(Vec<Listed>),
    /// It is no file but a folder: what is in it is listed under the same name with a `/` behind it.
    Folder,
    /// Here is a file to be sent.
    Send(Box<Outgoing>),
    /// Bytes may come; when they are whole, or not, the second answer follows.
    Receive(Box<Intake>),
    /// It is stored, synced and in the index.
    Stored {
        /// Which.
        file: FileKey,
        /// Its digest.
        digest: Digest,
        /// It was not there before under this name with this content.
        is_new: bool,
    },
    /// It is removed.
    Removed,
    /// No.
    Refused {
        /// The HTTP status.
        status: u16,
        /// One clear sentence.
        sentence: Box<str>,
        /// `Upload-Offset`, with 409.
        offset: Option<u64>,
    },
}

/// A file on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// Which.
    pub file: FileKey,
    /// Its SHA-256, which is its `ETag` too.
    pub digest: Digest,
    /// When it was stored, milliseconds since 1970 (`Last-Modified`).
    pub stored_ms: u64,
    /// What is in it (`Content-Type`).
    pub media: Media,
    /// What it looked like on the disk; its size is here. When it looks different, it must not be sent under this digest.
    pub stamp: Stamp,
}

/// A line of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name, with its folders.
    pub name: Box<str>,
    /// Bytes.
    pub size: u64,
    /// Its SHA-256.
    pub digest: Digest,
    /// When it was stored, milliseconds since 1970.
    pub stored_ms: u64,
    /// Who brought it; `None` for the host.
    pub uploader: Option<Box<str>>,
    /// What is in it.
    pub media: Media,
}
