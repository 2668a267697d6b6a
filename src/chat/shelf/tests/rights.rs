//! Who sees, brings, fetches and removes what: groups, two people, guests, those who may not speak.

use super::bringing::token;
use crate::chat::shelf::order::{ShelfFact, ShelfOrder};
use crate::chat::shelf::web::WebReply;
use crate::chat::testing::World;
use crate::chat::testing::cloud::{FILES, digest};
use crate::chat::{ConnId, Input};
use crate::store::file::Scope;
use crate::store::record::{AccountId, GroupId};

/// Anna's group with ben in it; 小阳 is outside.
fn group() -> (World, ConnId, ConnId, ConnId) {
    let mut w = World::new();
    let [anna, ben, 小阳] = ["anna", "ben", "小阳"].map(|name| w.member_with_caps(name, FILES));
    w.line(anna, "JOIN #茶");
    w.line(ben, "JOIN #茶");
    w.save();
    w.drain();
    (w, anna, ben, 小阳)
}

fn code(lines: &[String]) -> &str {
    let line = lines.first().map_or("", |line| line.as_str());
    line.strip_prefix(":gzy.local FAIL FILE ").and_then(|rest| rest.split(' ').next()).unwrap_or(line)
}

#[test]
fn what_is_brought_to_a_group_is_for_its_members() {
    let (mut w, anna, ben, 小阳) = group();
    w.brings(anna, "#1000", "a", 'a');
    let told = format!(":{} FILE STORED #茶 5 {} :a", w.source(anna), digest('a'));
    assert_eq!((w.said_to(ben), w.said_to(小阳)), (vec![told.clone()], vec![]));
    assert_eq!(
        w.said_to(anna),
        [format!(":gzy.local FILE STORED #茶 5 {} :a", digest('a'))],
        "who offered is answered"
    );
    assert!(w.unsaved[0].message.text.ends_with(" · !get a"), "nobody else gets a link");
    assert_eq!(w.unsaved[0].message.target.as_str(), "&1000");
    assert!(w.ask(ben, "FILE LIST #茶")[1].ends_with(" anna :a"));
    let ticket = token(&w.ask(ben, "FILE GET #茶 :a")[0]);
    assert!(matches!(w.redeem(&ticket).1[..], [WebReply::Send(_)]));
    for line in ["FILE LIST #茶", "FILE GET #茶 :a", "FILE DEL #1000 :a"] {
        assert_eq!(code(&w.ask(小阳, line)), "NO_ACCESS", "{line}");
    }
    w.line(小阳, &format!("FILE PUT * 5 {} :mine", digest('a')));
    let orders = w.orders();
    let [ShelfOrder::Prepare { same, .. }] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(same.len(), 0, "a digest fetches nothing that its sender does not see");
    w.line(anna, "KICK #茶 ben");
    assert!(matches!(w.redeem(&ticket).1[..], [WebReply::Refused { status: 404, .. }]), "members only");
}

#[test]
fn a_group_that_ends_takes_its_files_along_also_those_on_their_way() {
    let (mut w, anna, ben, _) = group();
    w.brings(anna, "#茶", "a", 'a');
    w.line(ben, &format!("FILE PUT #茶 5 {} :b", digest('b')));
    w.disk_works();
    let ticket = token(w.said_to(ben).last().unwrap());
    let (web, _) = w.redeem(&ticket);
    w.line(anna, "PRIVMSG #茶 :!delete 1000");
    w.line(anna, "PRIVMSG #茶 :!delete 1000");
    assert!(matches!(w.web_said(web)[..], [WebReply::Refused { status: 403, .. }]));
    let orders = w.orders();
    assert!(orders.contains(&ShelfOrder::RemoveAll { scope: Scope::Group(GroupId(1000)) }), "{orders:?}");
    assert!(matches!(orders[0], ShelfOrder::Discard { .. }));
    w.save();
    assert!(w.kept.directory.files.is_empty() && w.chat.shelf.is_at_rest());
    w.chat.assert_tables_agree();
}

#[test]
fn a_file_for_one_person_is_seen_by_two_also_when_one_is_away() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    let eve = w.member_with_caps("eve", FILES);
    let ben = w.member("ben");
    w.brings(anna, "ben", "照片.jpg", 'a');
    let words = "[文件 file] 照片.jpg · 5 B · SHA-256 00000061 · !get 照片.jpg";
    assert_eq!(w.said_to(ben), [format!(":anna!1000@account.gzy NOTICE ben :{words}")]);
    assert_eq!(w.said_to(anna), [format!(":gzy.local FILE STORED ben 5 {} :照片.jpg", digest('a'))]);
    w.save();
    w.lose(ben);
    w.brings(anna, "1002", "b", 'b');
    w.save();
    let back = w.come_in("ben", FILES);
    let told = w.said_to(back);
    assert!(told.iter().any(|line| line.contains("NOTICE ben :[文件 file] b · 5 B")), "{told:?}");
    assert!(w.ask(back, "FILE LIST anna").iter().any(|line| line.contains("FILE ENTRY anna 5 ")));
    let ticket = token(&w.ask(back, "FILE GET anna :b")[0]);
    assert!(matches!(w.redeem(&ticket).1[..], [WebReply::Send(_)]));
    w.drain();
    assert_eq!(code(&w.ask(eve, "FILE GET anna :b")), "NO_SUCH_FILE", "eve shares nothing with anna");
    w.drain();
    w.line(back, "FILE DEL anna :b");
    w.save();
    assert_eq!(w.said_to(back), [":gzy.local FILE GONE anna :b"]);
    assert_eq!(w.said_to(anna), [":ben!1002@account.gzy FILE GONE ben :b"]);
    let guest = w.join_with_caps("guest", FILES);
    assert_eq!(code(&w.ask(guest, &format!("FILE PUT ben 5 {} :x", digest('x')))), "NO_ACCESS");
    assert_eq!(code(&w.ask(anna, &format!("FILE PUT anna 5 {} :x", digest('x')))), "NO_ACCESS");
}

#[test]
fn an_account_that_is_removed_takes_along_what_it_shared_with_one() {
    let mut w = World::new();
    let anna = w.member_with_caps("anna", FILES);
    w.add_account("ben", "x", false);
    w.brings(anna, "ben", "a", 'a');
    w.brings(anna, "*", "b", 'b');
    w.drain();
    w.line(anna, &format!("FILE PUT ben 5 {} :c", digest('c')));
    w.orders();
    let (anna_id, ben_id) = (AccountId(1000), AccountId(1001));
    let left = w.kept.directory.accounts.iter().filter(|entry| entry.id != ben_id).cloned().collect();
    w.handle(Input::AccountsChanged(left));
    let orders = w.orders();
    assert_eq!(orders.last(), Some(&ShelfOrder::RemoveAll { scope: Scope::pair(anna_id, ben_id) }));
    assert_eq!(code(&w.said_to(anna)), "NO_ACCESS", "what is on its way there is too late");
    assert!(w.chat.shelf.is_at_rest());
    w.save();
    let names: Vec<&str> = w.kept.directory.files.iter().map(|(key, _)| key.name.as_str()).collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn who_may_not_speak_brings_nothing() {
    let (mut w, anna, ben, _) = group();
    w.line(anna, "MODE #茶 +b m:ben!*@*");
    let put = format!("FILE PUT #茶 5 {} :a", digest('a'));
    w.drain();
    assert_eq!(code(&w.ask(ben, &put)), "NO_ACCESS");
    w.line(anna, "MODE #茶 -b m:ben!*@*");
    w.drain();
    assert_eq!(w.ask(ben, &put), [""; 0]);
    w.disk_works();
    let ticket = token(&w.said_to(ben)[0]);
    w.line(anna, "MODE #茶 +m");
    assert!(matches!(w.redeem(&ticket).1[..], [WebReply::Refused { status: 403, .. }]));
}

#[test]
fn files_are_removed_and_replaced_by_those_who_may() {
    let (mut w, anna, ben, 小阳) = group();
    let guest = w.join_with_caps("guest", FILES);
    let late = w.join_with_caps("late", FILES);
    w.brings(ben, "#茶", "a", 'a');
    w.brings(ben, "*", "b", 'b');
    w.brings(guest, "*", "c", 'c');
    w.drain();
    for (who, line) in
        [(小阳, "FILE DEL * :b"), (anna, "FILE DEL * :b"), (late, "FILE DEL * :c"), (小阳, "FILE DEL * :c")]
    {
        assert_eq!(code(&w.ask(who, line)), "NO_ACCESS", "{line}");
    }
    assert_eq!(code(&w.ask(小阳, &format!("FILE REPLACE * 5 {} :b", digest('x')))), "NO_ACCESS");
    assert_eq!(w.ask(ben, &format!("FILE REPLACE * 5 {} :b", digest('x'))), [""; 0]);
    assert_eq!(w.prepares()[0].replaces, Some(digest('b')));
    w.make_operator(小阳);
    for (who, scope, name) in [(anna, "#茶", "a"), (guest, "*", "c"), (小阳, "*", "b")] {
        assert_eq!(w.ask(who, &format!("FILE DEL {scope} :{name}")), [""; 0], "the store has to know");
        w.save();
        assert_eq!(w.said_to(who), [format!(":gzy.local FILE GONE {scope} :{name}")]);
        w.drain();
    }
    assert!(w.kept.directory.files.is_empty());
}

#[test]
fn what_the_host_puts_there_is_listed_and_not_announced() {
    use crate::chat::shelf::order::FoundFile;
    use crate::store::file::{FileKey, Stamp};
    use crate::wire::file_name::FileName;
    use crate::wire::media::Media;
    let (mut w, anna, ben, _) = group();
    let found = |scope, name: &str, content| FoundFile {
        file: FileKey { scope, name: FileName::parse(name).unwrap() },
        digest: digest(content),
        media: Media::Text,
        stamp: Stamp { size: 9, mtime_ns: 1_795_000_000_000_000_000, inode: 1 },
    };
    let nobodys = Scope::Group(GroupId(1234));
    w.brings(ben, "*", "b", 'b');
    w.drain();
    w.disk(ShelfFact::Found(vec![
        found(Scope::Public, "电影.mkv", 'm'),
        found(Scope::Public, "b", 'b'),
        found(Scope::Group(GroupId(1000)), "a", 'a'),
        found(nobodys, "x", 'x'),
    ]));
    assert_eq!(w.orders(), [ShelfOrder::RemoveAll { scope: nobodys }]);
    w.save();
    assert_eq!(w.said_to(anna), [""; 0]);
    let listed = w.ask(anna, "FILE LIST *");
    let digest_m = digest('m');
    assert!(listed[1].contains(" FILE ENTRY * 9 ") && listed[1].ends_with(" ben :b"), "{listed:?}");
    assert!(
        listed[2].ends_with(&format!(" FILE ENTRY * 9 {digest_m} 2026-11-18T11:06:40.000Z * :电影.mkv")),
        "{listed:?}"
    );
    assert_eq!(code(&w.ask(anna, "FILE DEL * :电影.mkv")), "NO_ACCESS", "the host's files are the host's");
    let lost = found(Scope::Public, "电影.mkv", 'm').file;
    w.disk(ShelfFact::Lost(vec![lost.clone(), lost]));
    w.save();
    assert_eq!(w.kept.directory.files.len(), 2);
    assert_eq!(code(&w.ask(anna, "FILE GET * :电影.mkv")), "NO_SUCH_FILE");
}
