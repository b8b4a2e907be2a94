//! A log of the last lines, in memory of a fixed size.

use heapless::Deque;

/// Bytes of log that are kept.
pub const LOG: usize = 512;

/// The last whole lines that fit.
pub struct Log(Deque<u8, LOG>);

impl Log {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Log(Deque::new())
    }

    /// Adds a line of ASCII, given in pieces; other characters become `?`. The oldest lines make room for it.
    pub fn add(&mut self, pieces: &[&str]) {
        let line = pieces.iter().flat_map(|piece| piece.bytes()).chain([b'\n']);
        for byte in line {
            if self.0.is_full() {
                while self.0.pop_front().is_some_and(|byte| byte != b'\n') {}
            }
            let _ = self.0.push_back(if byte.is_ascii() { byte } else { b'?' });
        }
    }

    /// All of it, in two pieces.
    #[must_use]
    pub fn pieces(&self) -> [&str; 2] {
        let (first, second) = self.0.as_slices();
        [first, second].map(|piece| core::str::from_utf8(piece).unwrap_or_default())
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}
