//! Walking over bytes: the runs inside strings, eight bytes at a time, and the extent of values known to be valid.

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

    pub(super) fn find_run(bytes: &[u8], wanted: u8) -> usize {
        run(bytes, |byte| byte == wanted)
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

    /// How many bytes stand before the first marked one; all of them if none is marked.
    #[inline(always)]
    fn run(bytes: &[u8], marks: impl Fn(u64) -> u64) -> usize {
        let mut at = 0;
        let (blocks, _) = bytes.as_chunks::<32>();
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            if words.iter().fold(0, |seen, word| seen | marks(u64::from_le_bytes(*word))) != 0 {
                break;
            }
            at += 32;
        }
        let (words, tail) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
        for word in words {
            let seen = marks(u64::from_le_bytes(*word));
            if seen != 0 {
                return at + seen.trailing_zeros() as usize / 8;
            }
            at += 8;
        }
        // The bytes left over. Whatever a mark means, one in the padding comes after them all.
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(tail) {
            *to = *from;
        }
        let seen = marks(u64::from_le_bytes(last));
        at + tail.len().min(seen.trailing_zeros() as usize / 8)
    }

    /// The length of the run at the front that needs no escape in a JSON string.
    pub(in crate::json) fn plain_run(bytes: &[u8]) -> usize {
        run(bytes, specials)
    }

    /// The length of the run at the front without a quote or backslash.
    pub(in crate::json) fn quote_run(bytes: &[u8]) -> usize {
        run(bytes, quotes)
    }

    /// The length of the run at the front without `byte`.
    pub(super) fn find_run(bytes: &[u8], byte: u8) -> usize {
        run(bytes, |word| zero_bytes(word ^ (ONES * u64::from(byte))))
    }
}

use runs::find_run;
pub(super) use runs::{plain_run, quote_run};

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

/// The first place at or after `at` that is not white space.
pub(crate) fn skip_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// The first place at or after `at` that is neither white space nor `separator`.
pub(super) fn skip_to_next(text: &[u8], at: usize, separator: u8) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r') || **b == separator).count()
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
}
