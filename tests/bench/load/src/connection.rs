//! An HTTP/1.1 connection that is kept.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::messages;

fn connect(port: u16) -> TcpStream {
    let stream =
        TcpStream::connect(("127.0.0.1", port)).unwrap_or_else(|error| panic!("port {port}: {error}"));
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    stream
}

/// What a server said.
pub struct Response {
    pub status: u16,
    /// Status line and headers, names and values in small letters.
    pub head: String,
    /// Empty for a response that stays open.
    pub body: Vec<u8>,
    /// The name of the session, where the server gives one.
    pub session: Option<String>,
}

/// One connection to a server of this machine.
pub struct Connection {
    pub port: u16,
    stream: TcpStream,
    held: Vec<u8>,
    /// How often the server closed it.
    closed: u32,
}

impl Connection {
    /// Connects to a server that listens.
    pub fn open(port: u16) -> Connection {
        Connection { port, stream: connect(port), held: Vec::new(), closed: 0 }
    }

    /// Sends a request and reads its response.
    pub fn ask(&mut self, bytes: &[u8]) -> Response {
        loop {
            self.held.clear();
            let sent = self.stream.write_all(bytes);
            if let (Ok(()), Some(response)) = (sent, self.response()) {
                return response;
            }
            // Between two requests a server may close a connection that has served enough of them.
            self.closed += 1;
            assert!(self.closed < 1000, "the server closes every connection");
            self.stream = connect(self.port);
        }
    }

    /// Sends a request whose response stays open, and reads its head and, with `event`, what it says first.
    pub fn ask_open(&mut self, bytes: &[u8], event: bool) {
        self.held.clear();
        self.stream.write_all(bytes).expect("the server reads");
        let end = self.head().expect("a response");
        let head = String::from_utf8_lossy(&self.held[..end]).to_ascii_lowercase();
        let open = head.starts_with("http/1.1 200") && head.contains("text/event-stream");
        assert!(open, "no stream: {}", String::from_utf8_lossy(&self.held));
        while event && messages::find(&self.held[end..], b"acknowledged").is_none() {
            assert!(self.fill(), "the stream ended");
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

    /// Where the body begins; `None`: closed before the response began.
    fn head(&mut self) -> Option<usize> {
        loop {
            if let Some(at) = messages::find(&self.held, b"\r\n\r\n") {
                return Some(at + 4);
            }
            if !self.fill() {
                assert!(self.held.is_empty(), "half a response");
                return None;
            }
        }
    }

    fn response(&mut self) -> Option<Response> {
        let end = self.head()?;
        let as_sent = String::from_utf8_lossy(&self.held[..end]).into_owned();
        let head = as_sent.to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let session = head
            .find("\r\nmcp-session-id:")
            .and_then(|at| as_sent[at + 17..].lines().next().map(|text| text.trim().to_owned()));
        let body = if let Some(length) = header("content-length:") {
            let length: usize = length.parse().expect("a length");
            while self.held.len() < end + length {
                assert!(self.fill(), "half a body");
            }
            self.held[end..end + length].to_vec()
        } else if header("transfer-encoding:") == Some("chunked") {
            self.chunks(end)
        } else {
            assert!(status == 202 || status == 204, "no length: {head}");
            Vec::new()
        };
        Some(Response { status, head, body, session })
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
}

impl Response {
    /// Its body, if it is what was asked for.
    pub fn ok(self) -> Vec<u8> {
        assert_eq!(self.status, 200, "{}{}", self.head, String::from_utf8_lossy(&self.body));
        self.body
    }
}
