//! Output that leaves while it is written: for messages larger than any buffer.

use super::{Full, Sink};

/// A [`Sink`] over a small buffer that is handed to `drain` whenever it is full: a UART, a socket.
///
/// What has left cannot be taken back. The library takes back only the last few bytes of what it writes, and whole messages
/// only when the sink is full; this one is full only after `drain` has failed, when the line is dead anyway. So use one for
/// each message, or each batch, and call [`end_line`](Stream::end_line) after it. A [`Writer`](super::Writer) leaves it to
/// that call to tell of the failure.
///
/// ```
/// use mcpgraft::json::{Sink, Stream};
/// let mut sent = Vec::new();
/// let mut memory = [0; 4];
/// let mut out = Stream::new(&mut memory, |bytes| {
///     sent.extend_from_slice(bytes);
///     true
/// });
/// out.put(b"longer than four")?;
/// out.end_line()?;
/// assert_eq!(sent, b"longer than four\n");
/// # Ok::<(), mcpgraft::json::Full>(())
/// ```
#[derive(Debug)]
pub struct Stream<'b, D> {
    buffer: &'b mut [u8],
    /// How much of the buffer is in use.
    held: usize,
    /// How many bytes have left.
    gone: usize,
    /// How many it is taken to hold: those that have left, those in the buffer, and those that were only counted.
    len: usize,
    trial: bool,
    /// `drain` failed, or something that has left was to be taken back.
    torn: bool,
    drain: D,
}

impl<'b, D: FnMut(&[u8]) -> bool> Stream<'b, D> {
    /// An empty one. `drain` takes all of the bytes it is given, and says `false` if it could not; it is not asked again
    /// then. A buffer of 64 to 256 bytes does; of 0 bytes, everything is handed on as it comes.
    pub const fn new(buffer: &'b mut [u8], drain: D) -> Self {
        Stream { buffer, held: 0, gone: 0, len: 0, trial: false, torn: false, drain }
    }

    /// Ends the message with a line feed, if there is one, and drains what is left. The sink is as new then.
    ///
    /// # Errors
    /// [`Full`]: `drain` failed now or before, so the peer has a part of a message at most.
    pub fn end_line(&mut self) -> Result<(), Full> {
        if self.len() > 0 {
            self.put(b"\n")?;
        }
        self.flush()?;
        self.gone = 0;
        self.len = 0;
        if self.torn { Err(Full) } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Full> {
        let held = self.buffer.get(..self.held).unwrap_or_default();
        if !held.is_empty() {
            self.torn |= !(self.drain)(held);
            self.gone += self.held;
            self.held = 0;
        }
        if self.torn { Err(Full) } else { Ok(()) }
    }
}

impl<D: FnMut(&[u8]) -> bool> Sink for Stream<'_, D> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if self.trial {
            self.len += bytes.len();
            return Ok(());
        }
        if self.torn {
            return Err(Full);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            // Not drained before more has come: the last byte can always be taken back.
            if self.held == self.buffer.len() {
                self.flush()?;
            }
            let free = self.buffer.get_mut(self.held..).unwrap_or_default();
            if free.is_empty() {
                self.torn |= !(self.drain)(rest);
                self.gone += rest.len();
                self.len += rest.len();
                return if self.torn { Err(Full) } else { Ok(()) };
            }
            let count = free.len().min(rest.len());
            for (to, from) in free.iter_mut().zip(rest) {
                *to = *from;
            }
            self.held += count;
            self.len += count;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.len
    }

    fn truncate(&mut self, len: usize) {
        self.torn |= len < self.gone;
        self.held = self.held.min(len.saturating_sub(self.gone));
        self.len = self.len.min(len.max(self.gone));
    }

    fn trial(&mut self, on: bool) -> bool {
        self.trial = on;
        true
    }

    fn torn(&self) -> Option<bool> {
        Some(self.torn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Writer;

    type Sent = heapless::Vec<u8, 64>;

    #[test]
    fn everything_leaves_in_order() {
        for size in 0..9 {
            let mut sent = Sent::new();
            let mut memory = [0; 8];
            let mut out =
                Stream::new(&mut memory[..size], |bytes: &[u8]| sent.extend_from_slice(bytes).is_ok());
            assert_eq!(out.end_line(), Ok(()));
            for piece in ["a", "", "bcdefghij", "k"] {
                out.put(piece.as_bytes()).unwrap();
            }
            assert_eq!((out.len(), out.room()), (11, usize::MAX));
            out.end_line().unwrap();
            assert!(out.is_empty());
            out.put(b"x").unwrap();
            out.end_line().unwrap();
            assert_eq!(sent, b"abcdefghijk\nx\n", "{size}");
        }
    }

    #[test]
    fn the_last_byte_can_be_taken_back_and_a_trial_leaves_nothing() {
        let mut sent = Sent::new();
        let mut memory = [0; 4];
        let mut out = Stream::new(&mut memory, |bytes: &[u8]| sent.extend_from_slice(bytes).is_ok());
        for length in 0..9 {
            let start = out.len();
            assert_eq!(start, length);
            out.put(b"[").unwrap();
            out.truncate(start);
            assert!(out.trial(true));
            out.put(b"a long text that is only counted").unwrap();
            assert_eq!(out.len(), start + 32);
            out.truncate(start + 2);
            assert_eq!(out.len(), start + 2);
            assert!(out.trial(false));
            out.truncate(start);
            out.put(b"x").unwrap();
        }
        out.end_line().unwrap();
        assert_eq!(sent, b"xxxxxxxxx\n");
    }

    #[test]
    fn a_dead_line_and_lost_bytes_are_told() {
        let mut tries = 0;
        let mut memory = [0; 2];
        let mut out = Stream::new(&mut memory, |_: &[u8]| {
            tries += 1;
            false
        });
        assert_eq!(out.put(b"ab"), Ok(()));
        assert_eq!(out.put(b"c"), Err(Full));
        assert_eq!(out.put(b"d"), Err(Full));
        assert_eq!(out.end_line(), Err(Full));
        assert_eq!(Writer::new(&mut out).string("e"), Ok(()));
        assert_eq!(out.end_line(), Err(Full));
        assert_eq!(tries, 1);
        let mut memory = [0; 2];
        let mut out = Stream::new(&mut memory, |_: &[u8]| true);
        out.put(b"abcdef").unwrap();
        out.truncate(1);
        assert_eq!(out.end_line(), Err(Full));
    }
}
