//! Under which address do others reach this machine?

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::disk::Disk;
use crate::chat::shelf::order::ShelfFact;

/// A machine gets another address now and then (it was carried home); links in the talk say the right one soon after.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What was told last.
#[derive(Default)]
pub struct Reachable {
    listening: Option<SocketAddr>,
    looked: Option<Instant>,
    told: Option<SocketAddr>,
}

impl Reachable {
    /// The server listens there, and what was found out at its start has been told.
    pub fn since(listening: SocketAddr, told: Option<SocketAddr>) -> Reachable {
        Reachable { listening: Some(listening), looked: Some(Instant::now()), told }
    }

    /// Looks again, when the last time is long ago.
    pub fn look_now_and_then(&mut self, disk: &Disk) {
        if self.looked.is_some_and(|looked| looked.elapsed() >= LOOK_EVERY) {
            self.look(disk);
        }
    }

    fn look(&mut self, disk: &Disk) {
        self.looked = Some(Instant::now());
        let Some(listening) = self.listening else { return };
        let reached = reached(listening);
        if reached.is_some() && self.told != reached {
            self.told = reached;
            tell(disk, reached);
        }
    }
}

/// Where others reach a server that listens there.
pub fn reached(listening: SocketAddr) -> Option<SocketAddr> {
    let address = match listening.ip() {
        any if any.is_unspecified() => {
            let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
            first_of(interfaces.iter().map(if_addrs::Interface::ip))
        }
        chosen => Some(chosen),
    };
    address.map(|ip| SocketAddr::new(ip, listening.port()))
}

/// Tells the rules.
pub fn tell(disk: &Disk, reached: Option<SocketAddr>) {
    if let Some(address) = reached {
        disk.tell(ShelfFact::Reachable(format!("http://{address}").into()));
    }
}

/// The first address that others can use.
fn first_of(mut addresses: impl Iterator<Item = IpAddr>) -> Option<IpAddr> {
    addresses.find(|address| match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_that_others_can_use_is_announced() {
        let first = |addresses: &[&str]| first_of(addresses.iter().map(|address| address.parse().unwrap()));
        let used = Some("192.0.2.7".parse().unwrap());
        assert_eq!(first(&["127.0.0.1", "::1", "fe80::1", "169.254.3.4", "192.0.2.7", "192.0.2.8"]), used);
        assert_eq!(first(&["127.0.0.1", "2001:db8::1"]), None);
    }
}
