//! The headers of `2026-07-28` that repeat what the body says, so that proxies can route without reading it. The body is
//! the truth; a header that says something else is a lie to whoever trusted it.

use super::headers::{Found, Headers, Repeated, name, text};
use super::sentinel;
use crate::catalog::param_headers::{self, Mirrored, Param};
use crate::json::{self, Kind, Raw, Str};
use crate::server::Fault;
use crate::server::mirror::Mirror;

const MISSING: &str = "is missing";
const TWICE: &str = "stands more than once";
const DIFFERS: &str = "does not match the body";
const INVALID: &str = "is not a valid value";

/// The mirror headers of one request.
pub(crate) struct HttpMirror<'r> {
    headers: Headers<'r>,
    version: Found<'r>,
    method: Found<'r>,
    name: Found<'r>,
}

impl<'r> HttpMirror<'r> {
    /// Looks for them.
    pub(crate) fn new(headers: Headers<'r>) -> Self {
        let [version, method, name] = headers.pick(&[name::VERSION, name::METHOD, name::NAME]);
        HttpMirror { headers, version, method, name }
    }

    /// The version it names; what is not UTF-8 counts as an unknown text.
    ///
    /// # Errors
    /// [`Repeated`].
    pub(crate) fn named(&self) -> Result<Option<&'r str>, Repeated> {
        Ok(self.version.value()?.map(text))
    }

    /// A header that must be there and say exactly this.
    fn exact<'m>(header: &'static str, found: Found<'_>, body: Str<'_>) -> Result<(), Fault<'m>> {
        let why = match found {
            Found::Repeated => TWICE,
            Found::Nowhere => MISSING,
            Found::Once(value) if body.is_plainly(value) => return Ok(()),
            Found::Once(value) => match core::str::from_utf8(value) {
                Ok(value) if body == *value => return Ok(()),
                _ => DIFFERS,
            },
        };
        Err(Fault::Header { header, why })
    }

    /// The value of `Mcp-Param-{name}`.
    fn param(&self, name: Str<'_>) -> Result<Option<&[u8]>, &'static str> {
        let mut found = None;
        let lower = |c: char| c.to_ascii_lowercase();
        for (key, _) in self.headers.0 {
            let Some((prefix, rest)) = key.split_at_checked(name::PARAM_PREFIX.len()) else { continue };
            if !prefix.eq_ignore_ascii_case(name::PARAM_PREFIX)
                || !rest.chars().map(lower).eq(name.chars().map(lower))
            {
                continue;
            }
            // `one` trims, and notices a second copy whatever its case.
            found = self.headers.one(key).map_err(|_| TWICE)?;
        }
        Ok(found)
    }

    fn argument(&self, param: &Param<'_>, arguments: Raw<'_>) -> Result<(), &'static str> {
        let header = self.param(param.header)?;
        let value = param.value(arguments).filter(|value| value.kind() != Kind::Null);
        let (Some(value), Some(mirrored)) = (value, param.mirrored) else {
            return if header.is_some() { Err("stands for an argument that is not there") } else { Ok(()) };
        };
        if !param_headers::matches_type(value, mirrored) {
            return Ok(());
        }
        let header = header.ok_or(MISSING)?;
        let same = match mirrored {
            Mirrored::String => match value.str() {
                Some(text) => sentinel::equals(header, text).map_err(|_| INVALID)?,
                None => true,
            },
            Mirrored::Integer => match json::check(header, 1) {
                Ok(number) => number.i64().is_some() && number.i64() == value.i64(),
                Err(_) => return Err(INVALID),
            },
            Mirrored::Boolean => {
                let expected: &[u8] = if value.bool() == Some(true) { b"true" } else { b"false" };
                header == expected
            }
        };
        if same { Ok(()) } else { Err(DIFFERS) }
    }
}

impl Mirror for HttpMirror<'_> {
    fn version<'m>(&self, body: Str<'m>) -> Result<(), Fault<'m>> {
        Self::exact(name::VERSION, self.version, body)
    }

    fn method<'m>(&self, method: Str<'m>) -> Result<(), Fault<'m>> {
        Self::exact(name::METHOD, self.method, method)
    }

    fn name<'m>(&self, value: Str<'m>) -> Result<(), Fault<'m>> {
        let why = match self.name {
            Found::Repeated => TWICE,
            Found::Nowhere => MISSING,
            Found::Once(header) => match sentinel::equals(header, value) {
                Ok(true) => return Ok(()),
                Ok(false) => DIFFERS,
                Err(_) => INVALID,
            },
        };
        Err(Fault::Header { header: name::NAME, why })
    }

    fn arguments<'x>(&self, schema: Raw<'x>, arguments: Raw<'x>) -> Result<(), Fault<'x>> {
        if !param_headers::present(schema) {
            return Ok(());
        }
        param_headers::walk(schema, &mut |param| {
            self.argument(&param, arguments).map_err(|why| Fault::ParamHeader { param: param.header, why })
        })
    }
}
