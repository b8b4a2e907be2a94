//! An HTTP exchange under test: sends one request, does what a host might do, and holds every part of the response to its
//! promises. The property tests and the fuzz target drive the same function.

use mcpgraft::LocalError;
use mcpgraft::http::guard::{Guard, Hosts, Listed};
use mcpgraft::http::{Body, Emit, Endpoint, Exchange, Head, Headers, HttpStep, Request};
use mcpgraft::json::{Raw, check};
use mcpgraft::model::Level;
use mcpgraft::server::{Batch, CallKey, Log, Progress};

use super::machine::{Limited, RESULTS, check_message, failure};
use super::served::served;

/// What a response may say.
const STATUSES: [u16; 11] = [200, 202, 204, 400, 401, 403, 404, 405, 406, 413, 415];

/// One header: name and value.
pub type Header = (String, Vec<u8>);

/// Something the host does while a call is in work.
#[derive(Clone, Debug)]
pub enum Act {
    Reply(usize),
    Fail(usize),
    Progress(f64),
    Log(usize),
    /// With a key that is no call of this exchange.
    Foreign(u64),
    Close,
}

/// How the endpoint is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub streams: bool,
    pub listed: bool,
    pub peer_is_loopback: Option<bool>,
}

/// The response as the peer sees it.
#[derive(Debug, Default, PartialEq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Vec<u8>,
}

struct Run {
    exchange: Exchange,
    room: usize,
    response: Option<Head>,
    body: Vec<u8>,
    over: bool,
}

impl Run {
    /// An operation that fails leaves everything as it was; one that had no room works when it is given some.
    fn attempt<R>(
        &mut self,
        out: &mut Limited,
        op: impl Fn(&mut Exchange, &mut Limited) -> Result<R, LocalError>,
    ) -> Result<R, LocalError> {
        let (state, written) = (format!("{:?}", self.exchange), out.bytes.clone());
        out.room = self.room;
        let mut done = op(&mut self.exchange, out);
        if let Err(LocalError::OutputFull) = done {
            assert_eq!(
                (format!("{:?}", self.exchange), &out.bytes),
                (state.clone(), &written),
                "no room: no effect"
            );
            out.room = usize::MAX;
            done = op(&mut self.exchange, out);
        }
        if done.is_err() {
            assert_eq!(
                (format!("{:?}", self.exchange), &out.bytes),
                (state, &written),
                "an error: no effect"
            );
        }
        done
    }

    fn head(&mut self, head: Head) {
        assert!(STATUSES.contains(&head.status), "{head:?}");
        assert!(self.response.replace(head).is_none(), "a response has one head");
    }

    fn emit(&mut self, emit: Emit, out: Limited) {
        match emit {
            Emit::Whole(head) => {
                self.head(head);
                self.over = true;
            }
            Emit::Events { start, end } => {
                if let Some(head) = start {
                    assert_eq!(head, Head::EVENTS);
                    self.head(head);
                }
                self.over = end;
            }
            Emit::Held => return,
            Emit::Nothing => assert!(out.bytes.is_empty()),
        }
        self.body.extend_from_slice(&out.bytes);
    }

    /// Does what the host does until the call is answered. Batches have their answers in `batch`.
    fn call(&mut self, key: CallKey, acts: &mut dyn Iterator<Item = &Act>, mut batch: Option<&mut Limited>) {
        let server = served();
        let mut gone = false;
        loop {
            let mut own = Limited::new(0);
            let act = acts.next().unwrap_or(&Act::Fail(4));
            let answers = matches!(act, Act::Reply(_) | Act::Fail(_));
            let done = {
                let out = match &mut batch {
                    Some(batch) if answers => &mut **batch,
                    _ => &mut own,
                };
                match act {
                    Act::Reply(at) => {
                        let result = RESULTS[at % RESULTS.len()];
                        self.attempt(out, |exchange, out| exchange.reply(&server, key, result, out))
                    }
                    Act::Fail(at) => {
                        self.attempt(out, |exchange, out| exchange.fail(&server, key, &failure(*at), out))
                    }
                    Act::Progress(progress) => {
                        let progress = Progress { progress: *progress, total: None, message: Some("\r\n") };
                        self.attempt(out, |exchange, out| exchange.progress(key, &progress, out))
                    }
                    Act::Log(at) => {
                        let log =
                            Log { level: Level::ALL[at % 8], logger: None, data: Raw::trusted("[\n1]") };
                        self.attempt(out, |exchange, out| exchange.log(&server, key, &log, out))
                    }
                    Act::Foreign(bits) => {
                        let foreign = CallKey::from_bits(*bits);
                        if foreign == key {
                            continue;
                        }
                        let done =
                            self.attempt(out, |exchange, out| exchange.reply(&server, foreign, "{}", out));
                        assert_eq!(done, Err(LocalError::UnknownCall));
                        continue;
                    }
                    Act::Close => {
                        gone |= self.exchange.close(key);
                        assert_eq!(self.exchange.is_cancelled(key), gone);
                        continue;
                    }
                }
            };
            match done {
                Ok(emit) => {
                    assert!(!gone || emit == Emit::Nothing, "nobody is there any more: {emit:?}");
                    self.emit(emit, own);
                    if answers {
                        assert!(self.exchange.is_cancelled(key), "a key is good for one answer");
                        self.over |= gone;
                        return;
                    }
                }
                Err(LocalError::BadJson(_) | LocalError::BadResult(_) | LocalError::NotAllowed(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Sends one request and gives the response; `None` if the peer left before it.
pub fn exchange(
    setup: Setup,
    method: &str,
    headers: &[Header],
    body: &[u8],
    acts: &[Act],
    room: usize,
) -> Option<Response> {
    let server = served();
    let origins = ["https://app.example.com"];
    let hosts = ["localhost", "api.example.com"];
    let guard = Guard {
        allowed_hosts: if setup.listed { Hosts::Listed((&hosts).into()) } else { Hosts::Any },
        allowed_origins: if setup.listed { (&origins).into() } else { Listed::default() },
    };
    #[allow(clippy::needless_update)] // it may get more settings
    let endpoint = Endpoint { guard, streams: setup.streams, ..Endpoint::default() };
    let headers: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
    let request = Request { method, headers: Headers(&headers), peer_is_loopback: setup.peer_is_loopback };
    let mut run = Run { exchange: Exchange::new(3), room, response: None, body: vec![], over: false };
    let mut acts = acts.iter();
    let mut out = Limited::new(room);
    let early = run.exchange.accept(&server, &request, mcpgraft::http::Attached::Off, body, &mut out);
    assert_eq!(early.err(), Some(LocalError::Over), "the gate comes first");
    if let Some(head) = run.attempt(&mut out, |e, out| e.gate(&server, &endpoint, &request, out)).unwrap() {
        run.emit(Emit::Whole(head), out);
    } else {
        enum Made {
            Whole(Head),
            Call(CallKey),
            Batch,
        }
        let made = |step: HttpStep<'_>| match step {
            HttpStep::Reply { head, .. } | HttpStep::Opened { head, .. } => Made::Whole(head),
            HttpStep::Ended { .. }
            | HttpStep::Listen { .. }
            | HttpStep::Resume { .. }
            | HttpStep::Notice(_) => {
                panic!("no session and no stream was offered")
            }
            HttpStep::Call(call) => Made::Call(call.key),
            HttpStep::Batch(_) => Made::Batch,
        };
        let first = run
            .attempt(&mut out, |e, out| {
                e.accept(&server, &request, mcpgraft::http::Attached::Off, body, out).map(made)
            })
            .unwrap();
        match first {
            Made::Whole(head) => run.emit(Emit::Whole(head), out),
            Made::Call(key) => run.call(key, &mut acts, None),
            Made::Batch => {
                let mut batch = Batch::default();
                loop {
                    let step = run.attempt(&mut out, |exchange, out| {
                        let mut ahead = batch.clone();
                        let step = exchange.next(&server, None, &mut ahead, body, out).map(made);
                        assert!(step.is_ok() || format!("{batch:?}") == format!("{ahead:?}"));
                        Ok((step?, ahead))
                    });
                    let (step, ahead) = step.unwrap();
                    batch = ahead;
                    match step {
                        Made::Whole(head) => break run.emit(Emit::Whole(head), out),
                        Made::Call(key) => run.call(key, &mut acts, Some(&mut out)),
                        Made::Batch => panic!("a batch in a batch"),
                    }
                }
            }
        }
    }
    assert!(run.over, "the response ends");
    let again = run.exchange.accept(
        &server,
        &request,
        mcpgraft::http::Attached::Off,
        body,
        &mut Limited::new(usize::MAX),
    );
    assert_eq!(again.err(), Some(LocalError::Over));
    let head = run.response?;
    check_body(head, &run.body);
    Some(Response { status: head.status, headers: head.headers().collect(), body: run.body })
}

/// Whether a body is what its head says.
fn check_body(head: Head, body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    match head.body {
        Body::Json if body.first() == Some(&b'[') => {
            let answers = check(body, u16::MAX).unwrap();
            assert!(answers.elements().next().is_some());
            answers.elements().for_each(|answer| drop(check_message(answer.bytes())));
        }
        Body::Json => drop(check_message(body)),
        Body::Events => {
            assert_eq!(head.status, 200, "{shown}");
            let events = shown.strip_suffix("\n\n").unwrap_or_else(|| panic!("an event ends: {shown:?}"));
            for event in events.split("\n\n") {
                let data = event.strip_prefix("event: message\ndata: ");
                check_message(data.unwrap_or_else(|| panic!("an event: {event:?}")).as_bytes());
            }
        }
        _ => assert!(body.is_empty(), "{head:?}: {shown}"),
    }
}
