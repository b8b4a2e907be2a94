//! The head of an HTTP request as it came, and how what answers it becomes a record.

use std::net::IpAddr;
use std::rc::Rc;

use mcpgraft::http::events::Event;
use mcpgraft::http::{self, Head, Headers, cors};

use crate::record::{Record, Slot, Text, flag};
use crate::shared::Shared;

/// The head of a request, and how it is served.
pub(crate) struct Request {
    pub(crate) shared: Rc<Shared>,
    pub(crate) method: String,
    headers: Vec<(String, Vec<u8>)>,
    peer_is_loopback: Option<bool>,
    pub(crate) streams: bool,
    pub(crate) listens: bool,
}

impl Request {
    /// `headers`: names and values, each with a NUL behind it.
    pub(crate) fn new(
        shared: Rc<Shared>,
        method: String,
        headers: &str,
        peer: Option<&str>,
        streams: bool,
        listens: bool,
    ) -> Self {
        // Hosts hand headers over as text decoded from Latin-1, as `node:http` does.
        let latin1 = |value: &str| match value.chars().map(|c| u8::try_from(u32::from(c))).collect() {
            Ok(bytes) => bytes,
            Err(_) => value.as_bytes().to_vec(),
        };
        let mut parts = headers.split('\0');
        let mut all = Vec::new();
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            all.push((name.to_owned(), latin1(value)));
        }
        let peer_is_loopback =
            peer.and_then(|peer| peer.parse::<IpAddr>().ok()).map(|peer| peer.to_canonical().is_loopback());
        Request { shared, method, headers: all, peer_is_loopback, streams, listens }
    }

    /// Shows it to the core.
    pub(crate) fn view<R>(&self, with: impl FnOnce(&http::Request<'_>) -> R) -> R {
        let borrowed: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        with(&http::Request {
            method: &self.method,
            headers: Headers(&borrowed),
            peer_is_loopback: self.peer_is_loopback,
        })
    }

    /// Writes status and headers into a record, with what browsers need to see the response.
    pub(crate) fn head<'h>(
        &self,
        record: &mut Record,
        status: u16,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    ) {
        let mut all: Vec<_> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.shared.endpoint(self.streams, self.listens, |endpoint| {
            self.view(|request| {
                cors::headers(&endpoint.guard, request, |name, value| {
                    all.push((name.to_owned(), value.to_owned()));
                });
            });
        });
        record.number(Slot::Status, u64::from(status));
        record.pairs(Slot::Headers, all.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    }

    /// Writes a whole response into a record.
    pub(crate) fn reply(&self, record: &mut Record, head: &Head, body: &[u8]) {
        record.bytes(Slot::Body, body);
        self.head(record, head.status, head.headers());
    }

    /// What is to be written now, and the event in it that is to be kept.
    pub(crate) fn emit(&self, emit: http::Emit, event: Option<Event>, out: &[u8]) -> Text {
        let mut record = Record::new(out.len());
        record.bytes(Slot::Body, out);
        if let Some(event) = event.filter(|_| matches!(emit, http::Emit::Events { .. })) {
            record.number(Slot::Number, u64::from(event.number));
            record.bytes(Slot::Kept, out.get(event.start..).unwrap_or_default());
        }
        let (head, end) = match emit {
            http::Emit::Whole(head) => (Some(head), true),
            http::Emit::Events { start, end } => (start, end),
            http::Emit::Held => (None, false),
            http::Emit::Nothing => (None, true),
        };
        if let Some(head) = head {
            self.head(&mut record, head.status, head.headers());
        }
        record.flag(flag::END, end);
        record.done()
    }
}
