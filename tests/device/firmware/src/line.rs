//! A serial line as an MCP server: bytes in, lines out, and one slow call at a time beside it.

use mcpgraft::catalog::Catalog;
use mcpgraft::frame::line::{Frame, LineFramer};
use mcpgraft::json::Stream;
use mcpgraft::server::{Call, CallKey, Step};
use mcpgraft::{Server, Session};

use crate::board;
use crate::device::Sense;

/// Bytes of the longest message that is taken.
pub const INPUT: usize = 1024;
/// Bytes of output that are handed to the UART at once; messages may be longer.
pub const OUTPUT: usize = 128;
/// Calls in work at once.
pub const CALLS: usize = 2;

/// An output that drains into the UART.
pub type Out<'b> = Stream<'b, fn(&[u8]) -> bool>;

fn drain(bytes: &[u8]) -> bool {
    board::write(bytes);
    true
}

/// What the firmware makes of the calls it gets.
pub trait Handler<const SUBS: usize> {
    /// Its catalogue.
    type Table: Catalog;
    /// What is served.
    fn server(&self) -> &Server<'static, Self::Table>;
    /// Runs a call.
    fn call(&mut self, session: &mut Session<CALLS, SUBS>, call: &Call<'_>, out: &mut Out<'_>) -> Sense;
    /// The slow call is over: answers it.
    fn done(&mut self, session: &mut Session<CALLS, SUBS>, key: CallKey, out: &mut Out<'_>);
    /// Something has happened in the meantime that the peer may want to know.
    fn idle(&mut self, session: &mut Session<CALLS, SUBS>, out: &mut Out<'_>) {
        let _ = (session, out);
    }
}

/// A slow call: how many ticks it has had, and how many it needs.
struct Slow {
    key: CallKey,
    at: u32,
    of: u32,
}

/// What a line needs for as long as the board runs: all of its memory but the stack.
pub struct Line<const SUBS: usize> {
    session: Session<CALLS, SUBS>,
    framer: LineFramer<INPUT>,
    output: [u8; OUTPUT],
}

impl<const SUBS: usize> Line<SUBS> {
    /// A line on which nothing was said yet.
    #[must_use]
    pub const fn new() -> Self {
        Line { session: Session::new(1), framer: LineFramer::new(), output: [0; OUTPUT] }
    }

    /// Serves for ever.
    pub fn serve<H: Handler<SUBS>>(&mut self, handler: &mut H) -> ! {
        let Line { session, framer, output } = self;
        let mut out: Out<'_> = Stream::new(output, drain);
        let mut slow: Option<Slow> = None;
        loop {
            if let Some(byte) = board::read() {
                match framer.byte(byte) {
                    None => {}
                    Some(Frame::TooLong) => drop(session.too_long(handler.server(), &mut out)),
                    Some(Frame::Line(line)) => take(handler, session, line, &mut slow, &mut out),
                }
                let _ = out.end_line();
            } else {
                board::wait();
            }
            if board::ticked() {
                if let Some(call) = &mut slow {
                    call.at += 1;
                    let _ = session.progress_steps(call.key, call.at, Some(call.of), &mut out);
                    let _ = out.end_line();
                    if call.at == call.of || session.is_cancelled(call.key) {
                        handler.done(session, call.key, &mut out);
                        slow = None;
                    }
                }
                handler.idle(session, &mut out);
                let _ = out.end_line();
            }
        }
    }
}

impl<const SUBS: usize> Default for Line<SUBS> {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes one line.
fn take<const SUBS: usize, H: Handler<SUBS>>(
    handler: &mut H,
    session: &mut Session<CALLS, SUBS>,
    line: &[u8],
    slow: &mut Option<Slow>,
    out: &mut Out<'_>,
) {
    let Ok(step) = session.accept(handler.server(), line, out) else { return };
    match step {
        Step::Call(call) => run(handler, session, &call, slow, out),
        Step::Batch(mut batch) => {
            while let Ok(Some(step)) = session.next(handler.server(), &mut batch, line, out) {
                if let Step::Call(call) = step {
                    run(handler, session, &call, slow, out);
                }
            }
        }
        Step::Send | Step::Nothing | Step::Notice(_) => {}
    }
}

fn run<const SUBS: usize, H: Handler<SUBS>>(
    handler: &mut H,
    session: &mut Session<CALLS, SUBS>,
    call: &Call<'_>,
    slow: &mut Option<Slow>,
    out: &mut Out<'_>,
) {
    let Some(of) = handler.call(session, call, out) else { return };
    if slow.is_some() || call.batched {
        // Only one at a time, and a batch is answered as a whole: this one is not slow.
        handler.done(session, call.key, out);
    } else {
        *slow = Some(Slow { key: call.key, at: 0, of });
    }
}
