//! How much CPU time and memory has the server used?

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// A running server, known by its process id; only looked at, never touched.
pub struct ServerProcess {
    pid: i32,
    clock: ClockId,
}

impl ServerProcess {
    /// Finds the process, or says why it cannot be measured.
    pub fn find(pid: i32) -> Result<Self, String> {
        let clock = clock_getcpuclockid(Pid::from_raw(pid))
            .map_err(|error| format!("cannot read the CPU clock of process {pid}: {error}; is the server running?"))?;
        Ok(ServerProcess { pid, clock })
    }

    /// User and system time of all threads, ended ones too, to the nanosecond.
    pub fn cpu(&self) -> Result<Duration, String> {
        let time = self
            .clock
            .now()
            .map_err(|error| format!("the server (process {}) is gone: {error}; look at its log", self.pid))?;
        Ok(Duration::from(time))
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.pid);
        let status = fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| format!("{path} names no VmRSS; has the server ended?"))
    }
}

/// CPU time of the load generator itself.
pub fn own_cpu() -> Duration {
    ClockId::CLOCK_PROCESS_CPUTIME_ID.now().map(Duration::from).unwrap_or_default()
}
