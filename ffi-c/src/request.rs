//! The head of an HTTP request, kept while its exchange lasts.

use mcpgraft::http::events::StreamName;
use mcpgraft::http::{self, Headers, Sessions};

use crate::abi::{mcpgraft_flag, mcpgraft_request, mcpgraft_str};
use crate::guard::{Done, bytes, maybe, utf8};
use crate::memory::Scratch;
use crate::trouble::Trouble;

const WRONG_NAME: Trouble = Trouble::argument("events must be 1 to 32 letters, digits, \"_\" and \"-\"");

/// Most headers of a request.
const MAX_HEADERS: usize = 1000;

/// The head of the request: copies, so that the host need not keep them.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) text: Scratch,
    pub(crate) method: &'static str,
    /// Views of `text`, which does not move before the next request.
    pub(crate) headers: Vec<(&'static str, &'static [u8])>,
    pub(crate) local: Option<bool>,
    /// It has an `Origin`: a browser sends it.
    pub(crate) from_page: bool,
    pub(crate) streams: bool,
    pub(crate) listens: bool,
    pub(crate) sessions: Sessions,
    /// Where the host keeps events: the name of this exchange's stream.
    pub(crate) events: Option<StreamName>,
}

impl Kept {
    /// Copies a request of C.
    ///
    /// # Safety
    /// A structure whose size was looked at, and whose pointers are good.
    pub(crate) unsafe fn read(&mut self, given: &mcpgraft_request) -> Done<usize> {
        if given.header_count > MAX_HEADERS {
            return Err(Trouble::argument("a request can have 1000 headers at most"));
        }
        // SAFETY: the caller's promise.
        let method = unsafe { utf8("method", given.method) }?;
        let list = if given.header_count == 0 {
            &[]
        } else if given.headers.is_null() || !given.headers.is_aligned() {
            return Err(Trouble::Null("headers"));
        } else {
            // SAFETY: the caller's promise.
            unsafe { std::slice::from_raw_parts(given.headers, given.header_count) }
        };
        let mut room = method.len();
        for header in list {
            // SAFETY: the caller's promise.
            let (name, value) = unsafe { (bytes("headers", header.name)?, bytes("headers", header.value)?) };
            room += name.len() + value.len();
        }
        // SAFETY: the caller's promise.
        let events = unsafe { maybe("events", given.events) }?;
        self.events = events.map(|name| StreamName::new(name).ok_or(WRONG_NAME)).transpose()?;
        self.headers.clear();
        self.method = "";
        self.headers.try_reserve(list.len()).map_err(|_| Trouble::NO_MEMORY)?;
        self.text.room(room)?;
        let kept = |view: mcpgraft_str| -> &'static [u8] {
            // SAFETY: a view of `text`, used only until the next request is read.
            if view.len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(view.ptr.cast(), view.len) } }
        };
        self.method = std::str::from_utf8(kept(self.text.copy(method.as_bytes()))).unwrap_or_default();
        for header in list {
            // SAFETY: the caller's promise.
            let (name, value) = unsafe { (bytes("headers", header.name)?, bytes("headers", header.value)?) };
            // What the library does not look at need not be copied.
            if let Some(name) = Headers::known(name) {
                self.headers.push((name, kept(self.text.copy(value))));
            } else if Headers::mirrors(name)
                && let Ok(name) = std::str::from_utf8(kept(self.text.copy(name)))
            {
                self.headers.push((name, kept(self.text.copy(value))));
            }
        }
        let has = |flag: mcpgraft_flag| given.flags & flag as u32 != 0;
        self.from_page = self.headers.iter().any(|(name, _)| *name == "Origin");
        self.local = match (has(mcpgraft_flag::MCPGRAFT_PEER_LOCAL), has(mcpgraft_flag::MCPGRAFT_PEER_REMOTE))
        {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        };
        self.streams = has(mcpgraft_flag::MCPGRAFT_STREAMS);
        self.listens = has(mcpgraft_flag::MCPGRAFT_LISTENS);
        Ok(room)
    }

    pub(crate) fn borrow(&self) -> http::Request<'_> {
        http::Request { method: self.method, headers: Headers(&self.headers), peer_is_loopback: self.local }
    }
}
