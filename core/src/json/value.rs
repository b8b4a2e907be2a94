//! Reading a value in place.

use super::Str;
use super::number::integer;
use super::scan::{skip_space, skip_string, skip_to_next, skip_value};

/// The text of one valid JSON value, without white space around it.
///
/// It comes from [`check`](super::check) or from [`Raw::trusted`]. Its readers skip over the text without
/// checking it again. Two values are equal if their *texts* are: `1` and `1.0` are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raw<'a>(&'a str);

/// The six kinds of JSON value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// Any number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
}

impl Kind {
    /// The name JSON Schema has for it: `object`, `array`, `string`, `number`, `boolean`, `null`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Bool => "boolean",
            Self::Null => "null",
        }
    }
}

impl<'a> Raw<'a> {
    /// The value `null`.
    pub const NULL: Raw<'static> = Raw("null");

    /// Takes `text` for one valid JSON value without looking: for tables in the program and for text that was
    /// checked before. Text that is none gives wrong answers later, never a panic.
    pub const fn trusted(text: &'a str) -> Self {
        Self(text)
    }

    /// The text, byte for byte as it came.
    pub const fn text(self) -> &'a str {
        self.0
    }

    /// The bytes of the text.
    pub const fn bytes(self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// What kind of value it is.
    pub fn kind(self) -> Kind {
        match self.bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Bool,
            _ => Kind::Null,
        }
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// Whether it is a string.
    pub fn is_string(self) -> bool {
        self.kind() == Kind::String
    }

    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        self.kind() == Kind::Number
    }

    /// Whether it is `true` or `false`.
    pub fn is_bool(self) -> bool {
        self.kind() == Kind::Bool
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The string, if it is one.
    pub fn str(self) -> Option<Str<'a>> {
        self.is_string().then(|| Str::trusted(self.0))
    }

    /// The truth value, if it is one.
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether it is below zero (true for `-0`) and its size, if it is an integer whose size fits.
    pub(crate) fn integer(self) -> Option<(bool, u64)> {
        self.is_number().then(|| integer(self.0)).flatten()
    }

    /// The number, if it is an integer that fits. `5.0` and `1e3` are integers; so is any spelling whose decimal
    /// value is exactly one. Nothing is rounded.
    pub fn u64(self) -> Option<u64> {
        let (negative, size) = self.integer()?;
        (!negative || size == 0).then_some(size)
    }

    /// The number, if it is an integer that fits; see [`Raw::u64`].
    pub fn i64(self) -> Option<i64> {
        let (negative, size) = self.integer()?;
        if negative { 0i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() }
    }

    /// The number as the nearest float, if it is a number and within the range of floats.
    pub fn f64(self) -> Option<f64> {
        if !self.is_number() {
            return None;
        }
        self.0.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The members of an object, in the order of the text, names that stand twice included; none if it is no
    /// object.
    pub fn members(self) -> Members<'a> {
        Members { text: self.0, at: if self.is_object() { 1 } else { self.0.len() } }
    }

    /// The elements of an array; none if it is no array.
    pub fn elements(self) -> Elements<'a> {
        Elements { text: self.0, at: if self.is_array() { 1 } else { self.0.len() } }
    }

    /// The member of an object with this name; the last one, if the name stands twice.
    pub fn get(self, key: &str) -> Option<Raw<'a>> {
        self.members().filter(|(name, _)| name.eq(key)).last().map(|(_, value)| value)
    }

    /// The value reached by one member name after the other.
    pub fn at(self, path: &[&str]) -> Option<Raw<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Whether it is an array or object without anything in it.
    pub(crate) fn is_hollow(self) -> bool {
        let bytes = self.bytes();
        matches!(bytes.get(skip_space(bytes, 1)), Some(b']' | b'}'))
    }

    /// Several members of an object in one pass.
    ///
    /// # Errors
    /// The index in `keys` of a name that stands twice.
    pub fn pick<const N: usize>(self, keys: [&str; N]) -> Result<[Option<Raw<'a>>; N], usize> {
        let picked = self.sift(&keys);
        picked.twice.map_or(Ok(picked.values), Err)
    }
}

/// The members of an object; see [`Raw::members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Str<'a>, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let start = skip_to_next(bytes, self.at, b',');
        self.at = bytes.len();
        if bytes.get(start) != Some(&b'"') {
            return None;
        }
        let end = skip_string(bytes, start);
        let name = Str::trusted(self.text.get(start..end)?);
        let from = skip_to_next(bytes, end, b':');
        let value = value_at(self.text, from)?;
        self.at = from + value.0.len();
        Some((name, value))
    }
}

impl core::iter::FusedIterator for Members<'_> {}

/// The elements of an array; see [`Raw::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let from = skip_to_next(self.text.as_bytes(), self.at, b',');
        self.at = self.text.len();
        let value = value_at(self.text, from)?;
        self.at = from + value.0.len();
        Some(value)
    }
}

impl core::iter::FusedIterator for Elements<'_> {}

/// The value that starts at `from`; `None` at the end of a container (and where nothing but a delimiter stands).
fn value_at(text: &str, from: usize) -> Option<Raw<'_>> {
    let from = skip_space(text.as_bytes(), from);
    text.get(from..skip_value(text.as_bytes(), from)).filter(|value| !value.is_empty()).map(Raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::check;

    fn raw(text: &str) -> Raw<'_> {
        check(text.as_bytes(), 16).unwrap()
    }

    #[test]
    fn walks_members_and_elements() {
        let value = raw(r#" { "a" : [ 1 , "x,]}" , {"b":{}} ] , "c\u0064":null,"e":-1.5e3 } "#);
        let mut members = value.members();
        let (name, array) = members.next().unwrap();
        assert!(name == "a");
        assert!(array.elements().map(Raw::text).eq(["1", "\"x,]}\"", "{\"b\":{}}"]));
        let (name, null) = members.next().unwrap();
        assert!(name == "cd" && null.is_null());
        assert_eq!(members.next().map(|(_, v)| v.text()), Some("-1.5e3"));
        assert!(members.next().is_none() && members.next().is_none());
        assert_eq!(raw("{}").members().count() + raw("[ ]").elements().count(), 0);
        assert_eq!(raw("[1]").members().count() + raw("{\"a\":1}").elements().count(), 0);
    }

    #[test]
    fn finds_by_name() {
        let value = raw(r#"{"a":1,"b":{"c":"\"}"},"a":2}"#);
        assert_eq!(value.get("a").map(Raw::text), Some("2"));
        assert_eq!(value.at(&["b", "c"]).map(Raw::text), Some(r#""\"}""#));
        assert_eq!(value.at(&["b", "c", "d"]), None);
        assert_eq!(value.at(&[]), Some(value));
        assert_eq!(
            value.pick(["b", "zz"]).unwrap().map(|v| v.map(Raw::text)),
            [Some(r#"{"c":"\"}"}"#), None]
        );
        assert_eq!(value.pick(["b", "a"]), Err(1));
    }

    #[test]
    fn reads_scalars() {
        assert_eq!(
            (raw("true").bool(), raw("false").bool(), raw("\"true\"").bool()),
            (Some(true), Some(false), None)
        );
        assert_eq!(
            (raw("9007199254740993").u64(), raw("-1").u64(), raw("-0").u64()),
            (Some(9_007_199_254_740_993), None, Some(0))
        );
        assert_eq!(
            (raw("-9223372036854775808").i64(), raw("9223372036854775808").i64()),
            (Some(i64::MIN), None)
        );
        assert_eq!((raw("1e3").i64(), raw("1.5").i64(), raw("\"1\"").i64()), (Some(1000), None, None));
        assert_eq!((raw("1.5").f64(), raw("1e999").f64(), raw("null").f64()), (Some(1.5), None, None));
        for (text, kind) in [
            ("{}", "object"),
            ("[]", "array"),
            ("\"\"", "string"),
            ("-1", "number"),
            ("true", "boolean"),
            ("null", "null"),
        ] {
            assert_eq!(raw(text).kind().name(), kind);
        }
    }

    #[test]
    fn unchecked_text_does_not_panic() {
        for text in [
            "",
            "{",
            "{\"",
            "{\"a\"",
            "{\"a\":",
            "{\"a\"::,1",
            "[,,]",
            "[é",
            "{\"\\é\":é",
            "[\"\\",
            "-inf",
            "-",
            "[}:",
        ] {
            let value = Raw::trusted(text);
            let _ =
                (value.members().count(), value.elements().count(), value.f64(), value.i64(), value.get("a"));
        }
    }
}
