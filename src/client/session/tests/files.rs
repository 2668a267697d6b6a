//! Questions about files, and what is told of the answers.

use super::*;
use crate::client::transfers::lines::{Answer, Said};

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn ask(anna: &mut Anna, label: &str, line: &str) -> Vec<String> {
    anna.events.clear();
    anna.tell(Command::File { label: label.into(), line: line.into() })
}

fn answers(anna: &Anna) -> Vec<&Answer> {
    let answers = anna.events.iter().filter_map(|event| match event {
        Event::File(answer) => Some(&**answer),
        _ => None,
    });
    answers.collect()
}

#[test]
fn a_question_about_files_gets_its_answer_and_nothing_of_it_is_talk() {
    let mut anna = Anna::in_lobby();
    assert_eq!(ask(&mut anna, "f1", "FILE PUT * 0 x :a"), ["@label=f1 FILE PUT * 0 x :a"]);
    assert_eq!(anna.hear(&[&format!("@label=f1 :gzy FILE TICKET PUT t0 7 9 {HEX} :a")]), Vec::<String>::new());
    let said = Said::PutTicket { token: "t0".into(), offset: 7 };
    assert_eq!(answers(&anna), [&Answer { label: "f1".into(), said }]);
    ask(&mut anna, "f2", "FILE GET * :b");
    anna.hear(&["@label=f2 :gzy FAIL FILE NO_SUCH_FILE GET * b :there is no b"]);
    assert!(
        matches!(&answers(&anna)[..], [answer] if matches!(&answer.said, Said::Refused { code, .. } if &**code == "NO_SUCH_FILE"))
    );
    assert!(anna.events.iter().all(|event| matches!(event, Event::File(_))), "{:?}", anna.events);
}

#[test]
fn a_listing_is_one_answer_and_what_others_bring_is_for_the_view() {
    let mut anna = Anna::in_lobby();
    ask(&mut anna, "f1", "FILE LIST *");
    let entry = |name: &str| format!("@batch=l :gzy FILE ENTRY * 7 {HEX} 2026-11-20T13:19:21.007Z ben :{name}");
    let more = "@batch=l :gzy FILE MORE * :作业/b";
    anna.hear(&[
        "@label=f1 :gzy BATCH +l gzy/files",
        &entry("a"),
        "@batch=l :gzy FILE ENTRY odd",
        &entry("作业/b"),
        more,
    ]);
    assert_eq!(anna.events, []);
    anna.hear(&[":gzy BATCH -l"]);
    let Said::Listing { files, more: Some(more) } = &answers(&anna)[0].said else { panic!("{:?}", anna.events) };
    assert_eq!(&**more, "作业/b");
    assert_eq!(files.iter().map(|file| &*file.name).collect::<Vec<_>>(), ["a", "作业/b"]);
    let stored = format!(":ben!u@h FILE STORED * 7 {HEX} :c");
    anna.events.clear();
    anna.hear(&[&stored]);
    assert_eq!(anna.events, [Event::Line { text: stored.into(), history: false }]);
}

#[test]
fn without_a_link_nothing_is_said() {
    let mut anna = Anna::in_lobby();
    anna.lose();
    assert_eq!(ask(&mut anna, "f1", "FILE LIST *"), Vec::<String>::new());
    assert_eq!(answers(&anna), [&Answer { label: "f1".into(), said: Said::Unsent }]);
}
