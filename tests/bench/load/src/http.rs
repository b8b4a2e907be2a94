//! A server behind HTTP, over connections that are kept.

use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::messages::{self, Request};
use crate::process::Server;
use crate::report::{Report, Times};

/// Asks on one connection until the time is over; how long each answer took.
fn until(connection: &mut Connection, request: &Request, end: Instant) -> Vec<Duration> {
    let (mut latencies, mut out, mut id) = (Vec::new(), Vec::new(), 1);
    while Instant::now() < end {
        out.clear();
        request.put_http(connection.port, id, &mut out);
        let begin = Instant::now();
        let body = connection.ask(&out).ok();
        latencies.push(begin.elapsed());
        let answered = messages::answered(&body).unwrap_or_else(|why| panic!("{why}"));
        assert!(answered == id || request.is_constant(), "the answer is another request's");
        id += 1;
    }
    latencies
}

/// Runs each kind of request for a while over so many connections, one kind after the other; each gives a line.
pub fn run(command: &[String], port: u16, requests: &[Request], connections: usize, times: Times) {
    let mut server = Server::start(command, false);
    server.listening(port);
    let mut all: Vec<Connection> = (0..connections).map(|_| Connection::open(port)).collect();
    let mut round = |request: &Request, time: Duration| {
        let end = Instant::now() + time;
        std::thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter_mut()
                .map(|connection| scope.spawn(move || until(connection, request, end)))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("no connection fails"))
                .collect::<Vec<_>>()
        })
    };
    for (number, request) in requests.iter().enumerate() {
        let (warm, time) = times.of(request, number == 0);
        round(request, warm);
        let (cpu, begin) = (server.cpu(), Instant::now());
        let latencies = round(request, time);
        let (took, cpu) = (begin.elapsed(), server.cpu() - cpu);
        Report { requests: latencies.len() as u64, took, cpu, latencies, resident: server.resident() }
            .print(request);
    }
}
