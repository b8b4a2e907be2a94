//! The head of an HTTP request as it came, and how what answers it becomes a record.

use std::net::IpAddr;
use std::rc::Rc;

use mcpgraft::http::events::Event;
use mcpgraft::http::{self, Head, Headers, cors};

use crate::record::{Record, Slot, Text, flag};
use crate::shared::Shared;

/// The head of a request, and how it is served. It is used again for the next request: its memory stays.
pub(crate) struct Request {
    pub(crate) shared: Rc<Shared>,
    pub(crate) method: String,
    /// Names one after the other, and the same of values.
    names: String,
    values: Vec<u8>,
    /// Where the name and the value of each header end.
    ends: Vec<(usize, usize)>,
    peer_is_loopback: Option<bool>,
    pub(crate) streams: bool,
    pub(crate) listens: bool,
}

impl Request {
    pub(crate) const fn new(shared: Rc<Shared>) -> Self {
        Request {
            shared,
            method: String::new(),
            names: String::new(),
            values: Vec::new(),
            ends: Vec::new(),
            peer_is_loopback: None,
            streams: false,
            listens: false,
        }
    }

    /// Takes the head of the next request. `headers`: names and values, each with a NUL behind it.
    pub(crate) fn take(
        &mut self,
        method: String,
        headers: &str,
        peer: Option<&str>,
        streams: bool,
        listens: bool,
    ) {
        self.method = method;
        (self.streams, self.listens) = (streams, listens);
        self.names.clear();
        self.values.clear();
        self.ends.clear();
        let mut parts = headers.split('\0');
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            self.names.push_str(name);
            // Hosts hand headers over as text decoded from Latin-1, as `node:http` does.
            if value.is_ascii() || value.chars().any(|c| u32::from(c) > 0xff) {
                self.values.extend_from_slice(value.as_bytes());
            } else {
                self.values.extend(value.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()));
            }
            self.ends.push((self.names.len(), self.values.len()));
        }
        self.peer_is_loopback =
            peer.and_then(|peer| peer.parse::<IpAddr>().ok()).map(|peer| peer.to_canonical().is_loopback());
    }

    /// Shows it to the core.
    pub(crate) fn view<R>(&self, with: impl FnOnce(&http::Request<'_>) -> R) -> R {
        let mut from = (0, 0);
        let mut header = |&(named, valued): &(usize, usize)| {
            let (name, value) = std::mem::replace(&mut from, (named, valued));
            let name = self.names.get(name..named).unwrap_or_default();
            (name, self.values.get(value..valued).unwrap_or_default())
        };
        let borrowed: Vec<(&str, &[u8])> = self.ends.iter().map(&mut header).collect();
        with(&http::Request {
            method: &self.method,
            headers: Headers(&borrowed),
            peer_is_loopback: self.peer_is_loopback,
        })
    }

    /// Writes status and headers into a record, with what browsers need to see the response. The headers are names and
    /// values, each with a NUL behind it.
    pub(crate) fn head<'h>(
        &self,
        record: &mut Record,
        status: u16,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    ) {
        let mut all = String::new();
        let mut add = |name: &str, value: &str| {
            for part in [name, "\0", value, "\0"] {
                all.push_str(part);
            }
        };
        headers.into_iter().for_each(|(name, value)| add(name, value));
        self.shared.endpoint(self.streams, self.listens, |endpoint| {
            self.view(|request| cors::headers(&endpoint.guard, request, &mut add));
        });
        record.number(Slot::Status, u64::from(status));
        record.text(Slot::Headers, &all);
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
