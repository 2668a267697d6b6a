//! The file that remembers servers, and the answer of [`super::trust`] about the server at the other end.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::config_folder;
use super::trust::{BadLine, Distrust, Fault, KnownServers, Trusted, decide};
use crate::net::Address;
use crate::wire::fingerprint::Fingerprint;

/// The file's name in the user's config folder.
const FILE_NAME: &str = "known_servers";

/// Whom a client trusts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trust {
    /// The file that remembers; `None` for a user without a home.
    file: Option<PathBuf>,
    invited: Option<Fingerprint>,
    accept_new_key: bool,
}

/// Why a server's key is not used. [`super::words`] makes sentences of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Distrusted {
    /// The key is a wrong one.
    Key {
        /// The server.
        server: Address,
        /// The key that it has.
        seen: Fingerprint,
        /// What is wrong.
        why: Distrust,
    },
    /// There is no place to remember keys in, and no invitation says which one is right.
    NoMemory,
    /// The file cannot be read, or not be written.
    File(Box<Path>, Box<str>),
    /// The file makes no sense in one place.
    BadFile(Box<Path>, BadLine),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Shape => "it should be `host:port sha256:HEX date`",
            Fault::Twice => "it names a server that a line above names already",
            Fault::NotText => "it is not text in UTF-8",
        })
    }
}

impl Trust {
    /// Trust remembered in a config folder. `invited`: the key that an invitation names. `accept_new_key`: the user said that the server has another one.
    pub fn new(folder: Option<&Path>, invited: Option<Fingerprint>, accept_new_key: bool) -> Trust {
        Trust { file: folder.map(|folder| folder.join(FILE_NAME)), invited, accept_new_key }
    }

    /// Decides about the server that shows this key, and remembers it where it is to be remembered. `date`: today, as `2026-11-20`.
    ///
    /// What the user said about a new key is good for one time: a server that changes its key again while the client runs is refused.
    pub fn check(&mut self, server: &Address, seen: Fingerprint, date: &str) -> Result<Trusted, Distrusted> {
        let Some(file) = &self.file else { return self.check_without_memory(server, seen) };
        let mut trusted = self.decide(&read(file)?, server, seen)?;
        if trusted != Trusted::Known {
            let failed = |why: io::Error| Distrusted::File(file.as_path().into(), why.to_string().into());
            let _turn = config_folder::turn(file).map_err(failed)?;
            // Another client may have met this server, or another one, since the file was read.
            let mut known = read(file)?;
            trusted = self.decide(&known, server, seen)?;
            if trusted != Trusted::Known {
                known.remember(server, seen, date);
                config_folder::replace(file, &known.text()).map_err(failed)?;
            }
        }
        self.accept_new_key = false;
        Ok(trusted)
    }

    fn decide(&self, known: &KnownServers, server: &Address, seen: Fingerprint) -> Result<Trusted, Distrusted> {
        decide(seen, known.key(server), self.invited, self.accept_new_key).map_err(|why| Distrusted::Key {
            server: server.clone(),
            seen,
            why,
        })
    }

    fn check_without_memory(&self, server: &Address, seen: Fingerprint) -> Result<Trusted, Distrusted> {
        if self.invited.is_none() {
            return Err(Distrusted::NoMemory);
        }
        decide(seen, self.invited, self.invited, false).map_err(|why| Distrusted::Key {
            server: server.clone(),
            seen,
            why,
        })
    }
}

fn read(file: &Path) -> Result<KnownServers, Distrusted> {
    let failed = |why: io::Error| Distrusted::File(file.into(), why.to_string().into());
    let bytes = config_folder::read(file).map_err(failed)?.unwrap_or_default();
    let text = std::str::from_utf8(&bytes).map_err(|why| {
        let number = bytes[..why.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Distrusted::BadFile(file.into(), BadLine { number, fault: Fault::NotText })
    })?;
    KnownServers::parse(text).map_err(|bad| Distrusted::BadFile(file.into(), bad))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::Barrier;
    use std::thread;

    const OLD: Fingerprint = Fingerprint([1; 32]);
    const NEW: Fingerprint = Fingerprint([2; 32]);
    const DAY: &str = "2026-11-20";

    fn board() -> Address {
        "board:510".parse().unwrap()
    }

    #[test]
    fn a_server_is_remembered_from_one_run_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let trust = || Trust::new(Some(folder.path()), None, false);
        assert_eq!(trust().check(&board(), OLD, DAY), Ok(Trusted::First));
        assert_eq!(trust().check(&board(), OLD, DAY), Ok(Trusted::Known));
        assert_eq!(trust().check(&"board:5100".parse().unwrap(), NEW, DAY), Ok(Trusted::First));
        let why = Distrust::Changed { known: OLD };
        let refused = Distrusted::Key { server: board(), seen: NEW, why };
        assert_eq!(trust().check(&board(), NEW, DAY), Err(refused));
        assert_eq!(trust().check(&board(), OLD, DAY), Ok(Trusted::Known), "a refused key is not remembered");
    }

    #[test]
    fn clients_that_meet_servers_at_the_same_instant_remember_all_of_them() {
        const CLIENTS: u16 = 16;
        let folder = tempfile::tempdir().unwrap();
        let start = Barrier::new(CLIENTS.into());
        thread::scope(|clients| {
            for port in 1..=CLIENTS {
                let (folder, start) = (folder.path(), &start);
                clients.spawn(move || {
                    let mut trust = Trust::new(Some(folder), None, false);
                    start.wait();
                    trust.check(&format!("board:{port}").parse().unwrap(), OLD, DAY).unwrap();
                });
            }
        });
        let known = read(&folder.path().join(FILE_NAME)).unwrap();
        for port in 1..=CLIENTS {
            assert_eq!(known.key(&format!("board:{port}").parse().unwrap()), Some(OLD), "{port}: {}", known.text());
        }
    }

    #[test]
    fn of_two_keys_at_the_same_instant_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let start = Barrier::new(2);
        let trusted = thread::scope(|clients| {
            let meet = |key| {
                let mut trust = Trust::new(Some(folder.path()), None, false);
                let start = &start;
                clients.spawn(move || {
                    start.wait();
                    trust.check(&board(), key, DAY).is_ok()
                })
            };
            [meet(OLD), meet(NEW)].map(|client| client.join().unwrap())
        });
        assert_ne!(trusted[0], trusted[1]);
    }

    #[test]
    fn a_new_key_is_accepted_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut trust = Trust::new(Some(folder.path()), None, false);
        trust.check(&board(), OLD, DAY).unwrap();
        let mut trust = Trust::new(Some(folder.path()), None, true);
        assert_eq!(trust.check(&board(), NEW, DAY), Ok(Trusted::Replaced));
        assert!(trust.check(&board(), OLD, DAY).is_err());
        assert_eq!(trust.check(&board(), NEW, DAY), Ok(Trusted::Known));
    }

    #[test]
    fn an_invitation_that_fits_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let mut trust = Trust::new(Some(folder.path()), Some(OLD), false);
        assert!(trust.check(&board(), NEW, DAY).is_err());
        assert_eq!(trust.check(&board(), OLD, DAY), Ok(Trusted::First));
        assert_eq!(Trust::new(Some(folder.path()), None, false).check(&board(), OLD, DAY), Ok(Trusted::Known));
    }

    #[test]
    fn without_a_home_only_an_invitation_helps() {
        assert_eq!(Trust::new(None, None, false).check(&board(), OLD, DAY), Err(Distrusted::NoMemory));
        assert_eq!(Trust::new(None, Some(OLD), false).check(&board(), OLD, DAY), Ok(Trusted::Known));
        assert!(Trust::new(None, Some(OLD), true).check(&board(), NEW, DAY).is_err());
    }

    #[test]
    fn a_broken_file_is_named_with_its_line_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        for (bytes, fault) in [(&b"# mine\nnonsense\n"[..], Fault::Shape), (b"# mine\n\xff\xfe\n", Fault::NotText)] {
            fs::write(&file, bytes).unwrap();
            let refused = Trust::new(Some(folder.path()), Some(OLD), true).check(&board(), OLD, DAY);
            assert_eq!(refused, Err(Distrusted::BadFile(file.as_path().into(), BadLine { number: 2, fault })));
            assert_eq!(fs::read(&file).unwrap(), bytes);
        }
    }

    #[test]
    fn a_key_that_cannot_be_remembered_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let not_a_folder = folder.path().join("file");
        fs::write(&not_a_folder, "").unwrap();
        let refused = Trust::new(Some(&not_a_folder), None, false).check(&board(), OLD, DAY);
        assert!(matches!(&refused, Err(Distrusted::File(path, _)) if path.starts_with(&not_a_folder)), "{refused:?}");
    }
}
