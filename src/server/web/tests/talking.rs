//! Small requests: what is where, in which order it is answered, and when a connection ends.

use super::house::{House, hurried, settings};

#[test]
fn the_ways_lead_to_the_files() {
    let house = House::new();
    let mut anna = house.visit();
    let answer = anna.get("/");
    assert_eq!((answer.status, answer.field("Location")), (301, Some("/cloud/")));
    assert_eq!(anna.get("/health").text(), "ok\n");
    assert_eq!(anna.get("/favicon.ico").status, 404);
    let answer = anna.ask("OPTIONS /upload", "", b"");
    assert_eq!((answer.status, answer.field("Allow")), (204, Some("OPTIONS, POST")));
    let answer = anna.ask("DELETE /health", "", b"");
    assert_eq!((answer.status, answer.field("Allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(anna.get("/cloud/missing").text(), "there is no such file\n");
    let answer = anna.ask("HEAD /cloud/missing", "", b"");
    assert_eq!((answer.status, answer.field("Content-Length")), (404, Some("22")));
    assert_eq!(anna.get("/health").status, 200, "the same connection serves all of them");
}

#[test]
fn a_folder_is_shown_to_people_and_to_programs() {
    let house = House::new();
    house.bring("%E4%BD%9C%E4%B8%9A/a.txt", b"hello");
    let mut anna = house.visit();
    let page = anna.get("/cloud/");
    assert_eq!(page.field("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("<a href=\"./%E4%BD%9C%E4%B8%9A/\">作业/</a>"), "{}", page.text());
    assert!(anna.get("/cloud/%E4%BD%9C%E4%B8%9A/").text().contains("<a href=\"./a.txt\">a.txt</a>"));
    let json = anna.ask("GET /cloud/", "Accept: application/json\r\n", b"");
    assert_eq!(json.field("Content-Type"), Some("application/json"));
    assert!(json.text().contains("\"name\":\"作业/a.txt\",\"size\":5,"), "{}", json.text());
    let answer = anna.get("/cloud/%E4%BD%9C%E4%B8%9A");
    assert_eq!((answer.status, answer.field("Location")), (301, Some("/cloud/%E4%BD%9C%E4%B8%9A/")));
    let head = anna.ask("HEAD /cloud/", "", b"");
    assert_eq!(head.field("Content-Length").unwrap(), page.body.len().to_string());
}

#[test]
fn a_long_listing_comes_as_a_whole_and_the_next_one_has_its_turn() {
    let house = House::new();
    let mut anna = house.visit();
    let name = "n".repeat(200);
    let mut all = Vec::new();
    for n in 0..200 {
        all.extend_from_slice(
            format!("PATCH /t/small{n}{name} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").as_bytes(),
        );
    }
    anna.send(&all);
    for _ in 0..200 {
        assert_eq!(anna.answer(false).status, 204);
    }
    let listing = "GET /cloud/ HTTP/1.1\r\nHost: a\r\n\r\n".repeat(6);
    anna.send(listing.as_bytes());
    for _ in 0..6 {
        let page = anna.answer(false);
        assert!(page.body.len() > 100_000 && page.text().ends_with("</html>\n"));
        assert_eq!(page.text().matches(&name).count(), 400, "as a name and as a link");
    }
}

#[test]
fn requests_that_come_together_are_answered_in_order_and_asked_ahead() {
    let house = House::new();
    for name in 0..8 {
        house.bring(&format!("f{name}"), format!("content {name}").as_bytes());
    }
    let mut anna = house.visit();
    let all: String = (0..100).map(|n| format!("GET /cloud/f{} HTTP/1.1\r\nHost: a\r\n\r\n", n % 8)).collect();
    anna.send(all.as_bytes());
    for n in 0..100 {
        assert_eq!(anna.answer(false).text(), format!("content {}", n % 8));
    }
}

#[test]
fn what_was_read_before_belongs_to_the_first_request() {
    let house = House::new();
    let mut anna = house.visit_after(b"GET /hea".to_vec(), |link| link);
    anna.send(b"lth HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(anna.answer(false).text(), "ok\n");
}

#[test]
fn a_connection_ends_when_its_client_wants_it() {
    let house = House::new();
    let mut anna = house.visit();
    let answer = anna.ask("GET /health", "Connection: close\r\n", b"");
    assert_eq!(answer.field("Connection"), Some("close"));
    assert!(anna.is_over());
    let mut ben = house.visit();
    ben.send(b"GET /health HTTP/1.0\r\n\r\n");
    assert_eq!(ben.answer(false).field("Connection"), Some("close"));
    assert!(ben.is_over());
    let mut ben = house.visit();
    for _ in 0..2 {
        ben.send(b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(ben.answer(false).field("Connection"), Some("keep-alive"));
    }
}

#[test]
fn who_says_all_and_stops_talking_is_answered_to_the_end() {
    let house = House::new();
    house.bring("a", b"hello");
    let mut anna = house.visit();
    anna.send(b"GET /cloud/a HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n");
    anna.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(anna.answer(false).text(), "hello");
    assert_eq!(anna.answer(false).text(), "ok\n");
    assert!(anna.is_over());
}

#[test]
fn who_is_silent_or_too_slow_is_not_waited_for() {
    let house = House::with(settings(), hurried());
    let mut silent = house.visit();
    assert!(silent.is_over());
    let mut slow = house.visit();
    slow.send(b"GET /health HTTP/1.1\r\nHos");
    assert_eq!(slow.answer(false).status, 408);
    assert!(slow.is_over());
    let mut idle = house.visit();
    assert_eq!(idle.get("/health").status, 200);
    assert!(idle.is_over());
}

#[test]
fn account_and_password_reach_the_rules() {
    let house = House::new();
    house.visit().ask("GET /cloud/", "Authorization: Basic 5bCP6ZizOmE6Yg==\r\n", b"");
    let request = smol::block_on(house.asked.recv()).unwrap();
    let (account, password) = request.login.unwrap();
    assert_eq!((&*account, &*password.0), ("小阳", "a:b"));
    assert!(!request.is_secure && request.address.is_loopback());
}

#[test]
fn a_removed_file_is_gone() {
    let house = House::new();
    house.bring("a", b"hello");
    let mut anna = house.visit();
    assert_eq!(anna.ask("DELETE /cloud/a", "", b"").status, 204);
    assert_eq!(anna.ask("DELETE /cloud/a", "", b"").status, 404);
    assert_eq!(anna.get("/cloud/a").status, 404);
}
