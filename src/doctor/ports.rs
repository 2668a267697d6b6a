//! Who is at the ports of the service.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use async_net::TcpStream;
use smol::future;
use smol::io::{AsyncReadExt, AsyncWriteExt};

use super::PORTS;
use crate::chat::SERVER_NAME;
use crate::net::tls::Encryption;
use crate::wire::fingerprint::Fingerprint;

/// How long whoever holds a port may take to answer: it runs on this machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Bytes of an answer that are looked at: a server of ours says its name at the start of its first line.
const ANSWER_BYTES: usize = 512;

/// What is at a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PortState {
    /// It can be had.
    Free,
    /// A server of GZY answers there.
    Gzy,
    /// Another program has it.
    Taken,
    /// This user may not have it, but its stand-in.
    NeedsRights,
    /// It cannot be had, in the system's words.
    Failed(String),
}

impl PortState {
    /// Whether a server can run, or runs, with the port like that. The service's own port may need rights: there is another.
    pub fn is_fine(&self, port: u16) -> bool {
        match self {
            PortState::Free | PortState::Gzy => true,
            PortState::NeedsRights => port == PORTS[0],
            PortState::Taken | PortState::Failed(_) => false,
        }
    }
}

/// What is at the service's port; and at its stand-in where that counts. `key`: the key of the server whose data folder is looked at.
pub fn states(key: Option<Fingerprint>) -> Vec<(u16, PortState)> {
    let own = state(PORTS[0], key);
    let needs_other = own == PortState::NeedsRights;
    let mut states = vec![(PORTS[0], own)];
    if needs_other {
        states.push((PORTS[1], state(PORTS[1], key)));
    }
    states
}

/// The port to type: where a server answers, else where one would listen.
pub fn to_type(states: &[(u16, PortState)]) -> u16 {
    let at = |wanted: PortState| states.iter().find(|(_, state)| *state == wanted).map(|(port, _)| *port);
    at(PortState::Gzy).or_else(|| at(PortState::Free)).unwrap_or(PORTS[0])
}

/// Somebody may listen without this user being able to listen, so who answers is asked first.
fn state(port: u16, key: Option<Fingerprint>) -> PortState {
    if smol::block_on(answers_as_gzy(port, key)) {
        return PortState::Gzy;
    }
    // Let go at once: it was only asked whether it can be had.
    match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
        Ok(_) => PortState::Free,
        Err(why) => match why.kind() {
            io::ErrorKind::AddrInUse => PortState::Taken,
            io::ErrorKind::PermissionDenied => PortState::NeedsRights,
            _ => PortState::Failed(why.to_string()),
        },
    }
}

async fn answers_as_gzy(port: u16, key: Option<Fingerprint>) -> bool {
    let late = |answer: bool| async move {
        smol::Timer::after(ANSWER_WITHIN).await;
        answer
    };
    if future::or(names_itself(port), late(false)).await {
        return true;
    }
    // A server that takes nothing in clear is known by its key.
    let encrypted = async {
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return false };
        let shown = Encryption::default().wrap("localhost", stream).await;
        shown.is_ok_and(|(_, shown)| Some(shown) == key)
    };
    key.is_some() && future::or(encrypted, late(false)).await
}

/// Asks in clear; a server of ours answers with its name.
async fn names_itself(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(b"CAP LS 302\r\n").await?;
        let mut answer = vec![0; ANSWER_BYTES];
        let count = stream.read(&mut answer).await?;
        answer.truncate(count);
        io::Result::Ok(answer)
    };
    ask.await.is_ok_and(|answer| answer.starts_with(format!(":{SERVER_NAME} ").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::testing::{Identity, Quirk, TlsServer};

    /// What is said about a port where somebody answers so.
    fn seen(answer: &'static [u8]) -> PortState {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut asked = [0; 100];
                let _ = io::Read::read(&mut stream, &mut asked);
                let _ = io::Write::write_all(&mut stream, answer);
            }
        });
        state(port, None)
    }

    #[test]
    fn a_port_in_use_is_told_apart_by_who_answers() {
        assert_eq!(seen(b":gzy.local CAP * LS :sasl\r\n"), PortState::Gzy);
        assert_eq!(seen(b":irc.example NOTICE * :hi\r\n"), PortState::Taken);
        assert_eq!(seen(b""), PortState::Taken);
    }

    #[test]
    fn a_free_port_is_free() {
        let port = std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        assert_eq!(state(port, None), PortState::Free);
    }

    #[test]
    fn a_server_that_only_encrypts_is_known_by_its_key() {
        smol::block_on(async {
            let (identity, other) = (Identity::generate(), Identity::generate());
            let server = TlsServer::start(&identity, Quirk::None).await;
            let port = server.address().port().unwrap();
            let serve = async {
                loop {
                    let _ = server.accept().await;
                }
            };
            let ask = async {
                assert!(answers_as_gzy(port, Some(identity.fingerprint())).await);
                assert!(!answers_as_gzy(port, Some(other.fingerprint())).await);
            };
            future::or(ask, serve).await;
        });
    }

    #[test]
    fn the_port_to_type_is_where_a_server_is_or_would_be() {
        use PortState::{Free, Gzy, NeedsRights, Taken};
        assert_eq!(to_type(&[(510, Free)]), 510);
        assert_eq!(to_type(&[(510, NeedsRights), (5100, Free)]), 5100);
        assert_eq!(to_type(&[(510, NeedsRights), (5100, Gzy)]), 5100);
        assert_eq!(to_type(&[(510, Taken)]), 510);
        assert!(NeedsRights.is_fine(510) && !NeedsRights.is_fine(5100) && !Taken.is_fine(510));
    }
}
