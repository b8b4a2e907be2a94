//! `format`, where its draft has it checked: up to draft 07. Formats a draft does not know say nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

use email_address::EmailAddress;
use fluent_uri::{Iri, IriRef, Uri, UriRef};

use crate::draft::{D4, D6, D7, Draft};

/// A format that is checked: its name, the drafts that have it, its check.
type Entry = (&'static str, Draft, Draft, fn(&str) -> bool);

const FORMATS: [Entry; 15] = [
    ("date", D4, D7, is_date),
    ("date-time", D4, D7, is_date_time),
    ("time", D4, D7, is_time),
    ("email", D4, D7, is_email),
    ("hostname", D4, D7, is_hostname),
    ("ipv4", D4, D7, |text| text.parse::<Ipv4Addr>().is_ok()),
    ("ipv6", D4, D7, |text| text.parse::<Ipv6Addr>().is_ok()),
    ("uri", D4, D7, |text| Uri::parse(text).is_ok()),
    ("uri-reference", D6, D7, |text| UriRef::parse(text).is_ok()),
    ("iri", D7, D7, |text| Iri::parse(text).is_ok()),
    ("iri-reference", D7, D7, |text| IriRef::parse(text).is_ok()),
    ("uri-template", D6, D7, is_uri_template),
    ("json-pointer", D6, D7, is_pointer),
    ("relative-json-pointer", D7, D7, is_relative_pointer),
    ("regex", D4, D7, jsonschema_regex::is_valid_ecma_regex),
];

/// A format that is checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format(&'static Entry);

impl Format {
    /// The format of that name, if that draft has it checked.
    pub(crate) fn of(draft: Draft, name: &str) -> Option<Self> {
        FORMATS
            .iter()
            .find(|(known, from, to, _)| *known == name && (*from..=*to).contains(&draft))
            .map(Format)
    }

    pub(crate) fn name(self) -> &'static str {
        self.0.0
    }

    pub(crate) fn takes(self, text: &str) -> bool {
        (self.0.3)(text)
    }
}

/// Takes so many digits.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let all = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| all)?, rest))
}

/// `2020-02-29` (RFC 3339).
fn is_date(text: &str) -> bool {
    let parse = || {
        let (year, rest) = digits(text, 4)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
        let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (rest.is_empty() && (1..=days).contains(&day)).then_some(())
    };
    parse().is_some()
}

/// `23:59:60.25+01:00` (RFC 3339): a leap second is the last of a day in UTC.
fn is_time(text: &str) -> bool {
    let parse = || {
        let (hour, rest) = digits(text, 2)?;
        let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
        let (second, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if rest.len() == fraction.len() {
                return None;
            }
        }
        const DAY: u32 = 24 * 60;
        let utc = match rest.split_at_checked(1)? {
            ("Z" | "z", "") => 60 * hour + minute,
            (sign @ ("+" | "-"), offset) => {
                let (hours, rest) = digits(offset, 2)?;
                let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
                if hours > 23 || minutes > 59 || !rest.is_empty() {
                    return None;
                }
                let offset = 60 * hours + minutes;
                60 * hour + minute + if sign == "+" { DAY - offset } else { offset }
            }
            _ => return None,
        };
        (second < 60 || utc % DAY == DAY - 1).then_some(())
    };
    parse().is_some()
}

fn is_date_time(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(date, time)| is_date(date) && is_time(time))
}

fn is_email(text: &str) -> bool {
    // RFC 5321 allows a quoted name to be empty.
    let filled = text.strip_prefix("\"\"@").map(|domain| format!("\"a\"@{domain}"));
    let Ok(address) = filled.as_deref().unwrap_or(text).parse::<EmailAddress>() else { return false };
    let domain = address.domain();
    let Some(literal) = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) else {
        return address.local_part().is_ascii() && is_hostname(domain);
    };
    address.local_part().is_ascii()
        && match literal.split_at_checked(5) {
            Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().is_ok(),
            _ => literal.parse::<Ipv4Addr>().is_ok(),
        }
}

/// RFC 1123. What internationalized labels (`xn--`) mean is not looked at.
fn is_hostname(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// RFC 6901.
fn is_pointer(text: &str) -> bool {
    let escapes = |text: &str| text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    text.is_empty() || text.starts_with('/') && escapes(text)
}

fn is_relative_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let number = text.strip_suffix(rest).unwrap_or_default();
    !number.is_empty() && (number == "0" || !number.starts_with('0')) && (rest == "#" || is_pointer(rest))
}

/// RFC 6570.
fn is_uri_template(text: &str) -> bool {
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let Some((expression, after)) = after.split_once('}') else { return false };
        if !is_literal(literal) || !is_expression(expression) {
            return false;
        }
        rest = after;
    }
    is_literal(rest)
}

fn is_literal(text: &str) -> bool {
    let taken = |char: char| {
        !matches!(char, '\0'..=' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '\x7f')
    };
    text.chars().all(taken) && encoded(text)
}

/// Every `%` is followed by two hexadecimal digits.
fn encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        (0..2).all(|_| digits.next().is_some_and(|digit| digit.is_ascii_hexdigit()))
    })
}

fn is_expression(text: &str) -> bool {
    let text =
        text.strip_prefix(['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|']).unwrap_or(text);
    text.split(',').all(|variable| {
        let name = match variable.split_once(':') {
            Some((name, length)) => {
                let digits = length.bytes().all(|digit| digit.is_ascii_digit());
                if !digits || !(1..=4).contains(&length.len()) || length.starts_with('0') {
                    return false;
                }
                name
            }
            None => variable.strip_suffix('*').unwrap_or(variable),
        };
        let taken = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'%' | b'.');
        encoded(name) && name.bytes().all(taken) && name.split('.').all(|part| !part.is_empty())
    })
}
