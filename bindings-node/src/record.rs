//! How a step comes to JavaScript: as one string, made in one call, with a table of its parts at the beginning. The
//! classes in `native/record.js` cut out of it what is asked for.
//!
//! A table entry is ten characters below 128. For a part they are two numbers of five characters, lowest seven bits first:
//! where it begins and how long it is, in UTF-16 units; both 0 if there is none. For a number they are its lowest 35 bits
//! and those above.

use std::ptr;

use mcpgraft::json::Writer;
use napi::bindgen_prelude::{Buffer, ToNapiValue};
use napi::sys;

use crate::argument::key_number;

/// What an entry of the table is about. The same list stands in `native/record.js`.
#[derive(Clone, Copy)]
pub(crate) enum Slot {
    Event,
    /// What to send: a message, or the body of a response.
    Body,
    Flags,
    Key,
    Left,
    Ask,
    Method,
    Params,
    Text,
    Kind,
    Name,
    Entry,
    Arguments,
    Variables,
    Cursor,
    Meta,
    Revision,
    ClientInfo,
    ClientCapabilities,
    InputResponses,
    RequestState,
    LogLevel,
    Origin,
    Token,
    TaskTtl,
    Status,
    Headers,
    Session,
    Stream,
    After,
    Number,
    Kept,
}

/// Entries of the table.
const SLOTS: usize = Slot::Kept as usize + 1;

/// Characters of an entry.
const ENTRY: usize = 10;

/// Bytes that the short parts of most records have room in: names, kinds, a head.
const SPARE: usize = 256;

/// Bits of [`Slot::Flags`]. The same list stands in `native/record.js`.
pub(crate) mod flag {
    pub(crate) const BATCH: u64 = 1 << 1;
    pub(crate) const CALL: u64 = 1 << 2;
    pub(crate) const LISTENER: u64 = 1 << 3;
    pub(crate) const END: u64 = 1 << 4;
    pub(crate) const STATELESS: u64 = 1 << 5;
    pub(crate) const PROGRESS: u64 = 1 << 6;
    pub(crate) const BATCHED: u64 = 1 << 7;
    pub(crate) const TASKS: u64 = 1 << 8;
    pub(crate) const WANTS_TASK: u64 = 1 << 9;
    pub(crate) const WAITS: u64 = 1 << 10;
    pub(crate) const OVER: u64 = 1 << 11;
    pub(crate) const FAILED: u64 = 1 << 13;
    pub(crate) const EXPERIMENTAL: u64 = 1 << 12;
}

/// Two numbers below 2^35 as ten characters.
pub(crate) fn entry(low: u64, high: u64) -> [u8; ENTRY] {
    std::array::from_fn(|at| {
        let (number, digit) = if at < 5 { (low, at) } else { (high, at - 5) };
        (number >> (7 * digit) & 0x7f) as u8
    })
}

/// A record in the making.
pub(crate) struct Record {
    text: Vec<u8>,
    /// Its length in UTF-16 units.
    units: usize,
    flags: u64,
}

impl Record {
    /// An empty table; parts of that many bytes are expected.
    pub(crate) fn new(expected: usize) -> Self {
        let mut text = Vec::with_capacity(SLOTS * ENTRY + SPARE + expected);
        text.resize(SLOTS * ENTRY, 0);
        Record { text, units: SLOTS * ENTRY, flags: 0 }
    }

    fn enter(&mut self, slot: Slot, low: u64, high: u64) {
        let at = slot as usize * ENTRY;
        if let Some(room) = self.text.get_mut(at..at + ENTRY) {
            room.copy_from_slice(&entry(low, high));
        }
    }

    pub(crate) fn flag(&mut self, flag: u64, on: bool) {
        if on {
            self.flags |= flag;
        }
    }

    pub(crate) fn number(&mut self, slot: Slot, number: u64) {
        self.enter(slot, number & ((1 << 35) - 1), number >> 35);
    }

    pub(crate) fn key(&mut self, key: mcpgraft::server::CallKey) {
        self.number(Slot::Key, key_number(key));
    }

    pub(crate) fn text(&mut self, slot: Slot, text: &str) {
        let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
        self.put(slot, text.as_bytes(), units);
    }

    fn put(&mut self, slot: Slot, utf8: &[u8], units: usize) {
        self.enter(slot, self.units as u64, units as u64);
        self.text.extend_from_slice(utf8);
        self.units += units;
    }

    pub(crate) fn maybe(&mut self, slot: Slot, text: Option<&str>) {
        if let Some(text) = text {
            self.text(slot, text);
        }
    }

    /// What the core wrote, which is UTF-8.
    pub(crate) fn bytes(&mut self, slot: Slot, bytes: &[u8]) {
        if bytes.is_ascii() {
            self.put(slot, bytes, bytes.len());
        } else {
            self.text(slot, &String::from_utf8_lossy(bytes));
        }
    }

    /// Bytes that are no text, two characters each.
    pub(crate) fn hex(&mut self, slot: Slot, bytes: &[u8]) {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        let text: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        self.text(slot, &text);
    }

    /// Pairs of texts as a JSON array of arrays.
    pub(crate) fn pairs<'p>(&mut self, slot: Slot, pairs: impl IntoIterator<Item = (&'p str, &'p str)>) {
        self.bytes(
            slot,
            &json(|w| {
                w.begin_array()?;
                for (name, value) in pairs {
                    w.begin_array()?;
                    w.string(name)?;
                    w.string(value)?;
                    w.end_array()?;
                }
                w.end_array()
            }),
        );
    }

    pub(crate) fn done(mut self) -> Text {
        self.number(Slot::Flags, self.flags);
        Text(self.text)
    }
}

/// What a writer writes.
pub(crate) fn json(
    write: impl FnOnce(&mut Writer<'_, Vec<u8>>) -> Result<(), mcpgraft::json::Full>,
) -> Vec<u8> {
    let mut out = Vec::new();
    // A Vec has room.
    let _ = write(&mut Writer::new(&mut out));
    out
}

/// UTF-8 that becomes a JavaScript string.
pub struct Text(pub(crate) Vec<u8>);

impl Text {
    /// `None` if nothing was written.
    pub(crate) fn written(out: Vec<u8>) -> Option<Text> {
        (!out.is_empty()).then_some(Text(out))
    }
}

impl ToNapiValue for Text {
    unsafe fn to_napi_value(env: sys::napi_env, text: Self) -> napi::Result<sys::napi_value> {
        let (bytes, length) = (text.0.as_ptr().cast(), text.0.len() as isize);
        let mut value = ptr::null_mut();
        // SAFETY: the bytes are alive. ASCII is Latin-1, which is only copied; but the Latin-1 of emnapi ends at a NUL.
        napi::check_status!(unsafe {
            if cfg!(not(target_family = "wasm")) && text.0.is_ascii() {
                sys::napi_create_string_latin1(env, bytes, length, &raw mut value)
            } else {
                sys::napi_create_string_utf8(env, bytes, length, &raw mut value)
            }
        })?;
        Ok(value)
    }
}

/// Bytes that become a `Buffer`.
pub struct Bytes(pub(crate) Vec<u8>);

/// Bytes from this length on are handed over and not copied. V8 hears of memory that is not its own as pressure, and looks
/// for garbage the sooner: below this a copy is the cheaper way.
const HANDED_OVER: usize = 1 << 18;

impl ToNapiValue for Bytes {
    unsafe fn to_napi_value(env: sys::napi_env, bytes: Self) -> napi::Result<sys::napi_value> {
        if bytes.0.len() >= HANDED_OVER {
            // SAFETY: `env` is that of the running call.
            return unsafe { Buffer::to_napi_value(env, Buffer::from(bytes.0)) };
        }
        let (from, length) = (bytes.0.as_ptr().cast(), bytes.0.len());
        let (mut copy, mut value) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the bytes are alive.
        napi::check_status!(unsafe {
            sys::napi_create_buffer_copy(env, length, from, &raw mut copy, &raw mut value)
        })?;
        Ok(value)
    }
}
