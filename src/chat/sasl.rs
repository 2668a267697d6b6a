//! SASL PLAIN: logging in before the welcome or after it (IRCv3 sasl 3.1 and 3.2, RFC 4616).

use std::fmt::Write;

use base64ct::{Base64, Encoding};

use crate::wire::limits::{SASL_BYTES, SASL_CHUNK_BYTES};
use crate::wire::line::Line;
use crate::wire::reply::*;

use super::Secret;
use super::login::Door;
use super::turn::Turn;

/// The mechanisms that are offered.
pub const MECHANISMS: &str = "PLAIN";

impl Turn<'_> {
    /// `AUTHENTICATE <mechanism>`, then `AUTHENTICATE <base64>` in pieces of 400, or `AUTHENTICATE *`
    pub(super) fn authenticate(&mut self, line: &Line) {
        let word = line.params()[0];
        let is_under_way = self.session().sasl().is_some();
        match word {
            "*" => {
                self.session_mut().set_sasl(None);
                self.numeric(ERR_SASLABORTED, &[], "SASL authentication aborted");
            }
            _ if self.session().account.is_some() => {
                self.numeric(ERR_SASLALREADY, &[], "you are logged in already; connect again to be somebody else");
            }
            _ if is_under_way => self.sasl_piece(word),
            _ if word.eq_ignore_ascii_case(MECHANISMS) => {
                self.session_mut().set_sasl(Some(String::new()));
                // Without a source: clients compare the whole line.
                let _ = write!(self.replies.lines(), "AUTHENTICATE +\r\n");
            }
            _ => {
                self.numeric(RPL_SASLMECHS, &[MECHANISMS], "are available SASL mechanisms");
                self.numeric(ERR_SASLFAIL, &[], "that mechanism is not offered; PLAIN is");
            }
        }
    }

    /// A piece of exactly 400 bytes says that more follow; `+` is an empty one.
    fn sasl_piece(&mut self, piece: &str) {
        let mut gathered = self.session_mut().set_sasl(None).unwrap_or_default();
        if piece.len() > SASL_CHUNK_BYTES || gathered.len() + piece.len() > SASL_BYTES {
            return self.numeric(ERR_SASLTOOLONG, &[], "SASL message too long");
        }
        if piece != "+" {
            gathered.push_str(piece);
        }
        if piece.len() == SASL_CHUNK_BYTES {
            self.session_mut().set_sasl(Some(gathered));
            return;
        }
        match plain(&gathered) {
            Some((name, password)) => self.try_login(Door::Sasl, &name, password),
            None => self.numeric(
                ERR_SASLFAIL,
                &[],
                "that is no SASL PLAIN message: base64 of [account] NUL account NUL password",
            ),
        }
    }
}

/// Name and password of a PLAIN message; `None` when it is none, or asks to act for somebody else.
fn plain(base64: &str) -> Option<(String, Secret)> {
    let bytes = Base64::decode_vec(base64).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let mut parts = text.split('\0');
    let (acts_for, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = parts.next().is_none() && !name.is_empty();
    let for_oneself = acts_for.is_empty() || acts_for == name;
    (is_whole && for_oneself).then(|| (name.to_owned(), Secret(password.into())))
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::chat::{ConnId, Input};
    use crate::wire::limits::{PASSWORDS_WAITING, UNREGISTERED_MS};

    fn message(text: &str) -> String {
        Base64::encode_string(text.as_bytes())
    }

    fn newcomer(w: &mut World) -> ConnId {
        let conn = w.connect();
        w.handle(Input::Secured { conn });
        w.line(conn, "CAP LS 302");
        w.line(conn, "NICK 小阳");
        w.line(conn, "USER y 0 * :阳");
        w.line(conn, "CAP REQ :sasl");
        w.drain();
        conn
    }

    fn world() -> World {
        let mut w = World::new();
        w.add_account("小阳", "开门开门开门", false);
        w
    }

    #[test]
    fn who_is_told_to_come_again_has_the_time_for_it() {
        let mut w = world();
        let conn = newcomer(&mut w);
        w.pass_ms(UNREGISTERED_MS - 1000);
        w.chat.passwords_waiting = PASSWORDS_WAITING;
        w.ask(conn, "AUTHENTICATE PLAIN");
        let busy = ":gzy.local 904 小阳 :too many people are logging in at this moment; try again in a few seconds";
        let try_again = format!("AUTHENTICATE {}", message("\0小阳\0开门开门开门"));
        assert_eq!(w.ask(conn, &try_again), [busy]);
        w.chat.passwords_waiting = 0;
        w.pass_ms(UNREGISTERED_MS - 1000);
        w.ask(conn, "AUTHENTICATE PLAIN");
        assert!(w.ask(conn, &try_again).iter().any(|line| line.contains(" 903 ")));
    }

    #[test]
    fn who_logs_in_before_the_welcome_comes_in_under_the_registered_name() {
        let mut w = world();
        let conn = newcomer(&mut w);
        assert_eq!(w.ask(conn, "AUTHENTICATE PLAIN"), ["AUTHENTICATE +"]);
        let told = w.ask(conn, &format!("AUTHENTICATE {}", message("\0小阳\0开门开门开门")));
        assert!(told[0].contains(" 900 小阳 ") && told[1].contains(" 903 小阳 :"), "{told:?}");
        let welcome = w.ask(conn, "CAP END");
        assert!(welcome[0].ends_with("小阳!1000@account.gzy"), "{welcome:?}");
    }

    #[test]
    fn an_account_that_is_removed_before_the_welcome_brings_nobody_in() {
        let mut w = world();
        let conn = newcomer(&mut w);
        w.line(conn, "AUTHENTICATE PLAIN");
        w.line(conn, &format!("AUTHENTICATE {}", message("\0小阳\0开门开门开门")));
        w.drain();
        w.handle(Input::AccountsChanged(Vec::new()));
        assert!(w.said_to(conn)[0].contains("removed this account") && w.is_closed(conn));
    }

    #[test]
    fn who_logs_in_needs_no_free_nick() {
        let mut w = world();
        w.join("阳光");
        let conn = w.connect();
        w.handle(Input::Secured { conn });
        w.line(conn, "CAP REQ :sasl");
        w.drain();
        assert!(w.ask(conn, "NICK 阳光")[0].contains(" 433 "));
        w.line(conn, "USER y 0 * :阳");
        w.line(conn, "AUTHENTICATE PLAIN");
        w.line(conn, &format!("AUTHENTICATE {}", message("\0小阳\0开门开门开门")));
        w.drain();
        assert!(w.ask(conn, "CAP END")[0].contains(" 001 小阳 "));
    }

    #[test]
    fn a_wrong_password_and_an_unknown_name_are_told_apart() {
        let mut w = world();
        let conn = newcomer(&mut w);
        for (text, why) in [("\0小阳\0falsch", "wrong password"), ("\0eve\0falsch", "no such account")] {
            w.line(conn, "AUTHENTICATE PLAIN");
            w.drain();
            let told = w.ask(conn, &format!("AUTHENTICATE {}", message(text)));
            assert!(told.len() == 1 && told[0].contains(" 904 ") && told[0].contains(why), "{told:?}");
        }
        let welcome = w.ask(conn, "CAP END");
        assert!(welcome[0].contains(" 001 小阳2 "), "the name is somebody's: {}", welcome[0]);
        assert!(welcome.iter().any(|line| line.contains("！登录*小阳*密码")));
    }

    #[test]
    fn rubbish_a_foreign_mechanism_an_abort_and_a_flood_are_refused_each_in_its_way() {
        let mut w = world();
        let conn = newcomer(&mut w);
        assert!(w.ask(conn, "AUTHENTICATE SCRAM-SHA-256")[0].contains(" 908 "));
        w.line(conn, "AUTHENTICATE plain");
        assert!(w.ask(conn, "AUTHENTICATE *")[1].contains(" 906 "));
        for rubbish in ["!!!", "+", &message("no nul"), &message("anna\0小阳\0开门开门开门"), &message("\0\0\0\0")]
        {
            w.line(conn, "AUTHENTICATE PLAIN");
            w.drain();
            let told = w.ask(conn, &format!("AUTHENTICATE {rubbish}"));
            assert!(told[0].contains(" 904 "), "{rubbish}: {told:?}");
        }
        w.line(conn, "AUTHENTICATE PLAIN");
        w.drain();
        let pieces = SASL_BYTES / SASL_CHUNK_BYTES;
        let piece = format!("AUTHENTICATE {}", "A".repeat(SASL_CHUNK_BYTES));
        (0..pieces).for_each(|_| assert_eq!(w.ask(conn, &piece), [""; 0]));
        assert!(w.ask(conn, &piece)[0].contains(" 905 "));
    }

    #[test]
    fn a_long_password_comes_in_pieces() {
        let mut w = World::new();
        let long = "开".repeat(200);
        w.add_account("小阳", &long, false);
        let conn = newcomer(&mut w);
        w.line(conn, "AUTHENTICATE PLAIN");
        w.drain();
        let whole = message(&format!("小阳\0小阳\0{long}"));
        let (first, rest) = whole.split_at(SASL_CHUNK_BYTES);
        let (second, third) = rest.split_at(SASL_CHUNK_BYTES);
        for piece in [first, second] {
            assert_eq!(w.ask(conn, &format!("AUTHENTICATE {piece}")), [""; 0]);
        }
        assert!(w.ask(conn, &format!("AUTHENTICATE {third}"))[1].contains(" 903 "));
    }

    #[test]
    fn no_password_is_taken_in_the_clear() {
        let mut w = world();
        let conn = w.connect();
        w.line(conn, "AUTHENTICATE PLAIN");
        w.drain();
        let told = w.ask(conn, &format!("AUTHENTICATE {}", message("\0小阳\0开门开门开门")));
        assert!(told[0].contains(" 904 ") && told[0].contains("TLS"), "{told:?}");
        assert!(w.session(conn).account.is_none());
    }
}
