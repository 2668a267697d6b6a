//! Encrypted connections: who gets in, what strangers cannot do, and what happens when the key is replaced.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use gzy::net::suites;
use gzy::wire::fingerprint::Fingerprint;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustix::process::Signal;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned, SupportedProtocolVersion};
use tempfile::TempDir;

use crate::board::{Board, command, failure, folder};
use crate::person::{Person, make_patient};

/// A client's side of TLS over a socket.
type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts the certificates in a file and nothing else, and speaks these versions.
fn trusting(certificate: &Path, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    trusting_with(rustls::crypto::ring::default_provider(), certificate, versions)
}

/// The same with ciphers in another order.
fn trusting_with(
    provider: CryptoProvider,
    certificate: &Path,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(versions).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A client that knows the server's own certificate.
pub fn knowing(board: &Board) -> Arc<ClientConfig> {
    trusting(&board.data().join("tls.crt"), rustls::ALL_VERSIONS)
}

/// The handshake, to its end.
fn shake_hands(mut stream: TcpStream, config: Arc<ClientConfig>) -> Tls {
    make_patient(&stream);
    let mut session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut stream).unwrap();
    }
    StreamOwned::new(session, stream)
}

fn connect(board: &Board) -> TcpStream {
    let stream = TcpStream::connect(board.address).unwrap();
    make_patient(&stream);
    stream
}

/// Somebody on a socket that is encrypted from here on.
pub fn over(stream: TcpStream, config: Arc<ClientConfig>) -> Person {
    Person::through(Box::new(shake_hands(stream, config)))
}

fn join(board: &Board, config: &Arc<ClientConfig>, nick: &str) -> Person {
    let mut person = over(connect(board), config.clone());
    person.register(nick, "");
    person
}

/// Which key the server shows to one who asks.
fn shown_key(board: &Board, config: &Arc<ClientConfig>) -> Option<Fingerprint> {
    let mut stream = connect(board);
    // A session of its own, so that nothing is resumed.
    let mut config = (**config).clone();
    config.resumption = rustls::client::Resumption::disabled();
    let mut session = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut stream).ok()?;
    }
    session.peer_certificates().and_then(|chain| Fingerprint::of_certificate(&chain[0]))
}

/// What a stranger reads to the end who sends these bytes.
fn answer_to(board: &Board, bytes: &[u8]) -> Vec<u8> {
    let mut eve = connect(board);
    eve.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = eve.read_to_end(&mut answer);
    answer
}

#[test]
fn encrypted_and_plain_people_talk_in_one_room() {
    let board = Board::start(&[]);
    let certificate = board.data().join("tls.crt");
    let mut ben = Person::join(&board, "ben");
    for (nick, version) in [("anna", &rustls::version::TLS13), ("小阳", &rustls::version::TLS12)] {
        let mut encrypted = join(&board, &trusting(&certificate, &[version]), nick);
        encrypted.say("PRIVMSG #lobby :你好，这里没有人偷听");
        assert!(ben.hear(" PRIVMSG ").ends_with(":你好，这里没有人偷听"));
        ben.say("PRIVMSG #lobby :so tell me");
        assert!(encrypted.hear(" PRIVMSG ").ends_with(":so tell me"));
        let secure = format!(" 671 ben {nick} :");
        assert!(ben.ask(&format!("WHOIS {nick}")).iter().any(|line| line.contains(&secure)));
    }
    assert!(!ben.ask("WHOIS ben").iter().any(|line| line.contains(" 671 ")));
}

#[test]
fn the_ready_line_names_the_key_that_is_shown() {
    let board = Board::start(&[]);
    let config = knowing(&board);
    let (_, printed) = board.ready_line.split_once(" with the key ").unwrap();
    assert_eq!(printed.trim().parse::<Fingerprint>().ok(), shown_key(&board, &config));
    assert!(shown_key(&board, &config).is_some());
}

#[test]
fn who_comes_back_goes_on_with_the_old_session() {
    let board = Board::start(&[]);
    let config = knowing(&board);
    for (nick, kind) in [("anna", HandshakeKind::Full), ("ben", HandshakeKind::Resumed)] {
        let tls = shake_hands(connect(&board), config.clone());
        assert_eq!(tls.conn.handshake_kind(), Some(kind));
        Person::through(Box::new(tls)).register(nick, "");
    }
}

#[test]
fn who_is_quick_at_aes_gets_the_short_one_and_who_asks_for_chacha_gets_that() {
    use rustls::CipherSuite::{TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256};
    let board = Board::start(&[]);
    let aes = if suites::has_aes_instructions() { TLS13_AES_128_GCM_SHA256 } else { TLS13_CHACHA20_POLY1305_SHA256 };
    for (wanted, spoken) in
        [(TLS13_AES_256_GCM_SHA384, aes), (TLS13_CHACHA20_POLY1305_SHA256, TLS13_CHACHA20_POLY1305_SHA256)]
    {
        let mut provider = rustls::crypto::ring::default_provider();
        provider.cipher_suites.sort_by_key(|suite| suite.suite() != wanted);
        let config = trusting_with(provider, &board.data().join("tls.crt"), rustls::ALL_VERSIONS);
        let tls = shake_hands(connect(&board), config);
        assert_eq!(tls.conn.negotiated_cipher_suite().map(|suite| suite.suite()), Some(spoken));
    }
}

#[test]
fn strangers_get_an_alert_or_nothing_and_hold_nobody_up() {
    let board = Board::start(&[]);
    let config = knowing(&board);
    let _silent: Vec<TcpStream> = [&b"\x16"[..], b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x03\x40\x00"]
        .iter()
        .map(|beginning| {
            let mut eve = connect(&board);
            eve.write_all(beginning).unwrap();
            eve
        })
        .collect();
    // TLS 1.0 and nothing newer, with one suite of its time.
    let old =
        [&b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01"[..], &[7; 32], b"\x00\x00\x02\x00\x2f\x01\x00"].concat();
    for bytes in [&old[..], b"\x16\xff\xff\xff\xff\xff\xff\xff"] {
        let answer = answer_to(&board, bytes);
        assert_eq!(answer.first(), Some(&0x15), "an alert: {answer:?}");
        assert_eq!(answer.len(), 7, "{answer:?}");
    }
    // A message that is longer than any.
    let garbage = [&b"\x16\x03\x01\x00\x20"[..], &[0xaa; 32]].concat();
    assert_eq!(answer_to(&board, &garbage), b"");
    join(&board, &config, "anna");
}

#[test]
fn plain_text_or_damage_behind_the_handshake_ends_the_connection() {
    let board = Board::start(&[]);
    let config = knowing(&board);
    let mut anna = Person::join(&board, "anna");
    for (nick, bytes) in [
        ("eve", &b"PRIVMSG #lobby :in the clear\r\n"[..]),
        ("eva", b"\x17\x03\x03\x00\x20damaged damaged damaged damaged "),
    ] {
        let mut tls = shake_hands(connect(&board), config.clone());
        tls.write_all(format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n").as_bytes()).unwrap();
        tls.flush().unwrap();
        anna.hear(" JOIN ");
        tls.sock.write_all(bytes).unwrap();
        assert!(anna.hear(" QUIT ").contains(" QUIT :TLS: "));
    }
}

#[test]
fn half_a_record_and_silence_hold_nobody_up_and_the_rest_completes_it() {
    let board = Board::start(&[]);
    let config = knowing(&board);
    let (mut anna, mut ben) = (join(&board, &config, "anna"), join(&board, &config, "ben"));
    let mut tls = shake_hands(connect(&board), config);
    tls.write_all("NICK 小阳\r\nUSER 小阳 0 * :小阳\r\n".as_bytes()).unwrap();
    tls.flush().unwrap();
    anna.hear(" JOIN ");
    let mut record = Vec::new();
    tls.conn.writer().write_all("PRIVMSG #lobby :说到一半\r\n".as_bytes()).unwrap();
    tls.conn.write_tls(&mut record).unwrap();
    let (half, rest) = record.split_at(record.len() / 2);
    tls.sock.write_all(half).unwrap();
    for _ in 0..3 {
        anna.say("PRIVMSG #lobby :还在说");
        assert!(ben.hear(" PRIVMSG ").ends_with(":还在说"));
    }
    tls.sock.write_all(rest).unwrap();
    assert!(ben.hear(" PRIVMSG ").ends_with(":说到一半"));
}

/// A folder with a key of its own, and a certificate around it that ended long ago.
fn expired_identity() -> TempDir {
    let files = folder();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let certificate = params.self_signed(&key).unwrap();
    let parts =
        [("tls.key", "PRIVATE KEY", key.serialize_der()), ("tls.crt", "CERTIFICATE", certificate.der().to_vec())];
    for (name, label, der) in parts {
        let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", Base64::encode_string(&der));
        fs::write(files.path().join(name), pem).unwrap();
        fs::set_permissions(files.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    files
}

/// `gzy say` with a config folder of its own: whether it got through, and what it said about it.
fn gzy_say(home: &Path, server: &str) -> (bool, String) {
    let mut say = Command::new(env!("CARGO_BIN_EXE_gzy"));
    say.args(["say", server, "晚上好"]).env("XDG_CONFIG_HOME", home).env("LC_ALL", "C").stdin(Stdio::null());
    let done = say.output().unwrap();
    (done.status.success(), String::from_utf8(done.stderr).unwrap())
}

#[test]
fn an_expired_certificate_is_named_in_the_log_and_known_by_its_key() {
    let (data, files, home) = (folder(), expired_identity(), folder());
    let (certificate, key) = (files.path().join("tls.crt"), files.path().join("tls.key"));
    let args = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let board = Board::start_in(data.path(), &args);
    assert!(board.log().contains(&format!("the certificate {} has ended", certificate.display())), "{}", board.log());
    let mut ben = Person::join(&board, "ben");
    let (is_said, words) = gzy_say(home.path(), &board.address.to_string());
    assert!(is_said, "{words}");
    assert!(ben.hear(" PRIVMSG ").ends_with(":晚上好"));
    // Who goes by the certificate refuses it.
    assert_eq!(shown_key(&board, &trusting(&certificate, rustls::ALL_VERSIONS)), None);
}

#[test]
fn an_expired_certificate_of_its_own_is_made_anew_around_the_same_key() {
    let data = expired_identity();
    let old = fs::read(data.path().join("tls.crt")).unwrap();
    let board = Board::start_in(data.path(), &[]);
    assert_ne!(fs::read(data.path().join("tls.crt")).unwrap(), old);
    let shown = shown_key(&board, &knowing(&board));
    assert_eq!(shown, Fingerprint::of_certificate(&CertificateDer::from_pem_slice(&old).unwrap()));
}

#[test]
fn a_wrong_pin_keeps_the_client_out_and_a_right_one_lets_it_in() {
    let (board, home) = (Board::start(&[]), folder());
    let mut ben = Person::join(&board, "ben");
    let key = shown_key(&board, &knowing(&board)).unwrap().hex();
    let wrong = format!("gzy://{}#sha256={}", board.address, key.chars().rev().collect::<String>());
    let (is_said, words) = gzy_say(home.path(), &wrong);
    assert!(!is_said && words.contains("is NOT the one in the address") && words.contains(&key), "{words}");
    assert!(!home.path().join("gzy").join("known_servers").exists(), "nothing is remembered");
    let right = format!("gzy://{}#sha256={key}", board.address);
    assert!(gzy_say(home.path(), &right).0);
    assert!(ben.hear(" PRIVMSG ").ends_with(":晚上好"));
    assert_eq!(board.log().matches(" is in, ").count(), 2, "ben and the one with the right key: {}", board.log());
}

#[test]
fn the_server_says_that_it_ends_before_it_hangs_up() {
    let board = Board::start(&[]);
    let mut tls = shake_hands(connect(&board), knowing(&board));
    tls.write_all(b"NICK anna\r\nUSER anna 0 * :anna\r\nPING in\r\n").unwrap();
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&heard).contains(" PONG ") {
        let count = tls.read(&mut piece).unwrap();
        heard.extend_from_slice(&piece[..count]);
    }
    assert!(board.stop().success());
    // Without a close_notify this is an error: whoever cuts the line could pass for the server.
    tls.read_to_end(&mut heard).unwrap();
    assert!(String::from_utf8_lossy(&heard).contains("ERROR :"));
}

#[test]
fn a_server_may_take_nobody_in_the_clear() {
    let board = Board::start(&["--plain", "no"]);
    let mut eve = Person::connect(&board);
    eve.say("NICK eve");
    assert!(eve.hear("ERROR :").contains("encrypted connections only (TLS on the same port)"));
    assert_eq!(eve.next(), None);
    join(&board, &knowing(&board), "anna");
    let local = Board::start(&["--plain", "local"]);
    Person::join(&local, "ben");
}

#[test]
fn a_key_that_others_can_read_keeps_the_server_from_starting() {
    let data = folder();
    Board::start_in(data.path(), &[]).stop();
    let key = data.path().join("tls.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let failure = failure(command(data.path(), &[]));
    assert_eq!(failure.code, Some(1));
    assert!(failure.sentence.contains(&format!("chmod 600 {}", key.display())), "{}", failure.sentence);
}

/// Puts the identity of one server where another reads its own.
fn copy_identity(from: &Path, to: &Path) {
    for name in ["tls.key", "tls.crt"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_new_certificate_is_shown_after_a_hangup_and_a_bad_one_is_not() {
    let (data, files, other) = (folder(), folder(), folder());
    for made in [&files, &other] {
        Board::start_in(made.path(), &[]).stop();
    }
    let (certificate, key) = (files.path().join("tls.crt"), files.path().join("tls.key"));
    let args = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let before = trusting(&certificate, rustls::ALL_VERSIONS);
    let board = Board::start_in(data.path(), &args);
    let mut people: Vec<Person> = (0..20).map(|n| join(&board, &before, &format!("p{n}"))).collect();

    copy_identity(other.path(), files.path());
    let after = trusting(&certificate, rustls::ALL_VERSIONS);
    board.signal(Signal::HUP);
    let mut said = 0;
    while shown_key(&board, &after).is_none() {
        said += 1;
        people[0].say(&format!("PRIVMSG #lobby :{said}"));
        people[0].settle();
    }
    people[0].say("PRIVMSG #lobby :the last");
    for person in &mut people[1..] {
        person.hear(":the last");
    }

    fs::write(&key, "no key").unwrap();
    board.signal(Signal::HUP);
    while !board.log().contains("the certificate in use stays") {
        people[0].settle();
    }
    assert!(board.log().contains("there is no private key in"));
    assert!(shown_key(&board, &after).is_some());
}

#[test]
fn two_hundred_encrypted_people_hear_each_other() {
    const PEOPLE: usize = 200;
    let board = Board::start(&["--per-ip", "300", "--replay", "0"]);
    let config = knowing(&board);
    let mut people: Vec<Person> = (0..PEOPLE).map(|n| join(&board, &config, &format!("p{n}"))).collect();
    for speaker in [0, 1, PEOPLE - 1] {
        people[speaker].say(&format!("PRIVMSG #lobby :{speaker} 说话"));
        for (at, person) in people.iter_mut().enumerate() {
            if at != speaker {
                assert!(person.hear(" PRIVMSG ").ends_with(&format!(":{speaker} 说话")));
            }
        }
    }
}
