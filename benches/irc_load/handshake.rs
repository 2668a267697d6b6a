//! What does a full TLS handshake cost the server, from accepting the connection to the client's last word?

use std::thread::sleep;
use std::time::{Duration, Instant};

use argh::FromArgs;

use crate::crowd::Crowd;
use crate::enter::Deaf;
use crate::gauge::Gauge;
use crate::report::Report;
use crate::scenario::Site;
use crate::server_process::ServerProcess;

/// Handshakes before those that are measured.
const WARM_UP: usize = 100;
/// The longest wait for one.
const PATIENCE: Duration = Duration::from_secs(10);
/// A server that has used no CPU time for this long has done what it had to do.
const QUIET: Duration = Duration::from_millis(50);

/// Full handshakes, a few at a time, and nothing said in them: server CPU per handshake. Needs --tls.
#[derive(FromArgs)]
#[argh(subcommand, name = "handshake")]
pub struct HandshakeArgs {
    /// handshakes to measure (2000); each connection stays, so as many files are needed
    #[argh(option, default = "2000")]
    times: usize,
    /// handshakes under way at a time (1)
    #[argh(option, default = "1")]
    under_way: usize,
}

impl HandshakeArgs {
    /// Runs and reports.
    pub fn run(&self, site: &Site) -> Result<bool, String> {
        if site.encryption.is_none() {
            return Err("there are handshakes only with --tls".to_owned());
        }
        let mut crowd = site.crowd()?;
        self.shake(&mut crowd, site, WARM_UP)?;
        wait_until_quiet(&site.process)?;
        let gauge = Gauge::new(&site.process)?;
        let first = gauge.read(0)?;
        self.shake(&mut crowd, site, self.times)?;
        let took = gauge.read(0)?.since(&first).took;
        wait_until_quiet(&site.process)?;
        let work = gauge.read(0)?.since(&first);
        crowd.all_there()?;
        let times = self.times.max(1) as f64;
        let mut report = Report::new("handshake");
        report.number("handshakes", times);
        report.number("under_way", self.under_way as f64);
        report.text("tls", &crowd.encryption_of(0));
        report.number("cpu_us_per_handshake", work.server_cpu.as_secs_f64() * 1e6 / times);
        report.number("handshakes_per_s", times / took.as_secs_f64());
        Ok(report.print())
    }

    fn shake(&self, crowd: &mut Crowd, site: &Site, times: usize) -> Result<(), String> {
        let all = crowd.len() + times;
        let mut began = Instant::now();
        while crowd.len() < all || crowd.handshakes() > 0 {
            while crowd.len() < all && crowd.handshakes() < self.under_way.max(1) {
                crowd.connect(site.entrance.server)?;
                began = Instant::now();
            }
            crowd.listen(Duration::from_secs(1), &mut Deaf)?;
            crowd.all_there()?;
            if began.elapsed() > PATIENCE {
                return Err(format!("a handshake is not done after {PATIENCE:?}"));
            }
        }
        Ok(())
    }
}

/// The client has spoken its last word before the server has heard it.
fn wait_until_quiet(server: &ServerProcess) -> Result<(), String> {
    let until = Instant::now() + PATIENCE;
    let mut before = server.cpu()?;
    while Instant::now() < until {
        sleep(QUIET);
        let now = server.cpu()?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}
