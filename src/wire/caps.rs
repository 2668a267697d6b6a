//! The IRCv3 capabilities: names, values, and sets of them.

use super::limits::MULTILINE_VALUE;

/// The capability for messages of several lines, and the type of their batches.
pub const MULTILINE: &str = "draft/multiline";

/// A set of capabilities, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caps(pub u32);

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal, $value:expr;)*) => {
        impl Caps {
            $($(#[$doc])* pub const $name: Caps = Caps(1 << $bit);)*
        }

        /// Every capability: its bit, its name on the wire, its value for `CAP LS 302`.
        pub const CAPABILITIES: &[(Caps, &str, &str)] = &[$((Caps::$name, $text, $value)),*];
    };
}

capabilities! {
    /// Lines carry a `time` tag.
    SERVER_TIME = 0, "server-time", "";
    /// Lines carry tags at all; TAGMSG.
    MESSAGE_TAGS = 1, "message-tags", "";
    /// Answers of several lines are bracketed.
    BATCH = 2, "batch", "";
    /// The sender gets its own message back when it is on disk.
    ECHO_MESSAGE = 3, "echo-message", "";
    /// Answers carry the asker's label.
    LABELED_RESPONSE = 4, "labeled-response", "";
    /// NAMES and WHO show every status prefix.
    MULTI_PREFIX = 5, "multi-prefix", "";
    /// NAMES shows `nick!user@host`.
    USERHOST_IN_NAMES = 6, "userhost-in-names", "";
    /// JOIN carries account and realname.
    EXTENDED_JOIN = 7, "extended-join", "";
    /// Lines carry the sender's `account` tag.
    ACCOUNT_TAG = 8, "account-tag", "";
    /// ACCOUNT lines when somebody in a common room logs in or out.
    ACCOUNT_NOTIFY = 9, "account-notify", "";
    /// AWAY lines when somebody in a common room goes or comes back.
    AWAY_NOTIFY = 10, "away-notify", "";
    /// INVITE lines about others, to those who may invite.
    INVITE_NOTIFY = 11, "invite-notify", "";
    /// CHGHOST lines when somebody's host part changes.
    CHGHOST = 12, "chghost", "";
    /// The SETNAME command and lines.
    SETNAME = 13, "setname", "";
    /// CAP NEW and CAP DEL.
    CAP_NOTIFY = 14, "cap-notify", "";
    /// FAIL, WARN and NOTE.
    STANDARD_REPLIES = 15, "standard-replies", "";
    /// No NAMES answer on JOIN unless asked for.
    NO_IMPLICIT_NAMES = 16, "draft/no-implicit-names", "";
    /// The CHATHISTORY command; no replay on JOIN.
    CHATHISTORY = 17, "draft/chathistory", "";
    /// AUTHENTICATE.
    SASL = 20, "sasl", "PLAIN";
    /// REGISTER.
    REGISTRATION = 21, "draft/account-registration", "before-connect,custom-account-name";
    /// Lines of up to `LINELEN` bytes are welcome.
    LONG_LINES = 18, "gzy/long-lines", "";
    /// FILE lines: the cloud. It counts only together with `gzy/long-lines`, because names are long.
    FILES = 27, "gzy/files", "";
    /// Messages of several lines come and go as batches.
    MULTILINE = 19, "draft/multiline", MULTILINE_VALUE;
    /// The SEARCH command.
    SEARCH = 24, "soju.im/search", "";
    /// MARKREAD: the devices of an account agree on what was read.
    READ_MARKER = 25, "draft/read-marker", "";
    /// REDACT: a message is taken back.
    MESSAGE_REDACTION = 26, "draft/message-redaction", "";
}

impl Caps {
    /// No capability.
    pub const NONE: Caps = Caps(0);

    /// Whether all of `other` are in the set.
    pub fn has(self, other: Caps) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set with `other` added.
    pub fn with(self, other: Caps) -> Caps {
        Caps(self.0 | other.0)
    }

    /// The set with `other` taken out.
    pub fn without(self, other: Caps) -> Caps {
        Caps(self.0 & !other.0)
    }

    /// The capability with this name on the wire.
    pub fn named(name: &str) -> Option<Caps> {
        CAPABILITIES.iter().find(|(_, text, _)| *text == name).map(|(cap, ..)| *cap)
    }

    /// The names of all capabilities in the set, in the order of the table.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        CAPABILITIES.iter().filter(move |(cap, ..)| self.has(*cap)).map(|(_, name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_are_unique_and_found_again() {
        for (at, (cap, name, _)) in CAPABILITIES.iter().enumerate() {
            assert_eq!(Caps::named(name), Some(*cap));
            assert!(CAPABILITIES[..at].iter().all(|(other, ..)| other.0 & cap.0 == 0), "{name} shares a bit");
        }
        assert_eq!((Caps::named(MULTILINE), Caps::named("no-such-thing")), (Some(Caps::MULTILINE), None));
    }
}
