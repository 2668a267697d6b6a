//! Who may come in through TLS and who in the clear: the certificate that is shown, the suites, how many handshakes at a time, and for how long.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_io::Timer;
use rustls::ServerConfig;
use rustls::crypto::ring;
use smol::lock::{Semaphore, SemaphoreGuardArc};

use crate::net::suites;
use crate::wire::limits::{HANDSHAKE_MS, HANDSHAKES, HANDSHAKES_PER_ADDRESS};

use super::hello::{self, Taste};
use super::identity::{BadIdentity, Identity, Source};
use super::unix_secs;

/// The first byte of a TLS connection: the type of a handshake record.
pub const TLS_HANDSHAKE: u8 = 0x16;
/// How often the certificate's end is looked at.
const DAY: Duration = Duration::from_secs(86_400);

/// Who may talk in the clear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PlainTalk {
    /// Everybody.
    #[default]
    Yes,
    /// Nobody.
    No,
    /// Programs on the server's own machine.
    Local,
}

impl PlainTalk {
    /// Whether somebody from this address may talk in the clear.
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            PlainTalk::Yes => true,
            PlainTalk::No => false,
            PlainTalk::Local => address.to_canonical().is_loopback(),
        }
    }
}

impl FromStr for PlainTalk {
    type Err = String;

    fn from_str(text: &str) -> Result<PlainTalk, String> {
        match text {
            "yes" => Ok(PlainTalk::Yes),
            "no" => Ok(PlainTalk::No),
            "local" => Ok(PlainTalk::Local),
            _ => Err("say yes, no or local".into()),
        }
    }
}

/// What handshakes work with.
#[derive(Clone)]
pub struct Shown {
    /// For a client that is quick at AES.
    to_aes: Arc<ServerConfig>,
    /// For all others.
    to_others: Arc<ServerConfig>,
}

/// The door that all connections come in by. Owned by the hub's thread.
pub struct Door {
    /// For handshakes that begin from here on.
    shown: RefCell<Shown>,
    /// Who may talk in the clear.
    pub plain: PlainTalk,
    /// How long a handshake may take.
    pub handshake_within: Duration,
    all: Arc<Semaphore>,
    by_address: RefCell<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Door {
    /// A door that shows this certificate.
    pub fn new(shown: Shown, plain: PlainTalk) -> Rc<Door> {
        Rc::new(Door {
            shown: RefCell::new(shown),
            plain,
            handshake_within: Duration::from_millis(HANDSHAKE_MS),
            all: Arc::new(Semaphore::new(HANDSHAKES)),
            by_address: RefCell::default(),
        })
    }

    /// What a handshake works with that begins at this moment, and with these bytes.
    pub fn config(&self, hello: &[u8]) -> Arc<ServerConfig> {
        let shown = self.shown.borrow();
        match hello::taste(hello) {
            Some(Taste::Aes) => shown.to_aes.clone(),
            Some(Taste::ChaCha) | None => shown.to_others.clone(),
        }
    }

    /// Shows another certificate from here on. Those who are in stay.
    pub fn show(&self, shown: Shown) {
        *self.shown.borrow_mut() = shown;
    }

    /// Waits for a turn to do a handshake. The turn ends when it is dropped.
    pub async fn turn(self: &Rc<Door>, household: IpAddr) -> HandshakeTurn {
        // Made before the first wait, and dropped last: whoever gives up while waiting cleans up as well.
        let mut turn = HandshakeTurn { door: self.clone(), household, guards: None };
        let of_address = self
            .by_address
            .borrow_mut()
            .entry(household)
            .or_insert_with(|| Arc::new(Semaphore::new(HANDSHAKES_PER_ADDRESS)))
            .clone();
        let mine = of_address.acquire_arc().await;
        turn.guards = Some((mine, self.all.acquire_arc().await));
        turn
    }
}

/// The right to do a handshake.
pub struct HandshakeTurn {
    door: Rc<Door>,
    household: IpAddr,
    guards: Option<(SemaphoreGuardArc, SemaphoreGuardArc)>,
}

impl Drop for HandshakeTurn {
    fn drop(&mut self) {
        self.guards = None;
        let mut by_address = self.door.by_address.borrow_mut();
        if by_address.get(&self.household).is_some_and(|turns| Arc::strong_count(turns) == 1) {
            by_address.remove(&self.household);
        }
    }
}

/// Keeps the certificate that is shown up to date.
#[derive(Clone)]
pub struct Keeper {
    door: Rc<Door>,
    source: Source,
}

impl Keeper {
    /// Keeps the certificate of this door.
    pub fn new(door: Rc<Door>, source: Source) -> Keeper {
        Keeper { door, source }
    }

    /// Reads key and certificate again, and renews one's own. When something is wrong with them, what is shown stays.
    pub fn reload(&self) {
        match self.source.load(unix_secs()).and_then(|identity| Ok((shown(&identity)?, identity.fingerprint))) {
            Ok((shown, fingerprint)) => {
                self.door.show(shown);
                log::info!("the certificate was read; the key is {fingerprint}");
            }
            Err(why) => log::error!("{why}; the certificate in use stays"),
        }
    }

    /// Once a day renews one's own certificate, if it ends soon. A given one is the host's to renew.
    pub async fn renew_daily(self) {
        while let Source::Own(_) = &self.source {
            Timer::after(DAY).await;
            if self.source.load(unix_secs()).is_ok_and(|identity| identity.is_renewed) {
                self.reload();
            }
        }
    }
}

/// What TLS works with when it shows this identity.
pub fn shown(identity: &Identity) -> Result<Shown, BadIdentity> {
    let provider = Arc::new(suites::provider());
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(BadIdentity::Unusable)?
        .with_no_client_auth()
        .with_cert_resolver(identity.resolver(&provider)?);
    // A ticket holds all that is needed to go on with a session: it takes no memory here.
    config.ticketer = ring::Ticketer::new().map_err(BadIdentity::Unusable)?;
    // Programs keep the last one. Each costs the handshake a key and an encryption more.
    config.send_tls13_tickets = 1;
    // A client without AES instructions puts ChaCha20 first, and its wish counts, unless it is the server that has none.
    config.ignore_client_order = !suites::has_aes_instructions();
    // Most of those with AES ask for 256 bits and SHA-384 first. Our order begins with 128 and SHA-256, which processors have instructions for.
    let mut to_aes = config.clone();
    to_aes.ignore_client_order = true;
    Ok(Shown { to_aes: Arc::new(to_aes), to_others: Arc::new(config) })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    impl Door {
        /// Whether nobody does a handshake, and nothing is kept of those who did.
        pub fn is_at_rest(&self) -> bool {
            self.by_address.borrow().is_empty()
        }
    }

    fn door() -> Rc<Door> {
        let data = tempfile::tempdir().unwrap();
        let identity = Source::Own(data.path().into()).load(0).unwrap();
        Door::new(shown(&identity).unwrap(), PlainTalk::Yes)
    }

    #[test]
    fn who_may_talk_in_the_clear_depends_on_where_from() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let (here, mapped, elsewhere) = (at("127.0.0.1"), at("::ffff:127.0.0.1"), at("192.0.2.1"));
        assert!([here, mapped, elsewhere].iter().all(|address| PlainTalk::Yes.allows(*address)));
        assert!([here, mapped, elsewhere].iter().all(|address| !PlainTalk::No.allows(*address)));
        assert!(PlainTalk::Local.allows(here) && PlainTalk::Local.allows(mapped) && PlainTalk::Local.allows(at("::1")));
        assert!(!PlainTalk::Local.allows(elsewhere));
    }

    #[test]
    fn one_address_cannot_take_every_turn_and_gives_back_what_it_took() {
        let door = door();
        let (eve, anna) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let at_once = |address| smol::block_on(smol::future::poll_once(door.turn(address)));
        let mut turns: Vec<HandshakeTurn> = (0..HANDSHAKES_PER_ADDRESS).map(|_| at_once(eve).unwrap()).collect();
        assert!(at_once(eve).is_none(), "one more has to wait");
        let annas = at_once(anna).unwrap();
        turns.pop();
        turns.push(at_once(eve).unwrap());
        drop((turns, annas));
        assert!(door.is_at_rest());
    }

    #[test]
    fn all_together_have_so_many_turns_and_no_more() {
        let door = door();
        let at_once = |n: usize| {
            let address = Ipv4Addr::from(u32::try_from(n).unwrap()).into();
            smol::block_on(smol::future::poll_once(door.turn(address)))
        };
        let turns: Vec<HandshakeTurn> = (0..HANDSHAKES).map(|n| at_once(n).unwrap()).collect();
        assert!(at_once(HANDSHAKES).is_none());
        drop(turns);
        assert!(door.is_at_rest());
    }
}
