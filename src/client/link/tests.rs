//! A link and a scripted server on the loopback interface.

use super::*;
use crate::client::pace::BROKEN_AFTER_MS;
use crate::client::shown::What;
use crate::client::view::View;
use async_net::{TcpListener, TcpStream};
use smol::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

mod secure;

/// How long a test waits for a line before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// One accepted connection.
struct Server<S = TcpStream> {
    stream: BufReader<S>,
}

impl Server {
    async fn accept(listener: &TcpListener) -> Server {
        Server { stream: BufReader::new(listener.accept().await.unwrap().0) }
    }
}

impl<S: Stream> Server<S> {
    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    /// The next line that has `part` in it.
    async fn expect(&mut self, part: &str) -> String {
        loop {
            let line = self.line().await;
            assert!(!line.is_empty(), "the link ended before {part:?} came");
            if line.contains(part) {
                return line;
            }
        }
    }

    async fn send(&mut self, lines: &[&str]) {
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.stream.get_mut().write_all(text.as_bytes()).await.unwrap();
        self.stream.get_mut().flush().await.unwrap();
    }

    /// Lets anna into the lobby.
    async fn welcome(&mut self) {
        self.expect("CAP LS").await;
        self.send(&[":gzy CAP * LS :message-tags batch echo-message labeled-response draft/chathistory"]).await;
        self.expect("CAP REQ").await;
        self.send(&[":gzy CAP * ACK :message-tags batch echo-message labeled-response draft/chathistory"]).await;
        self.expect("CAP END").await;
        self.send(&[
            ":gzy 001 anna :Welcome",
            ":gzy 005 anna gzy/LOBBY=#lobby CHATHISTORY=100 :here",
            ":gzy 422 anna :none",
            ":anna!gzy@cloak JOIN #lobby",
            ":gzy 366 anna #lobby :End",
        ])
        .await;
    }

    /// Answers a question for history.
    async fn remember(&mut self, messages: &[&str]) -> String {
        let asked = self.expect("CHATHISTORY").await;
        self.send(&[":gzy BATCH +h chathistory #lobby"]).await;
        for message in messages {
            self.send(&[&format!("@batch=h;{message}")]).await;
        }
        self.send(&[":gzy BATCH -h"]).await;
        asked
    }

    /// Echoes a message that came, as stored under `msgid`.
    async fn echo(&mut self, line: &str, msgid: &str) {
        let (tags, rest) = line[1..].split_once(' ').unwrap();
        self.send(&[&format!("@{tags};msgid={msgid} :anna!gzy@cloak {rest}")]).await;
    }
}

fn config(port: u16) -> Config {
    Config {
        security: Security::Plain,
        broken_after_ms: BROKEN_AFTER_MS,
        address: format!("127.0.0.1:{port}").parse().unwrap(),
        nick: "anna".into(),
        password: None,
        can_ask: false,
        account: None,
        asks_password: false,
        room: None,
        history: 10,
        follows_rooms: true,
    }
}

fn say(key: u64, text: &str) -> Command {
    Command::Say { key, target: None, text: text.into() }
}

/// Runs a link against a script; returns what the link told.
async fn play<Script: Future<Output = ()>>(script: impl FnOnce(TcpListener, Sender<Command>) -> Script) -> Vec<Event> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (to_link, commands) = async_channel::unbounded();
    let (to_screen, events) = async_channel::unbounded();
    let both = future::zip(run(config(port), commands, to_screen), script(listener, to_link));
    let late = async {
        Timer::after(PATIENCE).await;
        panic!("the script did not come to its end");
    };
    future::or(
        async {
            both.await;
        },
        late,
    )
    .await;
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

fn shown(events: &[Event]) -> Vec<String> {
    let mut view = View::default();
    let all = events.iter().flat_map(|event| view.take(0, event)).collect::<Vec<_>>();
    let said = all.iter().filter_map(|shown| match &shown.what {
        What::Said(said) => Some(format!("{}: {}", said.who, said.text)),
        _ => None,
    });
    said.collect()
}

fn delivered(events: &[Event]) -> Vec<u64> {
    let keys = events.iter().filter_map(|event| match event {
        Event::Delivered(key) => Some(*key),
        _ => None,
    });
    keys.collect()
}

#[test]
fn a_dropped_link_comes_back_with_nothing_missing_and_nothing_twice() {
    let events = smol::block_on(play(|listener, commands| async move {
        let mut server = Server::accept(&listener).await;
        server.welcome().await;
        assert_eq!(
            server.remember(&["msgid=1 :ben!u@h PRIVMSG #lobby :one"]).await,
            "@label=h1 CHATHISTORY LATEST #lobby * 10"
        );
        server.send(&["@msgid=2 :ben!u@h PRIVMSG #lobby :two"]).await;
        commands.send(say(1, "stored")).await.unwrap();
        commands.send(say(2, "lost")).await.unwrap();
        let stored = server.expect(":stored").await;
        let lost = server.expect(":lost").await;
        drop(server);

        let mut server = Server::accept(&listener).await;
        commands.send(say(3, "typed meanwhile")).await.unwrap();
        server.welcome().await;
        let asked = server.remember(&["msgid=3 :ben!u@h PRIVMSG #lobby :three"]).await;
        assert_eq!(asked, "@label=h2 CHATHISTORY AFTER #lobby msgid=2 100");
        assert_eq!(server.line().await, stored);
        assert_eq!(server.line().await, lost);
        let typed = server.expect(":typed meanwhile").await;
        for (line, msgid) in [(stored, "4"), (lost, "5"), (typed, "6")] {
            server.echo(&line, msgid).await;
        }
        server.send(&["@msgid=7 :ben!u@h PRIVMSG #lobby :seven", "PING :still there?"]).await;
        server.expect("PONG :still there?").await;
        commands.send(Command::Quit).await.unwrap();
        server.expect("QUIT").await;
        server.send(&["ERROR :bye"]).await;
    }));
    let said =
        ["ben: one", "ben: two", "ben: three", "anna: stored", "anna: lost", "anna: typed meanwhile", "ben: seven"];
    assert_eq!(shown(&events), said);
    assert_eq!(delivered(&events), [1, 2, 3]);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Lost(_))).count(), 1);
    assert_eq!(events.last(), Some(&Event::Ended(None)));
}

#[test]
fn a_server_that_is_away_for_several_tries_is_told_about_once() {
    let events = smol::block_on(play(|listener, commands| async move {
        let mut server = Server::accept(&listener).await;
        server.welcome().await;
        server.remember(&[]).await;
        drop(server);
        for _ in 0..2 {
            // Accepts, and closes without a word.
            drop(Server::accept(&listener).await);
        }
        let mut server = Server::accept(&listener).await;
        server.welcome().await;
        server.remember(&[]).await;
        commands.send(Command::Quit).await.unwrap();
        server.expect("QUIT").await;
    }));
    let kinds = events.iter().filter(|event| matches!(event, Event::Lost(_) | Event::In { .. }));
    let again: Vec<Option<bool>> = kinds
        .map(|event| match event {
            Event::In { again, .. } => Some(*again),
            _ => None,
        })
        .collect();
    assert_eq!(again, [Some(false), None, Some(true)]);
}

#[test]
fn the_first_attempt_is_the_only_one_whose_failure_is_final() {
    let closed_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_to_link, commands) = async_channel::unbounded();
    let (to_screen, events) = async_channel::unbounded();
    smol::block_on(run(config(closed_port), commands, to_screen));
    assert_eq!(events.try_recv(), Ok(Event::Ended(Some(Trouble::NobodyListens))));
    let events = smol::block_on(play(|listener, commands| async move {
        let mut server = Server::accept(&listener).await;
        server.expect("USER").await;
        server.send(&["ERROR :no more room"]).await;
        drop(server);
        commands.closed().await;
    }));
    assert_eq!(events, [Event::Ended(Some(Trouble::Closed(Some("no more room".into()))))]);
}

#[test]
fn lines_that_cannot_be_read_do_not_hurt_the_next_one() {
    let events = smol::block_on(play(|listener, commands| async move {
        let mut server = Server::accept(&listener).await;
        server.welcome().await;
        server.remember(&[]).await;
        server.stream.get_mut().write_all(b":ben!u@h PRIVMSG #lobby :\xff\xfe\r\n").await.unwrap();
        server.send(&[&"x".repeat(100_000), ":ben!u@h PRIVMSG #lobby :fine", "PING 1"]).await;
        server.expect("PONG :1").await;
        commands.send(Command::Quit).await.unwrap();
        server.expect("QUIT").await;
    }));
    assert_eq!(shown(&events), ["ben: fine"]);
    assert_eq!(events.iter().filter(|event| **event == Event::Unreadable).count(), 2);
}

#[test]
fn a_front_end_that_goes_away_ends_the_link() {
    smol::block_on(play(|listener, commands| async move {
        let mut server = Server::accept(&listener).await;
        server.welcome().await;
        drop(commands);
        server.expect("QUIT").await;
    }));
}
