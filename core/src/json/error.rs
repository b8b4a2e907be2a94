//! Why a text is not JSON.

use thiserror::Error;

/// Why a text is not one JSON value, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("invalid JSON at byte {offset}: {kind}")]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// The byte it was noticed at, counted from 0; the length of the text if the text ended too early.
    pub offset: usize,
}

/// What is wrong with a text that is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// The bytes are not UTF-8.
    Utf8,
    /// A byte order mark stands before the value (RFC 8259 §8.1: senders must not add one).
    Bom,
    /// The text ends before the value does.
    Eof,
    /// No value starts here.
    Value,
    /// An object member does not start with a string.
    Key,
    /// No colon after a member name.
    Colon,
    /// Neither a comma nor the end of the object.
    ObjectEnd,
    /// Neither a comma nor the end of the array.
    ArrayEnd,
    /// A word that is not `true`, `false` or `null`.
    Literal,
    /// A number with a leading zero, a bare sign, or no digit where one must stand.
    Number,
    /// A control character (U+0000 to U+001F) stands unescaped in a string.
    Control,
    /// A backslash sequence that JSON does not have.
    Escape,
    /// A `\u` escape of one half of a surrogate pair without the other half: it names no character.
    Surrogate,
    /// Arrays and objects nest deeper than the limit.
    Depth,
    /// Something other than white space follows the value.
    Trailing,
}

impl JsonErrorKind {
    /// What is wrong, in words.
    #[must_use]
    #[cfg_attr(not(feature = "alloc"), inline(never))]
    pub const fn text(self) -> &'static str {
        match self {
            JsonErrorKind::Utf8 => "not UTF-8",
            JsonErrorKind::Bom => "a byte order mark is not part of JSON; send the value without it",
            JsonErrorKind::Eof => "the text ends too early",
            JsonErrorKind::Value => "expected a value",
            JsonErrorKind::Key => "expected a member name in double quotes",
            JsonErrorKind::Colon => "expected ':' after the member name",
            JsonErrorKind::ObjectEnd => "expected ',' or '}'",
            JsonErrorKind::ArrayEnd => "expected ',' or ']'",
            JsonErrorKind::Literal => "expected true, false or null",
            JsonErrorKind::Number => "malformed number",
            JsonErrorKind::Control => "a control character in a string must be escaped",
            JsonErrorKind::Escape => "unknown escape in a string",
            JsonErrorKind::Surrogate => "half a surrogate pair in a \\u escape",
            JsonErrorKind::Depth => "nested too deeply",
            JsonErrorKind::Trailing => "more text after the value",
        }
    }
}

impl core::fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for JsonErrorKind {}
