//! What a console prints and sends, event by event.

use time::UtcOffset;

use super::super::reader::End;
use super::*;
use crate::client::Trouble;
use crate::client::account::{LoginFault, Wanted};
use crate::client::asked::{NoAnswer, Question};
use crate::client::features::Features;
use crate::client::transfers::News;
use crate::client::writer::Writer;

mod files;

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

/// The same at a screen, in Chinese.
fn screen() -> Console {
    let writer = Writer { language: Language::Zh, offset: UtcOffset::UTC, current: "".into() };
    let mut screen = Console::new(Painter::new(writer, None), Front::Screen);
    let mut features = Box::new(Features::default());
    features.learn("gzy/LOBBY=#lobby");
    features.caps = crate::client::features::WANTED;
    screen.happened(NOON_MS, &Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: false });
    for line in
        [":anna!u@h JOIN #lobby", ":s 353 anna = #lobby :anna ben", ":s 366 anna #lobby :End", ":anna!u@h JOIN #茶"]
    {
        hear(&mut screen, line);
    }
    screen.happened(NOON_MS, &Event::Settled("#lobby".into()));
    screen.print.clear();
    screen
}

#[test]
fn what_is_said_elsewhere_is_counted_and_shown_when_it_is_looked_at() {
    let mut screen = screen();
    hear(&mut screen, ":ben!u@h PRIVMSG #茶 :水开了");
    hear(&mut screen, ":ben!u@h PRIVMSG #茶 :anna, 来");
    assert_eq!(printed(&mut screen), ["BELL"]);
    assert_eq!(screen.prompt(80), "[2:茶 2!] 大厅(2)> ");
    screen.typed(NOON_MS, "/room 茶");
    let shown = ["· 现在在 #茶 里说话", "· #茶：2 条未读", "13:19 ben: 水开了", "13:19 ben: anna, 来"];
    assert_eq!(printed(&mut screen), shown);
    assert_eq!(screen.prompt(80), "#茶(2)> ");
}

#[test]
fn a_narrow_prompt_leaves_room_for_typing() {
    let mut screen = screen();
    for number in 1..=9 {
        hear(&mut screen, &format!(":anna!u@h JOIN #很长的名字{number}"));
        hear(&mut screen, &format!(":ben!u@h PRIVMSG #很长的名字{number} :x"));
    }
    assert_eq!(screen.prompt(40), "[+9] 大厅(2)> ");
    assert!(screen.prompt(100).starts_with("[3:很长的名字1 1 4:很长的名字2 1 +7] "), "{}", screen.prompt(100));
}

#[test]
fn a_broken_link_is_one_line_that_counts_down() {
    let mut screen = screen();
    screen.happened(NOON_MS, &Event::Lost(Trouble::Closed(None)));
    screen.happened(NOON_MS, &Event::Pausing { attempt: 2, pause_ms: 2_500 });
    screen.typed(NOON_MS, "一");
    assert!(printed(&mut screen).is_empty());
    let status = |at_ms| screen.status(at_ms, 1).unwrap();
    assert_eq!(status(NOON_MS), "连接断开（服务器关闭了连接），3 秒后第 2 次重连，2 条待发");
    assert_eq!(screen.status_changes_ms(NOON_MS), Some(NOON_MS + 500));
    assert_eq!(status(NOON_MS + 500), "连接断开（服务器关闭了连接），2 秒后第 2 次重连，2 条待发");
    assert_eq!(status(NOON_MS + 2_500), "连接断开（服务器关闭了连接），正在第 2 次重连，2 条待发");
    assert_eq!(screen.status_changes_ms(NOON_MS + 2_500), None);
}

#[test]
fn a_message_that_takes_long_is_mentioned() {
    let mut screen = screen();
    screen.typed(NOON_MS, "一");
    assert_eq!((screen.status(NOON_MS, 0), screen.status_changes_ms(NOON_MS)), (None, Some(NOON_MS + SLOW_MS)));
    assert_eq!(screen.status(NOON_MS + SLOW_MS, 0).as_deref(), Some("1 条消息正在发送…"));
    screen.happened(NOON_MS, &Event::Delivered(1));
    assert_eq!(screen.status(NOON_MS + SLOW_MS, 0), None);
}

#[test]
fn a_slip_is_not_said_and_a_poem_is_no_command() {
    let mut screen = screen();
    screen.typed(NOON_MS, "!histroy 5");
    screen.typed(NOON_MS, "/hlep");
    assert!(screen.commands.is_empty());
    assert_eq!(printed(&mut screen).len(), 2);
    screen.typed(NOON_MS, "一\n!bye\n！退出");
    assert_eq!(screen.commands, [said(1, None, "一\n!bye\n！退出")]);
}

#[test]
fn a_room_that_does_not_let_anna_in_is_left_again() {
    let mut screen = screen();
    screen.typed(NOON_MS, "/join 密室");
    assert_eq!(screen.prompt(80), "#密室…> ");
    hear(&mut screen, ":s 473 anna #密室 :only for the invited");
    assert_eq!(screen.prompt(80), "大厅(2)> ");
    assert!(screen.talks.named("#密室").is_none());
}

#[test]
fn a_server_that_sends_nothing_back_does_not_hide_what_was_typed() {
    let mut screen = screen();
    let features = Box::new(Features::default());
    screen.happened(NOON_MS, &Event::In { nick: "anna".into(), features, home: "#lobby".into(), again: true });
    screen.print.clear();
    screen.typed(NOON_MS, "你好");
    assert_eq!(printed(&mut screen), ["13:19 anna: 你好"]);
}

fn turned_away(console: &mut Console, wanted: Wanted, fault: LoginFault) {
    console.happened(NOON_MS, &Event::NotLoggedIn { wanted, name: "小阳".into(), fault, asked: true });
}

#[test]
fn who_has_no_account_is_offered_one_and_types_the_password_twice() {
    let mut screen = screen();
    turned_away(&mut screen, Wanted::LogIn, LoginFault::NoSuchAccount);
    assert_eq!(printed(&mut screen)[1], "还没有账号 小阳，现在注册吗？(y/n) ");
    assert!(screen.asks_at_the_door() && !screen.hides_typed() && !screen.wants_input());
    screen.typed(NOON_MS, "y");
    assert!(screen.hides_typed() && screen.prompt(80).contains("至少 6 个字符"), "{}", screen.prompt(80));
    for line in ["开门开门开门", "开门"] {
        screen.typed(NOON_MS, line);
    }
    assert!(printed(&mut screen).contains(&"· 两次输入的密码不一样".to_owned()) && screen.commands.is_empty());
    for line in ["开门开门开门", "开门开门开门"] {
        screen.typed(NOON_MS, line);
    }
    let register = Command::LogIn(Wanted::Register, Credentials::new("小阳", "开门开门开门"));
    assert_eq!((screen.commands.pop_front(), screen.hides_typed()), (Some(register), false));
    assert!(!format!("{:?}", screen.print).contains("开门"));
}

#[test]
fn a_wrong_password_is_typed_again_and_an_empty_one_makes_a_guest() {
    let mut screen = screen();
    turned_away(&mut screen, Wanted::LogIn, LoginFault::WrongPassword);
    assert_eq!(screen.prompt(80), "小阳 的密码：");
    screen.typed(NOON_MS, "geheim");
    assert_eq!(screen.commands.pop_front(), Some(Command::LogIn(Wanted::LogIn, Credentials::new("小阳", "geheim"))));
    turned_away(&mut screen, Wanted::LogIn, LoginFault::WrongPassword);
    assert!(screen.stop_asking());
    assert_eq!((screen.commands.pop_front(), screen.asks_at_the_door()), (Some(Command::StayGuest), false));
}

#[test]
fn a_login_is_kept_when_wanted_and_nobody_is_asked_about_a_kept_one() {
    let login = Credentials::new("小阳", "geheim");
    let logged_in = Event::LoggedIn { login: login.clone(), number: None };
    let mut screen = screen();
    screen.happened(NOON_MS, &logged_in);
    assert_eq!(screen.prompt(80), "下次自动登录 小阳 吗？(y/n) ");
    screen.typed(NOON_MS, "y");
    assert_eq!(screen.errands.pop_front(), Some(Errand::KeepLogin(login)));
    screen.happened(NOON_MS, &logged_in);
    assert_eq!(screen.prompt(80), "大厅(2)> ");
    screen.typed(NOON_MS, "/forget");
    assert_eq!(screen.errands.pop_front(), Some(Errand::ForgetLogin));
    screen.happened(NOON_MS, &logged_in);
    screen.typed(NOON_MS, "大家好");
    assert_eq!((screen.errands.len(), screen.commands.len()), (0, 1), "whoever talks on is not interrupted");
}

#[test]
fn a_password_typed_behind_login_is_no_message() {
    let mut console = console(true);
    console.typed(NOON_MS, "！登录*小阳*geheim");
    let login = Command::LogIn(Wanted::LogIn, Credentials::new("小阳", "geheim"));
    assert_eq!((console.commands.pop_front(), console.open_count()), (Some(login), 0));
    assert!(!format!("{:?}", console.print).contains("geheim"));
}

fn ask_of(screen: &mut Console) -> (u64, Question) {
    let Some(Command::Ask(key, question)) = screen.commands.pop_front() else { panic!("{:?}", screen.commands) };
    (key, question)
}

fn kept(id: u32, text: &str) -> Box<str> {
    format!("@msgid={id};time=2026-11-20T12:00:0{id}.000Z :ben!u@h PRIVMSG #lobby :{text}").into()
}

#[test]
fn a_page_up_reads_the_talk_and_fetches_what_was_said_before() {
    let mut screen = screen();
    let live = "@msgid=5;time=2026-11-20T12:00:05.000Z :ben!u@h PRIVMSG #lobby :五";
    hear(&mut screen, live);
    screen.commands.clear();
    screen.turn_page(End::Older);
    assert!(screen.is_reading());
    screen.page(40, 4);
    screen.turn_page(End::Older);
    let (key, question) = ask_of(&mut screen);
    assert!(matches!(&question, Question::Before { target, msgid, .. } if **target == *"#lobby" && **msgid == *"5"));
    assert_eq!(screen.page_status().as_deref(), Some("正在读取…"));
    screen.happened(NOON_MS, &Event::Answered { key, answer: Ok(vec![kept(3, "三"), kept(4, "四"), kept(5, "五")]) });
    let page = screen.page(40, 9).join("|");
    assert!(page.contains("三|12:00 ben: 四|12:00 ben: 五") && page.matches('五').count() == 1, "{page}");
    assert!(screen.stop_reading() && !screen.stop_reading());
    // An answer that comes too late is for nobody.
    screen.happened(NOON_MS, &Event::Answered { key, answer: Ok(vec![]) });
    assert!(!screen.is_reading());
}

#[test]
fn a_search_is_a_view_of_hits_with_their_neighbours() {
    let mut screen = screen();
    screen.typed(NOON_MS, "/search 上海");
    let (key, question) = ask_of(&mut screen);
    assert_eq!(question, Question::Search("text=上海;limit=50".into()));
    screen.happened(NOON_MS, &Event::Answered { key, answer: Ok(vec![kept(2, "上海外滩")]) });
    let (key, question) = ask_of(&mut screen);
    assert_eq!(question, Question::Around { target: "#lobby".into(), msgid: "2".into(), limit: 3 });
    let around = vec![kept(1, "昨天去了"), kept(2, "上海外滩"), kept(3, "人真多")];
    screen.happened(NOON_MS, &Event::Answered { key, answer: Ok(around) });
    let page = screen.page(60, 9).join("|");
    assert!(page.contains("── 大厅 2026-11-20 ──|12:00 ben: 昨天去了|12:00 ben: 上海外滩|12:00 ben: 人真多"), "{page}");
    assert_eq!(screen.page_status().as_deref(), Some("搜索“上海”：1 条；PageUp/PageDown 翻页，Esc 返回"));
    assert!(screen.commands.is_empty(), "{:?}", screen.commands);
}

#[test]
fn a_refused_search_says_why_and_one_in_a_script_is_the_servers_business() {
    let mut screen = screen();
    screen.typed(NOON_MS, "！搜索*上海");
    let (key, _) = ask_of(&mut screen);
    screen.happened(NOON_MS, &Event::Answered { key, answer: Err(NoAnswer::Refused("too much".into())) });
    assert_eq!((screen.is_reading(), printed(&mut screen)), (false, vec!["· 服务器说：too much".to_owned()]));
    let mut script = console(false);
    script.typed(NOON_MS, "！搜索*上海");
    assert_eq!(script.commands, [said(1, None, "!搜索*上海")]);
}

#[test]
fn private_talk_from_before_is_counted_until_it_is_looked_at_here_or_elsewhere() {
    let mut screen = screen();
    let old = |id: u32, own: bool| {
        let (who, to) = if own { ("anna", "ben") } else { ("ben", "anna") };
        let text = format!("@msgid={id};time=2026-11-20T12:00:0{id}.000Z :{who}!u@h PRIVMSG {to} :第{id}句").into();
        Event::Line { text, history: true }
    };
    for event in [old(1, true), old(2, false), old(3, false)] {
        screen.happened(NOON_MS, &event);
    }
    assert_eq!((printed(&mut screen), screen.prompt(80).as_str()), (vec![], "[3:ben 2] 大厅(2)> "));
    hear(&mut screen, ":gzy MARKREAD ben timestamp=2026-11-20T12:00:02.000Z");
    assert_eq!(screen.prompt(80), "[3:ben 1] 大厅(2)> ");
    screen.commands.clear();
    screen.typed(NOON_MS, "/room ben");
    let shown = printed(&mut screen);
    assert_eq!(shown[..2], ["· 现在在 ben 里说话", "· ben：1 条未读"]);
    assert_eq!(shown[2..], ["12:00 我 → ben: 第1句", "12:00 ben → 我: 第2句", "12:00 ben → 我: 第3句"]);
    assert_eq!(screen.commands, [Command::Read("ben".into(), 1_795_176_003_000)]);
}

#[test]
fn a_group_that_the_server_brings_is_listed_without_a_word_and_one_that_is_joined_is_looked_at() {
    let mut screen = screen();
    for line in [":anna!u@h JOIN #棋社", ":s 353 anna = #棋社 :anna ben", ":s 366 anna #棋社 :End"] {
        hear(&mut screen, line);
    }
    assert_eq!((printed(&mut screen), screen.talks.named("#棋社").is_some()), (vec![], true));
    screen.typed(NOON_MS, "/join 1000");
    assert_eq!(screen.commands.pop_front(), Some(Command::Join("1000".into())));
    hear(&mut screen, ":anna!u@h JOIN #读书会");
    assert_eq!(screen.prompt(80), "#读书会(1)> ");
}
