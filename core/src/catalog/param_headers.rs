//! `x-mcp-header`: which arguments of a tool an HTTP client repeats as `Mcp-Param-…` headers
//! (basic/transports/streamable-http and server/tools of `2026-07-28`).

use crate::json::{Raw, Str, find_text};

/// The annotation's key in a property schema.
pub(crate) const ANNOTATION: &str = "x-mcp-header";

/// Deepest chain of `properties` that is followed.
const DEPTH: usize = 8;

/// Most annotated properties of one tool.
const MAX: usize = 32;

/// A JSON type that can be mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mirrored {
    String,
    Integer,
    Boolean,
}

/// One annotated property.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param<'a> {
    /// The header's name after `Mcp-Param-`.
    pub(crate) header: Str<'a>,
    /// Keys from the arguments object down to the value; the first `depth` count.
    path: [Option<Str<'a>>; DEPTH],
    /// Its type.
    pub(crate) mirrored: Option<Mirrored>,
}

impl<'a> Param<'a> {
    /// The value this parameter has in some arguments.
    pub(crate) fn value<'m>(&self, arguments: Raw<'m>) -> Option<Raw<'m>> {
        let mut value = arguments;
        for key in self.path.iter().flatten() {
            value = value.members().filter(|(name, _)| name == key).last()?.1;
        }
        Some(value)
    }
}

/// Whether the schema says anything about headers: a cheap look before the walk.
pub(crate) fn present(schema: Raw<'_>) -> bool {
    find_text(schema.bytes(), 0, ANNOTATION.as_bytes()).is_some()
}

/// Calls `each` for every annotated property reachable through `properties` only. `each` may stop the walk with an error.
pub(crate) fn walk<'a, E>(
    schema: Raw<'a>,
    each: &mut impl FnMut(Param<'a>) -> Result<(), E>,
) -> Result<(), E> {
    level(schema, &mut [None; DEPTH], 0, each)
}

/// The recursion is bounded by [`DEPTH`], and the schema is the host's, not the peer's.
fn level<'a, E>(
    schema: Raw<'a>,
    path: &mut [Option<Str<'a>>; DEPTH],
    depth: usize,
    each: &mut impl FnMut(Param<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let Some(properties) = schema.get("properties") else { return Ok(()) };
    for (key, property) in properties.members() {
        let Some(slot) = path.get_mut(depth) else { return Ok(()) };
        *slot = Some(key);
        if let Some(header) = property.get(ANNOTATION).and_then(Raw::str) {
            each(Param { header, path: *path, mirrored: mirrored(property) })?;
        }
        level(property, path, depth + 1, each)?;
        if let Some(slot) = path.get_mut(depth) {
            *slot = None;
        }
    }
    Ok(())
}

/// `string`, `integer` or `boolean`, alone or beside `null`.
fn mirrored(property: Raw<'_>) -> Option<Mirrored> {
    let one = |name: Str<'_>| match name {
        _ if name == *"string" => Some(Mirrored::String),
        _ if name == *"integer" => Some(Mirrored::Integer),
        _ if name == *"boolean" => Some(Mirrored::Boolean),
        _ => None,
    };
    let ty = property.get("type")?;
    if let Some(name) = ty.str() {
        return one(name);
    }
    let mut found = None;
    for name in ty.elements() {
        let name = name.str()?;
        if name == *"null" {
            continue;
        }
        if found.is_some() {
            return None;
        }
        found = Some(one(name)?);
    }
    found
}

/// Whether the annotations of a schema are legal: non-empty tokens, unique whatever their case, on mirrored types,
/// each reachable through `properties` alone.
pub(crate) fn check(schema: Raw<'_>) -> Result<(), &'static str> {
    if !present(schema) {
        return Ok(());
    }
    let mut seen: heapless::Vec<Str<'_>, MAX> = heapless::Vec::new();
    walk(schema, &mut |param| {
        if param.header.is_empty() || !param.header.chars().all(is_tchar) {
            return Err("\"x-mcp-header\" must be a non-empty header token");
        }
        if param.mirrored.is_none() {
            return Err("\"x-mcp-header\" is for properties of type string, integer or boolean");
        }
        let lower = |c: char| c.to_ascii_lowercase();
        if seen.iter().any(|other| other.chars().map(lower).eq(param.header.chars().map(lower))) {
            return Err("\"x-mcp-header\" must not name one header twice");
        }
        seen.push(param.header).map_err(|_| "a tool may have at most 32 \"x-mcp-header\" properties")
    })?;
    if seen.len() == annotations(schema) {
        Ok(())
    } else {
        Err("\"x-mcp-header\" only works on properties reached through \"properties\" alone")
    }
}

/// How often the annotation stands as a key with a string value, wherever it is, found in one pass over the text.
///
/// A property that is merely *named* so has a schema, not a string, as its value.
fn annotations(schema: Raw<'_>) -> usize {
    let text = schema.text();
    text.match_indices(ANNOTATION)
        .filter(|(at, _)| {
            let after = text.get(at + ANNOTATION.len()..).unwrap_or("");
            let Some(value) = after.strip_prefix('"').map(str::trim_start) else { return false };
            value.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with('"'))
        })
        .count()
}

/// RFC 9110, section 5.6.2.
fn is_tchar(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// Whether the body's value can be mirrored at all as the declared type; if not, the tool's own validation answers.
pub(crate) fn matches_type(value: Raw<'_>, mirrored: Mirrored) -> bool {
    match mirrored {
        Mirrored::String => value.is_string(),
        Mirrored::Integer => value.i64().is_some(),
        Mirrored::Boolean => value.bool().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(properties: &str) -> Result<(), &'static str> {
        let mut text = heapless::String::<512>::new();
        for part in ["{\"type\":\"object\",", properties, "}"] {
            text.push_str(part).unwrap();
        }
        check(Raw::trusted(&text))
    }

    // proves: S-139, T-097
    #[test]
    fn legal() {
        assert!(verdict(r#""properties":{"a":{"type":"string","x-mcp-header":"A"}}"#).is_ok());
        assert!(verdict(r#""properties":{"a":{"type":["string","null"],"x-mcp-header":"A"}}"#).is_ok());
        let nested = r#""properties":{"o":{"type":"object","properties":{"a":{"type":"integer","x-mcp-header":"A"}}}}"#;
        assert!(verdict(nested).is_ok());
        assert!(verdict(r#""properties":{"x-mcp-header":{"type":"string"}}"#).is_ok());
    }

    // proves: S-139, T-097
    #[test]
    fn illegal() {
        assert!(verdict(r#""properties":{"a":{"type":"number","x-mcp-header":"A"}}"#).is_err());
        assert!(verdict(r#""properties":{"a":{"type":"string","x-mcp-header":""}}"#).is_err());
        assert!(verdict(r#""properties":{"a":{"type":"string","x-mcp-header":"a b"}}"#).is_err());
        let twice = r#""properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}"#;
        assert!(verdict(twice).is_err());
        let unreachable =
            r#""properties":{"l":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}"#;
        assert!(verdict(unreachable).is_err());
        assert!(verdict(r#""$defs":{"a":{"type":"string","x-mcp-header":"A"}}"#).is_err());
    }
}
