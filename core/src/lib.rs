//! The Model Context Protocol as a pure state machine: for the server you already have.
//!
//! A host (a web view, a daemon, a UART loop) hands over one message and gets back one step: the answer, or something to
//! run. This library opens no socket, starts no thread, reads no clock and draws no random number. All five revisions of
//! the protocol are served at one endpoint, from one handler:
//!
//! | era | revisions | how a message says where it belongs |
//! |---|---|---|
//! | handshake | `2024-11-05`, `2025-03-26`, `2025-06-18`, `2025-11-25` | by the `initialize` request that came before it |
//! | stateless | `2026-07-28` | by the version in its own `params._meta` |
//!
//! The era is decided for each message; neither locks out the other. What a host says is always in the newest shape. What
//! an older peer does not know is dropped or translated on the way out, by one table ([`revision`]).
//!
//! # One message in, one step out
//!
//! A [`Session`] is one duplex channel: stdio, a serial line, TCP, a WebSocket. A [`Server`] says what is served, and is
//! shared by all of them.
//!
//! ```
//! use mcpgraft::catalog::{Entry, Fixed};
//! use mcpgraft::json::{Raw, SliceSink};
//! use mcpgraft::server::{Failure, Offer, Profile, Step, Target};
//! use mcpgraft::{Limits, Server, Session};
//!
//! // What is served. On a device these are constants in flash.
//! let tools = [Entry::new("add", r#"{"name":"add","inputSchema":{"type":"object"}}"#)];
//! let server = Server {
//!     profile: Profile { tools: Offer::Catalog, ..Profile::new(Raw::trusted(r#"{"name":"sums","version":"1.0.0"}"#)) },
//!     limits: Limits::DEFAULT,
//!     catalog: Fixed { tools: &tools, ..Fixed::default() },
//! };
//! let mut session = Session::<16, 16>::new(1);
//!
//! // Give it a message, write whatever is in the output, and look at the step.
//! let mut memory = [0; 1024];
//! let mut out = SliceSink::new(&mut memory);
//! let message = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2},
//!     "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
//! if let Step::Call(call) = session.accept(&server, message, &mut out)? {
//!     // Everything in `call` borrows from `message`. Keep `call.key` to answer now, later, or from elsewhere.
//!     let Target::Tool { arguments, .. } = call.target else { unreachable!("only tools are offered") };
//!     let number = |name| arguments.get(name).and_then(|value| value.i64());
//!     match (number("a"), number("b")) {
//!         (Some(a), Some(b)) => {
//!             let result = format!(r#"{{"content":[{{"type":"text","text":"{}"}}]}}"#, a + b);
//!             session.reply(&server, call.key, &result, &mut out)?;
//!         }
//!         // The model sees this, and can do better.
//!         _ => drop(session.fail(&server, call.key, &Failure::Tool("a and b must be integers"), &mut out)?),
//!     }
//! }
//! assert_eq!(
//!     core::str::from_utf8(out.written())?,
//!     r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"3"}],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"sums","version":"1.0.0"}}}}"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **The rule: whatever is in the output after a call into this library is to be written to the peer**, whatever the call
//! said. One call writes one message or none, and no newline: on a line-framed channel add one, and cut the input with
//! [`frame::line`]. A message that cannot be served is answered in the output and changes nothing.
//!
//! | step | what the host does |
//! |---|---|
//! | [`Send`](server::Step::Send) | write the output |
//! | [`Call`](server::Step::Call) | run it; then [`reply`](Session::reply) or [`fail`](Session::fail) with its key |
//! | [`Notice`](server::Step::Notice) | write the output; the rest is for its information |
//! | [`Batch`](server::Step::Batch) | ask for its steps with [`next`](Session::next), with the same message and output, and answer each call before the next one; write when it gives `None` |
//! | [`Nothing`](server::Step::Nothing) | go on |
//!
//! In between, and as long as the call is in work, [`progress`](Session::progress) and [`log`](Session::log) tell the peer
//! about it. Both say `false` when the peer does not want to hear it, and then nothing was written.
//!
//! # Keys
//!
//! A [`CallKey`](server::CallKey) is small, `Copy`, a number if need be ([`to_bits`](server::CallKey::to_bits)), and good
//! for one answer. Calls may be answered in any order. A key that was used, or belongs to another session, is
//! [`LocalError::UnknownCall`] and changes nothing; give each session a tag of its own so that this is noticed. A call that
//! the peer took back still wants its answer, which is then swallowed: that is how its place in the table is freed.
//!
//! # Errors
//!
//! There are two kinds, and they never mix. [`LocalError`] is the host's mistake: the state and the output are as if the
//! call had not been made, so after [`OutputFull`](LocalError::OutputFull) the same call can be made again with more room.
//! [`Fault`](server::Fault) is the peer's mistake: it is answered on the wire, and never ends a session. How a call of the
//! host's own failed is said with [`Failure`](server::Failure), which each revision gets in the form it knows.
//!
//! # Asking the client
//!
//! A handler that needs the user, the client's model or its folders ([`Ask`](server::Ask)) says so and ends; with the answers
//! it is run again. A stateless client is asked with [`require_input`](Session::require_input), which answers the call: the
//! answers come with a new one. Older clients are asked with [`ask`](Session::ask): the call stays in work, and each answer
//! comes as [`Notice::Answer`](server::Notice::Answer) with its key.
//!
//! # HTTP
//!
//! An [`Exchange`](http::Exchange) is one HTTP request and its response. Nothing is remembered from one request to the
//! next, so any worker can take any of them, unless the host keeps [`Sessions`](http::Sessions) for older clients and
//! says what it found with [`Attached`](http::Attached).
//!
//! 1. [`gate`](http::Exchange::gate) looks at the head: Host, Origin, method, media type, length. `Some` is the refusal.
//! 2. [`accept`](http::Exchange::accept) takes the body: a reply, or a call.
//! 3. [`reply`](http::Exchange::reply) or [`fail`](http::Exchange::fail) gives the response. It is one JSON object, unless
//!    [`progress`](http::Exchange::progress) or [`log`](http::Exchange::log) came first: then they have begun an event
//!    stream, and it ends it. [`Emit`](http::Emit) says which. A host that cannot stream leaves
//!    [`Endpoint::streams`](http::Endpoint) off and ignores progress.
//!
//! Status and headers are in the [`Head`](http::Head); those for browsers come from [`http::cors`].
//!
//! ```
//! use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Head, Headers, HttpStep, Request};
//! # use mcpgraft::catalog::{Entry, Fixed};
//! # use mcpgraft::json::{Raw, SliceSink};
//! # use mcpgraft::server::{Offer, Profile};
//! # use mcpgraft::{Limits, LocalError, Server};
//! # let tools = [Entry::new("add", r#"{"name":"add","inputSchema":{"type":"object"}}"#)];
//! # let server = Server {
//! #     profile: Profile { tools: Offer::Catalog, ..Profile::new(Raw::trusted(r#"{"name":"s","version":"1"}"#)) },
//! #     limits: Limits::DEFAULT,
//! #     catalog: Fixed { tools: &tools, ..Fixed::default() },
//! # };
//! let headers: [(&str, &[u8]); 2] = [("Host", b"localhost:3000"), ("Content-Type", b"application/json")];
//! let request = Request { method: "POST", headers: Headers(&headers), peer_is_loopback: Some(true) };
//! let body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}"#;
//!
//! let mut memory = [0; 1024];
//! let mut out = SliceSink::new(&mut memory);
//! let mut exchange = Exchange::new(1);
//! let head: Head = match exchange.gate(&server, &Endpoint::default(), &request, &mut out)? {
//!     Some(refusal) => refusal,
//!     None => match exchange.accept(&server, &request, Attached::Off, body, &mut out)? {
//!         HttpStep::Call(call) => {
//!             let result = r#"{"content":[{"type":"text","text":"3"}]}"#;
//!             match exchange.reply(&server, call.key, result, &mut out)? {
//!                 Emit::Whole(head) => head,
//!                 other => unreachable!("nothing was streamed, and this is no batch: {other:?}"),
//!             }
//!         }
//!         HttpStep::Reply { head, .. } => head,
//!         other => unreachable!("nothing else was asked for: {other:?}"),
//!     },
//! };
//! assert_eq!(head.status, 200);
//! assert_eq!(head.headers().next(), Some(("Content-Type", "application/json")));
//! assert_eq!(
//!     out.written(),
//!     br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"3"}]}}"#
//! );
//! # Ok::<(), LocalError>(())
//! ```
//!
//! # Limits
//!
//! Everything is bounded by [`Limits`], which has the table of them. A list that does not fit the output goes on in its next
//! page. Any other answer that does not fit needs more room, or an output that leaves while it is written:
//! [`json::Stream`], with which a device of 64 bytes of output buffer says anything.
//!
//! # Firmware
//!
//! Without features this library needs `core` and nothing else. The loop is the same: constants in flash are the catalogue,
//! [`frame::line`] cuts the bytes of a UART into messages and says where one was too long, [`json::Stream`] sends while it
//! writes. Each tool is declared in one place, its definition beside its function; its name is taken from the definition
//! when the program is compiled.
//!
//! ```
//! use mcpgraft::catalog::{Entry, Fixed};
//! use mcpgraft::frame::line::{Frame, LineFramer};
//! use mcpgraft::json::{Raw, Sink, Stream};
//! use mcpgraft::server::{Offer, Profile, Step, Target, Text};
//! use mcpgraft::{Limits, Server, Session};
//!
//! static TOOLS: [Entry<'static>; 1] =
//!     [mcpgraft::entry!(Tool, r#"{"name":"temperature","inputSchema":{"type":"object"}}"#)];
//! static SERVER: Server<'static, Fixed<'static>> = Server {
//!     profile: Profile { tools: Offer::Catalog, ..Profile::new(Raw::trusted(r#"{"name":"board","version":"1"}"#)) },
//!     limits: Limits { message_bytes: 1024, depth: 32, batch: 8, ..Limits::DEFAULT },
//!     catalog: Fixed { tools: &TOOLS, resources: &[], templates: &[], prompts: &[], custom_methods: &[] },
//! };
//!
//! /// Two calls at once, no resources that are watched, messages of 1024 bytes: all the memory there is.
//! fn serve(bytes: impl Iterator<Item = u8>, uart: impl FnMut(&[u8]) -> bool) -> Result<(), mcpgraft::LocalError> {
//!     let mut session = Session::<2, 0>::new(1);
//!     let mut framer = LineFramer::<1024>::new();
//!     let mut memory = [0; 64];
//!     let mut out = Stream::new(&mut memory, uart);
//!     for byte in bytes {
//!         match framer.next(&mut &[byte][..]) {
//!             None => continue,
//!             Some(Frame::TooLong) => session.too_long(&SERVER, &mut out)?,
//!             Some(Frame::Line(line)) => match session.accept(&SERVER, line, &mut out)? {
//!                 Step::Call(call) => run(&mut session, &call, &mut out)?,
//!                 Step::Batch(mut batch) => {
//!                     while let Some(step) = session.next(&SERVER, &mut batch, line, &mut out)? {
//!                         if let Step::Call(call) = step {
//!                             run(&mut session, &call, &mut out)?;
//!                         }
//!                     }
//!                 }
//!                 _ => {}
//!             },
//!         }
//!         out.end_line()?;
//!     }
//!     Ok(())
//! }
//!
//! fn run(session: &mut Session<2, 0>, call: &mcpgraft::server::Call<'_>, out: &mut impl Sink) -> Result<(), mcpgraft::LocalError> {
//!     if let Target::Tool { entry: Some(0), .. } = call.target {
//!         session.reply_text(&SERVER, call.key, &Text { pieces: &["21.5"], ..Text::default() }, out)?;
//!     }
//!     Ok(())
//! }
//!
//! let message = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"temperature\",\"_meta\":\
//!     {\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}}}\n";
//! let mut sent = Vec::new();
//! serve(message.bytes(), |bytes| {
//!     sent.extend_from_slice(bytes);
//!     true
//! })?;
//! assert!(sent.ends_with(b"}\n") && sent.windows(4).any(|text| text == b"21.5"));
//! # Ok::<(), mcpgraft::LocalError>(())
//! ```
//!
//! What costs flash, and how to leave it out:
//!
//! - A feature that is never offered: a [`Catalog`](catalog::Catalog) of your own whose [`can`](catalog::Catalog::can) is
//!   constant. Its code is not linked.
//! - Translating definitions for older revisions: [`catalog::universal`] says at compile time that a definition needs none;
//!   where all are, `can` is `false` for [`Feature::Translation`](revision::methods::Feature::Translation).
//! - Reading a result to check and translate it: [`reply_text`](Session::reply_text) and
//!   [`reply_structured`](Session::reply_structured) instead of [`reply`](Session::reply).
//! - Text of floats: [`progress_steps`](Session::progress_steps) instead of [`progress`](Session::progress).
//! - Lines in pieces of any length: [`byte`](frame::line::Lines::byte) takes one at a time.
//! - More than one kind of output: use one type of [`Sink`](json::Sink) everywhere, since functions are made for each.
//!
//! Lists are cut into pages of `limits.page_bytes`, and into what an output in a slice has room for.
//!
//! # Tiers
//!
//! | features | has | for |
//! |---|---|---|
//! | none | no heap, no std: [`catalog::Fixed`], bounded tables, outputs in slices | firmware |
//! | `alloc` | catalogues that change (`catalog::Owned`), settings by name (`settings`), outputs that grow (`Vec<u8>`), the typed model (`model::typed`) | no_std with a heap, WebAssembly |
//! | `std` (default) | the same, with std in the dependencies | hosts |
//!
//! A build with `opt-level = "s"` also takes the feature `small`: texts are scanned eight bytes at a time, without vectors.
//!
//! All of them say the same bytes: the same transcripts are replayed in each.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "schema")]
extern crate std;

pub mod catalog;
mod error;
pub mod frame;
pub mod http;
pub mod json;
pub mod jsonrpc;
pub mod limits;
pub mod model;
pub mod revision;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "seal")]
pub mod seal;
pub mod server;
#[cfg(feature = "alloc")]
pub mod settings;

pub use error::LocalError;
pub use limits::Limits;
pub use revision::{Era, Revision, RevisionSet};
pub use server::{Server, Session};
