//! Greetings and the answers of servers, line by line.

use super::*;

fn hear(login: &mut Login, text: &str) -> (Step, Orders) {
    let mut orders = Orders::default();
    let step = login.heard(&Line::parse(text).unwrap(), &mut orders);
    (step, orders)
}

fn login(can_ask: bool) -> Login {
    Login::open(Greeting { nick: "小阳", can_ask, ..Greeting::default() }, &mut Orders::default())
}

/// The capabilities of a server with accounts are known; 小雨 logs in.
fn at_the_door(name: &str, asks_password: bool, is_private: bool) -> (Login, Step, Orders) {
    let door = Some((Wanted::LogIn, Credentials::new(name, "geheim")));
    let greeting = Greeting { nick: "guest", can_ask: true, door, is_private, asks_password, ..Greeting::default() };
    let mut login = Login::open(greeting, &mut Orders::default());
    hear(&mut login, ":s CAP * LS :sasl=PLAIN draft/account-registration");
    let (step, orders) = hear(&mut login, ":s CAP * ACK :sasl");
    (login, step, orders)
}

#[test]
fn who_has_an_account_logs_in_before_the_welcome() {
    let (mut login, step, orders) = at_the_door("小雨", false, true);
    assert_eq!((step, &*login.nick, orders.lines), (Step::Taken, "小雨", vec!["AUTHENTICATE PLAIN".to_owned()]));
    assert_eq!(hear(&mut login, "AUTHENTICATE +").1.lines.len(), 1);
    hear(&mut login, ":s 900 小雨 * 小雨 :You are now logged in as 小雨");
    let (_, orders) = hear(&mut login, ":s 903 小雨 :ok");
    assert_eq!(orders.lines, ["CAP END"]);
    assert!(matches!(&orders.events[..], [Event::LoggedIn { login, .. }] if &*login.name == "小雨"));
    hear(&mut login, ":s 001 小雨 :Welcome");
    assert_eq!(hear(&mut login, ":s 422 小雨 :none").0, Step::In("小雨".into()));
}

#[test]
fn a_number_is_no_nick() {
    assert_eq!(&*at_the_door("1000", false, true).0.nick, "guest");
}

#[test]
fn a_wrong_password_is_asked_for_again_or_ends_the_attempt() {
    let (mut login, ..) = at_the_door("小雨", true, true);
    let (step, orders) = hear(&mut login, ":s 904 * :wrong password");
    let fault = LoginFault::WrongPassword;
    let told = Event::NotLoggedIn { wanted: Wanted::LogIn, name: "小雨".into(), fault: fault.clone(), asked: true };
    assert_eq!((step, orders.events, login.is_asking_password()), (Step::Taken, vec![told], true));
    let mut orders = Orders::default();
    login.answered(Some((Wanted::Register, Credentials::new("小雨", "anderes"))), &mut orders);
    assert_eq!(orders.lines, ["REGISTER 小雨 * :anderes"]);
    let (mut login, ..) = at_the_door("小雨", false, true);
    let (step, _) = hear(&mut login, ":s 904 * :wrong password");
    assert_eq!(step, Step::Failed(Trouble::NoLogin("小雨".into(), fault)));
}

#[test]
fn no_password_is_sent_where_others_could_read_it_or_where_nobody_asks_for_it() {
    let (_, step, orders) = at_the_door("小雨", true, false);
    assert_eq!(step, Step::Failed(Trouble::NoLogin("小雨".into(), LoginFault::NotPrivate)));
    assert!(orders.lines.is_empty(), "{orders:?}");
    let door = Some((Wanted::LogIn, Credentials::new("小雨", "geheim")));
    let greeting = Greeting { nick: "小雨", door, is_private: true, ..Greeting::default() };
    let mut login = Login::open(greeting, &mut Orders::default());
    let (step, orders) = hear(&mut login, ":s CAP * LS :chghost");
    assert_eq!(step, Step::Failed(Trouble::NoLogin("小雨".into(), LoginFault::NoAccounts)));
    assert!(orders.lines.is_empty());
}

#[test]
fn the_greeting_says_all_at_once() {
    let mut orders = Orders::default();
    Login::open(Greeting { nick: "小阳", password: Some("a word"), ..Greeting::default() }, &mut orders);
    assert_eq!(orders.lines, ["CAP LS 302", "PASS :a word", "NICK 小阳", "USER gzy 0 * :小阳"]);
}

#[test]
fn capabilities_are_asked_for_when_the_whole_list_is_known() {
    let mut login = login(false);
    let (_, orders) = hear(&mut login, ":s CAP * LS * :server-time message-tags tls");
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
