//! A load generator for chat servers: what does a delivery cost, how late is it, and did it come at all?
//!
//! It speaks IRC to any server, in the clear or through TLS, runs on one thread, counts every delivery and reads the server's CPU time and
//! memory from the kernel. `docs/benchmarks.md` tells how to run it and how to read it; `benches/compare.py` runs it
//! against several servers. Without arguments it checks its own counting and prints its usage.

mod check;
mod crowd;
mod crowds;
mod enter;
mod gauge;
mod handshake;
mod paced;
mod report;
mod scenario;
mod secured;
mod server_process;
mod slow;
mod start;
mod talk;
mod tally;
mod text;

use std::process::ExitCode;

use argh::FromArgs;

use scenario::Args;

const NAME: &str = "irc_load";

fn main() -> ExitCode {
    // `cargo bench` adds `--bench` to what the user wrote.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.is_empty() {
        return check_and_explain();
    }
    match Args::from_args(&[NAME], &words) {
        Ok(args) => told(args.run()),
        Err(early) if early.status.is_ok() => told(Ok(print(&early.output))),
        Err(early) => told(Err(early.output)),
    }
}

fn check_and_explain() -> ExitCode {
    if let Err(broken) = check::everything() {
        return told(Err(format!("the generator miscounts, do not trust its figures: {broken}")));
    }
    let help = Args::from_args(&[NAME], &["--help"]).err().map(|early| early.output).unwrap_or_default();
    told(Ok(print(&help)))
}

fn print(text: &str) -> bool {
    println!("{text}");
    true
}

fn told(result: Result<bool, String>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("{NAME}: deliveries went wrong; see lost, repeated, garbled and echoed above");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{NAME}: {error}");
            ExitCode::FAILURE
        }
    }
}
