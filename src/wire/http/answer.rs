//! The head of an answer. Whatever is put into a field, it stays in it.

use std::fmt::Write;

/// A head that is being written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerHead(String);

impl AnswerHead {
    /// Begins with the status and what every answer has. `date` is [`super::date::write`] of this moment.
    pub fn new(status: u16, date: &str) -> AnswerHead {
        let mut text = String::with_capacity(512);
        // Writing to a String cannot fail.
        let _ = write!(text, "HTTP/1.1 {status} {}\r\nDate: {date}\r\nServer: gzy\r\n", reason(status));
        AnswerHead(text)
    }

    /// Adds a field. What could end it is replaced.
    pub fn field(mut self, name: &str, value: &str) -> AnswerHead {
        self.0.push_str(name);
        self.0.push_str(": ");
        if value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            self.0.push_str(value);
        } else {
            self.0.extend(value.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }));
        }
        self.0.push_str("\r\n");
        self
    }

    /// Adds a field with a number.
    pub fn number(mut self, name: &str, value: u64) -> AnswerHead {
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    /// The whole head.
    pub fn end(mut self) -> String {
        self.0.push_str("\r\n");
        self.0
    }
}

/// What a status is called (RFC 9110 section 15, RFC 6585, RFC 4918).
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        423 => "Locked",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "Answer",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_is_a_status_fields_and_an_empty_line() {
        let head =
            AnswerHead::new(206, "Fri, 20 Nov 2026 13:19:21 GMT").number("Content-Length", 5).field("A", "b").end();
        assert_eq!(
            head,
            "HTTP/1.1 206 Partial Content\r\nDate: Fri, 20 Nov 2026 13:19:21 GMT\r\nServer: gzy\r\nContent-Length: 5\r\nA: b\r\n\r\n"
        );
    }

    proptest! {
        #[test]
        fn no_value_adds_a_field(value in ".*") {
            let head = AnswerHead::new(200, "now").field("A", &value).end();
            prop_assert_eq!(head.matches("\r\n").count(), 5);
            prop_assert_eq!(head.matches(['\r', '\n']).count(), 10);
            prop_assert!(head.is_ascii());
        }
    }
}
