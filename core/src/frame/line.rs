//! One message per line (the stdio transport), from bytes that arrive in any pieces.

use crate::json::{Sink, find};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What a stream of lines yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line that is not blank, without its LF and without one CR before it.
    Line(&'a [u8]),
    /// A line longer than the limit begins here. Told once; what is left of it is thrown away.
    TooLong,
}

/// Cuts a byte stream into lines. The frames depend on the bytes alone, not on how they were cut into inputs.
///
/// - A line ends with LF; one CR before the LF belongs to the line end.
/// - Lines of white space (space, tab, CR) are skipped.
/// - A UTF-8 byte order mark at the very start of the stream is dropped.
/// - A line of more bytes than the limit, its line end not counted, becomes [`Frame::TooLong`]; the next line is
///   read as usual.
///
/// A line that lies whole within one input is handed out where it is; only lines that are cut are copied, into the
/// buffer `B`. Used as [`LineFramer`] (memory inside) or `LineBuffer` (memory that grows).
///
/// ```
/// use mcpgraft::frame::line::{Frame, LineFramer};
/// let mut framer = LineFramer::<1024>::new();
/// let mut input: &[u8] = b"one\r\ntw";
/// assert_eq!(framer.next(&mut input), Some(Frame::Line(b"one")));
/// assert_eq!(framer.next(&mut input), None);
/// assert_eq!(framer.next(&mut &b"o\n"[..]), Some(Frame::Line(b"two")));
/// ```
#[derive(Debug)]
pub struct Lines<B> {
    /// The part of a cut line that came so far, without a CR at its end.
    held: B,
    limit: usize,
    /// How much of a byte order mark has been seen; `None` once the stream is past its start.
    start: Option<usize>,
    /// Whether a CR stands after `held`: only the next byte tells if it belongs to the line end.
    cr: bool,
    /// Whether `held` is a line already handed out.
    done: bool,
    /// Whether an over-long line is being thrown away.
    skipping: bool,
}

/// [`Lines`] with room for `N` bytes inside; `N` is the limit.
pub type LineFramer<const N: usize> = Lines<heapless::Vec<u8, N>>;

/// [`Lines`] over memory that grows as needed up to its limit. No memory counts as [`Frame::TooLong`].
#[cfg(feature = "alloc")]
pub type LineBuffer = Lines<alloc::vec::Vec<u8>>;

impl<const N: usize> LineFramer<N> {
    /// A framer at the start of a stream.
    pub const fn new() -> Self {
        Self::over(heapless::Vec::new(), N)
    }
}

impl<const N: usize> Default for LineFramer<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "alloc")]
impl LineBuffer {
    /// A framer at the start of a stream whose lines may have `limit` bytes. It takes memory only for lines that
    /// come in pieces.
    pub const fn with_limit(limit: usize) -> Self {
        Self::over(alloc::vec::Vec::new(), limit)
    }
}

impl<B> Lines<B> {
    /// A framer at the start of a stream, over memory of the host's own, which is empty. Lines may have `limit` bytes, and
    /// no more than fit.
    pub const fn over(held: B, limit: usize) -> Self {
        Self { held, limit, start: Some(0), cr: false, done: false, skipping: false }
    }

    /// The greatest number of bytes a line may have.
    pub const fn limit(&self) -> usize {
        self.limit
    }
}

/// What came of an input, before anything is borrowed.
enum Found<'i> {
    /// A whole line of the input.
    Whole(&'i [u8]),
    /// The line in `held` is complete.
    Held,
    TooLong,
    More,
}

impl<B: Sink + AsRef<[u8]>> Lines<B> {
    /// The next frame, taken from the front of `input`; `None` when all of `input` is used up. Call it again until
    /// then, and then with the next piece of the stream.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        match self.advance(input) {
            Found::Whole(line) => Some(Frame::Line(line)),
            Found::Held => Some(Frame::Line(self.held.as_ref())),
            Found::TooLong => Some(Frame::TooLong),
            Found::More => None,
        }
    }

    /// As [`next`](Lines::next), of one byte: less code, for a line that gives them one by one. It is always used up.
    pub fn byte(&mut self, byte: u8) -> Option<Frame<'_>> {
        self.release();
        if let Some(seen) = self.start {
            if BOM.get(seen) == Some(&byte) {
                self.start = (seen + 1 < BOM.len()).then_some(seen + 1);
                return None;
            }
            if !self.past_start() {
                self.too_long();
                self.skipping = byte != b'\n';
                return Some(Frame::TooLong);
            }
        }
        if byte != b'\n' {
            if self.skipping || self.hold_byte(byte) {
                return None;
            }
            self.too_long();
            return Some(Frame::TooLong);
        }
        self.cr = false;
        self.done = true;
        let line = self.held.as_ref();
        (!core::mem::take(&mut self.skipping) && !blank(line)).then_some(Frame::Line(line))
    }

    /// The last line, if the stream ended without LF; then the framer is ready for a new stream.
    pub fn finish(&mut self) -> Option<Frame<'_>> {
        self.release();
        let fits = self.past_start();
        self.start = Some(0);
        self.cr = false;
        self.done = true;
        if core::mem::take(&mut self.skipping) {
            return None;
        }
        if !fits {
            return Some(Frame::TooLong);
        }
        let line = self.held.as_ref();
        (!blank(line)).then_some(Frame::Line(line))
    }

    fn advance<'i>(&mut self, input: &mut &'i [u8]) -> Found<'i> {
        self.release();
        if !self.skip_mark(input) {
            return self.too_long();
        }
        loop {
            let Some(end) = find(input, b'\n') else {
                let rest = core::mem::take(input);
                return if self.skipping || rest.is_empty() || self.hold_part(rest) {
                    Found::More
                } else {
                    self.too_long()
                };
            };
            let line = input.get(..end).unwrap_or_default();
            *input = input.get(end + 1..).unwrap_or_default();
            if core::mem::take(&mut self.skipping) {
                continue;
            }
            if self.held.is_empty() && !self.cr {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if line.len() > self.limit {
                    return Found::TooLong;
                }
                if !blank(line) {
                    return Found::Whole(line);
                }
            } else {
                // The line end is here, so a CR at the end of the last part is no longer in doubt.
                let fits = line.is_empty() || self.hold_part(line);
                self.cr = false;
                self.done = true;
                if !fits {
                    return Found::TooLong;
                }
                if !blank(self.held.as_ref()) {
                    return Found::Held;
                }
                self.release();
            }
        }
    }

    /// Drops the line that was handed out before.
    fn release(&mut self) {
        if core::mem::take(&mut self.done) {
            self.held.truncate(0);
        }
    }

    fn too_long<'i>(&mut self) -> Found<'i> {
        self.held.truncate(0);
        self.cr = false;
        self.skipping = true;
        Found::TooLong
    }

    /// At the start of a stream: takes a byte order mark off the input. False if bytes that turned out to be none
    /// do not fit.
    fn skip_mark(&mut self, input: &mut &[u8]) -> bool {
        while let Some(seen) = self.start {
            let Some((byte, rest)) = input.split_first() else { return true };
            if BOM.get(seen) != Some(byte) {
                return self.past_start();
            }
            *input = rest;
            self.start = (seen + 1 < BOM.len()).then_some(seen + 1);
        }
        true
    }

    /// Ends the start of the stream: the part of a byte order mark seen so far was no mark. False if it does not fit.
    fn past_start(&mut self) -> bool {
        let seen = self.start.take().unwrap_or(0);
        self.hold(BOM.get(..seen).unwrap_or_default())
    }

    /// Adds a part of a line that is not empty; a CR at its end stays apart. False if it does not fit.
    fn hold_part(&mut self, part: &[u8]) -> bool {
        if core::mem::take(&mut self.cr) && !self.hold(b"\r") {
            return false;
        }
        let (body, cr) = match part.strip_suffix(b"\r") {
            Some(body) => (body, true),
            None => (part, false),
        };
        self.cr = cr;
        self.hold(body)
    }

    /// Adds a byte of a line; a CR stays apart until it is known not to be the end.
    fn hold_byte(&mut self, byte: u8) -> bool {
        if core::mem::take(&mut self.cr) && !self.hold(b"\r") {
            return false;
        }
        self.cr = byte == b'\r';
        self.cr || self.hold(&[byte])
    }

    fn hold(&mut self, bytes: &[u8]) -> bool {
        bytes.len() <= self.limit.saturating_sub(self.held.len()) && self.held.put(bytes).is_ok()
    }
}

fn blank(line: &[u8]) -> bool {
    line.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Log = heapless::Vec<Option<heapless::Vec<u8, 8>>, 16>;

    fn frames<B: Sink + AsRef<[u8]>>(mut framer: Lines<B>, pieces: &[&[u8]]) -> Log {
        fn add(log: &mut Log, frame: Frame<'_>) {
            log.push(match frame {
                Frame::Line(line) => Some(heapless::Vec::from_slice(line).unwrap()),
                Frame::TooLong => None,
            })
            .unwrap();
        }
        let (mut log, mut singly) = (Log::new(), Log::new());
        let mut note = |frame: Frame<'_>| add(&mut log, frame);
        let mut single = |frame: Frame<'_>| add(&mut singly, frame);
        for piece in pieces {
            let mut input = *piece;
            while let Some(frame) = framer.next(&mut input) {
                note(frame);
            }
            assert!(input.is_empty());
        }
        framer.finish().into_iter().for_each(&mut note);
        assert_eq!(framer.finish(), None);
        for byte in pieces.iter().copied().flatten() {
            framer.byte(*byte).into_iter().for_each(&mut single);
        }
        framer.finish().into_iter().for_each(&mut single);
        assert_eq!(singly, log, "byte by byte");
        log
    }

    /// Every way to cut the text in two, and byte by byte, gives `expected`.
    fn gives(text: &[u8], expected: &[Option<&[u8]>]) {
        let check = |pieces: &[&[u8]]| {
            let log = frames(LineFramer::<8>::new(), pieces);
            assert!(log.iter().map(Option::as_deref).eq(expected.iter().copied()), "{pieces:?} gave {log:?}");
            #[cfg(feature = "alloc")]
            assert_eq!(log, frames(LineBuffer::with_limit(8), pieces));
        };
        for at in 0..=text.len() {
            check(&[&text[..at], &text[at..]]);
        }
        let bytes: heapless::Vec<&[u8], 64> = text.chunks(1).collect();
        check(&bytes);
    }

    #[test]
    fn line_ends_blank_lines_and_the_last_line() {
        gives(
            b"a\nbc\r\n\n \t\r\n\r\r\nd\re\r\r\nf",
            &[Some(b"a"), Some(b"bc"), Some(b"d\re\r"), Some(b"f")],
        );
        gives(b"", &[]);
        gives(b"a\r", &[Some(b"a")]);
        gives(b" \r", &[]);
        gives(b"\r\na", &[Some(b"a")]);
    }

    #[test]
    fn a_byte_order_mark_counts_only_at_the_start() {
        gives(b"\xEF\xBB\xBFa\n\xEF\xBB\xBFb\n", &[Some(b"a"), Some(b"\xEF\xBB\xBFb")]);
        gives(b"\xEF\xBB\xBF12345678\n", &[Some(b"12345678")]);
        gives(b"\xEF\xBBa\n", &[Some(b"\xEF\xBBa")]);
        gives(b"\xEF\n", &[Some(b"\xEF")]);
        gives(b"\xEF\xBB", &[Some(b"\xEF\xBB")]);
        gives(b"\xEF\xBB\xBF", &[]);
        gives(b"\xEF\xBB\xBF\xEF\xBB\xBF", &[Some(BOM)]);
    }

    #[test]
    fn over_long_lines_are_told_once() {
        gives(
            b"12345678\r\n123456789\n1234567890123456789\r\nx\n",
            &[Some(b"12345678"), None, None, Some(b"x")],
        );
        gives(b"12345678\r\r\n1\n", &[None, Some(b"1")]);
        gives(b"\n123456789012", &[None]);
        gives(b"12345678\r", &[Some(b"12345678")]);
        gives(b"         \nx", &[None, Some(b"x")]);
    }

    #[test]
    fn whole_lines_are_not_copied() {
        let text = b"abc\n";
        let mut input = &text[..];
        let mut framer = LineFramer::<0>::new();
        assert_eq!(framer.next(&mut input), Some(Frame::TooLong));
        let mut framer = LineFramer::<3>::new();
        let mut input = &text[..];
        match framer.next(&mut input) {
            Some(Frame::Line(line)) => assert_eq!(line.as_ptr(), text.as_ptr()),
            other => panic!("{other:?}"),
        }
    }
}
