//! What a user's client remembers from one time to the next: a small file that people may edit, too.
//!
//! One `key = value` per line; `#` begins a comment. What is not understood is said once and kept as it is.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::config_folder;
use super::words::Language;

/// The file's name in the user's config folder.
const FILE_NAME: &str = "settings";

/// Whether the client paints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Colours {
    /// On a terminal that can, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl FromStr for Colours {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Colours, &'static str> {
        match text.trim() {
            "auto" => Ok(Colours::Auto),
            "on" | "always" | "yes" => Ok(Colours::On),
            "off" | "never" | "no" => Ok(Colours::Off),
            _ => Err("say auto, on or off"),
        }
    }
}

/// A language by its name; `Ok(None)` for that of the locale.
pub fn language_named(text: &str) -> Result<Option<Language>, &'static str> {
    match text.trim() {
        "auto" => Ok(None),
        "zh" => Ok(Some(Language::Zh)),
        "en" => Ok(Some(Language::En)),
        _ => Err("say zh, en or auto"),
    }
}

/// What can be remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// The server that was visited last.
    Server,
    /// The nick that was taken last.
    Nick,
    /// `auto`, `on` or `off`.
    Colours,
    /// `auto`, `zh` or `en`.
    Language,
}

const KEYS: [(Key, &str); 4] =
    [(Key::Server, "server"), (Key::Nick, "nick"), (Key::Colours, "colours"), (Key::Language, "language")];

impl Key {
    fn name(self) -> &'static str {
        KEYS.into_iter().find(|(key, _)| *key == self).map_or("", |(_, name)| name)
    }

    fn named(name: &str) -> Option<Key> {
        KEYS.into_iter().find(|(_, known)| *known == name).map(|(key, _)| key)
    }

    fn takes(self, value: &str) -> bool {
        match self {
            Key::Server | Key::Nick => !value.is_empty() && !value.contains(char::is_control),
            Key::Colours => value.parse::<Colours>().is_ok(),
            Key::Language => language_named(value).is_ok(),
        }
    }
}

/// The settings: the lines of their file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    lines: Vec<Box<str>>,
}

impl Settings {
    /// Reads the file's text. Also says which lines, counted from 1, are not understood; they stay and have no effect.
    pub fn parse(text: &str) -> (Settings, Vec<usize>) {
        let settings = Settings { lines: text.lines().map(Into::into).collect() };
        let is_bad = |line: &str| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#') && understood(line).is_none()
        };
        let bad = (1..).zip(&settings.lines).filter(|(_, line)| is_bad(line)).map(|(number, _)| number).collect();
        (settings, bad)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line, "\n"]).collect()
    }

    /// What is remembered. The last line that says something about it counts.
    pub fn value(&self, wanted: Key) -> Option<&str> {
        self.lines
            .iter()
            .rev()
            .filter_map(|line| understood(line))
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| value)
    }

    /// Whether to paint.
    pub fn colours(&self) -> Colours {
        self.value(Key::Colours).and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// The language; `None` for that of the locale.
    pub fn language(&self) -> Option<Language> {
        self.value(Key::Language).and_then(|value| language_named(value).ok().flatten())
    }

    /// Remembers something; a value that would not be understood is not taken. True when it is another one than before.
    pub fn set(&mut self, key: Key, value: &str) -> bool {
        if !key.takes(value.trim()) || self.value(key) == Some(value.trim()) {
            return false;
        }
        let line = format!("{} = {}", key.name(), value.trim()).into();
        let is_it = |line: &&mut Box<str>| understood(line).is_some_and(|(other, _)| other == key);
        match self.lines.iter_mut().rev().find(is_it) {
            Some(old) => *old = line,
            None => self.lines.push(line),
        }
        true
    }

    /// Remembers some things; returns how many of them are others than before.
    fn set_all(&mut self, values: &[(Key, &str)]) -> usize {
        values.iter().filter(|(key, value)| self.set(*key, value)).count()
    }
}

fn understood(line: &str) -> Option<(Key, &str)> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (Key::named(key.trim())?, value.trim());
    key.takes(value).then_some((key, value))
}

/// What is wrong with the file of the settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingsFault {
    /// Lines, counted from 1, that are not understood.
    Lines(PathBuf, Vec<usize>),
    /// The file cannot be read or written, in the system's words. It is not touched.
    File(PathBuf, String),
}

/// The settings and where they are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SettingsFile {
    /// The settings.
    pub settings: Settings,
    /// `None` when they are not kept: there is no place for them, or what is there could not be read.
    path: Option<PathBuf>,
}

impl SettingsFile {
    /// Reads the settings from a config folder. What cannot be read counts as empty, and is not written over.
    pub fn load(folder: Option<&Path>) -> (SettingsFile, Option<SettingsFault>) {
        let Some(path) = folder.map(|folder| folder.join(FILE_NAME)) else { return Default::default() };
        match read(&path) {
            Ok(text) => {
                let (settings, bad) = Settings::parse(&text);
                let fault = (!bad.is_empty()).then(|| SettingsFault::Lines(path.clone(), bad));
                (SettingsFile { settings, path: Some(path) }, fault)
            }
            Err(why) => (SettingsFile::default(), Some(SettingsFault::File(path, why.to_string()))),
        }
    }

    /// Remembers some things at once, on the disk when one of them is another than before. What another client wrote there meanwhile stays.
    pub fn remember(&mut self, values: &[(Key, &str)]) -> Result<(), SettingsFault> {
        let changes = self.settings.set_all(values);
        let Some(path) = self.path.as_ref().filter(|_| changes > 0) else { return Ok(()) };
        let written = || {
            let _turn = config_folder::turn(path)?;
            let (mut settings, _) = Settings::parse(&read(path)?);
            settings.set_all(values);
            config_folder::replace(path, &settings.text())
        };
        written().map_err(|why| SettingsFault::File(path.clone(), why.to_string()))
    }
}

fn read(path: &Path) -> io::Result<String> {
    String::from_utf8(config_folder::read(path)?.unwrap_or_default())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn settings_are_remembered_from_one_time_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, fault) = SettingsFile::load(Some(folder.path()));
        assert_eq!((file.settings.value(Key::Nick), fault), (None, None));
        file.remember(&[(Key::Server, "board:510"), (Key::Nick, "小阳")]).unwrap();
        let (file, fault) = SettingsFile::load(Some(folder.path()));
        assert_eq!((file.settings.value(Key::Server), fault), (Some("board:510"), None));
        assert_eq!(file.settings.value(Key::Nick), Some("小阳"));
        assert_eq!((file.settings.colours(), file.settings.language()), (Colours::Auto, None));
    }

    #[test]
    fn two_clients_do_not_undo_what_the_other_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, _) = SettingsFile::load(Some(folder.path()));
        let (mut other, _) = SettingsFile::load(Some(folder.path()));
        one.remember(&[(Key::Server, "board:510")]).unwrap();
        other.remember(&[(Key::Nick, "小阳")]).unwrap();
        let (read, _) = SettingsFile::load(Some(folder.path()));
        assert_eq!(read.settings.text(), "server = board:510\nnick = 小阳\n");
    }

    #[test]
    fn lines_of_other_hands_stay_where_they_are() {
        let text = "# my own\nnick=anna\nwindow = wide\n\nnonsense\ncolours = pink\nlanguage = zh\nnick = ben\n";
        let (mut settings, bad) = Settings::parse(text);
        assert_eq!(bad, [3, 5, 6]);
        assert_eq!((settings.value(Key::Nick), settings.language()), (Some("ben"), Some(Language::Zh)));
        assert_eq!((settings.colours(), settings.text().as_str()), (Colours::Auto, text));
        assert!(settings.set(Key::Nick, "小阳") && settings.set(Key::Colours, "off"));
        assert_eq!(settings.text(), format!("{}colours = off\n", text.replace("nick = ben", "nick = 小阳")));
    }

    #[test]
    fn what_is_the_same_or_makes_no_sense_is_not_written() {
        let (mut settings, _) = Settings::parse("nick = anna");
        for (key, value) in
            [(Key::Nick, "anna"), (Key::Nick, ""), (Key::Nick, "a\nserver = eve"), (Key::Colours, "pink")]
        {
            assert!(!settings.set(key, value), "{value}");
        }
        assert_eq!(settings.text(), "nick = anna\n");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_and_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        fs::write(&path, b"nick = \xff\n").unwrap();
        let (mut file, fault) = SettingsFile::load(Some(folder.path()));
        assert_eq!(fault, Some(SettingsFault::File(path.clone(), "it is not text in UTF-8".into())));
        file.remember(&[(Key::Nick, "anna")]).unwrap();
        assert_eq!(file.settings.value(Key::Nick), Some("anna"), "it holds for this time");
        assert_eq!(fs::read(&path).unwrap(), b"nick = \xff\n");
    }
}
