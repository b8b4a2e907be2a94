//! Host names: RFC 1123, and from draft 07 on with labels that are internationalized (RFC 5890 to 5892).

use std::sync::OnceLock;

use fancy_regex::Regex;

/// What may stand in a label as RFC 5892 derives it: letters, marks and decimal digits.
const VALID: &str = r"^[\p{L}\p{Mn}\p{Mc}\p{Nd}]$";

/// Marks, which no label begins with.
const MARK: &str = r"^\p{M}$";

/// After these (viramas) a zero width joiner may stand (RFC 5892, appendix A.2).
const VIRAMA: &str = "\u{94d}\u{9cd}\u{a4d}\u{acd}\u{b4d}\u{bcd}\u{c4d}\u{ccd}\u{d4d}\u{dca}\u{e3a}\u{f84}\u{1039}\u{1714}\
    \u{1734}\u{17d2}\u{1a60}\u{1b44}\u{1baa}\u{1bf2}\u{1bf3}\u{2d7f}\u{a806}\u{a8c4}\u{a953}\u{abed}\u{10a3f}\u{11046}\
    \u{1107f}\u{110b9}\u{11133}\u{111c0}\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\
    \u{1172b}\u{11839}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}";

/// Whether it is a host name of ASCII labels.
pub(crate) fn is_plain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// Whether it is a host name whose internationalized labels are right.
pub(crate) fn is_hostname(text: &str) -> bool {
    is_plain(text)
        && text.split('.').all(|label| match label.strip_prefix("xn--") {
            Some(encoded) => decode(encoded).is_some_and(|label| is_label(&label)),
            None => label.get(2..4) != Some("--"),
        })
}

fn matches(cell: &'static OnceLock<Option<Regex>>, pattern: &str, character: char) -> bool {
    let regex = cell.get_or_init(|| Regex::new(pattern).ok());
    regex.as_ref().is_some_and(|regex| regex.is_match(character.encode_utf8(&mut [0; 4])).unwrap_or(false))
}

/// Whether a label may stand decoded.
fn is_label(label: &[char]) -> bool {
    static IS_VALID: OnceLock<Option<Regex>> = OnceLock::new();
    static IS_MARK: OnceLock<Option<Regex>> = OnceLock::new();
    if label.first().is_some_and(|first| matches(&IS_MARK, MARK, *first)) {
        return false;
    }
    let any = |test: fn(&char) -> bool| label.iter().any(test);
    let rules = |(at, here): (usize, &char)| {
        let before = at.checked_sub(1).and_then(|at| label.get(at)).copied();
        let after = label.get(at + 1).copied();
        match *here {
            '\u{200d}' => before.is_some_and(|before| VIRAMA.contains(before)),
            '\u{b7}' => before == Some('l') && after == Some('l'),
            '\u{375}' => after.is_some_and(|after| ('\u{370}'..='\u{3ff}').contains(&after)),
            '\u{5f3}' | '\u{5f4}' => before.is_some_and(|before| ('\u{590}'..='\u{5ff}').contains(&before)),
            '\u{30fb}' => any(is_japanese),
            '\u{660}'..='\u{669}' => !any(|char| matches!(char, '\u{6f0}'..='\u{6f9}')),
            '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => false,
            '\u{200c}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '\u{3007}' => true,
            other => other.is_ascii() || matches(&IS_VALID, VALID, other),
        }
    };
    label.iter().enumerate().all(rules)
}

/// Hiragana, katakana but for its middle dot, and han.
fn is_japanese(char: &char) -> bool {
    matches!(char, '\u{3040}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')
}

/// Punycode (RFC 3492).
fn decode(text: &str) -> Option<Vec<char>> {
    const BASE: u32 = 36;
    let (basic, encoded) = match text.rsplit_once('-') {
        Some((basic, encoded)) if !basic.is_empty() => (basic, encoded),
        _ => ("", text),
    };
    let mut label: Vec<char> = basic.chars().collect();
    let (mut point, mut index, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut left = encoded.chars();
    while !left.as_str().is_empty() {
        let (start, mut weight, mut reach) = (index, 1_u32, BASE);
        loop {
            let digit = match left.next()? {
                digit @ '0'..='9' => u32::from(digit) - u32::from('0') + 26,
                letter => letter.to_digit(BASE)? - 10,
            };
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = reach.saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            reach += BASE;
        }
        let count = u32::try_from(label.len()).ok()? + 1;
        bias = adapt(index - start, count, start == 0);
        point = point.checked_add(index / count)?;
        index %= count;
        label.insert(usize::try_from(index).ok()?, char::from_u32(point)?);
        index += 1;
    }
    Some(label)
}

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = delta / if first { 700 } else { 2 };
    delta += delta / count;
    let mut steps = 0;
    while delta > 455 {
        delta /= 35;
        steps += 36;
    }
    steps + 36 * delta / (delta + 38)
}
