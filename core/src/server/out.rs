//! Writing whole messages: all of one, or nothing.

use crate::error::LocalError;
use crate::frame::sse;
use crate::json::Sink;

/// Writes a whole message, or nothing.
pub(crate) fn whole<S: Sink + ?Sized, T>(
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    message(false, out, write)
}

/// Writes an element of a batch's answer with what stands before it, or nothing. The output of a batch holds nothing else.
pub(crate) fn in_batch<S: Sink + ?Sized, T>(
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    message(true, out, write)
}

/// Writes a message, whole or as an element of a batch's answer; or nothing.
pub(crate) fn message<S: Sink + ?Sized, T>(
    batched: bool,
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    let start = out.len();
    if batched {
        out.put(if start == 0 { b"[" } else { b"," })?;
    }
    let opened = out.len();
    let written = write(out);
    if written.is_err() || (batched && out.len() == opened) {
        out.truncate(start);
    } else if out.torn() == Some(true) {
        return Err(LocalError::OutputFull);
    }
    written
}

/// Writes one of several messages of a duplex channel: a line feed stands between them. `start` is where the first one
/// begins.
pub(crate) fn line<S: Sink + ?Sized, T>(
    out: &mut S,
    start: usize,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    if out.len() > start {
        out.put(b"\n")?;
    }
    write(out)
}

/// Writes a message as an event.
pub(crate) fn event<S: Sink + ?Sized, T>(
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    out.put(sse::EVENT_START)?;
    let written = write(out)?;
    out.put(sse::EVENT_END)?;
    Ok(written)
}
