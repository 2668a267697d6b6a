//! Under which address do others reach this machine?

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use super::disk::Disk;
use crate::chat::shelf::order::ShelfFact;

/// A machine gets another address now and then (it was carried home); links in the talk say the right one soon after.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What was told last.
#[derive(Default)]
pub struct Reachable {
    port: Option<u16>,
    looked: Option<Instant>,
    told: Option<Ipv4Addr>,
}

impl Reachable {
    /// The server listens on this port.
    pub fn announce(&mut self, disk: &Disk, port: u16) {
        *self = Reachable { port: Some(port), ..Reachable::default() };
        self.look(disk);
    }

    /// Looks again, when the last time is long ago.
    pub fn look_now_and_then(&mut self, disk: &Disk) {
        if self.looked.is_some_and(|looked| looked.elapsed() >= LOOK_EVERY) {
            self.look(disk);
        }
    }

    fn look(&mut self, disk: &Disk) {
        self.looked = Some(Instant::now());
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let first = first_of(interfaces.iter().map(if_addrs::Interface::ip));
        if let (Some(address), Some(port)) = (first, self.port)
            && self.told != first
        {
            self.told = first;
            disk.tell(ShelfFact::Reachable(format!("http://{address}:{port}").into()));
        }
    }
}

/// The first address that others can use.
fn first_of(addresses: impl Iterator<Item = IpAddr>) -> Option<Ipv4Addr> {
    addresses
        .filter_map(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        })
        .find(|address| !address.is_loopback() && !address.is_link_local() && !address.is_unspecified())
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
