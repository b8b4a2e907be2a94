//! A server on pipes: one request at a time, or several in flight.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::messages::{self, Era, INITIALIZE, INITIALIZED, Request};
use crate::process::Server;
use crate::report::{Report, Times};

/// A connection: what the server reads and says.
pub struct Pipes {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl Pipes {
    /// Connects, and shakes hands where the era wants it.
    pub fn open(server: &mut Server, era: Era) -> Pipes {
        let input = server.0.stdin.take().expect("a pipe");
        let output = BufReader::with_capacity(1 << 18, server.0.stdout.take().expect("a pipe"));
        let mut pipes = Pipes { input, output, line: Vec::new() };
        if era == Era::Handshake {
            pipes.send(format!("{INITIALIZE}\n").as_bytes());
            assert_eq!(pipes.answer(), 0, "initialize is answered first");
            pipes.send(format!("{INITIALIZED}\n").as_bytes());
        }
        pipes
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).expect("the server reads");
    }

    /// The id of the next answer; notifications are skipped.
    pub fn answer(&mut self) -> u64 {
        loop {
            self.line.clear();
            let count = self.output.read_until(b'\n', &mut self.line).expect("the server writes");
            assert!(count > 0, "the server ended");
            if self.line.len() > 300 || messages::find(&self.line, b"\"method\":").is_none() {
                return messages::answered(&self.line).unwrap_or_else(|why| panic!("{why}"));
            }
        }
    }

    /// Sends so many requests one by one, and waits for each answer.
    fn sequential(
        &mut self,
        request: &Request,
        end: Instant,
        latencies: &mut Vec<Duration>,
        first: u64,
    ) -> u64 {
        let mut out = Vec::new();
        let mut id = first;
        while Instant::now() < end {
            out.clear();
            request.put(id, &mut out);
            out.push(b'\n');
            let begin = Instant::now();
            self.send(&out);
            assert_eq!(self.answer(), id, "the answer is another request's");
            latencies.push(begin.elapsed());
            id += 1;
        }
        id - first
    }
}

/// Runs each kind of request for a while, one kind after the other; each gives a line.
pub fn run(command: &[String], era: Era, requests: &[Request], in_flight: usize, times: Times) {
    let mut server = Server::start(command, true);
    let mut pipes = Pipes::open(&mut server, era);
    let mut next = 1;
    let mut ask = |mut pipes: Pipes, request: &Request, time: Duration, latencies: &mut Vec<Duration>| {
        let end = Instant::now() + time;
        let (done, pipes) = if in_flight == 1 {
            (pipes.sequential(request, end, latencies, next), pipes)
        } else {
            pipelined(pipes, request, in_flight, end, next, latencies)
        };
        next += done;
        (done, pipes)
    };
    for (number, request) in requests.iter().enumerate() {
        let mut latencies = Vec::new();
        let (warm, time) = times.of(request, number == 0);
        (_, pipes) = ask(pipes, request, warm, &mut latencies);
        latencies.clear();
        let (cpu, begin) = (server.cpu(), Instant::now());
        let done;
        (done, pipes) = ask(pipes, request, time, &mut latencies);
        let (took, cpu) = (begin.elapsed(), server.cpu() - cpu);
        Report { requests: done, took, cpu, latencies, resident: server.resident() }.print(request);
    }
    drop(pipes); // the end of input, and with it of the server
}

/// Keeps so many requests on the way. A thread writes, so that full pipes on both sides cannot stop each other.
fn pipelined(
    pipes: Pipes,
    request: &Request,
    in_flight: usize,
    end: Instant,
    first: u64,
    latencies: &mut Vec<Duration>,
) -> (u64, Pipes) {
    let Pipes { mut input, mut output, line } = pipes;
    let (more, wanted) = mpsc::channel::<Vec<u8>>();
    let writer = std::thread::spawn(move || {
        while let Ok(bytes) = wanted.recv() {
            input.write_all(&bytes).expect("the server reads");
        }
        input
    });
    let mut sent: HashMap<u64, Instant> = HashMap::new();
    let mut next = first;
    let send = |count: usize, sent: &mut HashMap<u64, Instant>, next: &mut u64| {
        let mut out = Vec::new();
        let now = Instant::now();
        for _ in 0..count {
            request.put(*next, &mut out);
            out.push(b'\n');
            sent.insert(*next, now);
            *next += 1;
        }
        more.send(out).expect("the writer lives");
    };
    send(in_flight, &mut sent, &mut next);
    let mut held = Vec::new();
    let mut chunk = vec![0; 1 << 18];
    let mut done = 0;
    while !sent.is_empty() {
        let count = output.read(&mut chunk).expect("the server writes");
        assert!(count > 0, "the server ended");
        held.extend_from_slice(&chunk[..count]);
        // Of what came now only: a long line comes in many pieces.
        let Some(last) = chunk[..count].iter().rposition(|byte| *byte == b'\n') else { continue };
        let last = held.len() - count + last;
        let now = Instant::now();
        let mut answers = 0;
        for line in held[..last].split(|byte| *byte == b'\n') {
            let id = messages::answered(line).unwrap_or_else(|why| panic!("{why}"));
            let begin = sent.remove(&id).unwrap_or_else(|| panic!("nobody asked {id}"));
            latencies.push(now - begin);
            answers += 1;
        }
        held.drain(..=last);
        done += answers as u64;
        if now < end {
            send(answers, &mut sent, &mut next);
        }
    }
    drop(more);
    let input = writer.join().expect("the writer ends");
    (done, Pipes { input, output, line })
}

/// The time from the start of the process to the first valid answer to tools/list, and its CPU time; several runs, each a
/// line. In the stateless era it is the first that is sent, in the other the third.
pub fn cold(command: &[String], era: Era, runs: usize) {
    let request = Request::new("tools/list", era).expect("part of the workload");
    for _ in 0..runs {
        let begin = Instant::now();
        let mut server = Server::start(command, true);
        let mut pipes = Pipes::open(&mut server, era);
        let mut out = Vec::new();
        request.put(1, &mut out);
        out.push(b'\n');
        pipes.send(&out);
        assert_eq!(pipes.answer(), 1);
        let took = begin.elapsed();
        let cpu = server.cpu();
        // What it holds when it has nothing to do.
        std::thread::sleep(Duration::from_millis(50));
        println!(
            r#"{{"cold_ms":{:.2},"cpu_ms":{:.2},"resident_kib":{}}}"#,
            took.as_secs_f64() * 1e3,
            cpu as f64 / 1e6,
            server.resident()
        );
        drop(pipes);
    }
}
