//! Which scenarios are there, what can be set, and what does each report?

use std::net::SocketAddr;
use std::time::Duration;

use argh::FromArgs;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::crowd::Crowd;
use crate::crowds::{CrowdsArgs, IdleArgs, RegisterArgs};
use crate::enter::{Entrance, Rooms, enter};
use crate::handshake::HandshakeArgs;
use crate::paced::Pace;
use crate::report::Report;
use crate::secured::Encryption;
use crate::server_process::ServerProcess;
use crate::slow::SlowArgs;
use crate::start::StartArgs;
use crate::talk::{Talk, Talked, Until};
use crate::text::{LONGEST_LEN, SHORTEST_LEN};

/// Puts load on an IRC server and measures what it costs. Prints a table on standard error, JSON on standard output.
#[derive(FromArgs)]
pub struct Args {
    /// address and port of the server
    #[argh(option, default = "SocketAddr::from(([127, 0, 0, 1], 6667))")]
    server: SocketAddr,
    /// process id of the server (all scenarios but `start`)
    #[argh(option)]
    pid: Option<i32>,
    /// people on their way in at the same time (8); give more to a server that admits people once a second
    #[argh(option, default = "8")]
    at_a_time: usize,
    /// talk through TLS; any certificate will do
    #[argh(switch)]
    tls: bool,
    #[argh(subcommand)]
    scenario: Scenario,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Scenario {
    Window(WindowArgs),
    Fill(FillArgs),
    Paced(PacedArgs),
    Paced1(Paced1Args),
    Idle(IdleArgs),
    Register(RegisterArgs),
    Crowds(CrowdsArgs),
    Handshake(HandshakeArgs),
    Slow(SlowArgs),
    Start(StartArgs),
}

/// One room, a fixed number of messages under way: CPU per delivery, deliveries per second.
#[derive(FromArgs)]
#[argh(subcommand, name = "window")]
struct WindowArgs {
    /// people in the room (100)
    #[argh(option, default = "100")]
    members: usize,
    /// messages under way at a time, each from another member (16)
    #[argh(option, default = "16")]
    under_way: usize,
    /// bytes of a text (100)
    #[argh(option, default = "100")]
    text: usize,
    /// seconds to measure (3)
    #[argh(option, default = "3.0")]
    seconds: f64,
}

/// One sender, one reader, so many messages: fills a history.
#[derive(FromArgs)]
#[argh(subcommand, name = "fill")]
struct FillArgs {
    /// messages to send (100000)
    #[argh(option, default = "100_000")]
    messages: u64,
}

/// One room, everybody talks at an own pace with moments thrown by dice: CPU per delivery, latency.
#[derive(FromArgs)]
#[argh(subcommand, name = "paced")]
struct PacedArgs {
    /// people in the room (200)
    #[argh(option, default = "200")]
    members: usize,
    /// messages per second of each (5)
    #[argh(option, default = "5.0")]
    rate_each: f64,
    /// seconds to measure (5)
    #[argh(option, default = "5.0")]
    seconds: f64,
}

/// One room, a steady stream of messages, evenly spaced, from all in turn: latency.
#[derive(FromArgs)]
#[argh(subcommand, name = "paced1")]
struct Paced1Args {
    /// people in the room (100)
    #[argh(option, default = "100")]
    members: usize,
    /// messages per second of all together (1000)
    #[argh(option, default = "1000.0")]
    rate: f64,
    /// seconds to measure (5)
    #[argh(option, default = "5.0")]
    seconds: f64,
}

impl Args {
    /// Runs the scenario and prints its report; false when deliveries went wrong.
    pub fn run(&self) -> Result<bool, String> {
        raise_open_files()?;
        let encryption = self.tls.then(Encryption::new).transpose()?;
        if let Scenario::Start(args) = &self.scenario {
            return args.run(self.server, encryption.as_ref());
        }
        let pid = self.pid.ok_or("whose CPU time is to be read? Give the server's process id with --pid")?;
        let site = Site {
            entrance: Entrance { server: self.server, at_a_time: self.at_a_time.max(1) },
            process: ServerProcess::find(pid)?,
            encryption,
        };
        match &self.scenario {
            Scenario::Window(args) => args.run(&site),
            Scenario::Fill(args) => args.run(&site),
            Scenario::Paced(args) => args.run(&site),
            Scenario::Paced1(args) => args.run(&site),
            Scenario::Idle(args) => args.run(&site),
            Scenario::Register(args) => args.run(&site),
            Scenario::Crowds(args) => args.run(&site),
            Scenario::Handshake(args) => args.run(&site),
            Scenario::Slow(args) => args.run(&site),
            Scenario::Start(args) => args.run(self.server, site.encryption.as_ref()),
        }
    }
}

/// The server that is measured.
pub struct Site {
    /// Where its clients come in.
    pub entrance: Entrance,
    /// Where its cost is read.
    pub process: ServerProcess,
    /// How its clients talk, if not in the clear.
    pub encryption: Option<Encryption>,
}

impl Site {
    /// Nobody yet.
    pub fn crowd(&self) -> Result<Crowd, String> {
        Crowd::new(self.encryption.clone())
    }

    /// Members, all in one room.
    pub fn room_of(&self, members: usize) -> Result<Crowd, String> {
        if members < 2 {
            return Err("a delivery needs two: give --members 2 or more".to_owned());
        }
        let mut crowd = self.crowd()?;
        enter(&mut crowd, self.entrance, members, &Rooms::One)?;
        Ok(crowd)
    }
}

impl WindowArgs {
    fn run(&self, site: &Site) -> Result<bool, String> {
        if self.under_way == 0 || self.under_way > self.members {
            return Err("each message under way is another member's: give --under-way 1 up to the members".to_owned());
        }
        if !(SHORTEST_LEN..=LONGEST_LEN).contains(&self.text) {
            return Err(format!("--text can be {SHORTEST_LEN} to {LONGEST_LEN} bytes"));
        }
        let mut crowd = site.room_of(self.members)?;
        let talk = Talk {
            senders: self.under_way,
            each: 1,
            text_len: self.text,
            warm_up: warm_up(self.seconds)?,
            until: Until::Lasted(seconds(self.seconds)?),
        };
        let talked = talk.run(&mut crowd, &site.process)?;
        let mut report = Report::new("window");
        report.number("members", self.members as f64);
        report.number("under_way", self.under_way as f64);
        tell(&mut report, &talked);
        Ok(report.print())
    }
}

impl FillArgs {
    fn run(&self, site: &Site) -> Result<bool, String> {
        let mut crowd = site.room_of(2)?;
        let until = Until::Sent(self.messages);
        let talk = Talk { senders: 1, each: 64, text_len: 100, warm_up: Duration::ZERO, until };
        let talked = talk.run(&mut crowd, &site.process)?;
        let mut report = Report::new("fill");
        tell(&mut report, &talked);
        Ok(report.print())
    }
}

fn tell(report: &mut Report, talked: &Talked) {
    report.work(&talked.work);
    report.latency("", &talked.latency);
    report.number("peak_rss_kib", talked.peak_kib as f64);
    report.faults(&talked.faults);
}

impl PacedArgs {
    fn run(&self, site: &Site) -> Result<bool, String> {
        run_paced("paced", site, self.members, self.rate_each * self.members as f64, false, self.seconds)
    }
}

impl Paced1Args {
    fn run(&self, site: &Site) -> Result<bool, String> {
        run_paced("paced1", site, self.members, self.rate, true, self.seconds)
    }
}

fn run_paced(name: &str, site: &Site, members: usize, rate: f64, even: bool, time: f64) -> Result<bool, String> {
    let mut crowd = site.room_of(members)?;
    let pace = Pace { rate: checked(rate)?, even, text_len: 100, warm_up: warm_up(time)?, measured: seconds(time)? };
    let paced = pace.run(&mut crowd, &site.process)?;
    let mut report = Report::new(name);
    report.number("members", members as f64);
    report.number("messages_per_s", rate);
    report.work(&paced.work);
    report.latency("", &paced.latency);
    report.number("generator_lag_p99_ms", paced.lag.within_ms(0.99));
    report.faults(&paced.faults);
    Ok(report.print())
}

/// Refuses a rate that cannot be kept or means nothing.
pub fn checked(rate: f64) -> Result<f64, String> {
    if rate > 0.0 && rate <= 1e6 {
        Ok(rate)
    } else {
        Err("a rate is above 0 and at most a million per second".to_owned())
    }
}

/// A number of seconds from the command line.
pub fn seconds(seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("{seconds} is no number of seconds"))
}

/// A sixth of what is measured, for the caches and the kernel's buffers to take their sizes.
fn warm_up(measured: f64) -> Result<Duration, String> {
    seconds(measured / 6.0)
}

/// One file per connection: takes as many as the system lets this process have.
fn raise_open_files() -> Result<(), String> {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })
        .map_err(|error| format!("cannot raise the number of open files: {error}"))
}
