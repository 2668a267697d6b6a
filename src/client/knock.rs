//! One attempt to log in or to register: SASL PLAIN (RFC 4616) and REGISTER (draft/account-registration), line by line.

use base64ct::{Base64, Encoding};

use super::Orders;
use super::account::{Credentials, LoginFault, Wanted};
use crate::wire::caps::Caps;
use crate::wire::limits::SASL_CHUNK_BYTES;
use crate::wire::line::Line;

/// An attempt that waits for the server's answer.
#[derive(Debug)]
pub struct Knock {
    /// What is wanted.
    pub wanted: Wanted,
    /// Of which account.
    pub login: Credentials,
    /// The name of the account that the server has said we are.
    is_known_as: Option<Box<str>>,
    /// What a registration brought: the account's number, where there are numbers.
    number: Option<Box<str>>,
}

/// What a line was for an attempt.
#[derive(PartialEq, Eq, Debug)]
pub enum Heard {
    /// Nothing.
    Other,
    /// A part of it.
    Taken,
    /// Its success.
    LoggedIn {
        /// The account's name, in the server's letters.
        name: Box<str>,
        /// The number of an account that was just made.
        number: Option<Box<str>>,
    },
    /// Its end without success.
    Refused(LoginFault),
}

impl Knock {
    /// An attempt that is not begun yet.
    pub fn new(wanted: Wanted, login: Credentials) -> Knock {
        Knock { wanted, login, is_known_as: None, number: None }
    }

    /// Why it makes no sense to begin. `is_private`: nobody on the way can read what is sent.
    pub fn hindrance(&self, offered: Caps, is_private: bool) -> Option<LoginFault> {
        let needed = match self.wanted {
            Wanted::LogIn => Caps::SASL,
            Wanted::Register => Caps::REGISTRATION,
        };
        match () {
            () if !offered.has(needed) => Some(LoginFault::NoAccounts),
            () if !is_private => Some(LoginFault::NotPrivate),
            () => None,
        }
    }

    /// Begins.
    pub fn begin(&self, orders: &mut Orders) {
        match self.wanted {
            Wanted::LogIn => orders.send("AUTHENTICATE PLAIN".to_owned()),
            Wanted::Register => orders.send(format!("REGISTER {} * :{}", self.login.name, self.login.password.0)),
        }
    }

    /// Handles a line from the server.
    pub fn heard(&mut self, line: &Line, orders: &mut Orders) -> Heard {
        let sentence = line.params().last().copied().unwrap_or_default();
        match (line.command, line.param(0)) {
            ("AUTHENTICATE", Some("+")) => send_plain(&self.login, orders),
            ("900", _) => self.is_known_as = line.param(2).map(Into::into),
            // The mechanisms that there are; the refusal follows.
            ("908", _) => {}
            ("903", _) if self.wanted == Wanted::LogIn => return self.logged_in(),
            ("902" | "904" | "905" | "906" | "907", _) => return Heard::Refused(LoginFault::of_sasl(sentence)),
            ("REGISTER", Some("SUCCESS")) => {
                self.number = first_number(sentence);
                if self.is_known_as.is_some() {
                    return self.logged_in();
                }
                // The server has made the account and leaves the rest to us.
                self.wanted = Wanted::LogIn;
                orders.send("AUTHENTICATE PLAIN".to_owned());
            }
            ("REGISTER", _) => return Heard::Refused(LoginFault::Other(sentence.into())),
            ("FAIL", Some("REGISTER" | "AUTHENTICATE")) => return Heard::Refused(LoginFault::of_fail(line)),
            ("421", _) if matches!(line.param(1), Some("REGISTER" | "AUTHENTICATE")) => {
                return Heard::Refused(LoginFault::NoAccounts);
            }
            _ => return Heard::Other,
        }
        Heard::Taken
    }

    fn logged_in(&self) -> Heard {
        let name = self.is_known_as.clone().unwrap_or_else(|| self.login.name.clone());
        Heard::LoggedIn { name, number: self.number.clone() }
    }
}

/// The message of PLAIN, in pieces; one of exactly the full length says that more follow.
fn send_plain(login: &Credentials, orders: &mut Orders) {
    let message = Base64::encode_string(format!("\0{}\0{}", login.name, login.password.0).as_bytes());
    let mut rest = &message[..];
    loop {
        let (piece, behind) = rest.split_at(rest.len().min(SASL_CHUNK_BYTES));
        orders.send(format!("AUTHENTICATE {}", if piece.is_empty() { "+" } else { piece }));
        rest = behind;
        if piece.len() < SASL_CHUNK_BYTES {
            return;
        }
    }
}

/// `account 1000` → `1000`.
fn first_number(sentence: &str) -> Option<Box<str>> {
    let words = sentence.split(|c: char| !c.is_ascii_digit());
    words.into_iter().find(|digits| !digits.is_empty()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knock(wanted: Wanted, password: &str) -> (Knock, Vec<String>) {
        let mut orders = Orders::default();
        let knock = Knock::new(wanted, Credentials::new("小阳", password));
        knock.begin(&mut orders);
        (knock, orders.lines)
    }

    fn hear(knock: &mut Knock, text: &str) -> (Heard, Vec<String>) {
        let mut orders = Orders::default();
        (knock.heard(&Line::parse(text).unwrap(), &mut orders), orders.lines)
    }

    fn decoded(line: &str) -> String {
        let base64 = line.strip_prefix("AUTHENTICATE ").unwrap();
        String::from_utf8(Base64::decode_vec(base64).unwrap()).unwrap()
    }

    #[test]
    fn who_logs_in_says_name_and_password_when_asked() {
        let (mut knock, lines) = knock(Wanted::LogIn, "开门 开门");
        assert_eq!(lines, ["AUTHENTICATE PLAIN"]);
        let (heard, lines) = hear(&mut knock, "AUTHENTICATE +");
        assert_eq!((heard, decoded(&lines[0]).as_str()), (Heard::Taken, "\0小阳\0开门 开门"));
        hear(&mut knock, ":s 900 * *!*@* 小阳 :You are now logged in as 小阳");
        assert_eq!(hear(&mut knock, ":s 903 * :ok").0, Heard::LoggedIn { name: "小阳".into(), number: None });
    }

    #[test]
    fn a_long_password_goes_in_pieces_and_a_full_last_one_is_closed() {
        // 300 bytes are 400 letters of base64.
        let (mut knock, _) = knock(Wanted::LogIn, &"x".repeat(300 - "\0小阳\0".len()));
        let (_, lines) = hear(&mut knock, "AUTHENTICATE +");
        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            ["AUTHENTICATE ".len() + 400, "AUTHENTICATE +".len()]
        );
        assert_eq!(lines[1], "AUTHENTICATE +");
    }

    #[test]
    fn a_registration_brings_a_number_and_logs_in() {
        let (mut one, lines) = knock(Wanted::Register, "开门 开门");
        assert_eq!(lines, ["REGISTER 小阳 * :开门 开门"]);
        assert_eq!(hear(&mut one, ":s 900 小阳 小阳!1000@account.gzy 小阳 :in").0, Heard::Taken);
        let told = Heard::LoggedIn { name: "小阳".into(), number: Some("1000".into()) };
        assert_eq!(hear(&mut one, ":s REGISTER SUCCESS 小阳 :account 1000").0, told);
        // A server that does not log in by itself.
        let (mut other, _) = knock(Wanted::Register, "x");
        let (heard, lines) = hear(&mut other, ":s REGISTER SUCCESS 小阳 :welcome");
        assert_eq!((heard, lines), (Heard::Taken, vec!["AUTHENTICATE PLAIN".to_owned()]));
    }

    #[test]
    fn refusals_end_it_and_the_rest_is_not_its_business() {
        let refused = |wanted, text: &str| hear(&mut knock(wanted, "x").0, text).0;
        assert_eq!(refused(Wanted::LogIn, ":s 904 * :wrong password"), Heard::Refused(LoginFault::WrongPassword));
        assert_eq!(refused(Wanted::LogIn, ":s 421 anna AUTHENTICATE :what?"), Heard::Refused(LoginFault::NoAccounts));
        let taken = ":s FAIL REGISTER ACCOUNT_EXISTS 小阳 :taken";
        assert_eq!(refused(Wanted::Register, taken), Heard::Refused(LoginFault::Taken));
        assert_eq!(refused(Wanted::LogIn, ":s FAIL JOIN X :no"), Heard::Other);
        assert_eq!(refused(Wanted::LogIn, ":ben!u@h PRIVMSG anna :900"), Heard::Other);
    }
}
