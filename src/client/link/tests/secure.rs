//! Links that are encrypted, to servers that are what they should be, and to others.

use std::path::Path;

use super::*;
use crate::client::known_servers::{Distrusted, Trust};
use crate::client::trust::Distrust;
use crate::net::Address;
use crate::net::tls::testing::{Identity, Quirk, TlsServer};
use crate::wire::fingerprint::Fingerprint;

/// A client that remembers in a folder, and the server's side beside it. Returns what the link told.
async fn meet(config: Config, script: impl AsyncFnOnce(Sender<Command>)) -> Vec<Event> {
    let (to_link, commands) = async_channel::unbounded();
    let (to_screen, events) = async_channel::unbounded();
    let both = async {
        future::zip(run(config, commands, to_screen), script(to_link)).await;
    };
    let late = async {
        Timer::after(PATIENCE).await;
        panic!("the script did not come to its end");
    };
    future::or(both, late).await;
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

fn secure(address: Address, folder: &Path, invited: Option<Fingerprint>, accept_new_key: bool) -> Config {
    let security = Security::Encrypted(Trust::new(Some(folder), invited, accept_new_key));
    Config { address, security, ..config(1) }
}

/// Lets anna in and out again.
async fn visit(server: &TlsServer, commands: Sender<Command>) {
    let mut anna = Server { stream: BufReader::new(server.accept().await.unwrap()) };
    anna.welcome().await;
    anna.remember(&[]).await;
    commands.send(Command::Quit).await.unwrap();
    anna.expect("QUIT").await;
}

/// A server that is left before a word was said.
async fn is_left(server: &TlsServer) {
    if let Ok(stream) = server.accept().await {
        let mut stranger = Server { stream: BufReader::new(stream) };
        let mut line = String::new();
        // An error is a way of leaving, too.
        let _ = stranger.stream.read_line(&mut line).await;
        assert_eq!(line, "", "nothing is said to a server that is not trusted");
    }
}

fn accepted(events: &[Event]) -> Vec<(Fingerprint, bool)> {
    let keys = events.iter().filter_map(|event| match event {
        Event::KeyAccepted { key, replaced, .. } => Some((*key, *replaced)),
        _ => None,
    });
    keys.collect()
}

fn ended(events: &[Event]) -> Option<&Trouble> {
    match events.last() {
        Some(Event::Ended(why)) => why.as_ref(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_told_at_the_first_visit_and_not_at_the_second() {
    smol::block_on(async {
        let (folder, identity) = (tempfile::tempdir().unwrap(), Identity::new());
        let server = TlsServer::start(&identity, Quirk::None).await;
        for expected in [vec![(identity.fingerprint(), false)], vec![]] {
            let config = secure(server.address(), folder.path(), None, false);
            let events = meet(config, async |commands| visit(&server, commands).await).await;
            assert_eq!((accepted(&events), ended(&events)), (expected, None));
        }
    });
}

#[test]
fn a_server_with_another_key_hears_nothing_until_the_user_accepts_it() {
    smol::block_on(async {
        let (folder, identity) = (tempfile::tempdir().unwrap(), Identity::new());
        let server = TlsServer::start(&identity, Quirk::None).await;
        let known = Fingerprint([9; 32]);
        let mut trust = Trust::new(Some(folder.path()), None, false);
        trust.check(&server.address(), known, "2026-11-20").unwrap();
        let config = secure(server.address(), folder.path(), None, false);
        let events = meet(config, async |_| is_left(&server).await).await;
        let refused = Distrusted::Key {
            server: server.address(),
            seen: identity.fingerprint(),
            why: Distrust::Changed { known },
        };
        assert_eq!(events, [Event::Ended(Some(Trouble::Distrusted(refused.into())))]);
        let config = secure(server.address(), folder.path(), None, true);
        let events = meet(config, async |commands| visit(&server, commands).await).await;
        assert_eq!((accepted(&events), ended(&events)), (vec![(identity.fingerprint(), true)], None));
    });
}

#[test]
fn a_key_that_changes_while_the_client_runs_ends_it() {
    smol::block_on(async {
        let (folder, before, after) = (tempfile::tempdir().unwrap(), Identity::new(), Identity::new());
        let server = TlsServer::start(&before, Quirk::None).await;
        let config = secure(server.address(), folder.path(), None, false);
        let events = meet(config, async |commands| {
            let mut anna = Server { stream: BufReader::new(server.accept().await.unwrap()) };
            anna.welcome().await;
            anna.remember(&[]).await;
            drop(anna);
            is_left(&server.with(&after, Quirk::None)).await;
            drop(commands);
        })
        .await;
        let is_change =
            |why: &Trouble| matches!(why, Trouble::Distrusted(why) if matches!(**why, Distrusted::Key { .. }));
        assert!(ended(&events).is_some_and(is_change), "{events:?}");
    });
}

#[test]
fn an_invitation_keeps_anna_from_the_wrong_server() {
    smol::block_on(async {
        let (folder, identity) = (tempfile::tempdir().unwrap(), Identity::new());
        let server = TlsServer::start(&identity, Quirk::Expired).await;
        let wanted = Fingerprint([9; 32]);
        let config = secure(server.address(), folder.path(), Some(wanted), true);
        let events = meet(config, async |_| is_left(&server).await).await;
        let seen = identity.fingerprint();
        let refused = Distrusted::Key { server: server.address(), seen, why: Distrust::NotAsInvited { wanted } };
        assert_eq!(events, [Event::Ended(Some(Trouble::Distrusted(refused.into())))]);
        let config = secure(server.address(), folder.path(), Some(identity.fingerprint()), false);
        let events = meet(config, async |commands| visit(&server, commands).await).await;
        assert_eq!(accepted(&events), [(identity.fingerprint(), false)]);
    });
}

#[test]
fn a_server_in_clear_is_named_as_such_and_never_talked_to() {
    smol::block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: Address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let events = meet(secure(address, folder.path(), None, false), async |_| {
            let mut server = Server::accept(&listener).await;
            server.send(&[":irc.example NOTICE * :Looking up your host"]).await;
            let mut said = Vec::new();
            let _ = smol::io::AsyncReadExt::read_to_end(&mut server.stream, &mut said).await;
            let text = String::from_utf8_lossy(&said);
            assert!(!text.contains("NICK") && !text.contains("anna"), "{text}");
        })
        .await;
        let said = ":irc.example NOTICE * :Looking up your host".into();
        assert_eq!(events, [Event::Ended(Some(Trouble::NoTls(Some(said))))]);
    });
}

#[test]
fn a_client_in_clear_is_told_that_the_server_wants_tls() {
    smol::block_on(async {
        let server = TlsServer::start(&Identity::new(), Quirk::None).await;
        let config = Config { address: server.address(), ..config(1) };
        let events = meet(config, async |_| {
            assert!(server.accept().await.is_err());
        })
        .await;
        assert_eq!(events, [Event::Ended(Some(Trouble::OnlyTls))]);
    });
}
