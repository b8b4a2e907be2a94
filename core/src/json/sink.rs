//! Where output goes: a growing vector, a bounded one, a plain slice, or whoever drains it as it comes.

use thiserror::Error;

/// The output has no room for what should be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the output buffer is full")]
pub struct Full;

/// A place that takes bytes at its end.
pub trait Sink {
    /// Appends all of `bytes`, or nothing.
    ///
    /// # Errors
    /// [`Full`] if they do not fit (or, for a growing vector, if no memory is left).
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full>;

    /// How many bytes it holds.
    fn len(&self) -> usize;

    /// Whether it holds nothing yet.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Goes back to an earlier [`len`](Sink::len), to undo what was put since; a greater one changes nothing.
    fn truncate(&mut self, len: usize);

    /// How many bytes it can still take; `usize::MAX` if only memory or the peer bounds it. A list ends its page there.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// Begins (`true`) or ends a trial: what is put in between is taken back with [`truncate`](Sink::truncate). `true`: the
    /// bytes are only counted, and have to be put again. A sink that can take back anything need not do this.
    fn trial(&mut self, on: bool) -> bool {
        let _ = on;
        false
    }

    /// Whether something could not be put, for a sink that takes nothing more then: `Some`, and a [`Writer`](super::Writer)
    /// goes on without looking at each [`put`](Sink::put), so that its callers see the failure at the end. That is much less
    /// code for a device.
    fn torn(&self) -> Option<bool> {
        None
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        (**self).put(bytes)
    }

    fn len(&self) -> usize {
        (**self).len()
    }

    fn truncate(&mut self, len: usize) {
        (**self).truncate(len);
    }

    fn room(&self) -> usize {
        (**self).room()
    }

    fn trial(&mut self, on: bool) -> bool {
        (**self).trial(on)
    }

    fn torn(&self) -> Option<bool> {
        (**self).torn()
    }
}

impl<const N: usize> Sink for heapless::Vec<u8, N> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.extend_from_slice(bytes).map_err(|_| Full)
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn truncate(&mut self, len: usize) {
        heapless::Vec::truncate(self, len);
    }

    fn room(&self) -> usize {
        N - self.as_slice().len()
    }
}

#[cfg(feature = "alloc")]
impl Sink for alloc::vec::Vec<u8> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.try_reserve(bytes.len()).map_err(|_| Full)?;
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn truncate(&mut self, len: usize) {
        alloc::vec::Vec::truncate(self, len);
    }
}

/// A [`Sink`] over memory the caller lends.
#[derive(Debug)]
pub struct SliceSink<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> SliceSink<'a> {
    /// An empty sink that fills `buffer` from its start.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// What was put so far.
    pub fn written(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

impl Sink for SliceSink<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.len.checked_add(bytes.len()).ok_or(Full)?;
        self.buffer.get_mut(self.len..end).ok_or(Full)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }

    fn len(&self) -> usize {
        self.len
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    fn room(&self) -> usize {
        self.buffer.len() - self.len
    }
}

/// Puts bytes. Into a sink that remembers its failure, whatever comes of it.
pub(crate) fn put<S: Sink + ?Sized>(out: &mut S, bytes: &[u8]) -> Result<(), Full> {
    let done = out.put(bytes);
    if out.torn().is_some() { Ok(()) } else { done }
}

/// Runs `write`; if it fails, takes back whatever it had put.
pub(crate) fn whole<S: Sink + ?Sized>(
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<(), Full>,
) -> Result<(), Full> {
    if out.torn().is_some() {
        let _ = write(out);
        return Ok(());
    }
    let before = out.len();
    write(out).inspect_err(|_| out.truncate(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaves(sink: &mut dyn Sink) {
        assert!(sink.is_empty());
        assert_eq!(sink.put(b"abcd"), Ok(()));
        assert_eq!(sink.put(b"efg"), Err(Full));
        assert_eq!(sink.len(), 4);
        sink.truncate(9);
        sink.truncate(3);
        assert_eq!(sink.put(b"xyz"), Ok(()));
        assert_eq!(sink.len(), 6);
    }

    #[test]
    fn bounded_sinks_take_all_or_nothing() {
        let mut bounded = heapless::Vec::<u8, 6>::new();
        behaves(&mut bounded);
        assert_eq!(bounded.as_slice(), b"abcxyz");
        let mut memory = [0; 6];
        let mut slice = SliceSink::new(&mut memory);
        behaves(&mut slice);
        assert_eq!(slice.written(), b"abcxyz");
    }
}
