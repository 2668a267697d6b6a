//! Which cipher does a client want first? Read from its ClientHello before the handshake begins (RFC 8446, section 4.1.2).

/// Bytes of a ClientHello in which the first of its ciphers are named: two headers, version, random, the longest session id, and sixteen ciphers.
pub const HELLO_BYTES: usize = 5 + 4 + 2 + 32 + 33 + 2 + 32;

/// ChaCha20-Poly1305, in TLS 1.3 and 1.2.
const CHACHA: [u16; 3] = [0x1303, 0xcca8, 0xcca9];
/// AES in GCM, in TLS 1.3 and 1.2.
const AES: [u16; 6] = [0x1301, 0x1302, 0xc02b, 0xc02c, 0xc02f, 0xc030];

/// What a client is quick at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taste {
    /// It has instructions for AES.
    Aes,
    /// It has none: ChaCha20 is quicker there.
    ChaCha,
}

/// Which of the two a client names first; `None` when that cannot be told from these first bytes of its.
pub fn taste(hello: &[u8]) -> Option<Taste> {
    let session_at = 5 + 4 + 2 + 32;
    let session_bytes = usize::from(*hello.get(session_at)?);
    let suites = hello.get(session_at + 1 + session_bytes + 2..)?;
    suites.chunks_exact(2).find_map(|pair| match u16::from_be_bytes([pair[0], pair[1]]) {
        suite if CHACHA.contains(&suite) => Some(Taste::ChaCha),
        suite if AES.contains(&suite) => Some(Taste::Aes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::*;
    use crate::net::suites;

    /// The ClientHello of a client that wants this suite first.
    fn hello(first: rustls::CipherSuite) -> Vec<u8> {
        let mut provider = suites::provider();
        provider.cipher_suites.sort_by_key(|suite| suite.suite() != first);
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_first_of_the_ciphers_tells() {
        use rustls::CipherSuite::*;
        for (first, wanted) in [
            (TLS13_AES_256_GCM_SHA384, Taste::Aes),
            (TLS13_AES_128_GCM_SHA256, Taste::Aes),
            (TLS13_CHACHA20_POLY1305_SHA256, Taste::ChaCha),
            (TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, Taste::ChaCha),
        ] {
            let bytes = hello(first);
            assert_eq!(taste(&bytes[..HELLO_BYTES]), Some(wanted), "{first:?}");
        }
    }

    #[test]
    fn nothing_can_be_told_from_half_a_hello() {
        let bytes = hello(rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
        let whole = (0..HELLO_BYTES).find(|end| taste(&bytes[..*end]).is_some()).unwrap();
        assert!(whole > 5 + 4 + 2 + 32 + 33, "{whole}");
        assert_eq!(taste(&[0x16; HELLO_BYTES]), None);
        assert_eq!(taste(&[0xff; HELLO_BYTES]), None);
    }
}
