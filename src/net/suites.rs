//! What GZY speaks in TLS, on both sides: which ciphers, key exchanges and signatures, and in what order.

use rustls::SupportedCipherSuite;
use rustls::crypto::ring::{cipher_suite as suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

/// AES with 128 bits comes before 256: it is quicker, and nobody breaks either.
const SUITES: [SupportedCipherSuite; 9] = [
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_CHACHA20_POLY1305_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// A client guesses that the server knows the first: X25519, which is known everywhere and the quickest.
const GROUPS: [&dyn SupportedKxGroup; 3] = [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// ring, with the cipher in front that this machine is quick at.
pub fn provider() -> CryptoProvider {
    let (chacha, aes): (Vec<_>, Vec<_>) = SUITES.iter().partition(|suite| is_chacha(suite));
    let cipher_suites = if has_aes_instructions() { [aes, chacha] } else { [chacha, aes] }.concat();
    CryptoProvider { cipher_suites, kx_groups: GROUPS.to_vec(), ..default_provider() }
}

/// Whether it is the cipher that is quick without instructions made for it.
fn is_chacha(suite: &SupportedCipherSuite) -> bool {
    use rustls::CipherSuite::{
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS13_CHACHA20_POLY1305_SHA256,
    };
    matches!(
        suite.suite(),
        TLS13_CHACHA20_POLY1305_SHA256
            | TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
            | TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    )
}

/// Whether this processor does AES by itself: a Raspberry Pi up to the fourth does not, and is three times faster with ChaCha20.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub fn has_aes_instructions() -> bool {
    std::arch::is_x86_feature_detected!("aes")
}

/// Whether this processor does AES by itself: a Raspberry Pi up to the fourth does not, and is three times faster with ChaCha20.
#[cfg(target_arch = "aarch64")]
pub fn has_aes_instructions() -> bool {
    std::arch::is_aarch64_feature_detected!("aes")
}

/// Whether this processor does AES by itself. Where we cannot ask, ChaCha20 is the safe guess.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
pub fn has_aes_instructions() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_cipher_comes_first_in_both_versions_and_the_slow_one_last() {
        let provider = provider();
        let first_is_chacha = |tls13: bool| {
            let of_version = |suite: &&SupportedCipherSuite| suite.tls13().is_some() == tls13;
            is_chacha(provider.cipher_suites.iter().find(of_version).unwrap())
        };
        assert_eq!((first_is_chacha(true), first_is_chacha(false)), (!has_aes_instructions(), !has_aes_instructions()));
        let at = |wanted| provider.cipher_suites.iter().position(|suite| suite.suite() == wanted).unwrap();
        use rustls::CipherSuite::{TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384};
        assert!(at(TLS13_AES_128_GCM_SHA256) < at(TLS13_AES_256_GCM_SHA384));
    }

    #[test]
    fn nothing_that_ring_can_do_is_left_out() {
        let (ours, rings) = (provider(), default_provider());
        assert!(rings.cipher_suites.iter().all(|suite| ours.cipher_suites.contains(suite)));
        assert_eq!(ours.kx_groups.len(), rings.kx_groups.len());
    }
}
