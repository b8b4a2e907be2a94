//! Events with ids: whatever breaks a connection, and whenever, a client that comes back has every event exactly once.
#![cfg(feature = "std")]
#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "common/served.rs"]
mod served;

use mcpgraft::http::events::{MAX_RETRY_MS, StreamName};
use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Handshake, Headers, HttpStep, Request, Sessions};
use mcpgraft::json::{Full, Raw, Sink};
use mcpgraft::model::Level;
use mcpgraft::server::{CallKey, Log, Progress};
use mcpgraft::{LocalError, Revision};
use proptest::collection::vec;
use proptest::prelude::*;
use served::served;

const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{},"_meta":{"progressToken":"t"}}}"#;

/// Sends a request of the session, with these headers more, and does something with what comes of it.
fn sent<R>(
    exchange: &mut Exchange,
    method: &str,
    more: &[(&str, &[u8])],
    session: Option<&mut Handshake>,
    body: &[u8],
    then: impl FnOnce(&mut Exchange, HttpStep<'_>, Vec<u8>) -> R,
) -> R {
    let (server, mut out) = (served(), Vec::new());
    let endpoint = Endpoint { streams: true, sessions: Sessions::Kept, ..Endpoint::default() };
    let mut headers: Vec<(&str, &[u8])> = vec![
        ("Host", b"localhost"),
        ("Content-Type", b"application/json"),
        ("Accept", b"application/json, text/event-stream"),
    ];
    headers.extend(more);
    let request = Request { method, headers: Headers(&headers), peer_is_loopback: Some(true) };
    assert!(exchange.gate(&server, &endpoint, &request, &mut out).unwrap().is_none());
    let attached = session.map_or(Attached::Missing, Attached::Known);
    let step = exchange.accept(&server, &request, attached, body, &mut out).unwrap();
    then(exchange, step, out)
}

fn opened(revision: Revision) -> Handshake {
    let hello = format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{}","capabilities":{{}},"clientInfo":{{"name":"c","version":"1"}}}}}}"#,
        revision.name()
    );
    sent(&mut named("i"), "POST", &[], None, hello.as_bytes(), |_, step, _| match step {
        HttpStep::Opened { handshake, .. } => handshake,
        other => panic!("{other:?}"),
    })
}

fn named(stream: &str) -> Exchange {
    Exchange::new(1).with_events(StreamName::new(stream).unwrap())
}

/// What the handler does, or what happens to the connection.
#[derive(Clone, Debug)]
enum Act {
    Progress(f64),
    Log,
    Open,
    Close(u32),
    /// The connection is lost in the middle of what is sent next: this many bytes of it arrive.
    Lose(usize),
    Return,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..4_i8).prop_map(|n| Act::Progress(n.into())),
        4 => Just(Act::Log),
        1 => Just(Act::Open),
        2 => prop_oneof![0..9_u32, any::<u32>()].prop_map(Act::Close),
        3 => (0..300_usize).prop_map(Act::Lose),
        3 => Just(Act::Return),
    ]
}

/// A sink with little room.
struct Room(Vec<u8>, usize);

impl Sink for Room {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if self.0.len() + bytes.len() > self.1 {
            return Err(Full);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

/// A client as the WHATWG rules make it, as far as these streams go.
#[derive(Default)]
struct Client {
    buffer: Vec<u8>,
    id: Option<String>,
    retry: Option<u32>,
    got: Vec<String>,
    connected: bool,
}

impl Client {
    fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let mut data = None;
            for line in std::str::from_utf8(&event).unwrap().lines().filter(|line| !line.is_empty()) {
                match line.split_once(": ").unwrap() {
                    ("id", id) => self.id = Some(id.to_owned()),
                    ("retry", ms) => self.retry = Some(ms.parse().unwrap()),
                    ("data", text) => data = Some(text.to_owned()),
                    ("event", "message") => {}
                    other => panic!("{other:?}"),
                }
            }
            let data = data.expect("an event without data never arrives");
            self.got.extend(Some(data).filter(|data| !data.is_empty()));
        }
    }

    fn lose(&mut self) {
        self.connected = false;
        self.buffer.clear();
    }
}

/// A call, its stream and its client.
struct World {
    exchange: Exchange,
    key: CallKey,
    handshake: Handshake,
    client: Client,
    kept: Vec<Vec<u8>>,
    lose: Option<usize>,
    room: usize,
    closed: bool,
}

impl World {
    /// Does something with the call, first with too little room: that changes nothing.
    fn emit(&mut self, op: impl Fn(&mut Exchange, CallKey, &mut Room) -> Result<Emit, LocalError>) {
        let before = format!("{:?}", self.exchange);
        let mut out = Room(Vec::new(), self.room);
        let mut done = op(&mut self.exchange, self.key, &mut out);
        if done == Err(LocalError::OutputFull) {
            assert_eq!((format!("{:?}", self.exchange), out.0.len()), (before, 0));
            out.1 = usize::MAX;
            done = op(&mut self.exchange, self.key, &mut out);
        }
        let Emit::Events { end, .. } = done.unwrap() else { return };
        if let Some(event) = self.exchange.event() {
            self.kept.push(out.0[event.start..].to_vec());
            assert_eq!(usize::try_from(event.number), Ok(self.kept.len()));
        }
        if !self.client.connected {
            return;
        }
        match self.lose.take() {
            Some(arrive) => {
                self.client.feed(&out.0[..arrive.min(out.0.len())]);
                self.client.lose();
            }
            None => self.client.feed(&out.0),
        }
        if end {
            self.client.lose();
        }
    }

    /// The client comes back, if it knows where to.
    fn come_back(&mut self) {
        let Some(id) = self.client.id.clone().filter(|_| !self.client.connected) else { return };
        let last: [(&str, &[u8]); 1] = [("Last-Event-ID", id.as_bytes())];
        let handshake = Some(&mut self.handshake);
        let (stream, after) = sent(&mut named("g"), "GET", &last, handshake, b"", |_, step, out| {
            assert!(out.is_empty());
            match step {
                HttpStep::Resume { resume, .. } => (resume.stream, resume.after),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(Some(&stream), StreamName::new("s-1").as_ref());
        self.client.connected = true;
        for event in &self.kept[usize::try_from(after).unwrap()..] {
            self.client.feed(event);
        }
    }
}

fn started(revision: Revision, room: usize) -> World {
    let mut handshake = opened(revision);
    let mut exchange = named("s-1");
    let key = sent(&mut exchange, "POST", &[], Some(&mut handshake), CALL, |exchange, step, _| {
        assert_eq!(exchange.stream(), StreamName::new("s-1").as_ref());
        match step {
            HttpStep::Call(call) => call.key,
            other => panic!("{other:?}"),
        }
    });
    let client = Client { connected: true, ..Client::default() };
    World { exchange, key, handshake, client, kept: Vec::new(), lose: None, room, closed: false }
}

fn data(event: &[u8]) -> String {
    let text = std::str::from_utf8(event).unwrap();
    text.split_once("data: ").unwrap().1.strip_suffix("\n\n").unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    // proves: S-161, S-163, S-166, T-109
    #[test]
    fn every_event_arrives_once(
        revision in prop::sample::select(vec![Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25]),
        (acts, room) in (vec(acts(), 0..24), 0..400_usize),
    ) {
        let server = served();
        let mut world = started(revision, room);
        for act in acts {
            match act {
                Act::Progress(progress) => world.emit(|exchange, key, out| {
                    exchange.progress(key, &Progress { progress, total: None, message: None }, out)
                }),
                Act::Log => world.emit(|exchange, key, out| {
                    let log = Log { level: Level::Error, logger: None, data: Raw::trusted("{}") };
                    exchange.log(&server, key, &log, out)
                }),
                Act::Open => world.emit(Exchange::open_stream),
                Act::Close(ms) => {
                    let connected = world.client.connected && world.lose.is_none();
                    world.emit(|exchange, key, out| exchange.close_stream(key, ms, out));
                    let closes = revision == Revision::V2025_11_25;
                    if connected {
                        prop_assert_eq!(world.client.connected, !closes);
                        prop_assert_eq!(world.client.retry, Some(ms.min(MAX_RETRY_MS)).filter(|_| closes));
                    }
                    world.closed |= closes;
                }
                Act::Lose(at) => world.lose = Some(at),
                Act::Return => world.come_back(),
            }
        }
        // The answer, at last.
        let streams = !world.kept.is_empty() || world.closed;
        world.emit(|exchange, key, out| exchange.reply(&server, key, r#"{"content":[]}"#, out));
        let all: Vec<String> = world.kept.iter().map(|event| data(event)).collect();
        if world.client.id.is_some() {
            world.come_back();
            prop_assert_eq!(&world.client.got, &all);
        } else {
            // It never learnt of the stream.
            prop_assert!(world.client.got.is_empty());
        }
        if streams {
            prop_assert!(all.last().is_some_and(|answer| answer.contains(r#""result":"#)));
        }
    }

    #[test]
    fn any_last_event_id_is_read_or_refused(id in prop_oneof![".{0,40}", "[a-z-]{0,34}-?[0-9]{0,11}"]) {
        let mut handshake = opened(Revision::V2025_11_25);
        let last: [(&str, &[u8]); 1] = [("Last-Event-ID", id.as_bytes())];
        let trimmed = id.trim_matches([' ', '\t']);
        sent(&mut named("g"), "GET", &last, Some(&mut handshake), b"", |_, step, out| match step {
            HttpStep::Resume { resume, .. } => {
                assert_eq!(format!("{}-{}", resume.stream.text(), resume.after), trimmed);
                assert!(out.is_empty());
            }
            HttpStep::Reply { head, .. } => {
                assert_eq!(head.status, 400);
                let read = trimmed.rsplit_once('-').filter(|(name, digits)| {
                    StreamName::new(name).is_some() && digits.parse::<u32>().is_ok_and(|n| n.to_string() == *digits)
                });
                assert_eq!(read, None);
            }
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn a_call_that_was_taken_back_tells_nothing_more() {
    let mut world = started(Revision::V2025_11_25, usize::MAX);
    world.emit(|exchange, key, out| exchange.close_stream(key, 10, out));
    assert_eq!(world.exchange.cancel("1"), Some(world.key));
    world.emit(Exchange::open_stream);
    world.emit(|exchange, key, out| exchange.close_stream(key, 10, out));
    let mut out = Vec::new();
    let emit = world.exchange.reply(&served(), world.key, r#"{"content":[]}"#, &mut out);
    assert_eq!((emit, out.len(), world.kept.len()), (Ok(Emit::Nothing), 0, 0));
    assert_eq!(world.exchange.close_stream(world.key, 1, &mut out), Err(LocalError::UnknownCall));
}

#[test]
fn names_of_streams() {
    for good in ["a", "A-z_9", &"x".repeat(32)] {
        assert_eq!(StreamName::new(good).unwrap().text(), good);
    }
    for bad in ["", "a b", "a:b", "\u{e9}", "a\n", &"x".repeat(33)] {
        assert_eq!(StreamName::new(bad), None, "{bad:?}");
    }
}
