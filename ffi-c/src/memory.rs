//! Memory that is used again and again: outputs and decoded text. Once it has grown, a call allocates nothing.

use std::ffi::c_char;

use mcpgraft::json::{Full, Sink, Str};

use crate::abi::{mcpgraft_header, mcpgraft_str};
use crate::guard::Done;
use crate::trouble::Trouble;

/// Where answers are written: memory of the handle, or a buffer the host lends.
#[derive(Debug, Default)]
pub(crate) struct Output {
    own: Vec<u8>,
    lent: Option<Lent>,
}

#[derive(Debug)]
struct Lent {
    start: *mut u8,
    room: usize,
    len: usize,
}

// SAFETY: whoever lends a buffer lends it to the thread that uses the handle.
unsafe impl Send for Lent {}

impl Output {
    /// Uses this buffer from now on; NULL: memory of its own.
    ///
    /// # Safety
    /// `room` bytes can be written at `start` until another buffer is named or the handle is freed.
    pub(crate) unsafe fn lend(&mut self, start: *mut c_char, room: usize) {
        self.lent = (!start.is_null()).then_some(Lent { start: start.cast(), room, len: 0 });
    }

    /// Begins anew.
    pub(crate) fn clear(&mut self) {
        self.truncate(0);
    }

    /// What is in it, until it is written to again.
    pub(crate) fn view(&self) -> mcpgraft_str {
        match &self.lent {
            _ if self.is_empty() => mcpgraft_str::NONE,
            Some(lent) => mcpgraft_str { ptr: lent.start.cast(), len: lent.len },
            None => mcpgraft_str::of(&self.own),
        }
    }

    /// What is in its own memory.
    pub(crate) fn own(&self) -> &[u8] {
        &self.own
    }

    /// A core error; an output of its own is full only if no memory is left.
    pub(crate) fn trouble(&self, error: mcpgraft::LocalError) -> Trouble {
        match error {
            mcpgraft::LocalError::OutputFull if self.lent.is_none() => Trouble::NO_MEMORY,
            error => Trouble::Local(error),
        }
    }
}

/// Appends bytes. (`extend_from_slice` looks for room once more, and compiled for size none of it is inlined.)
///
/// # Safety
/// There is room for them.
unsafe fn append(held: &mut Vec<u8>, bytes: &[u8]) {
    // SAFETY: the caller's promise; they are not its own, which is borrowed to be changed.
    unsafe {
        held.as_mut_ptr().add(held.len()).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        held.set_len(held.len() + bytes.len());
    }
}

impl Sink for Output {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let Some(lent) = &mut self.lent else {
            if bytes.len() > self.own.capacity() - self.own.len() {
                return self.own.put(bytes);
            }
            // SAFETY: there is room.
            unsafe { append(&mut self.own, bytes) };
            return Ok(());
        };
        if bytes.len() > lent.room - lent.len {
            return Err(Full);
        }
        // SAFETY: there is room, and the host has lent it. Its own data may lie in the same buffer: copy either way.
        unsafe { std::ptr::copy(bytes.as_ptr(), lent.start.add(lent.len), bytes.len()) };
        lent.len += bytes.len();
        Ok(())
    }

    fn len(&self) -> usize {
        self.lent.as_ref().map_or(self.own.len(), |lent| lent.len)
    }

    fn truncate(&mut self, len: usize) {
        match &mut self.lent {
            Some(lent) => lent.len = lent.len.min(len),
            None => self.own.truncate(len),
        }
    }
}

/// Text that had to be decoded or copied. Room is made before anything happens; after that nothing moves, so that views
/// stay good until room is made again.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Vec<u8>);

impl Scratch {
    /// Forgets everything and makes room for `len` bytes.
    pub(crate) fn room(&mut self, len: usize) -> Done {
        self.0.clear();
        self.0.try_reserve(len).map_err(|_| Trouble::NO_MEMORY)
    }

    /// What `write` wrote; `None` if there was no room for it.
    pub(crate) fn written(
        &mut self,
        write: impl FnOnce(&mut Fixed<'_>) -> Result<(), Full>,
    ) -> Option<mcpgraft_str> {
        let start = self.0.len();
        let done = write(&mut Fixed(&mut self.0));
        if done.is_err() {
            self.0.truncate(start);
            return None;
        }
        self.0.get(start..).map(mcpgraft_str::of)
    }

    /// A copy.
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> mcpgraft_str {
        self.written(|out| out.put(bytes)).unwrap_or(mcpgraft_str::NONE)
    }

    /// A JSON string as it reads: the message itself where nothing is escaped.
    pub(crate) fn text(&mut self, text: Str<'_>) -> mcpgraft_str {
        match text.plain() {
            Some(plain) => mcpgraft_str::of(plain.as_bytes()),
            None => self.written(|out| text.decode(out)).unwrap_or(mcpgraft_str::NONE),
        }
    }

    /// The same, for this library's own use.
    ///
    /// # Safety
    /// What comes back is used before room is made again, and no longer than the text lives.
    pub(crate) unsafe fn str<'c>(&mut self, text: Str<'c>) -> Option<&'c str> {
        match text.plain() {
            Some(plain) => Some(plain),
            None => {
                let view = self.written(|out| text.decode(out))?;
                // SAFETY: nothing moves; see the caller's promise.
                std::str::from_utf8(unsafe { std::slice::from_raw_parts(view.ptr.cast(), view.len) }).ok()
            }
        }
    }
}

/// A sink that never moves what it holds.
pub(crate) struct Fixed<'s>(&'s mut Vec<u8>);

impl Sink for Fixed<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if bytes.len() > self.0.capacity() - self.0.len() {
            return Err(Full);
        }
        // SAFETY: there is room.
        unsafe { append(self.0, bytes) };
        Ok(())
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

/// Headers with their text.
#[derive(Debug, Default)]
pub(crate) struct HeaderList {
    list: Vec<mcpgraft_header>,
    text: Scratch,
}

// SAFETY: its pointers lead into its own text.
unsafe impl Send for HeaderList {}

impl HeaderList {
    /// Forgets everything and makes room for so many headers, and for so many bytes of text.
    pub(crate) fn room(&mut self, headers: usize, text: usize) -> Done {
        self.list.clear();
        self.list.try_reserve(headers).map_err(|_| Trouble::NO_MEMORY)?;
        self.text.room(text)
    }

    /// Adds one. What there is no room for is left out.
    pub(crate) fn add(&mut self, name: &[u8], value: &[u8]) {
        if self.list.len() < self.list.capacity() {
            let header = mcpgraft_header { name: self.text.copy(name), value: self.text.copy(value) };
            self.list.push(header);
        }
    }

    pub(crate) fn list(&self) -> &[mcpgraft_header] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_buffer_is_never_overrun() {
        let mut memory = [0_u8; 8];
        let mut output = Output::default();
        unsafe { output.lend(memory.as_mut_ptr().cast(), 6) };
        assert_eq!(output.put(b"abcd"), Ok(()));
        assert_eq!(output.put(b"efg"), Err(Full));
        assert_eq!(output.put(b"ef"), Ok(()));
        assert_eq!(output.view().len, 6);
        unsafe { output.lend(std::ptr::null_mut(), 0) };
        assert_eq!(output.put(b"efghijklmnop"), Ok(()));
        assert_eq!(&memory, b"abcdef\0\0");
    }

    #[test]
    fn scratch_does_not_move() {
        let mut scratch = Scratch::default();
        scratch.room(4).unwrap();
        let room = scratch.0.capacity();
        let first = scratch.copy(b"ab");
        assert!(scratch.copy(&vec![b'x'; room]).ptr.is_null());
        assert_eq!(scratch.copy(b"cd").ptr, unsafe { first.ptr.add(2) });
        let text = unsafe { scratch.str(Str::trusted("\"plain\"")) };
        assert_eq!(text, Some("plain"));
    }
}
