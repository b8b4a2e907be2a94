//! A server behind HTTP, over connections that are kept.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::messages::{self, Request};
use crate::process::Server;
use crate::report::Report;

/// Waits until somebody listens.
fn connect(port: u16) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_nodelay(true).expect("a socket");
                return stream;
            }
            Err(error) if Instant::now() > deadline => panic!("port {port}: {error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

struct Connection {
    port: u16,
    stream: TcpStream,
    held: Vec<u8>,
    /// How often the server closed it.
    closed: u32,
}

impl Connection {
    /// Sends a request and gives the body of its response.
    fn ask(&mut self, bytes: &[u8]) -> Vec<u8> {
        loop {
            self.held.clear();
            let sent = self.stream.write_all(bytes);
            if let (Ok(()), Some(body)) = (sent, self.response()) {
                return body;
            }
            // Between two requests a server may close a connection that has served enough of them.
            self.closed += 1;
            assert!(self.closed < 1000, "the server closes every connection");
            self.stream = connect(self.port);
        }
    }

    fn fill(&mut self) -> bool {
        let mut chunk = [0; 1 << 16];
        match self.stream.read(&mut chunk) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.held.extend_from_slice(&chunk[..count]);
                true
            }
        }
    }

    /// `None`: closed before it began.
    fn response(&mut self) -> Option<Vec<u8>> {
        let end = loop {
            if let Some(at) = messages::find(&self.held, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.fill() {
                assert!(self.held.is_empty(), "half a response");
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.held[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let body = if let Some(length) = header("content-length:") {
            let length: usize = length.parse().expect("a length");
            while self.held.len() < end + length {
                assert!(self.fill(), "half a body");
            }
            self.held[end..end + length].to_vec()
        } else {
            assert_eq!(header("transfer-encoding:"), Some("chunked"), "{head}");
            self.chunks(end)
        };
        assert_eq!(status, "200", "{head}{}", String::from_utf8_lossy(&body));
        Some(body)
    }

    fn chunks(&mut self, mut at: usize) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match messages::find(&self.held[at..], b"\r\n") {
                    Some(end) => break at + end,
                    None => assert!(self.fill(), "half a chunk"),
                }
            };
            let size = String::from_utf8_lossy(&self.held[at..end]).trim().to_owned();
            let size = usize::from_str_radix(&size, 16).expect("a chunk's size");
            while self.held.len() < end + 2 + size + 2 {
                assert!(self.fill(), "half a chunk");
            }
            body.extend_from_slice(&self.held[end + 2..end + 2 + size]);
            at = end + 2 + size + 2;
            if size == 0 {
                return body;
            }
        }
    }

    fn until(&mut self, request: &Request, end: Instant) -> Vec<Duration> {
        let (mut latencies, mut out, mut id) = (Vec::new(), Vec::new(), 1);
        while Instant::now() < end {
            out.clear();
            request.put_http(self.port, id, &mut out);
            let begin = Instant::now();
            let body = self.ask(&out);
            latencies.push(begin.elapsed());
            let answered = messages::answered(&body).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!(answered, id, "the answer is another request's");
            id += 1;
        }
        latencies
    }
}

/// Runs one kind of request for a while over so many connections.
pub fn run(command: &[String], port: u16, request: &Request, connections: usize, time: Duration) {
    let server = Server::start(command, false);
    let open = || Connection { port, stream: connect(port), held: Vec::new(), closed: 0 };
    let mut all: Vec<Connection> = (0..connections).map(|_| open()).collect();
    let mut round = |time: Duration| {
        let end = Instant::now() + time;
        std::thread::scope(|scope| {
            let threads: Vec<_> = all
                .iter_mut()
                .map(|connection| scope.spawn(move || connection.until(request, end)))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("no connection fails"))
                .collect::<Vec<_>>()
        })
    };
    round(time / 4);
    let (cpu, begin) = (server.cpu(), Instant::now());
    let latencies = round(time);
    let (took, cpu) = (begin.elapsed(), server.cpu() - cpu);
    Report { requests: latencies.len() as u64, took, cpu, latencies, resident: server.resident() }.print();
}
