//! Files at a console: what is wanted, what is told, and what is left out.

use std::path::PathBuf;

use super::*;
use crate::client::transfers::{Job, Listed, Progress, Stage, Way, Why, Wish};
use crate::wire::digest::Digest;

const DIGEST: Digest = Digest([0xab; 32]);

fn job(name: &str) -> Job {
    Job { key: 1, way: Way::Up, scope: "*".into(), name: name.into(), size: 12_300_000 }
}

fn sent(name: &str) -> News {
    News::Sent { job: job(name), digest: DIGEST, at_once: false, took_ms: 3_200 }
}

fn wishes(console: &mut Console) -> Vec<Wish> {
    console.wishes.drain(..).collect()
}

fn put(path: &str, scope: &str) -> Wish {
    Wish::Put { paths: vec![PathBuf::from(path)], scope: scope.into(), replace: false }
}

fn stored(who: &str, scope: &str, name: &str) -> String {
    format!("@gzy/media=image/png,640x480 :{who}!u@h FILE STORED {scope} 2100000 {} :{name}", "ab12cd34".repeat(8))
}

/// A script on a server with a cloud.
fn script() -> Console {
    let mut script = console(false);
    let mut features = Box::new(Features::default());
    features.learn("gzy/LOBBY=#lobby");
    features.caps = crate::client::features::WANTED;
    script.happened(NOON_MS, &Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: true });
    script.happened(NOON_MS, &Event::Settled("#lobby".into()));
    script.print.clear();
    script
}

#[test]
fn files_go_to_where_the_user_looks() {
    let mut screen = screen();
    screen.typed(NOON_MS, "!put 没有.zip");
    screen.typed(NOON_MS, "/room 茶");
    screen.typed(NOON_MS, "！上传文件*没有.zip");
    screen.typed(NOON_MS, "/query ben");
    screen.typed(NOON_MS, "!ls *.png");
    screen.typed(NOON_MS, "！发文件*小阳*没有.zip");
    let list = Wish::List { pattern: Some("*.png".into()), scope: "ben".into() };
    let wanted = [put("没有.zip", "*"), put("没有.zip", "#茶"), list, put("没有.zip", "小阳")];
    assert_eq!(wishes(&mut screen), wanted);
    assert!(!screen.commands.iter().any(|command| matches!(command, Command::Say { .. })), "nothing of it is said");
}

#[test]
fn a_server_without_a_cloud_gets_the_line_as_it_is() {
    let mut console = console(true);
    for line in ["!ls", "/get a.png", "！查看文件"] {
        console.typed(NOON_MS, line);
    }
    assert_eq!(console.commands, [said(1, None, "!ls"), said(2, None, "!get a.png"), said(3, None, "!查看文件")]);
    console.typed(NOON_MS, "/cancel");
    assert_eq!(printed(&mut console), ["· no file is under way"]);
    assert!(console.wishes.is_empty() && console.commands.len() == 3);
}

#[test]
fn a_path_is_asked_for_and_an_empty_line_ends_that() {
    let mut screen = screen();
    for typed in ["", "没有.zip"] {
        screen.typed(NOON_MS, "！传文件");
        assert!(screen.prompt(80).starts_with("要上传的文件"), "{}", screen.prompt(80));
        screen.typed(NOON_MS, typed);
    }
    assert_eq!(wishes(&mut screen), [put("没有.zip", "*")]);
    screen.typed(NOON_MS, "!ft");
    assert!(screen.stop_asking());
    screen.typed(NOON_MS, "你好");
    assert_eq!((screen.commands.len(), screen.wishes.len()), (1, 0));
}

#[test]
fn a_file_that_came_through_is_one_line_and_is_not_told_twice() {
    let mut screen = screen();
    screen.news(NOON_MS, News::Began(job("名字.zip")));
    screen.news(NOON_MS, sent("名字.zip"));
    hear(&mut screen, &stored("anna", "*", "名字.zip"));
    screen.news(NOON_MS, News::AllDone);
    assert_eq!(printed(&mut screen), ["✓ 名字.zip 12.3 MB · SHA-256 一致 abababab · 3.2 秒"]);
    // From another device of hers, the next day.
    screen.news(NOON_MS, News::Began(job("b.zip")));
    hear(&mut screen, &stored("anna", "*", "名字.zip"));
    screen.passed(NOON_MS + 10_000);
    assert_eq!(printed(&mut screen).len(), 1);
}

#[test]
fn ten_thousand_files_are_told_in_a_few_lines() {
    let mut screen = screen();
    for number in 0..10_000 {
        screen.news(NOON_MS, News::Began(job(&format!("作业/{number}"))));
    }
    let moving = |key| Progress {
        job: Job { key, ..job("作业/1") },
        stage: Stage::Moving,
        done: 6_150_000,
        per_second: 1_000_000,
        left_seconds: None,
    };
    screen.news(NOON_MS, News::Progress((1..=9).map(moving).collect()));
    let bars = screen.bars(79, 8);
    assert_eq!((bars.len(), &*bars[4]), (5, "… 还有 9996 个文件，123.0 GB"));
    for number in 0..10_000 {
        screen.passed(NOON_MS + number);
        screen.news(NOON_MS + number, sent(&format!("作业/{number}")));
    }
    for number in 0..20 {
        screen.news(NOON_MS, News::Failed { job: job(&number.to_string()), why: Why::Changed });
    }
    screen.news(NOON_MS + 10_000, News::AllDone);
    let printed = printed(&mut screen);
    assert_eq!(printed.len(), 7, "{printed:?}");
    assert!(printed[5].starts_with("✓ 10000 个文件已上传 · SHA-256 一致 · 123.0 GB"), "{printed:?}");
    assert_eq!(printed[6], "✗ 另有 15 个文件 没有传成；原因同上或类似");
    assert!(screen.bars(79, 8).is_empty());
}

#[test]
fn what_others_bring_is_shown_in_its_room_and_a_folder_of_theirs_is_one_line() {
    let mut screen = screen();
    hear(&mut screen, &stored("小阳", "*", "照片.png"));
    assert_eq!((printed(&mut screen), screen.due_ms()), (vec![], Some(NOON_MS + 300)));
    screen.passed(NOON_MS + 300);
    let shown = "13:19 · 小阳 分享了 图片 640×480「照片.png」 2.1 MB · SHA-256 ab12cd34 · /get 照片.png";
    assert_eq!(printed(&mut screen), [shown]);
    for number in 0..500 {
        hear(&mut screen, &stored("ben", "#茶", &format!("作业/{number}.png")));
    }
    screen.passed(NOON_MS + 60_000);
    assert_eq!(printed(&mut screen), [""; 0]);
    assert_eq!(screen.prompt(80), "[2:茶 1] 大厅(2)> ");
    screen.typed(NOON_MS, "/room 2");
    assert!(printed(&mut screen).contains(&"13:19 · ben 分享了 500 个文件「作业/」 1.1 GB · /get 作业".to_owned()));
}

#[test]
fn a_file_for_one_person_rings_and_what_is_said_behind_it_stands_behind_it() {
    let mut screen = screen();
    hear(&mut screen, &stored("ben", "anna", "秘密.png"));
    hear(&mut screen, ":ben!u@h PRIVMSG anna :看这个");
    let printed = printed(&mut screen);
    assert_eq!((&*printed[0], &*printed[2]), ("BELL", "BELL"));
    assert!(printed[1].contains("ben 发给你 图片") && printed[3].ends_with("ben → 我: 看这个"), "{printed:?}");
    assert!(screen.talks.named("ben").is_some(), "the user can answer");
}

#[test]
fn a_file_that_came_while_the_user_was_away_is_unread() {
    let mut screen = screen();
    let notice = |text: &str| Event::Line {
        text: format!("@time=2026-11-20T13:00:00.000Z;msgid={} :ben!u@h NOTICE anna :{text}", text.len()).into(),
        history: true,
    };
    screen.happened(NOON_MS, &notice("[文件 file] 秘密.png · 2.1 MB"));
    screen.happened(NOON_MS, &notice("pling"));
    assert_eq!(screen.prompt(80), "[3:ben 1] 大厅(2)> ");
}

#[test]
fn a_script_stays_until_its_files_are_moved_and_fails_when_one_is_not() {
    let mut moving = script();
    moving.typed(NOON_MS, "!put a.zip");
    moving.input_ended();
    assert!(!moving.commands.contains(&Command::Quit));
    moving.news(NOON_MS, News::Began(job("a.zip")));
    moving.news(NOON_MS, sent("a.zip"));
    moving.news(NOON_MS, News::AllDone);
    assert!(moving.commands.contains(&Command::Quit) && moving.is_success());
    assert_eq!(printed(&mut moving), ["✓ a.zip 12.3 MB · SHA-256 agrees abababab · 3.2 s"]);
    let mut failing = script();
    failing.typed(NOON_MS, "!rm b");
    failing.input_ended();
    assert!(!failing.commands.contains(&Command::Quit));
    let why = Why::Refused { code: "NO_ACCESS".into(), sentence: "only who brought it removes it".into() };
    failing.news(NOON_MS, News::Removed { scope: "*".into(), name: "b".into(), result: Err(why) });
    assert!(failing.commands.contains(&Command::Quit) && !failing.is_success());
    let told = Print::Failure("✗ b was not removed: only who brought it removes it".into());
    assert_eq!(failing.print, [told]);
}

#[test]
fn who_leaves_is_told_what_goes_on_the_next_time() {
    let mut screen = screen();
    screen.news(NOON_MS, News::Began(job("a.zip")));
    screen.typed(NOON_MS, "!bye");
    assert_eq!(printed(&mut screen), ["1 个文件 还没传完；下次进来会接着传"]);
    assert!(screen.commands.contains(&Command::Quit), "nobody has to wait for it");
}

#[test]
fn a_listing_is_printed_and_tab_knows_its_names() {
    let mut screen = screen();
    screen.typed(NOON_MS, "!ls");
    let file = |name: &str| Listed {
        name: name.into(),
        size: 1_000,
        digest: DIGEST,
        stored_ms: NOON_MS,
        uploader: Some("小阳".into()),
        media: None,
    };
    let files = vec![file("a b.png"), file("照片.png")];
    screen.news(NOON_MS, News::Listing { scope: "*".into(), pattern: None, files: Ok(files) });
    let rows = ["1.0 kB  13:19  小阳  a b.png", "1.0 kB  13:19  小阳  照片.png", "2 个文件，共 2.0 kB；!get 名字 下载"];
    assert_eq!(printed(&mut screen), rows);
    hear(&mut screen, &stored("eve", "*", "照\u{1b}[2J"));
    let offered = |before: &str| screen.completion(before).map(|completion| completion.words).unwrap_or_default();
    assert_eq!(offered("!get 照"), ["照片.png "]);
    assert_eq!(offered("！下载文件*"), ["\"a b.png\" ", "照片.png "]);
    assert_eq!(offered("!history 照"), [""; 0]);
}

#[test]
fn tab_completes_paths_where_a_path_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("照 片.png"), "x").unwrap();
    let at = folder.path().display().to_string();
    let mut screen = screen();
    let whole = |screen: &Console, before: &str| {
        screen.completion(before).map(|found| format!("{}{}", &before[..found.from], found.word()))
    };
    assert_eq!(whole(&screen, &format!("！上传文件*{at}/照")), Some(format!("！上传文件*{at}/照 片.png")));
    assert_eq!(whole(&screen, &format!("！发文件*ben*{at}/照")), Some(format!("！发文件*ben*{at}/照 片.png")));
    assert_eq!(whole(&screen, "/send be"), Some("/send ben ".into()));
    assert_eq!(whole(&screen, &format!("/put '{at}/照")), Some(format!("/put '{at}/照 片.png' ")));
    screen.typed(NOON_MS, "!ft");
    assert_eq!(whole(&screen, &format!("'{at}/照")), Some(format!("'{at}/照 片.png' ")));
    assert_eq!(whole(&screen, &format!("{at}/没有")), None);
}
