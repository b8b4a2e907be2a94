//! What the transcripts are replayed on: a session whose host is at the other end of the line. Each line is a command, a
//! JSON object; texts in it are hexadecimal. What the session sends comes back as it is; what the host has to know comes in
//! lines that start with `!`; a line with a dot ends it.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use firmware::board;
use firmware::line::Out;
use mcpgraft::catalog::{Entry, Fixed, Kind};
use mcpgraft::frame::line::{Frame, LineFramer};
use mcpgraft::json::{Raw, Sink, Str, Stream, Writer};
use mcpgraft::model::Level;
use mcpgraft::server::{
    Ask, AskKey, Batch, Call, CallKey, ExperimentalTasks, Failure, Log, Notice, Offer, Profile, Progress,
    Reference, Step, Target, Unable,
};
use mcpgraft::{Limits, Revision, RevisionSet, Server, Session};

/// Bytes of the longest command.
const COMMAND: usize = 12 * 1024;
/// Most entries of one kind.
const ENTRIES: usize = 16;

/// Memory that texts are decoded into, and given back all at once.
struct Arena<const N: usize> {
    memory: [u8; N],
    used: usize,
}

impl<const N: usize> Arena<N> {
    /// The bytes that a hexadecimal string means. They are good until the arena is emptied: that is up to the caller.
    fn decode(&mut self, text: Option<Raw<'_>>) -> Option<&'static [u8]> {
        let digits = text?.str()?.escaped().as_bytes();
        let start = self.used;
        for pair in digits.chunks(2) {
            let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
            *self.memory.get_mut(self.used)? = (digit(0)? * 16 + digit(1)?) as u8;
            self.used += 1;
        }
        let bytes = self.memory.get(start..self.used)?;
        // SAFETY: the arenas are in a static, and a text is not used after its arena was emptied.
        Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) })
    }

    fn text(&mut self, text: Option<Raw<'_>>) -> Option<&'static str> {
        core::str::from_utf8(self.decode(text)?).ok()
    }
}

type Table = heapless::Vec<Entry<'static>, ENTRIES>;

/// What is served, and the session.
struct Replay {
    session: Session<64, 64>,
    /// By kind, in the order of [`Kind::ALL`].
    tables: [Table; 4],
    methods: heapless::Vec<&'static str, ENTRIES>,
    profile: Profile<'static>,
    limits: Limits,
    /// Of the configuration.
    kept: Arena<8192>,
    /// Of one command.
    scratch: Arena<8192>,
    message: &'static [u8],
    /// The message came last.
    held: Arena<8192>,
    batch: Option<Batch>,
}

impl Replay {
    const fn new() -> Self {
        Replay {
            session: Session::new(1),
            tables: [Table::new(), Table::new(), Table::new(), Table::new()],
            methods: heapless::Vec::new(),
            profile: Profile::new(Raw::trusted("{}")),
            limits: Limits::DEFAULT,
            kept: Arena { memory: [0; 8192], used: 0 },
            scratch: Arena { memory: [0; 8192], used: 0 },
            message: &[],
            held: Arena { memory: [0; 8192], used: 0 },
            batch: None,
        }
    }

    /// Carries out a command. `None`: it is not understood.
    fn command(&mut self, command: Raw<'_>, out: &mut Out<'_>) -> Option<()> {
        self.scratch.used = 0;
        let name = command.get("do")?.str()?.plain()?;
        match name {
            "config" => return self.configure(command),
            "entry" => {
                let kind = Kind::ALL.into_iter().position(|kind| command_is(command, "kind", kind.name()))?;
                let key = self.kept.text(command.get("key"))?;
                let definition = self.kept.text(command.get("definition"))?;
                return self.tables.get_mut(kind)?.push(Entry::new(key, definition)).ok();
            }
            "method" => {
                let method = self.kept.text(command.get("method"))?;
                return self.methods.push(method).ok();
            }
            "fresh" => {
                self.session = Session::new(1);
                self.batch = None;
                return Some(());
            }
            _ => {}
        }
        let Replay { session, tables, methods, profile, limits, scratch, .. } = self;
        let [tools, resources, templates, prompts] = &*tables;
        let catalog = Fixed { tools, resources, templates, prompts, custom_methods: methods };
        let server = Server { profile: *profile, limits: *limits, catalog };
        let key = CallKey::from_bits(command.get("key").and_then(Raw::u64).unwrap_or(u64::MAX));
        match name {
            "accept" => {
                self.held.used = 0;
                self.message = self.held.decode(command.get("in"))?;
                let step = session.accept(&server, self.message, out).ok()?;
                if let Step::Batch(batch) = step {
                    self.batch = Some(batch);
                    tell("!batch");
                } else {
                    let _ = out.end_line();
                    told(&step);
                }
            }
            "next" => {
                let step = session.next(&server, self.batch.as_mut()?, self.message, out).ok()?;
                match step {
                    Some(step) => told(&step),
                    None => {
                        self.batch = None;
                        tell("!over");
                    }
                }
            }
            "reply" => drop(session.reply(&server, key, scratch.text(command.get("result"))?, out).ok()?),
            "fail" => {
                let failure = failure(command, scratch)?;
                session.fail(&server, key, &failure, out).ok()?;
            }
            "require" => {
                let mut asks = heapless::Vec::<(&str, Ask<'_>), 8>::new();
                for item in command.get("asks")?.elements() {
                    let key = scratch.text(item.get("key"))?;
                    asks.push((key, ask(item, scratch)?)).ok()?;
                }
                let state = scratch.text(command.get("state"));
                session.require_input(&server, key, &asks, state, out).ok()?;
            }
            "progress" => {
                let progress = Progress {
                    progress: command.get("progress")?.f64()?,
                    total: command.get("total").and_then(Raw::f64),
                    message: scratch.text(command.get("message")),
                };
                session.progress(key, &progress, out).ok()?;
            }
            "log" => {
                let log = Log {
                    level: Level::of(command.get("level")?.str()?)?,
                    logger: scratch.text(command.get("logger")),
                    data: Raw::trusted(scratch.text(command.get("data"))?),
                };
                session.log(&server, Some(key), &log, out).ok()?;
            }
            "ask" => {
                let ask = ask(command, scratch)?;
                let able = session.can_ask(key, &ask).ok()?;
                let asked = session.ask(key, &ask, out);
                let _ = out.end_line();
                match (able, asked) {
                    (Ok(()), Ok(key)) => number("!asked ", u64::from(key.to_bits())),
                    (Err(Unable::Capability(_)), Err(_)) => tell("!unable capability"),
                    (Err(Unable::Revision(_)), Err(_)) => tell("!unable revision"),
                    (Err(Unable::Wrong(_)), Err(_)) => tell("!unable wrong"),
                    _ => return None,
                }
            }
            "give_up" => {
                let ask = u32::try_from(command.get("ask")?.u64()?).ok()?;
                session.give_up(AskKey::from_bits(ask), out).ok()?;
            }
            "list_changed" => {
                let kind = Kind::ALL.into_iter().find(|kind| command_is(command, "kind", kind.list()))?;
                session.list_changed(&server, kind, out).ok()?;
            }
            "updated" => drop(session.resource_updated(scratch.text(command.get("uri"))?, out).ok()?),
            "complete" => drop(session.elicitation_complete(scratch.text(command.get("id"))?, out).ok()?),
            "end" => session.end_listening(&server, out).ok()?,
            _ => return None,
        }
        // A batch is one line.
        if self.batch.is_none() {
            let _ = out.end_line();
        }
        Some(())
    }

    fn configure(&mut self, command: Raw<'_>) -> Option<()> {
        self.kept.used = 0;
        self.tables = [Table::new(), Table::new(), Table::new(), Table::new()];
        self.methods.clear();
        let on = |name: &str| command.get(name).and_then(Raw::bool) == Some(true);
        let offer = |name: &str| if on(name) { Offer::Catalog } else { Offer::No };
        let revisions = Revision::ALL
            .into_iter()
            .filter(|revision| {
                let served = command.get("revisions").into_iter().flat_map(Raw::elements);
                served.filter_map(Raw::str).any(|name| name == *revision.name())
            })
            .fold(RevisionSet::NONE, RevisionSet::with);
        self.profile = Profile {
            instructions: self.kept.text(command.get("instructions")),
            revisions,
            tools: offer("tools"),
            resources: offer("resources"),
            prompts: offer("prompts"),
            completions: on("completions"),
            logging: on("logging"),
            list_changed: on("list_changed"),
            subscribe: on("subscribe"),
            experimental_tasks: match command.get("experimental_tasks")?.str()?.plain()? {
                "listed" => ExperimentalTasks::Listed,
                "offered" => ExperimentalTasks::Offered,
                _ => ExperimentalTasks::No,
            },
            ttl_ms: command.get("ttl_ms")?.u64()?,
            ..Profile::new(Raw::trusted(self.kept.text(command.get("info"))?))
        };
        self.limits = Limits::DEFAULT;
        for (name, value) in command.get("limits")?.members() {
            if !self.limits.set(name.plain()?, usize::try_from(value.u64()?).ok()?) {
                return None;
            }
        }
        Some(())
    }
}

fn command_is(command: Raw<'_>, key: &str, value: &str) -> bool {
    command.get(key).and_then(Raw::str).is_some_and(|text| text == *value)
}

fn failure(command: Raw<'_>, scratch: &mut Arena<8192>) -> Option<Failure<'static>> {
    let message = scratch.text(command.get("message")).unwrap_or("");
    let data = scratch.text(command.get("data")).map(Raw::trusted);
    Some(match command.get("failure")?.str()?.plain()? {
        "tool" => Failure::Tool(message),
        "not_found" => Failure::NotFound(message),
        "invalid_params" => Failure::InvalidParams(message),
        "method_not_found" => Failure::NoMethod(message),
        "internal" => Failure::Internal(message),
        "missing_capability" => Failure::MissingCapability { needed: data?, message },
        "custom" => Failure::Custom { code: i32::try_from(command.get("code")?.i64()?).ok()?, message, data },
        _ => return None,
    })
}

fn ask(item: Raw<'_>, scratch: &mut Arena<8192>) -> Option<Ask<'static>> {
    let mut text = |name: &str| scratch.text(item.get(name));
    if let Some(message) = text("form") {
        return Some(Ask::Form { message, schema: Raw::trusted(text("schema")?) });
    }
    if let Some(url) = text("url") {
        return Some(Ask::Url { message: text("message")?, url, id: text("id")? });
    }
    match text("sample") {
        Some(params) => Some(Ask::Sample { params: Raw::trusted(params) }),
        None => item.get("roots").map(|_| Ask::Roots),
    }
}

/// A line for the host.
fn tell(what: &str) {
    board::write(what.as_bytes());
    board::write(b"\n");
}

fn number(what: &str, number: u64) {
    let mut memory = [0; 40];
    let mut out: Out<'_> = Stream::new(&mut memory, drain);
    let _ = out.put(what.as_bytes());
    let _ = Writer::new(&mut out).u64(number);
    let _ = out.end_line();
}

fn drain(bytes: &[u8]) -> bool {
    board::write(bytes);
    true
}

/// Tells of a call or an answer, as `!` and a JSON object.
fn told(step: &Step<'_>) {
    let mut memory = [0; 64];
    let mut out: Out<'_> = Stream::new(&mut memory, drain);
    let _ = out.put(b"!");
    let mut w = Writer::new(&mut out);
    let done = match step {
        Step::Call(call) => called(call, &mut w),
        Step::Notice(Notice::Answer { key, ask, outcome, left }) => w
            .begin_object()
            .and_then(|()| w.field_u64("answer", key.to_bits()))
            .and_then(|()| w.field_u64("ask", u64::from(ask.to_bits())))
            .and_then(|()| w.field_bool("ok", outcome.is_ok()))
            .and_then(|()| w.field_u64("left", *left as u64))
            .and_then(|()| w.field_str("params", outcome.unwrap_or_else(|error| error).text()))
            .and_then(|()| w.end_object()),
        _ => w.begin_object().and_then(|()| w.end_object()),
    };
    let _ = done;
    let _ = out.end_line();
}

fn called(call: &Call<'_>, w: &mut Writer<'_, Out<'_>>) -> Result<(), mcpgraft::json::Full> {
    let (kind, name, arguments) = match call.target {
        Target::Tool { name, arguments, .. } => ("tool", name, Some(arguments)),
        Target::Prompt { name, arguments, .. } => ("prompt", name, Some(arguments)),
        Target::Resource { uri, .. } => ("resource", uri, None),
        Target::Completion { reference: Reference::Prompt(name) | Reference::Resource(name), .. } => {
            ("completion", name, None)
        }
        Target::Task { id, .. } => ("task", id, None),
        Target::Tasks { .. } => ("task", Str::trusted("\"\""), None),
        Target::List { .. } => return Ok(()),
        Target::Custom { method } => ("custom", method, None),
    };
    w.begin_object()?;
    w.field_u64("key", call.key.to_bits())?;
    w.field_str("kind", kind)?;
    w.key("name")?;
    w.raw_text(name.raw())?;
    if let Some(arguments) = arguments {
        w.field_str("arguments", arguments.text())?;
    }
    if let Some(responses) = call.input_responses {
        w.field_str("input_responses", responses.text())?;
    }
    if let Some(state) = call.request_state {
        w.key("request_state")?;
        w.raw_text(state.raw())?;
    }
    w.end_object()
}

static mut REPLAY: MaybeUninit<Replay> = MaybeUninit::uninit();
static mut FRAMER: MaybeUninit<LineFramer<COMMAND>> = MaybeUninit::uninit();

/// Starts where the board has started.
#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    board::start();
    // SAFETY: this runs once, and nothing else names the memory.
    let (replay, framer) =
        unsafe { ((*(&raw mut REPLAY)).write(Replay::new()), (*(&raw mut FRAMER)).write(LineFramer::new())) };
    // Enough for a batch, in the middle of which the host is told of calls.
    let mut memory = [0; 2048];
    let mut out: Out<'_> = Stream::new(&mut memory, drain);
    loop {
        let Some(byte) = board::read() else {
            board::wait();
            continue;
        };
        let Some(Frame::Line(line)) = framer.byte(byte) else { continue };
        let understood = mcpgraft::json::check(line, 16).ok().and_then(|line| replay.command(line, &mut out));
        if understood.is_none() {
            tell("!wrong");
        }
        tell(".");
    }
}
