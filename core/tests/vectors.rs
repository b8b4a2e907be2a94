//! Replays `tests/vectors/*.json`: what goes in and, byte for byte, what has to come out. The format is described
//! in `tests/vectors/README.md`; the other languages replay the same files.
#![cfg(feature = "std")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Head, Headers, HttpStep, Request};
use mcpgraft::json::Raw;
use mcpgraft::model::Level;
use mcpgraft::server::{Batch, Call, CallKey, Failure, Log, Offer, Profile, Progress, Step, Target};
use mcpgraft::{Limits, LocalError, Revision, RevisionSet, Server, Session};
use serde_json::Value;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

fn load(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON")
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// Bytes given as text or in hex.
fn bytes(value: &Value, key: &str) -> Option<Vec<u8>> {
    if let Some(hex) = text(value, &format!("{key}_hex")) {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        return Some(digits.chunks(2).map(byte).collect());
    }
    text(value, key).map(|text| text.as_bytes().to_vec())
}

struct Offered {
    info: String,
    options: Value,
    limits: Limits,
    catalog: Owned,
    line_bytes: usize,
}

impl Offered {
    fn new(file: &Value) -> Self {
        let server = &file["server"];
        let path = vectors().join("catalogues").join(format!("{}.json", text(server, "catalogue").unwrap()));
        let catalogue = load(&path);
        let mut options = catalogue["options"].clone();
        for (name, value) in server.get("options").and_then(Value::as_object).into_iter().flatten() {
            options[name] = value.clone();
        }
        let mut limits = Limits::DEFAULT;
        let mut line_bytes = limits.message_bytes;
        for (name, value) in server.get("limits").and_then(Value::as_object).into_iter().flatten() {
            let value = usize::try_from(value.as_u64().unwrap()).unwrap();
            if name == "line_bytes" {
                line_bytes = value;
            } else {
                assert!(limits.set(name, value), "limit {name}");
            }
        }
        let mut catalog = Owned::new();
        for kind in Kind::ALL {
            for definition in catalogue.get(kind.name()).and_then(Value::as_array).into_iter().flatten() {
                catalog.put(kind, &definition.to_string()).expect("a good definition");
            }
        }
        for method in options.get("custom_methods").and_then(Value::as_array).into_iter().flatten() {
            catalog.add_custom_method(method.as_str().unwrap());
        }
        Offered { info: catalogue["info"].to_string(), options, limits, catalog, line_bytes }
    }

    fn server(&self) -> Server<'_, &Owned> {
        let on = |name: &str| self.options.get(name).and_then(Value::as_bool) == Some(true);
        let offer = |kinds: &[Kind]| {
            if kinds.iter().any(|kind| self.catalog.len(*kind) > 0) { Offer::Catalog } else { Offer::No }
        };
        let revisions = match self.options.get("revisions").and_then(Value::as_array) {
            None => RevisionSet::ALL,
            Some(names) => names
                .iter()
                .map(|name| Revision::parse(name.as_str().unwrap()).unwrap())
                .fold(RevisionSet::NONE, RevisionSet::with),
        };
        let mut limits = self.limits;
        if let Some(items) = self.options.get("page_items").and_then(Value::as_u64) {
            limits.page_items = usize::try_from(items).unwrap();
        }
        let profile = Profile {
            instructions: text(&self.options, "instructions"),
            revisions,
            tools: offer(&[Kind::Tool]),
            resources: offer(&[Kind::Resource, Kind::Template]),
            prompts: offer(&[Kind::Prompt]),
            completions: on("completions"),
            logging: on("logging"),
            list_changed: on("list_changed"),
            subscribe: on("subscribe"),
            ttl_ms: self.options.get("ttl_ms").and_then(Value::as_u64).unwrap_or(0),
            ..Profile::new(Raw::trusted(&self.info))
        };
        Server { profile, limits, catalog: &self.catalog }
    }
}

/// Compares a call with what the transcript says of it.
fn check_call(step: &Value, call: &Call<'_>) {
    let wanted = step.get("call").unwrap_or_else(|| panic!("no call was expected, but {:?}", call.target));
    let (kind, name, arguments) = match call.target {
        Target::Tool { name, arguments, .. } => ("tool", name.to_cow(), Some(arguments)),
        Target::Prompt { name, arguments, .. } => ("prompt", name.to_cow(), Some(arguments)),
        Target::Resource { uri, .. } => ("resource", uri.to_cow(), None),
        Target::Completion { reference, .. } => match reference {
            mcpgraft::server::Reference::Prompt(name) | mcpgraft::server::Reference::Resource(name) => {
                ("completion", name.to_cow(), None)
            }
        },
        Target::List { kind, .. } => ("list", kind.list().into(), None),
        Target::Custom { method } => ("custom", method.to_cow(), None),
    };
    assert_eq!(Some(kind), text(wanted, "kind"));
    assert_eq!(Some(&*name), text(wanted, "name"));
    if let (Some(arguments), Some(wanted)) = (arguments, text(wanted, "arguments")) {
        assert_eq!(arguments.text(), wanted);
    }
}

/// Answers with the step's `reply` or `fail`.
fn with_answer<R>(step: &Value, reply: impl FnOnce(Result<&str, Failure<'_>>) -> R) -> R {
    let Some(fail) = step.get("fail") else { return reply(Ok(text(step, "reply").expect("reply or fail"))) };
    let message = text(fail, "message").unwrap_or("");
    let data = text(fail, "data").map(Raw::trusted);
    let failure = match text(fail, "failure").expect("failure") {
        "tool" => Failure::Tool(message),
        "not_found" => Failure::NotFound(message),
        "invalid_params" => Failure::InvalidParams(message),
        "method_not_found" => Failure::NoMethod(message),
        "internal" => Failure::Internal(message),
        "missing_capability" => Failure::MissingCapability { needed: data.expect("data"), message },
        "custom" => {
            let code = i32::try_from(fail["code"].as_i64().unwrap()).unwrap();
            Failure::Custom { code, message, data }
        }
        other => panic!("unknown failure {other}"),
    };
    reply(Err(failure))
}

enum During<'v> {
    Progress(Progress<'v>),
    Log(Log<'v>),
}

fn during(step: &Value) -> Vec<During<'_>> {
    let items = step.get("during").and_then(Value::as_array);
    let one = |item| match text(item, "log") {
        Some(level) => During::Log(Log {
            level: Level::parse(level).unwrap(),
            logger: text(item, "logger"),
            data: Raw::trusted(text(item, "data").unwrap()),
        }),
        None => During::Progress(Progress {
            progress: item["progress"].as_f64().unwrap(),
            total: item.get("total").and_then(Value::as_f64),
            message: text(item, "message"),
        }),
    };
    items.into_iter().flatten().map(one).collect()
}

/// One channel being replayed.
struct Duplex<'o> {
    offered: &'o Offered,
    session: Session<64, 64>,
    open: HashMap<String, CallKey>,
    saved: HashMap<String, String>,
}

impl Duplex<'_> {
    fn reply(&mut self, step: &Value, key: CallKey, out: &mut Vec<u8>) {
        let server = self.offered.server();
        with_answer(step, |answer| match answer {
            Ok(result) => self.session.reply(&server, key, result, out),
            Err(failure) => self.session.fail(&server, key, &failure, out),
        })
        .expect("the answer is good");
        let again = self.session.reply(&server, key, "{}", &mut Vec::new());
        assert_eq!(again, Err(LocalError::UnknownCall), "a key is good for one answer");
    }

    fn run(&mut self, step: &Value, call: &Call<'_>, sent: &mut Vec<Vec<u8>>, batch: Option<&mut Vec<u8>>) {
        check_call(step, call);
        let server = self.offered.server();
        for item in during(step) {
            let mut out = Vec::new();
            match item {
                During::Progress(progress) => self.session.progress(call.key, &progress, &mut out).unwrap(),
                During::Log(log) => self.session.log(&server, Some(call.key), &log, &mut out).unwrap(),
            };
            sent.push(out);
        }
        if let Some(name) = text(step, "as") {
            self.open.insert(name.to_owned(), call.key);
            return;
        }
        let mut own = Vec::new();
        let batched = batch.is_some();
        self.reply(step, call.key, batch.unwrap_or(&mut own));
        if !batched {
            sent.push(own);
        }
    }

    fn step(&mut self, step: &Value) -> Vec<Vec<u8>> {
        let server = self.offered.server();
        let mut sent = Vec::new();
        if let Some(name) = text(step, "answer") {
            let key = self.open.remove(name).expect("an open call");
            let mut out = Vec::new();
            self.reply(step, key, &mut out);
            sent.push(out);
            return sent;
        }
        let mut message = bytes(step, "in").expect("in, in_hex or answer");
        for (name, value) in &self.saved {
            if let Ok(text) = std::str::from_utf8(&message) {
                message = text.replace(&format!("{{{name}}}"), value).into_bytes();
            }
        }
        let mut out = Vec::new();
        let made = self.session.accept(&server, &message, &mut out).expect("room");
        sent.push(out);
        match made {
            Step::Call(call) => self.run(step, &call, &mut sent, None),
            Step::Batch(mut batch) => self.batch(step, &mut batch, &message, &mut sent),
            _ => assert!(step.get("call").is_none(), "a call was expected"),
        }
        if let Some(name) = text(step, "save") {
            let answer: Value = serde_json::from_slice(sent.last().unwrap()).unwrap();
            self.saved.insert(name.to_owned(), answer["result"]["nextCursor"].as_str().unwrap().to_owned());
        }
        sent
    }

    fn batch(&mut self, step: &Value, batch: &mut Batch, message: &[u8], sent: &mut Vec<Vec<u8>>) {
        let server = self.offered.server();
        let mut out = Vec::new();
        while let Some(made) = self.session.next(&server, batch, message, &mut out).expect("room") {
            if let Step::Call(call) = made {
                let early = self.session.next(&server, batch, message, &mut Vec::new());
                assert_eq!(early.err(), Some(LocalError::BatchPending));
                self.run(step, &call, sent, Some(&mut out));
            }
        }
        sent.push(out);
    }
}

fn duplex(file: &Value, offered: &Offered) -> Vec<String> {
    let mut wrong = Vec::new();
    let fresh = || Duplex { offered, session: Session::new(1), open: HashMap::new(), saved: HashMap::new() };
    let mut channel = fresh();
    for step in file["steps"].as_array().unwrap() {
        if step.get("fresh").and_then(Value::as_bool) == Some(true) {
            channel = fresh();
        }
        let about = text(step, "about").unwrap_or("");
        let mut sent = channel.step(step);
        sent.retain(|message| !message.is_empty());
        let sent: Vec<_> = sent.iter().map(|message| String::from_utf8_lossy(message)).collect();
        let wanted: Vec<_> = step["out"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|out| out.as_str().unwrap().to_owned())
            .collect();
        if sent != wanted {
            wrong.push(format!("{about}\n  wanted {wanted:#?}\n  sent   {sent:#?}"));
        }
    }
    wrong
}

/// What a response looks like from outside.
#[derive(Default)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
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
        self.body.extend_from_slice(out);
    }
}

fn exchange(step: &Value, offered: &Offered) -> Seen {
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
    let texts = |name: &str| -> Vec<String> {
        let listed = offered.options.get(name).and_then(Value::as_array);
        listed.into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let (hosts, origins) = (texts("allowed_hosts"), texts("allowed_origins"));
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let origins: Vec<&str> = origins.iter().map(String::as_str).collect();
    let mut endpoint = Endpoint { streams: true, ..Endpoint::default() };
    endpoint.guard.allowed_origins = &origins;
    if !hosts.is_empty() {
        endpoint.guard.allowed_hosts = mcpgraft::http::guard::Hosts::Listed(&hosts);
    }
    let mut seen = Seen::default();
    let mut exchange = Exchange::new(1);
    if let Some(head) = exchange.gate(&server, &endpoint, &request_head, &mut seen.body).unwrap() {
        seen.head(&head);
        mcpgraft::http::cors::headers(&endpoint.guard, &request_head, |name, value| {
            seen.headers.push((name.to_lowercase(), value.to_owned()));
        });
        return seen;
    }
    let body = bytes(request, "body").unwrap_or_default();
    let mut made = exchange.accept(&server, &request_head, Attached::Off, &body, &mut seen.body).unwrap();
    let mut batch = None;
    loop {
        match made {
            HttpStep::Reply { head, .. } | HttpStep::Opened { head, .. } => {
                seen.head(&head);
                break;
            }
            HttpStep::Ended { .. } | HttpStep::Listen { .. } => {
                panic!("no session and no stream was offered")
            }
            HttpStep::Batch(begun) => batch = Some(begun),
            HttpStep::Call(call) => {
                check_call(step, &call);
                for item in during(step) {
                    let mut out = Vec::new();
                    let emit = match item {
                        During::Progress(progress) => {
                            exchange.progress(call.key, &progress, &mut out).unwrap()
                        }
                        During::Log(log) => exchange.log(&server, call.key, &log, &mut out).unwrap(),
                    };
                    seen.emit(emit, &out);
                }
                let mut own = Vec::new();
                let out = if batch.is_some() { &mut seen.body } else { &mut own };
                let emit = with_answer(step, |answer| match answer {
                    Ok(result) => exchange.reply(&server, call.key, result, out),
                    Err(failure) => exchange.fail(&server, call.key, &failure, out),
                })
                .unwrap();
                if emit != Emit::Held {
                    seen.emit(emit, &own);
                    break;
                }
            }
        }
        let batch = batch.as_mut().expect("only a batch goes on");
        made = exchange.next(&server, batch, &body, &mut seen.body).unwrap();
    }
    seen
}

fn http(file: &Value, offered: &Offered) -> Vec<String> {
    let mut wrong = Vec::new();
    for step in file["steps"].as_array().unwrap() {
        let about = text(step, "about").unwrap_or("");
        let seen = exchange(step, offered);
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
    for step in file["steps"].as_array().unwrap() {
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
    let mut steps = 0;
    let mut paths: Vec<_> = fs::read_dir(vectors()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let file = load(path);
        let offered = Offered::new(&file);
        steps += file["steps"].as_array().unwrap().len();
        let found = match text(&file, "channel").unwrap() {
            "duplex" => duplex(&file, &offered),
            "http" => http(&file, &offered),
            "framing" => [framing(&file, &offered, 1), framing(&file, &offered, 1 << 20)].concat(),
            other => panic!("unknown channel {other}"),
        };
        wrong.extend(found.iter().map(|what| format!("{}: {what}", file["name"])));
    }
    assert!(steps > 100, "the transcripts were not found");
    assert!(wrong.is_empty(), "{} of {steps} steps differ:\n{}", wrong.len(), wrong.join("\n"));
}
