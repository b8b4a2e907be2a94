//! Streamable HTTP as pure rules: a request goes in, a response plan comes out
//! (basic/transports of `2025-03-26` to `2025-11-25`, basic/transports/streamable-http of `2026-07-28`).
//!
//! ```text
//! gate (before the body is read)   Host, Origin, method, Content-Type, Content-Length
//! accept (with the body)           JSON -> message -> era -> [mirror headers] -> answer, or a Call for the host
//! reply(_text) / fail / log ...    one JSON object, or an event stream once a notification came first
//! events                           ids of events, and how a client goes on with a stream it lost; off by default
//! ```
//! Both eras share one endpoint. Clients of the handshake era are served without a session unless the host keeps some
//! ([`Sessions`]): `initialize` is answered, nothing is remembered, and any worker can take any request. Sockets, TLS,
//! routing and authorization are the host's.

pub mod accept;
pub mod cors;
pub mod events;
mod exchange;
mod gate;
pub mod guard;
mod headers;
mod known;
mod listener;
mod mirror;
mod plan;
pub mod sentinel;
mod session;

pub use exchange::{Exchange, HttpStep};
pub use headers::{Headers, Repeated};
pub use listener::Listener;
pub use plan::{Body, Emit, Head};
pub use session::{Attached, Handshake, Sessions};

use guard::Guard;

/// The header that names the session of a request, and the one an `initialize` has opened.
pub const SESSION_HEADER: &str = headers::name::SESSION;

/// What is known of a request before its body.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The method, as sent.
    pub method: &'r str,
    /// The headers.
    pub headers: Headers<'r>,
    /// Whether the other end of the connection is this machine; `None` if that is not known.
    pub peer_is_loopback: Option<bool>,
}

/// How an endpoint is reached: what a server has beside `Server` when it speaks HTTP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Endpoint<'a> {
    /// Which hosts and origins are let in.
    pub guard: Guard<'a>,
    /// The host can write a response bit by bit. If not, every answer is one JSON object and notifications are dropped.
    pub streams: bool,
    /// The host keeps responses open for as long as a client listens: `subscriptions/listen`, and GET in a session.
    pub listens: bool,
    /// The sessions it keeps for clients of the handshake era.
    pub sessions: Sessions,
}
