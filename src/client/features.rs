//! What the server can, as its ISUPPORT and its capabilities say.

use crate::wire::caps::Caps;
use crate::wire::limits::{CLASSIC_LINE_BYTES, HISTORY_MESSAGES, LINE_BYTES, MULTILINE_LINES};

/// The capabilities that the client makes use of.
pub const WANTED: Caps = Caps(
    Caps::SERVER_TIME.0
        | Caps::MESSAGE_TAGS.0
        | Caps::BATCH.0
        | Caps::ECHO_MESSAGE.0
        | Caps::LABELED_RESPONSE.0
        | Caps::MULTI_PREFIX.0
        | Caps::STANDARD_REPLIES.0
        | Caps::CHATHISTORY.0
        | Caps::MULTILINE.0
        | Caps::LONG_LINES.0
        | Caps::FILES.0
        | Caps::SASL.0
        | Caps::SEARCH.0
        | Caps::READ_MARKER.0
        | Caps::MESSAGE_REDACTION.0,
);

/// What makes an echo a receipt: it comes, it is tagged, and a refusal is tagged as well.
const RECEIPTS: Caps = Caps(Caps::MESSAGE_TAGS.0 | Caps::BATCH.0 | Caps::ECHO_MESSAGE.0 | Caps::LABELED_RESPONSE.0);

/// What makes a message of several lines readable.
const LINES: Caps = Caps(Caps::MULTILINE.0 | Caps::BATCH.0 | Caps::MESSAGE_TAGS.0);

/// What makes talk about files possible: names are long.
const FILES: Caps = Caps(Caps::FILES.0 | Caps::LONG_LINES.0);

/// How much a message of several lines may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Multiline {
    /// Bytes, line breaks included.
    pub bytes: usize,
    /// Lines.
    pub lines: usize,
}

/// What a server can.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Features {
    /// The capabilities in use.
    pub caps: Caps,
    /// The capabilities that the server has.
    pub offered: Caps,
    /// The name of the network.
    pub network: Box<str>,
    /// The room that everybody is in (`gzy/LOBBY`); only GZY has one.
    pub lobby: Option<Box<str>>,
    /// Messages that one CHATHISTORY may ask for.
    pub history_limit: usize,
    /// CHATHISTORY takes message ids; otherwise times.
    pub history_by_id: bool,
    /// Characters that the names of rooms start with.
    pub room_starts: Box<str>,
    /// Characters that stand in front of a nick for its status.
    pub status_marks: Box<str>,
    /// The mode of each mark, in the same order.
    pub status_modes: Box<str>,
    /// How much a message of several lines may hold, where the server said so.
    pub multiline: Option<Multiline>,
    /// Bytes that a line to the server may have without tags, line end included.
    pub line_bytes: usize,
}

impl Default for Features {
    fn default() -> Features {
        Features {
            caps: Caps::NONE,
            offered: Caps::NONE,
            network: "".into(),
            lobby: None,
            history_limit: HISTORY_MESSAGES,
            history_by_id: true,
            room_starts: "#&".into(),
            status_marks: "@+".into(),
            status_modes: "ov".into(),
            multiline: None,
            line_bytes: CLASSIC_LINE_BYTES,
        }
    }
}

impl Features {
    /// Takes one token of an RPL_ISUPPORT line.
    pub fn learn(&mut self, token: &str) {
        let (key, value) = token.split_once('=').unwrap_or((token, ""));
        match key {
            "NETWORK" => self.network = value.replace("\\x20", " ").into(),
            "LINELEN" => {
                let bytes = value.parse().unwrap_or(CLASSIC_LINE_BYTES);
                self.line_bytes = bytes.clamp(CLASSIC_LINE_BYTES, LINE_BYTES);
            }
            "CHATHISTORY" => {
                // 0 means "no limit of mine"; ours is good enough then.
                let most = value.parse().ok().filter(|most| *most > 0).unwrap_or(HISTORY_MESSAGES);
                self.history_limit = most.min(HISTORY_MESSAGES);
            }
            "gzy/LOBBY" => self.lobby = Some(value).filter(|room| !room.is_empty()).map(Into::into),
            "MSGREFTYPES" => self.history_by_id = value.split(',').any(|kind| kind == "msgid"),
            "CHANTYPES" => self.room_starts = value.into(),
            "PREFIX" => self.learn_marks(value),
            _ => {}
        }
    }

    fn learn_marks(&mut self, value: &str) {
        match value.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((modes, marks)) if modes.chars().count() == marks.chars().count() => {
                (self.status_modes, self.status_marks) = (modes.into(), marks.into());
            }
            _ => (self.status_modes, self.status_marks) = ("".into(), "".into()),
        }
    }

    /// Takes the value of the capability `draft/multiline`.
    pub fn learn_multiline(&mut self, value: &str) {
        let number =
            |key: &str| value.split(',').find_map(|token| token.strip_prefix(key)?.strip_prefix('=')?.parse().ok());
        // The specification demands a number of bytes. Whoever names none of lines gets no more than our own server takes.
        self.multiline = number("max-bytes").filter(|bytes| *bytes >= LINE_BYTES).map(|bytes| Multiline {
            bytes,
            lines: number("max-lines").filter(|lines| *lines > 0).unwrap_or(MULTILINE_LINES),
        });
    }

    /// How much a message of several lines may hold; `None` when each line has to be a message.
    pub fn multiline(&self) -> Option<Multiline> {
        self.multiline.filter(|_| self.caps.has(LINES))
    }

    /// Whether the echo of a message is its receipt. Otherwise the answer to a PING sent behind it has to do.
    pub fn gives_receipts(&self) -> bool {
        self.caps.has(RECEIPTS)
    }

    /// Whether the server keeps messages and hands them out.
    pub fn has_history(&self) -> bool {
        self.caps.has(Caps::CHATHISTORY.with(Caps::BATCH))
    }

    /// Whether the server has a cloud, and says which answer belongs to which question.
    pub fn has_files(&self) -> bool {
        self.caps.has(FILES) && self.gives_receipts()
    }

    /// Whether a target of a message is a room.
    pub fn is_room(&self, target: &str) -> bool {
        target.starts_with(|c| self.room_starts.contains(c))
    }

    /// The room behind a target such as `@#room` (to those with a status only), or the target itself.
    pub fn without_marks<'a>(&self, target: &'a str) -> &'a str {
        let bare = target.trim_start_matches(|c| self.status_marks.contains(c));
        if self.is_room(bare) { bare } else { target }
    }

    /// Whether `room` is the lobby of a GZY server, which announces who comes and goes there in its own words.
    pub fn is_lobby(&self, room: &str) -> bool {
        self.lobby.as_deref().is_some_and(|lobby| crate::wire::name::fold(lobby) == crate::wire::name::fold(room))
    }
}

/// The capabilities to ask for of those that a server offers: those in use, without the ones that need a missing one.
pub fn worth_asking(offered: Caps) -> Caps {
    let mut wanted = Caps(offered.0 & WANTED.0);
    if !wanted.has(RECEIPTS) {
        // An echo that cannot be told from an earlier one is no receipt; then it is better to have none.
        wanted = wanted.without(Caps::ECHO_MESSAGE.with(Caps::LABELED_RESPONSE));
    }
    if !wanted.has(Caps::BATCH) {
        wanted = wanted.without(Caps::CHATHISTORY.with(Caps::SEARCH));
    }
    if !wanted.has(FILES) || !wanted.has(RECEIPTS) {
        wanted = wanted.without(Caps::FILES);
    }
    if !wanted.has(LINES) {
        wanted = wanted.without(Caps::MULTILINE);
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_our_own_is_recognised_by_its_tokens() {
        let mut features = Features::default();
        let line = "NETWORK=My\\x20Board LINELEN=4096 CHATHISTORY=100 gzy/LOBBY=#大厅 MSGREFTYPES=msgid,timestamp PREFIX=(ov)@+ CHANTYPES=#";
        line.split(' ').for_each(|token| features.learn(token));
        assert_eq!((&*features.network, features.line_bytes, features.history_limit), ("My Board", 4096, 100));
        assert!(features.is_lobby("#大厅") && !features.is_lobby("#other"));
        assert!(features.history_by_id);
        assert_eq!(features.without_marks("@#大厅"), "#大厅");
        assert_eq!(features.without_marks("@nobody"), "@nobody");
    }

    #[test]
    fn absurd_tokens_leave_sensible_numbers() {
        let mut features = Features::default();
        for token in ["LINELEN=many", "CHATHISTORY=0", "PREFIX=(ov)@", "gzy/LOBBY=", "MSGREFTYPES=timestamp"] {
            features.learn(token);
        }
        assert_eq!((features.line_bytes, features.history_limit), (CLASSIC_LINE_BYTES, HISTORY_MESSAGES));
        features.learn("LINELEN=99999");
        assert_eq!(features.line_bytes, LINE_BYTES);
        assert_eq!((features.lobby, features.history_by_id, &*features.status_marks), (None, false, ""));
    }

    #[test]
    fn several_lines_are_one_message_only_within_what_the_server_says() {
        let learned = |value, caps| {
            let mut features = Features { caps, ..Features::default() };
            features.learn_multiline(value);
            features.multiline().map(|limits| (limits.bytes, limits.lines))
        };
        assert_eq!(learned("max-bytes=65536,max-lines=24", WANTED), Some((65536, 24)));
        assert_eq!(learned("future=1,max-bytes=40000", WANTED), Some((40000, MULTILINE_LINES)));
        assert_eq!((learned("max-lines=24", WANTED), learned("max-bytes=9", WANTED)), (None, None));
        assert_eq!(learned("max-bytes=65536", WANTED.without(Caps::BATCH)), None);
    }

    #[test]
    fn an_echo_without_labels_is_not_asked_for() {
        let some = Caps::ECHO_MESSAGE.with(Caps::SERVER_TIME).with(Caps::MESSAGE_TAGS).with(Caps::CHGHOST);
        assert_eq!(worth_asking(some), Caps::SERVER_TIME.with(Caps::MESSAGE_TAGS));
        assert_eq!(worth_asking(WANTED.with(Caps::CHGHOST)), WANTED);
        assert_eq!(worth_asking(Caps::CHATHISTORY.with(Caps::MULTILINE)), Caps::NONE);
    }
}
