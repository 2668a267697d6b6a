//! Are heads read as the standards say, and refused where two readers could disagree?

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Head, BadRequest> {
    let length = end(text.as_bytes(), 0)?.expect("the head is whole");
    Head::parse(&text.as_bytes()[..length])
}

/// The status of the refusal; 0 when it was taken.
fn status(text: &str) -> u16 {
    parse(text).map_or_else(|why| why.status, |_| 0)
}

fn with(fields: &str) -> String {
    format!("PUT /cloud/a HTTP/1.1\r\nHost: board:510\r\n{fields}\r\n")
}

#[test]
fn a_request_of_curl_is_read() {
    let head = parse(
        "GET /cloud/%E4%BD%9C%E4%B8%9A%201.zip?x=1 HTTP/1.1\r\nHost: board:510\r\nUser-Agent: curl/8\r\nAccept: */*\r\nRange: bytes=5-\r\n\r\n",
    )
    .unwrap();
    assert_eq!((head.method, head.path.as_str(), head.framing), (Method::Get, "/cloud/作业 1.zip", Framing::Length(0)));
    assert!(head.is_1_1 && head.keeps_alive && !head.expects_continue && !head.has_body());
    assert_eq!(head.field(Field::Range), Some("bytes=5-"));
    assert_eq!(head.field(Field::Origin), None);
    let head = parse(&with("Content-Length: 5\r\nExpect: 100-Continue\r\n")).unwrap();
    assert_eq!((head.method, head.framing, head.expects_continue), (Method::Put, Framing::Length(5), true));
    assert_eq!(parse(&with("transfer-encoding: Chunked\r\n")).unwrap().framing, Framing::Chunked);
}

#[test]
fn the_connection_goes_on_as_both_versions_say() {
    for (head, goes_on) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo\r\nConnection: TE, Close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ] {
        assert_eq!(parse(head).unwrap().keeps_alive, goes_on, "{head}");
    }
}

#[test]
fn every_form_of_a_target_is_read() {
    let path = |target: &str| parse(&format!("OPTIONS {target} HTTP/1.1\r\nHost: a\r\n\r\n")).map(|head| head.path);
    assert_eq!(path("*").unwrap(), "*");
    assert_eq!(path("/a?b=/c").unwrap(), "/a");
    assert_eq!(path("http://other:510/a%2Fb").unwrap(), "/a/b");
    assert_eq!(path("HTTP://other").unwrap(), "/");
    for wrong in ["a", "ftp://a/b", "board:510", "/%zz"] {
        assert_eq!(path(wrong).unwrap_err().status, 400, "{wrong}");
    }
    let head = parse("GET http://other:510/a HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(head.field(Field::Host), Some("other:510"), "the target counts before the field");
}

#[test]
fn shapes_that_smuggle_a_request_are_refused() {
    for (fields, refused) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", 400),
        ("Content-Length: 5, 5\r\n", 400),
        ("Content-Length: +5\r\n", 400),
        ("Content-Length: 0x5\r\n", 400),
        ("Content-Length: 5 5\r\n", 400),
        ("Content-Length:\r\n", 400),
        ("Content-Length: 99999999999999999999\r\n", 400),
        ("Content-Length: -0\r\n", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Transfer-Encoding: chunked, chunked\r\n", 501),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 501),
        ("Transfer-Encoding: identity\r\n", 501),
        ("Transfer-Encoding: xchunked\r\n", 501),
        ("Transfer-Encoding:\r\n", 501),
        ("Transfer-Encoding: \u{b}chunked\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", 400),
        (" Transfer-Encoding: chunked\r\n", 400),
        ("X: y\r\n Transfer-Encoding: chunked\r\n", 400),
        ("X: y\rTransfer-Encoding: chunked\r\n", 400),
        ("X: y\nTransfer-Encoding: chunked\r\n", 400),
        ("X: y\r\r\n", 400),
        ("X\r\n", 400),
        (": y\r\n", 400),
        ("X: a\0b\r\n", 400),
        ("Host: other\r\n", 400),
        ("Authorization: Basic a\r\nAuthorization: Basic b\r\n", 400),
        ("Upload-Offset: 1\r\nUpload-Offset: 2\r\n", 400),
        ("Expect: 200-ok\r\n", 417),
    ] {
        assert_eq!(status(&with(fields)), refused, "{}", fields.escape_default());
    }
    for (head, refused) in [
        // What follows the target is a version to whoever reads it.
        ("G ET / HTTP/1.1\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
        ("PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\r\nHost: a\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 505),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
    ] {
        assert_eq!(status(head), refused, "{}", head.escape_default());
    }
}

#[test]
fn a_head_has_its_bounds() {
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(HTTP_HEAD_BYTES));
    assert_eq!(end(long.as_bytes(), 0).unwrap_err().status, 431);
    assert_eq!(end(&long.as_bytes()[..HTTP_HEAD_BYTES], 0).unwrap_err().status, 431);
    assert_eq!(end(&long.as_bytes()[..HTTP_HEAD_BYTES - 1], 0), Ok(None));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(HTTP_FIELDS));
    assert_eq!(status(&many), 431);
}

#[test]
fn the_end_is_found_in_pieces_as_in_one() {
    let text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    let bytes = text.as_bytes();
    for seen in 0..bytes.len() - 4 {
        assert_eq!(end(&bytes[..seen], 0), Ok(None));
        assert_eq!(end(bytes, seen), Ok(Some(bytes.len() - 4)), "{seen}");
    }
    assert_eq!(end(b"\n", 0), Err(LINE_ENDS));
    assert_eq!(end(b"GET / HTTP/1.0\n\n", 0), Err(LINE_ENDS));
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes: Vec<u8>, seen: usize) {
        let _ = (end(&bytes, 0), end(&bytes, seen), Head::parse(&bytes));
    }

    #[test]
    fn nothing_that_looks_like_a_head_makes_it_panic(
        target in "[ -~]{0,40}", fields in proptest::collection::vec(("[A-Za-z-]{0,20}", "[ -~\\t]{0,30}"), 0..70),
    ) {
        let mut text = format!("GET {target} HTTP/1.1\r\n");
        fields.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        text.push_str("\r\n");
        let _ = Head::parse(text.as_bytes());
    }

    #[test]
    fn what_is_taken_has_one_length(
        fields in proptest::collection::vec(
            prop_oneof!["Content-Length: [0-9+ ,]{0,4}", "Transfer-Encoding: (chunked|identity|gzip)", "X: y", "Content-Length : 1"],
            0..4,
        ),
    ) {
        let text = with(&fields.iter().map(|field| format!("{field}\r\n")).collect::<String>());
        if parse(&text).is_ok() {
            let framed = fields.iter().filter(|field| !field.starts_with('X')).count();
            prop_assert!(framed <= 1, "{}", text);
        }
    }
}
