//! What must hold for every input: the readers, writers and framers against chance.
#![cfg(feature = "alloc")]

use mcpgraft::frame::line::{Frame, LineBuffer, LineFramer};
use mcpgraft::http::accept::Accept;
use mcpgraft::http::guard::{Guard, Hosts, Listed};
use mcpgraft::http::sentinel;
use mcpgraft::json::{Full, JsonErrorKind, Kind, Raw, Str, Writer, check, escape, fnv64, member};
use mcpgraft::model::template::{Template, percent_decode};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

const DEPTH: u16 = 64;

/// Values of every kind, a few levels deep.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text made of pieces of JSON: far more often nearly valid than bytes of any kind are.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let pieces = "{ } [ ] , : \" \"a\" \"a\": \\ \
                  \\u00e9 \\ud83d\\ude00 \\ud83d \\n 0 - 12 .5 e3 E+ 1.0 true false null nul \
                  \u{b} é 😀 \u{feff}";
    let pieces: Vec<&str> = pieces.split(' ').chain([" ", "\n", "\t"]).collect();
    let piece = prop_oneof![
        20 => prop::sample::select(pieces).prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop_oneof![
        2 => vec(piece.clone(), 0..12).prop_map(|pieces| pieces.concat()),
        // Strings need both their quotes to be looked into.
        1 => vec(piece, 0..6).prop_map(|pieces| [b"\"", pieces.concat().as_slice(), b"\""].concat()),
    ]
}

/// Calls every reader on a value and on what is in it.
fn read_all(value: Raw<'_>, depth: usize) {
    let _ = (value.kind(), value.bool(), value.u64(), value.i64(), value.f64());
    let _ = (value.get("a"), value.at(&["a", "b"]), value.pick(["a", ""]));
    if let Some(text) = value.str() {
        let meant: String = text.chars().collect();
        let _ = (
            text.plain(),
            text.hash64(),
            text.to_cow(),
            text == meant.as_str(),
            text == Str::trusted(&meant),
        );
        let _ = text.decode(&mut Vec::new());
    }
    let _ = Writer::new(&mut Vec::new()).compact(value);
    if depth > 0 {
        value.members().take(50).for_each(|(_, member)| read_all(member, depth - 1));
        value.elements().take(50).for_each(|element| read_all(element, depth - 1));
    }
}

/// Whether the readers find in `raw` what serde_json found. Its floats may be off by the last digit.
fn agrees(raw: Raw<'_>, value: &Value) -> bool {
    match value {
        Value::Null => raw.is_null() && raw.text() == "null",
        Value::Bool(truth) => raw.bool() == Some(*truth),
        Value::String(text) => raw.str().is_some_and(|s| {
            s == text.as_str() && s.to_cow() == *text && s.hash64() == fnv64(text.as_bytes())
        }),
        Value::Number(number) => {
            raw.is_number()
                && number.as_u64().is_none_or(|n| raw.u64() == Some(n))
                && number.as_i64().is_none_or(|n| raw.i64() == Some(n))
                && number.as_f64().is_none_or(|n| raw.f64().is_some_and(|f| (f - n).abs() <= n.abs() * 1e-15))
        }
        Value::Array(elements) => {
            raw.elements().count() == elements.len()
                && raw.elements().zip(elements).all(|(raw, value)| agrees(raw, value))
        }
        Value::Object(members) => {
            raw.members().all(|(name, _)| members.contains_key(&*name.to_cow()))
                && members.iter().all(|(name, value)| raw.get(name).is_some_and(|raw| agrees(raw, value)))
        }
    }
}

/// Whether both judge the text alike. Where they differ on purpose: serde_json refuses numbers beyond the
/// floats, which are JSON, and ours nest less deep. Every other refusal must be the other's too.
fn judged_alike(text: &[u8]) -> bool {
    let ours = check(text, DEPTH);
    match (ours, serde_json::from_slice::<Value>(text)) {
        (Ok(raw), Ok(value)) => agrees(raw, &value),
        (Ok(_), Err(error)) => error.to_string().contains("number out of range"),
        (Err(error), Ok(_)) => error.kind == JsonErrorKind::Depth,
        (Err(error), Err(_)) => error.offset <= text.len(),
    }
}

/// Writes `value` with the writer: strings escaped by it, numbers by the method that fits.
fn write(value: &Value, writer: &mut Writer<'_, Vec<u8>>) -> Result<(), Full> {
    match value {
        Value::Null => writer.null(),
        Value::Bool(truth) => writer.bool(*truth),
        Value::String(text) => writer.string(text),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => writer.u64(number),
            (_, Some(number)) => writer.i64(number),
            _ => writer.f64(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Array(elements) => {
            writer.begin_array()?;
            elements.iter().try_for_each(|element| write(element, writer))?;
            writer.end_array()
        }
        Value::Object(members) => {
            writer.begin_object()?;
            for (name, value) in members {
                if let Value::String(text) = value {
                    writer.field_str(name, text)?;
                } else {
                    writer.key(name)?;
                    write(value, writer)?;
                }
            }
            writer.end_object()
        }
    }
}

/// The frames of a stream that comes in these pieces, by a framer; `None` for an over-long line.
macro_rules! frames {
    ($framer:expr, $pieces:expr) => {{
        let own = |frame: Frame<'_>| match frame {
            Frame::Line(line) => Some(line.to_vec()),
            Frame::TooLong => None,
        };
        let (mut framer, mut log) = ($framer, Vec::new());
        for mut piece in $pieces {
            while let Some(frame) = framer.next(&mut piece) {
                log.push(own(frame));
            }
        }
        log.extend(framer.finish().map(own));
        log
    }};
}

/// The same by the plain definition, over the whole stream at once.
fn frames_defined(stream: &[u8], limit: usize) -> Vec<Option<Vec<u8>>> {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let lines = stream.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines
        .filter(|line| line.len() > limit || !line.iter().all(|b| b" \t\r".contains(b)))
        .map(|line| (line.len() <= limit).then(|| line.to_vec()))
        .collect()
}

/// Bytes with many line ends, blanks and pieces of a byte order mark.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        2 => prop::sample::select(b"\r\n \t\xEF\xBB\xBFab".to_vec()),
        1 => any::<u8>(),
    ];
    let mark = prop_oneof![Just(&b""[..]), Just(&b"\xEF\xBB\xBF"[..]), Just(&b"\xEF\xBB"[..])];
    (mark, vec(byte, 0..80)).prop_map(|(mark, bytes)| [mark, &bytes].concat())
}

/// Whether a value of a URI, decoded as far as it can be, is a path out of the folder it is put in.
fn leads_out(value: &str) -> bool {
    let mut decoded = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    let slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    decoded.contains(&0)
        || decoded.first().is_some_and(slash)
        || decoded.split(slash).any(|segment| segment == b"..")
        || matches!(&decoded[..], [letter, b':', third, ..] if letter.is_ascii_alphabetic() && slash(third))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    // proves: S-190
    #[test]
    fn a_member_is_found_while_its_text_is_checked(
        members in vec((prop_oneof![Just("\"a\""), Just("\"\\u0061\""), Just("\"é\"")], values()), 0..4),
        nearly in nearly_json(),
        name in prop_oneof![Just("a"), Just("é"), Just("")],
    ) {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("{name} : {value}")).collect();
        let object = format!(" {{ {} }}\n", members.join(" , "));
        for text in [object.as_bytes(), &nearly] {
            let both = check(text, DEPTH).map(|value| value.get(name).map(Raw::text));
            prop_assert_eq!(member(text, name, DEPTH).map(|found| found.map(Raw::text)), both);
        }
    }

    #[test]
    fn any_split_gives_the_same_frames(stream in streams(), mut cuts in vec(0usize..90, 0..8)) {
        cuts.extend([0, stream.len()]);
        cuts.iter_mut().for_each(|cut| *cut = (*cut).min(stream.len()));
        cuts.sort_unstable();
        let pieces = || cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]);
        let expected = frames_defined(&stream, 12);
        prop_assert_eq!(&frames!(LineFramer::<12>::new(), pieces()), &expected);
        prop_assert_eq!(&frames!(LineBuffer::with_limit(12), pieces()), &expected);
        prop_assert_eq!(frames!(LineBuffer::with_limit(3), stream.chunks(1)), frames_defined(&stream, 3));
        prop_assert_eq!(frames!(LineFramer::<0>::new(), pieces()), frames_defined(&stream, 0));
    }

    #[test]
    fn check_agrees_with_serde_json_on_bytes(text in vec(any::<u8>(), 0..24)) {
        prop_assert!(judged_alike(&text));
    }

    #[test]
    fn check_agrees_with_serde_json_on_nearly_json(text in nearly_json()) {
        prop_assert!(judged_alike(&text), "{:?}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn check_accepts_and_reads_what_serde_json_writes(value in values()) {
        for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let raw = check(text.as_bytes(), DEPTH);
            prop_assert!(raw.is_ok_and(|raw| raw.text() == text && agrees(raw, &value)), "{text} {raw:?}");
        }
    }

    #[test]
    fn cut_and_changed_text_is_judged_as_by_serde_json(
        value in values(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"{}[],:\"\\0-.eu \n".to_vec())],
    ) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at.index(text.len());
        prop_assert!(judged_alike(&text[..at]));
        text[at] = byte;
        prop_assert!(judged_alike(&text), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn readers_never_panic_on_unchecked_text(text in any::<String>(), pieces in nearly_json()) {
        let pieces = String::from_utf8_lossy(&pieces);
        for text in [&*text, &*pieces] {
            for open in ["", "{", "[", "\"", "{\"a\":", "-"] {
                read_all(Raw::trusted(&format!("{open}{text}")), 4);
            }
            let text = Str::trusted(text);
            let _ = (text.plain(), text.is_empty(), text.escaped(), text.hash64());
        }
    }

    // proves: S-002, S-190
    #[test]
    fn what_the_writer_writes_is_json_and_reads_back(value in values()) {
        let mut out = Vec::new();
        prop_assert_eq!(write(&value, &mut Writer::new(&mut out)), Ok(()));
        let raw = check(&out, DEPTH);
        prop_assert!(raw.is_ok_and(|raw| agrees(raw, &value)), "{}", String::from_utf8_lossy(&out));
        prop_assert!(serde_json::from_slice::<Value>(&out).is_ok());
    }

    #[test]
    fn compact_is_the_value_without_white_space(value in values()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let mut out = Vec::new();
        prop_assert_eq!(Writer::new(&mut out).compact(Raw::trusted(&pretty)), Ok(()));
        prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn floats_read_back_bit_for_bit(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let mut out = Vec::new();
        prop_assert_eq!(Writer::new(&mut out).f64(number), Ok(()));
        let raw = check(&out, 0).unwrap();
        if number.is_finite() {
            prop_assert_eq!(raw.f64().map(f64::to_bits), Some(bits));
        } else {
            prop_assert_eq!(raw.kind(), Kind::Null);
        }
    }

    #[test]
    fn integers_are_exact(whole in any::<u64>(), zeros in 0usize..6, places in 0usize..25) {
        let spelled = format!("{whole}.{}", "0".repeat(zeros + 1));
        prop_assert_eq!(Raw::trusted(&spelled).u64(), Some(whole));
        let shifted = format!("{whole}{}e-{places}", "0".repeat(places));
        prop_assert_eq!(Raw::trusted(&shifted).u64(), Some(whole));
        let half = format!("{whole}.{}5", "0".repeat(zeros));
        prop_assert_eq!((Raw::trusted(&half).u64(), Raw::trusted(&half).i64()), (None, None));
    }

    #[test]
    fn strings_mean_the_same_however_they_are_escaped(text in any::<String>()) {
        let mut short = Vec::new();
        prop_assert_eq!(escape(&text, &mut short), Ok(()));
        let short = String::from_utf8(short).unwrap();
        let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let long = format!("\"{units}\"");
        prop_assert_eq!(check(long.as_bytes(), 0).map(Raw::text), Ok(&*long));
        let (short, long) = (Str::trusted(&short), Str::trusted(&long));
        prop_assert_eq!(short, long);
        prop_assert_eq!(long, short);
        prop_assert!(short == text.as_str() && long == text.as_str());
        prop_assert!(short.hash64() == long.hash64());
        let mut decoded = Vec::new();
        prop_assert_eq!(long.decode(&mut decoded), Ok(()));
        prop_assert_eq!(decoded, text.as_bytes());
    }

    #[test]
    fn different_strings_differ(one in "[a\\\\\"é\n]{0,4}", other in "[a\\\\\"é\n]{0,4}") {
        let mut raw = Vec::new();
        prop_assert_eq!(escape(&one, &mut raw), Ok(()));
        prop_assert_eq!(Str::trusted(&String::from_utf8(raw).unwrap()) == other.as_str(), one == other);
    }

    #[test]
    fn sentinel_round_trip(value in any::<String>(), plain in "[ -~]{0,12}") {
        for value in [value, plain.clone(), format!("=?base64?{plain}?=")] {
            let (mut header, mut back, mut body) = (Vec::new(), Vec::new(), Vec::new());
            prop_assert_eq!(sentinel::encode(&value, &mut header), Ok(()));
            prop_assert!(header.iter().all(|b| (0x20..=0x7E).contains(b)));
            prop_assert_eq!(header.trim_ascii(), &header[..]);
            prop_assert_eq!(sentinel::decode(&header, &mut back), Ok(()));
            prop_assert_eq!(back, value.as_bytes());
            prop_assert_eq!(escape(&value, &mut body), Ok(()));
            let body = String::from_utf8(body).unwrap();
            prop_assert_eq!(sentinel::equals(&header, Str::trusted(&body)), Ok(true));
            let longer = format!("\"x{}", &body[1..]);
            prop_assert_eq!(sentinel::equals(&header, Str::trusted(&longer)), Ok(false));
        }
    }

    #[test]
    fn one_string_has_one_base64(letters in "([AQ]{4})?([AQB][AQgwBC]==|[AQ]{2}[AQEIBC]=|[A=/+-]{0,4})") {
        // Begins with NUL characters, so that it must be wrapped.
        let header = format!("=?base64?AAAA{letters}?=");
        let mut bytes = Vec::new();
        if sentinel::decode(header.as_bytes(), &mut bytes).is_ok() {
            let mut again = Vec::new();
            prop_assert_eq!(sentinel::encode(core::str::from_utf8(&bytes).unwrap(), &mut again), Ok(()));
            prop_assert_eq!(again, header.as_bytes());
        }
    }

    #[test]
    fn a_template_finds_what_was_put_in(values in vec("[A-Za-z0-9%~_]{1,6}", 3)) {
        let template = Template::parse("x://{a}/b-{b}.{c}?q").unwrap();
        let uri = format!("x://{}/b-{}.{}?q", values[0], values[1], values[2]);
        match template.matches(&uri) {
            Some(captures) => {
                prop_assert!(captures.iter().map(|(_, value)| value).eq(values.iter().map(String::as_str)));
            }
            None => prop_assert!(values.iter().any(|value| leads_out(value)), "{}", uri),
        }
    }

    #[test]
    fn no_value_leads_out(value in "(\\.|%2[eEfF]|%5[cC]|%3[aA]|%00|[a:%\\\\]){1,6}") {
        let matched = Template::parse("x://{a}").unwrap().matches(&format!("x://{value}")).is_some();
        prop_assert_eq!(matched, !leads_out(&value), "{}", value);
    }

    #[test]
    fn template_matching_loses_no_reading(
        template in "(\\{a\\})?[./-]{1,2}(\\{b\\})?[x.-]{1,2}(\\{c\\})?",
        uri in "[./x-]{0,9}",
    ) {
        let template = Template::parse(&template).unwrap();
        let captures = template.matches(&uri);
        let readable = is_readable(template.text(), &uri);
        // The one reading that is tried may have a value that leads out of a folder.
        let refused = captures.is_none() && uri.contains("..");
        prop_assert!(captures.is_some() == readable || refused, "{} {}", template.text(), uri);
        if let Some(captures) = captures {
            let fill = |text: String, (name, value): (&str, &str)| text.replace(&format!("{{{name}}}"), value);
            let filled = captures.iter().fold(template.text().to_owned(), fill);
            prop_assert_eq!(&filled, &uri);
        }
    }

    #[test]
    fn header_and_template_readers_never_panic(
        one in any::<String>(),
        other in "[*a-z.:/\\[\\]{}%+;,=q0-9\" -]{0,20}",
    ) {
        for (a, b) in [(&one, &other), (&other, &one), (&other, &other)] {
            let _ = Accept::parse([&**a, &**b].into_iter());
            let listed = [&**a];
            let listed = Listed::from(&listed);
            for hosts in [Hosts::Any, Hosts::Listed(listed)] {
                let _ = Guard { allowed_hosts: hosts, allowed_origins: listed }.check(Some(b), Some(a), None);
            }
            let _ = percent_decode(a, &mut Vec::new());
            if let Ok(template) = Template::parse(a) {
                let _ = template.matches(b);
                prop_assert!(template.names().count() <= 16);
            }
            let _ = sentinel::equals(a.as_bytes(), Str::trusted(b));
        }
    }
}

/// Whether any values make the template the URI, by trying them all.
fn is_readable(template: &str, uri: &str) -> bool {
    let Some((name, rest)) = template.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
        let Some(first) = template.chars().next() else { return uri.is_empty() };
        return uri.strip_prefix(first).is_some_and(|uri| is_readable(&template[first.len_utf8()..], uri));
    };
    debug_assert!(!name.is_empty());
    (1..=uri.len())
        .take_while(|end| !uri[..*end].contains(['/', '?', '#']))
        .any(|end| is_readable(rest, &uri[end..]))
}
