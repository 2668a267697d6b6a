//! WHO and WHOX: who is here, a line for each.

use std::fmt::Write;
use std::net::IpAddr;

use crate::wire::caps::Caps;
use crate::wire::limits::WHO_REPLIES;
use crate::wire::line::{Line, clip};
use crate::wire::mask::{MASK_BYTES, glob};
use crate::wire::name::fold;
use crate::wire::reply::*;

use super::join::clip_word;
use super::room::Standing;
use super::turn::Turn;
use super::{Chat, ConnId, SERVER_NAME, Session};

/// The fields of WHOX in the order in which they are always sent, whatever order they are asked for in.
const WHOX_FIELDS: &str = "tcuihsnfdlaor";

/// What WHOX shows in place of an address that is not for everybody.
const HIDDEN_ADDRESS: &str = "255.255.255.255";

/// What the second parameter of WHO asks for: `[o][%<fields>[,<token>]]`.
struct Form<'a> {
    operators_only: bool,
    /// Empty for the classic reply.
    fields: &'a str,
    /// At most three digits; `0` when none was given.
    token: &'a str,
}

impl Form<'_> {
    fn parse(text: &str) -> Form<'_> {
        let (flags, chosen) = text.split_once('%').unwrap_or((text, ""));
        let (fields, token) = chosen.split_once(',').unwrap_or((chosen, ""));
        let is_token = (1..=3).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_digit());
        Form { operators_only: flags.contains('o'), fields, token: if is_token { token } else { "0" } }
    }
}

impl Turn<'_> {
    /// `WHO <room, nick or mask> [o][%<fields>[,<token>]]`
    pub(super) fn who(&mut self, line: &Line) {
        let wanted = line.params()[0];
        let form = Form::parse(line.param(1).unwrap_or(""));
        let people = if wanted.starts_with('#') {
            self.chat.people_in(wanted, self.session(), form.operators_only)
        } else if let Some(person) = self.chat.session_named(wanted) {
            let counts = person.operator || !form.operators_only;
            counts.then_some((person.conn, Standing::PLAIN)).into_iter().collect()
        } else {
            self.chat.people_like(wanted, self.session(), form.operators_only)
        };
        let room = self.chat.room_named(wanted).map_or("*", |room| room.name.as_str());
        for (conn, standing) in people.iter().take(WHO_REPLIES) {
            let (Some(asker), Some(person)) = (self.chat.session(self.me), self.chat.session(*conn)) else { continue };
            let row = Row { asker, person, room, standing: *standing, now_ms: self.now.wall_ms };
            row.write(&form, self.replies.lines());
        }
        if people.len() > WHO_REPLIES {
            let sentence = format!("there are more than {WHO_REPLIES}; ask for fewer");
            self.numeric(ERR_TOOMANYMATCHES, &["WHO"], &sentence);
        }
        self.numeric(RPL_ENDOFWHO, &[clip_word(wanted)], "that is all");
    }
}

impl Chat {
    /// Whether `asker` may come across `person` without knowing the nick.
    pub(super) fn may_see(&self, asker: &Session, person: &Session) -> bool {
        !person.invisible
            || asker.operator
            || asker.conn == person.conn
            || asker.rooms.iter().any(|room| person.rooms.contains(room))
    }

    /// Those in a room whom `asker` may see there, at most one more than WHO shows.
    fn people_in(&self, name: &str, asker: &Session, operators_only: bool) -> Vec<(ConnId, Standing)> {
        let Some(room) = self.room_named(name) else { return Vec::new() };
        if room.flags.secret && !asker.operator && !asker.rooms.contains(&room.id) {
            return Vec::new();
        }
        let shown = room.members.iter().filter(|member| {
            let person = self.session(member.conn);
            person.is_some_and(|person| (person.operator || !operators_only) && self.may_see(asker, person))
        });
        shown.map(|member| (member.conn, member.standing)).take(WHO_REPLIES + 1).collect()
    }

    /// Those whom a mask means and whom `asker` may see, at most one more than WHO shows.
    fn people_like(&self, mask: &str, asker: &Session, operators_only: bool) -> Vec<(ConnId, Standing)> {
        let pattern = if mask == "0" { "*".into() } else { fold(clip(mask, MASK_BYTES)) };
        let all = glob(&pattern, SERVER_NAME);
        let meant = self.sessions.iter().flatten().filter(|person| {
            person.is_registered()
                && (person.operator || !operators_only)
                && (all || is_like(person, &pattern, asker.operator))
                && self.may_see(asker, person)
        });
        meant.map(|person| (person.conn, Standing::PLAIN)).take(WHO_REPLIES + 1).collect()
    }
}

/// Whether a folded pattern means somebody by nick, user name, host part, account or realname, or by address where that may be known.
fn is_like(person: &Session, pattern: &str, by_address: bool) -> bool {
    let parts = [&person.user, &person.cloak, &person.realname];
    glob(pattern, person.nick.key().as_str())
        || parts.into_iter().chain(&person.account).any(|part| glob(pattern, &fold(part)))
        || (by_address && glob(pattern, &person.address.to_canonical().to_string()))
}

/// An address as a parameter: one that begins with a colon gets a zero in front, which means the same.
pub(super) fn address_word(address: IpAddr) -> String {
    let text = address.to_canonical().to_string();
    if text.starts_with(':') { format!("0{text}") } else { text }
}

/// Somebody, as one line of an answer shows them.
struct Row<'a> {
    asker: &'a Session,
    person: &'a Session,
    /// The room that was asked about, or `*`.
    room: &'a str,
    /// The standing there.
    standing: Standing,
    now_ms: u64,
}

impl Row<'_> {
    fn write(&self, form: &Form, out: &mut String) {
        let (asker, person) = (self.asker.nick.as_str(), self.person);
        if form.fields.is_empty() {
            let (nick, user, host) = (person.nick.as_str(), &person.user, &person.cloak);
            let (room, flags, code) = (self.room, self.flags(), RPL_WHOREPLY.0);
            let _ = write!(out, ":{SERVER_NAME} {code} {asker} {room} {user} {host} {SERVER_NAME} {nick} {flags} ");
            let _ = write!(out, ":0 {}\r\n", person.realname);
            return;
        }
        let _ = write!(out, ":{SERVER_NAME} {} {asker}", RPL_WHOSPCRPL.0);
        for field in WHOX_FIELDS.chars().filter(|field| form.fields.contains(*field)) {
            out.push_str(if field == 'r' { " :" } else { " " });
            self.write_field(field, form.token, out);
        }
        out.push_str("\r\n");
    }

    fn write_field(&self, field: char, token: &str, out: &mut String) {
        let person = self.person;
        match field {
            't' => out.push_str(token),
            'c' => out.push_str(self.room),
            'u' => out.push_str(&person.user),
            'i' if self.asker.operator => out.push_str(&address_word(person.address)),
            'i' => out.push_str(HIDDEN_ADDRESS),
            'h' => out.push_str(&person.cloak),
            's' => out.push_str(SERVER_NAME),
            'n' => out.push_str(person.nick.as_str()),
            'f' => out.push_str(&self.flags()),
            'd' => out.push('0'),
            'l' => {
                let _ = write!(out, "{}", self.now_ms.saturating_sub(person.spoke_ms) / 1000);
            }
            'a' => out.push_str(person.account.as_deref().unwrap_or("0")),
            'o' => out.push_str("n/a"),
            _ => out.push_str(&person.realname),
        }
    }

    /// Here or gone, server operator, standing in the room, bot.
    fn flags(&self) -> String {
        let person = self.person;
        let mut flags = String::from(if person.away.is_some() { "G" } else { "H" });
        if person.operator {
            flags.push('*');
        }
        flags.push_str(self.standing.prefixes(self.asker.caps.has(Caps::MULTI_PREFIX)));
        if person.bot {
            flags.push('B');
        }
        flags
    }
}
