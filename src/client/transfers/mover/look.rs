//! Which files are at a path that somebody wants to bring.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::client::transfers::queue::{Fact, Found};
use crate::wire::file_name::FileName;

/// Files that one folder may bring: more at once is a whole disk, named by mistake.
const FILES: usize = 100_000;

/// Looks at a path. Of a folder all files are taken, but for hidden ones and what is neither a file nor a folder (links, sockets).
pub(super) fn at(errand: u64, path: &Path) -> Fact {
    let mut seen = Seen::default();
    match name_of(path) {
        Ok((name, is_folder)) if is_folder => seen.folder(path, &name),
        Ok((name, _)) => seen.file(path, &name),
        Err(why) => seen.odd(path, why),
    }
    Fact::Looked { errand, found: seen.found, odd: seen.odd }
}

#[derive(Default)]
struct Seen {
    found: Vec<Found>,
    odd: Vec<(PathBuf, Box<str>)>,
}

impl Seen {
    fn folder(&mut self, folder: &Path, name: &str) {
        let entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(why) => return self.odd(folder, why.to_string().into()),
        };
        let mut entries: Vec<_> =
            entries.into_iter().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry)).collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (own, entry) in entries {
            if own.starts_with('.') {
                continue;
            }
            let (path, name) = (entry.path(), format!("{name}/{own}"));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(&path, &name),
                Ok(kind) if kind.is_file() => self.file(&path, &name),
                Ok(_) => {}
                Err(why) => self.odd(&path, why.to_string().into()),
            }
        }
    }

    fn file(&mut self, path: &Path, name: &str) {
        if self.found.len() == FILES {
            return self.odd(path, format!("more than {FILES} files at once; bring its folders one by one").into());
        }
        let size = match fs::metadata(path) {
            Ok(file) if file.is_file() => file.len(),
            Ok(_) => return self.odd(path, "it is not a file".into()),
            Err(why) => return self.odd(path, why.to_string().into()),
        };
        match FileName::clean(name) {
            Ok(name) => self.found.push(Found { path: path.to_owned(), name, size }),
            Err(why) => self.odd(path, why.to_string().into()),
        }
    }

    fn odd(&mut self, path: &Path, why: Box<str>) {
        // One sentence about too many files is enough.
        if self.odd.last().is_none_or(|(_, last)| *last != why) || self.found.len() < FILES {
            self.odd.push((path.to_owned(), why));
        }
    }
}

/// What a path is called in the cloud, and whether it is a folder. `.` is called as the folder is.
fn name_of(path: &Path) -> Result<(String, bool), Box<str>> {
    let words = |why: io::Error| Box::from(why.to_string());
    let is_folder = fs::metadata(path).map_err(words)?.is_dir();
    let name = match path.file_name() {
        Some(name) => name.to_owned(),
        None => fs::canonicalize(path).map_err(words)?.file_name().ok_or("it has no name")?.to_owned(),
    };
    Ok((name.to_string_lossy().into_owned(), is_folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &Path) -> (Vec<String>, Vec<String>) {
        let Fact::Looked { errand: 7, found, odd } = at(7, path) else { panic!() };
        let names = found.iter().map(|found| format!("{} {}", found.name.as_str(), found.size)).collect();
        (names, odd.iter().map(|(path, why)| format!("{}: {why}", path.display())).collect())
    }

    #[test]
    fn a_folder_keeps_its_tree_and_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let homework = folder.path().join("作业");
        fs::create_dir_all(homework.join("week1/.git")).unwrap();
        for (name, text) in [("a.txt", "a"), ("week1/b.zip", "bb"), ("week1/.git/x", "x"), (".hidden", "h")] {
            fs::write(homework.join(name), text).unwrap();
        }
        let all = ["作业/a.txt 1".to_owned(), "作业/week1/b.zip 2".to_owned()];
        assert_eq!(seen(&homework), (all.to_vec(), vec![]));
        assert_eq!(seen(&homework.join("week1/..")).0, all, "a path is called as what it leads to");
        assert_eq!(seen(&homework.join("a.txt")).0, ["a.txt 1"]);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (found, odd) = seen(&folder.path().join("none"));
        assert!(found.is_empty() && odd.len() == 1 && odd[0].contains("none"), "{odd:?}");
        assert_eq!(seen(folder.path()), (vec![], vec![]));
    }

    #[cfg(unix)]
    #[test]
    fn links_inside_a_folder_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        fs::create_dir(&inside).unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(folder.path(), inside.join("up")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), inside.join("s")).unwrap();
        assert_eq!(seen(&inside), (vec![], vec![]));
    }
}
