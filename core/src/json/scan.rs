//! Walking over bytes: the runs inside strings, many bytes at a time, and the extent of values known to be valid.

/// The tier without a heap is for small machines: there a byte at a time is less code, and not slower where words have
/// 32 bits.
#[cfg(not(feature = "alloc"))]
mod runs {
    fn run(bytes: &[u8], ends: impl Fn(u8) -> bool) -> usize {
        bytes.iter().take_while(|byte| !ends(**byte)).count()
    }

    pub(in crate::json) fn plain_run(bytes: &[u8]) -> usize {
        run(bytes, |byte| byte == b'"' || byte == b'\\' || byte < 0x20)
    }

    pub(in crate::json) fn quote_run(bytes: &[u8]) -> usize {
        run(bytes, |byte| byte == b'"' || byte == b'\\')
    }

    pub(crate) fn line_run(bytes: &[u8]) -> usize {
        run(bytes, |byte| byte == b'\n' || byte == b'\r')
    }

    pub(super) fn find_run(bytes: &[u8], wanted: u8) -> usize {
        run(bytes, |byte| byte == wanted)
    }

    pub(in crate::json) fn same_plain(a: &[u8], b: &[u8]) -> bool {
        a == b && find_run(a, b'\\') == a.len()
    }
}

#[cfg(feature = "alloc")]
mod runs {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;

    /// The high bit of every zero byte. Bytes above the lowest zero byte may be marked falsely (the borrow runs
    /// upward), so only the lowest mark is exact: that is the first byte in text order of a little-endian word.
    const fn zero_bytes(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }

    /// Marks the quotes and backslashes of a little-endian word; the lowest mark is exact.
    const fn quotes(word: u64) -> u64 {
        zero_bytes(word ^ (ONES * b'"' as u64)) | zero_bytes(word ^ (ONES * b'\\' as u64))
    }

    /// Marks what cannot stand plainly in a string: quotes, backslashes, control characters; the lowest mark is exact.
    const fn specials(word: u64) -> u64 {
        quotes(word) | (word.wrapping_sub(ONES * 0x20) & !word & HIGH)
    }

    /// Marks quotes and the four brackets of a little-endian word, each mark exact. Letters that look like a bracket when
    /// case is ignored (`y`, `_`) are marked, too: outside strings JSON has none of them.
    pub(super) const fn structure(word: u64) -> u64 {
        // `[`, `]`, `{` and `}` differ from 0x7F in these bits only.
        exact_zero_bytes(word ^ (ONES * b'"' as u64))
            | exact_zero_bytes((word | (ONES * 0x26)) ^ (ONES * 0x7F))
    }

    /// The high bit of every zero byte, and of no other.
    const fn exact_zero_bytes(word: u64) -> u64 {
        !(((word & !HIGH) + !HIGH) | word | !HIGH)
    }

    /// Whether the compiler turns a loop over bytes into instructions for many bytes at once. Where it does not, and it does
    /// not where it compiles for size, eight bytes at a time are faster.
    const VECTORS: bool = cfg!(all(
        not(feature = "small"),
        any(target_feature = "sse2", target_feature = "neon", target_feature = "simd128")
    ));

    /// How many bytes stand before the first marked one; all of them if none is marked. `is` says of one byte, by its lowest
    /// bit, what `marks` says of a word. So many `words` are looked at one by one, before many bytes at once.
    #[inline(always)]
    fn run(bytes: &[u8], words: usize, marks: impl Fn(u64) -> u64, is: impl Fn(u8) -> u8) -> usize {
        let first = |seen: u64| seen.trailing_zeros() as usize / 8;
        let (first_words, _) = bytes.as_chunks::<8>();
        let mut at = 0;
        for word in first_words.iter().take(words) {
            let seen = marks(u64::from_le_bytes(*word));
            if seen != 0 {
                return at + first(seen);
            }
            at += 8;
        }
        if VECTORS {
            let (blocks, _) = bytes.get(at..).unwrap_or_default().as_chunks::<64>();
            for block in blocks {
                if block.iter().fold(0, |seen, byte| seen | is(*byte)) != 0 {
                    break;
                }
                at += 64;
            }
        } else {
            let (blocks, _) = bytes.get(at..).unwrap_or_default().as_chunks::<32>();
            for block in blocks {
                let (words, _) = block.as_chunks::<8>();
                if words.iter().fold(0, |seen, word| seen | marks(u64::from_le_bytes(*word))) != 0 {
                    break;
                }
                at += 32;
            }
        }
        let (words, tail) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
        for word in words {
            let seen = marks(u64::from_le_bytes(*word));
            if seen != 0 {
                return at + first(seen);
            }
            at += 8;
        }
        // The bytes left over, with zeros behind them. Whatever a mark means, one in the padding comes after them all.
        let last = match bytes.last_chunk::<8>() {
            Some(word) => {
                u64::from_le_bytes(*word).checked_shr(8 * (8 - tail.len() as u32)).unwrap_or_default()
            }
            None => tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        at + tail.len().min(first(marks(last)))
    }

    /// Words of a string after the first: the longest names of the protocol end in them.
    const SHORT: usize = 5;

    /// The length of a run that ends in the first eight bytes, as most do: so short that callers take it in. `long` goes on.
    #[inline(always)]
    fn short_run(bytes: &[u8], marks: impl Fn(u64) -> u64, long: impl Fn(&[u8]) -> usize) -> usize {
        let Some((word, rest)) = bytes.split_first_chunk::<8>() else { return long(bytes) };
        let seen = marks(u64::from_le_bytes(*word));
        if seen != 0 { seen.trailing_zeros() as usize / 8 } else { 8 + long(rest) }
    }

    /// The length of the run at the front that needs no escape in a JSON string.
    #[inline(always)]
    pub(in crate::json) fn plain_run(bytes: &[u8]) -> usize {
        short_run(bytes, specials, long_plain_run)
    }

    #[inline(never)]
    fn long_plain_run(bytes: &[u8]) -> usize {
        run(bytes, SHORT, specials, |b| u8::from(b == b'"') | u8::from(b == b'\\') | u8::from(b < 0x20))
    }

    /// The length of the run at the front without a quote or backslash.
    #[inline(always)]
    pub(in crate::json) fn quote_run(bytes: &[u8]) -> usize {
        short_run(bytes, quotes, long_quote_run)
    }

    #[inline(never)]
    fn long_quote_run(bytes: &[u8]) -> usize {
        run(bytes, SHORT, quotes, |b| u8::from(b == b'"') | u8::from(b == b'\\'))
    }

    /// The length of the run at the front without a line break.
    pub(crate) fn line_run(bytes: &[u8]) -> usize {
        let marks =
            |word| zero_bytes(word ^ (ONES * b'\n' as u64)) | zero_bytes(word ^ (ONES * b'\r' as u64));
        run(bytes, 3, marks, |b| u8::from(b == b'\n') | u8::from(b == b'\r'))
    }

    /// Whether two texts of one length are the same, and hold no backslash.
    pub(in crate::json) fn same_plain(a: &[u8], b: &[u8]) -> bool {
        let same = |a: u64, b: u64| a == b && zero_bytes(a ^ (ONES * b'\\' as u64)) == 0;
        let word = |bytes: Option<&[u8; 8]>| bytes.map(|bytes| u64::from_le_bytes(*bytes));
        match (word(a.first_chunk()), word(b.first_chunk()), word(a.last_chunk()), word(b.last_chunk())) {
            // The two words overlap, which costs less than the rest byte by byte.
            (Some(front), Some(other), Some(back), Some(last)) if a.len() <= 16 => {
                same(front, other) && same(back, last)
            }
            (Some(front), Some(other), ..) => same(front, other) && a == b && find_run(a, b'\\') == a.len(),
            _ => same(short(a), short(b)),
        }
    }

    /// Up to seven bytes as a word; each length has its own.
    fn short(bytes: &[u8]) -> u64 {
        let four = |four: &[u8; 4]| u64::from(u32::from_le_bytes(*four));
        match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(front), Some(back)) => four(front) | four(back) << 32,
            _ => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        }
    }

    /// The length of the run at the front without `wanted`.
    pub(super) fn find_run(bytes: &[u8], wanted: u8) -> usize {
        run(bytes, 3, |word| zero_bytes(word ^ (ONES * u64::from(wanted))), |one| u8::from(one == wanted))
    }
}

use runs::find_run;
pub(crate) use runs::line_run;
#[cfg(feature = "alloc")]
use runs::structure;
pub(super) use runs::{plain_run, quote_run, same_plain};

/// Where `byte` first stands; `None` if it does not.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let at = find_run(bytes, byte);
    (at < bytes.len()).then_some(at)
}

/// Where a short text that is not empty first stands at or after `from`. A plain search: those of the standard library
/// are two kilobytes of code.
pub(crate) fn find_text(bytes: &[u8], from: usize, text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        let ahead = find(rest, first)?;
        if rest.get(ahead..).is_some_and(|rest| rest.starts_with(text)) {
            return Some(at + ahead);
        }
        at += ahead + 1;
    }
}

/// The four hexadecimal digits that stand at `at`.
pub(super) fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..)?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The first place at or after `at` that is not white space.
#[inline]
pub(crate) fn skip_space(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(byte) if is_space(*byte) => skip_to_next(text, at, b' '),
        _ => at,
    }
}

/// The first place at or after `at` that is neither white space nor `separator`.
#[inline]
pub(super) fn skip_to_next(text: &[u8], at: usize, separator: u8) -> usize {
    let mut at = at;
    while let Some(byte) = text.get(at)
        && (*byte == separator || is_space(*byte))
    {
        at += 1;
    }
    at
}

/// The end of the string whose opening quote stands at `at`; the end of the text if it is not closed.
pub(super) fn skip_string(text: &[u8], at: usize) -> usize {
    let mut at = at.saturating_add(1);
    loop {
        at += quote_run(text.get(at..).unwrap_or_default());
        match text.get(at) {
            Some(b'"') => return at + 1,
            Some(_) => at += 2,
            None => return text.len(),
        }
    }
}

/// The end of the value that starts at `at` in text known to be valid. In other text: some place from `at` to
/// the end of the text.
pub(super) fn skip_value(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(b'"') => skip_string(text, at),
        Some(b'{' | b'[') => skip_container(text, at),
        _ => {
            let rest = text.get(at..).unwrap_or_default();
            let ends = |b: &u8| matches!(b, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
            at + rest.iter().position(ends).unwrap_or(rest.len())
        }
    }
}

fn skip_container(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    #[cfg(feature = "alloc")]
    'words: while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let mut marks = structure(word);
        while marks != 0 {
            let bit = marks.trailing_zeros();
            let here = at + bit as usize / 8;
            // The mark is the byte's highest bit.
            match (word >> (bit - 7)) as u8 {
                b'"' => {
                    at = skip_string(text, here);
                    continue 'words;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return here + 1;
                    }
                }
                _ => {}
            }
            marks &= marks - 1;
        }
        at += 8;
    }
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = skip_string(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_at_every_distance() {
        for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
            for at in 0..80 {
                let mut text = [0xC3u8; 80];
                text[at] = special;
                assert_eq!(plain_run(&text), at);
                assert_eq!(quote_run(&text), if matches!(special, b'"' | b'\\') { at } else { 80 });
                assert_eq!(plain_run(&text[..at]), at);
                assert_eq!(find(&text, special), Some(at));
                assert_eq!(find(&text[..at], special), None);
            }
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_container_ends_where_it_does_at_every_offset() {
        for pad in 0..20 {
            let filler = "7,".repeat(pad);
            for inner in
                ["", "{}", "[[],{}]", "\"]}\"", "\"\\\"]\"", "{\"_y]\":[true,-1e5]}", "{\"a\":{\"b\":[]}}"]
            {
                let text = alloc::format!("[{filler}{}]", if inner.is_empty() { "0" } else { inner });
                let longer = alloc::format!("{text},1]}} and more");
                assert_eq!(skip_value(text.as_bytes(), 0), text.len(), "{text}");
                assert_eq!(skip_value(longer.as_bytes(), 0), text.len(), "{longer}");
                let open = text.get(..text.len() - 1).unwrap();
                assert_eq!(skip_value(open.as_bytes(), 0), open.len(), "{open}");
            }
        }
    }
}
