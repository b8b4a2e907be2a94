//! One HTTP request and its response.

mod batch;
mod read;
mod respond;
mod stream;

use super::accept::Accept;
use super::events::{Numbering, Resume};
use super::headers::Found;
use super::plan::Head;
use super::{Attached, Endpoint, Handshake, Listener, Request, Sessions, gate};
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::json::{Raw, Sink};
use crate::revision::{Era, Revision};
use crate::server::Server;
use crate::server::call::{Batch, Call, Notice};
use crate::server::inflight::Table;
use crate::server::out::whole;

/// The server's side of one HTTP request.
///
/// It decides late: the answer is one JSON object, unless a notification comes before it; only then does it become an
/// event stream. What is remembered between requests, if anything, is the host's: see [`Attached`].
#[derive(Clone, Debug)]
pub struct Exchange {
    calls: Table<1>,
    accept: Accept,
    state: State,
    /// The host can write a response bit by bit.
    streams: bool,
    /// It keeps responses open.
    listens: bool,
    sessions: Sessions,
    /// The request belongs to a session, so that a client can answer questions in another request.
    in_session: bool,
    /// Where the host numbers events.
    numbering: Option<Numbering>,
    /// Notifications that could not be delivered, because the answer has to be one JSON object.
    dropped: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The head was not looked at.
    New,
    /// The body is awaited.
    Gated,
    /// A call is in work; nothing was sent.
    Working,
    /// A batch is in work; nothing was sent.
    Batch(Revision),
    /// An event stream is open.
    Streaming,
    /// Answered, or given up.
    Over,
}

/// What a request led to.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // there is no heap to put a variant on
pub enum HttpStep<'m> {
    /// Answer it: the body is in the output.
    Reply {
        /// Status and headers.
        head: Head,
        /// What happened besides.
        notice: Option<Notice<'m>>,
    },
    /// Run it and give back its answer.
    Call(Call<'m>),
    /// Ask for its steps one by one with [`Exchange::next`], with the same output.
    Batch(Batch),
    /// A message of a batch told something; ask for the next step.
    Notice(Notice<'m>),
    /// `initialize` was answered; the body is in the output. A host that keeps sessions makes an id for this one and adds
    /// it as `Mcp-Session-Id`.
    Opened {
        /// Status and headers.
        head: Head,
        /// What to remember.
        handshake: Handshake,
        /// `clientInfo`
        client_info: Raw<'m>,
        /// `capabilities` of the client
        client_capabilities: Raw<'m>,
    },
    /// The session is over (DELETE): forget it, end what belongs to it, and answer.
    Ended {
        /// Status and headers.
        head: Head,
    },
    /// Go on with a stream, where the host keeps events ([`Exchange::with_events`]): send what it has of it after that
    /// event and what is added to it, or refuse it ([`Resume::refuse`]).
    Resume {
        /// Status and headers.
        head: Head,
        /// Which stream, and from where.
        resume: Resume,
    },
    /// Keep the response open, write what is in the output, and tell the listener of changes.
    Listen {
        /// Status and headers.
        head: Head,
        /// What the client wants to hear of.
        listener: Listener,
    },
}

impl HttpStep<'_> {
    const fn reply(head: Head) -> Self {
        HttpStep::Reply { head, notice: None }
    }
}

impl Exchange {
    /// A fresh exchange. `tag` (15 bits) marks its call keys, so that a key of one exchange is unknown to another.
    #[must_use]
    pub const fn new(tag: u16) -> Self {
        Exchange {
            calls: Table::new(tag),
            accept: Accept { json: true, sse: false, sse_named: false },
            state: State::New,
            streams: false,
            listens: false,
            sessions: Sessions::Off,
            in_session: false,
            numbering: None,
            dropped: 0,
        }
    }

    /// Looks at the head of the request: Host, Origin, method, Content-Type, Content-Length. `Some`: refuse it with this
    /// and do not read the body.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`]; [`LocalError::Over`] if this was done before.
    pub fn gate<C, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        endpoint: &Endpoint<'_>,
        request: &Request<'_>,
        out: &mut S,
    ) -> Result<Option<Head>, LocalError> {
        if self.state != State::New {
            return Err(LocalError::Over);
        }
        // Sessions belong to the handshake era: a server without it has none, whatever its host could keep.
        let sessions = match server.profile.revisions.serves(Era::Handshake) {
            true => endpoint.sessions,
            false => Sessions::Off,
        };
        let endpoint = &Endpoint { sessions, ..*endpoint };
        let found = gate::Looked::for_in(request.headers);
        let refusal =
            whole(out, |out| Ok(gate::check(endpoint, request, &found, server.limits.message_bytes, out)?))?;
        self.accept = match found.accept {
            Found::Nowhere => Some(Accept::ANY),
            Found::Once(line) => Accept::usual(line),
            Found::Repeated => None,
        }
        .unwrap_or_else(|| Accept::parse(request.headers.texts("Accept")));
        self.streams = endpoint.streams;
        self.listens = endpoint.listens;
        self.sessions = endpoint.sessions;
        self.state = if refusal.is_some() { State::Over } else { State::Gated };
        Ok(refusal)
    }

    /// The session that a request names, if it names one in the handshake era; `None` also for an id that cannot be one.
    #[must_use]
    pub fn session_id<'r>(request: &Request<'r>) -> Option<&'r str> {
        request.headers.text(super::headers::name::SESSION).ok().flatten()
    }

    /// Whether notifications for this request can be delivered, so that it is worth streaming. Wildcards do not count:
    /// a client that takes anything gets plain JSON.
    #[must_use]
    pub fn can_stream(&self) -> bool {
        self.streams && self.accept.sse && (self.accept.sse_named || !self.accept.json)
    }

    /// How many notifications were dropped because the answer has to be one JSON object.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Takes the body of a request that passed the gate (of GET and DELETE: an empty one), with what the host found under
    /// its `Mcp-Session-Id`.
    ///
    /// # Errors
    /// [`LocalError::Over`] if it did not; [`LocalError::OutputFull`].
    pub fn accept<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: &Request<'_>,
        attached: Attached<'_>,
        body: &'m [u8],
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        if self.state != State::Gated {
            return Err(LocalError::Over);
        }
        // Not unwrapped, which would copy it: a step is large.
        let step = whole(out, |out| match request.method {
            "POST" => self.read(server, request, attached, body, out),
            _ => self.without_body(server, request, attached, out),
        });
        if !matches!(step, Ok(HttpStep::Call(_) | HttpStep::Batch(_)) | Err(_)) {
            self.state = State::Over;
        }
        step
    }
}
