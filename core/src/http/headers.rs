//! Reading request headers.

/// The headers of a request, in order. Names are compared without case; values lose blanks and tabs at both ends.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'r>(pub &'r [(&'r str, &'r [u8])]);

/// A header that may stand once stands more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

/// A header that may stand once, in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'r> {
    /// It does not stand there.
    Nowhere,
    /// Its value.
    Once(&'r [u8]),
    /// It stands there more often.
    Repeated,
}

impl<'r> Found<'r> {
    /// As [`Headers::one`] has it.
    pub(crate) fn value(self) -> Result<Option<&'r [u8]>, Repeated> {
        match self {
            Found::Nowhere => Ok(None),
            Found::Once(value) => Ok(Some(value)),
            Found::Repeated => Err(Repeated),
        }
    }
}

impl<'r> Headers<'r> {
    /// Several headers that may stand once, in one pass.
    #[cfg_attr(feature = "alloc", inline(always))]
    pub(crate) fn pick<const N: usize>(self, names: &[&str; N]) -> [Found<'r>; N] {
        let mut found = [Found::Nowhere; N];
        for (key, value) in self.0 {
            for (name, slot) in names.iter().zip(&mut found) {
                if same(key.as_bytes(), name.as_bytes()) {
                    *slot = match slot {
                        Found::Nowhere => Found::Once(trim(value)),
                        Found::Once(_) | Found::Repeated => Found::Repeated,
                    };
                    break;
                }
            }
        }
        found
    }

    /// The values of all headers of that name.
    pub fn all(self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        self.0
            .iter()
            .filter(move |(key, _)| same(key.as_bytes(), name.as_bytes()))
            .map(|(_, value)| trim(value))
    }

    /// The values of all headers of that name that are text.
    pub fn texts(self, name: &str) -> impl Iterator<Item = &'r str> {
        self.all(name).filter_map(|value| core::str::from_utf8(value).ok())
    }

    /// The value of a header that may stand once.
    ///
    /// # Errors
    /// [`Repeated`], even if the copies agree: other readers on the way may have picked either.
    pub fn one(self, name: &str) -> Result<Option<&'r [u8]>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// As [`Headers::one`], for a header that is text. What is not UTF-8 counts as an unknown text.
    ///
    /// # Errors
    /// [`Repeated`].
    pub fn text(self, name: &str) -> Result<Option<&'r str>, Repeated> {
        Ok(self.one(name)?.map(text))
    }
}

/// Whether two names are the same but for the case of their letters.
#[cfg_attr(feature = "alloc", inline)]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    // Mostly they are the same anyway, or of different lengths.
    one.len() == other.len() && (cfg!(feature = "alloc") && one == other || one.eq_ignore_ascii_case(other))
}

/// A value as text. What is not UTF-8 counts as an unknown text.
pub(crate) fn text(value: &[u8]) -> &str {
    core::str::from_utf8(value).unwrap_or("\u{fffd}")
}

/// RFC 9110, section 5.6.3: optional whitespace is blanks and tabs.
fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = value.iter().position(|byte| !blank(byte)) else { return b"" };
    let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or(b"")
}

/// Names of the protocol's headers.
pub(crate) mod name {
    /// The revision a request speaks.
    pub(crate) const VERSION: &str = "MCP-Protocol-Version";
    /// Names the session of a request, and the one an `initialize` has opened.
    pub(crate) const SESSION: &str = "Mcp-Session-Id";
    /// The last event a client has seen of a stream it wants to go on with.
    pub(crate) const LAST_EVENT: &str = "Last-Event-ID";
    /// Mirrors the method (`2026-07-28`).
    pub(crate) const METHOD: &str = "Mcp-Method";
    /// Mirrors the parameter that names the target (`2026-07-28`).
    pub(crate) const NAME: &str = "Mcp-Name";
    /// Mirrors an argument of a tool (`2026-07-28`).
    pub(crate) const PARAM_PREFIX: &str = "Mcp-Param-";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_values_no_outer_blanks() {
        let headers = Headers(&[("hOst", b" \ta b\t "), ("X", b""), ("x", b"\xff")]);
        assert_eq!(headers.text("HOST"), Ok(Some("a b")));
        assert_eq!(headers.one("x"), Err(Repeated));
        assert_eq!(headers.one("y"), Ok(None));
        assert_eq!(headers.all("x").count(), 2);
        assert_eq!(headers.texts("x").count(), 1);
        let found = headers.pick(&["Host", "X", "y"]);
        assert_eq!(found, [Found::Once(b"a b"), Found::Repeated, Found::Nowhere]);
        assert_eq!(found.map(Found::value), ["Host", "X", "y"].map(|name| headers.one(name)));
    }
}
