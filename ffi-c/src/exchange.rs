//! One HTTP request and its response.

use mcpgraft::LocalError;
use mcpgraft::http::events::{Event, Resume};
use mcpgraft::http::{self, Attached, Emit, Handshake, Head, HttpStep, Sessions, cors};
use mcpgraft::server::CallKey;

use crate::abi::{
    mcpgraft_event, mcpgraft_event_kind, mcpgraft_peer, mcpgraft_request, mcpgraft_server, mcpgraft_status,
    mcpgraft_str,
};
use crate::counted::Counted;
use crate::event;
use crate::guard::{Done, Handle, Held, alone, bytes, enter, event_place, place, shared, sized};
use crate::memory::{HeaderList, Output, Scratch};
use crate::peer::{Base, ListenerPeer};
use crate::request::Kept;
use crate::server::{Offered, Shared};
use crate::trouble::Trouble;

/// Room for the headers of any response and what CORS adds, beside what the request itself says.
const HEAD_ROOM: usize = 4096;

/// Room for a stored session.
const STORED_ROOM: usize = 2048;

/// An exchange with its memory, for one request after another.
pub(crate) struct ExchangePeer {
    pub(crate) base: Base,
    pub(crate) inner: http::Exchange,
    /// The call in work.
    pub(crate) key: Option<CallKey>,
    request: Kept,
    head: HeaderList,
    stored: Scratch,
    /// What a client that came back has asked for.
    pub(crate) resume: Option<Resume>,
}

impl Held for ExchangePeer {
    const MAGIC: u32 = 0x6d63_7003;
}

impl ExchangePeer {
    fn new(shared: Counted<Shared>) -> Self {
        ExchangePeer {
            inner: http::Exchange::new(shared.tag()),
            base: Base::new(shared),
            key: None,
            request: Kept::default(),
            head: HeaderList::default(),
            stored: Scratch::default(),
            resume: None,
        }
    }

    /// Puts a head and what browsers need into an event.
    fn show(&mut self, head: Option<&Head>, event: &mut mcpgraft_event) -> Done {
        if head.is_none() && !self.request.from_page {
            return Ok(());
        }
        let asked: usize = self.request.headers.iter().map(|(_, value)| value.len()).sum();
        self.head.room(32, HEAD_ROOM + asked)?;
        let list = &mut self.head;
        if let Some(head) = head {
            event.status = u32::from(head.status);
            head.headers().for_each(|(name, value)| list.add(name.as_bytes(), value.as_bytes()));
        }
        let Kept { streams, listens, from_page, .. } = self.request;
        if from_page {
            self.base.shared.endpoint(streams, listens, |endpoint| {
                cors::headers(&endpoint.guard, &self.request.borrow(), |name, value| {
                    list.add(name.as_bytes(), value.as_bytes());
                });
            });
        }
        event.headers = self.head.list().as_ptr();
        event.header_count = self.head.list().len();
        Ok(())
    }

    fn begin(&mut self, given: &mcpgraft_request) -> Done<mcpgraft_event> {
        self.base.out.clear();
        self.base.batch.at = None;
        self.base.batch.session = None;
        self.key = None;
        // SAFETY: promised by whoever called the function of the header.
        unsafe { self.request.read(given) }?;
        self.inner = http::Exchange::new(self.base.shared.tag());
        if let Some(events) = &self.request.events {
            self.inner = self.inner.clone().with_events(events.clone());
        }
        self.resume = None;
        let ExchangePeer { base: Base { shared, out, .. }, inner, request, .. } = self;
        let (refused, sessions) = shared.endpoint(request.streams, request.listens, |endpoint| {
            let refused = shared.serve(|server| inner.gate(server, endpoint, &request.borrow(), out));
            (refused, endpoint.sessions)
        });
        request.sessions = sessions;
        let refused = refused.map_err(|error| self.base.out.trouble(error))?;
        if sessions != Sessions::Off {
            self.stored.room(STORED_ROOM)?;
        }
        let named = http::Exchange::session_id(&self.request.borrow());
        let named = named.map_or(mcpgraft_str::NONE, |id| mcpgraft_str::of(id.as_bytes()));
        let mut event = mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_READ_BODY);
        self.show(refused.as_ref(), &mut event)?;
        event.session_id = named;
        event.max_body = self.base.shared.limits().message_bytes;
        event.can_stream = self.inner.can_stream();
        if refused.is_some() {
            event.kind = mcpgraft_event_kind::MCPGRAFT_ANSWERED;
            event.send = self.base.out.view();
            event.end = true;
        }
        Ok(event)
    }

    fn accept(&mut self, body: &[u8], stored: Option<&[u8]>) -> Done<mcpgraft_event> {
        let ExchangePeer { base: Base { shared, out, scratch, batch, .. }, inner, key, request, .. } = self;
        out.clear();
        event::prepare(scratch, shared, body)?;
        let mut handshake = stored.and_then(Handshake::restore);
        let attached = match &mut handshake {
            _ if request.sessions == Sessions::Off => Attached::Off,
            Some(handshake) => Attached::Known(handshake),
            None if http::Exchange::session_id(&request.borrow()).is_some() => Attached::Unknown,
            None => Attached::Missing,
        };
        // A step is large, for what few of them bring: a call is taken out where it comes from.
        let (mut called, mut told) = (None, None);
        shared.serve(|server| {
            match inner.accept(server, &request.borrow(), attached, body, out) {
                Err(error) => return Err(out.trouble(error)),
                Ok(HttpStep::Call(call)) => {
                    *key = Some(call.key);
                    called = Some(event::call(&call, server.catalog, scratch));
                }
                Ok(step) => {
                    if let HttpStep::Batch(at) = &step {
                        batch.begin(at, body)?;
                    }
                    told = Some(Told::of(step, server.catalog, scratch));
                }
            }
            Ok::<_, Trouble>(())
        })?;
        let mut event = match (called, told) {
            (Some(event), _) => self.called(event),
            (None, Some(told)) => self.tell(told, false)?,
            (None, None) => return Err(LocalError::Over.into()),
        };
        if self.base.batch.at.is_some() {
            self.base.batch.session = handshake.take();
        }
        if let Some(handshake) = handshake.filter(Handshake::changed) {
            event.stored = self.save(&handshake);
        }
        Ok(event)
    }

    fn save(&mut self, handshake: &Handshake) -> mcpgraft_str {
        // There is room: it was made when the request began.
        self.stored.written(|out| handshake.save(out)).unwrap_or(mcpgraft_str::NONE)
    }

    /// The next event of the batch.
    pub(crate) fn next(&mut self) -> Done<mcpgraft_event> {
        let ExchangePeer { base: Base { shared, scratch, batch, .. }, inner, key, .. } = self;
        let at = batch.at.as_mut().ok_or(LocalError::Over)?;
        event::prepare(scratch, shared, &batch.message)?;
        let (message, answers, session) = (&batch.message, &mut batch.answers, &mut batch.session);
        let step = shared.serve(|server| {
            let step = inner
                .next(server, session.as_mut(), at, message, answers)
                .map_err(|error| answers.trouble(error))?;
            if let HttpStep::Call(call) = &step {
                *key = Some(call.key);
            }
            Ok::<_, Trouble>(Told::of(step, server.catalog, scratch))
        })?;
        let over = matches!(step, Told::Reply(..));
        let mut event = self.tell(step, over)?;
        if let Some(mut session) = self.base.batch.session.take() {
            if session.changed() {
                event.stored = self.save(&session);
                session.saved();
            }
            self.base.batch.session = Some(session);
        }
        if over {
            self.base.batch.at = None;
        }
        Ok(event)
    }

    /// Adds to the event of a call how it can be answered.
    fn called(&self, event: mcpgraft_event) -> mcpgraft_event {
        let stream = self.stream(self.inner.stream().is_some());
        mcpgraft_event { can_stream: self.inner.can_stream(), stream, ..event }
    }

    /// Turns what was told into an event; `batch`: the answer is the batch's.
    fn tell(&mut self, told: Told, batch: bool) -> Done<mcpgraft_event> {
        let (head, mut event) = match told {
            Told::Call(event) => return Ok(self.called(event)),
            Told::Reply(head, event) => (head, event),
            Told::Opened(head, handshake, event) => {
                let stored = self.save(&handshake);
                (head, mcpgraft_event { stored, ..event })
            }
            Told::Listen(head, listener, event) => {
                let stream = self.stream(listener.stream().is_some());
                let listener = ListenerPeer::create(self.base.shared.share(), listener)?;
                (head, mcpgraft_event { listener: listener.cast(), stream, ..event })
            }
            Told::Resume(head, resume, event) => {
                let resume = self.resume.insert(resume);
                let stream = mcpgraft_str::of(resume.stream.text().as_bytes());
                let mut event = mcpgraft_event { stream, number: resume.after, ..event };
                self.show(Some(&head), &mut event)?;
                return Ok(event);
            }
        };
        self.show(Some(&head), &mut event)?;
        event.send = if batch { self.base.batch.answers.view() } else { self.base.out.view() };
        event.end = event.listener.is_null();
        Ok(event)
    }

    /// The name of the stream, where it is one whose events are numbered.
    fn stream(&self, numbered: bool) -> mcpgraft_str {
        let name = self.request.events.as_ref().filter(|_| numbered);
        name.map_or(mcpgraft_str::NONE, |name| mcpgraft_str::of(name.text().as_bytes()))
    }

    /// Refuses a client that came back for what is not kept.
    pub(crate) fn refuse(&mut self) -> Done<mcpgraft_event> {
        let out = &mut self.base.out;
        out.clear();
        let resume = self.resume.as_ref().ok_or(LocalError::Over)?;
        let head = resume.refuse(out).map_err(|error| out.trouble(error))?;
        let mut event = mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_ANSWERED);
        self.show(Some(&head), &mut event)?;
        Ok(mcpgraft_event { send: self.base.out.view(), end: true, ..event })
    }

    fn emitted(&mut self, emit: Emit, bytes: bool) -> Done<mcpgraft_event> {
        let mut event = mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_NOTHING);
        match emit {
            Emit::Whole(head) => {
                self.show(Some(&head), &mut event)?;
                event.end = true;
            }
            Emit::Events { start, end } => {
                if let Some(head) = start {
                    self.show(Some(&head), &mut event)?;
                }
                event.end = end;
                event.stream = self.stream(self.inner.stream().is_some() || self.inner.event().is_some());
                keep(&mut event, self.inner.event(), self.base.out.view());
            }
            Emit::Held => event.more = true,
            Emit::Nothing => event.end = self.key.is_none(),
        }
        if bytes {
            event.send = self.base.out.view();
            if event.send.len > 0 {
                event.kind = mcpgraft_event_kind::MCPGRAFT_ANSWERED;
            }
        }
        event.dropped = self.inner.dropped();
        event.can_stream = self.inner.can_stream();
        Ok(event)
    }

    /// Answers the call.
    pub(crate) fn answer(
        &mut self,
        write: impl FnOnce(&mut http::Exchange, &Shared, &mut Output) -> Result<Emit, LocalError>,
    ) -> Done<mcpgraft_event> {
        let Base { shared, out, batch, .. } = &mut self.base;
        let batched = batch.at.is_some();
        let out = if batched { &mut batch.answers } else { out };
        if !batched {
            out.clear();
        }
        let emit = write(&mut self.inner, shared, out).map_err(|error| out.trouble(error))?;
        self.key = None;
        self.emitted(emit, !batched)
    }

    /// Sends something about the call.
    pub(crate) fn notify(
        &mut self,
        write: impl FnOnce(&mut http::Exchange, &Shared, &mut Output) -> Result<Emit, LocalError>,
    ) -> Done<mcpgraft_event> {
        let Base { shared, out, .. } = &mut self.base;
        out.clear();
        let emit = write(&mut self.inner, shared, out).map_err(|error| out.trouble(error))?;
        self.emitted(emit, true)
    }
}

/// Says which part of what is sent is an event to be kept.
pub(crate) fn keep(event: &mut mcpgraft_event, made: Option<Event>, send: mcpgraft_str) {
    if let Some(Event { number, start }) = made.filter(|made| made.start <= send.len) {
        event.number = number;
        event.kept = mcpgraft_str { ptr: send.ptr.wrapping_add(start), len: send.len - start };
    }
}

/// A step of the core that borrows nothing any more.
#[allow(clippy::large_enum_variant)] // a box would cost memory
enum Told {
    Call(mcpgraft_event),
    Reply(Head, mcpgraft_event),
    Opened(Head, Handshake, mcpgraft_event),
    Listen(Head, http::Listener, mcpgraft_event),
    Resume(Head, Resume, mcpgraft_event),
}

impl Told {
    fn of(step: HttpStep<'_>, catalog: &mcpgraft::catalog::Owned, scratch: &mut Scratch) -> Told {
        use mcpgraft_event_kind::*;
        match step {
            HttpStep::Call(call) => Told::Call(event::call(&call, catalog, scratch)),
            HttpStep::Batch(_) => {
                Told::Call(mcpgraft_event { more: true, ..mcpgraft_event::new(MCPGRAFT_BATCH) })
            }
            HttpStep::Notice(notice) => {
                Told::Call(mcpgraft_event { more: true, ..event::notice(&notice, scratch) })
            }
            HttpStep::Reply { head, notice } => {
                let answered = mcpgraft_event::new(MCPGRAFT_ANSWERED);
                Told::Reply(head, notice.map_or(answered, |notice| event::notice(&notice, scratch)))
            }
            HttpStep::Opened { head, handshake, client_info, client_capabilities } => {
                let event = mcpgraft_event {
                    revision: mcpgraft_str::of(handshake.revision().name().as_bytes()),
                    client_info: mcpgraft_str::of(client_info.bytes()),
                    client_capabilities: mcpgraft_str::of(client_capabilities.bytes()),
                    ..mcpgraft_event::new(MCPGRAFT_OPENED)
                };
                Told::Opened(head, handshake, event)
            }
            HttpStep::Ended { head } => Told::Reply(head, mcpgraft_event::new(MCPGRAFT_ENDED)),
            HttpStep::Resume { head, resume } => {
                Told::Resume(head, resume, mcpgraft_event::new(MCPGRAFT_RESUMING))
            }
            HttpStep::Listen { head, listener } => {
                Told::Listen(head, listener, mcpgraft_event::new(MCPGRAFT_LISTENING))
            }
        }
    }
}

/// Makes the server's side of HTTP requests, one after another. Free it with `mcpgraft_free`. Any number of threads may do this
/// with one server at once; one exchange for each connection is a good number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_exchange_new(
    server: *const mcpgraft_server,
    exchange: *mut *mut mcpgraft_peer,
) -> mcpgraft_status {
    // SAFETY: the caller's promise.
    let offered = match unsafe { shared::<Offered>(server.cast()) } {
        Ok(offered) => offered,
        Err(status) => return status,
    };
    alone(|| {
        // SAFETY: the caller's promise.
        let place = unsafe { place("exchange", exchange) }?;
        place.put(Handle::create(ExchangePeer::new(offered.share()?))?.cast());
        Ok(())
    })
}

/// Looks at the head of a request, before its body is read. The event is `MCPGRAFT_READ_BODY`, or the refusal to send. What
/// the exchange had in work before is forgotten.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_exchange_begin(
    exchange: *mut mcpgraft_peer,
    request: *const mcpgraft_request,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut ExchangePeer| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        // SAFETY: the caller's promise.
        let request = unsafe {
            sized("request", request)?;
            &*request
        };
        place.put(&peer.begin(request)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(exchange.cast(), work) }
}

/// Takes the body of the request; of GET and DELETE, an empty one. `stored`: what the host has stored for the session the
/// request names; absent if it keeps none or knows none of that id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_exchange_accept(
    exchange: *mut mcpgraft_peer,
    body: mcpgraft_str,
    stored: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut ExchangePeer| {
        // SAFETY: the caller's promise.
        let (place, body, stored) =
            unsafe { (event_place(event)?, bytes("body", body)?, bytes("stored", stored)?) };
        place.put(&peer.accept(body, (!stored.is_empty()).then_some(stored))?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(exchange.cast(), work) }
}
