//! Taking connections in: addresses, how many, and what happens when the system has no more to give.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_channel::Sender;
use async_io::{Async, Timer};
use smol::LocalExecutor;
use socket2::{Domain, Protocol, Socket, Type};

use super::ServerError;
use super::hub::Mail;
use crate::system;

/// The port of GZY.
pub const PORT: u16 = 510;
/// The port where 510 needs rights that the server does not have.
pub const PORT_WITHOUT_RIGHTS: u16 = 5100;
/// Connections that may wait to be accepted: everybody comes back at once after a restart.
const BACKLOG: i32 = 4096;
/// The pause after a failed accept, doubled up to the second value: the system needs time to get files back.
const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// Files that the server needs besides its connections: database, log, listeners, poller.
const FILES_BESIDES: u64 = 64;

/// How many connections are taken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In all.
    pub connections: usize,
    /// From one address (from one /64 of IPv6).
    pub per_address: usize,
}

/// Sockets that wait for connections.
pub struct Listeners {
    sockets: Vec<TcpListener>,
    advice: Option<String>,
}

impl Listeners {
    /// Listens on the addresses asked for; on none asked for, on port 510 of every address, or 5100 where 510 is not allowed.
    pub fn bind(asked: &[SocketAddr]) -> Result<Listeners, ServerError> {
        if !asked.is_empty() {
            let sockets = asked.iter().map(|address| listen(*address)).collect::<Result<_, _>>()?;
            return Ok(Listeners { sockets, advice: None });
        }
        match everywhere(PORT) {
            Err(ServerError::Listen(_, why)) if why.kind() == io::ErrorKind::PermissionDenied => {
                let advice = format!(
                    "port {PORT} needs a right: use the systemd unit, or `setcap cap_net_bind_service=+ep` on the gzy file"
                );
                Ok(Listeners { sockets: everywhere(PORT_WITHOUT_RIGHTS)?, advice: Some(advice) })
            }
            sockets => Ok(Listeners { sockets: sockets?, advice: None }),
        }
    }

    /// Where it listens, with the ports that were really taken.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// How to get what was not to be had.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// Accepts on the executor, for ever.
    pub fn accept_on(self, executor: &LocalExecutor<'static>, limits: Limits, mail: Sender<Mail>) {
        let guests = Guests { limits, counts: Arc::default() };
        for socket in self.sockets {
            executor.spawn(accept_loop(socket, guests.clone(), mail.clone())).detach();
        }
    }
}

fn everywhere(port: u16) -> Result<Vec<TcpListener>, ServerError> {
    let v4 = listen((Ipv4Addr::UNSPECIFIED, port).into())?;
    match listen((Ipv6Addr::UNSPECIFIED, port).into()) {
        Ok(v6) => Ok(vec![v4, v6]),
        // A machine without IPv6 is no reason to stay away.
        Err(ServerError::Listen(_, why)) if why.kind() != io::ErrorKind::AddrInUse => Ok(vec![v4]),
        Err(why) => Err(why),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Without it a restarted server waits for connections that are long over. On Windows it means that two programs may have one port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            // 0.0.0.0 and [::] are listened on side by side.
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|why| ServerError::Listen(address, why))
}

/// Lets the process have as many files as its connections need, as far as the system allows.
pub fn raise_file_limit(limits: &Limits) {
    let wanted = limits.connections as u64 + FILES_BESIDES;
    if let Some(allowed) = system::raise_file_limit(wanted) {
        log::warn!(
            "the system allows {allowed} open files; that is less than --max-connections {} needs",
            limits.connections
        );
    }
}

/// Who is connected, by address.
#[derive(Clone)]
struct Guests {
    limits: Limits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right of one connection to be here. Given back when dropped.
pub struct Permit {
    address: IpAddr,
    counts: Arc<Mutex<Counts>>,
}

impl Guests {
    /// A permit, or the sentence that says why not.
    fn admit(&self, address: IpAddr) -> Result<Permit, &'static str> {
        let address = household(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.limits.connections {
            return Err("the server is full; try again later");
        }
        let of_address = counts.by_address.entry(address).or_insert(0);
        if *of_address >= self.limits.per_address {
            return Err("too many connections from your address; close one first");
        }
        *of_address += 1;
        counts.all += 1;
        Ok(Permit { address, counts: self.counts.clone() })
    }
}

#[cfg(test)]
impl Permit {
    /// The right of the only connection.
    pub fn for_test() -> Permit {
        let limits = Limits { connections: 1, per_address: 1 };
        let guests = Guests { limits, counts: Arc::default() };
        guests.admit(Ipv4Addr::LOCALHOST.into()).expect("there is nobody else")
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or a /64 of IPv6.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

async fn accept_loop(socket: TcpListener, guests: Guests, mail: Sender<Mail>) {
    let listener = match Async::new(socket) {
        Ok(listener) => listener,
        Err(why) => return log::error!("a listening socket cannot be waited for: {why}"),
    };
    let mut pause = ACCEPT_PAUSE.0;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = ACCEPT_PAUSE.0;
                match guests.admit(peer.ip()) {
                    Ok(permit) => {
                        if mail.send(Mail::Accepted { stream, address: peer.ip(), permit }).await.is_err() {
                            return;
                        }
                    }
                    Err(sentence) => refuse(&stream, peer, sentence),
                }
            }
            // The stranger gave up while waiting; there may be others.
            Err(why) if matches!(why.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
            Err(why) => {
                log::warn!("cannot accept a connection: {why}; waiting {} ms", pause.as_millis());
                Timer::after(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE.1);
            }
        }
    }
}

/// One try to say why; a fresh socket always has room for it.
fn refuse(stream: &Async<TcpStream>, peer: SocketAddr, sentence: &str) {
    log::info!("refused {peer}: {sentence}");
    let _ = stream.get_ref().write_all(format!("ERROR :{sentence}\r\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_share_and_gets_it_back() {
        let guests = Guests { limits: Limits { connections: 3, per_address: 2 }, counts: Arc::default() };
        let at = |text: &str| guests.admit(text.parse().unwrap());
        let (first, second) = (at("2001:db8::1").unwrap(), at("2001:db8::2").unwrap());
        assert!(at("2001:db8::3").is_err_and(|why| why.contains("your address")));
        let third = at("192.0.2.1").unwrap();
        assert!(at("192.0.2.2").is_err_and(|why| why.contains("full")));
        drop((first, second, third));
        let counts = guests.counts.lock().unwrap();
        assert!(counts.all == 0 && counts.by_address.is_empty());
    }

    #[test]
    fn a_port_in_use_is_refused_with_the_address_and_a_way_out() {
        let first = Listeners::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let error = Listeners::bind(&first.addresses()).err().unwrap().to_string();
        assert!(error.contains(&first.addresses()[0].to_string()) && error.contains("--listen"), "{error}");
    }
}
