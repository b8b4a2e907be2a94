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

/// Writes the cursor that goes on after entry `last`.
pub(crate) fn write<S: Sink + ?Sized>(
    kind: Kind,
    last: usize,
    key: &str,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let mut text = heapless::String::<32>::new();
    let number = (last as u64) << 32 | fnv64(key.as_bytes()) >> 32;
    let digits = (0..16).rev().filter_map(|at| DIGITS.get((number >> (at * 4)) as usize & 15));
    for byte in core::iter::once(&letter(kind)).chain(digits) {
        text.push(char::from(*byte)).map_err(|_| Full)?;
    }
    w.string(&text)
}

/// The position to go on from; `None` if the cursor is not good.
pub(crate) fn read<C: Catalog>(catalog: &C, kind: Kind, cursor: Str<'_>) -> Option<usize> {
    let text = cursor.plain()?.strip_prefix(char::from(letter(kind)))?;
    if text.len() != 16 || !text.bytes().all(|byte| DIGITS.contains(&byte)) {
        return None;
    }
    let number = u64::from_str_radix(text, 16).ok()?;
    let last = usize::try_from(number >> 32).ok()?;
    let hash = number & 0xffff_ffff;
    let is_it =
        |at: &usize| catalog.at(kind, *at).is_some_and(|entry| fnv64(entry.key.as_bytes()) >> 32 == hash);
    if is_it(&last) {
        return Some(last + 1);
    }
    (0..catalog.len(kind)).find(is_it).map(|at| at + 1)
}
