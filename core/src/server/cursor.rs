//! Cursors: opaque to the client, stateless for the server, good in every worker.
//!
//! A cursor names the last entry that was sent: its kind, position and a hash of its key. When the catalogue has changed,
//! the entry is looked for by its hash; when it is gone, the cursor is no longer good (server/utilities/pagination:
//! "Invalid cursors SHOULD result in an error with code -32602").

use crate::catalog::{Catalog, Kind};
use crate::json::{Full, Sink, Str, Writer, fnv64};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

const fn letter(kind: Kind) -> u8 {
    match kind {
        Kind::Tool => b't',
        Kind::Resource => b'r',
        Kind::Template => b'u',
        Kind::Prompt => b'p',
    }
}

/// What a cursor remembers of a key.
fn check(key: &str) -> u32 {
    (fnv64(key.as_bytes()) >> 32) as u32
}

/// Writes the cursor that goes on after entry `last`.
pub(crate) fn write<S: Sink + ?Sized>(
    kind: Kind,
    last: usize,
    key: &str,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let mut text = [0; 17];
    if let Some((first, digits)) = text.split_first_mut() {
        *first = letter(kind);
        for (half, digits) in [last as u32, check(key)].into_iter().zip(digits.chunks_exact_mut(8)) {
            let mut half = half;
            for digit in digits {
                half = half.rotate_left(4);
                *digit = DIGITS.get(half as usize & 15).copied().unwrap_or(b'0');
            }
        }
    }
    w.string(str::from_utf8(&text).map_err(|_| Full)?)
}

/// The position to go on from; `None` if the cursor is not good.
pub(crate) fn read<C: Catalog>(catalog: &C, kind: Kind, cursor: Str<'_>) -> Option<usize> {
    let (first, digits) = cursor.plain()?.as_bytes().split_first()?;
    if *first != letter(kind) || digits.len() != 16 {
        return None;
    }
    let half = |from: usize| {
        digits.get(from..from + 8)?.iter().try_fold(0u32, |number, byte| {
            let digit = DIGITS.iter().position(|digit| digit == byte)?;
            Some(number << 4 | digit as u32)
        })
    };
    let (last, hash) = (half(0)? as usize, half(8)?);
    let is_it = |at: &usize| catalog.at(kind, *at).is_some_and(|entry| check(entry.key) == hash);
    if is_it(&last) {
        return Some(last + 1);
    }
    (0..catalog.len(kind)).find(is_it).map(|at| at + 1)
}
