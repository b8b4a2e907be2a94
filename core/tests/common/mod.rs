//! What every replay of `tests/vectors` shares: reading the files, and what a step says about a call. It needs std, but
//! nothing of mcpgraft that a heap brings.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub mod duplex;

use std::fs;
use std::path::{Path, PathBuf};

use mcpgraft::catalog::Kind;
use mcpgraft::json::{Full, Raw, Sink};
use mcpgraft::model::Level;
use mcpgraft::server::{
    Ask, Call, ExperimentalTasks, Failure, Log, Offer, Profile, Progress, Reference, Target, Unable,
};
use mcpgraft::{Limits, Revision, RevisionSet};
use serde_json::Value;

/// An output that grows, also where the library has no heap.
#[derive(Clone, Debug, Default)]
pub struct Out(pub Vec<u8>);

impl Sink for Out {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
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

pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

pub fn load(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON")
}

/// Every transcript, in the order of the names.
pub fn files() -> Vec<Value> {
    let mut paths: Vec<_> = fs::read_dir(vectors()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|p| load(p))
        .collect()
}

pub fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

pub fn steps(file: &Value) -> &[Value] {
    file["steps"].as_array().unwrap()
}

/// Bytes given as text or in hex.
pub fn bytes(value: &Value, key: &str) -> Option<Vec<u8>> {
    if let Some(hex) = text(value, &format!("{key}_hex")) {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        return Some(digits.chunks(2).map(byte).collect());
    }
    text(value, key).map(|text| text.as_bytes().to_vec())
}

/// What a file's server is made of, apart from its catalogue.
pub struct Settings {
    pub info: String,
    pub options: Value,
    pub limits: Limits,
    pub line_bytes: usize,
    catalogue: Value,
}

impl Settings {
    pub fn new(file: &Value) -> Self {
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
        if let Some(items) = options.get("page_items").and_then(Value::as_u64) {
            limits.page_items = usize::try_from(items).unwrap();
        }
        Settings { info: catalogue["info"].to_string(), options, limits, line_bytes, catalogue }
    }

    /// The definitions of a kind, in order.
    pub fn definitions(&self, kind: Kind) -> impl Iterator<Item = &Value> {
        self.catalogue.get(kind.name()).and_then(Value::as_array).into_iter().flatten()
    }

    /// Methods of the host's own.
    pub fn custom_methods(&self) -> impl Iterator<Item = &str> {
        let names = self.options.get("custom_methods").and_then(Value::as_array);
        names.into_iter().flatten().map(|name| name.as_str().unwrap())
    }

    pub fn profile(&self) -> Profile<'_> {
        let on = |name: &str| self.options.get(name).and_then(Value::as_bool) == Some(true);
        let offer = |kinds: &[Kind]| {
            let some = kinds.iter().any(|kind| self.definitions(*kind).next().is_some());
            if some { Offer::Catalog } else { Offer::No }
        };
        let revisions = match self.options.get("revisions").and_then(Value::as_array) {
            None => RevisionSet::ALL,
            Some(names) => names
                .iter()
                .map(|name| Revision::parse(name.as_str().unwrap()).unwrap())
                .fold(RevisionSet::NONE, RevisionSet::with),
        };
        Profile {
            instructions: text(&self.options, "instructions"),
            revisions,
            tools: offer(&[Kind::Tool]),
            resources: offer(&[Kind::Resource, Kind::Template]),
            prompts: offer(&[Kind::Prompt]),
            completions: on("completions"),
            logging: on("logging"),
            list_changed: on("list_changed"),
            subscribe: on("subscribe"),
            experimental_tasks: match text(&self.options, "experimental_tasks") {
                None | Some("no") => ExperimentalTasks::No,
                Some("offered") => ExperimentalTasks::Offered,
                Some("listed") => ExperimentalTasks::Listed,
                Some(other) => panic!("experimental_tasks: {other}"),
            },
            ttl_ms: self.options.get("ttl_ms").and_then(Value::as_u64).unwrap_or(0),
            ..Profile::new(Raw::trusted(&self.info))
        }
    }
}

/// Compares a call with what the transcript says of it.
pub fn check_call(step: &Value, call: &Call<'_>) {
    let wanted = step.get("call").unwrap_or_else(|| panic!("no call was expected, but {:?}", call.target));
    let (kind, name, arguments) = match call.target {
        Target::Tool { name, arguments, .. } => ("tool", name.to_string(), Some(arguments)),
        Target::Prompt { name, arguments, .. } => ("prompt", name.to_string(), Some(arguments)),
        Target::Resource { uri, .. } => ("resource", uri.to_string(), None),
        Target::Completion { reference, .. } => match reference {
            Reference::Prompt(name) | Reference::Resource(name) => ("completion", name.to_string(), None),
        },
        Target::Task { id, .. } => ("task", id.to_string(), None),
        Target::Tasks { .. } => ("task", String::new(), None),
        Target::List { kind, .. } => ("list", kind.list().to_string(), None),
        Target::Custom { method } => ("custom", method.to_string(), None),
    };
    assert_eq!(Some(kind), text(wanted, "kind"));
    assert_eq!(Some(&*name), text(wanted, "name"));
    if let (Some(arguments), Some(wanted)) = (arguments, text(wanted, "arguments")) {
        assert_eq!(arguments.text(), wanted);
    }
    if let Some(wanted) = text(wanted, "input_responses") {
        assert_eq!(call.input_responses.map(Raw::text), Some(wanted));
    }
    if let Some(wanted) = text(wanted, "request_state") {
        assert_eq!(call.request_state.map(|state| state.to_string()).as_deref(), Some(wanted));
    }
}

/// Answers with the step's `reply` or `fail`.
pub fn with_answer<R>(step: &Value, reply: impl FnOnce(Result<&str, Failure<'_>>) -> R) -> R {
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

/// A question to the client as a step describes it.
pub fn ask(step: &Value) -> Ask<'_> {
    if let Some(message) = text(step, "form") {
        return Ask::Form { message, schema: Raw::trusted(text(step, "schema").expect("a schema")) };
    }
    if let Some(url) = text(step, "url") {
        return Ask::Url { message: text(step, "message").unwrap(), url, id: text(step, "id").unwrap() };
    }
    match text(step, "sample") {
        Some(params) => Ask::Sample { params: Raw::trusted(params) },
        None => Ask::Roots,
    }
}

/// Whether the client can be asked has to be what the step says; `true`: it can.
pub fn check_able(step: &Value, able: Result<(), Unable>) -> bool {
    let seen = match able {
        Ok(()) => None,
        Err(Unable::Capability(_)) => Some("capability"),
        Err(Unable::Revision(_)) => Some("revision"),
        Err(Unable::Wrong(_)) => Some("wrong"),
    };
    assert_eq!(seen, text(step, "unable"), "{step}");
    seen.is_none()
}

/// The questions of an `input_required` result with their keys, and the state that goes with them.
pub type Required<'v> = (Vec<(&'v str, Ask<'v>)>, Option<&'v str>);

/// What a step still needs from the client, if that is how it answers.
pub fn required(step: &Value) -> Option<Required<'_>> {
    let require = step.get("require")?;
    let asks = require.get("asks").and_then(Value::as_array).into_iter().flatten();
    Some((asks.map(|item| (text(item, "key").unwrap(), ask(item))).collect(), text(require, "state")))
}

/// The list a change is about, by its name on the wire.
pub fn list(name: &str) -> Kind {
    match name {
        "tools" => Kind::Tool,
        "resources" => Kind::Resource,
        "prompts" => Kind::Prompt,
        other => panic!("unknown list {other}"),
    }
}

pub enum During<'v> {
    Progress(Progress<'v>),
    Log(Log<'v>),
    Ask(&'v Value),
    OpenStream,
    CloseStream(u32),
}

pub fn during(step: &Value) -> Vec<During<'_>> {
    let items = step.get("during").and_then(Value::as_array);
    let one = |item| match text(item, "log") {
        _ if item.get("ask").is_some() => During::Ask(item),
        _ if item.get("open_stream").is_some() => During::OpenStream,
        _ if item.get("close_stream").is_some() => {
            During::CloseStream(item["close_stream"].as_u64().unwrap().try_into().unwrap())
        }
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
