//! On standard input and output: read all that is there, answer it, write once.

use std::error::Error;
use std::io::{Read, Write, stdin, stdout};

use mcpgraft::catalog::Owned;
use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::server::{Batch, Call, Step};
use mcpgraft::{LocalError, Server, Session};

use crate::workload;

/// One peer: what it said, and what it has to be told.
pub struct Channel<'a> {
    server: Server<'a, &'a Owned>,
    session: Session,
    /// One message in the making.
    message: Vec<u8>,
    /// Lines to be written.
    pub lines: Vec<u8>,
}

impl<'a> Channel<'a> {
    pub fn new(catalog: &'a Owned) -> Self {
        let server = workload::server(catalog);
        Channel { server, session: Session::new(0), message: Vec::new(), lines: Vec::new() }
    }

    /// Takes one line.
    pub fn frame(&mut self, frame: Frame<'_>) -> Result<(), LocalError> {
        match frame {
            Frame::TooLong => self.session.too_long(&self.server, &mut self.message)?,
            Frame::Line(line) => match self.session.accept(&self.server, line, &mut self.message)? {
                Step::Call(call) => self.run(&call)?,
                Step::Batch(batch) => self.batch(batch, line)?,
                Step::Send | Step::Notice(_) | Step::Nothing => {}
            },
        }
        if !self.message.is_empty() {
            self.message.push(b'\n');
            if self.lines.is_empty() {
                std::mem::swap(&mut self.lines, &mut self.message);
            } else {
                self.lines.append(&mut self.message);
            }
        }
        Ok(())
    }

    fn batch(&mut self, mut batch: Batch, line: &[u8]) -> Result<(), LocalError> {
        while let Some(step) = self.session.next(&self.server, &mut batch, line, &mut self.message)? {
            if let Step::Call(call) = step {
                self.run(&call)?;
            }
        }
        Ok(())
    }

    fn run(&mut self, call: &Call<'_>) -> Result<(), LocalError> {
        match workload::answer(call)? {
            Ok(result) => self.session.reply(&self.server, call.key, &result, &mut self.message)?,
            Err(failure) => self.session.fail(&self.server, call.key, &failure, &mut self.message)?,
        };
        Ok(())
    }
}

/// Serves until the input ends.
pub fn serve() -> Result<(), Box<dyn Error>> {
    let catalog = workload::catalog()?;
    let mut channel = Channel::new(&catalog);
    let mut framer = LineBuffer::with_limit(channel.server.limits.message_bytes);
    let mut bytes = vec![0; 1 << 16];
    loop {
        let count = stdin().lock().read(&mut bytes)?;
        let mut input = bytes.get(..count).unwrap_or_default();
        while let Some(frame) = framer.next(&mut input) {
            channel.frame(frame)?;
        }
        if count == 0
            && let Some(frame) = framer.finish()
        {
            channel.frame(frame)?;
        }
        if !channel.lines.is_empty() {
            let mut output = stdout().lock();
            output.write_all(&channel.lines)?;
            output.flush()?;
            channel.lines.clear();
        }
        if count == 0 {
            return Ok(());
        }
    }
}
