//! Which files there are: by name in their scope, by folder, by content; and how much each account brought.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use crate::store::file::{FileEntry, FileKey, Scope};
use crate::store::record::AccountId;
use crate::wire::digest::Digest;
use crate::wire::file_name::FileName;
use crate::wire::msgid::MsgId;

use super::super::ConnId;

/// Whose quota a file takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Owner {
    /// An account's.
    Account(AccountId),
    /// All guests share one.
    Guests,
}

/// A file on the shelf.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// What the store keeps of it.
    pub entry: FileEntry,
    /// Under which id that was handed over; 0 for what was there at the start.
    pub recorded: MsgId,
    /// The session that brought it, as long as that is here: guests have no other name.
    pub by: Option<ConnId>,
}

impl Shelved {
    /// What was there at the start.
    pub fn kept(entry: FileEntry) -> Shelved {
        Shelved { entry, recorded: MsgId(0), by: None }
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.entry.stamp.size
    }

    /// Whose quota it takes; `None` for what the host put there.
    pub fn owner(&self) -> Option<Owner> {
        let brought = self.entry.uploader.as_ref().map(|_| Owner::Guests);
        self.entry.account.map(Owner::Account).or(brought)
    }
}

/// Files with one content. Most contents are there once.
#[derive(Debug)]
enum Same {
    One(FileKey),
    Many(BTreeSet<FileKey>),
}

/// All files. Every look is a search in a tree or a table; nothing walks over all of them but a listing.
#[derive(Default, Debug)]
pub struct Index {
    scopes: BTreeMap<Scope, BTreeMap<FileName, Shelved>>,
    by_digest: HashMap<Digest, Same>,
    bytes: HashMap<Owner, u64>,
    bytes_in_all: u64,
    count: usize,
}

impl Index {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// A file by its name.
    pub fn get(&self, key: &FileKey) -> Option<&Shelved> {
        self.scopes.get(&key.scope)?.get(&key.name)
    }

    /// Puts a file on the shelf; gives what was there under that name.
    pub fn put(&mut self, key: FileKey, file: Shelved) -> Option<Shelved> {
        let before = self.take(&key);
        self.weigh_in(&file, true);
        match self.by_digest.entry(file.entry.digest) {
            std::collections::hash_map::Entry::Vacant(free) => drop(free.insert(Same::One(key.clone()))),
            std::collections::hash_map::Entry::Occupied(mut there) => there.get_mut().add(key.clone()),
        }
        self.scopes.entry(key.scope).or_default().insert(key.name, file);
        before
    }

    /// Takes a file off the shelf.
    pub fn take(&mut self, key: &FileKey) -> Option<Shelved> {
        let files = self.scopes.get_mut(&key.scope)?;
        let file = files.remove(&key.name)?;
        if files.is_empty() {
            self.scopes.remove(&key.scope);
        }
        self.weigh_in(&file, false);
        let is_last = self.by_digest.get_mut(&file.entry.digest).is_some_and(|same| same.drop(key));
        if is_last {
            self.by_digest.remove(&file.entry.digest);
        }
        Some(file)
    }

    /// Takes everything of a scope off the shelf.
    pub fn clear(&mut self, scope: Scope) {
        for key in self.keys_of(scope) {
            self.take(&key);
        }
    }

    /// Every scope that has a file.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.scopes.keys().copied()
    }

    /// Every file of a scope.
    pub fn keys_of(&self, scope: Scope) -> Vec<FileKey> {
        let names = self.scopes.get(&scope).into_iter().flat_map(BTreeMap::keys);
        names.map(|name| FileKey { scope, name: name.clone() }).collect()
    }

    /// The files of a scope whose names begin with `prefix`, sorted; only those behind `after`, where it is given.
    pub fn beginning_with<'a>(
        &'a self,
        scope: Scope,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a FileName, &'a Shelved)> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let files = self.scopes.get(&scope).map(|files| files.range::<str, _>((from, Bound::Unbounded)));
        files.into_iter().flatten().take_while(move |(name, _)| name.as_str().starts_with(prefix))
    }

    /// Files with this content, at most `limit`.
    pub fn same(&self, digest: &Digest, limit: usize) -> impl Iterator<Item = (&FileKey, &Shelved)> {
        let (one, many) = match self.by_digest.get(digest) {
            None => (None, None),
            Some(Same::One(key)) => (Some(key), None),
            Some(Same::Many(keys)) => (None, Some(keys)),
        };
        let keys = one.into_iter().chain(many.into_iter().flatten()).take(limit);
        keys.filter_map(|key| Some((key, self.get(key)?)))
    }

    /// Whether a name cannot be given beside what is there: one of its folders is a file, or it is a folder itself.
    pub fn is_in_the_way(&self, key: &FileKey) -> bool {
        let Some(files) = self.scopes.get(&key.scope) else { return false };
        let name = key.name.as_str();
        let has_file_for_folder = name.match_indices('/').any(|(at, _)| files.contains_key(&name[..at]));
        let folder = format!("{name}/");
        has_file_for_folder || self.beginning_with(key.scope, &folder, None).next().is_some()
    }

    /// Bytes that somebody brought.
    pub fn bytes_of(&self, owner: Owner) -> u64 {
        self.bytes.get(&owner).copied().unwrap_or(0)
    }

    /// Bytes that all brought together. What the host put there is the host's own affair.
    pub fn bytes_in_all(&self) -> u64 {
        self.bytes_in_all
    }

    fn weigh_in(&mut self, file: &Shelved, is_added: bool) {
        let size = file.size();
        let change =
            |bytes: &mut u64| *bytes = if is_added { bytes.saturating_add(size) } else { bytes.saturating_sub(size) };
        self.count = if is_added { self.count + 1 } else { self.count - 1 };
        let Some(owner) = file.owner() else { return };
        change(&mut self.bytes_in_all);
        let bytes = self.bytes.entry(owner).or_default();
        change(bytes);
        if *bytes == 0 {
            self.bytes.remove(&owner);
        }
    }
}

impl Same {
    fn add(&mut self, key: FileKey) {
        if let Same::One(one) = self {
            *self = Same::Many(BTreeSet::from([one.clone()]));
        }
        if let Same::Many(keys) = self {
            keys.insert(key);
        }
    }

    /// Takes one out; true when none is left.
    fn drop(&mut self, key: &FileKey) -> bool {
        match self {
            Same::One(one) => one == key,
            Same::Many(keys) => {
                keys.remove(key);
                keys.is_empty()
            }
        }
    }
}

#[cfg(test)]
impl Index {
    /// Panics when two tables disagree.
    pub fn assert_agrees(&self) {
        let all: Vec<(FileKey, &Shelved)> = self
            .scopes
            .iter()
            .flat_map(|(scope, files)| {
                files.iter().map(|(name, file)| (FileKey { scope: *scope, name: name.clone() }, file))
            })
            .collect();
        assert_eq!(all.len(), self.count);
        let mut bytes: HashMap<Owner, u64> = HashMap::new();
        for (key, file) in &all {
            assert!(
                self.same(&file.entry.digest, usize::MAX).any(|(same, _)| same == key),
                "{key:?} is found by its content"
            );
            if let Some(owner) = file.owner().filter(|_| file.size() > 0) {
                *bytes.entry(owner).or_default() += file.size();
            }
        }
        assert_eq!(bytes.values().sum::<u64>(), self.bytes_in_all);
        assert_eq!(bytes, self.bytes);
        let by_content: usize = self.by_digest.keys().map(|digest| self.same(digest, usize::MAX).count()).sum();
        assert_eq!(by_content, all.len());
        assert!(self.scopes.values().all(|files| !files.is_empty()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::Stamp;
    use crate::wire::media::Media;

    fn key(name: &str) -> FileKey {
        FileKey { scope: Scope::Public, name: FileName::parse(name).unwrap() }
    }

    fn file(content: u8, size: u64, account: Option<u32>) -> Shelved {
        Shelved::kept(FileEntry {
            digest: Digest([content; 32]),
            stored_ms: 0,
            uploader: account.map(|_| "anna".into()),
            account: account.map(AccountId),
            media: Media::Unknown,
            stamp: Stamp { size, ..Stamp::default() },
        })
    }

    fn names(index: &Index, prefix: &str, after: Option<&str>) -> Vec<String> {
        index.beginning_with(Scope::Public, prefix, after).map(|(name, _)| name.as_str().to_owned()).collect()
    }

    #[test]
    fn files_are_found_by_name_folder_and_content_and_counted() {
        let mut index = Index::default();
        for (name, content, size, account) in
            [("b", 1, 10, Some(1000)), ("周/a", 1, 10, Some(1001)), ("周/b", 2, 5, Some(1000)), ("host", 1, 99, None)]
        {
            assert!(index.put(key(name), file(content, size, account)).is_none());
            index.assert_agrees();
        }
        assert_eq!(names(&index, "", None), ["b", "host", "周/a", "周/b"]);
        assert_eq!(names(&index, "周/", None), ["周/a", "周/b"]);
        assert_eq!(names(&index, "周/", Some("周/a")), ["周/b"]);
        assert_eq!(names(&index, "周/", Some("b")), ["周/a", "周/b"], "what is before the folder is before it");
        let same: Vec<&str> = index.same(&Digest([1; 32]), 9).map(|(key, _)| key.name.as_str()).collect();
        assert_eq!(same, ["b", "host", "周/a"]);
        assert_eq!(index.same(&Digest([1; 32]), 2).count(), 2);
        assert_eq!((index.bytes_of(Owner::Account(AccountId(1000))), index.bytes_in_all()), (15, 25));
        let before = index.put(key("b"), file(3, 1, Some(1001)));
        assert_eq!(before.map(|file| file.size()), Some(10));
        index.assert_agrees();
        for name in ["b", "host", "周/a", "周/b"] {
            assert!(index.take(&key(name)).is_some() && index.take(&key(name)).is_none());
            index.assert_agrees();
        }
        assert_eq!((index.count(), index.bytes_in_all()), (0, 0));
    }

    #[test]
    fn a_name_is_a_file_or_a_folder_but_never_both() {
        let mut index = Index::default();
        index.put(key("作业/一/a.zip"), file(1, 1, None));
        for (name, is_in_the_way) in [
            ("作业", true),
            ("作业/一", true),
            ("作业/一/a.zip/x", true),
            ("作业/二", false),
            ("作", false),
            ("作业/一/b", false),
        ] {
            assert_eq!(index.is_in_the_way(&key(name)), is_in_the_way, "{name}");
        }
    }
}
