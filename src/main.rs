//! The `gzy` program: picks the subcommand, prints an error once, picks the exit code.

use std::io::Write;
use std::process::ExitCode;

use gzy::args::{Command, Parsed, data_folder, parse};
use gzy::client_term::CarryConfig;
use gzy::{backup, client_term, doctor, server, user};

/// What the user asked for could not be done.
const FAILED: u8 = 1;
/// The words on the command line make no sense.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    // Read before there are threads: afterwards the environment of the time zone cannot be read safely.
    let utc_offset_secs = time::UtcOffset::current_local_offset().map_or(0, time::UtcOffset::whole_seconds);
    let args = match parse(std::env::args().skip(1)) {
        Parsed::Run(args) => args,
        Parsed::Print(text, true) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Parsed::Print(text, false) => return complain(&text, WRONG_USAGE),
    };
    match args.command {
        Command::Server(args) => match args.into_config(utc_offset_secs) {
            Ok(config) => {
                server::run(config).map_or_else(|why| complain(&why.to_string(), FAILED), |()| ExitCode::SUCCESS)
            }
            Err(why) => complain(&why, WRONG_USAGE),
        },
        Command::Client(args) => {
            args.into_config().map_or_else(|why| complain(&why, FAILED), |config| client_term::run(config).into())
        }
        Command::Say(args) => {
            args.into_config().map_or_else(|why| complain(&why, WRONG_USAGE), |config| client_term::say(config).into())
        }
        Command::Put(args) => carry(args.into_config()),
        Command::Get(args) => carry(args.into_config()),
        Command::List(args) => carry(args.into_config()),
        Command::User(args) => say(user::run(args.action)),
        Command::Backup(args) => say(backup::make(args)),
        Command::Restore(args) => say(backup::restore(args)),
        Command::Doctor(args) => {
            let language = args.language();
            let (report, is_fine) = doctor::run(&data_folder(args.data), language);
            let _ = std::io::stdout().write_all(report.as_bytes());
            if is_fine { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
        }
    }
}

/// Moves or lists files.
fn carry(config: Result<CarryConfig, String>) -> ExitCode {
    config.map_or_else(|why| complain(&why, WRONG_USAGE), |config| client_term::carry(config).into())
}

/// What was done, or why it was not.
fn say(result: Result<String, String>) -> ExitCode {
    match result {
        Ok(sentence) => {
            let _ = writeln!(std::io::stdout(), "{sentence}");
            ExitCode::SUCCESS
        }
        Err(why) => complain(&why, FAILED),
    }
}

fn complain(sentence: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "gzy: {}", sentence.trim_end());
    ExitCode::from(code)
}
