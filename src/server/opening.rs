//! Is this connection talk or HTTP? Its first bytes say it. An HTTP request is never taken for chat lines: a web page must not be able to make a browser speak IRC.

/// How requests begin (RFC 9110, RFC 5789). `CONNECT` is nobody's business here, but it is no chat line either.
const METHODS: [&[u8]; 9] =
    [b"GET ", b"PUT ", b"POST ", b"PATCH ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"CONNECT ", b"TRACE "];

/// What a connection turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speech {
    /// Chat lines.
    Talk,
    /// HTTP/1.1.
    Web,
    /// Too few bytes have come to tell.
    Unknown,
}

/// What begins with these bytes.
pub fn speech(first: &[u8]) -> Speech {
    if METHODS.iter().any(|method| first.starts_with(method)) {
        Speech::Web
    } else if METHODS.iter().any(|method| method.starts_with(first)) {
        Speech::Unknown
    } else {
        Speech::Talk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_from_irc() {
        for stranger in [&b"GET / HTTP/1.1\r\n"[..], b"POST /x", b"PATCH /t/1 HTTP/1.1", b"OPTIONS * HTTP/1.1"] {
            assert_eq!(speech(stranger), Speech::Web);
        }
        for guest in [&b"CAP LS 302\r\n"[..], b"NICK anna", b"PASS x", b"PART #a", b"GETS", b"get / HTTP/1.1", b"\r\n"]
        {
            assert_eq!(speech(guest), Speech::Talk);
        }
    }

    #[test]
    fn half_a_word_is_waited_for() {
        for half in [&b""[..], b"G", b"GET", b"PA", b"P", b"OPTIONS"] {
            assert_eq!(speech(half), Speech::Unknown);
        }
    }
}
