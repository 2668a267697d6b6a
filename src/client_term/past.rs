//! Where typed lines are kept from one day to the next: a file for the user's eyes only. Passwords never get there.

use std::path::PathBuf;

use crate::client::config_folder;

/// The file's name in the user's config folder.
const FILE_NAME: &str = "typed";

/// The file, when the user has a folder for it.
pub struct File(Option<PathBuf>);

impl File {
    /// The file of this user.
    pub fn of_user() -> File {
        File(config_folder::of_user().map(|folder| folder.join(FILE_NAME)))
    }

    /// The lines in it, oldest first. One that cannot be read is as good as none: the talk matters more.
    pub fn read(&self) -> Vec<String> {
        let bytes = self.0.as_ref().and_then(|path| config_folder::read(path).ok().flatten()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(unescaped).collect()
    }

    /// Replaces the lines in it.
    pub fn write<'a>(&self, lines: impl Iterator<Item = &'a str>) {
        let text: String = lines.map(|line| escaped(line) + "\n").collect();
        if let Some(path) = self.0.as_ref().filter(|_| !text.is_empty()) {
            // Nothing is lost but a convenience, and the user has just left.
            let _ = config_folder::replace(path, &text);
        }
    }
}

/// A message of several lines as one line of the file.
fn escaped(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.as_str().starts_with('n') => {
                chars.next();
                text.push('\n');
            }
            '\\' => text.extend(chars.next()),
            // Somebody else may have written into the file.
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_there_the_next_day() {
        let folder = tempfile::tempdir().unwrap();
        let file = File(Some(folder.path().join("gzy").join(FILE_NAME)));
        assert!(file.read().is_empty());
        let lines = ["你好", "床前\n明月", "a \\n b\\"];
        file.write(lines.into_iter());
        assert_eq!(file.read(), lines);
        File(None).write(lines.into_iter());
    }

    #[test]
    fn a_file_that_somebody_touched_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, b"\x1b[2Jone\n\xff two\\").unwrap();
        assert_eq!(File(Some(path)).read(), ["[2Jone", "\u{fffd} two"]);
    }
}
