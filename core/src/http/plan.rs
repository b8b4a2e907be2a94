//! What a response looks like from outside: status and headers.

use crate::jsonrpc::Malformed;
use crate::revision::{Revision, codes};
use crate::server::Fault;

/// Status and headers of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The HTTP status code.
    pub status: u16,
    /// What follows.
    pub body: Body,
}

/// The body of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    None,
    /// None: the method is not served; `Allow` says which are.
    Allow {
        /// There are sessions, which need GET and DELETE.
        sessions: bool,
    },
    /// One JSON value.
    Json,
    /// Server-sent events.
    Events,
}

impl Head {
    /// The notification was taken; there is nothing to say.
    pub const ACCEPTED: Head = Head { status: 202, body: Body::None };
    /// The session is over, as was asked.
    pub const ENDED: Head = Head { status: 200, body: Body::None };
    /// A browser asked whether a page may talk to the endpoint, and it may; see [`super::cors`].
    pub const PREFLIGHT: Head = Head { status: 204, body: Body::None };
    /// An event stream begins.
    pub const EVENTS: Head = Head { status: 200, body: Body::Events };

    /// The method is not served.
    pub(crate) const fn not_allowed(sessions: bool) -> Head {
        Head { status: 405, body: Body::Allow { sessions } }
    }

    pub(crate) const fn json(status: u16) -> Head {
        Head { status, body: Body::Json }
    }

    /// The headers to send, `Content-Length` and the host's own aside.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
        // no-transform and X-Accel-Buffering: a proxy that collects events would hold them back for ever.
        const EVENTS: &[(&str, &str)] = &[
            ("Content-Type", "text/event-stream"),
            ("Cache-Control", "no-cache, no-transform"),
            ("X-Accel-Buffering", "no"),
        ];
        const ALLOW: &[(&str, &str)] = &[("Allow", "POST")];
        const ALLOW_SESSIONS: &[(&str, &str)] = &[("Allow", "GET, POST, DELETE")];
        match self.body {
            Body::Json => JSON,
            Body::Events => EVENTS,
            Body::Allow { sessions: false } => ALLOW,
            Body::Allow { sessions: true } => ALLOW_SESSIONS,
            Body::None => &[],
        }
        .iter()
        .copied()
    }
}

/// What to send now. The bytes are in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// The whole response.
    Whole(Head),
    /// A piece of an event stream.
    Events {
        /// To be sent before the bytes.
        start: Option<Head>,
        /// The stream ends after them.
        end: bool,
    },
    /// Nothing yet: the answer belongs to a batch; ask for its next step.
    Held,
    /// Nothing: it was not wanted, or nobody is there any more.
    Nothing,
}

/// Status for a message that was refused. `revision`: as which revision it was read.
pub(crate) fn refused(fault: &Fault<'_>, revision: Option<Revision>) -> u16 {
    match fault {
        Fault::TooLong { .. } => 413,
        Fault::SessionGone => 404,
        Fault::TooManySubscriptions { .. } => 503,
        Fault::Json(_)
        | Fault::Malformed(Malformed::NotObject)
        | Fault::Malformed(_)
        | Fault::NoBatch
        | Fault::EmptyBatch
        | Fault::LongBatch { .. }
        | Fault::InitializeInBatch
        | Fault::NoSession
        | Fault::AlreadyInitialized
        | Fault::NoResponse
        | Fault::Twice { .. }
        | Fault::Envelope { .. }
        | Fault::Version { .. }
        | Fault::VersionHeader { .. }
        | Fault::NoTasks
        | Fault::Header { .. }
        | Fault::ParamHeader { .. } => 400,
        // "the server MUST respond with 404 Not Found": stateless revisions only; older ones have no rule.
        Fault::NoMethod { .. } if revision.is_some_and(Revision::is_stateless) => 404,
        _ => 200,
    }
}

/// Status for a call of the host that failed with this code.
pub(crate) fn failed(code: Option<i32>, revision: Revision) -> u16 {
    match code {
        Some(codes::METHOD_NOT_FOUND) if revision.is_stateless() => 404,
        Some(codes::HEADER_MISMATCH | codes::MISSING_CAPABILITY | codes::UNSUPPORTED_VERSION) => 400,
        _ => 200,
    }
}
