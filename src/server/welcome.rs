//! What the host reads on a terminal when the server is ready: how others come in, and how they know that it is this server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::wire::fingerprint::{Fingerprint, Invitation};

/// An address that is kept for examples: no packet goes there, but the system says from where it would.
const ELSEWHERE: [(IpAddr, IpAddr); 2] = [
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
];

/// The invitation, the short form of the key, and a picture of the invitation for a phone.
pub fn text(listening: &[SocketAddr], key: Fingerprint) -> String {
    let Some(first) = listening.first() else { return String::new() };
    let host = reachable(first.ip()).to_string().into();
    let invitation = Invitation { host, port: Some(first.port()), fingerprint: Some(key) }.to_string();
    // Light on dark, as most terminals are; programs read the other way round as well.
    let picture = QrCode::with_error_correction_level(&invitation, EcLevel::L)
        .map(|code| code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
        .unwrap_or_default();
    format!(
        "The key, to read to each other · 核对密钥: {}\nTo come in · 连接: gzy client '{invitation}'\n{picture}\n",
        key.short()
    )
}

/// The address under which others reach this machine, where it listens on all.
fn reachable(listening: IpAddr) -> IpAddr {
    let Some((_, elsewhere)) = ELSEWHERE.iter().find(|(all, _)| *all == listening) else { return listening };
    let from = || {
        let socket = UdpSocket::bind((listening, 0)).ok()?;
        socket.connect((*elsewhere, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    from().unwrap_or(listening)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_reads_an_invitation_that_can_be_typed_and_a_picture_that_fits_a_terminal() {
        let key = Fingerprint([0xab; 32]);
        let text = text(&["127.0.0.1:5100".parse().unwrap(), "[::1]:5100".parse().unwrap()], key);
        let typed = text.split('\'').nth(1).unwrap();
        let invitation: Invitation = typed.parse().unwrap();
        assert_eq!((&*invitation.host, invitation.port, invitation.fingerprint), ("127.0.0.1", Some(5100), Some(key)));
        assert!(text.contains(&key.short()));
        let picture: Vec<&str> = text.lines().skip(2).collect();
        assert!(picture.len() > 15 && picture.len() < 30, "{}", picture.len());
        assert!(picture.iter().all(|line| line.chars().count() <= 60), "{text}");
    }
}
