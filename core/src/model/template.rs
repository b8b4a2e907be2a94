//! URI templates for resources (RFC 6570, level 1): literal text and `{name}` expressions.

use super::percent::escape_at;
pub use super::percent::{PercentError, percent_decode};
use crate::json::{find, find_text};
use thiserror::Error;

/// The greatest number of variables in one template.
pub const MAX_VARIABLES: usize = 16;

/// A URI template, checked.
///
/// ```
/// use mcpgraft::model::template::Template;
/// let template = Template::parse("dataset://sample/{rows}")?;
/// let captures = template.matches("dataset://sample/25").unwrap();
/// assert_eq!(captures.get("rows"), Some("25"));
/// # Ok::<(), mcpgraft::model::template::TemplateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template<'a>(&'a str);

/// Why a text is no template, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("URI template, byte {offset}: {kind}")]
pub struct TemplateError {
    /// The byte it was noticed at, counted from 0.
    pub offset: usize,
    /// What is wrong.
    pub kind: TemplateErrorKind,
}

/// What is wrong with a text that is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateErrorKind {
    /// A `{` without its `}`.
    #[error("'{{' is not closed")]
    Unclosed,
    /// A `}` without its `{`.
    #[error("'}}' without '{{'; write %7D for a literal one")]
    Unopened,
    /// `{}`.
    #[error("an expression needs a name: {{name}}")]
    NameMissing,
    /// An operator of level 2 and up: `{+path}`, `{?query}` and the like.
    #[error("only plain expressions, {{name}}, are supported (RFC 6570 level 1); remove '{0}'")]
    Operator(char),
    /// A list of names, a prefix or an explode modifier: `{a,b}`, `{a:3}`, `{a*}`.
    #[error("one plain name per expression, {{name}}, is supported (RFC 6570 level 1); remove '{0}'")]
    Modifier(char),
    /// A character that cannot stand in a name.
    #[error("a name has letters, digits, '_', %XX and single dots between them")]
    Name,
    /// A character that cannot stand in a URI.
    #[error("this character cannot stand in a URI; percent-encode it")]
    Literal,
    /// Two expressions with nothing between them.
    #[error(
        "two expressions side by side: where one value ends cannot be known; put a character between them"
    )]
    Adjacent,
    /// A name that stands twice.
    #[error("this name stands twice; give each expression a name of its own")]
    Duplicate,
    /// More than [`MAX_VARIABLES`] expressions.
    #[error("more than 16 expressions")]
    TooMany,
}

/// A piece of a template.
#[derive(Clone, Copy)]
enum Part<'a> {
    Literal(&'a str),
    Name(&'a str),
}

impl<'a> Template<'a> {
    /// Checks `text`. A template without expressions is allowed; it matches itself.
    ///
    /// # Errors
    /// [`TemplateError`] names the first offence.
    pub fn parse(text: &'a str) -> Result<Self, TemplateError> {
        let template = Self(text);
        let (mut names, mut after_name) = (heapless::Vec::<&str, MAX_VARIABLES>::new(), false);
        for (offset, part) in template.parts() {
            let fail = |at: usize, kind| TemplateError { offset: offset + at, kind };
            match part {
                Part::Literal(literal) => check_literal(literal).map_err(|(at, kind)| fail(at, kind))?,
                Part::Name(_) if after_name => return Err(fail(0, TemplateErrorKind::Adjacent)),
                Part::Name(name) => {
                    if text.as_bytes().get(offset + 1 + name.len()) != Some(&b'}') {
                        return Err(fail(0, TemplateErrorKind::Unclosed));
                    }
                    check_name(name).map_err(|(at, kind)| fail(at + 1, kind))?;
                    if names.contains(&name) {
                        return Err(fail(1, TemplateErrorKind::Duplicate));
                    }
                    names.push(name).map_err(|_| fail(0, TemplateErrorKind::TooMany))?;
                }
            }
            after_name = matches!(part, Part::Name(_));
        }
        Ok(template)
    }

    /// The text of the template.
    pub const fn text(&self) -> &'a str {
        self.0
    }

    /// The names of the variables, in order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.parts().filter_map(|(_, part)| match part {
            Part::Name(name) => Some(name),
            Part::Literal(_) => None,
        })
    }

    /// The values that make the template equal to `uri`, or `None`.
    ///
    /// Literal text must agree byte for byte. A value has one character or more and none of `/`, `?` and `#`, the
    /// last one too: `a://{x}` does not match `a://b/c`. Where several readings are possible, earlier values are as
    /// short as can be: `{a}.{b}` reads `x.y.z` as `x` and `y.z`.
    ///
    /// Nor does a value match that would lead a careless handler out of its folder, once it is decoded: one with a segment
    /// `..` between `/` or `\`, one that begins with either or with a drive (`C:\`), and one with a NUL. `a%2Fb` is no such
    /// value; it means `a/b`. What a value like `C:a` or the name of a link leads to depends on the machine: a handler
    /// that opens files still has to compare the resolved path with its folder (server/resources, "Security Considerations").
    pub fn matches<'u>(&self, uri: &'u str) -> Option<Captures<'a, 'u>> {
        let mut found = heapless::Vec::new();
        let (mut rest, mut parts) = (uri, self.parts());
        while let Some((_, part)) = parts.next() {
            let name = match part {
                Part::Name(name) => name,
                Part::Literal(literal) => {
                    rest = rest.strip_prefix(literal)?;
                    continue;
                }
            };
            // Literal text or the end follows a name. The first place where the text stands loses no match: a later
            // one would only move characters that this variable may hold out of the next one.
            let mut ahead = parts.clone().map(|(_, part)| part);
            let end = match (ahead.next(), ahead.next()) {
                (Some(Part::Literal(literal)), None) => rest.strip_suffix(literal)?.len(),
                (Some(Part::Literal(literal)), Some(_)) => {
                    let first = rest.chars().next()?.len_utf8();
                    find_text(rest.as_bytes(), first, literal.as_bytes())?
                }
                _ => rest.len(),
            };
            let (value, after) = rest.split_at_checked(end)?;
            if value.is_empty()
                || value.bytes().any(|byte| matches!(byte, b'/' | b'?' | b'#'))
                || leads_out(value)
            {
                return None;
            }
            found.push((name, value)).ok()?;
            rest = after;
        }
        rest.is_empty().then_some(Captures(found))
    }

    fn parts(&self) -> Parts<'a> {
        Parts { text: self.0, at: 0 }
    }
}

/// The parts of a template and where each begins (at its brace, for a name).
#[derive(Clone)]
struct Parts<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = (usize, Part<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        Some(match rest.strip_prefix('{') {
            Some(inner) => {
                let name = before(inner, b'}');
                self.at = start + 1 + name.len() + 1;
                (start, Part::Name(name))
            }
            None => {
                let literal = before(rest, b'{');
                self.at = start + literal.len();
                (start, Part::Literal(literal))
            }
        })
    }
}

/// What stands before the first such byte, an ASCII one; all of it, where there is none.
fn before(text: &str, byte: u8) -> &str {
    find(text.as_bytes(), byte).and_then(|end| text.get(..end)).unwrap_or(text)
}

/// A place in a part and what is wrong there.
type Offence = (usize, TemplateErrorKind);

fn check_literal(literal: &str) -> Result<(), Offence> {
    for (at, c) in literal.char_indices() {
        if c == '}' {
            return Err((at, TemplateErrorKind::Unopened));
        }
        let stray = c == '%' && escape_at(literal.as_bytes(), at).is_none();
        if stray || c.is_control() || matches!(c, ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '|') {
            return Err((at, TemplateErrorKind::Literal));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Offence> {
    let Some(first) = name.chars().next() else {
        return Err((0, TemplateErrorKind::NameMissing));
    };
    if matches!(first, '+' | '#' | '.' | '/' | ';' | '?' | '&' | '=' | ',' | '!' | '@' | '|') {
        return Err((0, TemplateErrorKind::Operator(first)));
    }
    let mut before = '.';
    for (at, c) in name.char_indices() {
        if matches!(c, ',' | ':' | '*') {
            return Err((at, TemplateErrorKind::Modifier(c)));
        }
        let fits = match c {
            '.' => before != '.',
            '%' => escape_at(name.as_bytes(), at).is_some(),
            _ => c == '_' || c.is_ascii_alphanumeric(),
        };
        if !fits {
            return Err((at, TemplateErrorKind::Name));
        }
        before = c;
    }
    if before == '.' { Err((name.len() - 1, TemplateErrorKind::Name)) } else { Ok(()) }
}

/// What a URI put in place of the expressions of a template: see [`Template::matches`].
#[derive(Clone, Debug)]
pub struct Captures<'a, 'u>(heapless::Vec<(&'a str, &'u str), MAX_VARIABLES>);

impl<'a, 'u> Captures<'a, 'u> {
    /// The names with their values, in the order of the template. Values are as they stand in the URI: see
    /// [`percent_decode`].
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'u str)> + '_ {
        self.0.iter().copied()
    }

    /// The value of one name, as it stands in the URI.
    pub fn get(&self, name: &str) -> Option<&'u str> {
        self.iter().find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// The variables of a URI that a template matches, by name and decoded: what is not valid percent-encoding is passed on as
/// it came. None where the URI does not match.
///
/// # Errors
/// The text is no template.
#[cfg(feature = "alloc")]
pub fn variables<'a>(
    text: &'a str,
    uri: &str,
) -> Result<alloc::vec::Vec<(&'a str, alloc::string::String)>, TemplateError> {
    let template = Template::parse(text)?;
    let Some(found) = template.matches(uri) else { return Ok(alloc::vec::Vec::new()) };
    let decoded = |raw: &str| {
        let mut value = alloc::vec::Vec::new();
        let text =
            percent_decode(raw, &mut value).ok().and_then(|()| alloc::string::String::from_utf8(value).ok());
        text.unwrap_or_else(|| raw.into())
    };
    Ok(found.iter().map(|(name, raw)| (name, decoded(raw))).collect())
}

/// Whether a value, decoded, is a path that does not stay below where it is put.
fn leads_out(raw: &str) -> bool {
    let (raw, mut at) = (raw.as_bytes(), 0);
    let mut drive = Drive::Maybe;
    // Of the segment: its length, as long as it has only dots.
    let (mut dots, mut first) = (Some(0), true);
    while let Some(plain) = raw.get(at) {
        // A stray % is passed on as it came.
        let escaped = escape_at(raw, at).filter(|_| *plain == b'%');
        at += if escaped.is_some() { 3 } else { 1 };
        match escaped.unwrap_or(*plain) {
            0 => return true,
            b'/' | b'\\' if first || dots == Some(2) || drive == Drive::Named => return true,
            b'/' | b'\\' => dots = Some(0),
            b'.' => dots = dots.map(|dots| dots + 1),
            _ => dots = None,
        }
        drive = match (drive, escaped.unwrap_or(*plain)) {
            (Drive::Maybe, letter) if first && letter.is_ascii_alphabetic() => Drive::Letter,
            (Drive::Letter, b':') => Drive::Named,
            _ => Drive::No,
        };
        first = false;
    }
    dots == Some(2)
}

/// How much of `C:` was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drive {
    Maybe,
    Letter,
    Named,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_level_one() {
        for (text, names) in [
            ("", &[][..]),
            ("config://app", &[]),
            ("dataset://sample/{rows}", &["rows"]),
            ("é://{a.b}/x%20y/{c_1}?q={%41}", &["a.b", "c_1", "%41"]),
        ] {
            let template = Template::parse(text).unwrap();
            assert!(template.names().eq(names.iter().copied()), "{text}");
            assert_eq!(template.text(), text);
        }
    }

    #[test]
    fn refuses_the_rest_with_the_place() {
        use TemplateErrorKind::*;
        for (text, offset, kind) in [
            ("a{b", 1, Unclosed),
            ("a{", 1, Unclosed),
            ("a}b", 1, Unopened),
            ("a{b}}", 4, Unopened),
            ("a{}", 2, NameMissing),
            ("a{+b}", 2, Operator('+')),
            ("a{?b,c}", 2, Operator('?')),
            ("{b,c}", 2, Modifier(',')),
            ("{b:3}", 2, Modifier(':')),
            ("{b*}", 2, Modifier('*')),
            ("{b c}", 2, Name),
            ("{a{b}", 2, Name),
            ("{.a}", 1, Operator('.')),
            ("{a..b}", 3, Name),
            ("{a.}", 2, Name),
            ("{a%2}", 2, Name),
            ("{é}", 1, Name),
            ("a b", 1, Literal),
            ("a%2", 1, Literal),
            ("a\n", 1, Literal),
            ("x/{a}{b}", 5, Adjacent),
            ("{a}/{a}", 5, Duplicate),
            ("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}", 64, TooMany),
        ] {
            assert_eq!(Template::parse(text), Err(TemplateError { offset, kind }), "{text}");
        }
    }

    #[test]
    fn messages_name_the_fix() {
        use core::fmt::Write;
        let mut text = heapless::String::<128>::new();
        write!(text, "{}", Template::parse("a{+b}").unwrap_err()).unwrap();
        assert_eq!(
            text.as_str(),
            "URI template, byte 2: only plain expressions, {name}, are supported (RFC 6570 level 1); remove '+'"
        );
    }

    #[test]
    fn matches_whole_uris() {
        for (template, uri, expected) in [
            ("a://{x}", "a://b", Some(&[("x", "b")][..])),
            ("a://{x}", "a://", None),
            ("a://{x}", "a://b/c", None),
            ("a://{x}", "a://b?c", None),
            ("a://{x}", "A://b", None),
            ("a://{x}", "a://b%2Fc", Some(&[("x", "b%2Fc")])),
            ("a://{x}/{y}.txt", "a://1/2.txt", Some(&[("x", "1"), ("y", "2")])),
            ("{x}.txt", "a.txt.txt", Some(&[("x", "a.txt")])),
            ("{x}.txt", ".txt", None),
            ("{a}.{b}", "x.y.z", Some(&[("a", "x"), ("b", "y.z")])),
            ("{a}.{b}", "..z", Some(&[("a", "."), ("b", "z")])),
            ("{a}.{b}", "x.", None),
            ("{a}-{b}!", "1-2-3!", Some(&[("a", "1"), ("b", "2-3")])),
            ("{a}é{b}", "ééé", Some(&[("a", "é"), ("b", "é")])),
            ("{a}/{b}", "1/2/3", None),
            ("a://b", "a://b", Some(&[])),
            ("a://b", "a://bc", None),
            ("a://b?q={x}", "a://b?q=1", Some(&[("x", "1")])),
        ] {
            let parsed = Template::parse(template).unwrap();
            let got = parsed.matches(uri);
            let got: Option<heapless::Vec<_, 4>> = got.map(|captures| captures.iter().collect());
            assert_eq!(got.as_deref(), expected, "{template} {uri}");
        }
        assert_eq!(Template::parse("{a}").unwrap().matches("1").unwrap().get("b"), None);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn variables_are_decoded_where_they_can_be() {
        let found = variables("s://{a}/{b}", "s://x%20y/%zz").unwrap();
        assert_eq!(found, [("a", "x y".into()), ("b", "%zz".into())]);
        assert_eq!(variables("s://{a}", "t://1").unwrap(), []);
        assert!(variables("s://{", "s://1").is_err());
    }

    // proves: S-267
    #[test]
    fn no_value_leads_out_of_a_folder() {
        let template = Template::parse("file:///docs/{path}").unwrap();
        let matches = |value: &str| {
            let mut uri = heapless::String::<64>::try_from("file:///docs/").unwrap();
            uri.push_str(value).unwrap();
            template.matches(&uri).is_some()
        };
        for out in [
            "..",
            "%2e%2E",
            ".%2e",
            "..%2Fx",
            "a%2F..",
            "a%2f..%2fb",
            "a%5c..",
            "..\\x",
            "%2Fetc%2Fpasswd",
            "%5Cx",
            "\\\\host\\share",
            "C:%5Cx",
            "c%3A%2Fx",
            "Z:\\",
            "a%00b",
            "%zz\\..",
        ] {
            assert!(!matches(out), "{out}");
        }
        for inside in [
            ".",
            "...",
            "..a",
            "a..",
            "a..b",
            "a%2Fb",
            "a%2F.%2Fb",
            "a%2F...%2Fb",
            "a%2F",
            "a:b",
            "C:x",
            "ab:%2Fx",
            "%252e%252e",
            "x%3A1",
            "%",
            ".%",
        ] {
            assert!(matches(inside), "{inside}");
        }
    }
}
