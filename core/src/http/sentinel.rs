//! Strings in header values (2026-07-28, `Mcp-Name` and `Mcp-Param-*`): plain where a header can carry them, else
//! wrapped as `=?base64?…?=`.
//!
//! A value is wrapped only if it starts with exactly `=?base64?` and ends with `?=`; everything else is literal.
//! White space around a header value is not part of it (RFC 9110 §5.5).

use crate::json::{Full, NotUtf8, Partial, Sink, Str, whole};
use thiserror::Error;

const OPEN: &[u8] = b"=?base64?";
const CLOSE: &[u8] = b"?=";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Why a header value means no string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadHeader {
    /// A byte other than visible ASCII, space and tab.
    #[error(
        "the header holds bytes other than visible ASCII, space and tab; wrap the value as =?base64?...?="
    )]
    Bytes,
    /// What is wrapped is not canonical standard Base64 with padding (RFC 4648 §4).
    #[error("the header's =?base64?...?= does not hold canonical, padded Base64")]
    Base64,
    /// What is wrapped is not UTF-8.
    #[error("the header's =?base64?...?= does not decode to UTF-8")]
    Utf8,
}

impl From<NotUtf8> for BadHeader {
    fn from(_: NotUtf8) -> Self {
        Self::Utf8
    }
}

/// Why a header value could not be decoded into a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// It means no string.
    #[error(transparent)]
    Bad(#[from] BadHeader),
    /// The string does not fit.
    #[error(transparent)]
    Full(#[from] Full),
}

/// Whether a header value means the same string as `body` does.
///
/// # Errors
/// [`BadHeader`] if the header value means no string at all, whatever `body` is.
pub fn equals(header: &[u8], body: Str<'_>) -> Result<bool, BadHeader> {
    let (mut chars, mut same) = (body.chars(), true);
    each_char(header, |c| {
        same = same && chars.next() == Some(c);
        Ok::<(), BadHeader>(())
    })?;
    Ok(same && chars.next().is_none())
}

/// Appends the string a header value means, as UTF-8.
///
/// # Errors
/// [`DecodeError`]; then nothing was appended.
pub fn decode(header: &[u8], out: &mut (impl Sink + ?Sized)) -> Result<(), DecodeError> {
    let before = out.len();
    each_char(header, |c| Ok(out.put(c.encode_utf8(&mut [0; 4]).as_bytes())?))
        .inspect_err(|_: &DecodeError| out.truncate(before))
}

/// Appends the header value for `value`: itself if a header can carry it unchanged, else wrapped. The empty string
/// is wrapped, because an empty header is easily lost on the way.
///
/// # Errors
/// [`Full`] if it does not fit; then nothing was appended.
pub fn encode(value: &str, out: &mut (impl Sink + ?Sized)) -> Result<(), Full> {
    let bytes = value.as_bytes();
    let plain = bytes.iter().all(|b| (0x20..=0x7E).contains(b))
        && bytes.first().is_some_and(|b| *b != b' ')
        && bytes.last() != Some(&b' ')
        && wrapped(bytes).is_none();
    if plain {
        return out.put(bytes);
    }
    whole(out, |out| {
        out.put(OPEN)?;
        for group in bytes.chunks(3) {
            let bits = group.iter().chain(&[0, 0]).take(3).fold(0u32, |bits, b| bits << 8 | u32::from(*b));
            let mut letters = [b'='; 4];
            for (letter, shift) in letters.iter_mut().take(group.len() + 1).zip([18, 12, 6, 0]) {
                *letter = ALPHABET.get((bits >> shift & 63) as usize).copied().unwrap_or(b'=');
            }
            out.put(&letters)?;
        }
        out.put(CLOSE)
    })
}

/// What stands between the marks of a wrapped value.
fn wrapped(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(OPEN)?.strip_suffix(CLOSE)
}

/// Without the spaces and tabs around it.
fn trim(value: &[u8]) -> &[u8] {
    let inside = |b: &u8| !matches!(b, b' ' | b'\t');
    let start = value.iter().position(inside).unwrap_or(value.len());
    let end = value.iter().rposition(inside).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// Hands over the characters a header value means, one by one.
fn each_char<E: From<BadHeader>>(
    header: &[u8],
    mut take: impl FnMut(char) -> Result<(), E>,
) -> Result<(), E> {
    let value = trim(header);
    if !value.iter().all(|b| matches!(b, 0x20..=0x7E | b'\t')) {
        return Err(BadHeader::Bytes.into());
    }
    let Some(base64) = wrapped(value) else {
        return value.iter().try_for_each(|b| take(char::from(*b)));
    };
    let (groups, rest) = base64.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(BadHeader::Base64.into());
    }
    let mut partial = Partial::default();
    for (index, group) in groups.iter().enumerate() {
        let (bytes, len) = ungroup(group, index + 1 == groups.len()).ok_or(BadHeader::Base64)?;
        for byte in bytes.iter().take(len) {
            if let Some(c) = partial.push(*byte).map_err(BadHeader::from)? {
                take(c)?;
            }
        }
    }
    Ok(partial.end().map_err(BadHeader::from)?)
}

/// The bytes of four Base64 letters, and how many there are: three, or fewer in the last group if it is padded.
fn ungroup(group: &[u8; 4], last: bool) -> Option<([u8; 3], usize)> {
    let padding = group.iter().rev().take_while(|b| **b == b'=').count();
    if padding > 2 || (padding > 0 && !last) {
        return None;
    }
    let mut bits = 0u32;
    for letter in group.iter().take(4 - padding) {
        let sextet = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(sextet);
    }
    bits <<= 6 * padding;
    let [_, a, b, c] = bits.to_be_bytes();
    // Canonical: the bits that stand for no byte are zero, so one string has one spelling.
    let clean = match padding {
        0 => true,
        1 => c == 0,
        _ => b == 0 && c == 0,
    };
    clean.then_some(([a, b, c], 3 - padding))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Out = heapless::Vec<u8, 64>;

    // proves: S-121, T-096
    #[test]
    fn vectors_both_ways() {
        for (value, header) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("a\tb", "=?base64?YQli?="),
            ("", "=?base64??="),
            ("=?base64?open", "=?base64?open"),
            ("=?base64?=", "=?base64?="),
            ("=?BASE64?eA==?=", "=?BASE64?eA==?="),
            ("a b", "a b"),
            ("\u{7f}", "=?base64?fw==?="),
        ] {
            let (mut encoded, mut decoded) = (Out::new(), Out::new());
            assert_eq!(encode(value, &mut encoded), Ok(()));
            assert_eq!(encoded.as_slice(), header.as_bytes(), "{value:?}");
            assert_eq!(decode(header.as_bytes(), &mut decoded), Ok(()));
            assert_eq!(decoded.as_slice(), value.as_bytes(), "{header}");
            let mut body = Out::new();
            crate::json::escape(value, &mut body).unwrap();
            let body = Str::trusted(core::str::from_utf8(&body).unwrap());
            assert_eq!(equals(header.as_bytes(), body), Ok(true), "{header}");
            assert_eq!(equals(b"something else", body), Ok(false));
        }
    }

    #[test]
    fn compares_what_is_meant() {
        let body = Str::trusted(r#""\u4e16\u754c""#);
        assert_eq!(equals("=?base64?5LiW55WM?=".as_bytes(), body), Ok(true));
        assert_eq!(equals(b" \t=?base64?5LiW55WM?= ", body), Ok(true));
        assert_eq!(equals(b"=?base64?5LiW?=", body), Ok(false));
        assert_eq!(equals(b"", Str::trusted("\"\"")), Ok(true));
        assert_eq!(equals(b"a\tb", Str::trusted(r#""a\tb""#)), Ok(true));
        assert_eq!(equals(b"abc", Str::trusted(r#""ab""#)), Ok(false));
        assert_eq!(equals(b"ab", Str::trusted(r#""abc""#)), Ok(false));
    }

    // proves: S-123, T-096
    #[test]
    fn refuses_what_means_nothing() {
        let bad = |header: &[u8]| equals(header, Str::trusted("\"x\"")).err();
        for header in ["世界".as_bytes(), b"a\x00b", b"a\nb", b"a\r", b"a\x7fb", b"\xff"] {
            assert_eq!(bad(header), Some(BadHeader::Bytes));
        }
        for middle in [
            "A", "AA", "AAA", "A===", "====", "AA=A", "eA==eA==", "eB==", "eHl=", "e A=", "eA=?", "-_-_",
            "eA",
        ] {
            let mut header = heapless::Vec::<u8, 32>::new();
            for part in [OPEN, middle.as_bytes(), CLOSE] {
                header.put(part).unwrap();
            }
            assert_eq!(bad(&header), Some(BadHeader::Base64), "{middle}");
        }
        for header in [&b"=?base64?/w==?="[..], b"=?base64?5Lg=?=", b"=?base64?7aCA?="] {
            assert_eq!(bad(header), Some(BadHeader::Utf8));
        }
    }

    #[test]
    fn a_full_sink_gets_nothing() {
        let mut out = heapless::Vec::<u8, 3>::new();
        assert_eq!(decode(b"=?base64?5LiW55WM?=", &mut out), Err(DecodeError::Full(Full)));
        assert_eq!(encode("é", &mut out), Err(Full));
        assert!(out.is_empty());
    }
}
