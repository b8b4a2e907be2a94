//! `instructions PATH TIMES` goes through a hot path of the core so many times, inside the function `measured`;
//! `instructions` alone lists the paths. `run` beside this counts the instructions under callgrind.

#[path = "../../../../core/benches/workload/mod.rs"]
mod workload;

use std::hint::black_box;

use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::frame::sse;
use mcpgraft::json::{self, Writer};
use workload::{LABELS, Speaks, catalog, request, server, session};

/// Paths beside the requests.
const OTHERS: [&str; 6] = ["scan: one string", "scan: small values", "write: a string", "frame: lines", "frame: an event", "registration"];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        let channels = ["duplex 2025-11-25", "duplex 2026-07-28", "http 2025-11-25", "http 2026-07-28"];
        for channel in channels {
            LABELS.iter().for_each(|label| println!("{channel}: {label}"));
        }
        return OTHERS.iter().for_each(|path| println!("{path}"));
    };
    let times = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    match path.split_once(": ") {
        Some((channel, label)) if channel.starts_with("duplex") || channel.starts_with("http") => {
            let speaks = if channel.ends_with("2025-11-25") { Speaks::Handshake } else { Speaks::Stateless };
            one(channel.starts_with("duplex"), label, speaks, times);
        }
        _ => other(&path, times),
    }
}

/// What callgrind collects. Once before it everything was done, so that outputs have grown.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured(times: u32, work: &mut dyn FnMut()) {
    for _ in 0..times {
        work();
    }
}

fn warm(times: u32, mut work: impl FnMut()) {
    work();
    measured(times, &mut work);
}

fn one(duplex: bool, label: &str, speaks: Speaks, times: u32) {
    let catalog = catalog();
    let server = server(&catalog);
    let mut session = session(&server);
    let exchanged = request(label, speaks);
    let mut out = Vec::new();
    if duplex {
        warm(times, || workload::duplex(&mut session, &server, black_box(&exchanged), &mut out));
    } else {
        warm(times, || workload::http(&server, black_box(&exchanged), speaks, &mut out));
    }
}

fn other(path: &str, times: u32) {
    let message = request("echo 64 KiB", Speaks::Stateless).message;
    let small = request("search", Speaks::Handshake).result.repeat(10).replace("}{", "},{");
    let small = format!("[{small}]");
    let text = "a plain line of some text, about ".repeat(1 << 11);
    let mut out = Vec::new();
    match path {
        "scan: one string" => warm(times, || assert!(json::check(black_box(&message), 128).is_ok())),
        "scan: small values" => warm(times, || assert!(json::check(black_box(small.as_bytes()), 128).is_ok())),
        "write: a string" => warm(times, || {
            out.clear();
            Writer::new(&mut out).string(black_box(&text)).expect("memory");
        }),
        "frame: lines" => {
            let line = [&request("add", Speaks::Stateless).message, b"\n".as_slice()].concat().repeat(32);
            let mut lines = LineBuffer::with_limit(4 << 20);
            warm(times, || {
                for piece in black_box(&line).chunks(1 << 12) {
                    let mut input = piece;
                    while let Some(frame) = lines.next(&mut input) {
                        assert!(matches!(frame, Frame::Line(_)));
                    }
                }
            });
        }
        "frame: an event" => warm(times, || {
            out.clear();
            sse::event(black_box(&message), &mut out).expect("memory");
        }),
        "registration" => warm(times, || drop(black_box(catalog()))),
        unknown => panic!("no path is called {unknown:?}; without an argument they are listed"),
    }
}
