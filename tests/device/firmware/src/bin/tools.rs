//! The smallest server: three tools, both eras, every revision.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use firmware::board;
use firmware::device::{self, CALLED, Device, Sense, Tool};
use firmware::line::{CALLS, Handler, Line, Out};
use mcpgraft::catalog::{Catalog, Entry, Kind, universal, universal_info};
use mcpgraft::json::Raw;
use mcpgraft::revision::methods::Feature;
use mcpgraft::server::{Call, CallKey, Offer, Profile, Target};
use mcpgraft::{Server, Session};

/// Who this is.
const INFO: &str = r#"{"name":"thermometer","version":"1.0.0"}"#;

/// Every tool: what clients see of it, and what it does.
const TOOLS: [Tool<Table, 0>; 3] = [
    Tool {
        entry: mcpgraft::entry!(
            Tool,
            r#"{"name":"temperature","description":"The temperature at the board, in degrees Celsius","inputSchema":{"type":"object"}}"#
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
];

/// The catalogue: the tools above and nothing else.
#[derive(Clone, Copy)]
struct Table;

impl Catalog for Table {
    fn len(&self, kind: Kind) -> usize {
        if kind == Kind::Tool { TOOLS.len() } else { 0 }
    }
    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
        if kind == Kind::Tool { TOOLS.get(index).map(|tool| tool.entry) } else { None }
    }
    fn can(&self, feature: Feature) -> bool {
        // Everything reads the same in every revision, as is checked below: nothing that translates is linked.
        matches!(feature, Feature::Core | Feature::Tools)
    }
}

static SERVER: Server<'static, Table> = Server {
    profile: Profile { tools: Offer::Catalog, ..Profile::new(Raw::trusted(INFO)) },
    limits: device::LIMITS,
    catalog: Table,
};

struct Tools;

impl Handler<0> for Tools {
    type Table = Table;

    fn server(&self) -> &Server<'static, Table> {
        &SERVER
    }

    fn call(&mut self, session: &mut Session<CALLS, 0>, call: &Call<'_>, out: &mut Out<'_>) -> Sense {
        let Target::Tool { entry: Some(at), arguments, .. } = call.target else { return CALLED };
        let Some(tool) = TOOLS.get(at) else { return CALLED };
        (tool.run)(&mut Device { session, server: &SERVER, key: call.key, arguments, out })
    }

    fn done(&mut self, session: &mut Session<CALLS, 0>, key: CallKey, out: &mut Out<'_>) {
        device::calibrated(&mut Device { session, server: &SERVER, key, arguments: Raw::trusted("{}"), out });
    }
}

const _: () = {
    assert!(universal_info(INFO), "needs translation for older revisions");
    let mut rest: &[Tool<Table, 0>] = &TOOLS;
    while let [tool, more @ ..] = rest {
        assert!(universal(Kind::Tool, tool.entry.definition.text()), "needs translation for older revisions");
        rest = more;
    }
};

static mut LINE: MaybeUninit<Line<0>> = MaybeUninit::uninit();

/// Starts where the board has started.
#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    board::start();
    // SAFETY: this runs once, and nothing else names the memory.
    let line = unsafe { (*(&raw mut LINE)).write(Line::new()) };
    line.serve(&mut Tools)
}
