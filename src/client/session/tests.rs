//! Whole conversations between a session, a scripted server, and the view.

use super::*;
use crate::client::account::Wanted;
use crate::client::shown::What;
use crate::client::view::View;
use crate::client::words::Language;
use crate::client::writer::Writer;
use time::UtcOffset;

mod account;
mod files;

/// A day in 2026; nothing depends on it.
const NOON_MS: u64 = 1_795_180_761_007;

/// Anna's client and what she sees. The server is the test.
struct Anna {
    session: Session,
    view: View,
    shown: Vec<String>,
    events: Vec<Event>,
    now_ms: u64,
}

impl Anna {
    fn new(can_ask: bool) -> Anna {
        Anna::with_history(can_ask, 10)
    }

    fn with_history(can_ask: bool, history: usize) -> Anna {
        let config = Config {
            security: crate::client::Security::Plain,
            broken_after_ms: crate::client::pace::BROKEN_AFTER_MS,
            address: "board".parse().unwrap(),
            nick: "anna".into(),
            password: None,
            can_ask,
            account: None,
            asks_password: false,
            room: None,
            history,
            follows_rooms: true,
        };
        let mut next = 0;
        let new_id = Box::new(move || {
            next += 1;
            next
        });
        let (view, shown, events) = (View::default(), Vec::new(), Vec::new());
        Anna { session: Session::new(config, new_id), view, shown, events, now_ms: 0 }
    }

    /// Anna with an account, and a way to the server that nobody else sees.
    fn with_account(asks_password: bool) -> Anna {
        let mut anna = Anna::new(false);
        anna.session.config.address = "localhost".parse().unwrap();
        anna.session.config.asks_password = asks_password;
        anna.session.told(Command::LogIn(Wanted::LogIn, Credentials::new("anna", "geheim")), &mut Orders::default());
        anna
    }

    /// Dials a server that has accounts, up to where the client knocks. Returns what it says then.
    fn dial_accounts(&mut self) -> Vec<String> {
        self.dial();
        self.hear(&[":gzy CAP * LS :sasl=PLAIN draft/account-registration"]);
        self.hear(&[":gzy CAP * ACK :sasl"])
    }

    fn after(&mut self, orders: Orders) -> Vec<String> {
        for event in orders.events {
            let current = self.view.home().into();
            let writer = Writer { language: Language::En, offset: UtcOffset::UTC, current };
            for shown in self.view.take(NOON_MS, &event) {
                let line = writer.line(&shown, NOON_MS);
                let mark = matches!(&shown.what, What::Said(said) if said.history);
                // Without the time; history marked.
                let text = line.split_once(' ').map_or("", |(_, text)| text);
                self.shown.push(if mark { format!("~{text}") } else { text.to_owned() });
            }
            self.events.push(event);
        }
        orders.lines
    }

    fn dial(&mut self) -> Vec<String> {
        let mut orders = Orders::default();
        self.session.opened(self.now_ms, &mut orders);
        self.after(orders)
    }

    /// The server sends these lines; returns what anna's client sends.
    fn hear(&mut self, lines: &[&str]) -> Vec<String> {
        let mut orders = Orders::default();
        for line in lines {
            self.session.heard(self.now_ms, line, &mut orders).unwrap();
        }
        self.after(orders)
    }

    fn say(&mut self, key: u64, text: &str) -> Vec<String> {
        self.tell(Command::Say { key, target: None, text: text.into() })
    }

    fn tell(&mut self, command: Command) -> Vec<String> {
        let mut orders = Orders::default();
        self.session.told(command, &mut orders);
        self.after(orders)
    }

    fn lose(&mut self) {
        let mut orders = Orders::default();
        self.session.lost(&mut orders);
        orders.tell(Event::Lost(Trouble::Closed(None)));
        self.after(orders);
    }

    fn shown(&mut self) -> Vec<String> {
        std::mem::take(&mut self.shown)
    }

    fn delivered(&mut self) -> Vec<u64> {
        let keys = self.events.iter().filter_map(|event| match event {
            Event::Delivered(key) => Some(*key),
            _ => None,
        });
        keys.collect()
    }

    /// Logs in to a GZY server and enters the lobby, up to where the history is asked for. Returns the question.
    fn enter(&mut self) -> Vec<String> {
        self.dial();
        let req = self.hear(&[
            ":gzy CAP * LS * :server-time message-tags batch echo-message labeled-response multi-prefix",
            ":gzy CAP * LS :standard-replies draft/chathistory gzy/long-lines away-notify",
        ]);
        assert_eq!(req.len(), 1, "{req:?}");
        let caps = req[0].strip_prefix("CAP REQ :").unwrap();
        assert_eq!(self.hear(&[&format!(":gzy CAP * ACK :{caps}")]), ["CAP END"]);
        let joins = self.hear(&[
            ":gzy 001 anna :Welcome",
            ":gzy 005 anna NETWORK=gzy LINELEN=4096 CHATHISTORY=3 gzy/LOBBY=#lobby MSGREFTYPES=msgid,timestamp :are here",
            ":gzy 422 anna :No message of the day",
        ]);
        assert!(joins.iter().all(|line| line.starts_with("JOIN ")), "{joins:?}");
        let asked = self.hear(&[
            ":anna!gzy@cloak JOIN #lobby",
            ":gzy 353 anna = #lobby :anna ben",
            ":gzy 366 anna #lobby :End",
            ":gzy NOTICE #lobby :Welcome anna",
        ]);
        [joins, asked].concat()
    }

    /// In the lobby with message 2 as the last one known.
    fn in_lobby() -> Anna {
        let mut anna = Anna::new(false);
        assert_eq!(anna.enter(), ["@label=h1 CHATHISTORY LATEST #lobby * 3"]);
        anna.hear(&history("h1", &[(1, "ben", "one"), (2, "小阳", "two")]));
        assert_eq!(anna.shown(), ["· connected; you are anna", "· Welcome anna", "~ben: one", "~小阳: two"]);
        assert_eq!(anna.events.last(), Some(&Event::Settled("#lobby".into())));
        anna
    }
}

fn message(id: u64, who: &str, text: &str) -> String {
    format!("@time=2026-11-20T13:00:00.000Z;msgid={id:016x} :{who}!u@h PRIVMSG #lobby :{text}")
}

/// A whole answer of CHATHISTORY.
fn history(label: &str, messages: &[(u64, &str, &str)]) -> Vec<&'static str> {
    let mut lines = vec![format!("@label={label} :gzy BATCH +b{label} chathistory #lobby")];
    lines.extend(messages.iter().map(|(id, who, text)| format!("@batch=b{label};{}", &message(*id, who, text)[1..])));
    lines.push(format!(":gzy BATCH -b{label}"));
    // Leaked, so that the conversations below read as lists of lines.
    lines.into_iter().map(|line| &*line.leak()).collect()
}

#[test]
fn anna_enters_sees_what_was_said_and_talks() {
    let mut anna = Anna::in_lobby();
    let sent = anna.say(1, "你好");
    let id = format!("{:032x}", 1);
    assert_eq!(sent, [format!("@+gzy/id={id};label=m1 PRIVMSG #lobby :你好")]);
    anna.hear(&[
        &message(3, "ben", "three"),
        &format!("@msgid={:016x};+gzy/id={id};label=m1 :anna!gzy@cloak PRIVMSG #lobby :你好", 4),
        ":ben!u@h PRIVMSG anna :psst",
    ]);
    assert_eq!(anna.shown(), ["ben: three", "anna: 你好", "ben → me: psst"]);
    assert_eq!(anna.delivered(), [1]);
}

#[test]
fn a_broken_link_leaves_neither_gap_nor_double_line() {
    let mut anna = Anna::in_lobby();
    anna.hear(&[&message(3, "ben", "three")]);
    anna.lose();
    assert_eq!(anna.enter(), ["@label=h2 CHATHISTORY AFTER #lobby msgid=0000000000000003 3"]);
    // 8 is said while the history is on its way, and is in the second part of it, too.
    let again = anna.hear(&history("h2", &[(4, "ben", "four"), (5, "小阳", "five"), (6, "ben", "six")]));
    assert_eq!(again, ["@label=h3 CHATHISTORY AFTER #lobby msgid=0000000000000006 3"]);
    anna.hear(&[&message(8, "ben", "eight")]);
    assert!(anna.hear(&history("h3", &[(7, "ben", "seven"), (8, "ben", "eight")])).is_empty());
    anna.hear(&[&message(9, "ben", "nine")]);
    let lines = [
        "ben: three",
        "· the link broke (the server closed it); reconnecting, what you type is sent later",
        "· connected again; you are anna",
        "· Welcome anna",
        "~ben: four",
        "~小阳: five",
        "~ben: six",
        "~ben: seven",
        "~ben: eight",
        "ben: nine",
    ];
    assert_eq!(anna.shown(), lines);
}

#[test]
fn what_was_on_its_way_is_sent_once_more_and_only_if_it_did_not_arrive() {
    let mut anna = Anna::in_lobby();
    let first = anna.say(1, "arrived");
    let second = anna.say(2, "lost");
    anna.lose();
    assert!(anna.say(3, "typed meanwhile").is_empty());
    anna.enter();
    // The history shows that the first one arrived; its receipt was lost with the link.
    let id = format!("{:032x}", 1);
    let sent = anna.hear(&[
        "@label=h2 :gzy BATCH +x chathistory #lobby",
        &format!("@batch=x;msgid={:016x};+gzy/id={id} :anna!gzy@cloak PRIVMSG #lobby :arrived", 3),
        ":gzy BATCH -x",
    ]);
    assert_eq!(anna.delivered(), [1]);
    assert_eq!(sent[0], second[0]);
    assert!(sent[1].ends_with(":typed meanwhile") && sent.len() == 2 && first.len() == 1, "{sent:?}");
    anna.hear(&[
        &format!("@msgid={:016x};+gzy/id={:032x};label=m2 :anna!gzy@cloak PRIVMSG #lobby :lost", 4, 2),
        &format!("@msgid={:016x};+gzy/id={:032x};label=m3 :anna!gzy@cloak PRIVMSG #lobby :typed meanwhile", 5, 3),
    ]);
    assert_eq!(anna.delivered(), [1, 2, 3]);
    assert_eq!(anna.shown()[3..], ["~anna: arrived", "anna: lost", "anna: typed meanwhile"]);
}

#[test]
fn a_server_that_recognises_a_message_again_answers_with_the_first_receipt() {
    let mut anna = Anna::in_lobby();
    let sent = anna.say(1, "hello");
    anna.hear(&[&message(9, "ben", "nine")]);
    anna.lose();
    anna.enter();
    // Message 3 is older than what anna saw last, so the history does not have it.
    assert_eq!(anna.hear(&history("h2", &[])), sent);
    let echo = format!("@msgid={:016x};+gzy/id={:032x};label=m1 :anna!gzy@cloak PRIVMSG #lobby :hello", 3, 1);
    anna.hear(&[&echo, &echo]);
    assert_eq!(anna.delivered(), [1]);
    assert_eq!(anna.shown().iter().filter(|line| line.contains("hello")).count(), 1);
    // The late receipt did not move the known point back.
    anna.lose();
    assert_eq!(anna.enter(), ["@label=h3 CHATHISTORY AFTER #lobby msgid=0000000000000009 3"]);
}

#[test]
fn a_message_that_its_sender_sent_again_after_a_crash_is_shown_once() {
    let mut anna = Anna::in_lobby();
    anna.hear(&["@msgid=0000000000000003;+gzy/id=b1 :ben!u@h PRIVMSG #lobby :three"]);
    anna.lose();
    anna.enter();
    anna.hear(&history("h2", &[]));
    anna.hear(&["@msgid=0000000000000007;+gzy/id=b1 :ben!u@h PRIVMSG #lobby :three"]);
    assert_eq!(anna.shown().iter().filter(|line| line.contains("three")).count(), 1);
}

#[test]
fn the_own_nick_is_taken_back_from_the_broken_link() {
    let mut anna = Anna::in_lobby();
    anna.lose();
    anna.dial();
    assert_eq!(anna.hear(&[":gzy 433 * anna :anna is taken; anna2 is free"]), ["NICK anna2"]);
    anna.hear(&[":gzy 001 anna2 :Welcome", ":gzy 422 anna2 :No message of the day"]);
    anna.hear(&[":anna2!gzy@cloak JOIN #lobby", ":gzy 366 anna2 #lobby :End"]);
    assert_eq!(anna.session.deadline_ms(), Some(REGAIN_EVERY_MS));
    anna.now_ms = REGAIN_EVERY_MS;
    let mut orders = Orders::default();
    anna.session.tick(anna.now_ms, &mut orders).unwrap();
    assert_eq!(orders.lines, ["NICK anna"]);
    anna.shown();
    // Not yet, and nobody needs to know.
    anna.hear(&[":gzy 433 anna2 anna :anna is taken; anna3 is free"]);
    assert!(anna.shown().is_empty());
    assert_eq!(anna.hear(&[":anna!gzy@cloak QUIT :no answer for too long"]), ["NICK anna"]);
    anna.hear(&[":anna2!gzy@cloak NICK anna"]);
    assert_eq!(anna.shown(), ["· you are anna here"]);
    assert_eq!(anna.session.deadline_ms(), None);
}

#[test]
fn a_taken_nick_waits_for_somebody_to_choose_even_when_the_server_does_not() {
    let mut anna = Anna::new(true);
    anna.dial();
    assert!(anna.hear(&[":gzy 433 * anna :anna is taken; anna2 is free"]).is_empty());
    assert!(anna.session.waits_for_answer() && anna.session.deadline_ms().is_none());
    anna.session.lost(&mut Orders::default());
    assert!(anna.session.waits_for_answer());
    anna.tell(Command::Nick("小阳".into()));
    assert!(!anna.session.waits_for_answer());
    assert!(anna.dial().contains(&"NICK 小阳".to_owned()));
}

#[test]
fn an_ordinary_irc_server_is_talked_to_as_well() {
    let mut anna = Anna::new(false);
    anna.dial();
    anna.say(1, "early");
    let sent = anna.hear(&[
        ":s 421 * CAP :Unknown command",
        ":s 001 anna :Welcome",
        ":s 005 anna CHANTYPES=#&+ PREFIX=(qaohv)~&@%+ NETWORK=x :are supported",
        ":s 375 anna :- s message of the day",
        ":s 372 anna :- be nice",
        ":s 376 anna :End of MOTD command",
    ]);
    assert_eq!(sent, ["JOIN #lobby"]);
    assert_eq!(anna.hear(&[":anna!~gzy@127.0.0.1 JOIN :#lobby"]), ["PRIVMSG #lobby :early", "PING m1"]);
    anna.hear(&[
        ":s 353 anna = #lobby :~@ben +小阳 anna",
        ":s 366 anna #lobby :End of NAMES list",
        "PING :cookie",
        ":s PONG s :m1",
    ]);
    assert_eq!(anna.delivered(), [1]);
    anna.say(2, "again");
    anna.hear(&[":s 404 anna #lobby :Cannot send to channel", ":s PONG s :m2"]);
    let lines = [
        "· be nice",
        "· connected; you are anna",
        "· you are in #lobby with 3 people here: anna, ben, 小阳",
        "anna: early",
        "· not sent to #lobby (Cannot send to channel): again",
    ];
    assert_eq!(anna.shown(), lines);
    assert_eq!(anna.delivered(), [1]);
    // After a broken link the rooms are entered again, but not those that anna was thrown out of.
    anna.tell(Command::Join("#other".into()));
    anna.hear(&[":anna!~gzy@127.0.0.1 JOIN :#other", ":s 366 anna #other :End", ":s KICK #lobby anna :go"]);
    anna.lose();
    anna.dial();
    assert_eq!(anna.hear(&[":s 001 anna :Welcome", ":s 422 anna :none"]), ["JOIN #other"]);
}

#[test]
fn a_server_that_lets_nobody_in_is_given_up() {
    let mut anna = Anna::new(false);
    anna.dial();
    let until = anna.session.deadline_ms().unwrap();
    assert_eq!(anna.session.tick(until, &mut Orders::default()), Err(Trouble::NoAnswer));
    let banned = anna.session.heard(0, ":s 465 anna :You are banned", &mut Orders::default());
    assert_eq!(banned, Err(Trouble::Closed(Some("You are banned".into()))));
}

#[test]
fn who_wants_no_history_still_looks_whether_a_message_arrived() {
    let mut anna = Anna::with_history(false, 0);
    assert!(anna.enter().is_empty());
    assert_eq!(anna.say(1, "hello").len(), 1);
    anna.lose();
    assert_eq!(anna.enter(), ["@label=h1 CHATHISTORY LATEST #lobby * 3"]);
    let id = format!("{:032x}", 1);
    let sent = anna.hear(&[
        "@label=h1 :gzy BATCH +x chathistory #lobby",
        &format!("@batch=x;msgid={:016x};+gzy/id={id} :anna!gzy@cloak PRIVMSG #lobby :hello", 3),
        ":gzy BATCH -x",
    ]);
    assert_eq!((sent.len(), anna.delivered()), (0, vec![1]));
}
