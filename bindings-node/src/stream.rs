//! What came on a byte stream and is not a message yet, and the memory that long ones take.

use mcpgraft::frame::line::LineBuffer;

/// A byte stream of messages, a line each.
pub(crate) struct Stream {
    pub(crate) lines: LineBuffer,
    /// What was fed and not looked at, or is behind `at`.
    pub(crate) input: Vec<u8>,
    /// How much of `input` was looked at.
    pub(crate) at: usize,
    pub(crate) ended: bool,
    /// Bytes of the longest message that room is kept for.
    pub(crate) longest: usize,
}

/// So many bytes of what is to be sent are enough to be written.
pub(crate) const ENOUGH: usize = 65_536;

impl Stream {
    pub(crate) const fn over(lines: LineBuffer) -> Self {
        Stream { lines, input: Vec::new(), at: 0, ended: false, longest: ENOUGH }
    }
}

/// Has the C library keep the memory that messages of that many bytes take, from one to the next.
///
/// glibc gives what is free at the top of a heap back to the system when it is more than twice the largest block it ever took
/// from the system by itself (`mallopt(3)`, "`M_MMAP_THRESHOLD`" and "`M_TRIM_THRESHOLD`"). With messages of a megabyte that
/// is after each of them. So once a larger block is taken, and given back; nobody writes to it, so that it costs nothing.
pub(crate) fn keep_room(size: usize) {
    let room = size.saturating_mul(8).min(LEARNS);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(room)));
}

/// From a block of 32 MiB on glibc learns nothing.
const LEARNS: usize = 31 << 20;
