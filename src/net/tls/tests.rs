//! Handshakes on the loopback interface.

use super::testing::{Identity, Quirk, TlsServer};
use super::*;
use crate::net::{Address, NotOpened, Opened, open};
use async_net::TcpListener;
use smol::future;
use smol::io::{AsyncReadExt, AsyncWriteExt};

async fn opened(address: &Address, encryption: &Encryption) -> Result<Opened, NotEncrypted> {
    open(address, Some(encryption)).await.map_err(|why| match why {
        NotOpened::Encrypting(why) => why,
        NotOpened::Dialing(error) => panic!("{error}"),
    })
}

/// What a client makes of a server that takes one connection.
async fn met(identity: &Identity, quirk: Quirk) -> Result<Opened, NotEncrypted> {
    let server = TlsServer::start(identity, quirk).await;
    let (address, encryption) = (server.address(), Encryption::default());
    future::zip(opened(&address, &encryption), server.accept()).await.0
}

/// What a client makes of a server that answers so to everything.
async fn answered(answer: &[u8]) -> NotEncrypted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Read first: closing with unread bytes would take the answer away.
        stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(answer).await.unwrap();
        stream.close().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    future::zip(opened(&address, &Encryption::default()), server).await.0.err().unwrap()
}

#[test]
fn a_stream_is_encrypted_and_the_key_at_its_other_end_is_known() {
    smol::block_on(async {
        let identity = Identity::generate();
        let server = TlsServer::start(&identity, Quirk::None).await;
        let talk = async {
            let mut opened = opened(&server.address(), &Encryption::default()).await.unwrap();
            assert_eq!(opened.key, Some(identity.fingerprint()));
            assert_eq!(Some(opened.port), server.address().port());
            opened.stream.write_all("你好\r\n".as_bytes()).await.unwrap();
            opened.stream.flush().await.unwrap();
            let mut answer = String::new();
            // The server is gone without a goodbye: an end, not an error.
            opened.stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let serve = async {
            let mut stream = server.accept().await.unwrap();
            let mut line = vec![0; "你好\r\n".len()];
            stream.read_exact(&mut line).await.unwrap();
            stream.write_all(&line).await.unwrap();
            stream.flush().await.unwrap();
        };
        assert_eq!(future::zip(talk, serve).await.0, "你好\r\n");
    });
}

#[test]
fn an_expired_certificate_with_a_key_is_as_good_as_any() {
    let identity = Identity::generate();
    let opened = smol::block_on(met(&identity, Quirk::Expired)).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(opened.key, Some(identity.fingerprint()));
}

#[test]
fn an_older_server_is_known_by_the_same_key() {
    let identity = Identity::generate();
    let opened = smol::block_on(met(&identity, Quirk::Tls12)).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(opened.key, Some(identity.fingerprint()));
}

#[test]
fn eve_who_shows_the_certificate_without_its_key_is_refused() {
    let refused = smol::block_on(met(&Identity::generate(), Quirk::Thief));
    assert!(matches!(refused, Err(NotEncrypted::Failed(_))));
}

#[test]
fn coming_back_is_a_resumption_and_the_key_is_still_known() {
    smol::block_on(async {
        let identity = Identity::generate();
        let server = TlsServer::start(&identity, Quirk::None).await;
        let encryption = Encryption::default();
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let serve = async {
                let mut stream = server.accept().await.unwrap();
                stream.write_all(b"x").await.unwrap();
                stream.flush().await.unwrap();
                kinds.push(stream.get_ref().1.handshake_kind().unwrap());
            };
            let talk = async {
                let mut opened = opened(&server.address(), &encryption).await.unwrap();
                // With the first byte come the tickets.
                opened.stream.read_exact(&mut [0]).await.unwrap();
                assert_eq!(opened.key, Some(identity.fingerprint()));
            };
            future::zip(serve, talk).await;
        }
        assert_eq!(kinds, [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed]);
    });
}

#[test]
fn a_server_that_answers_in_clear_is_told_apart_from_one_that_fails_at_tls() {
    smol::block_on(async {
        let NotEncrypted::NoTls(said) = answered(b"ERROR :the server is full\r\n").await else { panic!() };
        assert_eq!(said.as_deref(), Some("ERROR :the server is full"));
        assert!(matches!(answered(b"").await, NotEncrypted::NoTls(None)));
        let alert = answered(&[0x15, 3, 3, 0, 2, 2, 70]).await;
        assert!(matches!(alert, NotEncrypted::Failed(_)), "{alert:?}");
    });
}
