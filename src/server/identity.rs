//! The key and the certificate by which clients know the server: made at the first start, or given by the host.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use time::{Duration, OffsetDateTime};

use crate::system;
use crate::wire::certificate;
use crate::wire::fingerprint::Fingerprint;

/// The server's own key, in its data folder.
const KEY_FILE: &str = "tls.key";
/// The certificate around it.
const CERTIFICATE_FILE: &str = "tls.crt";
/// How long a certificate that we make is valid: longer than a board lives. Nobody trusts it for its date, but programs look at it.
const VALID_DAYS: i64 = 3650;
/// So long before its end it is made anew, around the same key.
const RENEW_DAYS: i64 = 365;
const DAY_SECS: i64 = 86_400;
/// A key file is a few hundred bytes, a chain a few thousand: more is a mistake in the path.
const FILE_BYTES: u64 = 1 << 20;
/// Signs in a line of PEM (RFC 7468).
const PEM_LINE: usize = 64;

/// Where the identity comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Made by the server, kept in this data folder.
    Own(PathBuf),
    /// Files of the host, in PEM.
    Given {
        /// The certificate, with those that vouch for it behind.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// A key with its certificate.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    certificate_path: PathBuf,
    key_path: PathBuf,
    /// What clients know the server by.
    pub fingerprint: Fingerprint,
    /// When the certificate ends, in seconds since 1970.
    pub ends_secs: i64,
    /// The certificate was made just now.
    pub is_renewed: bool,
}

/// Why there is no identity. Its `Display` is a sentence.
#[derive(Debug)]
pub enum BadIdentity {
    /// A file could not be read or written.
    File(&'static str, PathBuf, io::Error),
    /// Others than the server's own user can read the key.
    Exposed(PathBuf),
    /// A file holds something else.
    NotPem(&'static str, PathBuf),
    /// The certificate is for another key.
    Mismatch(PathBuf, PathBuf),
    /// The TLS library cannot work with the key.
    Key(PathBuf, rustls::Error),
    /// The TLS library cannot work at all.
    Unusable(rustls::Error),
    /// A certificate could not be made.
    Make(rcgen::Error),
}

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadIdentity::File(doing, path, why) => write!(f, "cannot {doing} {}: {why}", path.display()),
            BadIdentity::Exposed(path) => {
                write!(f, "the key {0} can be read by other users of this machine; type: chmod 600 {0}", path.display())
            }
            BadIdentity::NotPem(what, path) => write!(
                f,
                "there is no {what} in {}; it should be a PEM file, which begins with -----BEGIN",
                path.display()
            ),
            BadIdentity::Mismatch(certificate, key) => write!(
                f,
                "the certificate {} was made for another key than {}; give the two files that belong together",
                certificate.display(),
                key.display()
            ),
            BadIdentity::Key(path, why) => write!(
                f,
                "the key {} cannot be used ({why}); ECDSA (P-256, P-384), Ed25519 and RSA (2048 bits or more) can",
                path.display()
            ),
            BadIdentity::Unusable(why) => write!(f, "TLS cannot be set up: {why}"),
            BadIdentity::Make(why) => write!(f, "cannot make a certificate: {why}"),
        }
    }
}

impl std::error::Error for BadIdentity {}

impl Source {
    /// Reads the identity. One's own is made where there is none, and gets a new certificate around the same key when the old one ends soon.
    pub fn load(&self, now_secs: i64) -> Result<Identity, BadIdentity> {
        match self {
            Source::Given { certificate, key } => {
                let identity = Identity::read(certificate, key)?;
                if identity.ends_secs <= now_secs {
                    log::warn!("the certificate {} has ended; programs may refuse it", certificate.display());
                }
                Ok(identity)
            }
            Source::Own(data) => load_own(data, now_secs),
        }
    }
}

impl Identity {
    fn read(certificate_path: &Path, key_path: &Path) -> Result<Identity, BadIdentity> {
        let key = read_key(key_path)?;
        let pem = read_file(certificate_path)?;
        let no_certificate = || BadIdentity::NotPem("certificate", certificate_path.into());
        let chain: Vec<CertificateDer> =
            CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| no_certificate())?;
        let first = chain.first().ok_or_else(no_certificate)?;
        let fingerprint = Fingerprint::of_certificate(first).ok_or_else(no_certificate)?;
        let ends_secs = certificate::not_after_secs(first).ok_or_else(no_certificate)?;
        let (certificate_path, key_path) = (certificate_path.into(), key_path.into());
        Ok(Identity { chain, key, certificate_path, key_path, fingerprint, ends_secs, is_renewed: false })
    }

    /// What answers a handshake with this identity.
    pub fn resolver(&self, provider: &CryptoProvider) -> Result<Arc<dyn ResolvesServerCert>, BadIdentity> {
        let certified =
            CertifiedKey::from_der(self.chain.clone(), self.key.clone_key(), provider).map_err(|why| match why {
                rustls::Error::InconsistentKeys(_) => {
                    BadIdentity::Mismatch(self.certificate_path.clone(), self.key_path.clone())
                }
                rustls::Error::InvalidCertificate(_) => {
                    BadIdentity::NotPem("certificate", self.certificate_path.clone())
                }
                why => BadIdentity::Key(self.key_path.clone(), why),
            })?;
        Ok(Arc::new(SingleCertAndKey::from(certified)))
    }
}

fn load_own(data: &Path, now_secs: i64) -> Result<Identity, BadIdentity> {
    let (certificate_path, key_path) = (data.join(CERTIFICATE_FILE), data.join(KEY_FILE));
    if !key_path.exists() {
        let key = KeyPair::generate().map_err(BadIdentity::Make)?;
        write_whole(&key_path, &pem("PRIVATE KEY", key.serialized_der()), system::private_file())?;
        log::info!("made the key {}; clients know this server by it, so keep it", key_path.display());
    }
    let key = read_key(&key_path)?;
    let pair = own_pair(&key, &key_path)?;
    let wanted = Fingerprint::of_spki(&rcgen::PublicKeyData::subject_public_key_info(&pair));
    // Whatever is wrong with the certificate: the key is what counts, and a certificate is quickly made.
    match Identity::read(&certificate_path, &key_path) {
        Ok(identity) if identity.fingerprint == wanted && identity.ends_secs > now_secs + RENEW_DAYS * DAY_SECS => {
            return Ok(identity);
        }
        _ => {}
    }
    let made = self_signed(&pair, now_secs)?;
    write_whole(&certificate_path, &pem("CERTIFICATE", &made), system::shown_file())?;
    log::info!("made the certificate {} for the server's key", certificate_path.display());
    let identity = Identity::read(&certificate_path, &key_path)?;
    Ok(Identity { is_renewed: true, ..identity })
}

/// One's own key, to sign with. The host may have put another kind of key in its place.
fn own_pair(key: &PrivateKeyDer<'_>, path: &Path) -> Result<KeyPair, BadIdentity> {
    let der = PrivatePkcs8KeyDer::from(key.secret_der());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ECDSA_P256_SHA256).map_err(|_| {
        let why = rustls::Error::General("it is no ECDSA P-256 key in PKCS#8".into());
        BadIdentity::Key(path.into(), why)
    })
}

fn self_signed(key: &KeyPair, now_secs: i64) -> Result<Vec<u8>, BadIdentity> {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host_name().filter(|name| name != "localhost"));
    let mut params = CertificateParams::new(names).map_err(BadIdentity::Make)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "gzy");
    params.distinguished_name = name;
    // A board without a clock battery may believe in an early year when it starts.
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    let now = OffsetDateTime::from_unix_timestamp(now_secs).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    params.not_after = now.saturating_add(Duration::days(VALID_DAYS));
    let certificate = params.self_signed(key).map_err(BadIdentity::Make)?;
    Ok(certificate.der().to_vec())
}

/// The machine's name, where it is one that a certificate can hold.
fn host_name() -> Option<String> {
    let is_plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    system::host_name().filter(|name| !name.is_empty() && name.len() <= 253 && is_plain(name))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, BadIdentity> {
    let found = fs::metadata(path).map_err(|why| BadIdentity::File("read the key", path.into(), why))?;
    if system::is_open_to_others(&found) {
        return Err(BadIdentity::Exposed(path.into()));
    }
    PrivateKeyDer::from_pem_slice(&read_file(path)?).map_err(|_| BadIdentity::NotPem("private key", path.into()))
}

fn read_file(path: &Path) -> Result<Vec<u8>, BadIdentity> {
    let failed = |why| BadIdentity::File("read", path.into(), why);
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than any key or certificate")));
    }
    fs::read(path).map_err(failed)
}

/// Written beside and renamed: after a power cut the file is whole or not there.
fn write_whole(path: &Path, text: &str, mut options: OpenOptions) -> Result<(), BadIdentity> {
    let mut write = || {
        let beside = path.with_added_extension("new");
        let _ = fs::remove_file(&beside);
        let mut file = options.create_new(true).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|why| BadIdentity::File("write", path.into(), why))
}

fn pem(label: &str, der: &[u8]) -> String {
    let signs = Base64::encode_string(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = signs.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(PEM_LINE));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// 2026-11-20, about.
    const NOW_SECS: i64 = 1_795_000_000;

    fn own() -> (tempfile::TempDir, Source) {
        let data = tempfile::tempdir().unwrap();
        let source = Source::Own(data.path().into());
        (data, source)
    }

    fn given(data: &Path) -> Source {
        Source::Given { certificate: data.join(CERTIFICATE_FILE), key: data.join(KEY_FILE) }
    }

    fn usable(identity: &Identity) -> Result<(), BadIdentity> {
        identity.resolver(&crate::net::suites::provider()).map(|_| ())
    }

    #[test]
    fn the_key_is_made_once_and_nobody_else_can_read_it() {
        let (data, source) = own();
        let first = source.load(NOW_SECS).unwrap();
        usable(&first).unwrap();
        assert_eq!(first.ends_secs, NOW_SECS + VALID_DAYS * DAY_SECS);
        let mode = fs::metadata(data.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(source.load(NOW_SECS).unwrap().fingerprint, first.fingerprint);
        assert_eq!(given(data.path()).load(NOW_SECS).unwrap().fingerprint, first.fingerprint);
    }

    #[test]
    fn a_certificate_that_ends_or_is_damaged_is_made_anew_around_the_same_key() {
        let (data, source) = own();
        let first = source.load(0).unwrap();
        let second = source.load(NOW_SECS).unwrap();
        assert!(second.ends_secs > first.ends_secs && second.fingerprint == first.fingerprint);
        let almost = second.ends_secs - (RENEW_DAYS + 1) * DAY_SECS;
        assert_eq!(source.load(almost).unwrap().ends_secs, second.ends_secs, "not before its time");
        fs::write(data.path().join(CERTIFICATE_FILE), "half").unwrap();
        assert_eq!(source.load(NOW_SECS).unwrap().fingerprint, first.fingerprint);
        let (other, other_source) = own();
        other_source.load(NOW_SECS).unwrap();
        fs::copy(other.path().join(CERTIFICATE_FILE), data.path().join(CERTIFICATE_FILE)).unwrap();
        let healed = source.load(NOW_SECS).unwrap();
        assert_eq!(healed.fingerprint, first.fingerprint, "a certificate for another key is replaced");
        usable(&healed).unwrap();
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_what_to_type() {
        for mode in [0o640, 0o604, 0o660] {
            let (data, source) = own();
            source.load(NOW_SECS).unwrap();
            let key = data.path().join(KEY_FILE);
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            for source in [source, given(data.path())] {
                let why = source.load(NOW_SECS).err().unwrap().to_string();
                assert!(why.ends_with(&format!("type: chmod 600 {}", key.display())), "{why}");
            }
        }
    }

    #[test]
    fn files_that_do_not_belong_together_or_are_no_pem_are_refused_by_name() {
        let ((data, source), (other, other_source)) = (own(), own());
        source.load(NOW_SECS).unwrap();
        other_source.load(NOW_SECS).unwrap();
        let mixed = Source::Given { certificate: data.path().join(CERTIFICATE_FILE), key: other.path().join(KEY_FILE) };
        let why = usable(&mixed.load(NOW_SECS).unwrap()).err().unwrap().to_string();
        assert!(why.contains("another key") && why.contains(KEY_FILE), "{why}");
        let swapped = Source::Given { certificate: data.path().join(KEY_FILE), key: data.path().join(KEY_FILE) };
        let why = swapped.load(NOW_SECS).err().unwrap().to_string();
        assert!(why.contains("no certificate in"), "{why}");
        fs::write(data.path().join(KEY_FILE), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .unwrap();
        let why = source.load(NOW_SECS).err().unwrap().to_string();
        assert!(why.contains(KEY_FILE) && why.contains("cannot be used"), "{why}");
        let missing = Source::Given { certificate: data.path().join("no.crt"), key: data.path().join("no.key") };
        assert!(missing.load(NOW_SECS).err().unwrap().to_string().contains("no.key"));
    }
}
