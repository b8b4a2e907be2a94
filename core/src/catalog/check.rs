//! Whether a definition can be offered: what the schema requires, and the names other parties depend on.

use super::{Kind, param_headers};
use crate::error::LocalError;
use crate::json::{Raw, Str};
use crate::model::template::Template;

/// Longest name of a tool or prompt, in characters (server/tools of `2025-11-25`: "SHOULD be between 1 and 128").
pub const MAX_NAME: usize = 128;

/// Checks a definition and gives its key.
///
/// # Errors
/// [`LocalError::BadDefinition`], naming the member.
pub fn entry(kind: Kind, definition: Raw<'_>) -> Result<Str<'_>, LocalError> {
    let bad = |why| Err(LocalError::BadDefinition(why));
    if !definition.is_object() {
        return bad("it must be a JSON object");
    }
    let name = definition.get("name").and_then(Raw::str);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return bad("\"name\" must be a non-empty string");
    };
    match kind {
        Kind::Tool => {
            short_name(name)?;
            let schema = definition.get("inputSchema");
            if schema.and_then(|schema| schema.get("type")?.str()).is_none_or(|ty| ty != *"object") {
                return bad("\"inputSchema\" must be an object with \"type\":\"object\"");
            }
            if let Some(schema) = schema {
                param_headers::check(schema).map_err(LocalError::BadDefinition)?;
            }
            if definition.get("outputSchema").is_some_and(|schema| !schema.is_object()) {
                return bad("\"outputSchema\" must be an object");
            }
            Ok(name)
        }
        Kind::Prompt => {
            short_name(name)?;
            for argument in definition.get("arguments").into_iter().flat_map(Raw::elements) {
                if argument.get("name").and_then(Raw::str).is_none() {
                    return bad("every entry of \"arguments\" needs a string \"name\"");
                }
            }
            Ok(name)
        }
        Kind::Resource => match definition.get("uri").and_then(Raw::str).filter(|uri| has_scheme(*uri)) {
            Some(uri) => Ok(uri),
            None => bad("\"uri\" must be a string with a scheme, as in \"file:///a\""),
        },
        Kind::Template => {
            let template = definition.get("uriTemplate").and_then(Raw::str);
            match template.filter(|text| text.plain().is_some_and(|text| Template::parse(text).is_ok())) {
                Some(template) => Ok(template),
                None => bad("\"uriTemplate\" must be a URI template with {name} expressions only"),
            }
        }
    }
}

fn short_name(name: Str<'_>) -> Result<(), LocalError> {
    if name.chars().count() > MAX_NAME {
        return Err(LocalError::BadDefinition("\"name\" must not be longer than 128 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(LocalError::BadDefinition("\"name\" must not hold control characters"));
    }
    Ok(())
}

/// RFC 3986: a scheme is a letter, then letters, digits, `+`, `-` or `.`, up to the first colon.
fn has_scheme(uri: Str<'_>) -> bool {
    let mut first = true;
    for c in uri.chars() {
        match c {
            ':' => return !first,
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if !first => {}
            _ => return false,
        }
        first = false;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(kind: Kind, text: &'static str) -> Option<&'static str> {
        match entry(kind, Raw::trusted(text)) {
            Err(LocalError::BadDefinition(why)) => Some(why),
            _ => None,
        }
    }

    // proves: S-235, S-270
    #[test]
    fn members_are_named() {
        assert!(why(Kind::Tool, r#"{"name":"","inputSchema":{"type":"object"}}"#).unwrap().contains("name"));
        assert!(why(Kind::Tool, r#"{"name":"a","inputSchema":{}}"#).unwrap().contains("inputSchema"));
        assert!(
            why(Kind::Tool, r#"{"name":"a","inputSchema":{"type":"object"},"outputSchema":true}"#).is_some()
        );
        assert!(why(Kind::Prompt, r#"{"name":"a","arguments":[{}]}"#).unwrap().contains("arguments"));
        assert!(why(Kind::Resource, r#"{"name":"a","uri":"nope"}"#).unwrap().contains("uri"));
        assert!(
            why(Kind::Template, r#"{"name":"a","uriTemplate":"x://{+y}"}"#).unwrap().contains("uriTemplate")
        );
        assert!(why(Kind::Resource, r#"{"name":"a","uri":"test://x"}"#).is_none());
        assert!(why(Kind::Template, r#"{"name":"a","uriTemplate":"x://{y}"}"#).is_none());
    }
}
