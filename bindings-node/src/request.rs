//! The head of an HTTP request as it came, and how what answers it becomes a record.

use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;

use mcpgraft::http::events::Event;
use mcpgraft::http::{self, Head, Headers, cors};

use crate::record::{Record, Slot, Text, flag};
use crate::shared::Shared;

/// Headers of most requests; more are gathered on the heap.
const FEW: usize = 16;

/// Bytes that the headers of most responses have room in.
const HEAD: usize = 256;

/// The head of a request, and how it is served. It is used again for the next request: its memory stays.
pub(crate) struct Request {
    pub(crate) shared: Rc<Shared>,
    pub(crate) method: String,
    /// Names and values as they came, a NUL behind each.
    text: String,
    /// Where they are in it.
    headers: Vec<(Range<usize>, Value)>,
    /// Values that are not ASCII, one after the other.
    latin: Vec<u8>,
    peer_is_loopback: Option<bool>,
    pub(crate) streams: bool,
    pub(crate) listens: bool,
}

enum Value {
    Text(Range<usize>),
    Latin(Range<usize>),
}

impl Request {
    pub(crate) const fn new(shared: Rc<Shared>) -> Self {
        Request {
            shared,
            method: String::new(),
            text: String::new(),
            headers: Vec::new(),
            latin: Vec::new(),
            peer_is_loopback: None,
            streams: false,
            listens: false,
        }
    }

    /// Takes the head of the next request. `text`: names and values, each with a NUL behind it.
    pub(crate) fn take(
        &mut self,
        method: String,
        text: String,
        peer: Option<&str>,
        streams: bool,
        listens: bool,
    ) {
        self.method = method;
        (self.streams, self.listens) = (streams, listens);
        self.headers.clear();
        self.latin.clear();
        let ascii = text.is_ascii();
        let (mut from, mut name) = (0, None);
        for (at, _) in text.bytes().enumerate().filter(|(_, byte)| *byte == 0) {
            let part = from..at;
            from = at + 1;
            match name.take() {
                None => name = Some(part),
                Some(name) if ascii => self.headers.push((name, Value::Text(part))),
                Some(name) => {
                    let value = self.value(&text, part);
                    self.headers.push((name, value));
                }
            }
        }
        self.text = text;
        self.peer_is_loopback =
            peer.and_then(|peer| peer.parse::<IpAddr>().ok()).map(|peer| peer.to_canonical().is_loopback());
    }

    /// Hosts hand headers over as text decoded from Latin-1, as `node:http` does.
    fn value(&mut self, text: &str, part: Range<usize>) -> Value {
        let value = text.get(part.clone()).unwrap_or_default();
        if value.is_ascii() || value.chars().any(|c| u32::from(c) > 0xff) {
            return Value::Text(part);
        }
        let start = self.latin.len();
        self.latin.extend(value.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()));
        Value::Latin(start..self.latin.len())
    }

    fn header(&self, (name, value): &(Range<usize>, Value)) -> (&str, &[u8]) {
        let bytes = match value {
            Value::Text(part) => self.text.as_bytes().get(part.clone()),
            Value::Latin(part) => self.latin.get(part.clone()),
        };
        (self.text.get(name.clone()).unwrap_or_default(), bytes.unwrap_or_default())
    }

    /// Shows it to the core.
    pub(crate) fn view<R>(&self, with: impl FnOnce(&http::Request<'_>) -> R) -> R {
        let mut few: [(&str, &[u8]); FEW] = [("", &[]); FEW];
        let mut many = Vec::new();
        let headers = if let Some(room) = few.get_mut(..self.headers.len()) {
            room.iter_mut().zip(&self.headers).for_each(|(place, header)| *place = self.header(header));
            room
        } else {
            many.extend(self.headers.iter().map(|header| self.header(header)));
            many.as_mut_slice()
        };
        with(&http::Request {
            method: &self.method,
            headers: Headers(headers),
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
        let mut all = String::with_capacity(HEAD);
        let mut add = |name: &str, value: &str| {
            for part in [name, "\0", value, "\0"] {
                all.push_str(part);
            }
        };
        headers.into_iter().for_each(|(name, value)| add(name, value));
        let guard = self.shared.endpoint(self.streams, self.listens).guard;
        self.view(|request| cors::headers(&guard, request, &mut add));
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
