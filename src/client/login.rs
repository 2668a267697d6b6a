//! How a client gets in: capabilities, the nick, and another nick when that is taken.

use super::features::worth_asking;
use super::{Event, Orders, Trouble, nick_of};
use crate::wire::caps::{Caps, MULTILINE};
use crate::wire::line::Line;
use crate::wire::name::{NAME_BYTES, Nick, fold, suggestion};

/// The user name of every GZY client; who somebody is says the nick.
const USER: &str = "gzy";

/// Nicks that are tried without asking anybody before the client gives up.
const NICKS_TRIED: u32 = 20;

/// One attempt to get in. Lives from the greeting to the end of the welcome.
#[derive(Debug)]
pub struct Login {
    nick: Box<str>,
    offered: Caps,
    caps: Caps,
    /// The value of `draft/multiline`.
    multiline: Box<str>,
    tries: u32,
    can_ask: bool,
    is_asking: bool,
    welcomed: bool,
}

/// What became of a line while logging in.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    /// It belongs to the login; nothing else is to be done with it.
    Taken,
    /// It is for others.
    Other,
    /// The client is in, under this nick.
    In(Box<str>),
    /// There is no way in.
    Failed(Trouble),
}

impl Login {
    /// Greets. `can_ask`: somebody is there to choose another nick.
    pub fn open(nick: &str, password: Option<&str>, can_ask: bool, orders: &mut Orders) -> Login {
        orders.send("CAP LS 302".to_owned());
        if let Some(password) = password {
            orders.send(format!("PASS :{password}"));
        }
        orders.send(format!("NICK {nick}"));
        orders.send(format!("USER {USER} 0 * :{nick}"));
        let (offered, caps) = (Caps::NONE, Caps::NONE);
        Login {
            nick: nick.into(),
            offered,
            caps,
            multiline: "".into(),
            tries: 0,
            can_ask,
            is_asking: false,
            welcomed: false,
        }
    }

    /// The capabilities that were granted.
    pub fn caps(&self) -> Caps {
        self.caps
    }

    /// How much a message of several lines may hold, in the server's words.
    pub fn multiline(&self) -> &str {
        &self.multiline
    }

    /// Whether the server waits for a nick that somebody has to choose.
    pub fn is_asking(&self) -> bool {
        self.is_asking
    }

    /// Somebody chose another nick.
    pub fn chosen(&mut self, nick: &str, orders: &mut Orders) {
        self.is_asking = false;
        self.nick = nick.into();
        orders.send(format!("NICK {nick}"));
    }

    /// Handles a line from the server.
    pub fn heard(&mut self, line: &Line, orders: &mut Orders) -> Step {
        match line.command {
            "CAP" => self.negotiate(line, orders),
            // A server from before capabilities; it goes on with the rest of the greeting.
            "421" if line.param(1) == Some("CAP") => {}
            "001" => {
                self.welcomed = true;
                self.nick = line.param(0).unwrap_or(&self.nick).into();
            }
            // The end of the message of the day, or that there is none: the welcome is over.
            "376" | "422" if self.welcomed => return Step::In(self.nick.clone()),
            // Or the server puts the client into a room before it has said all.
            "JOIN" if self.welcomed && nick_of(line.source.unwrap_or_default()) == &*self.nick => {
                return Step::In(self.nick.clone());
            }
            // Erroneous, in use, collision, temporarily not available.
            "432" | "433" | "436" | "437" if !self.welcomed => return self.refused(line, orders),
            // Wrong password, not allowed from there, banned: the server's sentence says more than "closed".
            "463" | "464" | "465" => {
                return Step::Failed(Trouble::Closed(line.params().last().map(|why| (*why).into())));
            }
            _ => return Step::Other,
        }
        Step::Taken
    }

    fn negotiate(&mut self, line: &Line, orders: &mut Orders) {
        let names = line.params().last().copied().unwrap_or_default();
        let caps = names.split(' ').filter_map(|cap| Caps::named(cap.split('=').next().unwrap_or(cap)));
        match line.param(1) {
            Some("LS") => {
                self.offered = caps.fold(self.offered, Caps::with);
                let values = names.split(' ').filter_map(|cap| cap.split_once('='));
                for (_, value) in values.filter(|(name, _)| *name == MULTILINE) {
                    self.multiline = value.into();
                }
                if line.param(2) == Some("*") && line.params().len() > 3 {
                    return; // More of the list follows.
                }
                let wanted = worth_asking(self.offered);
                if wanted == Caps::NONE {
                    return orders.send("CAP END".to_owned());
                }
                orders.send(format!("CAP REQ :{}", wanted.names().collect::<Vec<_>>().join(" ")));
            }
            Some("ACK") => {
                self.caps = caps.fold(self.caps, Caps::with);
                orders.send("CAP END".to_owned());
            }
            Some("NAK") => orders.send("CAP END".to_owned()),
            _ => {}
        }
    }

    fn refused(&mut self, line: &Line, orders: &mut Orders) -> Step {
        let why = line.params().last().copied().unwrap_or_default();
        let free = suggested(&self.nick, why);
        let asked = self.can_ask;
        orders.tell(Event::NickRefused { nick: self.nick.clone(), why: why.into(), suggestion: free.clone(), asked });
        if asked {
            self.is_asking = true;
            return Step::Taken;
        }
        self.tries += 1;
        if self.tries > NICKS_TRIED {
            return Step::Failed(Trouble::NoNick(why.into()));
        }
        self.nick = free.unwrap_or_else(|| self.next_try(line.command == "432"));
        orders.send(format!("NICK {}", self.nick));
        Step::Taken
    }

    /// A nick to try when the server names none: 小阳2 for a taken 小阳, guest2 where the server does not like the name at all.
    fn next_try(&self, is_bad: bool) -> Box<str> {
        let nick = if is_bad { Nick::parse("guest") } else { Nick::parse(&self.nick) };
        // A nick that even we would not take can only be replaced.
        nick.or_else(|_| Nick::parse("guest"))
            .map_or_else(|_| "guest".into(), |n| suggestion(&n, |_| true).as_str().into())
    }
}

/// The free nick that a server's sentence names: "小阳 is taken; 小阳2 is free".
fn suggested(refused: &str, sentence: &str) -> Option<Box<str>> {
    let said_free = sentence.rsplit(';').next()?.trim().trim_end_matches('.').strip_suffix(" is free");
    let is_other = |word: &&str| fold(word) != fold(refused) && word.len() <= NAME_BYTES && Nick::parse(word).is_ok();
    let counted = |word: &&str| word.strip_prefix(refused).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let mut words = sentence.split(|c: char| c.is_whitespace() || ",;:.，；：。、（）()\"'“”‘’".contains(c));
    said_free.filter(is_other).or_else(|| words.find(|word| is_other(word) && counted(word))).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(login: &mut Login, text: &str) -> (Step, Orders) {
        let mut orders = Orders::default();
        let step = login.heard(&Line::parse(text).unwrap(), &mut orders);
        (step, orders)
    }

    fn login(can_ask: bool) -> Login {
        Login::open("小阳", None, can_ask, &mut Orders::default())
    }

    #[test]
    fn the_greeting_says_all_at_once() {
        let mut orders = Orders::default();
        Login::open("小阳", Some("a word"), false, &mut orders);
        assert_eq!(orders.lines, ["CAP LS 302", "PASS :a word", "NICK 小阳", "USER gzy 0 * :小阳"]);
    }

    #[test]
    fn capabilities_are_asked_for_when_the_whole_list_is_known() {
        let mut login = login(false);
        let (_, orders) = hear(&mut login, ":s CAP * LS * :server-time message-tags sasl=PLAIN");
        assert!(orders.lines.is_empty());
        let (_, orders) = hear(&mut login, ":s CAP * LS :batch draft/chathistory chghost");
        assert_eq!(orders.lines, ["CAP REQ :server-time message-tags batch draft/chathistory"]);
        let (_, orders) = hear(&mut login, ":s CAP * ACK :server-time message-tags batch draft/chathistory ");
        assert_eq!(orders.lines, ["CAP END"]);
        assert!(login.caps().has(Caps::CHATHISTORY.with(Caps::SERVER_TIME)));
        assert!(!login.caps().has(Caps::CHGHOST));
    }

    #[test]
    fn a_server_without_capabilities_lets_the_client_in_as_well() {
        let mut login = login(false);
        hear(&mut login, ":s 421 小阳 CAP :Unknown command");
        hear(&mut login, ":s 001 小阳 :Welcome");
        assert_eq!(hear(&mut login, ":s 422 小阳 :No MOTD").0, Step::In("小阳".into()));
    }

    #[test]
    fn nobody_to_ask_takes_the_suggestion_and_counts_on_without_one() {
        let mut login = login(false);
        let (_, orders) = hear(&mut login, ":s 433 * 小阳 :小阳 is taken; 小阳2 is free");
        assert_eq!(orders.lines, ["NICK 小阳2"]);
        let (_, orders) = hear(&mut login, ":s 433 * 小阳2 :Nickname is already in use");
        assert_eq!(orders.lines, ["NICK 小阳3"]);
        let (_, orders) = hear(&mut login, ":s 432 * 小阳3 :Erroneous nickname");
        assert_eq!(orders.lines, ["NICK guest2"]);
    }

    #[test]
    fn a_server_that_likes_no_nick_is_given_up() {
        let mut login = login(false);
        let refusal = ":s 433 * x :in use";
        for _ in 0..NICKS_TRIED {
            assert_eq!(hear(&mut login, refusal).0, Step::Taken);
        }
        assert_eq!(hear(&mut login, refusal).0, Step::Failed(Trouble::NoNick("in use".into())));
    }

    #[test]
    fn somebody_who_can_be_asked_is_asked() {
        let mut login = login(true);
        let (_, orders) = hear(&mut login, ":s 433 * 小阳 :小阳 已被占用；小阳2 可用");
        assert!(orders.lines.is_empty() && login.is_asking());
        let [Event::NickRefused { suggestion, asked: true, .. }] = &orders.events[..] else { panic!("{orders:?}") };
        assert_eq!(suggestion.as_deref(), Some("小阳2"));
        let mut orders = Orders::default();
        login.chosen("小阴", &mut orders);
        assert_eq!((orders.lines, login.is_asking()), (vec!["NICK 小阴".to_owned()], false));
    }

    #[test]
    fn only_a_legal_nick_counts_as_a_suggestion() {
        assert_eq!(suggested("anna", "anna is taken; anna2 is free").as_deref(), Some("anna2"));
        assert_eq!(suggested("anna", "anna is taken; b\u{1b}[2J is free"), None);
        assert_eq!(suggested("anna", "anna is taken; anna is free"), None);
        assert_eq!(suggested("anna", "Nickname is already in use."), None);
        assert_eq!(suggested("anna", "annabel is here"), None);
    }

    #[test]
    fn a_wrong_password_is_told_in_the_servers_words() {
        let (step, _) = hear(&mut login(false), ":s 464 * :Password incorrect");
        assert_eq!(step, Step::Failed(Trouble::Closed(Some("Password incorrect".into()))));
    }
}
