//! A JSON string, read and compared without being unescaped first.

use super::scan::{hex4, quote_run, same_plain};
use super::sink::whole;
use super::{Full, Sink};
use core::fmt;

/// A JSON string as it stands on the wire: in quotes, escapes and all.
///
/// Every comparison is by the characters the string means: `"p\u0069ng"` equals `ping`.
#[derive(Clone, Copy)]
pub struct Str<'a>(&'a str);

impl<'a> Str<'a> {
    /// Takes `raw_with_quotes` for a valid JSON string without looking. Text that is none gives wrong answers
    /// later, never a panic.
    pub const fn trusted(raw_with_quotes: &'a str) -> Self {
        Self(raw_with_quotes)
    }

    /// The string as on the wire, with its quotes.
    pub const fn raw(self) -> &'a str {
        self.0
    }

    /// The string as on the wire, without its quotes.
    pub fn escaped(self) -> &'a str {
        #[cfg(feature = "alloc")]
        if let [b'"', .., b'"'] = self.0.as_bytes() {
            return self.0.get(1..self.0.len() - 1).unwrap_or_default();
        }
        let inner = self.0.strip_prefix('"').unwrap_or(self.0);
        inner.strip_suffix('"').unwrap_or(inner)
    }

    /// The string itself, if it holds no escape.
    pub fn plain(self) -> Option<&'a str> {
        let inner = self.escaped();
        (quote_run(inner.as_bytes()) == inner.len()).then_some(inner)
    }

    /// The characters it means.
    pub fn chars(self) -> Chars<'a> {
        Chars(self.escaped().chars())
    }

    /// Whether it means the empty string.
    pub fn is_empty(self) -> bool {
        self.escaped().is_empty()
    }

    /// Whether it means `other`.
    #[expect(
        clippy::should_implement_trait,
        reason = "PartialEq<str> is there too; this form takes its arguments by value"
    )]
    #[cfg_attr(all(feature = "alloc", not(feature = "small")), inline(always))]
    pub fn eq(self, other: &str) -> bool {
        // An escape is always longer than what it means, so equal lengths leave no room for one.
        match self.0.len().cmp(&(other.len() + 2)) {
            core::cmp::Ordering::Less => false,
            core::cmp::Ordering::Equal => {
                matches!(self.0.as_bytes(), [_, inner @ .., _] if same_plain(inner, other.as_bytes()))
            }
            // Equal only with an escape in it; most names differ in their first letter already.
            #[cfg(not(feature = "alloc"))]
            core::cmp::Ordering::Greater => self.chars().eq(other.chars()),
            #[cfg(feature = "alloc")]
            core::cmp::Ordering::Greater => {
                let first = self.0.as_bytes().get(1);
                (first == other.as_bytes().first() || first == Some(&b'\\')) && self.means(other)
            }
        }
    }

    /// Whether it is `other` as it stands, without an escape in it.
    pub(crate) fn is_plainly(self, other: &[u8]) -> bool {
        matches!(self.0.as_bytes(), [_, inner @ .., _] if inner.len() == other.len() && same_plain(inner, other))
    }

    /// Whether it means `other`, by its characters.
    #[cfg(feature = "alloc")]
    #[inline(never)]
    fn means(self, other: &str) -> bool {
        self.plain().is_none() && self.chars().eq(other.chars())
    }

    /// Appends what it means, as UTF-8 without quotes.
    ///
    /// # Errors
    /// [`Full`] if it does not fit; then nothing was appended.
    pub fn decode(self, out: &mut (impl Sink + ?Sized)) -> Result<(), Full> {
        whole(out, |out| self.pieces(|piece| out.put(piece)))
    }

    /// What it means: borrowed if it holds no escape.
    #[cfg(feature = "alloc")]
    pub fn to_cow(self) -> alloc::borrow::Cow<'a, str> {
        match self.plain() {
            Some(plain) => plain.into(),
            None => self.chars().collect::<alloc::string::String>().into(),
        }
    }

    /// The FNV-1a hash (64 bits) of what it means, equal to [`fnv64`] of its decoded bytes.
    pub fn hash64(self) -> u64 {
        let mut hash = FNV_START;
        let _: Result<(), Full> = self.pieces(|piece| {
            hash = fnv_more(hash, piece);
            Ok(())
        });
        hash
    }

    /// Hands over what the string means, piece by piece, in order: runs without escapes whole.
    fn pieces(self, mut take: impl FnMut(&[u8]) -> Result<(), Full>) -> Result<(), Full> {
        let mut rest = self.escaped();
        while !rest.is_empty() {
            let run = quote_run(rest.as_bytes());
            take(rest.as_bytes().get(..run).unwrap_or_default())?;
            let mut chars = Chars(rest.get(run..).unwrap_or_default().chars());
            if let Some(c) = chars.next() {
                take(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
            rest = chars.0.as_str();
        }
        Ok(())
    }
}

impl PartialEq for Str<'_> {
    fn eq(&self, other: &Self) -> bool {
        match other.plain() {
            Some(plain) => Str::eq(*self, plain),
            None => self.chars().eq(other.chars()),
        }
    }
}

impl Eq for Str<'_> {}

impl PartialEq<str> for Str<'_> {
    #[cfg_attr(all(feature = "alloc", not(feature = "small")), inline(always))]
    fn eq(&self, other: &str) -> bool {
        Str::eq(*self, other)
    }
}

impl PartialEq<&str> for Str<'_> {
    fn eq(&self, other: &&str) -> bool {
        Str::eq(*self, other)
    }
}

impl core::hash::Hash for Str<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash64());
    }
}

impl fmt::Debug for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.chars().try_for_each(|c| f.write_char(c))
    }
}

/// The characters a JSON string means; see [`Str::chars`].
///
/// In text that was never checked, an escape that names no character becomes U+FFFD.
#[derive(Clone, Debug)]
pub struct Chars<'a>(core::str::Chars<'a>);

impl Chars<'_> {
    fn hex4(&mut self) -> Option<u32> {
        let text = self.0.as_str();
        let unit = hex4(text.as_bytes(), 0)?;
        self.0 = text.get(4..)?.chars();
        Some(unit)
    }

    /// The character after `\u`: one unit, or a pair of surrogates.
    fn unicode(&mut self) -> Option<char> {
        let unit = self.hex4()?;
        if !(0xD800..=0xDBFF).contains(&unit) {
            return char::from_u32(unit);
        }
        let mut ahead = Chars(self.0.as_str().strip_prefix("\\u")?.chars());
        let low = ahead.hex4().filter(|low| (0xDC00..=0xDFFF).contains(low))?;
        self.0 = ahead.0;
        char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
    }
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let c = self.0.next()?;
        if c != '\\' {
            return Some(c);
        }
        Some(match self.0.next()? {
            'b' => '\u{8}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode().unwrap_or(char::REPLACEMENT_CHARACTER),
            other => other,
        })
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv_more(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}

/// The FNV-1a hash (64 bits) of `bytes`: for tables whose keys the host chooses, not against an adversary.
pub fn fnv64(bytes: &[u8]) -> u64 {
    fnv_more(FNV_START, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESCAPED: Str<'static> = Str::trusted(r#""a\u0062\n\ud83d\ude00\"\\\/é""#);
    const MEANT: &str = "ab\n😀\"\\/é";

    #[test]
    fn decodes_every_escape() {
        assert!(ESCAPED.chars().eq(MEANT.chars()));
        let mut out = heapless::Vec::<u8, 64>::new();
        assert_eq!(ESCAPED.decode(&mut out), Ok(()));
        assert_eq!(out.as_slice(), MEANT.as_bytes());
        assert!(Str::trusted(r#""\b\f\n\r\t""#) == "\u{8}\u{c}\n\r\t");
        assert_eq!(ESCAPED.plain(), None);
        assert_eq!(Str::trusted("\"é\"").plain(), Some("é"));
    }

    #[test]
    fn compares_what_is_meant() {
        assert!(ESCAPED == MEANT);
        assert!(ESCAPED == Str::trusted(r#""ab\u000a😀\u0022\u005c/\u00e9""#));
        assert!(Str::trusted(r#""\n""#) != r"\n");
        assert!(Str::trusted(r#""\\n""#) == r"\n");
        assert!(Str::trusted(r#""ping""#) != "pin");
        assert!(Str::trusted(r#""pin""#) != "ping");
        assert!(Str::trusted(r#""""#).is_empty() && Str::trusted(r#""""#) != " ");
    }

    #[test]
    fn a_full_sink_gets_nothing() {
        let mut out = heapless::Vec::<u8, 4>::new();
        assert_eq!(out.put(b"x"), Ok(()));
        assert_eq!(ESCAPED.decode(&mut out), Err(Full));
        assert_eq!(out.as_slice(), b"x");
    }

    #[test]
    fn hashes_what_is_meant() {
        assert_eq!(ESCAPED.hash64(), fnv64(MEANT.as_bytes()));
        assert_eq!(fnv64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv64(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn unchecked_text_does_not_panic() {
        for text in ["", "\"", "\"\\", "\"\\u", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u12\"", "\\é"] {
            let _ =
                (Str::trusted(text).chars().count(), Str::trusted(text).hash64(), Str::trusted(text).plain());
        }
        assert!(Str::trusted(r#""\ud800x""#).chars().eq("\u{FFFD}x".chars()));
    }
}
