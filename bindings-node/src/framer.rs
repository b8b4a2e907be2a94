//! Newline framing for byte streams.

use std::collections::VecDeque;

use mcpgraft::frame::line::{Frame, LineBuffer};
use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::argument::Arg;
use crate::error::{Guarded, Trouble, guard};
use crate::record::{self, Text};

/// Cuts a byte stream into lines, however it arrives.
#[napi]
pub struct Framer(Guarded<State>);

struct State {
    lines: LineBuffer,
    /// Lines of the last input that do not lie whole in it.
    copied: VecDeque<Vec<u8>>,
}

/// What stands for a frame instead of where it begins. The same list stands in `native/index.js`.
const TOO_LONG: u64 = 0;
const COPIED: u64 = 1;
const FIRST: u64 = 2;

impl State {
    /// A line to be taken, or one that was too long.
    fn frame(&mut self, line: Option<Vec<u8>>) -> u64 {
        match line {
            Some(line) => {
                self.copied.push_back(line);
                COPIED
            }
            None => TOO_LONG,
        }
    }
}

impl Framer {
    pub(crate) fn with_limit(limit: usize) -> Self {
        Framer(Guarded::new(State { lines: LineBuffer::with_limit(limit), copied: VecDeque::new() }))
    }
}

#[napi]
impl Framer {
    #[napi(constructor)]
    pub fn new(env: Env, limit: Arg) -> napi::Result<Self> {
        guard(env, || {
            let limit = if limit.absent() { None } else { Some(limit.whole("limit", u64::MAX)?) };
            let wrong = |_| Trouble::argument("limit is more than this machine can hold");
            let limit = limit.map(usize::try_from).transpose().map_err(wrong)?;
            Ok(Framer::with_limit(limit.unwrap_or(mcpgraft::Limits::DEFAULT.message_bytes)))
        })
    }

    /// The frames that end in this input, each as two numbers of five characters (see `record`): where it begins and its
    /// length. Most lines lie whole in the input, and are not copied.
    #[napi]
    pub fn feed(&self, env: Env, data: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let data = data.bytes("data")?;
            let (mut rest, mut found) = (&*data, Vec::new());
            let within = data.as_ptr_range();
            while let Some(frame) = state.lines.next(&mut rest) {
                let line = match frame {
                    Frame::Line(line) if within.contains(&line.as_ptr()) => {
                        let start = line.as_ptr() as usize - within.start as usize;
                        found.extend(record::entry(start as u64 + FIRST, line.len() as u64));
                        continue;
                    }
                    Frame::Line(line) => Some(line.to_vec()),
                    Frame::TooLong => None,
                };
                found.extend(record::entry(state.frame(line), 0));
            }
            Ok(Text::written(found))
        })
    }

    /// The frame that the end of the input ends, in the same way.
    #[napi]
    pub fn finish(&self, env: Env) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let line = state.lines.finish().map(|frame| match frame {
                Frame::Line(line) => Some(line.to_vec()),
                Frame::TooLong => None,
            });
            Ok(line.map(|line| Text(record::entry(state.frame(line), 0).to_vec())))
        })
    }

    /// The next line that was copied.
    #[napi]
    pub fn take(&self, env: Env) -> napi::Result<Buffer> {
        self.0.run(env, |state| Ok(Buffer::from(state.copied.pop_front().unwrap_or_default())))
    }
}
