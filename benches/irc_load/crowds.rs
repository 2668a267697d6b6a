//! What does a server pay for people who are there and say nothing, and for each who comes in?

use std::time::Duration;

use argh::FromArgs;

use crate::crowd::Crowd;
use crate::enter::{Rooms, enter, stay};
use crate::gauge::Gauge;
use crate::report::Report;
use crate::scenario::{Site, seconds};

/// Time for a server to finish what follows a crowd's arrival, before its memory or idle CPU time is read.
const SETTLE: Duration = Duration::from_secs(3);
/// People in one room.
const ROOMS: Rooms = Rooms::Of(50);
/// The newcomers whose registration is measured.
const NEWCOMERS: usize = 500;

/// Nobody says anything: memory per connection, CPU time per second; rooms of 50.
#[derive(FromArgs)]
#[argh(subcommand, name = "idle")]
pub struct IdleArgs {
    /// connections that the memory is divided by (5000)
    #[argh(option, default = "5000")]
    memory_of: usize,
    /// connections while the CPU time is measured (10000)
    #[argh(option, default = "10_000")]
    connections: usize,
    /// seconds to measure (10)
    #[argh(option, default = "10.0")]
    seconds: f64,
}

/// CPU time of registering and joining, for the last 500 up to each number of users; rooms of 50.
#[derive(FromArgs)]
#[argh(subcommand, name = "register")]
pub struct RegisterArgs {
    /// the smaller number of users (1000)
    #[argh(option, default = "1000")]
    few: usize,
    /// the larger number of users (10000)
    #[argh(option, default = "10_000")]
    many: usize,
}

/// `register` and `idle` with one and the same crowd, which saves half of the time.
#[derive(FromArgs)]
#[argh(subcommand, name = "crowds")]
pub struct CrowdsArgs {
    /// the smaller number of users at which registering is measured (1000)
    #[argh(option, default = "1000")]
    few: usize,
    /// connections that the memory is divided by (5000)
    #[argh(option, default = "5000")]
    memory_of: usize,
    /// the larger number of users, and of idle connections (10000)
    #[argh(option, default = "10_000")]
    many: usize,
    /// seconds to measure the idle CPU time (10)
    #[argh(option, default = "10.0")]
    seconds: f64,
}

impl IdleArgs {
    /// Runs and reports.
    pub fn run(&self, site: &Site) -> Result<bool, String> {
        let mut study = Study::begin("idle", site)?;
        study.memory(self.memory_of)?;
        study.idle(self.connections, self.seconds)?;
        Ok(study.report.print())
    }
}

impl RegisterArgs {
    /// Runs and reports.
    pub fn run(&self, site: &Site) -> Result<bool, String> {
        let mut study = Study::begin("register", site)?;
        study.register("few", self.few)?;
        study.register("many", self.many)?;
        Ok(study.report.print())
    }
}

impl CrowdsArgs {
    /// Runs and reports.
    pub fn run(&self, site: &Site) -> Result<bool, String> {
        let mut study = Study::begin("crowds", site)?;
        study.register("few", self.few)?;
        study.memory(self.memory_of)?;
        study.register("many", self.many)?;
        study.idle(self.many, self.seconds)?;
        Ok(study.report.print())
    }
}

/// A crowd that only grows, and what was found on the way.
struct Study<'a> {
    site: &'a Site,
    crowd: Crowd,
    empty_kib: u64,
    report: Report,
}

impl<'a> Study<'a> {
    fn begin(name: &str, site: &'a Site) -> Result<Self, String> {
        let empty_kib = site.process.resident_kib()?;
        let mut report = Report::new(name);
        report.number("rss_start_kib", empty_kib as f64);
        Ok(Study { site, crowd: site.crowd()?, empty_kib, report })
    }

    fn grow_to(&mut self, users: usize) -> Result<(), String> {
        if users < self.crowd.len() {
            return Err(format!("{users} users are fewer than the {} who are in already", self.crowd.len()));
        }
        enter(&mut self.crowd, self.site.entrance, users, &ROOMS)
    }

    fn memory(&mut self, connections: usize) -> Result<(), String> {
        self.grow_to(connections)?;
        stay(&mut self.crowd, SETTLE)?;
        let grown_kib = self.site.process.resident_kib()? as f64 - self.empty_kib as f64;
        self.report.number("memory_of", connections as f64);
        self.report.number("bytes_per_connection", grown_kib * 1024.0 / connections.max(1) as f64);
        Ok(())
    }

    fn register(&mut self, name: &str, users: usize) -> Result<(), String> {
        let before = users.checked_sub(NEWCOMERS);
        self.grow_to(before.ok_or_else(|| format!("registering is measured over {NEWCOMERS} users; give more"))?)?;
        let gauge = Gauge::new(&self.site.process)?;
        let first = gauge.read(0)?;
        self.grow_to(users)?;
        let work = gauge.read(0)?.since(&first);
        self.report.number(&format!("users_{name}"), users as f64);
        let each_us = work.server_cpu.as_secs_f64() * 1e6 / NEWCOMERS as f64;
        self.report.number(&format!("register_us_{name}"), each_us);
        self.report.number(&format!("register_s_{name}"), work.took.as_secs_f64());
        Ok(())
    }

    fn idle(&mut self, connections: usize, time: f64) -> Result<(), String> {
        self.grow_to(connections)?;
        stay(&mut self.crowd, SETTLE)?;
        let gauge = Gauge::new(&self.site.process)?;
        let first = gauge.read(0)?;
        stay(&mut self.crowd, seconds(time)?)?;
        let work = gauge.read(0)?.since(&first);
        self.report.number("connections", connections as f64);
        self.report.number("idle_cpu_ms_per_s", work.server_cpu.as_secs_f64() * 1e3 / work.took.as_secs_f64());
        self.report.number("rss_kib", self.site.process.resident_kib()? as f64);
        Ok(())
    }
}
