//! The waiting: sockets, signals, timers, and the loop that turns facts into orders.
//!
//! [`run`] sets everything up and then lives in one thread: `listen` takes connections in, `conn` cuts what they send into lines, `hub` owns the rules and carries
//! out their orders, `outbox` gets bytes to receivers. The store has a thread of its own; passwords are checked on the blocking pool.

mod alarm;
mod backlog;
mod callers;
pub mod cloud;
mod conn;
mod error;
mod hashing;
mod hello;
mod hub;
mod identity;
mod listen;
mod logfile;
mod motd;
mod notify;
mod opening;
mod outbox;
mod pace;
mod saver;
mod secret;
mod signals;
mod tls;
mod transport;
mod web;
mod welcome;

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use smol::LocalExecutor;

use crate::chat::shelf::order::ShelfFact;
use crate::chat::{CloudRules, Input, Settings};
use crate::password_file;
use crate::store::directory::Directory;
use crate::store::{Answer, Store};
use crate::wire::fingerprint::Fingerprint;
use crate::wire::name::RoomName;

pub use self::error::ServerError;

use self::cloud::Cloud;
use self::hub::{Hub, Mail};
pub use self::identity::Source;
pub use self::listen::Limits;
pub use self::tls::PlainTalk;
use self::web::{Web, WebSettings};

use self::listen::Listeners;
use self::tls::{Door, Keeper};

/// Mail that may wait for the hub; connections wait when it is full, so it bounds memory and keeps the order.
const INBOX_MAILS: usize = 1024;

/// Everything `gzy server` was asked for.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses to listen on; empty means port 510 (or 5100 where 510 needs rights) on every address.
    pub listen: Vec<SocketAddr>,
    /// The folder of everything that is kept.
    pub data: PathBuf,
    /// The network's name.
    pub name: String,
    /// The lobby; `None` for none.
    pub lobby: Option<RoomName>,
    /// How old messages may get, in milliseconds; `None` for ever.
    pub keep_ms: Option<u64>,
    /// Messages that a newcomer is shown.
    pub replay: usize,
    /// Connections in all, and per address.
    pub limits: Limits,
    /// The key and certificate by which clients know the server.
    pub identity: Source,
    /// Who may talk in the clear.
    pub plain: PlainTalk,
    /// A file whose first line everybody must give.
    pub password_file: Option<PathBuf>,
    /// Whether talk is slowed to the flood limits.
    pub flood_limits: bool,
    /// Whether people without an account come in.
    pub guests: bool,
    /// Whether people may make accounts for themselves.
    pub registration: bool,
    /// Whether passwords are taken over unencrypted links from other machines.
    pub clear_passwords: bool,
    /// The folder of the files; `None` for `Cloud` in the data folder.
    pub cloud: Option<PathBuf>,
    /// What transfers may take.
    pub transfers: Transfers,
    /// A file with the message of the day.
    pub motd: Option<PathBuf>,
    /// Where to log; `None` for `log.txt` in the data folder, or standard error under systemd.
    pub log: Option<PathBuf>,
    /// How much to log.
    pub log_level: log::LevelFilter,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset_secs: i32,
}

/// What files and their transfers may take.
#[derive(Clone, Copy, Debug)]
pub struct Transfers {
    /// The largest file, in bytes.
    pub max_file: u64,
    /// What one account may have in the cloud, in bytes; the guests share as much.
    pub quota: Option<u64>,
    /// What all files together may take, in bytes.
    pub total: Option<u64>,
    /// Transfers at once.
    pub at_once: usize,
    /// Bytes per second of each transfer.
    pub rate: Option<u64>,
    /// Bytes per second of all transfers together.
    pub rate_of_all: Option<u64>,
}

/// Runs the server until it is told to stop. Prints one line to standard output when it is ready.
pub fn run(config: Config) -> Result<(), ServerError> {
    let log = logfile::start(&config)?;
    listen::raise_file_limit(&config.limits);
    let listeners = Listeners::bind(&config.listen)?;
    let password =
        config.password_file.as_deref().map(password_file::read).transpose().map_err(ServerError::Password)?;
    let cloak_secret = secret::load_or_make(&config.data)?;
    let motd = motd::read(config.motd.as_deref())?;
    let identity = config.identity.load(unix_secs()).map_err(ServerError::Identity)?;
    let door = Door::new(tls::shown(&identity).map_err(ServerError::Identity)?, config.plain);
    let (mail, inbox) = async_channel::bounded(INBOX_MAILS);
    let opened = open_store(&config, mail.clone())?;
    let cloud = open_cloud(&config, &opened.directory, mail.clone())?;
    listeners.addresses().first().into_iter().for_each(|address| cloud.announce(*address));
    let web_settings = WebSettings {
        max_transfers: config.transfers.at_once,
        rate: config.transfers.rate,
        rate_total: config.transfers.rate_of_all,
        network: config.name.as_str().into(),
    };
    let web = Web::start(web_settings, cloud.clone(), mail.clone()).map_err(ServerError::Thread)?;
    let settings = Settings {
        network: config.name.as_str().into(),
        lobby: config.lobby.clone(),
        guests: config.guests,
        registration: config.registration,
        clear_passwords: config.clear_passwords,
        replay: config.replay,
        password,
        cloak_secret,
        utc_offset_secs: config.utc_offset_secs,
        cloud: CloudRules {
            max_file: config.transfers.max_file,
            quota: config.transfers.quota,
            quota_total: config.transfers.total,
        },
    };
    let hub_parts = hub::Parts {
        settings,
        motd,
        directory: opened.directory,
        last_id: opened.last_id,
        store: opened.store,
        flood_limits: config.flood_limits,
        door,
        mail: mail.clone(),
        cloud,
        web,
    };
    let executor = Rc::new(LocalExecutor::new());
    let keeper = Keeper::new(hub_parts.door.clone(), config.identity.clone());
    executor.spawn(keeper.clone().renew_daily()).detach();
    if let Some(signals) = signals::gather() {
        executor.spawn(signals::watch(signals, mail.clone(), config.motd.clone(), log, keeper)).detach();
    }
    let ready_line = ready_line(&config, &listeners, identity.fingerprint);
    log::info!("{ready_line}");
    let _ = writeln!(std::io::stdout(), "{ready_line}");
    if std::io::stdout().is_terminal() {
        let _ = write!(std::io::stdout(), "{}", welcome::text(&listeners.addresses(), identity.fingerprint));
    }
    smol::block_on(executor.run(serve(executor.clone(), &config, listeners, hub_parts, mail, inbox)));
    opened.thread.join();
    log::info!("stopped");
    Ok(())
}

async fn serve(
    executor: Rc<LocalExecutor<'static>>,
    config: &Config,
    listeners: Listeners,
    parts: hub::Parts,
    mail: Sender<Mail>,
    inbox: Receiver<Mail>,
) {
    let _end = EndOnPanic;
    listeners.accept_on(&executor, config.limits, mail);
    notify::ready();
    let mut hub = Hub::new(executor, parts);
    hub.run(inbox).await;
    notify::stopping();
    hub.finish().await;
}

/// The time, in seconds since 1970.
fn unix_secs() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

fn open_store(config: &Config, mail: Sender<Mail>) -> Result<crate::store::Opened, ServerError> {
    let answer = move |answer: Answer| {
        // The hub outlives the store's work; when it does not, nobody is left to be told.
        let _ = mail.send_blocking(Mail::Store(answer));
    };
    Store::open(&config.data, config.keep_ms, answer).map_err(ServerError::Store)
}

/// Opens the folder of the files. What its threads have to tell goes to the rules.
fn open_cloud(config: &Config, directory: &Directory, mail: Sender<Mail>) -> Result<Cloud, ServerError> {
    let folder = config.cloud.clone().unwrap_or_else(|| config.data.join(CLOUD));
    let tell = move |fact: ShelfFact| {
        // At the end of the server nobody is left to be told.
        let _ = mail.send_blocking(Mail::Fact(Input::Shelf(fact)));
    };
    let known = directory.files.iter().map(|(file, entry)| (file.clone(), entry.stamp)).collect();
    Cloud::open(&folder, known, tell).map_err(|why| ServerError::File("use the folder of the files,", folder, why))
}

/// The folder of the files, in the data folder.
const CLOUD: &str = "Cloud";

/// A panic of the hub ends the process at once: systemd starts it again over a store that is whole. Unwinding would wait for threads that wait for the hub.
struct EndOnPanic;

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

/// `GZY is ready on 127.0.0.1:510, [::1]:510 with the key sha256 ab12 …`
fn ready_line(config: &Config, listeners: &Listeners, key: Fingerprint) -> String {
    let addresses: Vec<String> = listeners.addresses().iter().map(ToString::to_string).collect();
    let mut line = format!("{} is ready on {}", crate::wire::escape::printable(&config.name), addresses.join(", "));
    line.push_str(&format!(" with the key {key}"));
    if let Some(advice) = listeners.advice() {
        line.push_str(&format!(" — {advice}"));
    }
    line
}

/// How long connections have to take their goodbye: exit within two seconds is promised.
const GOODBYE: Duration = Duration::from_millis(1000);
