//! Replays `tests/vectors/*.json`: what goes in and, byte for byte, what has to come out. The format is described
//! in `tests/vectors/README.md`; the other languages replay the same files.
#![cfg(feature = "std")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;

use mcpgraft::http::events::{Event, StreamName};

use common::{During, bytes, check_able, check_call, during, list, required, steps, text, with_answer};
use mcpgraft::Server;
use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::http::{
    Attached, Emit, Exchange, Handshake, Head, Headers, HttpStep, Listener, Request, Sessions,
};
use mcpgraft::json::Raw;
use mcpgraft::server::{CallKey, Notice};
use mcpgraft::settings::Settings;
use serde_json::Value;

struct Offered {
    settings: Settings,
    catalog: Owned,
    line_bytes: usize,
    listens: bool,
}

impl Offered {
    fn new(file: &Value) -> Self {
        let told = common::Settings::new(file);
        let (mut settings, mut catalog) = (Settings::new(), Owned::new());
        let mut set = |name: &str, value: &str| {
            if let Err(wrong) = settings.set(&mut catalog, name, Raw::trusted(value)) {
                panic!("{name}: {wrong}");
            }
        };
        set("info", &told.info);
        for (name, value) in told.options.as_object().unwrap() {
            if name != "listens" {
                set(name, &value.to_string());
            }
        }
        set("limits", &Value::from_iter(told.limits.named()).to_string());
        for kind in Kind::ALL {
            for definition in told.definitions(kind) {
                catalog.put(kind, &definition.to_string()).expect("a good definition");
            }
        }
        let listens = told.options.get("listens").and_then(Value::as_bool) == Some(true);
        Offered { settings, catalog, line_bytes: told.line_bytes, listens }
    }

    fn server(&self) -> Server<'_, &Owned> {
        self.settings.server(&self.catalog)
    }
}

/// A session and a stream, by their names.
type Key = (String, String);

/// What a host keeps between requests, under the names that the steps give.
#[derive(Default)]
struct Kept {
    handshakes: HashMap<String, Handshake>,
    /// Number and bytes of each event.
    events: HashMap<Key, Vec<(u32, Vec<u8>)>>,
}

impl Kept {
    fn event(&mut self, stream: &Key, event: Option<Event>, out: &[u8]) {
        let Some(event) = event else { return };
        let kept = self.events.entry(stream.clone()).or_default();
        assert_eq!(kept.last().map_or(1, |(last, _)| last + 1), event.number);
        kept.push((event.number, out[event.start..].to_vec()));
    }
}

/// What a response looks like from outside.
#[derive(Default)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection is closed.
    closed: bool,
}

impl Seen {
    fn head(&mut self, head: &Head) {
        self.status = head.status;
        self.headers = head.headers().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    }

    fn emit(&mut self, emit: Emit, out: &[u8]) {
        match emit {
            Emit::Whole(head) | Emit::Events { start: Some(head), .. } => self.head(&head),
            _ => {}
        }
        if !self.closed {
            self.body.extend_from_slice(out);
        }
        self.closed |= matches!(emit, Emit::Events { end: true, .. });
    }
}

/// Tells an open response what has changed.
fn tell(
    server: &Server<'_, &Owned>,
    listener: &mut Listener,
    handshake: Option<&Handshake>,
    step: &Value,
    mut each: impl FnMut(&Listener, &[u8]),
) {
    for what in step.get("tell").and_then(Value::as_array).into_iter().flatten() {
        let mut out = Vec::new();
        if let Some(kind) = text(what, "list_changed") {
            listener.list_changed(server, list(kind), &mut out).unwrap();
        } else if let Some(uri) = text(what, "updated") {
            listener.resource_updated(handshake, uri, &mut out).unwrap();
        } else {
            listener.end(server, &mut out).unwrap();
        }
        if !out.is_empty() {
            each(listener, &out);
        }
    }
}

/// What the host learns besides the answer, as a step says it.
fn told(notice: &Notice<'_>) -> Option<Value> {
    match notice {
        Notice::Response { id, outcome } => {
            let id = id.map(|id| id.text().to_owned());
            let params = outcome.unwrap_or_else(|error| error).text();
            Some(serde_json::json!({ "response": id, "ok": outcome.is_ok(), "params": params }))
        }
        Notice::CancelledElsewhere { id, .. } => Some(serde_json::json!({ "cancelled": id.text() })),
        _ => None,
    }
}

/// Sends what a handler sends before it answers.
fn emit_during(
    server: &Server<'_, &Owned>,
    exchange: &mut Exchange,
    key: CallKey,
    step: &Value,
    mut each: impl FnMut(&Exchange, Emit, &[u8]),
) {
    for item in during(step) {
        let mut out = Vec::new();
        let emit = match item {
            During::Progress(progress) => exchange.progress(key, &progress, &mut out).unwrap(),
            During::Log(log) => exchange.log(server, key, &log, &mut out).unwrap(),
            During::OpenStream => exchange.open_stream(key, &mut out).unwrap(),
            During::CloseStream(ms) => exchange.close_stream(key, ms, &mut out).unwrap(),
            During::Ask(item) => {
                let ask = common::ask(&item["ask"]);
                let able = check_able(item, exchange.can_ask(key, &ask).unwrap());
                match exchange.ask(key, text(item, "id").unwrap(), &ask, &mut out) {
                    Ok(emit) => emit,
                    Err(error) => {
                        assert!(!able || item.get("no_way").is_some(), "{item}: {error}");
                        continue;
                    }
                }
            }
        };
        each(exchange, emit, &out);
    }
}

fn exchange(step: &Value, offered: &Offered, kept: &mut Kept) -> Seen {
    let server = offered.server();
    let request = &step["request"];
    let headers: Vec<(String, String)> = serde_json::from_value(request["headers"].clone()).unwrap();
    // Written as in the transcript: one byte a character, as HTTP sends them.
    let latin: Vec<(String, Vec<u8>)> = headers
        .into_iter()
        .map(|(name, value)| {
            let bytes = value.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
            (name, bytes)
        })
        .collect();
    let headers: Vec<(&str, &[u8])> = latin.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
    let request_head = Request {
        method: text(request, "method").unwrap(),
        headers: Headers(&headers),
        peer_is_loopback: None,
    };
    let endpoint = offered.settings.endpoint(true, offered.listens);
    let mut seen = Seen::default();
    let mut exchange = Exchange::new(1);
    if let Some(name) = text(request, "events") {
        exchange = exchange.with_events(StreamName::new(name).expect("a good name"));
    }
    if let Some(head) = exchange.gate(&server, &endpoint, &request_head, &mut seen.body).unwrap() {
        seen.head(&head);
        mcpgraft::http::cors::headers(&endpoint.guard, &request_head, |name, value| {
            seen.headers.push((name.to_lowercase(), value.to_owned()));
        });
        return seen;
    }
    let body = bytes(request, "body").unwrap_or_default();
    let named = text(request, "session");
    let mut handshake = named.map(|name| kept.handshakes[name].clone());
    let own = |stream: &StreamName| (named.unwrap_or_default().to_owned(), stream.text().to_owned());
    let attached = match &mut handshake {
        _ if endpoint.sessions == Sessions::Off => Attached::Off,
        Some(handshake) => Attached::Known(handshake),
        None if Exchange::session_id(&request_head).is_some() => Attached::Unknown,
        None => Attached::Missing,
    };
    let mut made = exchange.accept(&server, &request_head, attached, &body, &mut seen.body).unwrap();
    let mut batch = None;
    let mut notices = Vec::new();
    loop {
        match made {
            HttpStep::Reply { head, notice } => {
                seen.head(&head);
                notices.extend(notice.as_ref().and_then(told));
                break;
            }
            HttpStep::Opened { head, handshake, .. } => {
                seen.head(&head);
                if let Some(name) = text(step, "opens") {
                    kept.handshakes.insert(name.to_owned(), handshake);
                }
                break;
            }
            HttpStep::Ended { head } => {
                seen.head(&head);
                assert!(kept.handshakes.remove(text(step, "ends").expect("no end was expected")).is_some());
                break;
            }
            HttpStep::Listen { head, mut listener } => {
                seen.head(&head);
                tell(&server, &mut listener, handshake.as_ref(), step, |listener, out| {
                    if let Some(stream) = listener.stream() {
                        kept.event(&own(stream), listener.event(), out);
                    }
                    seen.body.extend(out);
                });
                break;
            }
            HttpStep::Resume { head, resume } => {
                let stream = own(&resume.stream);
                let Some(events) = kept.events.get(&stream) else {
                    let head = resume.refuse(&mut seen.body).unwrap();
                    seen.head(&head);
                    break;
                };
                seen.head(&head);
                events
                    .iter()
                    .filter(|(number, _)| *number > resume.after)
                    .for_each(|(_, bytes)| seen.body.extend(bytes));
                let mut listener = resume.listener(events.last().map_or(0, |(last, _)| *last));
                tell(&server, &mut listener, handshake.as_ref(), step, |listener, out| {
                    kept.event(&stream, listener.event(), out);
                    seen.body.extend(out);
                });
                break;
            }
            HttpStep::Batch(begun) => batch = Some(begun),
            HttpStep::Notice(notice) => notices.extend(told(&notice)),
            HttpStep::Call(call) => {
                check_call(step, &call);
                let stream = exchange.stream().map(own);
                let mut each = |exchange: &Exchange, seen: &mut Seen, emit: Emit, out: &[u8]| {
                    if let (Some(stream), Emit::Events { .. }) = (&stream, emit) {
                        kept.event(stream, exchange.event(), out);
                    }
                    seen.emit(emit, out);
                };
                emit_during(&server, &mut exchange, call.key, step, |exchange, emit, out| {
                    each(exchange, &mut seen, emit, out);
                });
                let mut alone = Vec::new();
                let out = if batch.is_some() { &mut seen.body } else { &mut alone };
                let emit = match required(step) {
                    Some((asks, state)) => exchange.require_input(&server, call.key, &asks, state, out),
                    None => with_answer(step, |answer| match answer {
                        Ok(result) => exchange.reply(&server, call.key, result, out),
                        Err(failure) => exchange.fail(&server, call.key, &failure, out),
                    }),
                }
                .unwrap();
                if emit != Emit::Held {
                    each(&exchange, &mut seen, emit, &alone);
                    break;
                }
            }
        }
        let batch = batch.as_mut().expect("only a batch goes on");
        made = exchange.next(&server, handshake.as_mut(), batch, &body, &mut seen.body).unwrap();
    }
    if let Some(wanted) = step.get("notices") {
        assert_eq!(wanted.as_array(), Some(&notices), "{}", step["about"]);
    }
    if let (Some(name), Some(handshake)) = (named, handshake.filter(Handshake::changed)) {
        kept.handshakes.insert(name.to_owned(), handshake);
    }
    seen
}

fn http(file: &Value, offered: &Offered) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut kept = Kept::default();
    for step in steps(file) {
        let about = text(step, "about").unwrap_or("");
        let seen = exchange(step, offered, &mut kept);
        let wanted = &step["response"];
        let body = String::from_utf8_lossy(&seen.body);
        if wanted["status"].as_u64() != Some(u64::from(seen.status)) {
            wrong.push(format!("{about}: status {} instead of {}: {body}", seen.status, wanted["status"]));
        }
        for (name, value) in wanted.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let found = seen.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
            if found != value.as_str() {
                wrong.push(format!("{about}: header {name} is {found:?} instead of {value}"));
            }
        }
        if wanted["body"].as_str().unwrap_or("(not blessed)") != body {
            wrong.push(format!("{about}\n  wanted {}\n  sent   {body:?}", wanted["body"]));
        }
    }
    wrong
}

fn framing(file: &Value, offered: &Offered, piece: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut lines = LineBuffer::with_limit(offered.line_bytes);
    let keep = |frame: Frame<'_>| match frame {
        Frame::Line(line) => Value::from(String::from_utf8_lossy(line)),
        Frame::TooLong => Value::Null,
    };
    for step in steps(file) {
        if step.get("fresh").and_then(Value::as_bool) == Some(true) {
            lines = LineBuffer::with_limit(offered.line_bytes);
        }
        let mut found = Vec::new();
        for mut part in bytes(step, "feed").unwrap_or_default().chunks(piece) {
            while let Some(frame) = lines.next(&mut part) {
                found.push(keep(frame));
            }
        }
        if step.get("finish").and_then(Value::as_bool) == Some(true) {
            found.extend(lines.finish().map(keep));
        }
        if Some(&found) != step["frames"].as_array() {
            wrong.push(format!("{}: {found:?} instead of {}", step["about"], step["frames"]));
        }
    }
    wrong
}

#[test]
fn transcripts() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in common::files() {
        let offered = Offered::new(&file);
        count += steps(&file).len();
        let found = match text(&file, "channel").unwrap() {
            "duplex" => common::duplex::replay(&file, offered.server(), |_| true),
            "http" => http(&file, &offered),
            "framing" => [framing(&file, &offered, 1), framing(&file, &offered, 1 << 20)].concat(),
            other => panic!("unknown channel {other}"),
        };
        wrong.extend(found.iter().map(|what| format!("{}: {what}", file["name"])));
    }
    assert!(count > 100, "the transcripts were not found");
    assert!(wrong.is_empty(), "{} of {count} steps differ:\n{}", wrong.len(), wrong.join("\n"));
}
