//! Do the bytes of a connection pass as they should?

use std::net::TcpListener;

use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::*;
use crate::net::suites;
use crate::server::identity::Source;
use crate::server::tls::{Door, PlainTalk, shown};

/// A client that trusts the certificate in this folder.
fn client(data: &std::path::Path) -> ClientConnection {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data.join("tls.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(suites::provider()))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap()
}

/// A door, and a client that trusts its certificate.
pub fn door_and_client(data: &std::path::Path) -> (std::rc::Rc<Door>, ClientConnection) {
    let identity = Source::Own(data.into()).load(crate::server::unix_secs()).unwrap();
    (Door::new(shown(&identity).unwrap(), PlainTalk::Yes), client(data))
}

#[test]
fn the_ticket_goes_out_with_the_first_answer_and_not_alone() {
    let data = tempfile::tempdir().unwrap();
    let (door, mut anna) = door_and_client(data.path());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let link = Link::new(Async::new(listener.accept().unwrap().0).unwrap());
    link.begin_tls(door.config(&[])).unwrap();
    let mut text = String::new();
    let mut buffer = [0; 8192];
    while !link.is_open() {
        while anna.wants_write() {
            anna.write_tls(&mut far).unwrap();
        }
        smol::block_on(std::future::poll_fn(|cx| link.poll_readable(cx))).unwrap();
        link.read(&mut buffer, |_| {}).unwrap();
        if !link.is_open() {
            anna.read_tls(&mut far).unwrap();
            anna.process_new_packets().unwrap();
        }
    }
    assert_eq!((link.unsent_bytes(), anna.tls13_tickets_received()), (0, 0));
    far.set_nonblocking(true).unwrap();
    assert_eq!(far.peek(&mut [0]).map_err(|why| why.kind()), Err(io::ErrorKind::WouldBlock));
    far.set_nonblocking(false).unwrap();

    assert_eq!(link.write(b"PING :1\r\n").unwrap(), 9);
    while text.is_empty() {
        anna.read_tls(&mut far).unwrap();
        anna.process_new_packets().unwrap();
        let _ = anna.reader().read_to_string(&mut text);
    }
    assert_eq!((text.as_str(), anna.tls13_tickets_received()), ("PING :1\r\n", 1));
}
