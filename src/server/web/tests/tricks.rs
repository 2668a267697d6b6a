//! Requests of strangers who want two readers to disagree, or somebody else's browser to act for them.

use super::house::House;

#[test]
fn a_request_whose_end_is_unclear_is_refused_and_nothing_behind_it_is_read() {
    let house = House::new();
    for (fields, status) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: gzip\r\n", 501),
        ("X: y\rTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", 400),
        ("Expect: anything\r\n", 417),
    ] {
        let mut eve = house.visit();
        let answer = eve.ask("PUT /cloud/a", fields, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(answer.status, status, "{fields}");
        assert_eq!(answer.field("Connection"), Some("close"));
        assert!(eve.is_over(), "{fields}");
    }
    assert!(house.asked.is_empty(), "the rules heard of none of them");
}

#[test]
fn broken_chunks_end_the_connection_and_leave_no_file() {
    let house = House::new();
    let mut eve = house.visit();
    let answer = eve.ask("PUT /cloud/a", "Transfer-Encoding: chunked\r\n", b"5\r\nhello\nGET /health HTTP/1.1\r\n\r\n");
    assert_eq!(answer.status, 400);
    assert!(eve.is_over());
    assert_eq!(house.visit().get("/cloud/a").status, 404);
}

#[test]
fn a_body_where_none_belongs_is_not_taken_for_a_request() {
    let house = House::new();
    let mut eve = house.visit();
    let inside = b"GET /cloud/missing HTTP/1.1\r\nHost: a\r\n\r\n";
    let fields = format!("Content-Length: {}\r\n", inside.len());
    assert_eq!(eve.ask("GET /health", &fields, inside).text(), "ok\n");
    assert_eq!(eve.get("/health").text(), "ok\n", "the next answer is for the next request");
    let answer = eve.ask("GET /health", "Transfer-Encoding: chunked\r\n", b"0\r\n\r\n");
    assert_eq!((answer.status, answer.field("Connection")), (200, Some("close")));
    assert!(eve.is_over());
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let house = House::new();
    for fields in ["Origin: http://eve.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Origin: null\r\n"] {
        for line in ["PUT /cloud/a", "POST /upload", "PATCH /t/up", "DELETE /cloud/a"] {
            let answer = house.visit().ask(line, &format!("{fields}Content-Length: 5\r\n"), b"hello");
            assert_eq!(answer.status, 403, "{line} {fields}");
        }
        assert_eq!(house.visit().ask("GET /health", fields, b"").status, 200);
    }
    assert!(house.asked.is_empty());
    let ours = "Origin: http://board\r\nContent-Length: 5\r\n";
    assert_eq!(house.visit().ask("PUT /cloud/a", ours, b"hello").status, 201);
}

#[test]
fn names_get_no_further_than_a_name() {
    let house = House::new();
    for (path, name) in [
        ("/cloud/../../etc/passwd", "../../etc/passwd"),
        ("/cloud/%2e%2e%2fa", "../a"),
        ("/cloud/%0d%0aSet-Cookie:%20a", "\r\nSet-Cookie: a"),
        ("/cloud/%00", "\0"),
    ] {
        assert_eq!(house.visit().get(path).status, 404);
        let wish = smol::block_on(house.asked.recv()).unwrap().wish;
        assert_eq!(wish, crate::chat::shelf::web::WebWish::Get { name: name.into() }, "the rules judge names");
    }
    assert_eq!(house.visit().get("/cloud/%ff").status, 400);
}
