//! What did the server use between two moments, and how much memory did it hold at most?

use std::time::{Duration, Instant};

use crate::server_process::{ServerProcess, own_cpu};

/// Reading the memory takes some 20 µs on this core; twenty looks a second are not felt.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Reads the counters of a server.
pub struct Gauge<'a> {
    server: &'a ServerProcess,
    looked_at: Instant,
    peak_kib: u64,
}

/// The counters at one moment.
pub struct Reading {
    at: Instant,
    server_cpu: Duration,
    own_cpu: Duration,
    heard: u64,
}

/// What happened between two readings.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Deliveries.
    pub deliveries: u64,
    /// Time on the wall.
    pub took: Duration,
    /// CPU time of the server.
    pub server_cpu: Duration,
    /// CPU time of this program.
    pub own_cpu: Duration,
}

impl<'a> Gauge<'a> {
    /// Begins to look at this server.
    pub fn new(server: &'a ServerProcess) -> Result<Self, String> {
        Ok(Gauge { server, looked_at: Instant::now(), peak_kib: server.resident_kib()? })
    }

    /// Reads everything; `heard` is the number of deliveries so far.
    pub fn read(&self, heard: u64) -> Result<Reading, String> {
        Ok(Reading { at: Instant::now(), server_cpu: self.server.cpu()?, own_cpu: own_cpu(), heard })
    }

    /// Looks at the memory, if it is time.
    pub fn look(&mut self) -> Result<(), String> {
        if self.looked_at.elapsed() >= LOOK_EVERY {
            self.peak_kib = self.peak_kib.max(self.server.resident_kib()?);
            self.looked_at = Instant::now();
        }
        Ok(())
    }

    /// The largest resident memory seen, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.peak_kib
    }
}

impl Reading {
    /// What happened since the earlier reading.
    pub fn since(&self, earlier: &Reading) -> Work {
        Work {
            deliveries: self.heard - earlier.heard,
            took: self.at - earlier.at,
            server_cpu: self.server_cpu.saturating_sub(earlier.server_cpu),
            own_cpu: self.own_cpu.saturating_sub(earlier.own_cpu),
        }
    }
}

impl Work {
    /// Both together.
    pub fn and(&self, other: &Work) -> Work {
        Work {
            deliveries: self.deliveries + other.deliveries,
            took: self.took + other.took,
            server_cpu: self.server_cpu + other.server_cpu,
            own_cpu: self.own_cpu + other.own_cpu,
        }
    }

    /// What one delivery cost the server, in microseconds of CPU time.
    pub fn cpu_us_per_delivery(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.deliveries.max(1) as f64
    }
}
