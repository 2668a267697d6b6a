use time::UtcOffset;

use super::*;
use crate::client::Trouble;
use crate::client::features::Features;
use crate::client::writer::Writer;

const NOON_MS: u64 = 1_795_180_761_007;

fn painter() -> Painter {
    Painter::new(Writer { language: Language::En, offset: UtcOffset::UTC, current: "".into() }, None)
}

fn console(is_interactive: bool) -> Console {
    let mut console = Console::new(painter(), if is_interactive { Front::Plain } else { Front::Script });
    let mut features = Box::new(Features::default());
    features.learn("gzy/LOBBY=#lobby");
    let event = Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: false };
    console.happened(NOON_MS, &event);
    for line in [":anna!u@h JOIN #lobby", ":s 353 anna = #lobby :anna ben", ":s 366 anna #lobby :End"] {
        hear(&mut console, line);
    }
    console.happened(NOON_MS, &Event::Settled("#lobby".into()));
    console.print.clear();
    console
}

fn hear(console: &mut Console, line: &str) {
    console.happened(NOON_MS, &Event::Line { text: line.into(), history: false });
}

fn printed(console: &mut Console) -> Vec<String> {
    let text = |print| match print {
        Print::Line(text) | Print::Question(text) | Print::Failure(text) => Some(text),
        Print::Bell => Some("BELL".to_owned()),
        Print::Cleared => None,
    };
    console.print.drain(..).filter_map(text).collect()
}

fn said(key: u64, target: Option<&str>, text: &str) -> Command {
    Command::Say { key, target: target.map(Into::into), text: text.into() }
}

#[test]
fn nothing_typed_is_sent_before_the_room_is_known() {
    let mut console = Console::new(painter(), Front::Script);
    assert!(!console.wants_input());
    console.happened(NOON_MS, &Event::Settled("#other".into()));
    assert!(!console.wants_input());
    console.stop_waiting();
    assert!(console.wants_input());
}

#[test]
fn a_script_leaves_when_everything_is_acknowledged() {
    let mut console = console(false);
    console.typed(NOON_MS, "one");
    console.typed(NOON_MS, "two~ben");
    console.input_ended();
    assert_eq!(console.commands.drain(..).collect::<Vec<_>>(), [said(1, None, "one"), said(2, Some("ben"), "two")]);
    console.happened(NOON_MS, &Event::Delivered(2));
    assert!(console.commands.is_empty() && !console.is_success());
    console.happened(NOON_MS, &Event::Delivered(1));
    assert_eq!(console.commands.drain(..).collect::<Vec<_>>(), [Command::Quit]);
    console.happened(NOON_MS, &Event::Ended(None));
    assert!(console.is_success() && console.has_ended());
}

#[test]
fn a_refused_message_is_told_and_makes_a_script_fail() {
    let mut console = console(false);
    console.typed(NOON_MS, "one");
    let (target, text, why) = ("#lobby".into(), "one".into(), "you are muted".into());
    console.happened(NOON_MS, &Event::Refused { key: 1, target, text, why });
    assert_eq!(printed(&mut console), ["13:19 · not sent to #lobby (you are muted): one"]);
    console.input_ended();
    assert!(console.commands.contains(&Command::Quit) && !console.is_success());
}

#[test]
fn what_anna_typed_is_not_printed_again_but_her_private_words_are() {
    let mut console = console(true);
    hear(&mut console, ":anna!u@h PRIVMSG #lobby :hello");
    hear(&mut console, ":anna!u@h PRIVMSG ben :psst");
    hear(&mut console, ":ben!u@h PRIVMSG anna :what?");
    assert_eq!(printed(&mut console), ["13:19 me → ben: psst", "BELL", "13:19 ben → me: what?"]);
}

#[test]
fn private_talk_can_be_asked_for_step_by_step() {
    let mut console = console(true);
    for line in ["PC", "eve", "PC", "ben", "!bye is a word here"] {
        console.typed(NOON_MS, line);
    }
    let asked = ["Private message to: ", "· eve is not here", "Private message to: ", "To ben: "];
    assert_eq!(printed(&mut console), asked);
    assert_eq!(console.commands, [said(1, Some("ben"), "!bye is a word here")]);
}

#[test]
fn a_taken_nick_is_asked_for_again_and_enter_takes_the_suggestion() {
    let mut console = Console::new(painter(), Front::Plain);
    let refusal = Event::NickRefused {
        nick: "anna".into(),
        why: "anna is taken; anna2 is free".into(),
        suggestion: Some("anna2".into()),
        asked: true,
    };
    console.happened(NOON_MS, &refusal);
    assert!(console.wants_input());
    console.typed(NOON_MS, "two words");
    console.typed(NOON_MS, "");
    assert_eq!(console.commands, [Command::Nick("anna2".into())]);
    let printed = printed(&mut console);
    assert_eq!(printed[0], "13:19 · cannot take the name anna: anna is taken; anna2 is free");
    assert_eq!(printed[1], "Another name (Enter takes anna2): ");
    assert_eq!((printed.len(), &printed[3]), (4, &printed[1]));
}

#[test]
fn talk_goes_to_the_room_that_was_entered_and_comes_home_when_that_fails() {
    let mut console = console(true);
    console.typed(NOON_MS, "/join #secret");
    console.typed(NOON_MS, "hello");
    assert_eq!(console.commands, [Command::Join("#secret".into()), said(1, Some("#secret"), "hello")]);
    let (target, text, why) = ("#secret".into(), "hello".into(), "not in there".into());
    console.happened(NOON_MS, &Event::Refused { key: 1, target, text, why });
    console.commands.clear();
    console.typed(NOON_MS, "again");
    assert_eq!(console.commands, [said(2, None, "again")]);
}

#[test]
fn leaving_while_the_server_is_away_does_not_wait_for_it() {
    let mut console = console(true);
    console.happened(NOON_MS, &Event::Lost(Trouble::Silent));
    console.typed(NOON_MS, "one");
    console.typed(NOON_MS, "!bye");
    assert_eq!(console.commands, [said(1, None, "one"), Command::Quit]);
    assert!(!console.is_success());
}
