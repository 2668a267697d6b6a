//! `gzy doctor`: what somebody who runs a server should know about this machine, and what is wrong with it, in plain words.
//!
//! [`examine`] looks and changes nothing; `words` makes sentences of what it found.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::client::words::Language;
use crate::store::StoreError;
use crate::wire::fingerprint::Fingerprint;

mod ports;
mod surroundings;
mod words;

pub use ports::PortState;

/// The port of the service, and the one that a server takes where it may not have that.
const PORTS: [u16; 2] = crate::net::DEFAULT_PORTS;

/// Room that a server should have at the least: its database and log over some weeks of talk. Files need more, and whoever shares files knows it.
const ROOM_BYTES: u64 = 64 << 20;

/// This program is younger than that; a clock that says otherwise has lost its battery.
const FIRST_YEAR: i32 = 2026;

/// Something that was found out.
#[derive(Debug)]
pub enum Finding {
    /// The version of this program.
    Version(&'static str),
    /// What others can type to reach a server here, the port included.
    Addresses(Vec<String>),
    /// The key by which clients know the server.
    Key(Fingerprint),
    /// There is no key; the server makes it at its first start.
    NoKey,
    /// The certificate cannot be used, with the reason.
    BadKey(PathBuf, String),
    /// What is at a port.
    Port(u16, PortState),
    /// The data folder is there, can be written, and has so many bytes of room, where the system says it.
    Folder(PathBuf, Option<u64>),
    /// The data folder has only so many bytes of room.
    Full(PathBuf, u64),
    /// There is no data folder; the server makes it at its first start.
    NoFolder(PathBuf),
    /// The data folder, or the one that it would be made in, cannot be used, with the reason.
    BadFolder(PathBuf, String),
    /// The database can be read; its form.
    Database(u32),
    /// There is no database; the server makes it at its first start.
    NoDatabase,
    /// The database cannot be used.
    BadDatabase(StoreError),
    /// The clock says a year that cannot be.
    Clock(i32),
    /// The clock is as good as can be seen from here.
    SaneClock(OffsetDateTime),
}

impl Finding {
    /// Whether a server can run like that.
    pub fn is_fine(&self) -> bool {
        match self {
            Finding::Version(_) | Finding::Key(_) | Finding::NoKey => true,
            Finding::Folder(..) | Finding::NoFolder(_) | Finding::Database(_) | Finding::NoDatabase => true,
            Finding::SaneClock(_) => true,
            Finding::Addresses(addresses) => !addresses.is_empty(),
            Finding::Port(port, state) => state.is_fine(*port),
            Finding::BadKey(..) | Finding::Full(..) | Finding::BadFolder(..) => false,
            Finding::BadDatabase(_) | Finding::Clock(_) => false,
        }
    }
}

/// Looks at everything. `data`: the server's data folder.
pub fn examine(data: &Path) -> Vec<Finding> {
    let key = surroundings::key(data);
    let ours = match &key {
        Finding::Key(key) => Some(*key),
        _ => None,
    };
    let states = ports::states(ours);
    let port = ports::to_type(&states);
    let addresses = surroundings::addresses().into_iter().map(|ip| typed(ip, port)).collect();
    let mut findings = vec![Finding::Version(env!("CARGO_PKG_VERSION")), Finding::Addresses(addresses), key];
    findings.extend(states.into_iter().map(|(port, state)| Finding::Port(port, state)));
    let folder = surroundings::folder(data);
    let is_there = matches!(folder, Finding::Folder(..) | Finding::Full(..));
    findings.push(folder);
    if is_there {
        findings.push(surroundings::database(data));
    }
    findings.push(surroundings::clock(OffsetDateTime::now_utc()));
    findings
}

/// The report, a line for each finding, and whether all is fine.
pub fn run(data: &Path, language: Language) -> (String, bool) {
    let findings = examine(data);
    let is_fine = findings.iter().all(Finding::is_fine);
    let mut report = String::new();
    for finding in &findings {
        let mark = if finding.is_fine() { '✓' } else { '✗' };
        report.push_str(&format!("{mark} {}\n", words::sentence(language, finding)));
    }
    report.push_str(words::verdict(language, is_fine));
    report.push('\n');
    (report, is_fine)
}

fn typed(ip: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(ip, port).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64, Encoding};
    use std::fs;

    fn faults(data: &Path) -> Vec<String> {
        let is_about_data = |finding: &Finding| !matches!(finding, Finding::Addresses(_) | Finding::Port(..));
        let found = examine(data);
        let faults = found.iter().filter(|finding| is_about_data(finding) && !finding.is_fine());
        faults.map(|finding| words::sentence(Language::En, finding)).collect()
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_all_that_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        for data in [file.clone(), file.join("below")] {
            let said = format!("cannot write to the folder {}: {} is a file,", data.display(), file.display());
            let faults = faults(&data);
            assert!(faults.len() == 1 && faults[0].starts_with(&said), "{faults:?}");
        }
    }

    #[test]
    fn a_folder_that_a_server_never_saw_is_fine_and_stays_untouched() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(faults(data.path()), [""; 0]);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
        let deeper = data.path().join("not").join("yet");
        assert_eq!(faults(&deeper), [""; 0]);
        assert!(!deeper.exists());
    }

    #[test]
    fn a_database_of_somebody_else_is_named_and_not_touched() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("gzy.db");
        fs::write(&file, "a diary\n".repeat(200)).unwrap();
        let found = faults(data.path());
        assert!(found.len() == 1 && found[0].contains("gzy.db"), "{found:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "a diary\n".repeat(200));
    }

    #[test]
    fn a_database_of_a_server_can_be_read() {
        let data = tempfile::tempdir().unwrap();
        drop(crate::store::accounts::Accounts::open(data.path()).unwrap());
        assert!(examine(data.path()).iter().any(|finding| matches!(finding, Finding::Database(1..))));
        assert_eq!(faults(data.path()), [""; 0]);
    }

    #[test]
    fn a_certificate_is_told_by_its_key_and_a_broken_one_by_its_file() {
        let data = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["gzy".into()]).unwrap().self_signed(&key).unwrap();
        let base64 = Base64::encode_string(certificate.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        fs::write(data.path().join("tls.crt"), pem).unwrap();
        let wanted = Fingerprint::of_certificate(certificate.der()).unwrap();
        let found = examine(data.path());
        assert!(found.iter().any(|finding| matches!(finding, Finding::Key(key) if *key == wanted)), "{found:?}");
        fs::write(data.path().join("tls.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .unwrap();
        let found = faults(data.path());
        assert!(found.len() == 1 && found[0].contains("tls.crt"), "{found:?}");
    }

    #[test]
    fn a_clock_without_a_battery_is_noticed() {
        assert!(!surroundings::clock(OffsetDateTime::UNIX_EPOCH).is_fine());
        assert!(surroundings::clock(OffsetDateTime::from_unix_timestamp(1_795_180_761).unwrap()).is_fine());
    }
}
