//! Every size, count and interval that the network may meet, each with its reason.

/// Bytes of a line without tags, line end included, from and to clients that can take it (ISUPPORT `LINELEN`).
/// Eight classic lines: a long Chinese paragraph (1300 characters) fits, a read buffer stays small.
pub const LINE_BYTES: usize = 4096;

/// Bytes of a line without tags, line end included, to every other client: what RFC 1459 promises them.
pub const CLASSIC_LINE_BYTES: usize = 512;

/// Bytes of the tags that a client may send, `@` and the space included: IRCv3 message-tags.
pub const CLIENT_TAGS_BYTES: u16 = 4096;

/// Bytes of the tags on a line from a server, those that it passes on and its own (IRCv3 message-tags).
pub const SERVER_TAGS_BYTES: u16 = 8191;

/// Parameters of one line; the last takes the rest (RFC 1459).
pub const PARAMS: usize = 15;

/// Bytes of a user name (the part before `@`); what other servers use.
pub const USER_BYTES: usize = 20;

/// Bytes of a realname or display name: a long name in Chinese, twice.
pub const REALNAME_BYTES: usize = 150;

/// Bytes of a topic: fits a classic line with room for the longest source and room name.
pub const TOPIC_BYTES: usize = 300;

/// Bytes of an away reason, for the same reason as a topic.
pub const AWAY_BYTES: usize = 200;

/// Bytes of a reason for leaving, kicking or killing.
pub const REASON_BYTES: usize = 250;

/// Bytes of a room's key.
pub const ROOM_KEY_BYTES: usize = 32;

/// Rooms that one connection may be in: all the groups of an account, the lobby and some more, and it bounds the cost of a quit.
pub const ROOMS_PER_SESSION: usize = 150;

/// Rooms that may exist, groups aside: bounds the memory that strangers can make the server use (about 2 KiB each).
pub const ROOMS: usize = 10_000;

/// Groups that may exist: they stay, so this bounds what registered strangers can make the server keep.
pub const GROUPS: usize = 10_000;

/// Groups that one account may own: a class, a family, a dozen hobbies. Half a thousand accounts are needed to use up all groups.
pub const GROUPS_PER_OWNER: usize = 20;

/// Groups that one account may be a member of: each is a room that every device is put in at login.
pub const GROUPS_PER_ACCOUNT: usize = 100;

/// Members of one group, here or away: a school. At 16 bytes each all of them take 32 KiB.
pub const MEMBERS_PER_GROUP: usize = 2000;

/// Invitations that wait for one account: two screens full. Whoever wants to ask it somewhere else waits for an answer to one of these.
pub const INVITATIONS_PER_ACCOUNT: usize = 20;

/// Invitations to one group that wait for an answer: a school class, twice.
pub const INVITATIONS_PER_GROUP: usize = 100;

/// Unread messages of a group that are counted; beyond it there are `99+`.
pub const UNREAD_COUNTED: usize = 100;

/// Milliseconds in which something that cannot be taken back has to be asked for again: long enough to read what it destroys.
pub const CONFIRM_MS: u64 = 60_000;

/// Rooms in one LIST answer, the largest first: half a megabyte at most, so that no asker is cut for reading slowly (ISUPPORT `SAFELIST`).
pub const LISTED_ROOMS: usize = 1000;

/// Masks in each of a room's lists (ban, exception, invitation): checking a join stays quick.
pub const MASKS_PER_LIST: usize = 100;

/// Bytes of a mask.
pub const MASK_BYTES: usize = 200;

/// Names on one connection's MONITOR list: a large address book.
pub const MONITOR_NAMES: usize = 100;

/// Targets of one PRIVMSG, NOTICE or TAGMSG: enough for "to you two", too few for spam.
pub const TARGETS: usize = 4;

/// Mode changes with a parameter in one MODE line.
pub const MODES_PER_LINE: usize = 6;

/// Invitations that one connection can hold open.
pub const INVITES_PER_SESSION: usize = 20;

/// Names that WHOWAS remembers.
pub const WHOWAS_NAMES: usize = 256;

/// People in one WHO answer: at a hundred to three hundred bytes each they stay well below what may wait for one receiver.
pub const WHO_REPLIES: usize = 1000;

/// Names in one USERHOST line (RFC 2812).
pub const USERHOST_NAMES: usize = 5;

/// Bytes of a line of the message of the day: with the longest nick in front it fits a classic line.
pub const MOTD_LINE_BYTES: usize = 400;

/// Bytes of a PING's token that come back: what fits a classic line. Programs send a time or a number.
pub const PING_TOKEN_BYTES: usize = 400;

/// Bytes of the names in one CAP line: with the longest nick and `CAP … LIST * :` in front they fit a classic line.
pub const CAP_NAMES_BYTES: usize = 400;

/// Bytes of a message of several lines, the breaks between them included: a chapter, and sixteen of the longest lines.
/// Sixteen of them fill what may wait for one receiver.
pub const MULTILINE_BYTES: usize = 64 << 10;

/// Lines of such a message: a long poem, or a page and a half of a program. Each is sent on with a head and tags of its own
/// (up to 200 bytes), so this many keep what is added below what is said.
pub const MULTILINE_LINES: usize = 100;

/// Both, as the capability's value says them (IRCv3 draft/multiline).
pub const MULTILINE_VALUE: &str = "max-bytes=65536,max-lines=100";

/// Milliseconds from the first line of such a message to its end: a hundred lines take twenty seconds at the flood limits, a slow link longer.
pub const MULTILINE_MS: u64 = 60_000;

/// Bytes of such messages that are not finished, over all connections: strangers who begin and never end cost a board no more than this.
pub const MULTILINES_BYTES: usize = 16 << 20;

/// Messages in one CHATHISTORY answer.
pub const HISTORY_MESSAGES: usize = 100;

/// Rooms and conversations that CHATHISTORY TARGETS chooses from: more than anybody has. An answer shows [`HISTORY_MESSAGES`] of them.
pub const HISTORY_TARGETS: usize = 10_000;

/// Words of one search: what anybody remembers of a sentence, and the store checks each.
pub const SEARCH_WORDS: usize = 8;

/// Bytes of the words of one search: a sentence in Chinese. The index looks every piece of it up.
pub const SEARCH_BYTES: usize = 256;

/// Private conversations that a search everywhere looks through, those with the newest messages. `in` names any other.
pub const SEARCH_CONVERSATIONS: usize = 100;

/// Read markers that are held for one account while it is here, those of the latest times: its rooms and many conversations.
pub const MARKERS_PER_ACCOUNT: usize = 500;

/// Private messages that somebody who comes back is shown unasked; `!history` shows the others.
pub const MISSED_MESSAGES: usize = 100;

/// Bytes that stand around the text of a line, about: who says it, where, when.
pub const LINE_AROUND_BYTES: usize = 256;

/// Bytes of one CHATHISTORY answer, about: a full one of the longest single lines fits, and with the tags of their senders it
/// stays below what may wait for one receiver. Only messages of several lines reach it; who asks goes on from the last message.
pub const HISTORY_BYTES: usize = 512 << 10;

/// Bytes of what a room keeps for newcomers, if it is more than its newest message: pasted chapters are no greeting.
pub const REPLAY_BYTES: usize = 128 << 10;

/// Lines that `!history` and `!search` show at most: a screen or two.
pub const HISTORY_LINES: usize = 50;

/// A room with more members than this tells joins and leaves as counts: a line each to everybody would be N² lines.
pub const ROOM_TELLS_EACH: usize = 200;

/// How often such a room tells its counts.
pub const ROOM_COUNTS_MS: u64 = 10_000;

/// Milliseconds that a connection has to register: a person on a slow line with a password to think of, or a silent stranger.
pub const UNREGISTERED_MS: u64 = 30_000;

/// Milliseconds of silence after which a client is asked with PING whether it is there.
pub const PING_AFTER_MS: u64 = 120_000;

/// Milliseconds of silence after which a client is gone.
pub const GONE_AFTER_MS: u64 = 240_000;

/// Milliseconds that a question to the store or a password check may take before the asker is told that it failed: a busy SD card needs seconds.
pub const ANSWER_MS: u64 = 30_000;

/// Chat lines that one connection may send at once: a client that joins its twelve rooms and greets.
pub const FLOOD_BURST: u32 = 20;

/// Chat lines per second after the burst; lines beyond it are not lost, they are read later.
pub const FLOOD_PER_SECOND: u32 = 4;

/// FILE lines per second of one connection, after a burst of five seconds' worth: a folder of ten thousand small files is offered file by file.
/// Each costs the rules about 20 µs, so one connection cannot take more than a tenth of a core with them.
pub const FILE_LINES_PER_SECOND: u32 = 4000;

/// Lines of one connection that wait while an answer to an earlier one is on its way. Flood limits keep it far below; this is the belt.
pub const HELD_LINES: usize = 512;

/// Bytes that may wait for one receiver. Beyond it the receiver is too slow: it is cut and fetches the rest from history.
pub const SEND_QUEUE_BYTES: usize = 1 << 20;

/// Bytes that may wait for all receivers together: an eighth of a 512 MB board.
pub const SEND_QUEUES_BYTES: usize = 64 << 20;

/// Wrong operator passwords on one connection before it is closed.
pub const WRONG_PASSWORDS: u8 = 5;

/// Messages whose sender's own id is remembered, so that sending one again is harmless without asking the store.
pub const RECENT_SENT_IDS: usize = 1024;

/// Bytes of a sender's own id of a message (`+gzy/id`): a UUID fits twice.
pub const SENT_ID_BYTES: usize = 64;

/// Messages that may wait for the store. Beyond it new ones are refused: better than losing them without a word.
pub const UNSAVED_MESSAGES: usize = 8192;

/// Bytes of messages longer than a line that may wait for the store, for the same reason.
pub const UNSAVED_LONG_BYTES: usize = 32 << 20;

/// Milliseconds that a message nobody waits for may stay in memory before it is handed to the store: one write to the SD card then serves many.
pub const SAVE_WITHIN_MS: u64 = 50;

/// Bytes of TLS that one connection may leave unfinished: the largest record of TLS 1.2 with its header. A ClientHello fits many times.
pub const TLS_INCOMING_BYTES: usize = (16 << 10) + 2048 + 5;

/// Bytes of text that are encrypted before the socket has taken what went before: one full record. Bounds what waits encrypted, which cannot be taken back.
pub const SEALED_AT_ONCE_BYTES: usize = 16 << 10;

/// Milliseconds from the first byte of a TLS handshake to its last: a round trip or two on the worst Wi-Fi, and a board that is busy.
pub const HANDSHAKE_MS: u64 = 10_000;

/// TLS handshakes at one time; further ones wait their turn. Each takes about 20 KiB.
pub const HANDSHAKES: usize = 512;

/// The same from one address (a /64 of IPv6), so that one stranger cannot take every turn.
pub const HANDSHAKES_PER_ADDRESS: usize = 32;

/// Characters of a password at least: four of a Chinese phrase and a number make a fair one.
pub const PASSWORD_CHARS_MIN: usize = 6;

/// Passwords that may wait to be checked or hashed. A small board does four in a second: the last one waits for two minutes.
pub const PASSWORDS_WAITING: usize = 512;

/// Milliseconds that a password may wait for its turn and be checked, before its owner is told to try again.
pub const PASSWORD_ANSWER_MS: u64 = 150_000;

/// Bytes of one AUTHENTICATE line's base64 (IRCv3 sasl 3.1); a piece that long says that more follow.
pub const SASL_CHUNK_BYTES: usize = 400;

/// Bytes of a whole SASL message: two names and a password of a thousand characters.
pub const SASL_BYTES: usize = 10 * SASL_CHUNK_BYTES;

/// Bytes of a file, unless the host says otherwise (`--max-file`): a long film in its best quality.
pub const FILE_BYTES: u64 = 16 << 30;

/// Files in the cloud: each takes about 400 bytes of memory, so all of them take 80 MB of a board's 512.
pub const FILES: usize = 200_000;

/// Offers of one connection that are not done: a client asks ahead, so that ten thousand small files do not wait for a round trip each.
pub const FILE_OFFERS_PER_SESSION: usize = 1024;

/// Offers of all connections that are not done. At up to a KiB each they take 16 MiB.
pub const FILE_OFFERS: usize = 16_384;

/// Downloads that one connection may have tickets for, for the same reason; a further one ends the oldest.
pub const FILE_DOWNLOADS_PER_SESSION: usize = 1024;

/// Milliseconds that a ticket lives without being used: a lunch break, a dead battery, the train home.
pub const FILE_TICKET_IDLE_MS: u64 = 3_600_000;

/// Milliseconds that a transfer is waited for whose sender has gone: what was received is being written and checked.
pub const FILE_ORPHAN_MS: u64 = 600_000;

/// HTTP requests that may wait for one upload: the one that brings its bytes, and some that ask how far it is.
pub const FILE_REQUESTS: usize = 16;

/// Bytes of one FILE LIST answer, about: half of what may wait for one receiver. Who asks goes on behind the last name.
pub const FILE_LIST_BYTES: usize = 512 << 10;

/// Milliseconds after which files that follow others of the same person are announced together …
pub const FILES_GATHERED_MS: u64 = 2000;

/// … and at most, when ever more come: a folder that takes an hour is sixty lines.
pub const FILES_GATHERED_MAX_MS: u64 = 60_000;

/// Files of one person that are announced one by one within such a time; more are one notice.
pub const FILES_TOLD_EACH: usize = 3;

/// Names tried for a file whose own is taken, where its sender takes any.
pub const FILE_NUMBERS: u32 = 1000;

/// Milliseconds that a right password is remembered for further HTTP requests: each is sent with it, and checking takes a board 250.
pub const WEB_LOGIN_MS: u64 = 600_000;

/// Right passwords that are remembered so: the busy members of a few minutes.
pub const WEB_LOGINS: usize = 256;

/// HTTP requests that may wait for passwords to be checked.
pub const WEB_WAITING: usize = 1024;

/// Bytes of an HTTP request's head: the longest name, percent-encoded three times over, and a browser's cookies.
pub const HTTP_HEAD_BYTES: usize = 16 << 10;

/// Fields of an HTTP head; a browser sends about twenty.
pub const HTTP_FIELDS: usize = 64;

/// Milliseconds from the first byte of a head to its last: whoever needs longer holds a connection, not a conversation.
pub const HTTP_HEAD_MS: u64 = 10_000;

/// Milliseconds that a connection may wait for its next request: longer than a person reads a listing before the next click.
pub const HTTP_IDLE_MS: u64 = 60_000;

/// Milliseconds without a byte after which a transfer is cut, up or down. It can be taken up again.
pub const HTTP_STALLED_MS: u64 = 60_000;

/// Requests of one connection that are under way at once: a round trip to the rules serves that many small files.
pub const HTTP_PIPELINED: usize = 32;

/// Bytes of answers that are gathered for one write, and of a body that goes out with its head. What a slow reader makes the server hold.
pub const HTTP_GATHERED_BYTES: usize = 64 << 10;

/// Bytes of a body that nobody wants and that are read all the same, so that the connection can go on. A longer one ends it.
pub const HTTP_UNWANTED_BYTES: u64 = 256 << 10;

/// Listings that are made and sent at once; further ones wait. One of all files that the cloud can hold takes 100 MB.
pub const LISTINGS: usize = 4;

/// Milliseconds that a transfer waits for a turn when all are taken, before it is told to come back later.
pub const TRANSFER_TURN_MS: u64 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capability_says_what_is_so() {
        assert_eq!(MULTILINE_VALUE, format!("max-bytes={MULTILINE_BYTES},max-lines={MULTILINE_LINES}"));
        const {
            assert!(HISTORY_MESSAGES * (LINE_BYTES + LINE_AROUND_BYTES) <= HISTORY_BYTES);
            assert!(HISTORY_BYTES + HISTORY_MESSAGES * CLIENT_TAGS_BYTES as usize <= SEND_QUEUE_BYTES);
            assert!(MULTILINE_BYTES + MULTILINE_LINES * LINE_AROUND_BYTES <= REPLAY_BYTES);
        }
    }
}
