//! What forms of answer a request accepts (RFC 9110 §12.5.1), as far as MCP has a choice: JSON or an event stream.

/// What the `Accept` header of a request allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    /// `application/json` is acceptable.
    pub json: bool,
    /// `text/event-stream` is acceptable.
    pub sse: bool,
    /// `text/event-stream` is acceptable because it, or `text/*`, was named; not only by `*/*` or by silence.
    pub sse_named: bool,
}

/// How closely a range fits a type, and its weight in thousandths: the greatest pair decides.
type Fit = Option<(u8, u16)>;

impl Accept {
    /// What a request without the header allows: anything.
    pub const ANY: Self = Self { json: true, sse: true, sse_named: false };

    /// Reads all `Accept` lines of a request, values only.
    ///
    /// The most specific range that covers a type decides; weight 0 refuses it. Names are compared without case;
    /// parameters other than `q` are ignored (of ranges that differ only in those, the greatest weight counts).
    /// What is no media range, or has a malformed weight, is passed over; if no range is left the result is
    /// [`Accept::ANY`], as if the header were absent.
    pub fn parse<'l>(lines: impl Iterator<Item = &'l str>) -> Self {
        let (mut json, mut sse, mut any) = (None, None, false);
        for range in
            lines.flat_map(|line| Parts { rest: Some(line), separator: ',' }).filter_map(Range::parse)
        {
            any = true;
            json = json.max(range.fit("application", "json"));
            sse = sse.max(range.fit("text", "event-stream"));
        }
        if !any {
            return Self::ANY;
        }
        let accepted = |fit: Fit| fit.is_some_and(|(_, weight)| weight > 0);
        Self {
            json: accepted(json),
            sse: accepted(sse),
            sse_named: accepted(sse) && sse.is_some_and(|(closeness, _)| closeness > 0),
        }
    }
}

struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = Parts { rest: Some(text), separator: ';' };
        let (main, sub) = parts.next()?.trim_matches(SPACE).split_once('/')?;
        let fits = is_token(main) && is_token(sub) && (main != "*" || sub == "*");
        let mut weight = 1000;
        for part in parts {
            if let Some((name, value)) = part.split_once('=')
                && name.trim_matches(SPACE).eq_ignore_ascii_case("q")
            {
                weight = thousandths(value.trim_matches(SPACE))?;
            }
        }
        fits.then_some(Self { main, sub, weight })
    }

    fn fit(&self, main: &str, sub: &str) -> Fit {
        let closeness = if self.main == "*" {
            0
        } else if !self.main.eq_ignore_ascii_case(main) {
            return None;
        } else if self.sub == "*" {
            1
        } else if self.sub.eq_ignore_ascii_case(sub) {
            2
        } else {
            return None;
        };
        Some((closeness, self.weight))
    }
}

const SPACE: [char; 2] = [' ', '\t'];

fn is_token(text: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// A weight in thousandths: 0 to 1 with up to three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    let fraction = decimals
        .bytes()
        .chain(core::iter::repeat(b'0'))
        .take(3)
        .fold(0, |sum, b| sum * 10 + u16::from(b & 0xF));
    match whole {
        "0" if digits => Some(fraction),
        "1" if digits && fraction == 0 => Some(1000),
        _ => None,
    }
}

/// Splits at a separator, but not inside quoted strings.
struct Parts<'a> {
    rest: Option<&'a str>,
    separator: char,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest.take()?;
        let (mut quoted, mut escaped) = (false, false);
        let end = text.find(|c: char| {
            if core::mem::take(&mut escaped) {
                return false;
            }
            escaped = quoted && c == '\\';
            quoted ^= c == '"';
            !quoted && c == self.separator
        });
        let (part, rest) = match end.and_then(|at| text.split_at_checked(at)) {
            Some((part, rest)) => (part, rest.get(1..)),
            None => (text, None),
        };
        self.rest = rest;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: T-085
    #[test]
    fn ranges_weights_and_wildcards() {
        let none = "neither";
        for (lines, expected) in [
            (&[][..], "json sse"),
            (&["*/*"], "json sse"),
            (&[""], "json sse"),
            (&["garbage, */json, text/, ;q=1"], "json sse"),
            (&["application/json, text/event-stream"], "json sse named"),
            (&["application/json", "text/event-stream"], "json sse named"),
            (&["Application/JSON"], "json"),
            (&["TEXT/Event-Stream;charset=utf-8"], "sse named"),
            (&["text/*"], "sse named"),
            (&["application/*;q=0.001"], "json"),
            (&["text/html"], none),
            (&["application/json;q=0, */*"], "sse"),
            (&["*/*;q=0, application/json"], "json"),
            (&["*/*;q=1, text/*;q=0"], "json"),
            (&["text/*;q=0, text/event-stream;q=0.5"], "sse named"),
            (&["application/json;q=0.000"], none),
            (&["application/json;Q=0"], none),
            (&["application/json ; q = 0.5 ; x=y"], "json"),
            (&["application/json;q=2, text/event-stream;q=1.000"], "sse named"),
            (&["application/json;q=0.1234, text/html"], none),
            (&["application/json;q=0;x=1, application/json"], "json"),
            (&["text/plain;x=\"a, application/json;q=1, \\\"\", text/event-stream"], "sse named"),
            (&["text/html;x=\"unclosed, application/json"], none),
        ] {
            let got = match Accept::parse(lines.iter().copied()) {
                Accept { json: true, sse: true, sse_named: true } => "json sse named",
                Accept { json: true, sse: true, sse_named: false } => "json sse",
                Accept { json: false, sse: true, sse_named: true } => "sse named",
                Accept { json: false, sse: true, sse_named: false } => "sse",
                Accept { json: true, sse: false, sse_named: false } => "json",
                Accept { json: false, sse: false, sse_named: false } => none,
                Accept { sse: false, sse_named: true, .. } => "nonsense",
            };
            assert_eq!(got, expected, "{lines:?}");
        }
    }
}
