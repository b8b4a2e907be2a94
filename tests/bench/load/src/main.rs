//! The load generator of `make bench`. Each run starts the server it is given, sends it requests, and prints one line of
//! JSON for each kind; it ends at the first that fails. WARM are the seconds before the first kind is measured (a server that
//! compiles while it runs needs some), SECONDS those of each measurement; before each kind half as long goes by uncounted.
//!
//! ```text
//! bench-load stdio REVISION IN_FLIGHT WARM SECONDS REQUEST... -- COMMAND...
//! bench-load http PORT REVISION CONNECTIONS WARM SECONDS REQUEST... -- COMMAND...
//! bench-load cold REVISION RUNS -- COMMAND...
//! bench-load sessions PORT COUNT -- COMMAND...
//! bench-load listen PORT REVISION COUNT -- COMMAND...
//! bench-load trivial (stdio | http PORT)
//! ```

mod connection;
mod http;
mod messages;
mod process;
mod report;
mod state;
mod stdio;
mod trivial;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use messages::{Era, Request};
use report::Times;

const USAGE: &str = "bench-load stdio REVISION IN_FLIGHT WARM SECONDS REQUEST... -- COMMAND...
bench-load http PORT REVISION CONNECTIONS WARM SECONDS REQUEST... -- COMMAND...
bench-load cold REVISION RUNS -- COMMAND...
bench-load sessions PORT COUNT -- COMMAND...
bench-load listen PORT REVISION COUNT -- COMMAND...
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
        ["cold", revision, runs] if !command.is_empty() => {
            stdio::cold(command, Era::of(revision)?, runs.parse().ok()?);
        }
        ["stdio", revision, in_flight, warm, time, names @ ..] if !command.is_empty() => {
            let era = Era::of(revision)?;
            let times = Times { warm: seconds(warm)?, each: seconds(time)? };
            stdio::run(command, era, &requests(names, era)?, in_flight.parse().ok()?, times);
        }
        ["http", port, revision, connections, warm, time, names @ ..] if !command.is_empty() => {
            let requests = requests(names, Era::of(revision)?)?;
            let times = Times { warm: seconds(warm)?, each: seconds(time)? };
            http::run(command, port.parse().ok()?, &requests, connections.parse().ok()?, times);
        }
        ["sessions", port, count] if !command.is_empty() => {
            state::sessions(command, port.parse().ok()?, count.parse().ok()?);
        }
        ["listen", port, revision, count] if !command.is_empty() => {
            state::listen(command, port.parse().ok()?, Era::of(revision)?, count.parse().ok()?);
        }
        _ => return None,
    }
    Some(())
}

fn requests(names: &[&str], era: Era) -> Option<Vec<Request>> {
    names.iter().map(|name| Request::new(name, era)).collect()
}
