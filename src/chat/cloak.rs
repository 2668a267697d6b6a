//! What members see in place of a network address: stable for an address, and of no use for finding it.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

/// The host part for an address: 10 hex digits of SHA-256 over the host's secret and the address. Bans of it last as long as the secret.
pub fn cloak(secret: &[u8; 32], address: IpAddr) -> Box<str> {
    let mut hasher = Sha256::new();
    hasher.update(secret);
    // An IPv4 address and its IPv6-mapped form are the same guest.
    match address.to_canonical() {
        IpAddr::V4(v4) => hasher.update(v4.octets()),
        // A household gets a whole /64; any address in it is the same guest.
        IpAddr::V6(v6) => hasher.update(&v6.octets()[..8]),
    }
    let hex: String = hasher.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.gzy").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloak_is_stable_for_an_address_and_differs_for_others() {
        let at = |text: &str| cloak(&[7; 32], text.parse().unwrap());
        assert_eq!(at("192.0.2.1"), at("::ffff:192.0.2.1"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::2"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
        assert_ne!(at("192.0.2.1"), cloak(&[8; 32], "192.0.2.1".parse().unwrap()));
    }
}
