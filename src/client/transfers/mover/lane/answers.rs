//! What comes back on a connection for bytes, and what it means for the file that it answers.

use std::time::Duration;

use smol::io::{AsyncReadExt, ReadHalf};

use super::*;

/// How long the server may take to answer when all bytes are sent: a slow SD card syncs gigabytes.
const ANSWER: Duration = Duration::from_secs(600);

/// The longest sentence of a refusal that is read, in bytes.
const SENTENCE_BYTES: u64 = 64 << 10;

/// The longest sentence that is passed on.
const SHOWN_BYTES: usize = 300;

/// The bytes that come in on one connection.
struct Input {
    half: ReadHalf<BoxedStream>,
    bytes: Vec<u8>,
}

impl Input {
    /// Waits for the next head. `may_last` says whether the request is still on its way.
    async fn head(&mut self, may_last: impl Fn() -> bool) -> Result<http::Head, Cut> {
        loop {
            match http::head(&self.bytes) {
                // `100 Continue` and its like.
                http::Read::Head(head, length) if head.status < 200 => drop(self.bytes.drain(..length)),
                http::Read::Head(head, length) => {
                    self.bytes.drain(..length);
                    return Ok(head);
                }
                http::Read::Odd => return Err(Cut::Broken),
                http::Read::More => {
                    let mut more = [0; http::HEAD_BYTES];
                    match within(ANSWER, self.half.read(&mut more)).await {
                        Ok(0) => return Err(Cut::Broken),
                        Ok(count) => self.bytes.extend_from_slice(&more[..count]),
                        Err(why) if why.kind() == io::ErrorKind::TimedOut && may_last() => {}
                        Err(_) => return Err(Cut::Broken),
                    }
                }
            }
        }
    }

    /// The next bytes of a body, at least one and at most so many, as many as are there already.
    async fn piece(&mut self, most: usize, mut piece: Vec<u8>) -> Result<Vec<u8>, Cut> {
        piece.clear();
        if !self.bytes.is_empty() {
            piece.extend(self.bytes.drain(..most.min(self.bytes.len())));
            return Ok(piece);
        }
        piece.resize(most, 0);
        let mut filled = within(STALL, self.half.read(&mut piece)).await?;
        if filled == 0 {
            return Err(Cut::Broken);
        }
        while filled < most
            && let Some(Ok(count @ 1..)) = future::poll_once(self.half.read(&mut piece[filled..])).await
        {
            filled += count;
        }
        piece.truncate(filled);
        Ok(piece)
    }

    /// A body that is a sentence.
    async fn sentence(&mut self, length: u64) -> Result<Box<str>, Cut> {
        let mut sentence = Vec::new();
        let mut left = length;
        while left > 0 {
            let piece = self.piece(PIECE_BYTES.min(usize::try_from(left).unwrap_or(usize::MAX)), Vec::new()).await?;
            left -= piece.len() as u64;
            sentence.extend_from_slice(&piece);
        }
        let sentence = String::from_utf8_lossy(&sentence);
        let sentence = sentence.trim();
        Ok(sentence[..sentence.floor_char_boundary(SHOWN_BYTES)].into())
    }
}

impl Lane<'_> {
    /// Takes one answer after another. `Ok` when no more are waited for.
    pub(super) async fn hear(&self, half: ReadHalf<BoxedStream>) -> Result<(), Cut> {
        let mut input = Input { half, bytes: Vec::new() };
        while let Ok(flight) = self.flights.1.recv().await {
            let is_sent = match &flight {
                Flight::Up { is_sent, .. } => is_sent.clone(),
                Flight::Down { .. } => Rc::new(Cell::new(true)),
            };
            let head = input.head(|| !is_sent.get()).await?;
            let is_refusal = !(200..300).contains(&head.status);
            // A refusal that is no sentence is not read to its end.
            let closes = head.closes || is_refusal && head.length.is_none_or(|length| length > SENTENCE_BYTES);
            match flight {
                Flight::Up { upload, .. } => {
                    let end = uploaded(&mut input, &upload, head).await?;
                    self.came(upload.key, end);
                    if is_refusal && !is_sent.get() {
                        // It was refused before all of it was there; the rest is not worth sending.
                        return Err(Cut::Broken);
                    }
                }
                Flight::Down { key, landing } => self.coming(&mut input, key, landing, head).await?,
            }
            if closes {
                return Err(Cut::Broken);
            }
        }
        Ok(())
    }

    /// The bytes of a file come in.
    async fn coming(
        &self,
        input: &mut Input,
        key: u64,
        mut landing: Box<Landing>,
        head: http::Head,
    ) -> Result<(), Cut> {
        let all = head.length.unwrap_or_default();
        let begins = match (head.status, head.from) {
            (206, from) => from == Some(landing.done) && all == landing.left(),
            (200, _) => all == landing.size(),
            _ => {
                let end = refused(input, &head).await?;
                self.came(key, end);
                return Ok(());
            }
        };
        if !begins {
            self.came(key, End::Stale);
            return Err(Cut::Broken);
        }
        if head.status == 200 && landing.done > 0 {
            let begun = smol::unblock(move || landing.begin_again().map(|()| landing)).await;
            landing = self.or_came(key, begun)?;
        }
        let landing = self.receive(input, key, landing, all).await?;
        self.land(key, landing);
        Ok(())
    }

    /// Receives so many bytes; while some are written and hashed, the next come in.
    async fn receive(
        &self,
        input: &mut Input,
        key: u64,
        mut landing: Box<Landing>,
        mut left: u64,
    ) -> Result<Box<Landing>, Cut> {
        let (mut piece, mut spare) = (Vec::new(), Vec::new());
        loop {
            let done = landing.done + piece.len() as u64;
            let bytes = std::mem::take(&mut piece);
            // Not cancelled when the connection breaks: what came is kept.
            let writing = smol::unblock(move || landing.take(&bytes).map(|()| (landing, bytes)));
            let most = PIECE_BYTES.min(usize::try_from(left).unwrap_or(usize::MAX));
            let reading =
                async { if left > 0 { Some(input.piece(most, std::mem::take(&mut spare)).await) } else { None } };
            let (written, read) = future::zip(writing, reading).await;
            (landing, spare) = self.or_came(key, written)?;
            self.place.tell(Fact::Moved { key, done });
            match read {
                None => return Ok(landing),
                Some(read) => piece = read?,
            }
            left -= piece.len() as u64;
            if self.place.stopped.has(key) {
                return Err(Cut::Stopped);
            }
        }
    }

    /// What was done here, or the end of the file and of the connection.
    fn or_came<T>(&self, key: u64, result: Result<T, End>) -> Result<T, Cut> {
        result.map_err(|end| {
            self.came(key, end);
            Cut::Broken
        })
    }
}

/// What the answer to an upload means.
async fn uploaded(input: &mut Input, upload: &Upload, head: http::Head) -> Result<End, Cut> {
    if (200..300).contains(&head.status) {
        input.sentence(head.length.unwrap_or_default()).await?;
        // Both sides have computed it.
        let is_same = head.digest.is_none_or(|digest| digest == upload.digest);
        return Ok(if is_same { End::Stored } else { End::Mismatch });
    }
    let end = refused(input, &head).await?;
    if end != End::Mismatch {
        return Ok(end);
    }
    // The server says that it is another file; perhaps it is one by now.
    let (path, stamp) = (upload.path.clone(), upload.stamp);
    let is_as_before = smol::unblock(move || std::fs::metadata(path).is_ok_and(|file| hash::stamp(&file) == stamp));
    Ok(if is_as_before.await { End::Mismatch } else { End::Changed })
}

/// What a refusal means.
async fn refused(input: &mut Input, head: &http::Head) -> Result<End, Cut> {
    let length = match head.length {
        Some(length) if length <= SENTENCE_BYTES => length,
        // Whatever it is, it is no sentence.
        _ => 0,
    };
    let sentence = input.sentence(length).await?;
    Ok(match head.status {
        422 => End::Mismatch,
        401 | 403 | 404 | 409 | 410 | 412 | 416 => End::Stale,
        408 | 425 | 429 | 503 => End::Busy,
        413 => End::Refused { code: "TOO_LARGE".into(), sentence },
        507 => End::Refused { code: "DISK_FULL".into(), sentence },
        500 | 502 | 504 => End::Broken,
        status => End::Refused { code: format!("HTTP {status}").into(), sentence },
    })
}
