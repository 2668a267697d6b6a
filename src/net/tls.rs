//! The client's side of an encrypted stream: the handshake, and whose key is at the other end.
//!
//! Names and dates in certificates are not looked at: nobody vouches for a board in a dormitory. What counts is that the other side holds the private key of the
//! certificate that it shows (the handshake's signature is checked), and which key that is. Whether to trust the key is the caller's decision, before it sends a byte.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_net::TcpStream;
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use smol::io::{AsyncRead, AsyncWrite};

use super::suites::provider;
use super::within;
use crate::wire::fingerprint::Fingerprint;

/// How long the handshake may take: two round trips on poor Wi-Fi, and a slow board's signature.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(15);

/// Bytes of the answer that are kept to tell what kind of server answered: one line of talk.
const ANSWER_BYTES: usize = 512;

/// The first byte of an answer in TLS: an alert, or a handshake message.
const TLS_ANSWERS: [u8; 2] = [0x15, 0x16];

/// Makes streams encrypted. One per server: it remembers sessions, which makes coming back cheaper.
#[derive(Clone)]
pub struct Encryption {
    config: Arc<ClientConfig>,
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encryption")
    }
}

impl Default for Encryption {
    fn default() -> Encryption {
        let provider = Arc::new(provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("ring has suites for both versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(HoldsItsKey(provider)))
            .with_no_client_auth();
        Encryption { config: Arc::new(config) }
    }
}

/// Why a stream could not be made encrypted.
#[derive(Debug)]
pub enum NotEncrypted {
    /// The stream failed before there was an answer in TLS, or the answer was none; with what was said instead.
    NoTls(Option<Box<str>>),
    /// The server speaks TLS, but not so that it could be agreed on.
    Failed(Box<str>),
}

impl Encryption {
    /// Shakes hands. Says whose key is at the other end: proven, but not yet trusted.
    pub async fn wrap(&self, host: &str, stream: TcpStream) -> Result<(Encrypted, Fingerprint), NotEncrypted> {
        let name = match ServerName::try_from(host.to_owned()) {
            Ok(name) => name,
            // Names that DNS does not know, `客厅` for one, are only there to be looked up.
            Err(_) => ServerName::try_from("gzy.invalid").expect("letters and a dot are a name"),
        };
        let listened = Listened { stream, answer: Vec::new() };
        let shaken = async {
            match TlsConnector::from(self.config.clone()).connect(name, listened).into_fallible().await {
                Ok(stream) => Ok(Ok(stream)),
                Err((error, listened)) => Ok(Err(listened.verdict(&error))),
            }
        };
        let stream = match within(HANDSHAKE_WITHIN, shaken).await {
            Ok(shaken) => shaken?,
            // It took the connection and does not answer: it may be waiting for a line of text.
            Err(_) => return Err(NotEncrypted::NoTls(None)),
        };
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let key = certificates.first().and_then(|certificate| Fingerprint::of_certificate(certificate));
        match key {
            Some(key) => Ok((Encrypted(Box::new(stream)), key)),
            None => Err(NotEncrypted::Failed("its certificate cannot be read".into())),
        }
    }
}

/// Checks that the server holds the private key of its certificate, and nothing else.
#[derive(Debug)]
struct HoldsItsKey(Arc<CryptoProvider>);

impl ServerCertVerifier for HoldsItsKey {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A connection that keeps the beginning of what the server says.
struct Listened {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Listened {
    /// What to make of a handshake that failed.
    fn verdict(self, error: &io::Error) -> NotEncrypted {
        match self.answer.first() {
            Some(first) if TLS_ANSWERS.contains(first) => NotEncrypted::Failed(error.to_string().into()),
            Some(_) => {
                let text = String::from_utf8_lossy(&self.answer);
                let line = text.lines().next().unwrap_or_default();
                NotEncrypted::NoTls((!line.is_empty()).then(|| line.into()))
            }
            None => NotEncrypted::NoTls(None),
        }
    }
}

impl AsyncRead for Listened {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(count)) = result {
            let room = ANSWER_BYTES - self.answer.len();
            self.answer.extend_from_slice(&buffer[..count.min(room)]);
        }
        result
    }
}

impl AsyncWrite for Listened {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

/// An encrypted stream. Its end is an end also where the server did not say goodbye in TLS: lines have ends of their own, and a half one is never used.
pub struct Encrypted(Box<TlsStream<Listened>>);

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut *self.0).poll_read(cx, buffer) {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
            other => other,
        }
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_close(cx)
    }
}

#[cfg(test)]
pub mod testing;

#[cfg(test)]
mod tests;
