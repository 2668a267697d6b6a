//! What do all connections of the transfer thread have in common?

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use async_channel::Sender;
use async_io::Timer;

use crate::server::cloud::Cloud;
use crate::server::hub::{Ask, Mail};
use crate::server::transport::{READ_MUCH_BYTES, Sealed};
use crate::wire::http::date;
use crate::wire::limits::{HTTP_HEAD_MS, HTTP_IDLE_MS, HTTP_STALLED_MS, LISTINGS, TRANSFER_TURN_MS};

use super::WebSettings;
use super::answer::{Answer, Refusal};
use super::due::{Due, Dues};
use super::rate::Rate;
use super::sleep::Sleeper;
use super::turns::Turns;

/// How long who is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the next request.
    pub idle: Duration,
    /// For the rest of a head.
    pub head: Duration,
    /// For the next byte of a transfer, up or down.
    pub stalled: Duration,
    /// For a turn at a transfer.
    pub turn: Duration,
    /// How often it is looked who has waited long enough.
    pub look: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            idle: Duration::from_millis(HTTP_IDLE_MS),
            head: Duration::from_millis(HTTP_HEAD_MS),
            stalled: Duration::from_millis(HTTP_STALLED_MS),
            turn: Duration::from_millis(TRANSFER_TURN_MS),
            look: Duration::from_secs(1),
        }
    }
}

/// All of it. Owned by the thread.
pub struct Shared {
    /// What the host chose.
    pub settings: WebSettings,
    /// The files.
    pub cloud: Cloud,
    /// The way to the rules.
    pub mail: Sender<Mail>,
    /// How long who is waited for.
    pub patience: Patience,
    /// Who watches the connections.
    pub sleeper: Rc<Sleeper>,
    /// Who waits.
    pub dues: Dues,
    /// Who may move a file.
    pub turns: Turns,
    /// Who may have a listing made.
    pub listings: Turns,
    /// Where is read to. Borrowed between two awaits only.
    pub scratch: RefCell<Box<[u8]>>,
    /// Where is encrypted to, likewise.
    pub sealed: RefCell<Sealed>,
    /// Of all transfers together.
    rate: RefCell<Option<Rate>>,
    /// The second since 1970, and its date.
    date: RefCell<(u64, Rc<str>)>,
}

impl Shared {
    /// With nobody there yet.
    pub fn new(settings: WebSettings, cloud: Cloud, mail: Sender<Mail>, patience: Patience) -> Shared {
        Shared {
            turns: Turns::new(settings.max_transfers),
            listings: Turns::new(LISTINGS),
            rate: RefCell::new(settings.rate_total.map(|rate| Rate::new(rate, Instant::now()))),
            settings,
            cloud,
            mail,
            patience,
            sleeper: Rc::new(Sleeper::new()),
            dues: Dues::default(),
            scratch: RefCell::new(vec![0; READ_MUCH_BYTES].into_boxed_slice()),
            sealed: RefCell::default(),
            date: RefCell::new((0, "".into())),
        }
    }

    /// The date of this moment.
    pub fn date(&self) -> Rc<str> {
        let secs = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut date = self.date.borrow_mut();
        if date.0 != secs || date.1.is_empty() {
            *date = (secs, date::write(secs * 1000).into());
        }
        date.1.clone()
    }

    /// The answer that says a refusal.
    pub fn refuse(&self, refusal: &Refusal) -> Answer {
        refusal.answer(&self.date(), &self.settings.network)
    }

    /// Asks the rules.
    pub async fn ask(&self, asks: Vec<Ask>) {
        // When the hub is gone, so are the senders in it, which is an answer.
        let _ = self.mail.send(Mail::Web(asks)).await;
    }

    /// The pace of one transfer more.
    pub fn pace(self: &Rc<Self>) -> Pace {
        let rate = self.settings.rate.map(|rate| Rate::new(rate, Instant::now()));
        Pace { shared: self.clone(), rate }
    }

    /// A connection's moment.
    pub fn due(&self) -> Rc<Due> {
        self.dues.open()
    }
}

/// How fast a transfer may go.
pub struct Pace {
    shared: Rc<Shared>,
    rate: Option<Rate>,
}

impl Pace {
    /// Waits until some of `wanted` bytes may go, and says how many.
    pub async fn allowed(&mut self, wanted: usize) -> usize {
        loop {
            match self.look(wanted) {
                Ok(count) => return count,
                Err(wait) => Timer::after(wait).await,
            };
        }
    }

    fn look(&mut self, wanted: usize) -> Result<usize, Duration> {
        let mut total = self.shared.rate.borrow_mut();
        if self.rate.is_none() && total.is_none() {
            return Ok(wanted);
        }
        let now = Instant::now();
        let mut count = wanted;
        for rate in self.rate.as_mut().into_iter().chain(total.as_mut()) {
            count = rate.allowed(count, now)?;
        }
        Ok(count)
    }

    /// So many went.
    pub fn spend(&mut self, bytes: usize) {
        let mut total = self.shared.rate.borrow_mut();
        self.rate.as_mut().into_iter().chain(total.as_mut()).for_each(|rate| rate.spend(bytes));
    }
}
