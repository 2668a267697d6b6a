//! How a host that somebody typed becomes a connection.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use async_net::TcpStream;
use smol::future;
use smol::io::{AsyncRead, AsyncWrite};

use crate::wire::fingerprint::Fingerprint;

pub mod suites;
pub mod tls;

use tls::{Encryption, NotEncrypted};

/// The ports that are tried, in this order, when none is typed: the service's own, and the one a server takes that may not bind it.
pub const DEFAULT_PORTS: [u16; 2] = [510, 5100];

/// How long one address may take to answer: three lost SYN packets on poor Wi-Fi.
const DIAL_WITHIN: Duration = Duration::from_secs(8);

/// How long the names of one host may take to look up.
const RESOLVE_WITHIN: Duration = Duration::from_secs(15);

/// Addresses of one host that are tried: a name with more is a mistake, and each may cost [`DIAL_WITHIN`].
const ADDRESSES_TRIED: usize = 8;

/// Anything that carries bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream whose kind does not matter any more.
pub type BoxedStream = Box<dyn Stream>;

/// A host and perhaps a port, as somebody typed them: `board`, `board:510`, `192.0.2.1`, `::1`, `[::1]:510`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    host: Box<str>,
    port: Option<u16>,
}

/// Why a text is not an address. Its `Display` is a sentence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadAddress {
    /// There is no host in it.
    NoHost,
    /// What follows the colon is not a port from 1 to 65535.
    NoPort,
    /// `[` without `]`, or a text behind `]` that is no port.
    Brackets,
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadAddress::NoHost => "there is no host in it; write HOST or HOST:PORT",
            BadAddress::NoPort => "the port is not a number from 1 to 65535",
            BadAddress::Brackets => "the brackets do not match; write [::1]:510",
        })
    }
}

impl std::error::Error for BadAddress {}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        let text = text.trim();
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']').ok_or(BadAddress::Brackets)?;
                match behind.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if behind.is_empty() => (host, None),
                    None => return Err(BadAddress::Brackets),
                }
            }
            // Two colons and no brackets: an IPv6 address as it stands, which has no room for a port.
            None if text.bytes().filter(|b| *b == b':').count() > 1 => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(BadAddress::NoHost);
        }
        let port = port.map(|port| port.parse().ok().filter(|p| *p > 0).ok_or(BadAddress::NoPort)).transpose()?;
        Ok(Address { host: host.into(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

impl Address {
    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, where one was typed.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is this machine, by its name or number: what is sent there is seen by nobody on the way.
    pub fn is_here(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
    }

    /// The address with the port that answered.
    pub fn at_port(&self, port: u16) -> Address {
        Address { host: self.host.clone(), port: Some(port) }
    }

    fn ports(&self) -> Vec<u16> {
        self.port.map_or_else(|| DEFAULT_PORTS.to_vec(), |port| vec![port])
    }

    async fn resolve(&self) -> io::Result<Vec<IpAddr>> {
        let lookup = async_net::resolve((&*self.host, 0));
        let mut found: Vec<IpAddr> = Vec::new();
        for address in within(RESOLVE_WITHIN, lookup).await? {
            if !found.contains(&address.ip()) {
                found.push(address.ip());
            }
        }
        found.truncate(ADDRESSES_TRIED);
        Ok(found)
    }
}

/// A stream to a server.
pub struct Opened {
    /// The stream, encrypted when that was asked for.
    pub stream: BoxedStream,
    /// The port that answered.
    pub port: u16,
    /// The key at the other end of an encrypted stream: proven, but not yet trusted.
    pub key: Option<Fingerprint>,
}

/// Why a stream could not be opened.
#[derive(Debug)]
pub enum NotOpened {
    /// There is no connection. `NotFound` means that the host has no address.
    Dialing(io::Error),
    /// There is one, but it could not be encrypted.
    Encrypting(NotEncrypted),
}

impl From<io::Error> for NotOpened {
    fn from(error: io::Error) -> NotOpened {
        NotOpened::Dialing(error)
    }
}

/// Opens a stream to a server. The one place that decides what kind of stream it is: in clear only without `encryption`.
pub async fn open(address: &Address, encryption: Option<&Encryption>) -> Result<Opened, NotOpened> {
    let stream = dial(address).await?;
    let port = stream.peer_addr()?.port();
    let Some(encryption) = encryption else { return Ok(Opened { stream: Box::new(stream), port, key: None }) };
    let (stream, key) = encryption.wrap(address.host(), stream).await.map_err(NotOpened::Encrypting)?;
    Ok(Opened { stream: Box::new(stream), port, key: Some(key) })
}

/// Connects by plain TCP to the first port and address of the host that answers. The error is that of the last try;
/// `NotFound` means that the host has no address.
pub async fn dial(address: &Address) -> io::Result<TcpStream> {
    // The system's look-up errors have no kind of their own.
    let hosts = address.resolve().await.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => error,
        _ => io::Error::new(io::ErrorKind::NotFound, error),
    })?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for port in address.ports() {
        for ip in &hosts {
            match within(DIAL_WITHIN, TcpStream::connect(SocketAddr::new(*ip, port))).await {
                Ok(stream) => {
                    // A line of chat is small and wants to go at once.
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}

/// `work`, or an error when it takes longer than `limit`.
pub async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    future::or(work, async {
        smol::Timer::after(limit).await;
        Err(io::ErrorKind::TimedOut.into())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<(String, Option<u16>), BadAddress> {
        text.parse::<Address>().map(|a| (a.host.into(), a.port))
    }

    #[test]
    fn hosts_are_read_as_people_write_them() {
        let is = |text: &str, host: &str, port| assert_eq!(address(text), Ok((host.to_owned(), port)), "{text}");
        is("board", "board", None);
        is(" board:5100 ", "board", Some(5100));
        is("192.0.2.1:510", "192.0.2.1", Some(510));
        is("::1", "::1", None);
        is("fe80::1%eth0", "fe80::1%eth0", None);
        is("[::1]", "::1", None);
        is("[2001:db8::2]:510", "2001:db8::2", Some(510));
        is("客厅.local:510", "客厅.local", Some(510));
    }

    #[test]
    fn this_machine_is_known_by_its_names_and_numbers() {
        let is_here = |text: &str| text.parse::<Address>().unwrap().is_here();
        for here in ["localhost:510", "LocalHost", "127.0.0.1:5100", "127.9.9.9", "[::1]:510", "::ffff:127.0.0.1"] {
            assert!(is_here(here), "{here}");
        }
        for there in ["board", "192.0.2.1:510", "localhost.example", "::2"] {
            assert!(!is_here(there), "{there}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_reason() {
        use BadAddress::{Brackets, NoHost, NoPort};
        let cases = [("", NoHost), (":510", NoHost), ("[]:510", NoHost), ("two words", NoHost), ("a:", NoPort)];
        for (text, why) in cases {
            assert_eq!(address(text), Err(why), "{text}");
        }
        for (text, why) in
            [("a:0", NoPort), ("a:65536", NoPort), ("a:b", NoPort), ("[::1", Brackets), ("[::1]5", Brackets)]
        {
            assert_eq!(address(text), Err(why), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_can_be_typed_again() {
        for text in ["board", "board:510", "::1", "[::1]:510"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_port_that_listens_is_reached_and_a_closed_one_is_an_error() {
        smol::block_on(async {
            let listener = async_net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let address: Address = format!("127.0.0.1:{port}").parse().unwrap();
            let stream = dial(&address).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap().port(), port);
            assert!(stream.nodelay().unwrap());
            drop((stream, listener));
            assert_eq!(dial(&address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        });
    }
}
