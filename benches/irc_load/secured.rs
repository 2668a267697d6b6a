//! What does the generator's side of TLS look like? Any certificate will do: this measures, it does not trust.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme, StreamOwned,
};

/// Nobody checks it.
const NAME: &str = "bench.example";
/// What a record adds to its text, at most.
const RECORD_OVERHEAD: usize = 64;
/// Longer ones do not exist, header and tag included: the room that the beginning of one can take.
pub const LONGEST_RECORD: usize = (16 << 10) + 2048 + 5;

/// Makes connections encrypted. Every handshake is a full one.
#[derive(Clone)]
pub struct Encryption(Arc<ClientConfig>);

impl Encryption {
    /// TLS 1.3, where the server has it.
    pub fn new() -> Result<Self, String> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS);
        let mut config = config
            .map_err(|error| format!("cannot set up TLS: {error}"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Encryption(Arc::new(config)))
    }

    /// The TLS side of a connection that somebody else reads and writes.
    pub fn session(&self) -> Result<Session, String> {
        let session = UnbufferedClientConnection::new(self.0.clone(), name()).map_err(broken)?;
        Ok(Session { session, incoming: Vec::new(), unsaid: Vec::new(), is_open: false })
    }
}

/// A connection that waits for what it reads and writes, in the clear or through TLS.
pub enum Pipe {
    /// In the clear.
    Plain(TcpStream),
    /// Through TLS.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Pipe {
    /// Through TLS, if there is encryption; the handshake happens with the first write or read.
    pub fn new(socket: TcpStream, encryption: Option<&Encryption>) -> Result<Self, String> {
        let Some(Encryption(config)) = encryption else { return Ok(Pipe::Plain(socket)) };
        let session = ClientConnection::new(config.clone(), name()).map_err(broken)?;
        Ok(Pipe::Tls(Box::new(StreamOwned::new(session, socket))))
    }

    /// What is underneath.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Pipe::Plain(socket) => socket,
            Pipe::Tls(stream) => stream.get_ref(),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Pipe::Plain(socket) => socket.read(buffer),
            Pipe::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Pipe::Plain(socket) => socket.write(bytes),
            Pipe::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Pipe::Plain(socket) => socket.flush(),
            Pipe::Tls(stream) => stream.flush(),
        }
    }
}

/// The TLS side of one member's connection.
pub struct Session {
    session: UnbufferedClientConnection,
    /// The beginning of a record whose rest has not come.
    incoming: Vec<u8>,
    /// Said before the handshake was done.
    unsaid: Vec<u8>,
    is_open: bool,
}

impl Session {
    /// Whether the handshake is done.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Which TLS it is, and which suite.
    pub fn kind(&self) -> String {
        let version = match self.session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "1.3",
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            _ => "?",
        };
        let suite = self.session.negotiated_cipher_suite().map_or("?", |suite| suite.suite().as_str().unwrap_or("?"));
        format!("{version} {suite}")
    }

    /// Begins the handshake: what is to be sent first is put behind `sealed`.
    pub fn begin(&mut self, sealed: &mut Vec<u8>) -> Result<(), String> {
        self.advance(&mut [], &mut [], &[], sealed).map(|_| ())
    }

    /// Copies the unfinished record to the front of `buffer`; says how long it is. What is read belongs behind it.
    pub fn put_begun(&mut self, buffer: &mut [u8]) -> usize {
        buffer[..self.incoming.len()].copy_from_slice(&self.incoming);
        self.incoming.len()
    }

    /// Decrypts what came (with what `put_begun` gave in front), puts the text into `plain`, and says how long it is.
    /// What has to be answered is put behind `sealed`. The text is never longer than what came.
    pub fn open(&mut self, came: &mut [u8], plain: &mut [u8], sealed: &mut Vec<u8>) -> Result<usize, String> {
        let (used, len) = self.advance(came, plain, &[], sealed)?;
        self.incoming.clear();
        self.incoming.extend_from_slice(&came[used..]);
        Ok(len)
    }

    /// Encrypts and puts it behind `sealed`; before the end of the handshake it is kept until then.
    pub fn seal(&mut self, text: &[u8], sealed: &mut Vec<u8>) -> Result<(), String> {
        if !self.is_open {
            self.unsaid.extend_from_slice(text);
            return Ok(());
        }
        let mut incoming = std::mem::take(&mut self.incoming);
        let (used, _) = self.advance(&mut incoming, &mut [], text, sealed)?;
        incoming.drain(..used);
        self.incoming = incoming;
        Ok(())
    }

    /// Lets the session work until it waits for the server, and then say `say`; how much of `came` is used up, and how
    /// long the text in it is.
    fn advance(
        &mut self,
        came: &mut [u8],
        plain: &mut [u8],
        say: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(usize, usize), String> {
        let (mut used, mut len) = (0, 0);
        loop {
            let UnbufferedStatus { mut discard, state } = self.session.process_tls_records(&mut came[used..]);
            let is_done = match state.map_err(broken)? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(broken)?;
                        discard += record.discard;
                        plain[len..len + record.payload.len()].copy_from_slice(record.payload);
                        len += record.payload.len();
                    }
                    false
                }
                ConnectionState::EncodeTlsData(mut record) => {
                    append(sealed, RECORD_OVERHEAD, |to| match record.encode(to) {
                        Err(EncodeError::InsufficientSize(size)) => Err(Ok(size.required_size)),
                        result => result.map_err(|error| Err(error.to_string())),
                    })?;
                    false
                }
                ConnectionState::TransmitTlsData(sent) => {
                    sent.done();
                    false
                }
                ConnectionState::WriteTraffic(mut traffic) => {
                    self.is_open = true;
                    let unsaid = std::mem::take(&mut self.unsaid);
                    for text in [&unsaid[..], say].into_iter().filter(|text| !text.is_empty()) {
                        append(sealed, text.len() + RECORD_OVERHEAD, |to| match traffic.encrypt(text, to) {
                            Err(EncryptError::InsufficientSize(size)) => Err(Ok(size.required_size)),
                            result => result.map_err(|error| Err(error.to_string())),
                        })?;
                    }
                    true
                }
                ConnectionState::PeerClosed => false,
                _ => true,
            };
            used += discard;
            if is_done {
                return Ok((used, len));
            }
        }
    }
}

/// Lets something be written behind `to`, and once more where the room was too small (`Err(Ok)` says how much it needs).
fn append(
    to: &mut Vec<u8>,
    room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Result<usize, String>>,
) -> Result<(), String> {
    let start = to.len();
    let mut room = room;
    loop {
        to.resize(start + room, 0);
        match write(&mut to[start..]) {
            Ok(written) => {
                to.truncate(start + written);
                return Ok(());
            }
            Err(Ok(needed)) if needed > room => room = needed,
            Err(Ok(_)) => return Err("TLS: no room is enough".to_owned()),
            Err(Err(error)) => return Err(format!("TLS: {error}")),
        }
    }
}

fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("it is a name")
}

fn broken(error: Error) -> String {
    format!("TLS: {error}")
}

/// Takes every certificate and every signature: the generator's CPU time is not what is measured.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
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
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
