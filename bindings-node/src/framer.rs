//! Newline framing for byte streams.

use mcpgraft::frame::line::{Frame, LineBuffer};
use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::argument::Arg;
use crate::error::{Guarded, Trouble};

/// Cuts a byte stream into lines, however it arrives.
#[napi]
pub struct Framer(Guarded<State>);

struct State {
    lines: LineBuffer,
    /// Lines of the last input that do not lie whole in it.
    copied: Vec<Vec<u8>>,
}

/// What a frame is, as two numbers: where it begins in the input and its length; `COPIED`, to be taken; or `TOO_LONG`.
const COPIED: f64 = -1.0;
const TOO_LONG: f64 = -2.0;

impl State {
    fn frame(&mut self, line: Option<Vec<u8>>) -> [f64; 2] {
        match line {
            Some(line) => {
                self.copied.push(line);
                [COPIED, 0.0]
            }
            None => [TOO_LONG, 0.0],
        }
    }
}

impl Framer {
    pub(crate) fn with_limit(limit: usize) -> Self {
        Framer(Guarded::new(State { lines: LineBuffer::with_limit(limit), copied: Vec::new() }))
    }
}

#[napi]
impl Framer {
    #[napi(constructor)]
    pub fn new(env: Env, limit: Arg) -> napi::Result<Self> {
        crate::error::guard(env, || {
            let limit = if limit.absent() { None } else { Some(limit.whole("limit", u64::MAX)?) };
            let wrong = |_| Trouble::argument("limit is more than this machine can hold");
            let limit = limit.map(usize::try_from).transpose().map_err(wrong)?;
            Ok(Framer::with_limit(limit.unwrap_or(mcpgraft::Limits::DEFAULT.message_bytes)))
        })
    }

    /// The frames that end in this input. Most lines lie whole in it, and are not copied.
    #[napi]
    pub fn feed(&self, env: Env, data: Arg) -> napi::Result<Option<Vec<f64>>> {
        self.0.run(env, |state| {
            let data = data.bytes("data")?;
            let (mut rest, mut found) = (&*data, Vec::new());
            let within = data.as_ptr_range();
            while let Some(frame) = state.lines.next(&mut rest) {
                let line = match frame {
                    Frame::Line(line) if within.contains(&line.as_ptr()) => {
                        found.extend([
                            (line.as_ptr() as usize - within.start as usize) as f64,
                            line.len() as f64,
                        ]);
                        continue;
                    }
                    Frame::Line(line) => Some(line.to_vec()),
                    Frame::TooLong => None,
                };
                found.extend(state.frame(line));
            }
            Ok((!found.is_empty()).then_some(found))
        })
    }

    /// The frame that the end of the input ends.
    #[napi]
    pub fn finish(&self, env: Env) -> napi::Result<Option<Vec<f64>>> {
        self.0.run(env, |state| {
            let line = state.lines.finish().map(|frame| match frame {
                Frame::Line(line) => Some(line.to_vec()),
                Frame::TooLong => None,
            });
            Ok(line.map(|line| state.frame(line).to_vec()))
        })
    }

    /// The next line that was copied.
    #[napi]
    pub fn take(&self, env: Env) -> napi::Result<Buffer> {
        self.0.run(env, |state| {
            let line = if state.copied.is_empty() { Vec::new() } else { state.copied.remove(0) };
            Ok(Buffer::from(line))
        })
    }
}
