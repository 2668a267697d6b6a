//! What is around a server: addresses, the data folder and what is in it, the clock.

use std::collections::BinaryHeap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::OffsetDateTime;

use super::{FIRST_YEAR, Finding, ROOM_BYTES};
use crate::store;
use crate::system;
use crate::wire::fingerprint::Fingerprint;

/// The certificate in the data folder.
const CERTIFICATE_FILE: &str = "tls.crt";

/// The addresses of this machine that others can reach: no loopback, and no IPv6 address that counts on one link only.
pub fn addresses() -> Vec<IpAddr> {
    let is_reachable = |ip: &IpAddr| match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    };
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let found: BinaryHeap<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).filter(is_reachable).collect();
    let mut found = found.into_sorted_vec();
    found.dedup();
    found
}

/// The key of the server with that data folder.
pub fn key(data: &Path) -> Finding {
    let path = data.join(CERTIFICATE_FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        // What is wrong with a folder that is none is said of the folder.
        Err(why) if matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Finding::NoKey;
        }
        Err(why) => return Finding::BadKey(path, why.to_string()),
    };
    match CertificateDer::from_pem_slice(&bytes).ok().and_then(|der| Fingerprint::of_certificate(&der)) {
        Some(key) => Finding::Key(key),
        None => Finding::BadKey(path, "there is no certificate in it".into()),
    }
}

/// Whether the data folder can be used.
pub fn folder(data: &Path) -> Finding {
    if let Some(why) = system::file_in_the_way(data) {
        return Finding::BadFolder(data.into(), why.to_string());
    }
    if !data.exists() {
        return match nearest(data).map(|parent| try_writing(&parent).map_err(|why| (parent, why))) {
            Some(Ok(())) => Finding::NoFolder(data.into()),
            Some(Err((parent, why))) => Finding::BadFolder(parent, why.to_string()),
            None => Finding::BadFolder(data.into(), "there is no such folder".into()),
        };
    }
    if let Err(why) = try_writing(data) {
        return Finding::BadFolder(data.into(), why.to_string());
    }
    match system::free_bytes(data) {
        Ok(Some(bytes)) if bytes < ROOM_BYTES => Finding::Full(data.into(), bytes),
        Ok(bytes) => Finding::Folder(data.into(), bytes),
        Err(why) => Finding::BadFolder(data.into(), why.to_string()),
    }
}

/// The nearest folder above that exists.
fn nearest(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find(|above| above.is_dir()).map(Path::to_owned)
}

/// Makes a file and removes it: rights, a full disk and a read-only card all show in that.
fn try_writing(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".gzy-doctor.{:016x}", getrandom::u64().unwrap_or_default()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let written = file.write_all(b"x").and_then(|()| file.sync_all());
    drop(file);
    fs::remove_file(&path)?;
    written
}

/// Whether the database can be read. It is not changed, also when it is of an older form.
pub fn database(data: &Path) -> Finding {
    match store::look(data) {
        Ok(Some(form)) => Finding::Database(form),
        Ok(None) => Finding::NoDatabase,
        Err(why) => Finding::BadDatabase(why),
    }
}

/// Whether the clock can be right.
pub fn clock(now: OffsetDateTime) -> Finding {
    if now.year() < FIRST_YEAR { Finding::Clock(now.year()) } else { Finding::SaneClock(now) }
}
