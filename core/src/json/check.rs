//! The checker: decides whether a text is JSON.

use super::Raw;
use super::error::{JsonError, JsonErrorKind};
use super::scan::{hex4, plain_run, skip_space};
use core::ops::Range;

/// The deepest nesting [`check`] can follow, whatever its `max_depth` says.
pub const MAX_DEPTH: u16 = 256;

/// Checks that `text` is exactly one JSON value (RFC 8259), with white space around it allowed.
///
/// `max_depth` is the number of arrays and objects that may be open at once (`[]` has depth 1, `1` has depth 0);
/// more than [`MAX_DEPTH`] counts as [`MAX_DEPTH`]. Stricter than the RFC demands in two ways: the bytes must be
/// UTF-8, and `\u` escapes must not leave half a surrogate pair. Names that stand twice in an object are *not*
/// looked for: see [`Raw::pick`].
///
/// # Errors
/// [`JsonError`] names the first offence; bytes that are not UTF-8 are reported before any other.
pub fn check(text: &[u8], max_depth: u16) -> Result<Raw<'_>, JsonError> {
    check_str(utf8(text)?, max_depth).map(|(value, _)| value)
}

/// The text of bytes, if they are UTF-8.
pub(crate) fn utf8(text: &[u8]) -> Result<&str, JsonError> {
    core::str::from_utf8(text).map_err(|e| JsonError { kind: JsonErrorKind::Utf8, offset: e.valid_up_to() })
}

/// As [`check`], of a text whose characters are known to be good. Says, too, whether the value is known to be one line.
pub(super) fn check_str(valid: &str, max_depth: u16) -> Result<(Raw<'_>, bool), JsonError> {
    check_by(valid, max_depth, Checker::value)
}

/// As [`check_str`]; `walk` goes over the value, and may look at it on the way.
#[cfg_attr(feature = "alloc", inline(always))]
pub(super) fn check_by<'a>(
    valid: &'a str,
    max_depth: u16,
    walk: impl FnOnce(&mut Checker<'a>) -> Result<(), JsonErrorKind>,
) -> Result<(Raw<'a>, bool), JsonError> {
    let mut checker = Checker::new(valid, max_depth)?;
    let range = checker.document(walk).map_err(|kind| JsonError { kind, offset: checker.at })?;
    Ok((part(valid, range)?, checker.line))
}

/// The value that stands there.
fn part(text: &str, range: Range<usize>) -> Result<Raw<'_>, JsonError> {
    // Never an error: both ends are ASCII bytes of valid UTF-8.
    let value = text.get(range).ok_or(JsonError { kind: JsonErrorKind::Utf8, offset: 0 })?;
    Ok(Raw::trusted(value))
}

/// Bits of a machine word: shifting more at once is much code where it is done in software.
const WORD: usize = usize::BITS as usize;

/// The containers open at a point of the text: one bit each, set for an object.
pub(super) struct Open {
    bits: [usize; MAX_DEPTH as usize / WORD],
    depth: u16,
    limit: u16,
}

impl Open {
    fn new(limit: u16) -> Self {
        Self { bits: [0; MAX_DEPTH as usize / WORD], depth: 0, limit: limit.min(MAX_DEPTH) }
    }

    pub(super) fn push(&mut self, object: bool) -> Result<(), JsonErrorKind> {
        if self.depth >= self.limit {
            return Err(JsonErrorKind::Depth);
        }
        let word = self.bits.get_mut(usize::from(self.depth) / WORD).ok_or(JsonErrorKind::Depth)?;
        let bit = 1 << (usize::from(self.depth) % WORD);
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    pub(super) fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Whether the innermost container is an object.
    fn innermost(&self) -> bool {
        let top = usize::from(self.depth.saturating_sub(1));
        self.bits.get(top / WORD).is_some_and(|word| (word >> (top % WORD)) & 1 == 1)
    }
}

/// A text on its way to be [checked](check).
pub(crate) struct Checker<'a> {
    pub(super) text: &'a str,
    /// How far it is.
    pub(super) at: usize,
    pub(super) open: Open,
    /// No line break was seen. Not looked for without a heap: false there.
    line: bool,
}

impl<'a> Checker<'a> {
    fn new(text: &'a str, max_depth: u16) -> Result<Self, JsonError> {
        if text.starts_with('\u{feff}') {
            return Err(JsonError { kind: JsonErrorKind::Bom, offset: 0 });
        }
        Ok(Checker { text, at: 0, open: Open::new(max_depth), line: cfg!(feature = "alloc") })
    }

    /// The byte that stands here.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[cfg_attr(feature = "alloc", inline(always))]
    pub(super) fn space(&mut self) {
        // Between most tokens there is none.
        if !cfg!(feature = "alloc") || self.peek().is_some_and(|byte| byte <= b' ') {
            self.spaces();
        }
    }

    fn spaces(&mut self) {
        let from = self.at;
        self.at = skip_space(self.text.as_bytes(), from);
        // On small machines answers are short: looking for line breaks again costs less than this code.
        if cfg!(feature = "alloc") && self.at > from {
            let skipped = self.text.as_bytes().get(from..self.at).unwrap_or_default();
            self.line &= !skipped.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        }
    }

    /// The error for what stands here: the end of the text is always [`JsonErrorKind::Eof`].
    pub(super) fn wrong(&self, kind: JsonErrorKind) -> JsonErrorKind {
        if self.at >= self.text.len() { JsonErrorKind::Eof } else { kind }
    }

    #[cfg_attr(feature = "alloc", inline(always))]
    fn document(
        &mut self,
        walk: impl FnOnce(&mut Self) -> Result<(), JsonErrorKind>,
    ) -> Result<Range<usize>, JsonErrorKind> {
        self.space();
        let start = self.at;
        walk(self)?;
        let end = self.at;
        self.space();
        if self.at < self.text.len() { Err(JsonErrorKind::Trailing) } else { Ok(start..end) }
    }

    /// One value, whatever is open around it.
    ///
    /// # Errors
    /// What is wrong where it stands now.
    pub(super) fn value(&mut self) -> Result<(), JsonErrorKind> {
        let around = self.open.depth;
        loop {
            // At a value. An opened container goes round again for its first element.
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'{') => {
                    self.open.push(true)?;
                    self.at += 1;
                    self.space();
                    if self.peek() != Some(b'}') {
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.open.push(false)?;
                    self.at += 1;
                    self.space();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                _ => return Err(self.wrong(JsonErrorKind::Value)),
            }
            // After a value, or at the end of an empty container: close what ends here, then go to the next value.
            loop {
                if self.open.depth == around {
                    return Ok(());
                }
                let object = self.open.innermost();
                self.space();
                match (self.peek(), object) {
                    (Some(b','), true) => {
                        self.at += 1;
                        self.space();
                        self.key()?;
                        break;
                    }
                    (Some(b','), false) => {
                        self.at += 1;
                        self.space();
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        self.open.pop();
                    }
                    (_, true) => return Err(self.wrong(JsonErrorKind::ObjectEnd)),
                    (_, false) => return Err(self.wrong(JsonErrorKind::ArrayEnd)),
                }
            }
        }
    }

    /// A member name and its colon, up to the value.
    #[cfg_attr(feature = "alloc", inline(always))]
    fn key(&mut self) -> Result<(), JsonErrorKind> {
        self.name()?;
        self.colon()
    }

    /// A member name. Gives whether it has no escape.
    #[cfg_attr(feature = "alloc", inline(always))]
    pub(super) fn name(&mut self) -> Result<bool, JsonErrorKind> {
        if self.peek() == Some(b'"') { self.string() } else { Err(self.wrong(JsonErrorKind::Key)) }
    }

    /// The colon after a member name, up to the value.
    #[cfg_attr(feature = "alloc", inline(always))]
    pub(super) fn colon(&mut self) -> Result<(), JsonErrorKind> {
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.wrong(JsonErrorKind::Colon));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonErrorKind> {
        for expected in word {
            if self.peek() != Some(*expected) {
                return Err(self.wrong(JsonErrorKind::Literal));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonErrorKind> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(JsonErrorKind::Number);
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), JsonErrorKind> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong(JsonErrorKind::Number)) } else { Ok(()) }
    }

    /// A string, from its opening quote. Gives whether it has no escape; not looked for without a heap.
    #[cfg_attr(feature = "alloc", inline(always))]
    pub(super) fn string(&mut self) -> Result<bool, JsonErrorKind> {
        let start = self.at + 1;
        self.at = start;
        // Most have none: only those with one are gone over in a loop.
        if cfg!(feature = "alloc") {
            self.at = start + plain_run(self.text.as_bytes().get(start..).unwrap_or_default());
            if self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(true);
            }
        }
        self.rest_of_string().map(|()| false)
    }

    /// The rest of a string.
    #[cfg_attr(feature = "alloc", cold, inline(never))]
    fn rest_of_string(&mut self) -> Result<(), JsonErrorKind> {
        loop {
            self.at += plain_run(self.text.as_bytes().get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => return Err(JsonErrorKind::Control),
                None => return Err(JsonErrorKind::Eof),
            }
        }
    }

    /// An escape, from the byte after its backslash.
    fn escape(&mut self) -> Result<(), JsonErrorKind> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                let start = self.at;
                self.at += 1;
                let half = match self.hex4()? {
                    0xD800..=0xDBFF if self.text.as_bytes().get(self.at..self.at + 2) == Some(b"\\u") => {
                        self.at += 2;
                        !matches!(self.hex4()?, 0xDC00..=0xDFFF)
                    }
                    0xD800..=0xDFFF => true,
                    _ => false,
                };
                if half {
                    self.at = start - 1;
                    return Err(JsonErrorKind::Surrogate);
                }
                Ok(())
            }
            _ => Err(self.wrong(JsonErrorKind::Escape)),
        }
    }

    fn hex4(&mut self) -> Result<u32, JsonErrorKind> {
        if let Some(unit) = hex4(self.text.as_bytes(), self.at) {
            self.at += 4;
            return Ok(unit);
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
            self.at += 1;
        }
        Err(self.wrong(JsonErrorKind::Escape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &[u8]) -> Option<(JsonErrorKind, usize)> {
        check(text, 8).err().map(|e| (e.kind, e.offset))
    }

    #[test]
    fn accepts_every_form() {
        for text in [
            "0",
            "-0",
            "10",
            "-1.5e+10",
            "0.0",
            "1E5",
            "true",
            "false",
            "null",
            "\"\"",
            "\"é😀\\ud83d\\ude00\\u00e9\\/\"",
            "[]",
            "[ ]",
            "{ }",
            "[1,[2,{\"a\":[ ]}], \"x\" ]",
            "{\"a\":1,\"a\":2 , \"\":{}}",
            "\"\x7f\"",
        ] {
            assert_eq!(check(text.as_bytes(), 8).map(Raw::text), Ok(text));
        }
        assert_eq!(check(b" \t\r\n[1 , 2]\n ", 8).map(Raw::text), Ok("[1 , 2]"));
    }

    #[test]
    fn refuses_with_the_place() {
        use JsonErrorKind::*;
        for (text, expected) in [
            (&b""[..], (Eof, 0)),
            (b"  ", (Eof, 2)),
            (b"\xEF\xBB\xBF1", (Bom, 0)),
            (b"\"\xff\"", (Utf8, 1)),
            (b"\"abc", (Eof, 4)),
            (b"[1", (Eof, 2)),
            (b"[1,]", (Value, 3)),
            (b"[1 2]", (ArrayEnd, 3)),
            (b"[1}", (ArrayEnd, 2)),
            (b"{\"a\":1]", (ObjectEnd, 6)),
            (b"{a:1}", (Key, 1)),
            (b"{\"a\" 1}", (Colon, 5)),
            (b"{\"a\":1,}", (Key, 7)),
            (b"{,}", (Key, 1)),
            (b"01", (Number, 1)),
            (b"-", (Eof, 1)),
            (b"-a", (Number, 1)),
            (b"1.", (Eof, 2)),
            (b"1.e1", (Number, 2)),
            (b"1e", (Eof, 2)),
            (b"+1", (Value, 0)),
            (b".5", (Value, 0)),
            (b"NaN", (Value, 0)),
            (b"nul", (Eof, 3)),
            (b"nulL", (Literal, 3)),
            (b"true1", (Trailing, 4)),
            (b"1 2", (Trailing, 2)),
            (b"]", (Value, 0)),
            (b"\"\\x\"", (Escape, 2)),
            (b"\"\\u12g4\"", (Escape, 5)),
            (b"\"a\nb\"", (Control, 2)),
            (b"\"\\ud800\"", (Surrogate, 1)),
            (b"\"\\udc00\"", (Surrogate, 1)),
            (b"\"\\ud800\\ud800\"", (Surrogate, 1)),
            (b"\"\\ud800\\n\"", (Surrogate, 1)),
            (b"1\0", (Trailing, 1)),
            (b"\x0c1", (Value, 0)),
        ] {
            assert_eq!(kind(text), Some(expected), "{:?}", core::str::from_utf8(text));
        }
    }

    #[test]
    fn depth_is_counted_in_open_containers() {
        assert!(check(b"1", 0).is_ok());
        assert_eq!(kind(b"[[[[[[[[]]]]]]]]"), None);
        assert_eq!(kind(b"[[[[[[[[{}]]]]]]]]"), Some((JsonErrorKind::Depth, 8)));
        assert_eq!(
            check(&[b'['; 10_000], u16::MAX).map_err(|e| (e.kind, e.offset)),
            Err((JsonErrorKind::Depth, 256))
        );
        let mut deep = [b'['; 512];
        deep[256..].fill(b']');
        assert!(check(&deep, 256).is_ok());
    }

    #[test]
    fn messages_name_place_and_expectation() {
        use core::fmt::Write;
        let mut text = heapless::String::<128>::new();
        write!(text, "{}; {}", check(b"{\"a\" 1}", 8).unwrap_err(), check(b"{\"a\":1]", 8).unwrap_err())
            .unwrap();
        assert_eq!(
            text.as_str(),
            "invalid JSON at byte 5: expected ':' after the member name; invalid JSON at byte 6: expected ',' or '}'"
        );
    }
}
