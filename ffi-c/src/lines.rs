//! Newline framing for byte streams: stdio, UART, TCP.

use mcpgraft::frame::line::{Frame, LineBuffer};

use crate::abi::{mcpgraft_frame, mcpgraft_lines, mcpgraft_status, mcpgraft_str};
use crate::guard::{Handle, Held, alone, bytes, enter, place};

/// Cuts one byte stream.
pub(crate) struct Cutter(LineBuffer);

impl Held for Cutter {
    const MAGIC: u32 = 0x6d63_7005;
}

/// Makes a splitter for messages of at most `limit` bytes; 0: as long as a server takes by default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_lines_new(
    limit: usize,
    lines: *mut *mut mcpgraft_lines,
) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let place = unsafe { place("lines", lines) }?;
        let limit = if limit == 0 { mcpgraft::Limits::DEFAULT.message_bytes } else { limit };
        place.put(Handle::create(Cutter(LineBuffer::with_limit(limit)))?.cast());
        Ok(())
    })
}

fn frame(found: Option<Frame<'_>>) -> (mcpgraft_frame, mcpgraft_str) {
    match found {
        None => (mcpgraft_frame::MCPGRAFT_NO_LINE, mcpgraft_str::NONE),
        Some(Frame::Line(line)) => (mcpgraft_frame::MCPGRAFT_LINE, mcpgraft_str::of(line)),
        Some(Frame::TooLong) => (mcpgraft_frame::MCPGRAFT_TOO_LONG, mcpgraft_str::NONE),
    }
}

/// Takes the next message from the front of `data`: `used` gets how many bytes were taken, `line` the message. Call it again
/// with the rest until `frame` is `MCPGRAFT_NO_LINE`; a part of a message is kept for the next time. `line` is valid until the
/// next call on `lines`, and as long as `data` is unchanged. `data` absent: the stream has ended, and `line` is the last message
/// if it had no newline; then `lines` is ready for another stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_lines_next(
    lines: *mut mcpgraft_lines,
    data: mcpgraft_str,
    used: *mut usize,
    frame: *mut mcpgraft_frame,
    line: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |cutter: &mut Cutter| {
        // SAFETY: the caller's promise.
        let (bytes, used, kind, line) = unsafe {
            (bytes("data", data)?, place("used", used)?, place("frame", frame)?, place("line", line)?)
        };
        let mut rest = bytes;
        let ended = data.ptr.is_null();
        let found = self::frame(if ended { cutter.0.finish() } else { cutter.0.next(&mut rest) });
        used.put(bytes.len() - rest.len());
        kind.put(found.0);
        line.put(found.1);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(lines.cast(), work) }
}
