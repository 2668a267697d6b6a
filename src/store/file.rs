//! Files of the cloud as the rules and the store know them: names, sizes, digests; never bytes or paths.

use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;
use crate::wire::media::Media;

use super::record::{AccountId, GroupId};

/// Who sees a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Everybody.
    Public,
    /// The members of a group.
    Group(GroupId),
    /// Two accounts, the smaller number first: who sent it and who gets it. [`Scope::pair`] makes it.
    Pair(AccountId, AccountId),
}

impl Scope {
    /// What two accounts share, whichever of them sends.
    pub fn pair(one: AccountId, other: AccountId) -> Scope {
        Scope::Pair(one.min(other), one.max(other))
    }

    /// The text under which it is filed: `*`, `&1000`, or `=1000 1001`.
    pub fn filed_as(self) -> String {
        match self {
            Scope::Public => "*".into(),
            Scope::Group(id) => format!("&{}", id.0),
            Scope::Pair(one, other) => format!("={} {}", one.0, other.0),
        }
    }

    /// The scope that is filed under this text.
    pub fn of_filed(text: &str) -> Option<Scope> {
        if text == "*" {
            return Some(Scope::Public);
        }
        if let Some(id) = text.strip_prefix('&') {
            return Some(Scope::Group(GroupId(id.parse().ok()?)));
        }
        let (one, other) = text.strip_prefix('=')?.split_once(' ')?;
        Some(Scope::pair(AccountId(one.parse().ok()?), AccountId(other.parse().ok()?)))
    }
}

/// Which file: a name is given once in its scope.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileKey {
    /// Who sees it.
    pub scope: Scope,
    /// What it is called.
    pub name: FileName,
}

/// By what a file on the disk is known not to have changed since its digest was computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Last modification, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// The number of the file on its file system; 0 where there is none (Windows).
    pub inode: u64,
}

/// A whole, verified file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileEntry {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// When it was stored, milliseconds since 1970.
    pub stored_ms: u64,
    /// The name of who brought it, as it was then; `None` for what the host put there.
    pub uploader: Option<Box<str>>,
    /// The uploader's account, whose quota it takes; `None` for guests and the host.
    pub account: Option<AccountId>,
    /// What is in it.
    pub media: Media,
    /// What it looked like on the disk; its size is here.
    pub stamp: Stamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_found_again_by_what_it_is_filed_as() {
        for scope in [Scope::Public, Scope::Group(GroupId(1000)), Scope::pair(AccountId(1002), AccountId(1001))] {
            assert_eq!(Scope::of_filed(&scope.filed_as()), Some(scope));
        }
        assert_eq!(Scope::pair(AccountId(2), AccountId(1)), Scope::Pair(AccountId(1), AccountId(2)));
        for wrong in ["", "&", "&x", "=1", "=1 x", "#lobby", "1000"] {
            assert_eq!(Scope::of_filed(wrong), None, "{wrong}");
        }
    }
}
