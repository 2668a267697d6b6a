//! Which scenarios are there, what can be set, and what does each report?

use std::net::SocketAddr;
use std::time::Duration;

use argh::FromArgs;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::crowd::Crowd;
use crate::enter::{Rooms, enter, stay};
use crate::gauge::Gauge;
use crate::paced::Pace;
use crate::report::Report;
use crate::server_process::ServerProcess;
use crate::slow::SlowReader;
use crate::start::start_once;
use crate::talk::{Talk, Talked, Until};
use crate::text::{LONGEST_LEN, SHORTEST_LEN};

/// Time for a server to finish what follows a crowd's arrival, before its memory or idle CPU time is read.
const SETTLE: Duration = Duration::from_secs(3);
/// Talk before a comparison of two talks.
const WARM_UP: Duration = Duration::from_millis(500);
/// People in one room when there are many rooms.
const ROOM_OF: usize = 50;
/// The memory per connection is taken from so many.
const IDLE_FOR_MEMORY: usize = 5000;
/// The newcomers whose registration is measured.
const NEWCOMERS: usize = 500;

/// Puts load on an IRC server and measures what it costs. Prints a table on standard error, JSON on standard output.
#[derive(FromArgs)]
pub struct Args {
    /// address and port of the server
    #[argh(option, default = "SocketAddr::from(([127, 0, 0, 1], 6667))")]
    server: SocketAddr,
    /// process id of the server (all scenarios but `start`)
    #[argh(option)]
    pid: Option<i32>,
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

/// Nobody says anything: memory per connection of 5000 in rooms of 50, CPU time with more of them.
#[derive(FromArgs)]
#[argh(subcommand, name = "idle")]
struct IdleArgs {
    /// connections while the CPU time is measured (10000)
    #[argh(option, default = "10_000")]
    connections: usize,
    /// seconds to measure (10)
    #[argh(option, default = "10.0")]
    seconds: f64,
}

/// CPU time of registering and joining, for the last 500 up to each number of users, in rooms of 50.
#[derive(FromArgs)]
#[argh(subcommand, name = "register")]
struct RegisterArgs {
    /// the smaller number of users (1000)
    #[argh(option, default = "1000")]
    few: usize,
    /// the larger number of users (10000)
    #[argh(option, default = "10_000")]
    many: usize,
}

/// A steady stream without and with a member who never reads: what the others, the memory and he see of it.
#[derive(FromArgs)]
#[argh(subcommand, name = "slow")]
struct SlowArgs {
    /// people who do read (20)
    #[argh(option, default = "20")]
    members: usize,
    /// messages per second of all together, 400 bytes each (8000)
    #[argh(option, default = "8000.0")]
    rate: f64,
    /// megabytes of text offered to the one who does not read (32)
    #[argh(option, default = "32")]
    megabytes: u32,
}

/// Starts a server several times: until it listens, until it greets.
#[derive(FromArgs)]
#[argh(subcommand, name = "start")]
struct StartArgs {
    /// how often (7)
    #[argh(option, default = "7")]
    times: usize,
    /// the core for the server (0)
    #[argh(option, default = "0")]
    core: usize,
    /// the server's command
    #[argh(positional, greedy)]
    command: Vec<String>,
}

impl Args {
    /// Runs the scenario and prints its report; false when deliveries went wrong.
    pub fn run(&self) -> Result<bool, String> {
        raise_open_files()?;
        if let Scenario::Start(args) = &self.scenario {
            return args.run(self.server);
        }
        let pid = self.pid.ok_or("whose CPU time is to be read? Give the server's process id with --pid")?;
        let site = Site { server: self.server, process: ServerProcess::find(pid)? };
        match &self.scenario {
            Scenario::Window(args) => args.run(&site),
            Scenario::Fill(args) => args.run(&site),
            Scenario::Paced(args) => args.run(&site),
            Scenario::Paced1(args) => args.run(&site),
            Scenario::Idle(args) => args.run(&site),
            Scenario::Register(args) => args.run(&site),
            Scenario::Slow(args) => args.run(&site),
            Scenario::Start(args) => args.run(self.server),
        }
    }
}

/// The server that is measured.
struct Site {
    server: SocketAddr,
    process: ServerProcess,
}

impl Site {
    fn room_of(&self, members: usize) -> Result<Crowd, String> {
        if members < 2 {
            return Err("a delivery needs two: give --members 2 or more".to_owned());
        }
        let mut crowd = Crowd::new()?;
        enter(&mut crowd, self.server, members, &Rooms::One)?;
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

impl IdleArgs {
    fn run(&self, site: &Site) -> Result<bool, String> {
        let mut report = Report::new("idle");
        let empty_kib = site.process.resident_kib()?;
        report.number("rss_start_kib", empty_kib as f64);
        let mut crowd = Crowd::new()?;
        let for_memory = IDLE_FOR_MEMORY.min(self.connections);
        enter(&mut crowd, site.server, for_memory, &Rooms::Of(ROOM_OF))?;
        stay(&mut crowd, SETTLE)?;
        let full_kib = site.process.resident_kib()?;
        report.number("connections_for_memory", for_memory as f64);
        report.number("bytes_per_connection", (full_kib as f64 - empty_kib as f64) * 1024.0 / for_memory as f64);
        enter(&mut crowd, site.server, self.connections, &Rooms::Of(ROOM_OF))?;
        stay(&mut crowd, SETTLE)?;
        let gauge = Gauge::new(&site.process)?;
        let first = gauge.read(0)?;
        stay(&mut crowd, seconds(self.seconds)?)?;
        let work = gauge.read(0)?.since(&first);
        report.number("connections", self.connections as f64);
        report.number("idle_cpu_ms_per_s", work.server_cpu.as_secs_f64() * 1e3 / work.took.as_secs_f64());
        report.number("rss_kib", site.process.resident_kib()? as f64);
        Ok(report.print())
    }
}

impl RegisterArgs {
    fn run(&self, site: &Site) -> Result<bool, String> {
        if self.few < NEWCOMERS || self.many < self.few + NEWCOMERS {
            return Err(format!("--few must be at least {NEWCOMERS}, and --many as much more than --few"));
        }
        let mut report = Report::new("register");
        let mut crowd = Crowd::new()?;
        for (name, users) in [("few", self.few), ("many", self.many)] {
            enter(&mut crowd, site.server, users - NEWCOMERS, &Rooms::Of(ROOM_OF))?;
            let gauge = Gauge::new(&site.process)?;
            let first = gauge.read(0)?;
            enter(&mut crowd, site.server, users, &Rooms::Of(ROOM_OF))?;
            let work = gauge.read(0)?.since(&first);
            report.number(&format!("users_{name}"), users as f64);
            report.number(&format!("cpu_us_per_user_{name}"), work.server_cpu.as_secs_f64() * 1e6 / NEWCOMERS as f64);
            report.number(&format!("took_s_{name}"), work.took.as_secs_f64());
        }
        Ok(report.print())
    }
}

impl SlowArgs {
    fn run(&self, site: &Site) -> Result<bool, String> {
        let mut crowd = site.room_of(self.members)?;
        let measured = seconds(f64::from(self.megabytes) * 1024.0 * 1024.0 / LONGEST_LEN as f64 / checked(self.rate)?)?;
        let mut pace =
            Pace { rate: self.rate, even: true, text_len: LONGEST_LEN, warm_up: WARM_UP, measured: measured / 2 };
        let without = pace.run(&mut crowd, &site.process)?;
        let before_kib = site.process.resident_kib()?;
        let slow = SlowReader::join(site.server, &Rooms::One.name(0))?;
        // From the first moment: what happens when he is cut belongs to it.
        (pace.warm_up, pace.measured) = (Duration::ZERO, measured);
        let with = pace.run(&mut crowd, &site.process)?;
        let found = slow.read_on();
        let mut report = Report::new("slow");
        report.number("members", self.members as f64);
        report.number("messages_per_s", self.rate);
        report.work(&with.work);
        report.number("cpu_us_per_delivery_without", without.work.cpu_us_per_delivery());
        report.latency("", &with.latency);
        report.latency("_without", &without.latency);
        report.number("rss_before_kib", before_kib as f64);
        report.number("peak_rss_kib", with.peak_kib as f64);
        report.number("grown_kib", with.peak_kib as f64 - before_kib as f64);
        report.text("slow_one_was_cut", if found.cut { "yes" } else { "no" });
        report.number("slow_one_still_read_bytes", found.bytes as f64);
        report.text("slow_one_heard", found.error.as_deref().unwrap_or("no ERROR line"));
        report.text("others_heard", with.quit.as_deref().unwrap_or("no QUIT"));
        report.faults(&without.faults.and(&with.faults));
        Ok(report.print())
    }
}

impl StartArgs {
    fn run(&self, server: SocketAddr) -> Result<bool, String> {
        let mut starts = Vec::new();
        for _ in 0..self.times.max(1) {
            starts.push(start_once(&self.command, server, self.core)?);
        }
        let mut report = Report::new("start");
        report.number("times", starts.len() as f64);
        for (name, of) in [("listens_ms", true), ("greets_ms", false)] {
            let mut times: Vec<_> = starts.iter().map(|start| if of { start.listens } else { start.greets }).collect();
            times.sort_unstable();
            report.number(name, times[times.len() / 2].as_secs_f64() * 1e3);
        }
        Ok(report.print())
    }
}

fn checked(rate: f64) -> Result<f64, String> {
    if rate > 0.0 && rate <= 1e6 {
        Ok(rate)
    } else {
        Err("a rate is above 0 and at most a million per second".to_owned())
    }
}

fn seconds(seconds: f64) -> Result<Duration, String> {
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
