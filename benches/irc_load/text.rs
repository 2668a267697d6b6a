//! What a benchmark message looks like, and is this line one of them, unharmed?
//!
//! A text is `m`, three characters of sender, five of sequence number, eight of time, and filling up to the wanted
//! length. Each character carries six bits and lies between `0` and `o`, so that reading one costs a subtraction.

/// Sender 3 + sequence number 5 + time 8, behind the marker.
const HEAD_LEN: usize = 17;
/// The shortest text that still has a word of filling to check.
pub const SHORTEST_LEN: usize = HEAD_LEN + 8;
/// Leaves room for the prefix that the server puts before it within the 512 bytes of a line.
pub const LONGEST_LEN: usize = 400;
const MARKER: u8 = b'm';
const ZERO: u8 = b'0';

/// What people say while the sender, the number and the time are what is counted.
const FILLING: &[u8; LONGEST_LEN] = &filling();

const fn filling() -> [u8; LONGEST_LEN] {
    let sentence = b" the boat leaves at noon, bring tea and the long rope; anna has the key, ben the map,";
    let mut all = [0; LONGEST_LEN];
    let mut at = 0;
    while at < LONGEST_LEN {
        all[at] = sentence[at % sentence.len()];
        at += 1;
    }
    // The last byte is never a space, whatever the length: a server may trim it.
    all
}

/// One benchmark message as it is sent and as it is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Index of the member who said it.
    pub sender: usize,
    /// Counts from 0 for each sender.
    pub number: u32,
    /// When it was sent, or should have been, in nanoseconds of the generator's clock.
    pub sent_ns: u64,
}

/// The nick of a member, always six bytes: `b` and five digits.
pub fn nick(member: usize) -> [u8; 6] {
    let mut nick = *b"b00000";
    let mut rest = member;
    for place in nick[1..].iter_mut().rev() {
        *place = ZERO + (rest % 10) as u8;
        rest /= 10;
    }
    nick
}

impl Text {
    /// Writes the text into the whole of `to`, which is at least `SHORTEST_LEN` long.
    pub fn write(&self, to: &mut [u8]) {
        to[0] = MARKER;
        put(&mut to[1..4], self.sender as u64);
        put(&mut to[4..9], u64::from(self.number));
        put(&mut to[9..HEAD_LEN], self.sent_ns);
        let filling = &mut to[HEAD_LEN..];
        let len = filling.len();
        filling.copy_from_slice(&FILLING[..len]);
        filling[len - 1] = b'.';
    }

    /// Reads a line (without its line end) that should carry a text of `len` bytes: `None` for any other line,
    /// `Some(Err)` for a benchmark text that has been changed under way.
    pub fn read(line: &[u8], len: usize) -> Option<Result<Text, Garbled>> {
        let start = line.len().checked_sub(len).filter(|&start| start > 8)?;
        let (before, text) = line.split_at(start);
        if text[0] != MARKER || before[start - 1] != b':' || before[0] != b':' || before[1] != b'b' {
            return None;
        }
        Some(Self::check(before, text))
    }

    fn check(before: &[u8], text: &[u8]) -> Result<Text, Garbled> {
        let sender = take(&text[1..4])? as usize;
        let number = take(&text[4..9])? as u32;
        let sent_ns = take(&text[9..HEAD_LEN])?;
        let (last, filling) = text[HEAD_LEN..].split_last().ok_or(Garbled)?;
        let whole = *last == b'.' && *filling == FILLING[..filling.len()];
        let said_by_sender = before[1..7] == nick(sender) && before[7] == b'!';
        if whole && said_by_sender { Ok(Text { sender, number, sent_ns }) } else { Err(Garbled) }
    }
}

/// The text or its sender is not what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

fn put(places: &mut [u8], value: u64) {
    let mut rest = value;
    for place in places.iter_mut().rev() {
        *place = ZERO + (rest & 63) as u8;
        rest >>= 6;
    }
}

fn take(places: &[u8]) -> Result<u64, Garbled> {
    let mut value = 0;
    for &place in places {
        let digit = place.wrapping_sub(ZERO);
        if digit > 63 {
            return Err(Garbled);
        }
        value = value << 6 | u64::from(digit);
    }
    Ok(value)
}
