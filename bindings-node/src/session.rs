//! One duplex channel.

mod say;

use std::mem;
use std::rc::Rc;

use mcpgraft::LocalError;
use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::server::{self, CallKey, Notice, Progress};
use napi::Env;
use napi_derive::napi;

use crate::argument::Arg;
use crate::bound::{Function, bind};
use crate::call::{self, Client};
use crate::error::{Guarded, Trouble, text};
use crate::notice::note;
use crate::record::{Bytes, Record, Slot, Text, flag};
use crate::shared::Shared;
use crate::stream::{ENOUGH, Stream, keep_room};

/// Room for what the limits can allow: calls in work, and watched resources.
type Inner = server::Session<256, 1024>;

struct State {
    shared: Rc<Shared>,
    inner: Box<Inner>,
    client: Client,
    /// A batch that was accepted, until it is taken.
    made: Option<(Vec<u8>, server::Batch)>,
    /// Answers of a batch in work, until they leave as one array.
    batch: Vec<u8>,
    /// What is to be sent, a newline behind each message, where that is kept until it is taken.
    held: Option<Vec<u8>>,
    stream: Stream,
}

/// The server's side of one duplex channel.
#[napi]
pub struct Session(Rc<Guarded<State>>);

/// The messages of a batch, one by one.
#[napi]
pub struct Batch {
    state: Rc<Guarded<State>>,
    at: Guarded<(Vec<u8>, server::Batch)>,
}

/// Turns a core step into a record.
fn step(state: &mut State, message: &[u8], made: &server::Step<'_>, send: &[u8]) -> Text {
    let mut record = Record::new(message.len() + send.len());
    if let (Some(send), false) = (state.keep(send), send.is_empty()) {
        record.bytes(Slot::Body, send);
    }
    let event = match made {
        server::Step::Send => "done",
        server::Step::Nothing => "ignored",
        server::Step::Call(call) => {
            state.shared.serve(|server| call::write(&mut record, call, server.catalog, &state.client));
            "call"
        }
        server::Step::Batch(batch) => {
            state.batch.clear();
            state.made = Some((message.to_vec(), batch.clone()));
            record.flag(flag::BATCH, true);
            "batch"
        }
        server::Step::Notice(notice) => {
            if let Notice::Opened { client_info, client_capabilities, .. } = *notice {
                state.client = Client {
                    info: Some(client_info.text().to_owned()),
                    capabilities: Some(client_capabilities.text().to_owned()),
                };
            }
            note(&mut record, notice).unwrap_or("ignored")
        }
    };
    record.text(Slot::Event, event);
    record.done()
}

impl State {
    /// Keeps a message, if messages are kept; gives it back if not.
    fn keep<'s>(&mut self, send: &'s [u8]) -> Option<&'s [u8]> {
        let Some(held) = &mut self.held else { return Some(send) };
        if !send.is_empty() {
            held.extend_from_slice(send);
            held.push(b'\n');
        }
        None
    }

    /// Runs `write` where messages go to: behind the kept ones, or into one of its own, which is given.
    fn put(
        &mut self,
        write: impl FnOnce(&Shared, &mut Inner, &mut Vec<u8>) -> Result<(), LocalError>,
    ) -> Result<Option<Text>, Trouble> {
        let State { shared, inner, held, .. } = self;
        let (mut own, keeps) = (Vec::new(), held.is_some());
        let out = held.as_mut().unwrap_or(&mut own);
        let before = out.len();
        if let Err(error) = write(shared, inner, out) {
            out.truncate(before);
            return Err(error.into());
        }
        if keeps && out.len() > before {
            out.push(b'\n');
        }
        Ok(Text::written(own))
    }

    /// The next step in `data` that is more than a message to send, or one that only says that enough is kept, which must
    /// be taken then; and how many bytes were looked at for it.
    fn walk(&mut self, data: &[u8]) -> (usize, Result<Option<Text>, Trouble>) {
        let mut lines = mem::replace(&mut self.stream.lines, LineBuffer::with_limit(0));
        let (mut rest, mut made) = (data, Ok(None));
        while matches!(made, Ok(None)) {
            if self.held.as_ref().is_some_and(|held| held.len() >= ENOUGH) {
                let mut record = Record::new(0);
                record.text(Slot::Event, "done");
                made = Ok(Some(record.done()));
                break;
            }
            let frame = match lines.next(&mut rest) {
                None if self.stream.ended => lines.finish(),
                frame => frame,
            };
            let Some(frame) = frame else { break };
            made = self.frame(frame);
        }
        self.stream.lines = lines;
        (data.len() - rest.len(), made)
    }

    /// The same in what is left of what was fed.
    fn next(&mut self) -> Result<Option<Text>, Trouble> {
        let input = mem::take(&mut self.stream.input);
        let (used, made) = self.walk(input.get(self.stream.at..).unwrap_or_default());
        self.stream.at += used;
        self.stream.input = input;
        made
    }

    fn frame(&mut self, frame: Frame<'_>) -> Result<Option<Text>, Trouble> {
        let message = match frame {
            Frame::Line(line) => line,
            Frame::TooLong => {
                return self.put(|shared, inner, out| shared.serve(|server| inner.too_long(server, out)));
            }
        };
        let State { shared, inner, held, .. } = self;
        let mut own = Vec::new();
        let out = held.as_mut().unwrap_or(&mut own);
        let before = out.len();
        let made = shared.serve(|server| inner.accept(server, message, out))?;
        if out.len() > before {
            out.push(b'\n');
        }
        if cfg!(target_env = "gnu") && message.len() > self.stream.longest {
            self.stream.longest = message.len();
            keep_room(message.len());
        }
        match made {
            server::Step::Send | server::Step::Nothing => Ok(None),
            made => Ok(Some(step(self, message, &made, &[]))),
        }
    }

    fn reply(&mut self, key: Arg, result: Arg) -> Result<Option<Text>, Trouble> {
        let (key, result) = (key.key()?, result.bytes("result")?);
        let result = text("result", &result)?;
        self.answer(key, |shared, inner, out| shared.serve(|server| inner.reply(server, key, result, out)))
    }

    fn say(&mut self, key: Arg, said: Arg) -> Result<Option<Text>, Trouble> {
        let (key, said) = (key.key()?, said.text("text")?);
        let answer = server::Text { pieces: &[&said], ..server::Text::default() };
        self.answer(key, |shared, inner, out| {
            shared.serve(|server| inner.reply_text(server, key, &answer, out))
        })
    }

    fn answer(
        &mut self,
        key: CallKey,
        write: impl FnOnce(&Shared, &mut Inner, &mut Vec<u8>) -> Result<bool, LocalError>,
    ) -> Result<Option<Text>, Trouble> {
        let State { shared, inner, batch, .. } = self;
        if inner.is_batched(key) {
            write(shared, inner, batch)?;
            return Ok(None);
        }
        self.put(|shared, inner, out| write(shared, inner, out).map(|_| ()))
    }

    fn tell(
        &mut self,
        write: impl FnOnce(&Shared, &mut Inner, &mut Vec<u8>) -> Result<(), LocalError>,
    ) -> Result<Option<Text>, Trouble> {
        self.put(write)
    }
}

impl Session {
    pub(crate) fn make(shared: Rc<Shared>) -> Self {
        let inner = Box::new(Inner::new(shared.tag()));
        let stream = Stream::over(LineBuffer::with_limit(shared.limits().message_bytes));
        let client = Client::default();
        let state = State { shared, inner, client, made: None, batch: Vec::new(), held: None, stream };
        Session(Rc::new(Guarded::new(state)))
    }
}

#[napi]
impl Session {
    #[napi]
    pub fn accept(&self, env: Env, message: Arg) -> napi::Result<Text> {
        self.0.run(env, |state| {
            let message = message.bytes("message")?;
            let mut out = Vec::new();
            let State { shared, inner, .. } = state;
            let made = shared.serve(|server| inner.accept(server, &message, &mut out))?;
            Ok(step(state, &message, &made, &out))
        })
    }

    /// From now on messages to send are kept, a newline behind each, until `take`.
    #[napi]
    pub fn hold(&self, env: Env) -> napi::Result<()> {
        self.0.run(env, |state| {
            state.held.get_or_insert_default();
            Ok(())
        })
    }

    /// How many bytes are kept.
    #[napi]
    pub fn held(&self, env: Env) -> napi::Result<f64> {
        self.0.run(env, |state| Ok(state.held.as_ref().map_or(0, Vec::len) as f64))
    }

    /// What is kept.
    #[napi]
    pub fn take(&self, env: Env) -> napi::Result<Option<Bytes>> {
        self.0.run(env, |state| {
            let Some(held) = state.held.as_mut().filter(|held| !held.is_empty()) else { return Ok(None) };
            // What comes next needs about as much room.
            let room = held.len().min(2 * ENOUGH);
            Ok(Some(Bytes(mem::replace(held, Vec::with_capacity(room)))))
        })
    }

    /// The next bytes of the stream; nothing: it has ended. Messages have to be kept.
    #[napi]
    pub fn feed(&self, env: Env, data: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            if state.held.is_none() {
                return Err(Trouble::argument("hold() comes before feed()"));
            }
            let data = data.maybe_bytes("data")?;
            state.stream.ended = data.is_none();
            let (data, left) = (data.unwrap_or_default(), state.stream.input.len() - state.stream.at);
            if left == 0 {
                // As a rule all of it is looked at where it is.
                let (used, made) = state.walk(&data);
                state.stream.input.clear();
                state.stream.at = 0;
                state.stream.input.extend_from_slice(data.get(used..).unwrap_or_default());
                return made;
            }
            state.stream.input.extend_from_slice(&data);
            state.next()
        })
    }

    /// Gives the next step of what was fed.
    #[napi]
    pub fn next_function(&self, env: Env) -> napi::Result<Function> {
        self.0.run(env, |_| Ok(()))?;
        bind(env, &self.0, |env, object, _| object.run(env, State::next))
    }

    /// The batch that was accepted last.
    #[napi]
    pub fn take_batch(&self, env: Env) -> napi::Result<Option<Batch>> {
        self.0.run(env, |state| {
            let at = state.made.take();
            Ok(at.map(|at| Batch { state: self.0.clone(), at: Guarded::new(at) }))
        })
    }

    #[napi]
    pub fn too_long(&self, env: Env) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            state.tell(|shared, inner, out| shared.serve(|server| inner.too_long(server, out)))
        })
    }

    #[napi]
    pub fn reply(&self, env: Env, key: Arg, result: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| state.reply(key, result))
    }

    /// `reply`.
    #[napi]
    pub fn reply_function(&self, env: Env) -> napi::Result<Function> {
        self.0.run(env, |_| Ok(()))?;
        bind(env, &self.0, |env, object, [key, result, ..]| object.run(env, |state| state.reply(key, result)))
    }

    /// Answers a tool call with a text. A lone surrogate becomes U+FFFD.
    #[napi]
    pub fn say_function(&self, env: Env) -> napi::Result<Function> {
        self.0.run(env, |_| Ok(()))?;
        bind(env, &self.0, |env, object, [key, said, ..]| object.run(env, |state| state.say(key, said)))
    }

    #[napi]
    pub fn abandon(&self, env: Env) -> napi::Result<()> {
        self.0.run(env, |state| {
            state.inner.abandon();
            Ok(())
        })
    }

    #[napi]
    pub fn is_cancelled(&self, env: Env, key: Arg) -> napi::Result<bool> {
        self.0.run(env, |state| Ok(state.inner.is_cancelled(key.key()?)))
    }

    #[napi]
    pub fn in_flight(&self, env: Env) -> napi::Result<u32> {
        self.0.run(env, |state| Ok(u32::try_from(state.inner.in_flight()).unwrap_or(u32::MAX)))
    }

    #[napi]
    pub fn revision(&self, env: Env) -> napi::Result<Option<&'static str>> {
        self.0.run(env, |state| Ok(state.inner.revision().map(mcpgraft::Revision::name)))
    }

    #[napi]
    pub fn client_info(&self, env: Env) -> napi::Result<Option<String>> {
        self.0.run(env, |state| Ok(state.client.info.clone()))
    }

    #[napi]
    pub fn client_capabilities(&self, env: Env) -> napi::Result<Option<String>> {
        self.0.run(env, |state| Ok(state.client.capabilities.clone()))
    }
}

/// Runs `with` on a progress as JavaScript tells it.
pub(crate) fn with_progress<R>(
    progress: Arg,
    total: Arg,
    message: Arg,
    with: impl FnOnce(&Progress<'_>) -> Result<R, Trouble>,
) -> Result<R, Trouble> {
    let message = message.maybe_text("message")?;
    let (progress, total) = (progress.number("progress")?, total.maybe_number("total")?);
    with(&Progress { progress, total, message: message.as_deref() })
}

#[napi]
impl Batch {
    #[napi]
    pub fn next(&self, env: Env) -> napi::Result<Option<Text>> {
        self.state.run(env, |state| {
            self.at.with(|(message, at)| {
                let State { shared, inner, batch, .. } = state;
                match shared.serve(|server| inner.next(server, at, message, batch))? {
                    Some(made) => Ok(Some(step(state, message, &made, &[]))),
                    None if batch.is_empty() => Ok(None),
                    None => {
                        let send = mem::take(batch);
                        Ok(Some(step(state, &[], &server::Step::Send, &send)))
                    }
                }
            })?
        })
    }
}
