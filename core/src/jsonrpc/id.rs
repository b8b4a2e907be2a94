//! Ids and progress tokens: one typed value, string or integer, kept as it was written.

use super::Malformed;
use crate::json::{Full, Kind, Raw};
use crate::limits::TOKEN_BYTES;

/// A request id or progress token as it stands in a message: a JSON string or integer.
///
/// `"1"` is not `1`. Two ids are equal when they mean the same value (`1.0` and `1`, `"a"` and `"\u0061"`), and are
/// written byte for byte as they came.
#[derive(Clone, Copy, Debug)]
pub struct Id<'m>(Raw<'m>);

impl<'m> Id<'m> {
    /// Takes a JSON value as an id.
    ///
    /// Strings (also the empty one), integers of 64 bits, and other ways to write such an integer (`1.0`, `1e3`) are ids.
    /// Any length will do here; one that has to be kept must not exceed [`TOKEN_BYTES`].
    ///
    /// # Errors
    /// [`Malformed::Id`] for anything else.
    pub fn read(value: Raw<'m>) -> Result<Self, Malformed> {
        let usable = match value.kind() {
            Kind::String => true,
            Kind::Number => {
                value.integer().is_some_and(|(negative, size)| !negative || size <= i64::MIN.unsigned_abs())
            }
            _ => false,
        };
        if usable { Ok(Id(value)) } else { Err(Malformed::Id) }
    }

    /// Its value, if it is a number from 0 on.
    pub(crate) fn number(self) -> Option<u64> {
        self.0.u64()
    }

    /// Whether it can be kept.
    #[must_use]
    pub fn fits(self) -> bool {
        self.text().len() <= TOKEN_BYTES
    }

    /// The JSON text, as it came.
    #[must_use]
    pub fn text(self) -> &'m str {
        self.0.text()
    }

    fn same(self, other: Id<'_>) -> bool {
        if self.text() == other.text() {
            return true;
        }
        match (self.0.str(), other.0.str()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => match (self.0.integer(), other.0.integer()) {
                (Some((below, a)), Some((other_below, b))) => a == b && (a == 0 || below == other_below),
                _ => false,
            },
            _ => false,
        }
    }
}

impl PartialEq for Id<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.same(*other)
    }
}

/// How long an id may be without memory of its own.
const INLINE: usize = 64;

/// An id or progress token kept after its message is gone.
#[derive(Clone, Debug)]
pub struct Token(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Inline(heapless::String<INLINE>),
    /// Rare: nobody needs that many characters.
    #[cfg(feature = "alloc")]
    Grown(alloc::string::String),
}

impl Token {
    /// Keeps an id that [`fits`](Id::fits); of a longer one, an empty string.
    ///
    /// # Errors
    /// [`Full`] if no memory is left for one that is longer than most.
    pub fn keep(id: Id<'_>) -> Result<Token, Full> {
        let text = if id.fits() { id.text() } else { "\"\"" };
        match heapless::String::try_from(text) {
            Ok(inline) => Ok(Token(Kept::Inline(inline))),
            #[cfg(feature = "alloc")]
            Err(_) => {
                let mut grown = alloc::string::String::new();
                grown.try_reserve_exact(text.len()).map_err(|_| Full)?;
                grown.push_str(text);
                Ok(Token(Kept::Grown(grown)))
            }
            #[cfg(not(feature = "alloc"))]
            Err(_) => Ok(Token(Kept::Inline(heapless::String::new()))),
        }
    }

    /// The id again.
    #[must_use]
    pub fn id(&self) -> Id<'_> {
        Id(Raw::trusted(self.text()))
    }

    /// The JSON text, as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.0 {
            Kept::Inline(text) => text,
            #[cfg(feature = "alloc")]
            Kept::Grown(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::check;

    fn id(text: &str) -> Result<Id<'_>, Malformed> {
        Id::read(check(text.as_bytes(), 4).expect("JSON"))
    }

    // proves: S-012, S-013, T-030
    #[test]
    fn strings_and_integers_only() {
        for good in
            ["\"\"", "\"1\"", "1", "0", "-1", "1.0", "1e3", "9007199254740993", "18446744073709551615"]
        {
            assert_eq!(id(good).expect(good).text(), good);
        }
        for bad in ["null", "true", "1.5", "[]", "{}", "1e400", "18446744073709551616", "1e20"] {
            assert_eq!(id(bad).err(), Some(Malformed::Id), "{bad}");
        }
    }

    // proves: S-006, T-030
    #[test]
    fn equality_is_by_value_and_type() {
        let same = |a, b| id(a).unwrap() == id(b).unwrap();
        assert!(same("1", "1.0"));
        assert!(same("\"a\"", "\"\\u0061\""));
        assert!(!same("1", "\"1\""));
        assert!(!same("9007199254740993", "9007199254740992"));
        assert!(same("18446744073709551615", "18446744073709551615"));
        assert!(!same("18446744073709551615", "-1"));
    }

    #[test]
    fn what_fits_is_kept_byte_for_byte() {
        let mut text = heapless::String::<{ TOKEN_BYTES + 8 }>::new();
        text.push('"').unwrap();
        for _ in 0..TOKEN_BYTES - 2 {
            text.push('x').unwrap();
        }
        text.push('"').unwrap();
        let longest = id(&text).unwrap();
        assert!(longest.fits());
        assert_eq!(Token::keep(longest).unwrap().text(), longest.text());
        text.pop();
        text.push_str("x\"").unwrap();
        assert!(!id(&text).unwrap().fits());
    }
}
