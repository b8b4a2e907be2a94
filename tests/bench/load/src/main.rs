//! The load generator of `make bench`. Each run starts the server it is given, sends it one kind of request, and prints
//! one line of JSON.
//!
//! ```text
//! bench-load stdio REVISION REQUEST IN_FLIGHT SECONDS -- COMMAND...
//! bench-load http PORT REVISION REQUEST CONNECTIONS SECONDS -- COMMAND...
//! bench-load cold RUNS -- COMMAND...
//! bench-load trivial (stdio | http PORT)
//! ```

mod http;
mod messages;
mod process;
mod report;
mod stdio;
mod trivial;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use messages::{Era, Request};

const USAGE: &str = "bench-load stdio REVISION REQUEST IN_FLIGHT SECONDS -- COMMAND...
bench-load http PORT REVISION REQUEST CONNECTIONS SECONDS -- COMMAND...
bench-load cold RUNS -- COMMAND...
bench-load trivial (stdio | http PORT)";

fn main() {
    // The first thing that goes wrong, in one line. Unwinding ends the server.
    let told = AtomicBool::new(false);
    std::panic::set_hook(Box::new(move |why| {
        if !told.swap(true, Ordering::Relaxed) {
            eprintln!("bench-load: {}", why.to_string().replace('\n', " "));
        }
    }));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let split = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let (own, command) = arguments.split_at(split);
    let command = command.get(1..).unwrap_or_default();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    if run(&own, command).is_none() {
        eprintln!("{USAGE}");
        std::process::exit(2);
    }
}

fn run(own: &[&str], command: &[String]) -> Option<()> {
    let seconds = |text: &str| Some(Duration::from_secs_f64(text.parse().ok()?));
    match own {
        ["trivial", "stdio"] => trivial::stdio(),
        ["trivial", "http", port] => trivial::http(port.parse().ok()?),
        ["cold", runs] if !command.is_empty() => stdio::cold(command, runs.parse().ok()?),
        ["stdio", revision, request, in_flight, time] if !command.is_empty() => {
            let era = Era::of(revision)?;
            stdio::run(command, era, &Request::new(request, era)?, in_flight.parse().ok()?, seconds(time)?);
        }
        ["http", port, revision, request, connections, time] if !command.is_empty() => {
            let request = Request::new(request, Era::of(revision)?)?;
            http::run(command, port.parse().ok()?, &request, connections.parse().ok()?, seconds(time)?);
        }
        _ => return None,
    }
    Some(())
}
