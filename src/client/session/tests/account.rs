//! Logging in to an account: at the door, later, and after a broken link.

use super::*;
use crate::client::account::{LoginFault, Secret};

const LET_IN: [&str; 2] = [":gzy 900 anna * anna :You are now logged in as anna", ":gzy 903 anna :ok"];

#[test]
fn an_account_is_logged_in_to_again_after_a_broken_link_and_never_becomes_a_guest() {
    let mut anna = Anna::with_account(false);
    assert_eq!(anna.dial_accounts(), ["AUTHENTICATE PLAIN"]);
    anna.hear(&["AUTHENTICATE +"]);
    assert_eq!(anna.hear(&LET_IN), ["CAP END"]);
    anna.hear(&[":gzy 001 anna :hi", ":gzy 422 anna :none"]);
    assert_eq!(anna.shown(), ["· connected; you are anna"]);
    anna.lose();
    assert_eq!(anna.dial_accounts(), ["AUTHENTICATE PLAIN"]);
    let mut orders = Orders::default();
    let busy = ":gzy 904 anna :too many people are logging in at this moment; try again in a few seconds";
    let trouble = anna.session.heard(0, busy, &mut orders).unwrap_err();
    assert!(!trouble.is_final() && orders.lines.is_empty(), "{trouble:?} {orders:?}");
    anna.lose();
    anna.dial_accounts();
    let trouble = anna.session.heard(0, ":gzy 904 anna :wrong password", &mut orders).unwrap_err();
    assert!(trouble.is_final(), "somebody has changed it: {trouble:?}");
}

#[test]
fn a_wrong_password_waits_for_another_one_even_when_the_server_does_not() {
    let mut anna = Anna::with_account(true);
    anna.dial_accounts();
    anna.hear(&["AUTHENTICATE +", ":gzy 904 anna :wrong password"]);
    assert!(anna.session.waits_for_answer() && anna.session.deadline_ms().is_none());
    anna.lose();
    assert!(anna.session.waits_for_answer());
    anna.tell(Command::LogIn(Wanted::Register, Credentials::new("anna", "geheim2")));
    assert_eq!(anna.dial_accounts(), ["REGISTER anna * :geheim2"]);
    let registered = [LET_IN[0], ":gzy REGISTER SUCCESS anna :account 1000"];
    assert_eq!(anna.hear(&registered), ["CAP END"]);
    anna.shown();
    anna.hear(&[":gzy 001 anna :hi", ":gzy 422 anna :none"]);
    anna.lose();
    assert_eq!(anna.dial_accounts(), ["AUTHENTICATE PLAIN"], "the account is there from here on");
}

#[test]
fn who_does_not_want_to_log_in_comes_in_as_a_guest() {
    let mut anna = Anna::with_account(true);
    anna.dial_accounts();
    anna.hear(&[":gzy 904 anna :wrong password"]);
    assert_eq!(anna.tell(Command::StayGuest), ["CAP END"]);
    anna.hear(&[":gzy 001 anna2 :hi", ":gzy 422 anna2 :none"]);
    anna.lose();
    assert_eq!(anna.dial_accounts(), ["CAP END"]);
}

#[test]
fn logging_in_later_holds_for_the_next_link_too() {
    let mut anna = Anna::with_account(true);
    anna.tell(Command::StayGuest);
    assert_eq!(anna.dial_accounts(), ["CAP END"]);
    anna.hear(&[":gzy 001 guest :hi", ":gzy 422 guest :none"]);
    anna.shown();
    let log_in = || Command::LogIn(Wanted::LogIn, Credentials::new("anna", "geheim"));
    assert_eq!(anna.tell(log_in()), ["AUTHENTICATE PLAIN"]);
    anna.hear(&["AUTHENTICATE +", ":gzy 904 guest :wrong password"]);
    assert_eq!(anna.shown(), ["· not logged in as anna: wrong password"]);
    anna.tell(log_in());
    anna.hear(&["AUTHENTICATE +", ":guest!u@h NICK anna", LET_IN[0], LET_IN[1]]);
    assert_eq!(anna.shown(), ["· you are anna here", "· logged in as anna"]);
    anna.lose();
    assert_eq!(anna.dial_accounts(), ["AUTHENTICATE PLAIN"]);
}

#[test]
fn a_new_password_is_used_for_the_next_link_once_the_server_has_it() {
    let mut anna = Anna::with_account(false);
    anna.session.features.caps = crate::client::features::WANTED;
    anna.dial();
    let caps = "sasl message-tags batch echo-message labeled-response";
    anna.hear(&[&format!(":gzy CAP * LS :{caps}"), &format!(":gzy CAP * ACK :{caps}"), "AUTHENTICATE +"]);
    anna.hear(&[LET_IN[0], LET_IN[1], ":gzy 001 anna :hi", ":gzy 005 anna gzy/LOBBY=#lobby :x", ":gzy 422 anna :none"]);
    let change = Command::ChangePassword(Secret("neu-geheim".into()), "!password neu-geheim".into());
    assert_eq!(anna.tell(change), ["@label=password PRIVMSG #lobby :!password neu-geheim"]);
    anna.hear(&["@label=password :gzy NOTICE #lobby :your password is changed; use the new one from here on"]);
    let changed = Event::PasswordChanged(Credentials::new("anna", "neu-geheim"));
    assert!(anna.events.contains(&changed));
    anna.lose();
    assert_eq!(anna.session.door.account(), Some(&Credentials::new("anna", "neu-geheim")));
}

#[test]
fn no_password_leaves_this_machine_in_the_clear() {
    let mut anna = Anna::with_account(true);
    anna.session.config.address = "board".parse().unwrap();
    anna.dial();
    anna.hear(&[":gzy CAP * LS :sasl=PLAIN"]);
    let mut orders = Orders::default();
    let trouble = anna.session.heard(0, ":gzy CAP * ACK :sasl", &mut orders).unwrap_err();
    assert_eq!((trouble, orders.lines.len()), (Trouble::NoLogin("anna".into(), LoginFault::NotPrivate), 0));
}
