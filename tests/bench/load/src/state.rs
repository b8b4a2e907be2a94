//! What a server keeps of clients of the handshake era, and of those that listen: bytes for each, and the CPU time of
//! beginning one. Before its memory is read a server gets `GET /gc`, and collects what it needs no longer. What a request
//! costs whatever it asks for is measured at `/constant`, with the same bytes but for the path.

use std::time::Duration;

use crate::connection::{Connection, Response};
use crate::messages::{Era, INITIALIZE, INITIALIZED, Request};
use crate::process::Server;

/// How many are opened before any is counted: what the first ones load is not theirs.
const FIRST: usize = 50;

fn head(method: &str, port: u16, session: Option<&str>, length: usize) -> String {
    let session = session.map(|id| format!("Mcp-Session-Id: {id}\r\n")).unwrap_or_default();
    let accept = if method == "GET" { "text/event-stream" } else { "application/json, text/event-stream" };
    let revision = Era::Handshake.revision();
    format!(
        "{method} /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: load/1.0\r\nContent-Type: application/json\r\n\
         Accept: {accept}\r\nMCP-Protocol-Version: {revision}\r\n{session}Content-Length: {length}\r\n\r\n"
    )
}

fn post(connection: &mut Connection, body: &str, session: Option<&str>) -> Response {
    let text = head("POST", connection.port, session, body.len()) + body;
    connection.ask(text.as_bytes())
}

/// Opens a session as a client does, and leaves it; its name.
fn open(connection: &mut Connection) -> String {
    let response = post(connection, INITIALIZE, None);
    let session = response.session.clone();
    let body = response.ok();
    let session = session.unwrap_or_else(|| panic!("no session: {}", String::from_utf8_lossy(&body)));
    let told = post(connection, INITIALIZED, Some(&session));
    assert_eq!(told.status, 202, "{}", told.head);
    session
}

/// KiB in memory, after the server has collected what it needs no longer.
fn resident(server: &Server, gc: &mut Connection) -> u64 {
    let port = gc.port;
    for _ in 0..2 {
        gc.ask(format!("GET /gc HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    }
    std::thread::sleep(Duration::from_millis(200));
    server.resident()
}

/// `cpu`: of beginning all; `constant`: of answering as many requests with a constant, where that was measured. What is a
/// difference may come out below zero: then it is less than what the rest varies by.
fn say(what: &str, count: usize, kib: (u64, u64), cpu: u64, constant: Option<u64>) {
    let each = |cpu: u64| cpu as f64 / 1e3 / count as f64;
    let beside = constant.map(|constant| {
        format!(r#""constant_us":{:.1},"beside_us":{:.1},"#, each(constant), each(cpu) - each(constant))
    });
    println!(
        r#"{{"request":"{what}","bytes":{:.0},"open_us":{:.1},{}"resident_kib":{}}}"#,
        (kib.1 as f64 - kib.0 as f64) * 1024.0 / count as f64,
        each(cpu),
        beside.unwrap_or_default(),
        kib.1
    );
}

/// The same request to the route that answers everything with the same bytes.
fn to_constant(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let (method, rest) = text.split_once(" /mcp ").expect("a request to the endpoint");
    format!("{method} /constant {rest}").into_bytes()
}

/// Opens so many sessions and leaves them, all over one connection.
pub fn sessions(command: &[String], port: u16, count: usize) {
    let mut server = Server::start(command, false);
    server.listening(port);
    let (mut gc, mut connection) = (Connection::open(port), Connection::open(port));
    (0..FIRST).for_each(|_| drop(open(&mut connection)));
    let before = resident(&server, &mut gc);
    let cpu = server.cpu();
    (0..count).for_each(|_| drop(open(&mut connection)));
    let cpu = server.cpu() - cpu;
    let after = resident(&server, &mut gc);
    say("session", count, (before, after), cpu, None);
}

/// Opens so many streams, each on a connection that is there and has asked something before: among that, just before it, the
/// same of the route that answers a constant.
pub fn listen(command: &[String], port: u16, era: Era, count: usize) {
    let mut server = Server::start(command, false);
    server.listening(port);
    let mut gc = Connection::open(port);
    let warm = Request::new("tools/list", era).expect("part of the workload");
    let streams = |count: usize| -> Vec<(Connection, Vec<u8>)> {
        let one = |_| {
            let (mut connection, mut out) = (Connection::open(port), Vec::new());
            if era == Era::Handshake {
                let session = open(&mut connection);
                return (connection, head("GET", port, Some(&session), 0).into_bytes());
            }
            warm.put_http(port, 1, &mut out);
            connection.ask(&out).ok();
            out.clear();
            Request::new("listen", era).expect("part of this era").put_http(port, 1, &mut out);
            (connection, out)
        };
        (0..count).map(one).collect()
    };
    let listen = |streams: &mut [(Connection, Vec<u8>)]| {
        streams.iter_mut().for_each(|(connection, bytes)| connection.ask_open(bytes, era == Era::Stateless));
    };
    let constant = |streams: &mut [(Connection, Vec<u8>)]| {
        streams.iter_mut().for_each(|(connection, bytes)| drop(connection.ask(&to_constant(bytes)).ok()));
    };
    let mut first = streams(FIRST);
    constant(&mut first);
    listen(&mut first);
    let mut all = streams(count);
    // Once for what a connection makes at its first request.
    constant(&mut all);
    let begin = server.cpu();
    constant(&mut all);
    let constant = server.cpu() - begin;
    let before = resident(&server, &mut gc);
    let begin = server.cpu();
    listen(&mut all);
    let cpu = server.cpu() - begin;
    let after = resident(&server, &mut gc);
    say("listen", count, (before, after), cpu, Some(constant));
}
