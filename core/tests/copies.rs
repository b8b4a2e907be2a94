//! A large argument is read where it lies, and a large result is copied once: into the output. (That nothing is copied to the
//! heap on the way is in `allocations.rs`.)
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::panic)]

use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::json::{Full, Raw, Sink};
use mcpgraft::server::{Offer, Profile, Step, Target};
use mcpgraft::{Limits, Server, Session};

/// An output that counts what is put into it, and does not forget what is taken back.
#[derive(Default)]
struct Tally {
    held: Vec<u8>,
    put: usize,
}

impl Sink for Tally {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.put += bytes.len();
        self.held.put(bytes)
    }

    fn len(&self) -> usize {
        self.held.len()
    }

    fn truncate(&mut self, len: usize) {
        self.held.truncate(len);
    }
}

const MIB: usize = 1 << 20;

#[test]
fn a_mebibyte_is_copied_once() {
    let mut catalog = Owned::new();
    catalog.put(Kind::Tool, r#"{"name":"echo","inputSchema":{"type":"object"}}"#).unwrap();
    let profile =
        Profile { tools: Offer::Catalog, ..Profile::new(Raw::trusted(r#"{"name":"s","version":"1"}"#)) };
    let server = Server { profile, limits: Limits::DEFAULT, catalog: &catalog };
    let text = "The quick brown fox. ".repeat(MIB / 21 + 1);
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let message = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"{text}"}},{meta}}}}}"#
    );
    let result = format!(r#"{{"content":[{{"type":"text","text":"{text}"}}]}}"#);

    let mut session = Session::<4, 4>::new(1);
    let mut out = Tally::default();
    let Step::Call(call) = session.accept(&server, message.as_bytes(), &mut out).unwrap() else {
        panic!("a call")
    };
    let Target::Tool { arguments, .. } = call.target else { panic!("a tool") };
    let arguments = arguments.bytes().as_ptr_range();
    let whole = message.as_bytes().as_ptr_range();
    assert!(
        whole.start < arguments.start && arguments.end < whole.end,
        "the arguments are a view of the message"
    );
    assert_eq!(out.put, 0);

    assert!(session.reply(&server, call.key, &result, &mut out).unwrap());
    assert!(out.held.len() > MIB);
    assert_eq!(out.put, out.held.len(), "every byte of the answer was put once");
}
