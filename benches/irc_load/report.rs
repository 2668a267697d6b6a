//! How is a result told? One JSON line for programs on standard output, a small table for people on standard error.

use std::fmt::Write;

use crate::gauge::Work;
use crate::tally::{Faults, Latency};

/// The figures of one scenario, in the order in which they were added.
pub struct Report {
    figures: Vec<(String, Value)>,
    faultless: bool,
}

enum Value {
    Number(f64),
    Text(String),
}

impl Report {
    /// An empty report of this scenario.
    pub fn new(scenario: &str) -> Self {
        Report { figures: vec![("scenario".to_owned(), Value::Text(scenario.to_owned()))], faultless: true }
    }

    /// Adds a number.
    pub fn number(&mut self, name: &str, value: f64) {
        self.figures.push((name.to_owned(), Value::Number(value)));
    }

    /// Adds a text, which may come from the server.
    pub fn text(&mut self, name: &str, value: &str) {
        self.figures.push((name.to_owned(), Value::Text(value.to_owned())));
    }

    /// Adds the usual percentiles; `suffix` tells apart two of one report.
    pub fn latency(&mut self, suffix: &str, latency: &Latency) {
        for (name, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
            self.number(&format!("{name}_ms{suffix}"), latency.within_ms(share));
        }
        self.number(&format!("longest_ms{suffix}"), latency.longest_ms());
    }

    /// Adds what was delivered within the measured time and what it cost.
    pub fn work(&mut self, work: &Work) {
        let took = work.took.as_secs_f64();
        self.number("deliveries", work.deliveries as f64);
        self.number("deliveries_per_s", work.deliveries as f64 / took);
        self.number("cpu_us_per_delivery", work.cpu_us_per_delivery());
        self.number("server_busy", work.server_cpu.as_secs_f64() / took);
        self.number("generator_busy", work.own_cpu.as_secs_f64() / took);
    }

    /// Adds the verdict on the messages.
    pub fn faults(&mut self, faults: &Faults) {
        let counts = [faults.lost, faults.repeated, faults.garbled, faults.echoed];
        for (name, count) in ["lost", "repeated", "garbled", "echoed"].into_iter().zip(counts) {
            self.number(name, count as f64);
        }
        self.faultless &= faults.none();
    }

    /// Prints both forms; false when messages went wrong.
    pub fn print(&self) -> bool {
        let wide = self.figures.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut json = String::new();
        for (name, value) in &self.figures {
            let (shown, coded) = match value {
                Value::Number(number) => (rounded(*number), rounded(*number)),
                Value::Text(text) => (text.escape_debug().to_string(), quoted(text)),
            };
            eprintln!("  {name:wide$}  {shown}");
            let comma = if json.is_empty() { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(json, "{comma}{}: {coded}", quoted(name));
        }
        println!("{{{json}}}");
        self.faultless
    }
}

/// Four decimals are a tenth of a microsecond in a millisecond; more is noise.
fn rounded(number: f64) -> String {
    let fixed = format!("{number:.4}");
    fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            ' '..='~' => quoted.push(char),
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    let _ = write!(quoted, "\\u{unit:04x}");
                }
            }
        }
    }
    quoted.push('"');
    quoted
}
