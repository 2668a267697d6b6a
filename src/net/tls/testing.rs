//! A small server that speaks TLS, for tests on the loopback interface.

use std::sync::Arc;

use async_net::{TcpListener, TcpStream};
use futures_rustls::TlsAcceptor;
use futures_rustls::server::TlsStream;
use rcgen::{CertificateParams, KeyPair, PublicKeyData, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::net::Address;
use crate::wire::fingerprint::Fingerprint;

/// A key, and certificates for it.
pub struct Identity(KeyPair);

impl Identity {
    /// A key that nobody has seen before.
    pub fn generate() -> Identity {
        Identity(KeyPair::generate().unwrap())
    }

    /// What people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_spki(&self.0.subject_public_key_info())
    }

    fn certificate(&self, is_expired: bool) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["gzy".into()]).unwrap();
        if is_expired {
            (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        }
        params.self_signed(&self.0).unwrap().into()
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.0.serialize_der()).unwrap()
    }
}

/// What a test server does differently from a healthy one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing.
    None,
    /// Its certificate ended long ago.
    Expired,
    /// It speaks TLS 1.2 and nothing newer.
    Tls12,
    /// It shows somebody's certificate and does not have the key to it.
    Thief,
}

/// A listening server.
pub struct TlsServer {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl TlsServer {
    /// Listens on a free port.
    pub async fn start(identity: &Identity, quirk: Quirk) -> TlsServer {
        TlsServer { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), acceptor: acceptor(identity, quirk) }
    }

    /// The same place with another key.
    pub fn with(&self, identity: &Identity, quirk: Quirk) -> TlsServer {
        TlsServer { listener: self.listener.clone(), acceptor: acceptor(identity, quirk) }
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        self.listener.local_addr().unwrap().to_string().parse().unwrap()
    }

    /// The next client, when the handshake goes well.
    pub async fn accept(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let (stream, _) = self.listener.accept().await.unwrap();
        self.acceptor.accept(stream).await
    }
}

fn acceptor(identity: &Identity, quirk: Quirk) -> TlsAcceptor {
    let provider = Arc::new(crate::net::suites::provider());
    let versions: &[_] = match quirk {
        Quirk::Tls12 => &[&rustls::version::TLS12],
        _ => &[&rustls::version::TLS13, &rustls::version::TLS12],
    };
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth();
    let certificates = vec![identity.certificate(quirk == Quirk::Expired)];
    let config = match quirk {
        Quirk::Thief => {
            let own = provider.key_provider.load_private_key(Identity::generate().key()).unwrap();
            builder.with_cert_resolver(Arc::new(Shows(Arc::new(CertifiedKey::new(certificates, own)))))
        }
        _ => builder.with_single_cert(certificates, identity.key()).unwrap(),
    };
    TlsAcceptor::from(Arc::new(config))
}

#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl rustls::server::ResolvesServerCert for Shows {
    fn resolve(&self, _hello: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
