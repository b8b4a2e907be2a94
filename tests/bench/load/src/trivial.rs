//! A server that knows nothing: it finds the id by its bytes and says a fixed answer. What it costs is the floor of every
//! server on this machine, and what it reaches is the ceiling of the load generator.

use std::io::{Read, Write, stdin, stdout};
use std::net::{TcpListener, TcpStream};

use crate::messages::find;

fn answer(message: &[u8], out: &mut Vec<u8>) {
    let Some(at) = find(&message[..message.len().min(64)], b"\"id\":") else { return };
    let id = message[at + 5..].split(|byte| *byte == b',').next().unwrap_or_default();
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id);
    out.extend_from_slice(br#","result":{"content":[{"type":"text","text":"3"}]}}"#);
}

/// On standard input and output.
pub fn stdio() {
    let (mut held, mut chunk, mut out) = (Vec::new(), vec![0; 1 << 16], Vec::new());
    loop {
        let count = stdin().lock().read(&mut chunk).expect("input");
        if count == 0 {
            return;
        }
        held.extend_from_slice(&chunk[..count]);
        let Some(last) = chunk[..count].iter().rposition(|byte| *byte == b'\n') else { continue };
        let last = held.len() - count + last;
        out.clear();
        for line in held[..last].split(|byte| *byte == b'\n') {
            let before = out.len();
            answer(line, &mut out);
            if out.len() > before {
                out.push(b'\n');
            }
        }
        held.drain(..=last);
        let mut output = stdout().lock();
        output.write_all(&out).and_then(|()| output.flush()).expect("output");
    }
}

/// Over HTTP, a thread for each connection.
pub fn http(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || serve(stream));
    }
}

fn serve(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let (mut held, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    let (mut body, mut out) = (Vec::new(), Vec::new());
    loop {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(count) => held.extend_from_slice(&chunk[..count]),
        }
        let Some(end) = find(&held, b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        if held.len() < end + 4 + length {
            continue;
        }
        body.clear();
        answer(&held[end + 4..end + 4 + length], &mut body);
        out.clear();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&body);
        if stream.write_all(&out).is_err() {
            return;
        }
        held.drain(..end + 4 + length);
    }
}
