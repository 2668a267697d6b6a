//! The accounts that a user's client logs in to by itself: a small file for the user's eyes only.
//!
//! One `host:port account password` per line; the password is everything to the end of the line. `#` begins a comment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::account::Credentials;
use super::config_folder;
use crate::net::Address;
use crate::system;

/// The file's name in the user's config folder.
const FILE_NAME: &str = "logins";

/// What explains the file to somebody who opens it.
const HEADING: &str = "# Logins of gzy client: host:port, account, password. For your eyes only.\n";

/// What is wrong with the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoginsFault {
    /// Others on this machine can read it, or write it.
    OpenToOthers(PathBuf),
    /// It cannot be read or written, in the system's words.
    File(PathBuf, String),
    /// The user has no folder for it.
    NoPlace,
}

/// Where logins are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Logins {
    path: Option<PathBuf>,
}

impl Logins {
    /// Those in a config folder.
    pub fn of(folder: Option<&Path>) -> Logins {
        Logins { path: folder.map(|folder| folder.join(FILE_NAME)) }
    }

    /// Where they are kept.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The login that is kept for a server.
    pub fn find(&self, server: &Address) -> Result<Option<Credentials>, LoginsFault> {
        let Some(path) = &self.path else { return Ok(None) };
        let text = read(path)?;
        let server = server.to_string();
        Ok(text.lines().find_map(|line| understood(line).filter(|(of, _)| **of == *server)).map(|(_, login)| login))
    }

    /// Keeps a login in the place of the one for the same server. One that would not be understood again is not kept.
    pub fn keep(&self, server: &Address, login: &Credentials) -> Result<(), LoginsFault> {
        let line = format!("{server} {} {}\n", login.name, login.password.0);
        let is_read_again = |(of, read): (Box<str>, Credentials)| *of == *server.to_string() && read == *login;
        let is_sound = !login.password.0.contains(['\r', '\n']) && understood(&line).is_some_and(is_read_again);
        self.change(server, if is_sound { &line } else { "" }).map(drop)
    }

    /// Forgets the login for a server; false when there was none.
    pub fn forget(&self, server: &Address) -> Result<bool, LoginsFault> {
        match &self.path {
            Some(path) if path.exists() => self.change(server, ""),
            _ => Ok(false),
        }
    }

    /// Puts a line in the place of that of the server; true when there was one.
    fn change(&self, server: &Address, line: &str) -> Result<bool, LoginsFault> {
        let path = self.path.as_ref().ok_or(LoginsFault::NoPlace)?;
        let failed = |why: io::Error| LoginsFault::File(path.clone(), why.to_string());
        let _turn = config_folder::turn(path).map_err(failed)?;
        let before = read(path)?;
        let server = server.to_string();
        let is_it = |line: &&str| understood(line).is_some_and(|(of, _)| *of == *server);
        let others = before.lines().filter(|line| !is_it(line));
        let mut text: String = others.flat_map(|line| [line, "\n"]).collect();
        if text.is_empty() {
            text.push_str(HEADING);
        }
        text.push_str(line);
        config_folder::replace(path, &text).map_err(failed)?;
        Ok(before.lines().any(|line| is_it(&line)))
    }
}

fn read(path: &Path) -> Result<String, LoginsFault> {
    let failed = |why: io::Error| LoginsFault::File(path.to_owned(), why.to_string());
    match fs::metadata(path) {
        Ok(file) if system::is_open_to_others(&file) => return Err(LoginsFault::OpenToOthers(path.to_owned())),
        Ok(_) => {}
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(why) => return Err(failed(why)),
    }
    let bytes = config_folder::read(path).map_err(failed)?.unwrap_or_default();
    String::from_utf8(bytes).map_err(|_| failed(io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8")))
}

/// The server and the login of a line.
fn understood(line: &str) -> Option<(Box<str>, Credentials)> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.starts_with('#') {
        return None;
    }
    let (server, rest) = line.split_once(' ')?;
    let (name, password) = rest.split_once(' ')?;
    let is_whole = !server.is_empty() && !name.is_empty() && !password.is_empty();
    let server = server.parse::<Address>().ok().filter(|_| is_whole)?;
    Some((server.to_string().into(), Credentials::new(name, password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> Address {
        "board:510".parse().unwrap()
    }

    #[test]
    fn a_login_is_kept_for_its_server_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let logins = Logins::of(Some(folder.path()));
        assert_eq!((logins.find(&board()), logins.forget(&board())), (Ok(None), Ok(false)));
        let other: Address = "[::1]:5100".parse().unwrap();
        logins.keep(&other, &Credentials::new("anna", "x y  z ")).unwrap();
        logins.keep(&board(), &Credentials::new("小阳", "开门开门")).unwrap();
        logins.keep(&board(), &Credentials::new("小阳", "新的密码")).unwrap();
        let find = |server: &Address| logins.find(server).unwrap();
        assert_eq!(find(&board()), Some(Credentials::new("小阳", "新的密码")));
        assert_eq!(find(&other), Some(Credentials::new("anna", "x y  z ")));
        assert_eq!(logins.forget(&board()), Ok(true));
        assert_eq!((find(&board()), find(&other).is_some()), (None, true));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it_and_a_file_that_others_can_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let logins = Logins::of(Some(folder.path()));
        logins.keep(&board(), &Credentials::new("anna", "geheim")).unwrap();
        let path = logins.path().unwrap().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(logins.find(&board()), Err(LoginsFault::OpenToOthers(path.clone())));
        assert_eq!(logins.keep(&board(), &Credentials::new("anna", "neu")), Err(LoginsFault::OpenToOthers(path)));
    }

    #[test]
    fn what_could_not_be_read_again_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let logins = Logins::of(Some(folder.path()));
        for (name, password) in [("two words", "geheim"), ("anna", ""), ("anna", "a\nboard:510 eve x")] {
            logins.keep(&board(), &Credentials::new(name, password)).unwrap();
            assert_eq!(logins.find(&board()), Ok(None), "{name} {password}");
        }
        assert_eq!(Logins::of(None).keep(&board(), &Credentials::new("anna", "x")), Err(LoginsFault::NoPlace));
    }
}
