//! Writing whole messages: all of one, or nothing.

use crate::error::LocalError;
use crate::json::Sink;

/// Writes a whole message, or nothing.
pub(crate) fn whole<S: Sink + ?Sized, T>(
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    let start = out.len();
    let written = write(out);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// Writes an element of a batch's answer with what stands before it, or nothing. The output of a batch holds nothing else.
pub(crate) fn in_batch<S: Sink + ?Sized, T>(
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    let start = out.len();
    out.put(if start == 0 { b"[" } else { b"," })?;
    let opened = out.len();
    let written = write(out);
    if written.is_err() || out.len() == opened {
        out.truncate(start);
    }
    written
}
