//! Where does a body end whose sender did not know its length? The chunked coding (RFC 9112 section 7.1), read strictly and in pieces of any size.

use super::BadRequest;

/// Digits of a chunk's size: 64 bits.
const SIZE_DIGITS: u32 = 16;
/// Bytes behind a chunk's size, which nobody uses.
const EXTENSION_BYTES: u32 = 256;
/// Bytes of the fields behind the last chunk; they are read past.
const TRAILER_BYTES: u32 = 8 << 10;

const BROKEN: BadRequest = BadRequest::grammar("the chunks of the body are broken; send a Content-Length");

/// The state between two pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// In the digits of a size.
    Size { size: u64, digits: u32 },
    /// Behind them, before the end of the line.
    Extension { size: u64, bytes: u32 },
    /// The line's CR was there.
    SizeEnd { size: u64 },
    /// In the bytes of a chunk.
    Data { left: u64 },
    /// Behind them: CR LF.
    DataEnd { has_cr: bool },
    /// Behind the last chunk: fields, and an empty line. `line` is how many bytes the line has.
    Trailer { bytes: u32, line: u32, has_cr: bool },
    /// The body is over.
    Done,
}

/// Reads a chunked body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunked(State);

/// What stands at the beginning of a piece of input: framing, then content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Step {
    /// Bytes of framing.
    pub framing: usize,
    /// Bytes of content behind them.
    pub content: usize,
}

const START: State = State::Size { size: 0, digits: 0 };

impl Default for Chunked {
    fn default() -> Chunked {
        Chunked(START)
    }
}

impl Chunked {
    /// Whether the last byte of the body was read. What follows is the next request.
    pub fn is_done(&self) -> bool {
        self.0 == State::Done
    }

    /// Reads on. The step is empty when the input is, and when the body is over.
    pub fn step(&mut self, input: &[u8]) -> Result<Step, BadRequest> {
        let mut framing = 0;
        while framing < input.len() && self.0 != State::Done {
            if let State::Data { left } = &mut self.0 {
                let content = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len() - framing);
                *left -= content as u64;
                if *left == 0 {
                    self.0 = State::DataEnd { has_cr: false };
                }
                return Ok(Step { framing, content });
            }
            self.0 = next(self.0, input[framing])?;
            framing += 1;
        }
        Ok(Step { framing, content: 0 })
    }
}

/// What a byte of framing leads to.
fn next(state: State, byte: u8) -> Result<State, BadRequest> {
    match (state, byte) {
        (State::Size { size, digits: 1.. }, b'\r') => Ok(State::SizeEnd { size }),
        (State::Size { size, digits: 1.. }, b';' | b' ' | b'\t') => Ok(State::Extension { size, bytes: 1 }),
        (State::Size { size, digits }, byte) => {
            let digit = char::from(byte).to_digit(16).filter(|_| digits < SIZE_DIGITS).ok_or(BROKEN)?;
            Ok(State::Size { size: size << 4 | u64::from(digit), digits: digits + 1 })
        }
        (State::Extension { size, .. }, b'\r') => Ok(State::SizeEnd { size }),
        (State::Extension { size, bytes }, byte) if bytes < EXTENSION_BYTES && byte != b'\n' => {
            Ok(State::Extension { size, bytes: bytes + 1 })
        }
        (State::SizeEnd { size: 0 }, b'\n') => Ok(State::Trailer { bytes: 0, line: 0, has_cr: false }),
        (State::SizeEnd { size }, b'\n') => Ok(State::Data { left: size }),
        (State::DataEnd { has_cr: false }, b'\r') => Ok(State::DataEnd { has_cr: true }),
        (State::DataEnd { has_cr: true }, b'\n') => Ok(START),
        (State::Trailer { bytes, line, has_cr: false }, b'\r') => Ok(State::Trailer { bytes, line, has_cr: true }),
        (State::Trailer { line: 0, has_cr: true, .. }, b'\n') => Ok(State::Done),
        (State::Trailer { bytes, has_cr: true, .. }, b'\n') => Ok(State::Trailer { bytes, line: 0, has_cr: false }),
        (State::Trailer { bytes, line, has_cr: false }, byte) if bytes < TRAILER_BYTES && byte != b'\n' => {
            Ok(State::Trailer { bytes: bytes + 1, line: line + 1, has_cr: false })
        }
        _ => Err(BROKEN),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The content, and what was left over behind the end; `None` when it did not end.
    fn read(input: &[u8], at_once: usize) -> Result<Option<(Vec<u8>, usize)>, BadRequest> {
        let (mut chunked, mut content, mut used) = (Chunked::default(), Vec::new(), 0);
        for piece in input.chunks(at_once.max(1)) {
            let mut at = 0;
            while at < piece.len() && !chunked.is_done() {
                let step = chunked.step(&piece[at..])?;
                assert!(step.framing + step.content > 0);
                content.extend_from_slice(&piece[at + step.framing..][..step.content]);
                at += step.framing + step.content;
            }
            used += at;
        }
        Ok(chunked.is_done().then(|| (content, input.len() - used)))
    }

    #[test]
    fn chunks_are_joined_and_what_follows_is_left() {
        let body = b"5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET /";
        for at_once in 1..body.len() {
            assert_eq!(read(body, at_once), Ok(Some((b"hello world".to_vec(), 5))), "{at_once}");
        }
        assert_eq!(read(b"0\r\n\r\n", 99), Ok(Some((vec![], 0))));
        assert_eq!(read(b"000A \r\n0123456789\r\n00\r\n\r\n", 99), Ok(Some((b"0123456789".to_vec(), 0))));
    }

    #[test]
    fn two_readers_cannot_disagree_about_it() {
        for tricky in [
            &b"\r\n"[..],
            b";\r\n",
            b"5\nhello\r\n",
            b"5\r\nhelloX",
            b"5\r\nhello\n",
            b"-1\r\n",
            b"0x5\r\n",
            b"+5\r\n",
            b"5\rX",
            b"5;a\nb\r\n",
            b"00000000000000005\r\n",
            b"10000000000000000\r\n",
            b"0\r\nA: b\n\r\n",
            b"0\r\n\rX",
        ] {
            assert_eq!(read(tricky, 99), Err(BROKEN), "{}", tricky.escape_ascii());
        }
        assert_eq!(read(&[b"5;", "x".repeat(300).as_bytes()].concat(), 99), Err(BROKEN));
        assert_eq!(read(&[b"0\r\n", "A: b\r\n".repeat(3000).as_bytes()].concat(), 99), Err(BROKEN));
    }

    proptest! {
        #[test]
        fn every_body_survives(chunks: Vec<Vec<u8>>, at_once in 1_usize..64) {
            let mut body = Vec::new();
            for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                body.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(read(&body, at_once), Ok(Some((chunks.concat(), 0))));
        }

        #[test]
        fn nothing_makes_it_panic(input: Vec<u8>, at_once in 1_usize..64) {
            let _ = read(&input, at_once);
        }
    }
}
