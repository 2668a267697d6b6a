//! WHO and WHOX: who is here, a line for each.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

use crate::store::record::AccountId;
use crate::wire::caps::Caps;
use crate::wire::limits::{MASK_BYTES, WHO_REPLIES};
use crate::wire::line::{Line, clip};
use crate::wire::mask::glob;
use crate::wire::name::fold;
use crate::wire::reply::*;

use super::accounts::Account;
use super::devices::ACCOUNT_HOST;
use super::join::clip_word;
use super::room::Standing;
use super::turn::Turn;
use super::{Chat, Room, SERVER_NAME, Session};

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
        let room = Some(wanted).filter(|wanted| wanted.starts_with('#'));
        let room = room.and_then(|name| self.chat.room_meant(self.me, name));
        let people = if wanted.starts_with('#') {
            room.map_or_else(Vec::new, |room| self.chat.people_in(room, self.session(), form.operators_only))
        } else if let Some(person) = self.chat.session_named(wanted) {
            let counts = person.operator || !form.operators_only;
            counts.then_some((Person::Here(person), Standing::PLAIN)).into_iter().collect()
        } else {
            self.chat.people_like(wanted, self.session(), form.operators_only)
        };
        let room = room.map_or("*", |room| room.name.as_str());
        let (mut rows, are_too_many) = (String::new(), people.len() > WHO_REPLIES);
        for (person, standing) in people.into_iter().take(WHO_REPLIES) {
            let row = Row { asker: self.session(), person, room, standing, now_ms: self.now.wall_ms };
            row.write(&form, &mut rows);
        }
        self.replies.lines().push_str(&rows);
        if are_too_many {
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
    fn people_in<'a>(&'a self, room: &'a Room, asker: &Session, operators_only: bool) -> Vec<(Person<'a>, Standing)> {
        let is_inside = asker.operator || asker.rooms.contains(&room.id);
        if room.flags.secret && !is_inside {
            return Vec::new();
        }
        let here = room.members.iter().filter(|member| !member.further);
        let here = here.filter_map(|member| Some((self.session(member.conn)?, member.standing)));
        let here = here.filter(|(person, _)| (person.operator || !operators_only) && self.may_see(asker, person));
        let here = here.map(|(person, standing)| (Person::Here(person), standing));
        // Who is away may be invisible when they are here.
        let away = self.away_in(room).filter(|_| is_inside && !operators_only);
        let away = away.map(|(seat, account)| (Person::Away(seat.account, account), seat.standing));
        here.chain(away).take(WHO_REPLIES + 1).collect()
    }

    /// Those whom a mask means and whom `asker` may see, at most one more than WHO shows.
    fn people_like<'a>(&'a self, mask: &str, asker: &Session, operators_only: bool) -> Vec<(Person<'a>, Standing)> {
        let pattern = if mask == "0" { "*".into() } else { fold(clip(mask, MASK_BYTES)) };
        let all = glob(&pattern, SERVER_NAME);
        let meant = self.sessions.iter().flatten().map(|person| &**person).filter(|person| {
            person.is_registered()
                && self.is_lead(person.conn)
                && (person.operator || !operators_only)
                && (all || is_like(person, &pattern, asker.operator))
                && self.may_see(asker, person)
        });
        meant.map(|person| (Person::Here(person), Standing::PLAIN)).take(WHO_REPLIES + 1).collect()
    }
}

/// Whether a folded pattern means somebody by nick, user name, host part, account or realname, or by address where that may be known.
fn is_like(person: &Session, pattern: &str, by_address: bool) -> bool {
    let parts = [person.nick.as_str(), person.user(), person.cloak(), &person.realname];
    parts.into_iter().chain(person.account_name()).any(|part| is_named(part, pattern))
        || (by_address && glob(pattern, &person.address.to_canonical().to_string()))
}

/// Whether a folded pattern means a text. Most texts are folded already, and a search looks at many.
fn is_named(text: &str, pattern: &str) -> bool {
    let folded = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if folded { glob(pattern, text) } else { glob(pattern, &fold(text)) }
}

/// An address as a parameter: one that begins with a colon gets a zero in front, which means the same.
pub(super) fn address_word(address: IpAddr) -> String {
    let text = address.to_canonical().to_string();
    if text.starts_with(':') { format!("0{text}") } else { text }
}

/// Somebody who is here, or a member of a group who is not.
#[derive(Clone, Copy)]
enum Person<'a> {
    Here(&'a Session),
    Away(AccountId, &'a Account),
}

impl<'a> Person<'a> {
    /// What is known only of somebody who is here.
    fn here(self) -> Option<&'a Session> {
        match self {
            Person::Here(session) => Some(session),
            Person::Away(..) => None,
        }
    }

    fn nick(self) -> &'a str {
        match self {
            Person::Here(session) => session.nick.as_str(),
            Person::Away(_, account) => account.name.as_str(),
        }
    }

    fn user(self) -> Cow<'a, str> {
        match self {
            Person::Here(session) => session.user().into(),
            Person::Away(id, _) => id.0.to_string().into(),
        }
    }

    fn host(self) -> &'a str {
        self.here().map_or(ACCOUNT_HOST, Session::cloak)
    }

    fn account(self) -> &'a str {
        match self {
            Person::Here(session) => session.account_name().unwrap_or("0"),
            Person::Away(_, account) => account.name.as_str(),
        }
    }

    fn realname(self) -> &'a str {
        match self {
            Person::Here(session) => &session.realname,
            Person::Away(_, account) => account.display.as_deref().unwrap_or(account.name.as_str()),
        }
    }
}

/// Somebody, as one line of an answer shows them.
struct Row<'a> {
    asker: &'a Session,
    person: Person<'a>,
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
            let (nick, user, host) = (person.nick(), person.user(), person.host());
            let (room, flags, code) = (self.room, self.flags(), RPL_WHOREPLY.0);
            let _ = write!(out, ":{SERVER_NAME} {code} {asker} {room} {user} {host} {SERVER_NAME} {nick} {flags} ");
            let _ = write!(out, ":0 {}\r\n", person.realname());
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
            'u' => out.push_str(&person.user()),
            'i' => match person.here().filter(|_| self.asker.operator) {
                Some(session) => out.push_str(&address_word(session.address)),
                None => out.push_str(HIDDEN_ADDRESS),
            },
            'h' => out.push_str(person.host()),
            's' => out.push_str(SERVER_NAME),
            'n' => out.push_str(person.nick()),
            'f' => out.push_str(&self.flags()),
            'd' => out.push('0'),
            'l' => {
                let spoke_ms = person.here().map_or(self.now_ms, |session| session.spoke_ms);
                let _ = write!(out, "{}", self.now_ms.saturating_sub(spoke_ms) / 1000);
            }
            'a' => out.push_str(person.account()),
            'o' => out.push_str("n/a"),
            _ => out.push_str(person.realname()),
        }
    }

    /// Here or gone, server operator, standing in the room, bot.
    fn flags(&self) -> String {
        let session = self.person.here();
        let is_here = session.is_some_and(|session| session.away.is_none());
        let mut flags = String::from(if is_here { "H" } else { "G" });
        if session.is_some_and(|session| session.operator) {
            flags.push('*');
        }
        flags.push_str(self.standing.prefixes(self.asker.caps.has(Caps::MULTI_PREFIX)));
        if session.is_some_and(|session| session.bot) {
            flags.push('B');
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConnId;
    use super::super::testing::World;
    use super::*;

    fn host(w: &World, conn: ConnId) -> String {
        w.session(conn).cloak().to_string()
    }

    #[test]
    fn a_room_shows_its_members_with_their_standing() {
        let mut w = World::new();
        let (anna, 小阳) = (w.join("anna"), w.join("小阳"));
        w.line(小阳, "JOIN #茶");
        w.line(anna, "JOIN #茶");
        w.line(anna, "AWAY :吃饭");
        w.drain();
        let (h1, h2) = (host(&w, anna), host(&w, 小阳));
        assert_eq!(
            w.ask(anna, "WHO #茶"),
            [
                format!(":gzy.local 352 anna #茶 ~user {h2} gzy.local 小阳 H@ :0 小阳"),
                format!(":gzy.local 352 anna #茶 ~anna {h1} gzy.local anna G :0 anna"),
                ":gzy.local 315 anna #茶 :that is all".into(),
            ]
        );
        assert_eq!(w.ask(anna, "WHO #nowhere"), [":gzy.local 315 anna #nowhere :that is all"]);
    }

    #[test]
    fn every_prefix_shows_to_those_who_can_read_them() {
        let mut w = World::new();
        let (anna, ben) = (w.join_with_caps("anna", "multi-prefix"), w.join("ben"));
        w.line(anna, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        let room = w.chat.room_named("#茶").map(|room| room.id).unwrap();
        w.chat.rooms.get_mut(&room).unwrap().members[0].standing.set(Standing::VOICE, true);
        w.make_operator(anna);
        w.chat.session_mut(anna).unwrap().bot = true;
        w.drain();
        let line = |asker: &str, flags: &str, w: &World| {
            format!(":gzy.local 352 {asker} #茶 ~anna {} gzy.local anna {flags} :0 anna", host(w, anna))
        };
        assert_eq!(w.ask(anna, "WHO #茶 o")[0], line("anna", "H*@+B", &w));
        assert_eq!(w.ask(ben, "WHO #茶 o")[0], line("ben", "H*@B", &w));
        assert_eq!(w.ask(ben, "WHO #茶 o").len(), 2, "ben is no operator");
    }

    #[test]
    fn a_nick_or_a_mask_finds_people() {
        let mut w = World::new();
        let (anna, 小阳) = (w.join("anna"), w.join("小阳"));
        w.line(小阳, "SETNAME :阳光 Sunny");
        w.drain();
        let found = format!(":gzy.local 352 anna * ~user {} gzy.local 小阳 H :0 阳光 Sunny", host(&w, 小阳));
        for wanted in ["小阳", "小?", "*sunny*", "~USER", &host(&w, 小阳)] {
            let end = format!(":gzy.local 315 anna {wanted} :that is all");
            assert_eq!(w.ask(anna, &format!("WHO {wanted}")), [found.clone(), end], "{wanted}");
        }
        for wanted in ["*", "0", "gzy.local"] {
            assert_eq!(w.ask(anna, &format!("WHO {wanted}")).len(), 3, "{wanted}");
        }
        assert_eq!(w.ask(anna, "WHO nobody*"), [":gzy.local 315 anna nobody* :that is all"]);
        let address = w.session(小阳).address.to_string();
        assert_eq!(w.ask(anna, &format!("WHO {address}")).len(), 1, "addresses are not for everybody");
        w.make_operator(anna);
        assert_eq!(w.ask(anna, &format!("WHO {address}"))[0], found);
    }

    #[test]
    fn whoever_wants_to_be_invisible_is_found_by_nick_or_in_a_common_room_only() {
        let mut w = World::with(super::super::Settings { lobby: None, ..super::super::testing::settings() });
        let (小阳, eve, ben) = (w.join("小阳"), w.join("eve"), w.join("ben"));
        w.chat.turn(小阳, w.now, &mut Vec::new(), |turn| turn.set_invisible(true));
        w.line(小阳, "JOIN #茶");
        w.line(ben, "JOIN #茶");
        w.drain();
        assert_eq!(w.ask(eve, "WHO 小*").len(), 1);
        assert_eq!(w.ask(eve, "WHO #茶").len(), 2, "ben and the end");
        assert_eq!(w.ask(eve, "WHO 小阳").len(), 2);
        assert_eq!(w.ask(ben, "WHO 小*").len(), 2);
        assert_eq!(w.ask(小阳, "WHO 小*").len(), 2);
        w.make_operator(eve);
        assert_eq!(w.ask(eve, "WHO 小*").len(), 2);
    }

    #[test]
    fn a_secret_room_shows_nobody_to_strangers() {
        let mut w = World::new();
        let (anna, eve) = (w.join("anna"), w.join("eve"));
        w.line(anna, "JOIN #秘密");
        let room = w.chat.room_named("#秘密").map(|room| room.id).unwrap();
        w.chat.rooms.get_mut(&room).unwrap().flags.secret = true;
        w.drain();
        assert_eq!(w.ask(eve, "WHO #秘密"), [":gzy.local 315 eve #秘密 :that is all"]);
        assert_eq!(w.ask(anna, "WHO #秘密").len(), 2);
        w.make_operator(eve);
        assert_eq!(w.ask(eve, "WHO #秘密").len(), 2);
    }

    #[test]
    fn whox_sends_the_fields_in_its_own_order() {
        let mut w = World::new();
        let (anna, 小阳) = (w.join("anna"), w.join("小阳"));
        w.log_in(小阳, "小阳");
        w.pass_ms(5_000);
        let (h, address) = (host(&w, 小阳), w.session(小阳).address.to_string());
        let full =
            |ip: &str, who: &str| format!("354 anna 42 #lobby 1000 {ip} {h} gzy.local 小阳 H 0 5 {who} n/a :小阳");
        let rows = w.ask(anna, "WHO #lobby %raoldfnshiuct,42");
        assert_eq!(rows[1], format!(":gzy.local {}", full("255.255.255.255", "小阳")));
        assert!(rows[0].contains(" 0 n/a :anna"), "no account is 0: {}", rows[0]);
        assert_eq!(rows[2], ":gzy.local 315 anna #lobby :that is all");
        w.make_operator(anna);
        assert_eq!(w.ask(anna, "WHO #lobby %tcuihsnfdlaor,42")[1], format!(":gzy.local {}", full(&address, "小阳")));
        assert_eq!(w.ask(anna, "WHO 小阳 %tna,1234")[0], ":gzy.local 354 anna 0 小阳 小阳", "a token has three digits");
        assert_eq!(w.ask(anna, "WHO 小阳 %nx")[0], ":gzy.local 354 anna 小阳", "unknown fields are left out");
        assert_eq!(w.ask(anna, "WHO * o%n,7"), [":gzy.local 354 anna anna", ":gzy.local 315 anna * :that is all"]);
    }

    #[test]
    fn an_answer_has_an_end_however_many_there_are() {
        let mut w = World::new();
        let anna = w.join("anna");
        for at in 0..WHO_REPLIES {
            w.join(&format!("bot{at}"));
        }
        for wanted in ["*", "#lobby"] {
            let lines = w.ask(anna, &format!("WHO {wanted}"));
            assert_eq!(lines.len(), WHO_REPLIES + 2);
            let tail = [
                ":gzy.local 416 anna WHO :there are more than 1000; ask for fewer".into(),
                format!(":gzy.local 315 anna {wanted} :that is all"),
            ];
            assert_eq!(lines[WHO_REPLIES..], tail);
        }
    }

    #[test]
    fn an_address_never_ends_a_line_early() {
        assert_eq!(address_word("::1".parse().unwrap()), "0::1");
        assert_eq!(address_word("2001:db8::1".parse().unwrap()), "2001:db8::1");
        assert_eq!(address_word("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }
}
