//! What does a request want? Its method and path say it; nobody else looks at them.

use crate::wire::http::head::{Head, Method};

/// What can be asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Want {
    /// Whether the server is well.
    Health,
    /// Another place: the way there.
    Elsewhere(&'static str),
    /// What is in a folder; no `/` at its ends.
    Listing(String),
    /// A file by its name.
    File(String),
    /// What a ticket is for.
    Ticket(String),
    /// To bring a file under this name.
    Put(String),
    /// To bring a file.
    Post,
    /// To bring the bytes that a ticket is for.
    Patch(String),
    /// To remove a file.
    Remove(String),
    /// What can be done with this.
    Options(&'static str),
    /// Something that can not be done with this; this can.
    Impossible(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// For a folder, and what is to be read.
const READ: &str = "GET, HEAD, OPTIONS";
const FILE: &str = "GET, HEAD, PUT, DELETE, OPTIONS";
const TICKET: &str = "GET, HEAD, PATCH, OPTIONS";
const UPLOAD: &str = "OPTIONS, POST";
/// For the server as a whole.
const ALL: &str = "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS";

/// Reads method and path.
pub fn route(head: &Head) -> Want {
    use Method::{Delete, Get, Head as Look, Options, Patch, Post, Put};
    let path = head.path.as_str();
    let is_read = matches!(head.method, Get | Look);
    if let Some(name) = path.strip_prefix("/cloud/") {
        let is_folder = name.is_empty() || name.ends_with('/');
        return match head.method {
            Get | Look if is_folder => Want::Listing(name.trim_end_matches('/').to_owned()),
            Get | Look => Want::File(name.to_owned()),
            Put => Want::Put(name.to_owned()),
            Delete => Want::Remove(name.to_owned()),
            Options if is_folder => Want::Options(READ),
            Options => Want::Options(FILE),
            _ => Want::Impossible(if is_folder { READ } else { FILE }),
        };
    }
    if let Some(token) = path.strip_prefix("/t/") {
        return match head.method {
            Get | Look => Want::Ticket(token.to_owned()),
            Patch => Want::Patch(token.to_owned()),
            Options => Want::Options(TICKET),
            _ => Want::Impossible(TICKET),
        };
    }
    match (path, head.method) {
        ("*", _) => Want::Options(ALL),
        ("/upload", Post) => Want::Post,
        ("/upload", Options) => Want::Options(UPLOAD),
        ("/upload", _) => Want::Impossible(UPLOAD),
        ("/" | "/cloud", _) if is_read => Want::Elsewhere("/cloud/"),
        ("/health", _) if is_read => Want::Health,
        ("/" | "/cloud" | "/health", Options) => Want::Options(READ),
        ("/" | "/cloud" | "/health", _) => Want::Impossible(READ),
        _ => Want::Unknown,
    }
}

impl Want {
    /// Whether it changes something, and a browser must not be led into it by somebody else's page.
    pub fn changes_something(&self) -> bool {
        matches!(self, Want::Put(_) | Want::Post | Want::Patch(_) | Want::Remove(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Want {
        route(&Head::parse(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap())
    }

    #[test]
    fn every_place_has_its_methods() {
        for (line, want) in [
            ("GET /", Want::Elsewhere("/cloud/")),
            ("GET /cloud", Want::Elsewhere("/cloud/")),
            ("HEAD /health", Want::Health),
            ("GET /cloud/", Want::Listing(String::new())),
            ("GET /cloud/homework/week1/", Want::Listing("homework/week1".into())),
            ("GET /cloud/%E4%BD%9C.zip?x", Want::File("作.zip".into())),
            ("HEAD /cloud/../etc/passwd", Want::File("../etc/passwd".into())),
            ("PUT /cloud/a", Want::Put("a".into())),
            ("PUT /cloud/", Want::Put(String::new())),
            ("DELETE /cloud/a", Want::Remove("a".into())),
            ("POST /cloud/a", Want::Impossible(FILE)),
            ("POST /upload", Want::Post),
            ("OPTIONS /upload", Want::Options(UPLOAD)),
            ("GET /upload", Want::Impossible(UPLOAD)),
            ("PATCH /t/abc", Want::Patch("abc".into())),
            ("HEAD /t/abc", Want::Ticket("abc".into())),
            ("OPTIONS *", Want::Options(ALL)),
            ("POST /", Want::Impossible(READ)),
            ("BREW /cloud/a", Want::Impossible(FILE)),
            ("GET /favicon.ico", Want::Unknown),
            ("GET /cloudy", Want::Unknown),
        ] {
            assert_eq!(of(line), want, "{line}");
        }
    }
}
