//! What does a request want, and where does it end? The head of an HTTP/1.1 request, read strictly (RFC 9112).

use crate::wire::limits::{HTTP_FIELDS, HTTP_HEAD_BYTES};

use super::{BadRequest, number, path};

#[cfg(test)]
mod tests;

/// The methods that are known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Send it.
    Get,
    /// Say what `Get` would send.
    Head,
    /// Take this under this name.
    Put,
    /// Take this.
    Post,
    /// Take the rest of this.
    Patch,
    /// Remove it.
    Delete,
    /// Say what is possible.
    Options,
    /// Some other.
    Other,
}

/// How long the body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// So many bytes; 0 where nothing was said.
    Length(u64),
    /// Its chunks say it.
    Chunked,
}

/// The fields that somebody here reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // They are called as the standards call them.
pub enum Field {
    Accept,
    Authorization,
    Connection,
    ContentDigest,
    ContentDisposition,
    ContentLength,
    ContentRange,
    ContentType,
    Digest,
    Expect,
    Host,
    IfMatch,
    IfModifiedSince,
    IfNoneMatch,
    IfRange,
    Origin,
    Range,
    ReprDigest,
    SecFetchSite,
    TransferEncoding,
    UploadComplete,
    UploadOffset,
}

/// Each with its name, and whether it is a list that may come in several lines.
const FIELDS: [(Field, &str, bool); 22] = [
    (Field::Accept, "accept", true),
    (Field::Authorization, "authorization", false),
    (Field::Connection, "connection", true),
    (Field::ContentDigest, "content-digest", true),
    (Field::ContentDisposition, "content-disposition", false),
    (Field::ContentLength, "content-length", false),
    (Field::ContentRange, "content-range", false),
    (Field::ContentType, "content-type", false),
    (Field::Digest, "digest", true),
    (Field::Expect, "expect", true),
    (Field::Host, "host", false),
    (Field::IfMatch, "if-match", true),
    (Field::IfModifiedSince, "if-modified-since", false),
    (Field::IfNoneMatch, "if-none-match", true),
    (Field::IfRange, "if-range", false),
    (Field::Origin, "origin", false),
    (Field::Range, "range", false),
    (Field::ReprDigest, "repr-digest", true),
    (Field::SecFetchSite, "sec-fetch-site", false),
    (Field::TransferEncoding, "transfer-encoding", true),
    (Field::UploadComplete, "upload-complete", false),
    (Field::UploadOffset, "upload-offset", false),
];

/// The head of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// What is to be done.
    pub method: Method,
    /// To what: begins with `/`, decoded, without a query. `*` for the server as a whole (OPTIONS).
    pub path: String,
    /// HTTP/1.1, not 1.0.
    pub is_1_1: bool,
    /// Whether the connection goes on after it.
    pub keeps_alive: bool,
    /// How long its body is.
    pub framing: Framing,
    /// The body comes when it is asked for.
    pub expects_continue: bool,
    fields: Vec<(Field, Box<str>)>,
}

impl Head {
    /// Reads a head: everything up to and with the empty line, as [`end`] finds it.
    pub fn parse(bytes: &[u8]) -> Result<Head, BadRequest> {
        if has_bare_cr(bytes) {
            return Err(LINE_ENDS);
        }
        let mut headers = [httparse::EMPTY_HEADER; HTTP_FIELDS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Ok(_) => return Err(BadRequest::grammar("the head of the request is broken")),
            Err(why) => return Err(explain(why)),
        }
        let is_1_1 = request.version == Some(1);
        let method = method(request.method.unwrap_or_default());
        let fields = gather(request.headers)?;
        let (path, authority) = target(request.path.unwrap_or_default(), method)?;
        let mut head = Head {
            method,
            path,
            is_1_1,
            keeps_alive: false,
            framing: Framing::Length(0),
            expects_continue: false,
            fields,
        };
        if let Some(authority) = authority {
            head.check_host()?;
            head.fields.retain(|(field, _)| *field != Field::Host);
            head.fields.push((Field::Host, authority.into()));
        }
        head.check_host()?;
        head.framing = head.read_framing()?;
        head.keeps_alive = head.read_connection();
        head.expects_continue = head.read_expect()?;
        Ok(head)
    }

    /// What a field says. Lists are joined.
    pub fn field(&self, field: Field) -> Option<&str> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, value)| &**value)
    }

    /// Whether a body follows.
    pub fn has_body(&self) -> bool {
        self.framing != Framing::Length(0)
    }

    fn check_host(&self) -> Result<(), BadRequest> {
        let Some(host) = self.field(Field::Host) else {
            return if self.is_1_1 {
                Err(BadRequest::grammar("a request of HTTP/1.1 needs a Host field"))
            } else {
                Ok(())
            };
        };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(&byte) || byte >= 0x80;
        if host.bytes().all(fits) { Ok(()) } else { Err(BadRequest::grammar("the Host field is no host")) }
    }

    fn read_framing(&self) -> Result<Framing, BadRequest> {
        let length = self.field(Field::ContentLength);
        let Some(coding) = self.field(Field::TransferEncoding) else {
            let Some(length) = length else { return Ok(Framing::Length(0)) };
            return number(length)
                .map(Framing::Length)
                .ok_or(BadRequest::grammar("the Content-Length is no number of bytes"));
        };
        if length.is_some() {
            return Err(BadRequest::grammar(
                "Content-Length and Transfer-Encoding exclude each other; send one of them",
            ));
        }
        if !self.is_1_1 {
            return Err(BadRequest::grammar("HTTP/1.0 has no Transfer-Encoding; send a Content-Length"));
        }
        if coding.eq_ignore_ascii_case("chunked") {
            return Ok(Framing::Chunked);
        }
        Err(BadRequest { status: 501, sentence: "the only Transfer-Encoding taken here is chunked" })
    }

    fn read_connection(&self) -> bool {
        let says = |word: &str| {
            let options = self.field(Field::Connection).unwrap_or_default().split(',');
            options.into_iter().any(|option| option.trim().eq_ignore_ascii_case(word))
        };
        !says("close") && (self.is_1_1 || says("keep-alive"))
    }

    fn read_expect(&self) -> Result<bool, BadRequest> {
        match self.field(Field::Expect) {
            Some(expected) if self.is_1_1 => {
                if !expected.eq_ignore_ascii_case("100-continue") {
                    return Err(BadRequest {
                        status: 417,
                        sentence: "the only Expect understood here is 100-continue",
                    });
                }
                Ok(self.has_body())
            }
            _ => Ok(false),
        }
    }
}

const LINE_ENDS: BadRequest = BadRequest::grammar("the lines of a head end with CR LF, and neither stands alone");
const TOO_LARGE: BadRequest =
    BadRequest { status: 431, sentence: "the head of the request is too large; 16 KiB and 64 fields are taken" };

/// Where the head ends that `bytes` begin with, if all of it is there. The first `seen` bytes were looked at before.
pub fn end(bytes: &[u8], seen: usize) -> Result<Option<usize>, BadRequest> {
    let mut at = seen;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let line_feed = at + found;
        if line_feed >= HTTP_HEAD_BYTES {
            return Err(TOO_LARGE);
        }
        if line_feed == 0 || bytes[line_feed - 1] != b'\r' {
            return Err(LINE_ENDS);
        }
        if line_feed >= 3 && bytes[line_feed - 3..line_feed - 1] == *b"\r\n" {
            return Ok(Some(line_feed + 1));
        }
        at = line_feed + 1;
    }
    if bytes.len() >= HTTP_HEAD_BYTES { Err(TOO_LARGE) } else { Ok(None) }
}

fn has_bare_cr(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}

fn explain(why: httparse::Error) -> BadRequest {
    match why {
        httparse::Error::TooManyHeaders => TOO_LARGE,
        httparse::Error::Version => BadRequest { status: 505, sentence: "HTTP/1.1 and HTTP/1.0 are spoken here" },
        httparse::Error::HeaderName => BadRequest::grammar("a line of the head is no field: Name: value"),
        httparse::Error::HeaderValue => BadRequest::grammar("a field of the head has control characters in it"),
        httparse::Error::NewLine => LINE_ENDS,
        httparse::Error::Status | httparse::Error::Token => BadRequest::grammar("the first line is no HTTP request"),
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        _ => Method::Other,
    }
}

/// The fields that are known here. One that can be there once must not be there twice: two readers would choose differently.
fn gather(headers: &[httparse::Header<'_>]) -> Result<Vec<(Field, Box<str>)>, BadRequest> {
    let mut fields: Vec<(Field, Box<str>)> = Vec::new();
    for header in headers {
        let known = FIELDS.iter().find(|(_, name, _)| header.name.eq_ignore_ascii_case(name));
        let Some((field, _, is_list)) = known else { continue };
        let value = String::from_utf8_lossy(header.value);
        let value = value.trim_matches([' ', '\t']);
        match fields.iter_mut().find(|(name, _)| name == field) {
            None => fields.push((*field, value.into())),
            Some((_, before)) if *is_list => *before = format!("{before}, {value}").into(),
            Some(_) => return Err(BadRequest::grammar("a field stands in the head twice that can be there once")),
        }
    }
    Ok(fields)
}

/// The path of a request's target, and the authority where it is said there (RFC 9112 section 3.2).
fn target(text: &str, method: Method) -> Result<(String, Option<&str>), BadRequest> {
    if text == "*" && method == Method::Options {
        return Ok((text.to_owned(), None));
    }
    let (path, authority) = if text.starts_with('/') {
        (text, None)
    } else {
        let rest = ["http://", "https://"].iter().find_map(|scheme| {
            let head = text.get(..scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
        });
        let rest = rest.ok_or(BadRequest::grammar("the target of a request is a path that begins with /"))?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        (&rest[at..], Some(&rest[..at]))
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    Ok((path::decode(path)?, authority))
}
