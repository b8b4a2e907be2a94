//! One HTTP request and its response.

mod say;

use std::rc::Rc;

use mcpgraft::LocalError;
use mcpgraft::http;
use mcpgraft::http::events::StreamName;
use mcpgraft::server::{self, CallKey};
use napi::Env;
use napi_derive::napi;

use crate::argument::Arg;
use crate::bound::{Function, bind};
use crate::call::{self, Client};
use crate::error::{Guarded, Trouble, text};
use crate::listener::Listener;
use crate::notice::note;
use crate::record::{Record, Slot, Text, flag};
use crate::request::Request;
use crate::shared::Shared;

/// Bytes that most answers have room in.
const MESSAGE: usize = 512;

struct State {
    request: Request,
    inner: http::Exchange,
    /// The call in work.
    key: Option<CallKey>,
    batch: Option<Pending>,
    /// What a resuming client asked for.
    resume: Option<http::events::Resume>,
    /// A response that stays open, until it is taken.
    listener: Option<http::Listener>,
}

/// A batch in work: its message, how far it is, the answers so far, and the session it belongs to.
struct Pending {
    body: Vec<u8>,
    at: server::Batch,
    out: Vec<u8>,
    session: Option<http::Handshake>,
}

/// The server's side of one HTTP request.
#[napi]
pub struct Exchange(Rc<Guarded<State>>);

impl State {
    fn answer(
        &mut self,
        write: impl FnOnce(&Shared, &mut http::Exchange, &mut Vec<u8>) -> Result<http::Emit, LocalError>,
    ) -> Result<Text, Trouble> {
        let State { request, inner, batch, .. } = self;
        let mut own = Vec::with_capacity(MESSAGE);
        let out = batch.as_mut().map_or(&mut own, |batch| &mut batch.out);
        let emit = write(&request.shared, inner, out)?;
        let made = request.emit(emit, inner.event(), &own);
        self.key = None;
        Ok(made)
    }

    fn tell(
        &mut self,
        write: impl FnOnce(&Shared, &mut http::Exchange, &mut Vec<u8>) -> Result<http::Emit, LocalError>,
    ) -> Result<Option<Text>, Trouble> {
        let mut out = Vec::new();
        Ok(match write(&self.request.shared, &mut self.inner, &mut out)? {
            http::Emit::Nothing | http::Emit::Held => None,
            emit => Some(self.request.emit(emit, self.inner.event(), &out)),
        })
    }

    /// Turns a core step into a record.
    fn step(&mut self, made: &http::HttpStep<'_>, out: &[u8], expected: usize) -> Result<Record, Trouble> {
        let mut made_of = Record::new(expected + out.len());
        let record = &mut made_of;
        let mut event = None;
        match made {
            http::HttpStep::Reply { head, notice } => {
                self.request.reply(record, head, out);
                event = notice.as_ref().and_then(|notice| note(record, notice));
            }
            http::HttpStep::Notice(notice) => event = note(record, notice),
            http::HttpStep::Opened { head, handshake, client_info, client_capabilities } => {
                self.request.reply(record, head, out);
                event = Some("opened");
                record.text(Slot::ClientInfo, client_info.text());
                record.text(Slot::ClientCapabilities, client_capabilities.text());
                saved(record, handshake)?;
            }
            http::HttpStep::Ended { head } => {
                self.request.reply(record, head, out);
                event = Some("ended");
            }
            http::HttpStep::Listen { head, listener } => {
                self.request.reply(record, head, out);
                event = Some("listening");
                record.flag(flag::LISTENER, true);
                self.listener = Some(listener.clone());
            }
            http::HttpStep::Resume { head, resume } => {
                self.request.reply(record, head, out);
                event = Some("resuming");
                record.text(Slot::Stream, resume.stream.text());
                record.number(Slot::After, u64::from(resume.after));
                self.resume = Some(resume.clone());
            }
            http::HttpStep::Call(call) => {
                self.key = Some(call.key);
                let nobody = Client::default();
                self.request.shared.serve(|server| call::write(record, call, server.catalog, &nobody));
            }
            http::HttpStep::Batch(_) => record.flag(flag::BATCH, true),
        }
        record.maybe(Slot::Event, event);
        Ok(made_of)
    }

    fn resumed(&self) -> Result<&http::events::Resume, Trouble> {
        self.resume.as_ref().ok_or_else(|| LocalError::Over.into())
    }
}

/// Writes the session as it is to be stored now.
fn saved(record: &mut Record, handshake: &http::Handshake) -> Result<(), Trouble> {
    let mut out = Vec::new();
    handshake.save(&mut out).map_err(LocalError::from)?;
    record.hex(Slot::Session, &out);
    Ok(())
}

impl State {
    /// Begins with the next request.
    fn begin(
        &mut self,
        method: String,
        headers: String,
        peer: Option<&str>,
        streams: bool,
        listens: bool,
        events: Option<&str>,
    ) -> Result<(), Trouble> {
        let mut inner = http::Exchange::new(self.request.shared.tag());
        if let Some(name) = events {
            let wrong = "events: the name of a stream is 1 to 32 letters, digits, - and _ of ASCII";
            inner = inner.with_events(StreamName::new(name).ok_or_else(|| Trouble::argument(wrong))?);
        }
        self.request.take(method, headers, peer, streams, listens);
        self.inner = inner;
        (self.key, self.batch, self.resume, self.listener) = (None, None, None, None);
        Ok(())
    }

    /// Looks at the head; `Some`: the answer that refuses the request.
    fn gate(&mut self) -> Result<Option<Text>, Trouble> {
        let State { request, inner, .. } = self;
        let mut out = Vec::new();
        let refusal = request.shared.serve(|server| {
            let endpoint = request.shared.endpoint(request.streams, request.listens);
            request.view(|head| inner.gate(server, &endpoint, head, &mut out))
        })?;
        Ok(refusal.map(|head| {
            let mut record = Record::new(out.len());
            request.reply(&mut record, &head, &out);
            record.done()
        }))
    }

    fn reply(&mut self, key: Arg, result: Arg) -> Result<Text, Trouble> {
        let (key, result) = (key.key()?, result.bytes("result")?);
        let result = text("result", &result)?;
        self.answer(|shared, inner, out| shared.serve(|server| inner.reply(server, key, result, out)))
    }

    fn say(&mut self, key: Arg, said: Arg) -> Result<Text, Trouble> {
        let (key, said) = (key.key()?, said.text("text")?);
        let answer = server::Text { pieces: &[&said], ..server::Text::default() };
        self.answer(|shared, inner, out| shared.serve(|server| inner.reply_text(server, key, &answer, out)))
    }

    fn session_id(&self) -> Option<String> {
        self.request.view(|request| http::Exchange::session_id(request).map(str::to_owned))
    }

    fn accept(&mut self, body: &[u8], session: Option<&[u8]>) -> Result<Text, Trouble> {
        let mut out = Vec::new();
        let mut handshake = session.and_then(http::Handshake::restore);
        let State { request, inner, .. } = self;
        let named = request.view(|request| http::Exchange::session_id(request).is_some());
        let attached = match &mut handshake {
            _ if request.shared.sessions() == http::Sessions::Off => http::Attached::Off,
            Some(handshake) => http::Attached::Known(handshake),
            None if named => http::Attached::Unknown,
            None => http::Attached::Missing,
        };
        let made = request.shared.serve(|server| {
            request.view(|request| inner.accept(server, request, attached, body, &mut out))
        })?;
        if let http::HttpStep::Batch(at) = &made {
            let (body, session) = (body.to_vec(), handshake.take());
            self.batch = Some(Pending { body, at: at.clone(), out: Vec::new(), session });
        }
        let mut record = self.step(&made, &out, body.len())?;
        if let Some(handshake) = handshake.filter(http::Handshake::changed) {
            saved(&mut record, &handshake)?;
        }
        Ok(record.done())
    }
}

impl Exchange {
    /// One that has begun with no request yet.
    pub(crate) fn blank(shared: Rc<Shared>) -> Self {
        let inner = http::Exchange::new(0); // it has no call
        let request = Request::new(shared);
        let state = State { request, inner, key: None, batch: None, resume: None, listener: None };
        Exchange(Rc::new(Guarded::new(state)))
    }
}

#[napi]
impl Exchange {
    /// Begins with a request, in one call for all that can be done at once: the head, the gate, and the body, if it is
    /// given and no session has to be loaded for it. Its arguments: the method; the headers; `parts`: how many names and
    /// values there are, so that a NUL in one of them cannot make another header of it; the peer; what the
    /// host can do: 1 if it can stream, 2 more if a response may stay open; the name of the response's events; the body.
    /// `None`: the gate let it in, and `accept` comes next.
    ///
    /// An object that JavaScript holds costs more than all of this, so that hosts use theirs again.
    #[napi]
    pub fn begin_function(&self, env: Env) -> napi::Result<Function> {
        self.0.run(env, |_| Ok(()))?;
        bind(env, &self.0, |env, object, [method, headers, parts, peer, can, events, body]| {
            object.run(env, |state| {
                let (headers, peer) = (headers.text("headers")?, peer.maybe_text("peer")?);
                let nuls = headers.bytes().filter(|byte| *byte == 0).count() as u64;
                if nuls != parts.whole("parts", u64::from(u32::MAX))? {
                    return Err(Trouble::argument("a header must not hold a NUL"));
                }
                let (can, events) = (can.whole("can", 3)?, events.maybe_text("events")?);
                let (streams, listens) = (can & 1 != 0, can & 2 != 0);
                let (method, body) = (method.text("method")?, body.maybe_bytes("body")?);
                state.begin(method, headers, peer.as_deref(), streams, listens, events.as_deref())?;
                if let Some(refused) = state.gate()? {
                    return Ok(Some(refused));
                }
                let open = state.request.shared.sessions() == http::Sessions::Off;
                match body {
                    Some(body) if open || state.session_id().is_none() => state.accept(&body, None).map(Some),
                    _ => Ok(None),
                }
            })
        })
    }

    /// `reply`.
    #[napi]
    pub fn reply_function(&self, env: Env) -> napi::Result<Function> {
        self.0.run(env, |_| Ok(()))?;
        bind(env, &self.0, |env, object, [key, result, ..]| {
            object.run(env, |state| state.reply(key, result).map(Some))
        })
    }

    /// `reply` of a tool call with a text.
    #[napi]
    pub fn say_function(&self, env: Env) -> napi::Result<Function> {
        self.0.run(env, |_| Ok(()))?;
        bind(env, &self.0, |env, object, [key, said, ..]| {
            object.run(env, |state| state.say(key, said).map(Some))
        })
    }

    #[napi]
    pub fn max_body(&self, env: Env) -> napi::Result<f64> {
        self.0.run(env, |state| Ok(state.request.shared.limits().message_bytes as f64))
    }

    #[napi]
    pub fn can_stream(&self, env: Env) -> napi::Result<bool> {
        self.0.run(env, |state| Ok(state.inner.can_stream()))
    }

    #[napi]
    pub fn dropped(&self, env: Env) -> napi::Result<u32> {
        self.0.run(env, |state| Ok(state.inner.dropped()))
    }

    /// The session the request names.
    #[napi]
    pub fn session_id(&self, env: Env) -> napi::Result<Option<String>> {
        self.0.run(env, |state| Ok(state.session_id()))
    }

    #[napi]
    pub fn accept(&self, env: Env, body: Arg, session: Arg) -> napi::Result<Text> {
        self.0.run(env, |state| {
            let (body, session) = (body.bytes("body")?, session.maybe_bytes("session")?);
            state.accept(&body, session.as_deref())
        })
    }

    /// The listener of the step that was made last.
    #[napi]
    pub fn take_listener(&self, env: Env) -> napi::Result<Option<Listener>> {
        self.0.run(env, |state| {
            let shared = state.request.shared.clone();
            Ok(state.listener.take().map(|listener| Listener::make(shared, listener)))
        })
    }

    #[napi]
    pub fn next(&self, env: Env) -> napi::Result<Text> {
        self.0.run(env, |state| {
            let Some(mut pending) = state.batch.take() else { return Err(LocalError::Over.into()) };
            let Pending { body, at, out, session } = &mut pending;
            let before = session.clone();
            let State { request, inner, .. } = state;
            let made = request.shared.serve(|server| inner.next(server, session.as_mut(), at, body, out));
            let step = match made {
                Ok(made) => {
                    let over = matches!(made, http::HttpStep::Reply { .. });
                    let mut record = state.step(&made, if over { out } else { &[] }, body.len())?;
                    if let Some(session) = session.as_ref().filter(|_| *session != before) {
                        saved(&mut record, session)?;
                    }
                    if over {
                        return Ok(record.done());
                    }
                    record.flag(flag::BATCH, true);
                    Ok(record.done())
                }
                Err(error) => Err(error.into()),
            };
            state.batch = Some(pending);
            step
        })
    }

    #[napi]
    pub fn reply(&self, env: Env, key: Arg, result: Arg) -> napi::Result<Text> {
        self.0.run(env, |state| state.reply(key, result))
    }

    /// The name of the call's stream, if its events are numbered.
    #[napi]
    pub fn stream(&self, env: Env) -> napi::Result<Option<String>> {
        self.0.run(env, |state| Ok(state.inner.stream().map(|name| name.text().to_owned())))
    }

    /// The answer to a resuming client whose stream, or the events after the one it names, are not kept.
    #[napi]
    pub fn refuse_resume(&self, env: Env) -> napi::Result<Text> {
        self.0.run(env, |state| {
            let mut out = Vec::new();
            let head = state.resumed()?.refuse(&mut out)?;
            let mut record = Record::new(out.len());
            state.request.reply(&mut record, &head, &out);
            Ok(record.done())
        })
    }

    /// Goes on with a session's GET stream after its event `last`.
    #[napi]
    pub fn resume_listening(&self, env: Env, last: Arg) -> napi::Result<Listener> {
        self.0.run(env, |state| {
            let last = last.whole("last", u64::from(u32::MAX))?;
            let listener = state.resumed()?.listener(u32::try_from(last).unwrap_or(u32::MAX));
            Ok(Listener::make(state.request.shared.clone(), listener))
        })
    }

    /// Whether the request of this id (JSON text) is in work here; then it is taken back.
    #[napi]
    pub fn cancel(&self, env: Env, id: Arg) -> napi::Result<bool> {
        self.0.run(env, |state| Ok(state.inner.cancel(&id.text("id")?).is_some()))
    }

    /// Takes back the call in work: the session it belongs to is over.
    #[napi]
    pub fn abandon(&self, env: Env) -> napi::Result<()> {
        self.0.run(env, |state| {
            state.inner.abandon();
            Ok(())
        })
    }

    /// A response of the host's own; `headers` as those of the request.
    #[napi]
    pub fn refuse(&self, env: Env, status: Arg, headers: Arg, body: Arg) -> napi::Result<Text> {
        self.0.run(env, |state| {
            let (status, headers) = (status.whole("status", 999)?, headers.text("headers")?);
            let body = body.bytes("body")?;
            let mut parts = headers.split('\0');
            let mut pairs = Vec::new();
            while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                pairs.push((name, value));
            }
            let mut record = Record::new(body.len());
            record.text(Slot::Body, text("body", &body)?);
            state.request.head(&mut record, u16::try_from(status).unwrap_or(0), pairs);
            Ok(record.done())
        })
    }

    #[napi]
    pub fn close(&self, env: Env) -> napi::Result<bool> {
        self.0.run(env, |state| Ok(state.key.is_some_and(|key| state.inner.close(key))))
    }

    #[napi]
    pub fn is_cancelled(&self, env: Env, key: Arg) -> napi::Result<bool> {
        self.0.run(env, |state| Ok(state.inner.is_cancelled(key.key()?)))
    }
}
