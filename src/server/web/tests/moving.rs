//! Files up and down: whole, in parts, in the clear and through TLS, to their end and broken off.

use std::io::{Read, Write};
use std::time::Duration;

use crate::wire::http::{condition, digests};

use super::super::WebSettings;
use super::house::{Client, House, TICKET_BYTES, hurried, noise, settings, sha256};

#[test]
fn what_is_brought_is_had_again_whole_and_in_parts() {
    let house = House::new();
    let bytes = noise(3_000_000);
    let mut anna = house.visit();
    let fields = format!("Content-Length: {}\r\nRepr-Digest: {}\r\n", bytes.len(), digests::sha256(&sha256(&bytes)));
    let answer = anna.ask("PUT /cloud/%E4%BD%9C.bin", &fields, &bytes);
    assert_eq!((answer.status, answer.field("Location")), (201, Some("/cloud/%E4%BD%9C.bin")));
    assert_eq!(answer.text(), format!("{}  作.bin\n", sha256(&bytes)));
    let answer = anna.get("/cloud/%E4%BD%9C.bin");
    assert_eq!(answer.status, 200);
    assert!(answer.body == bytes);
    assert_eq!(answer.field("Repr-Digest"), Some(digests::sha256(&sha256(&bytes)).as_str()));
    for (range, part) in
        [("bytes=0-0", 0..1), ("bytes=100000-", 100_000..3_000_000), ("bytes=-70000", 2_930_000..3_000_000)]
    {
        let answer = anna.ask("GET /cloud/%E4%BD%9C.bin", &format!("Range: {range}\r\n"), b"");
        assert_eq!(answer.status, 206);
        assert!(answer.body == bytes[part], "{range}");
    }
    let tag = condition::etag(&sha256(&bytes));
    let answer = anna.ask("GET /cloud/%E4%BD%9C.bin", &format!("If-None-Match: {tag}\r\n"), b"");
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    let answer = anna.ask("HEAD /cloud/%E4%BD%9C.bin", "", b"");
    assert_eq!((answer.status, answer.field("Content-Length")), (200, Some("3000000")));
    assert_eq!(anna.get("/health").status, 200);
}

#[test]
fn an_empty_file_is_a_file() {
    let house = House::new();
    let mut anna = house.visit();
    assert_eq!(anna.ask("PUT /cloud/empty", "Content-Length: 0\r\n", b"").status, 201);
    let answer = anna.get("/cloud/empty");
    assert_eq!((answer.status, answer.field("Content-Length")), (200, Some("0")));
}

#[test]
fn chunks_are_joined() {
    let house = House::new();
    let bytes = noise(700_000);
    let mut body = Vec::new();
    for chunk in bytes.chunks(65_000) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let mut anna = house.visit();
    let answer = anna.ask(
        "POST /upload",
        "Transfer-Encoding: chunked\r\nContent-Disposition: attachment; filename=\"a/b.png\"\r\n",
        &body,
    );
    assert_eq!((answer.status, answer.field("Location")), (201, Some("/cloud/b.png")));
    assert!(anna.get("/cloud/b.png").body == bytes);
}

#[test]
fn leave_to_send_is_given_by_the_rules_only() {
    let house = House::new();
    let mut anna = house.visit();
    let ask = "Content-Length: 5\r\nExpect: 100-continue\r\n";
    assert_eq!(anna.ask("PUT /cloud/a", ask, b"").status, 100);
    anna.send(b"hello");
    assert_eq!(anna.answer(false).status, 201);
    let answer = anna.ask("PUT /cloud/taken", ask, b"");
    assert_eq!((answer.status, answer.text()), (409, "that name is taken\n"));
    assert!(anna.is_over(), "whether the bytes come is not known");
}

#[test]
fn a_refused_upload_ends_the_connection_only_when_it_is_long() {
    let house = House::new();
    let mut anna = house.visit();
    assert_eq!(anna.ask("PUT /cloud/taken", "Content-Length: 5\r\n", b"hello").status, 409);
    assert_eq!(anna.get("/health").status, 200);
    let long = vec![0; 1_000_000];
    let answer = anna.ask("PUT /cloud/taken", "Content-Length: 1000000\r\n", &long);
    assert_eq!((answer.status, answer.field("Connection")), (409, Some("close")));
    assert!(anna.is_over());
    let answer = house.visit().ask("PUT /cloud/huge", "Content-Length: 10000001\r\n", b"");
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[test]
fn other_bytes_than_announced_are_not_kept() {
    let house = House::new();
    let mut eve = house.visit();
    let fields = format!("Content-Length: 5\r\nRepr-Digest: {}\r\n", digests::sha256(&sha256(b"hello")));
    assert_eq!(eve.ask("PUT /cloud/a", &fields, b"hellO").status, 422);
    assert_eq!(eve.get("/cloud/a").status, 404);
    assert_eq!(eve.ask("PUT /cloud/a", &fields, b"hello").status, 201);
}

/// Waits until so many bytes of the ticket's upload have arrived.
fn wait_for_offset(house: &House, offset: usize) {
    loop {
        let answer = house.visit().ask("HEAD /t/up", "", b"");
        assert_eq!((answer.status, answer.field("Cache-Control")), (204, Some("no-store")));
        assert_eq!(answer.field("Upload-Length"), Some("300000"));
        if answer.field("Upload-Offset") == Some(&offset.to_string()) {
            return;
        }
    }
}

#[test]
fn an_upload_that_breaks_off_goes_on_where_it_was() {
    let house = House::new();
    let bytes = noise(TICKET_BYTES);
    let mut anna = house.visit();
    let head = "PATCH /t/up HTTP/1.1\r\nHost: a\r\nUpload-Offset: 0\r\nContent-Length: 300000\r\n\r\n";
    anna.send(head.as_bytes());
    anna.send(&bytes[..100_000]);
    drop(anna);
    wait_for_offset(&house, 100_000);
    let mut anna = house.visit();
    let wrong = anna.ask("PATCH /t/up", "Upload-Offset: 50000\r\nContent-Length: 5\r\n", b"hello");
    assert_eq!((wrong.status, wrong.field("Upload-Offset")), (409, Some("100000")));
    let part = anna.ask("PATCH /t/up", "Upload-Offset: 100000\r\nContent-Length: 50000\r\n", &bytes[100_000..150_000]);
    assert_eq!(
        (part.status, part.field("Upload-Offset"), part.field("Upload-Complete")),
        (204, Some("150000"), Some("?0"))
    );
    let rest = anna.ask("PATCH /t/up", "Upload-Offset: 150000\r\nContent-Length: 150000\r\n", &bytes[150_000..]);
    assert_eq!(
        (rest.status, rest.field("Upload-Offset"), rest.field("Upload-Complete")),
        (204, Some("300000"), Some("?1"))
    );
    assert_eq!(rest.field("Repr-Digest"), Some(digests::sha256(&sha256(&bytes)).as_str()));
    assert!(anna.get("/cloud/ticket").body == bytes);
}

#[test]
fn an_upload_that_stalls_is_cut_and_keeps_what_came() {
    let house = House::with(settings(), hurried());
    let mut anna = house.visit();
    anna.send(b"PATCH /t/up HTTP/1.1\r\nHost: a\r\nUpload-Offset: 0\r\nContent-Length: 300000\r\n\r\n");
    anna.send(&noise(TICKET_BYTES)[..70_000]);
    assert!(anna.is_over());
    wait_for_offset(&house, 70_000);
}

#[test]
fn tickets_are_for_one_way_only() {
    let house = House::new();
    house.bring("a", b"hello");
    let mut anna = house.visit();
    assert_eq!(anna.get("/t/up").status, 405);
    assert_eq!(anna.ask("PATCH /t/a", "Content-Length: 5\r\n", b"hello").status, 405);
    assert_eq!(anna.get("/t/a").text(), "hello");
    assert_eq!(anna.get("/t/unknown").status, 404);
}

#[test]
fn small_uploads_follow_each_other_without_waiting_for_the_disk() {
    let house = House::new();
    let mut anna = house.visit();
    let mut all = Vec::new();
    for n in 0..50 {
        all.extend_from_slice(
            format!("PATCH /t/small{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").as_bytes(),
        );
    }
    all.extend_from_slice(b"GET /cloud/small49 HTTP/1.1\r\nHost: a\r\n\r\n");
    anna.send(&all);
    for n in 0..50 {
        assert_eq!(anna.answer(false).status, 204, "{n}");
    }
    assert_eq!(anna.answer(false).text(), "hello", "what asks waits for what changes");
}

#[test]
fn a_refusal_among_small_uploads_is_for_its_own_one_only() {
    let house = House::new();
    let mut anna = house.visit();
    let mut all = Vec::new();
    for (token, body) in
        [("small1", "hello"), ("unknown", "what?"), ("small2", "hellO"), ("small2", "hello"), ("small3", "hello")]
    {
        all.extend_from_slice(
            format!("PATCH /t/{token} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{body}").as_bytes(),
        );
    }
    all.extend_from_slice(b"PATCH /t/small4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhelloPATCH /t/small5 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    anna.send(&all);
    for status in [204, 404, 422, 204, 204, 204] {
        assert_eq!(anna.answer(false).status, status);
    }
    assert!(anna.is_over());
    let asked = std::iter::from_fn(|| house.asked.try_recv().ok()).count();
    assert_eq!(asked, 6, "nobody asked for what came behind the end");
}

#[test]
fn who_reads_slowly_gets_everything_all_the_same() {
    let house = House::new();
    let bytes = noise(9_000_000);
    house.bring("a", &bytes);
    let mut slow = house.visit();
    slow.send(b"GET /cloud/a HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    // Meanwhile the sockets' buffers are full, and the others are served.
    assert!(house.visit().get("/cloud/a").body == bytes);
    assert!(slow.answer(false).body == bytes);
    assert_eq!(slow.answer(false).text(), "ok\n");
}

#[test]
fn those_who_read_slowly_do_not_disturb_each_other() {
    let house = House::new();
    let bytes = noise(60_000);
    house.bring("a", &bytes);
    let mut slow: Vec<Client> = (0..3).map(|_| house.visit()).collect();
    // More than the sockets' buffers take.
    let many = "GET /cloud/a HTTP/1.1\r\nHost: a\r\n\r\n".repeat(250);
    slow.iter_mut().for_each(|client| client.send(many.as_bytes()));
    assert!(house.visit().get("/cloud/a").body == bytes);
    for client in &mut slow {
        for _ in 0..250 {
            assert!(client.answer(false).body == bytes);
        }
    }
}

#[test]
fn who_reads_nothing_is_cut() {
    let house = House::with(settings(), hurried());
    house.bring("a", &noise(9_500_000));
    let mut eve = house.visit();
    eve.send(b"GET /cloud/a HTTP/1.1\r\nHost: a\r\n\r\n");
    let one = WebSettings { max_transfers: 1, ..settings() };
    let house = House::with(one, hurried());
    house.bring("a", &noise(9_500_000));
    let mut eve = house.visit();
    eve.send(b"GET /cloud/a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(eve.read());
    loop {
        let answer = house.visit().ask("GET /cloud/a", "Range: bytes=0-99999\r\n", b"");
        if answer.status == 206 {
            break;
        }
        assert_eq!((answer.status, answer.field("Retry-After")), (503, Some("5")));
    }
}

#[test]
fn a_rate_is_kept() {
    let house =
        House::with(WebSettings { rate: Some(2_000_000), ..settings() }, super::super::shared::Patience::default());
    let bytes = noise(600_000);
    let begun = std::time::Instant::now();
    house.bring("a", &bytes);
    assert!(house.visit().get("/cloud/a").body == bytes);
    // Twice 600 kB at 2 MB/s, but for what may go at once and for the last piece that was read.
    assert!(begun.elapsed() > Duration::from_millis(300), "{:?}", begun.elapsed());
}

/// A connection through TLS.
struct Encrypted(rustls::StreamOwned<rustls::ClientConnection, std::net::TcpStream>);

impl Encrypted {
    fn visit(house: &House) -> Encrypted {
        let data = tempfile::tempdir().unwrap();
        let (door, client) = crate::server::transport::tests::door_and_client(data.path());
        let (stream, link) = house.accept();
        link.begin_tls(door.config(&[])).unwrap();
        let shaking = std::thread::spawn(move || {
            let mut encrypted = rustls::StreamOwned::new(client, stream);
            encrypted.flush().unwrap();
            while encrypted.conn.is_handshaking() {
                encrypted.conn.complete_io(&mut encrypted.sock).unwrap();
            }
            encrypted
        });
        let mut buffer = [0; 8192];
        while !link.is_open() {
            smol::block_on(std::future::poll_fn(|cx| link.poll_readable(cx))).unwrap();
            link.read(&mut buffer, |_| {}).unwrap();
        }
        house.take(link);
        Encrypted(shaking.join().unwrap())
    }

    fn ask(&mut self, request: &str, body: &[u8]) -> (String, Vec<u8>) {
        self.0.write_all(request.as_bytes()).unwrap();
        self.0.write_all(body).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        (head, body)
    }
}

#[test]
fn through_tls_everything_is_the_same() {
    let house = House::new();
    let bytes = noise(5_000_000);
    let mut anna = Encrypted::visit(&house);
    let put = format!("PUT /cloud/a HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let (head, body) = anna.ask(&put, &bytes);
    assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
    assert!(body.starts_with(sha256(&bytes).to_string().as_bytes()));
    assert!(smol::block_on(house.asked.recv()).unwrap().is_secure);
    for _ in 0..2 {
        let (_, body) = anna.ask("GET /cloud/a HTTP/1.1\r\nHost: a\r\n\r\n", b"");
        assert!(body == bytes);
    }
    let mut plain: Client = house.visit();
    assert!(plain.get("/cloud/a").body == bytes);
}
