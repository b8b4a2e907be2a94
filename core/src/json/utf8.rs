//! Characters out of single bytes, for decoders whose output nobody can look back into.

/// The bytes that follow each other are not UTF-8.
pub(crate) struct NotUtf8;

/// The bytes of a character that is not complete yet.
#[derive(Default)]
pub(crate) struct Partial {
    bytes: [u8; 4],
    len: usize,
}

impl Partial {
    /// Adds a byte; gives the character it completes.
    pub(crate) fn push(&mut self, byte: u8) -> Result<Option<char>, NotUtf8> {
        *self.bytes.get_mut(self.len).ok_or(NotUtf8)? = byte;
        self.len += 1;
        match core::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()) {
            Ok(text) => {
                self.len = 0;
                Ok(text.chars().next())
            }
            Err(error) if error.error_len().is_none() => Ok(None),
            Err(_) => Err(NotUtf8),
        }
    }

    /// Says that a character must be complete here.
    pub(crate) fn end(&self) -> Result<(), NotUtf8> {
        if self.len == 0 { Ok(()) } else { Err(NotUtf8) }
    }
}
