//! The whole server: tools, resources that can be watched, a template, a prompt with completion, and logs.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use firmware::board;
use firmware::device::{self, CALLED, Device, Sense, Tool};
use firmware::line::{CALLS, Handler, Line, Out};
use firmware::log::Log as Lines;
use mcpgraft::catalog::{Catalog, Entry, Kind};
use mcpgraft::json::Raw;
use mcpgraft::model::Level;
use mcpgraft::model::template::Template;
use mcpgraft::revision::methods::Feature;
use mcpgraft::server::{Call, CallKey, Failure, Log, Offer, Profile, Target, Text};
use mcpgraft::{Server, Session};

/// Resources that may be watched.
const SUBS: usize = 4;

const TEMPERATURE: &str = "dev://temperature";
const LOG: &str = "dev://log";
const PIN: &str = "dev://pin/{number}";

/// Every tool: what clients see of it, and what it does.
static TOOLS: [Tool<Table, SUBS>; 4] = [
    Tool {
        entry: mcpgraft::entry!(
            Tool,
            r#"{"name":"temperature","title":"Thermometer","description":"The temperature at the board, in degrees Celsius","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}"#
        ),
        run: device::temperature,
    },
    Tool {
        entry: mcpgraft::entry!(
            Tool,
            r#"{"name":"led","description":"Turns the LED on or off","inputSchema":{"type":"object","properties":{"on":{"type":"boolean"}},"required":["on"]}}"#
        ),
        run: device::led,
    },
    Tool {
        entry: mcpgraft::entry!(
            Tool,
            r#"{"name":"calibrate","description":"Calibrates the thermometer; takes a moment","inputSchema":{"type":"object","properties":{"samples":{"type":"integer","minimum":1}}}}"#
        ),
        run: device::calibrate,
    },
    Tool {
        entry: mcpgraft::entry!(
            Tool,
            r#"{"name":"status","description":"All there is to know","inputSchema":{"type":"object"},"outputSchema":{"type":"object","properties":{"led":{"type":"boolean"}},"required":["led"]}}"#
        ),
        run: status,
    },
];

static RESOURCES: [Entry<'static>; 2] = [
    mcpgraft::entry!(Resource, r#"{"uri":"dev://temperature","name":"temperature","mimeType":"text/plain"}"#),
    mcpgraft::entry!(
        Resource,
        r#"{"uri":"dev://log","name":"log","description":"What happened last","mimeType":"text/plain"}"#
    ),
];

static TEMPLATES: [Entry<'static>; 1] = [mcpgraft::entry!(
    Template,
    r#"{"uriTemplate":"dev://pin/{number}","name":"pin","mimeType":"text/plain"}"#
)];

static PROMPTS: [Entry<'static>; 1] = [mcpgraft::entry!(
    Prompt,
    r#"{"name":"check","description":"Checks the board","arguments":[{"name":"depth","required":true}]}"#
)];

/// The catalogue.
#[derive(Clone, Copy)]
struct Table;

impl Catalog for Table {
    fn len(&self, kind: Kind) -> usize {
        match kind {
            Kind::Tool => TOOLS.len(),
            Kind::Resource => RESOURCES.len(),
            Kind::Template => TEMPLATES.len(),
            Kind::Prompt => PROMPTS.len(),
        }
    }
    fn can(&self, feature: Feature) -> bool {
        // Tasks need a store and a clock; and nothing here asks the client.
        !matches!(feature, Feature::Tasks | Feature::TaskLists | Feature::Asks)
    }
    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
        match kind {
            Kind::Tool => TOOLS.get(index).map(|tool| tool.entry),
            Kind::Resource => RESOURCES.get(index).copied(),
            Kind::Template => TEMPLATES.get(index).copied(),
            Kind::Prompt => PROMPTS.get(index).copied(),
        }
    }
}

static SERVER: Server<'static, Table> = Server {
    profile: Profile {
        tools: Offer::Catalog,
        resources: Offer::Catalog,
        prompts: Offer::Catalog,
        completions: true,
        logging: true,
        list_changed: true,
        subscribe: true,
        instructions: Some("Ask for the temperature before you touch the LED."),
        ..Profile::new(Raw::trusted(
            r#"{"name":"board","title":"A board","version":"1.0.0","description":"Thermometer and LED"}"#,
        ))
    },
    limits: device::LIMITS,
    catalog: Table,
};

/// `status`
fn status(call: &mut Device<'_, '_, Table, SUBS>) -> Sense {
    let status = Raw::trusted(if board::led() { r#"{"led":true}"# } else { r#"{"led":false}"# });
    let _ = call.session.reply_structured(call.server, call.key, status, &Text::default(), call.out);
    CALLED
}

struct Full {
    lines: Lines,
    /// Whether the LED was on when the peer last heard of the temperature.
    told: bool,
}

impl Full {
    /// Keeps a line, and sends it to a peer that wants logs.
    fn note(
        &mut self,
        session: &mut Session<CALLS, SUBS>,
        what: &'static str,
        json: &'static str,
        out: &mut Out<'_>,
    ) {
        self.lines.add(&[what]);
        let log = Log { level: Level::Info, logger: Some("board"), data: Raw::trusted(json) };
        let _ = session.log(&SERVER, None, &log, out);
        let _ = out.end_line();
    }
}

impl Handler<SUBS> for Full {
    type Table = Table;

    fn server(&self) -> &Server<'static, Table> {
        &SERVER
    }

    fn call(&mut self, session: &mut Session<CALLS, SUBS>, call: &Call<'_>, out: &mut Out<'_>) -> Sense {
        let key = call.key;
        match call.target {
            Target::Tool { entry, arguments, .. } => {
                let Some(tool) = entry.and_then(|at| TOOLS.get(at)) else { return CALLED };
                self.lines.add(&["tool ", tool.entry.key]);
                return (tool.run)(&mut Device { session, server: &SERVER, key, arguments, out });
            }
            Target::Resource { entry: Some((kind, at)), uri } => {
                let mut memory = [0; 64];
                let mut decoded = mcpgraft::json::SliceSink::new(&mut memory);
                let _ = uri.decode(&mut decoded);
                let uri = core::str::from_utf8(decoded.written()).unwrap_or_default();
                let tenths = device::degrees(board::temperature());
                let pieces = match (kind, at) {
                    (Kind::Resource, 0) => [device::text(&tenths), ""],
                    (Kind::Resource, _) => self.lines.pieces(),
                    _ => [if pin(uri) { "1" } else { "0" }, ""],
                };
                let text = Text { pieces: &pieces, uri, mime_type: Some("text/plain"), ..Text::default() };
                let _ = session.reply_text(&SERVER, key, &text, out);
            }
            Target::Prompt { arguments, .. } => {
                let full = arguments.get("depth").and_then(Raw::str).is_some_and(|depth| depth == "full");
                let text = if full { "Check everything." } else { "Check the temperature." };
                let _ = session.reply_text(&SERVER, key, &Text { pieces: &[text], ..Text::default() }, out);
            }
            Target::Completion { .. } => {
                let values = Text { pieces: &["quick", "full"], ..Text::default() };
                let _ = session.reply_text(&SERVER, key, &values, out);
            }
            _ => drop(session.fail(&SERVER, key, &Failure::Internal("not here"), out)),
        }
        CALLED
    }

    fn done(&mut self, session: &mut Session<CALLS, SUBS>, key: CallKey, out: &mut Out<'_>) {
        let cancelled = session.is_cancelled(key);
        let batched = session.is_batched(key);
        device::calibrated(&mut Device { session, server: &SERVER, key, arguments: Raw::trusted("{}"), out });
        if batched {
            // The answers of a batch are one line, which is not over yet.
            return self.lines.add(&["calibrated"]);
        }
        let _ = out.end_line();
        if cancelled {
            self.note(session, "calibration cancelled", r#""calibration cancelled""#, out);
        } else {
            self.note(session, "calibrated", r#""calibrated""#, out);
        }
    }

    fn idle(&mut self, session: &mut Session<CALLS, SUBS>, out: &mut Out<'_>) {
        if board::led() != self.told {
            self.told = board::led();
            let _ = session.resource_updated(TEMPERATURE, out);
            let _ = out.end_line();
            let _ = session.resource_updated(LOG, out);
        }
    }
}

/// The pin that a URI names: pin 0 is the LED.
fn pin(uri: &str) -> bool {
    let number = Template::parse(PIN).ok().and_then(|template| template.matches(uri)?.get("number"));
    number == Some("0") && board::led()
}

static mut LINE: MaybeUninit<Line<SUBS>> = MaybeUninit::uninit();

/// Starts where the board has started.
#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    board::start();
    // SAFETY: this runs once, and nothing else names the memory.
    let line = unsafe { (*(&raw mut LINE)).write(Line::new()) };
    line.serve(&mut Full { lines: Lines::new(), told: false })
}
