//! What the percent-encoded values of a URI mean (RFC 3986, section 2.1).

use crate::json::{Full, Partial, Sink};
use thiserror::Error;

/// Why a percent-encoded value means no string, or could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PercentError {
    /// A `%` without two hexadecimal digits after it, at this byte.
    #[error("'%' at byte {0} is not followed by two hexadecimal digits; write %25 for a literal one")]
    Escape(usize),
    /// The decoded bytes are not UTF-8.
    #[error("the percent-encoded bytes are not UTF-8")]
    Utf8,
    /// The string does not fit.
    #[error(transparent)]
    Full(#[from] Full),
}

/// Appends what a value of a URI means: `%XX` becomes that byte, the rest stays (`+` too).
///
/// # Errors
/// [`PercentError`]; then nothing was appended.
pub fn percent_decode(raw: &str, out: &mut (impl Sink + ?Sized)) -> Result<(), PercentError> {
    let before = out.len();
    decode_into(raw.as_bytes(), out).inspect_err(|_| out.truncate(before))
}

fn decode_into(raw: &[u8], out: &mut (impl Sink + ?Sized)) -> Result<(), PercentError> {
    let (mut partial, mut at) = (Partial::default(), 0);
    while let Some(first) = raw.get(at) {
        let byte = match first {
            b'%' => {
                let byte = escape_at(raw, at).ok_or(PercentError::Escape(at))?;
                at += 3;
                byte
            }
            plain => {
                at += 1;
                *plain
            }
        };
        if let Some(c) = partial.push(byte).map_err(|_| PercentError::Utf8)? {
            out.put(c.encode_utf8(&mut [0; 4]).as_bytes())?;
        }
    }
    partial.end().map_err(|_| PercentError::Utf8)
}

/// The byte that `%XX` at this place means.
pub(super) fn escape_at(text: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(16));
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_decoding() {
        let decoded = |raw| {
            let mut out = heapless::Vec::<u8, 8>::new();
            percent_decode(raw, &mut out).inspect_err(|_| assert!(out.is_empty()))?;
            Ok::<_, PercentError>(heapless::String::<8>::from_utf8(out).unwrap())
        };
        for (raw, meant) in
            [("", ""), ("a+b", "a+b"), ("a%20b%2f", "a b/"), ("%C3%a9é", "éé"), ("%F0%9F%98%80", "😀")]
        {
            assert_eq!(decoded(raw).as_deref(), Ok(meant));
        }
        for (raw, error) in [
            ("a%", PercentError::Escape(1)),
            ("a%2", PercentError::Escape(1)),
            ("a%2g", PercentError::Escape(1)),
            ("%FF", PercentError::Utf8),
            ("%C3", PercentError::Utf8),
            ("%C3a", PercentError::Utf8),
            ("%C3é", PercentError::Utf8),
            ("123456789", PercentError::Full(Full)),
        ] {
            assert_eq!(decoded(raw), Err(error), "{raw}");
        }
    }
}
