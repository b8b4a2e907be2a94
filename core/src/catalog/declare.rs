//! Entries of static tables, whose key is found in their definition while the program is compiled.

use super::{Entry, Kind, param_headers};
use crate::json::Raw;

impl<'a> Entry<'a> {
    /// An entry whose key stands in its definition alone. For constants; use [`entry!`](crate::entry) there, with which
    /// `None` is an error of the compiler.
    ///
    /// `None`: the definition is no JSON object, or has no plain string (without escapes) as the member that is the key of
    /// this kind. Beyond that it is not checked.
    #[must_use]
    pub const fn declared(kind: Kind, definition: &'a str) -> Option<Self> {
        let Some((from, to)) = member(definition.as_bytes(), kind.key().as_bytes()) else { return None };
        let Some((_, rest)) = definition.split_at_checked(from) else { return None };
        let Some((key, _)) = rest.split_at_checked(to - from) else { return None };
        Some(Entry { key, definition: Raw::trusted(definition) })
    }
}

/// Whether every revision lists a definition as it is, so that a table of such entries needs no translation: its
/// [`Catalog::can`](super::Catalog::can) may be `false` for [`Feature::Translation`](crate::revision::methods::Feature).
/// Checked while the program is compiled:
///
/// ```
/// use mcpgraft::catalog::{Kind, universal};
/// const _: () = assert!(universal(Kind::Tool, r#"{"name":"read","inputSchema":{"type":"object"}}"#));
/// assert!(!universal(Kind::Tool, r#"{"name":"read","title":"Read","inputSchema":{"type":"object"}}"#));
/// ```
///
/// `false` also for what it is not sure of: a definition that spans lines, members it does not know, and tools with a
/// literal `true` or `false` or arguments in headers (`x-mcp-header`).
#[must_use]
pub const fn universal(kind: Kind, definition: &str) -> bool {
    let names: &[&str] = match kind {
        Kind::Tool => &["name", "description", "inputSchema"],
        Kind::Resource => &["name", "description", "uri", "mimeType", "size"],
        Kind::Template => &["name", "description", "uriTemplate", "mimeType"],
        Kind::Prompt => &["name", "description"],
    };
    only(names, matches!(kind, Kind::Tool), definition.as_bytes())
}

/// As [`universal()`], of what a server says it is: [`Profile::info`](crate::server::Profile).
#[must_use]
pub const fn universal_info(info: &str) -> bool {
    only(&["name", "version"], false, info.as_bytes())
}

/// Whether a text is an object on one line with these members and no others.
const fn only(names: &[&str], tool: bool, text: &[u8]) -> bool {
    let (mut at, mut depth) = (0, 0usize);
    let mut named = false;
    while let Some(byte) = get(text, at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                named = depth == 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => named = depth == 1,
            b'"' => {
                let Some(end) = string_end(text, at + 1) else { return false };
                if named && !among(names, text, at + 1, end) {
                    return false;
                }
                if tool && among(&[param_headers::ANNOTATION], text, at + 1, end) {
                    return false;
                }
                named = false;
                at = end;
            }
            // A schema that is a boolean is not for strict readers of older revisions.
            b't' | b'f' if tool => return false,
            b'\n' | b'\r' => return false,
            _ => {}
        }
        at += 1;
    }
    true
}

/// Whether a part of a text is one of these names.
const fn among(names: &[&str], text: &[u8], from: usize, to: usize) -> bool {
    let mut rest = names;
    while let [name, more @ ..] = rest {
        if same(text, from, to, name.as_bytes()) {
            return true;
        }
        rest = more;
    }
    false
}

/// One entry of a static table: its [`Kind`] and its definition, a JSON object in the newest shape. Its key is taken from
/// the definition when the program is compiled; a definition without one does not compile.
///
/// ```
/// use mcpgraft::catalog::Entry;
/// static TOOLS: [Entry<'_>; 1] = [mcpgraft::entry!(Tool, r#"{"name":"read","inputSchema":{"type":"object"}}"#)];
/// assert_eq!(TOOLS[0].key, "read");
/// ```
///
/// ```compile_fail
/// static TOOL: mcpgraft::catalog::Entry<'_> = mcpgraft::entry!(Tool, r#"{"title":"no name"}"#);
/// ```
#[macro_export]
macro_rules! entry {
    ($kind:ident, $definition:expr $(,)?) => {
        const {
            match $crate::catalog::Entry::declared($crate::catalog::Kind::$kind, $definition) {
                Some(entry) => entry,
                None => panic!("the definition is no JSON object with a plain string as its key"),
            }
        }
    };
}

/// Where the value of a string member of the outermost object stands, without its quotes.
const fn member(text: &[u8], name: &[u8]) -> Option<(usize, usize)> {
    let (mut at, mut depth) = (0, 0usize);
    // Whether the next string of the outermost object is the name of a member.
    let mut named = false;
    while let Some(byte) = get(text, at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                named = depth == 1 && byte == b'{';
                if depth == 1 && !named {
                    return None;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => named = depth == 1,
            b'"' => {
                let Some(end) = string_end(text, at + 1) else { return None };
                if named && same(text, at + 1, end, name) {
                    let Some(value) = value_start(text, end + 1) else { return None };
                    let Some(end) = string_end(text, value) else { return None };
                    return if plain(text, value, end) { Some((value, end)) } else { None };
                }
                named = false;
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

const fn get(text: &[u8], at: usize) -> Option<u8> {
    match text.split_at_checked(at) {
        Some((_, [byte, ..])) => Some(*byte),
        _ => None,
    }
}

/// Where the quote stands that ends the string whose text begins at `at`.
const fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(byte) = get(text, at) {
        match byte {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Where the text of the string begins that follows a colon.
const fn value_start(text: &[u8], mut at: usize) -> Option<usize> {
    let mut colon = false;
    while let Some(byte) = get(text, at) {
        at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b':' if !colon => colon = true,
            b'"' if colon => return Some(at),
            _ => return None,
        }
    }
    None
}

const fn plain(text: &[u8], mut at: usize, end: usize) -> bool {
    while at < end {
        if matches!(get(text, at), Some(b'\\')) {
            return false;
        }
        at += 1;
    }
    true
}

const fn same(text: &[u8], from: usize, to: usize, name: &[u8]) -> bool {
    if to - from != name.len() {
        return false;
    }
    let mut at = 0;
    while let (Some(a), Some(b)) = (get(text, from + at), get(name, at)) {
        if a != b {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: Kind, definition: &str) -> Option<&str> {
        Entry::declared(kind, definition).map(|entry| entry.key)
    }

    #[test]
    fn the_key_is_found_wherever_it_stands() {
        for (kind, definition, found) in [
            (Kind::Tool, r#"{"name":"a"}"#, "a"),
            (Kind::Prompt, "{ \"x\" : [ {\"name\":\"no\"} ] ,\n \"name\" :\t\"\u{e9}\" }", "\u{e9}"),
            (Kind::Tool, r#"{"title":"name","a\"name":"\\","name":"it"}"#, "it"),
            (Kind::Tool, r#"{"a":"name","name":""}"#, ""),
            (Kind::Resource, r#"{"name":"n","uri":"dev://log"}"#, "dev://log"),
            (Kind::Template, r#"{"uri":"x","uriTemplate":"dev://{n}"}"#, "dev://{n}"),
        ] {
            assert_eq!(key(kind, definition), Some(found), "{definition}");
            // As the checked way finds it.
            assert!(Raw::trusted(definition).get(kind.key()).and_then(Raw::str).unwrap() == found);
        }
    }

    /// What is said to be the same everywhere is: each revision lists it byte for byte.
    #[test]
    fn universal_definitions_are_listed_as_they_are() {
        use crate::json::Writer;
        use crate::revision::Revision;
        for (kind, definition, expected) in [
            (
                Kind::Tool,
                r#"{"name":"a","description":"true","inputSchema":{"type":"object","required":["a"]}}"#,
                true,
            ),
            (Kind::Tool, r#"{"name":"a","inputSchema":{"properties":{"a":true}}}"#, false),
            (Kind::Tool, r#"{"name":"a","inputSchema":{},"outputSchema":{}}"#, false),
            (Kind::Tool, r#"{"name":"a","inputSchema":{},"annotations":{}}"#, false),
            (Kind::Tool, "{\"name\":\"a\",\n\"inputSchema\":{}}", false),
            (Kind::Tool, r#"{"name":"a","title":"b","inputSchema":{}}"#, false),
            (Kind::Resource, r#"{"uri":"a:b","name":"a","mimeType":"text/plain","size":1}"#, true),
            (Kind::Resource, r#"{"uri":"a:b","name":"a","annotations":{"lastModified":"x"}}"#, false),
            (Kind::Template, r#"{"uriTemplate":"a:{b}","name":"a"}"#, true),
            (Kind::Prompt, r#"{"name":"a","description":"{\"title\":1}"}"#, true),
            (Kind::Prompt, r#"{"name":"a","arguments":[{"name":"b","title":"c"}]}"#, false),
            (Kind::Prompt, r#"{"name":"a"#, false),
        ] {
            assert_eq!(universal(kind, definition), expected, "{definition}");
            if !expected {
                continue;
            }
            for revision in Revision::ALL {
                let mut out = heapless::Vec::<u8, 256>::new();
                crate::catalog::write_listed(
                    kind,
                    Raw::trusted(definition),
                    revision,
                    &mut Writer::new(&mut out),
                )
                .unwrap();
                assert_eq!(out.as_slice(), definition.as_bytes());
            }
        }
    }

    #[test]
    fn a_description_of_the_server_is_universal_without_what_is_newer() {
        assert!(universal_info(r#"{"name":"a","version":"1"}"#));
        assert!(!universal_info(r#"{"name":"a","title":"A","version":"1"}"#));
        assert!(!universal_info("{\"name\":\"a\",\n\"version\":\"1\"}"));
    }

    #[test]
    fn what_has_no_key_is_none() {
        for definition in [
            "",
            "{",
            "{}",
            r#"["name","x"]"#,
            r#"{"name":1}"#,
            r#"{"name""#,
            r#"{"name":"#,
            r#"{"name":"x"#,
            r#"{"name"::"x"}"#,
            r#"{"name":"a\n"}"#,
            r#"{"x":{"name":"a"}}"#,
            r#"{"x":"name"}"#,
            "\"name\":\"a\"",
        ] {
            assert_eq!(key(Kind::Tool, definition), None, "{definition}");
        }
    }
}
