//! Which files do the rules know of, and what did each look like when its digest was computed?

use std::collections::{BTreeMap, HashMap};

use crate::store::file::{FileKey, Scope, Stamp};
use crate::wire::digest::Digest;

/// All files that the index has, by scope, folder and name.
#[derive(Default)]
pub struct Known(HashMap<Scope, Folders>);

type Folders = BTreeMap<Box<str>, Files>;
type Files = HashMap<Box<str>, Item>;

/// What is known of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// What it looked like.
    pub stamp: Stamp,
    /// Its digest, when it was computed since the start. The index has all of them.
    pub digest: Option<Digest>,
}

impl Known {
    /// What the index says at the start.
    pub fn of(files: Vec<(FileKey, Stamp)>) -> Known {
        let mut known = Known::default();
        for (file, stamp) in files {
            known.insert(&file, Item { stamp, digest: None });
        }
        known
    }

    /// A file was stored, or found.
    pub fn insert(&mut self, file: &FileKey, item: Item) {
        let folders = self.0.entry(file.scope).or_default();
        let folder = match folders.get_mut(file.name.folder()) {
            Some(folder) => folder,
            None => folders.entry(file.name.folder().into()).or_default(),
        };
        folder.insert(file.name.last().into(), item);
    }

    /// A file is gone.
    pub fn remove(&mut self, file: &FileKey) -> Option<Item> {
        let folders = self.0.get_mut(&file.scope)?;
        let folder = folders.get_mut(file.name.folder())?;
        let item = folder.remove(file.name.last());
        if folder.is_empty() {
            folders.remove(file.name.folder());
        }
        if folders.is_empty() {
            self.0.remove(&file.scope);
        }
        item
    }

    /// All of a group or pair is gone.
    pub fn remove_all(&mut self, scope: Scope) {
        self.0.remove(&scope);
    }

    /// What is known of a file.
    pub fn find(&self, file: &FileKey) -> Option<Item> {
        self.find_in(file.scope, file.name.folder(), file.name.last())
    }

    /// As [`Known::find`], by the parts of the name.
    pub fn find_in(&self, scope: Scope, folder: &str, last: &str) -> Option<Item> {
        self.0.get(&scope)?.get(folder)?.get(last).copied()
    }

    /// The names in a folder.
    pub fn names_in(&self, scope: Scope, folder: &str) -> impl Iterator<Item = &str> {
        let names = self.0.get(&scope).and_then(|folders| folders.get(folder));
        names.into_iter().flat_map(|names| names.keys()).map(|name| &**name)
    }

    /// The folders that have files.
    pub fn folders(&self) -> impl Iterator<Item = (Scope, &str)> {
        self.0.iter().flat_map(|(scope, folders)| folders.keys().map(|folder| (*scope, &**folder)))
    }
}
