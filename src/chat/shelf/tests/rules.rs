//! Quotas, races, waiting, time, a store that fails, and a restart.

use super::bringing::token;
use crate::chat::shelf::order::{Fault, ShelfFact, ShelfOrder};
use crate::chat::shelf::web::{WebReply, WebWish};
use crate::chat::testing::cloud::{FILES, digest};
use crate::chat::testing::{World, settings};
use crate::chat::{CloudRules, Input, Settings};
use crate::wire::limits::{
    FILE_OFFERS_PER_SESSION, FILE_ORPHAN_MS, FILE_TICKET_IDLE_MS, FILES_GATHERED_MAX_MS, FILES_GATHERED_MS,
};

fn put(size: u64, name: &str, content: char) -> String {
    format!("FILE PUT * {size} {} :{name}", digest(content))
}

fn with_rules(cloud: CloudRules) -> World {
    World::with(Settings { cloud, ..settings() })
}

#[test]
fn a_quota_counts_what_is_there_and_what_is_on_its_way() {
    let mut w = with_rules(CloudRules { max_file: 50, quota: Some(12), quota_total: Some(20) });
    let anna = w.member_with_caps("anna", FILES);
    let ben = w.member_with_caps("ben", FILES);
    let guest = w.join_with_caps("guest", FILES);
    assert!(w.ask(anna, &put(51, "x", 'x'))[0].contains(" FAIL FILE TOO_LARGE "));
    w.brings(anna, "*", "a", 'a');
    w.drain();
    assert_eq!(w.ask(anna, &put(5, "b", 'b')), [""; 0]);
    let refused = w.ask(anna, &put(5, "c", 'c'));
    assert!(refused[0].contains(" FAIL FILE QUOTA ") && refused[0].contains("2 B are left"), "{refused:?}");
    assert_eq!(w.ask(ben, &put(10, "d", 'd')), [""; 0]);
    assert!(w.ask(guest, &put(1, "e", 'e'))[0].contains("the cloud has room for 0 B"));
    let intake = w.prepares().remove(0);
    w.disk(ShelfFact::Failed { upload: intake.upload, fault: Fault::DiskFull });
    assert!(w.said_to(anna)[0].contains(" FAIL FILE DISK_FULL PUT * b :"));
    assert_eq!(w.ask(guest, &put(1, "e", 'e')), [""; 0], "what failed holds no room");
    assert_eq!(w.ask(anna, &format!("FILE REPLACE * 4 {} :a", digest('A'))), [""; 0], "what is replaced makes room");
    w.chat.assert_tables_agree();
}

#[test]
fn what_is_of_unknown_size_may_take_what_is_left_and_holds_it() {
    let mut w = with_rules(CloudRules { max_file: 50, quota: Some(12), quota_total: None });
    let unknown =
        |name: &str| WebWish::Put { name: name.into(), size: None, digest: None, replaces: None, may_rename: false };
    w.web(unknown("a"));
    assert_eq!(w.prepares()[0].at_most, 12);
    assert!(matches!(w.web(unknown("b")).1[..], [WebReply::Refused { status: 507, .. }]));
    let mut w = with_rules(CloudRules { max_file: 50, quota: None, quota_total: None });
    w.web(unknown("a"));
    w.web(unknown("b"));
    assert!(w.prepares().iter().all(|intake| intake.at_most == 50));
}

#[test]
fn of_two_people_who_bring_one_name_the_first_gets_it_and_the_other_is_told() {
    let mut w = World::new();
    let [anna, ben, 小阳] = ["anna", "ben", "小阳"].map(|name| w.member_with_caps(name, FILES));
    for (who, content) in [(anna, 'a'), (ben, 'b'), (小阳, 'a')] {
        w.line(who, &put(5, "x", content));
    }
    let intakes = w.prepares();
    for intake in &intakes {
        w.disk(ShelfFact::Prepared { upload: intake.upload, offset: 0 });
    }
    let [_, of_ben, of_小阳] = [anna, ben, 小阳].map(|who| token(&w.said_to(who)[0]));
    let (ben_web, _) = w.redeem(&of_ben);
    let (other_web, _) = w.redeem(&of_小阳);
    w.bytes_are_there(&intakes[0], 5);
    let parts = [intakes[1].part.clone(), intakes[2].part.clone()];
    assert_eq!(w.orders(), parts.map(|part| ShelfOrder::Discard { part }));
    assert!(matches!(w.web_said(ben_web)[..], [WebReply::Refused { status: 409, .. }]));
    w.save();
    assert!(matches!(w.web_said(other_web)[..], [WebReply::Stored { .. }]), "the same content is there: done");
    assert!(matches!(w.redeem(&of_ben).1[..], [WebReply::Refused { status: 404, .. }]));
    assert!(w.chat.shelf.is_at_rest());
}

#[test]
fn one_content_under_two_names_moves_once() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.line(anna, &put(5, "one", 'a'));
    w.line(anna, &put(5, "two", 'a'));
    let first = w.prepares();
    assert_eq!(first.len(), 1, "the second waits for the first");
    w.disk(ShelfFact::Prepared { upload: first[0].upload, offset: 0 });
    w.bytes_are_there(&first[0], 5);
    let orders = w.orders();
    let [ShelfOrder::Prepare { intake, same }] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((intake.to.name.as_str(), same[0].0.name.as_str()), ("two", "one"));
    w.bytes_are_there(intake, 5);
    w.drain();
    w.save();
    let told = w.said_to(anna);
    assert!(
        told.iter().any(|line| line.starts_with(":gzy.local FILE STORED * 5 ") && line.ends_with(" :two")),
        "{told:?}"
    );
    w.line(anna, &put(5, "three", 'b'));
    w.line(anna, &put(5, "four", 'b'));
    let first = w.prepares().remove(0);
    w.disk(ShelfFact::Failed { upload: first.upload, fault: Fault::DigestMismatch });
    assert_eq!(w.prepares()[0].to.name.as_str(), "four", "nobody waits for what failed");
}

#[test]
fn offers_have_a_limit_and_tickets_an_end() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    for number in 0..FILE_OFFERS_PER_SESSION {
        let content = char::from_u32(0x4e00 + number as u32).unwrap();
        w.line(anna, &put(5, &format!("n{number}"), content));
    }
    assert_eq!(w.said_to(anna), [""; 0]);
    assert!(w.ask(anna, &put(5, "more", 'm'))[0].contains(" FAIL FILE BUSY "));
    w.disk_works();
    let tickets: Vec<String> = w.said_to(anna).iter().map(|line| token(line)).collect();
    assert_eq!(tickets.len(), FILE_OFFERS_PER_SESSION);
    w.chat.session_mut(anna).unwrap().heard_ms += 2 * FILE_TICKET_IDLE_MS;
    w.pass_ms(FILE_TICKET_IDLE_MS / 2);
    w.redeem(&tickets[7]);
    w.pass_ms(FILE_TICKET_IDLE_MS / 2);
    assert_eq!(w.orders(), [], "what came stays for a day");
    w.chat.assert_tables_agree();
    let alive = tickets.iter().filter(|ticket| matches!(w.redeem(ticket).1[..], [WebReply::Receive(_)])).count();
    assert_eq!(alive, 1, "only what was used is alive");
}

#[test]
fn a_download_has_a_ticket_until_it_is_idle_or_its_session_ends() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.brings(anna, "*", "a", 'a');
    w.drain();
    let first = token(&w.ask(anna, "FILE GET * :a")[0]);
    let second = token(&w.ask(anna, "FILE GET * :a")[0]);
    w.chat.session_mut(anna).unwrap().heard_ms += 2 * FILE_TICKET_IDLE_MS;
    w.pass_ms(FILE_TICKET_IDLE_MS - 1000);
    let is_alive = |w: &mut World, ticket: &str| matches!(w.redeem(ticket).1[..], [WebReply::Send(_)]);
    assert!(is_alive(&mut w, &first) && is_alive(&mut w, &first), "it may be used often");
    w.pass_ms(2000);
    assert!(is_alive(&mut w, &first) && !is_alive(&mut w, &second));
    w.lose(anna);
    assert!(!is_alive(&mut w, &first) && w.chat.shelf.is_at_rest());
}

#[test]
fn bytes_that_come_when_their_session_is_gone_become_a_file_all_the_same() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.line(anna, &put(5, "a", 'a'));
    w.line(anna, &put(5, "b", 'b'));
    let intakes = w.prepares();
    w.disk(ShelfFact::Prepared { upload: intakes[0].upload, offset: 0 });
    let ticket = token(&w.said_to(anna)[0]);
    let (web, _) = w.redeem(&ticket);
    w.lose(anna);
    w.bytes_are_there(&intakes[0], 5);
    // The disk had it already, under another name.
    w.bytes_are_there(&intakes[1], 5);
    w.save();
    assert!(matches!(w.web_said(web)[..], [WebReply::Stored { .. }]));
    assert_eq!(w.kept.directory.files.len(), 2);
    let ben = w.member_with_caps("ben", FILES);
    w.line(ben, &put(5, "c", 'c'));
    w.disk_works();
    let ticket = token(&w.said_to(ben)[0]);
    let (web, _) = w.redeem(&ticket);
    w.lose(ben);
    w.handle(Input::WebGone { web });
    assert!(!w.chat.shelf.is_at_rest(), "the disk may still be checking what came");
    w.pass_ms(FILE_ORPHAN_MS);
    assert!(w.chat.shelf.is_at_rest(), "but not for ever");
}

#[test]
fn what_the_store_cannot_keep_was_not_brought() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    let ben = w.member_with_caps("ben", FILES);
    w.line(anna, &put(5, "a", 'a'));
    let intake = w.prepares().remove(0);
    w.bytes_are_there(&intake, 5);
    w.line(ben, &put(5, "a", 'a'));
    assert_eq!((w.said_to(anna), w.said_to(ben)), (vec![], vec![]), "nothing is acknowledged before it is kept");
    w.fail_save("the disk is full");
    let orders = w.orders();
    assert!(matches!(&orders[..], [ShelfOrder::Remove { file, .. }] if file.name.as_str() == "a"), "{orders:?}");
    for who in [anna, ben] {
        assert!(w.said_to(who)[0].contains(" FAIL FILE TRY_AGAIN PUT * a :"));
    }
    assert!(w.ask(anna, "FILE GET * :a")[0].contains("NO_SUCH_FILE"));
    w.chat.assert_tables_agree();
}

#[test]
fn after_a_restart_everything_is_there_and_what_is_nobodys_goes() {
    use crate::store::file::Scope;
    use crate::store::record::AccountId;
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.add_account("ben", "x", false);
    w.brings(anna, "*", "a", 'a');
    w.brings(anna, "ben", "b", 'b');
    w.save();
    let mut w = w.restarted();
    let anna = w.member_with_caps("anna", FILES);
    assert!(w.ask(anna, "FILE LIST *")[1].ends_with(" anna :a"));
    assert!(w.ask(anna, "FILE LIST ben")[1].ends_with(" anna :b"));
    assert_eq!(w.ask(anna, &put(5, "a", 'a')), [format!(":gzy.local FILE STORED * 5 {} :a", digest('a'))]);
    w.kept.directory.accounts.retain(|entry| &*entry.name != "ben");
    let mut w = w.restarted();
    assert_eq!(w.orders(), [ShelfOrder::RemoveAll { scope: Scope::pair(AccountId(1000), AccountId(1001)) }]);
    w.save();
    assert_eq!(w.kept.directory.files.len(), 1);
}

#[test]
fn many_files_at_once_are_one_notice_for_people_and_a_line_each_for_programs() {
    use crate::chat::shelf::order::StoredFile;
    use crate::store::file::Stamp;
    use crate::wire::media::Media;
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    let ben = w.member_with_caps("ben", FILES);
    let old = w.join("old");
    for (name, content) in [("作业/一/a", 'a'), ("作业/一/b", 'b'), ("作业/二/c", 'c'), ("作业/d", 'd')] {
        w.line(anna, &put(1000, name, content));
    }
    let stored = w.prepares().into_iter().map(|intake| StoredFile {
        upload: intake.upload,
        digest: intake.digest.unwrap(),
        media: Media::Unknown,
        stamp: Stamp { size: 1000, ..Stamp::default() },
    });
    w.disk(ShelfFact::Stored(stored.collect()));
    w.save();
    assert_eq!(w.said_to(ben).len(), 4);
    assert_eq!(w.said_to(old), [""; 0], "more may come");
    w.pass_ms(FILES_GATHERED_MS);
    let head = format!(":{} NOTICE #lobby :", w.source(anna));
    assert_eq!(w.said_to(old), [format!("{head}[文件 file] 4 个文件 files in 作业/ · 4.0 kB · !ls 作业")]);
    w.pass_ms(FILES_GATHERED_MAX_MS);
    w.disk(ShelfFact::Reachable("http://192.0.2.1:510".into()));
    assert_eq!(
        w.said_to(old),
        [":gzy.local 005 old soju.im/FILEHOST=http://192.0.2.1:510/upload :are supported by this server"]
    );
    let newcomer = w.connect();
    w.line(newcomer, "NICK new");
    let welcome = w.ask(newcomer, "USER n 0 * :n");
    assert!(welcome.iter().any(|line| line.contains(" soju.im/FILEHOST=http://192.0.2.1:510/upload ")), "{welcome:?}");
    w.drain();
    w.brings(ben, "*", "周 一.txt", 'x');
    let told = w.said_to(old);
    assert!(
        told[0].ends_with(" · 5 B · SHA-256 00000078 · http://192.0.2.1:510/cloud/%E5%91%A8%20%E4%B8%80.txt"),
        "{told:?}"
    );
}

#[test]
fn a_folder_that_takes_long_is_told_of_less_and_less_often() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    let ben = w.member_with_caps("ben", FILES);
    let old = w.join("old");
    for number in 0..400_u32 {
        w.line(anna, &put(10, &format!("作业/{number}"), char::from_u32(0x4e00 + number).unwrap()));
        let intake = w.prepares().remove(0);
        w.bytes_are_there(&intake, 10);
        w.save();
        w.pass_ms(100);
    }
    let heard = w.said_to(old);
    w.handle(Input::Stopping);
    w.save();
    let told: Vec<String> = w.stored.iter().map(|message| message.text.to_string()).collect();
    assert!(heard.iter().zip(&told).all(|(heard, told)| heard.ends_with(told)) && told.len() == heard.len() + 1);
    assert!(told[..3].iter().all(|line| line.contains(" · SHA-256 ")), "the first ones at once: {told:?}");
    assert!(told.len() < 10, "{told:?}");
    let count = |line: &String| line.split("[文件 file] ").nth(1)?.split(' ').next()?.parse::<usize>().ok();
    assert_eq!(3 + told[3..].iter().map(|line| count(line).unwrap_or(1)).sum::<usize>(), 400, "{told:?}");
    assert_eq!(w.said_to(ben).iter().filter(|line| line.contains(" FILE STORED ")).count(), 400);
}

#[test]
fn a_long_listing_comes_in_parts_that_everybody_can_take() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    let folder = "很长的名字".repeat(16);
    for number in 0..1600 {
        let name = format!("{folder}/{number:04}");
        w.line(anna, &put(5, &name, char::from_u32(0x4e00 + number).unwrap()));
        let intake = w.prepares().remove(0);
        w.bytes_are_there(&intake, 5);
    }
    w.save();
    w.drain();
    let (mut names, mut after, mut answers) = (Vec::new(), String::new(), 0);
    loop {
        let lines = w.ask(anna, &format!("FILE LIST * {folder}{}{after}", if answers == 0 { "" } else { " :" }));
        answers += 1;
        assert!(lines.iter().map(String::len).sum::<usize>() < 900_000, "less than may wait for one receiver");
        let name = |line: &String| line.rsplit_once(" :").map(|(_, name)| name.to_owned()).unwrap();
        names.extend(lines.iter().filter(|line| line.contains(" FILE ENTRY ")).map(name));
        match lines.iter().find(|line| line.contains(" FILE MORE ")) {
            Some(line) => after = name(line),
            None => break,
        }
    }
    assert!(answers > 1);
    names.dedup();
    assert_eq!(names.len(), 1600);
}
