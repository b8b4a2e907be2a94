//! A session under test: carries out any order of operations and holds it to its promises after each of them. The property
//! tests and the fuzz target drive the same machine.

use std::collections::HashMap;

use mcpgraft::catalog::Kind;
use mcpgraft::json::{Full, Raw, Sink, check};
use mcpgraft::model::Level;
use mcpgraft::server::{Batch, CallKey, Failure, Log, Progress, Step};
use mcpgraft::{LocalError, Server, Session};

use super::served::{Borrowed, LIMITS, served};

/// An output with room for so many bytes.
#[derive(Debug)]
pub struct Limited {
    pub bytes: Vec<u8>,
    pub room: usize,
}

impl Limited {
    pub fn new(room: usize) -> Self {
        Limited { bytes: Vec::new(), room }
    }
}

impl Sink for Limited {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if self.bytes.len() + bytes.len() > self.room {
            return Err(Full);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
    fn len(&self) -> usize {
        self.bytes.len()
    }
    fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }
}

/// Which call an answer is for: most often one in work, sometimes one that is over, or none of this session's.
#[derive(Clone, Copy, Debug)]
pub struct Pick(pub u8);

/// Something a host does.
#[derive(Clone, Debug)]
pub enum Op {
    Message(Vec<u8>),
    TooLong,
    Reply(Pick, usize),
    Fail(Pick, usize),
    Progress(Pick, f64),
    Log(Option<Pick>, usize),
    ListChanged(usize),
    Updated(bool),
    Notify(bool),
}

/// What hosts answer: good for some methods, bad for others, or for none.
pub const RESULTS: [&str; 12] = [
    r#"{"content":[{"type":"text","text":"3"}]}"#,
    r#"{"content":[{"type":"audio","data":"AA==","mimeType":"audio/wav"},{"type":"resource_link","uri":"a:b","name":"n"}],"structuredContent":[1]}"#,
    r#"{"structuredContent":{"a":1.50},"isError":true,"_meta":{"x":1}}"#,
    r#"{"contents":[{"uri":"a:b","text":"t","_meta":{}}],"ttlMs":5}"#,
    r#"{"messages":[{"role":"user","content":{"type":"text","text":"t"}}],"description":null}"#,
    r#"{"completion":{"values":["a"],"hasMore":false}}"#,
    r#"{"resultType":"input_required","requestState":"s"}"#,
    "{\n  \"content\": [\r\n  ]\n}",
    "{}",
    "[]",
    "{\"content\":1}",
    "{\"content\":",
];

pub fn failure(at: usize) -> Failure<'static> {
    match at % 8 {
        0 => Failure::Tool("it \"failed\"\n\u{1}"),
        1 => Failure::NotFound("a:b"),
        2 => Failure::InvalidParams("no"),
        3 => Failure::NoMethod("no"),
        4 => Failure::Internal(""),
        5 => Failure::MissingCapability { needed: Raw::trusted("{\"roots\":{}}"), message: "roots" },
        6 => Failure::MissingCapability { needed: Raw::trusted("1"), message: "roots" },
        _ => Failure::Custom {
            code: [-32002, -32042, -32021, 7, i32::MIN][at / 8 % 5],
            message: "m",
            data: Some(Raw::trusted("[1]")),
        },
    }
}

/// What a message led to, without what it borrows.
#[derive(Clone, Debug, PartialEq)]
enum Made {
    Call(CallKey, bool),
    Batch,
    Other,
    End,
}

impl Made {
    fn of(step: &Step<'_>) -> Made {
        match step {
            Step::Call(call) => Made::Call(call.key, call.progress),
            Step::Batch(_) => Made::Batch,
            _ => Made::Other,
        }
    }
}

/// A call in work.
struct Live {
    key: CallKey,
    /// Of its request.
    id: String,
    /// Whether the peer wants progress, and the last it was told.
    reports: bool,
    last: Option<f64>,
}

/// The machine.
pub struct Machine {
    pub session: Session<4, 4>,
    live: Vec<Live>,
    over: Vec<CallKey>,
    /// How often each id was asked with, and answered.
    ids: HashMap<String, (usize, usize)>,
    /// Everything that was sent, a message or batch each.
    pub sent: Vec<Vec<u8>>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Machine {
    pub fn new() -> Self {
        Machine { session: Session::new(7), live: vec![], over: vec![], ids: HashMap::new(), sent: vec![] }
    }

    /// Everything the session knows.
    pub fn state(&self) -> String {
        format!("{:?}", self.session)
    }

    /// Carries one operation out, first with `room` bytes for the output, and, if they were too few, again with enough.
    pub fn step(&mut self, op: &Op, room: usize) {
        let server = served();
        match op {
            Op::Message(message) => self.message(&server, message, room),
            Op::TooLong => {
                self.attempt(room, |session, out| session.too_long(&server, out)).unwrap();
            }
            Op::Reply(pick, at) => {
                let key = self.key(*pick);
                let result = RESULTS[at % RESULTS.len()];
                let done = self.attempt(room, |session, out| session.reply(&server, key, result, out));
                self.ended(key, done);
            }
            Op::Fail(pick, at) => {
                let key = self.key(*pick);
                let done = self.attempt(room, |session, out| session.fail(&server, key, &failure(*at), out));
                self.ended(key, done);
            }
            Op::Progress(pick, progress) => {
                let key = self.key(*pick);
                let progress = Progress { progress: *progress, total: Some(9.0), message: Some("m\u{7}") };
                let at = self.live.iter().position(|live| live.key == key);
                let due = at.is_some_and(|at| {
                    let live = &self.live[at];
                    let grows = live.last.is_none_or(|last| progress.progress > last);
                    live.reports && grows && !self.session.is_cancelled(key)
                });
                let done = self.attempt(room, |session, out| session.progress(key, &progress, out));
                self.known(key, done.err());
                if let (Ok(sent), Some(at)) = (done, at) {
                    assert_eq!(sent, due);
                    self.live[at].last = sent.then_some(progress.progress).or(self.live[at].last);
                }
            }
            Op::Log(pick, at) => {
                let key = pick.map(|pick| self.key(pick));
                let level = Level::ALL[at % 8];
                let log = Log { level, logger: Some("l"), data: Raw::trusted("{ \"a\":\n1}") };
                let done = self.attempt(room, |session, out| session.log(&server, key, &log, out));
                match key {
                    Some(key) => self.known(key, done.err()),
                    None => assert!(done.is_ok()),
                }
            }
            Op::ListChanged(at) => {
                let kind = Kind::ALL[at % 4];
                self.attempt(room, |session, out| session.list_changed(&server, kind, out)).unwrap();
            }
            Op::Updated(known) => {
                let uri = if *known { "test://a" } else { "test://\"b" };
                self.attempt(room, |session, out| session.resource_updated(uri, out)).unwrap();
            }
            Op::Notify(own) => {
                let method = if *own { "acme/hello" } else { "notifications/hello" };
                let done = self.attempt(room, |session, out| {
                    session.notify(method, Some(Raw::trusted("{\"a\":[\n]}")), out)
                });
                assert!(matches!(done, Ok(()) | Err(LocalError::NotAllowed(_))), "{done:?}");
            }
        }
        self.check();
    }

    /// Answers what is open, and looks whether every request that was not taken back has its answer.
    pub fn finish(mut self) -> Vec<Vec<u8>> {
        while let Some(key) = self.live.first().map(|live| live.key) {
            let done = self.attempt(usize::MAX, |session, out| {
                session.fail(&served(), key, &Failure::Internal("over"), out)
            });
            self.ended(key, done);
        }
        self.check();
        assert_eq!(self.session.in_flight(), 0);
        self.sent
    }

    fn key(&self, Pick(pick): Pick) -> CallKey {
        let at = usize::from(pick / 8);
        let live = (!self.live.is_empty()).then(|| self.live[at % self.live.len()].key);
        let over = (!self.over.is_empty()).then(|| self.over[at % self.over.len()]);
        let foreign = CallKey::from_bits(u64::from(pick) << 40 | u64::from(pick));
        match pick % 8 {
            0 => foreign,
            // The same call of another session.
            1 => live.map_or(foreign, |key| CallKey::from_bits(key.to_bits() ^ 1 << 48)),
            2 => over.unwrap_or(foreign),
            _ => live.unwrap_or(foreign),
        }
    }

    /// An operation with one message at most as its output.
    fn attempt<R>(
        &mut self,
        room: usize,
        op: impl Fn(&mut Session<4, 4>, &mut Limited) -> Result<R, LocalError>,
    ) -> Result<R, LocalError> {
        let mut out = Limited::new(room);
        let done = self.attempt_in(&mut out, op);
        if !out.bytes.is_empty() {
            assert!(done.is_ok());
            self.answered(check_message(&out.bytes));
            self.sent.push(out.bytes);
        }
        done
    }

    /// An operation that fails leaves everything as it was; one that had no room works when it is given some.
    fn attempt_in<R>(
        &mut self,
        out: &mut Limited,
        op: impl Fn(&mut Session<4, 4>, &mut Limited) -> Result<R, LocalError>,
    ) -> Result<R, LocalError> {
        let (state, written) = (self.state(), out.bytes.clone());
        let mut done = op(&mut self.session, out);
        if let Err(LocalError::OutputFull) = done {
            assert_eq!(
                (self.state(), text(&out.bytes)),
                (state.clone(), text(&written)),
                "no room: no effect"
            );
            out.room = usize::MAX;
            done = op(&mut self.session, out);
            assert_ne!(done.as_ref().err(), Some(&LocalError::OutputFull));
        }
        if done.is_err() {
            assert_eq!((self.state(), text(&out.bytes)), (state, text(&written)), "an error: no effect");
        }
        done
    }

    fn message(&mut self, server: &Server<'_, Borrowed>, message: &[u8], room: usize) {
        if let Ok(value) = check(message, u16::MAX) {
            let one = (!value.is_array()).then_some(value);
            for id in value.elements().chain(one).filter_map(|message| message.get("id")) {
                self.ids.entry(id.text().to_owned()).or_default().0 += 1;
            }
        }
        let made = self.attempt(room, |session, out| {
            let step = session.accept(server, message, out)?;
            assert!(!matches!(step, Step::Call(_) | Step::Batch(_) | Step::Nothing) || out.is_empty());
            Ok(Made::of(&step))
        });
        match made.unwrap() {
            Made::Call(key, reports) => self.began(key, reports, check(message, u16::MAX).unwrap()),
            Made::Batch => self.batch(server, message, room),
            Made::Other | Made::End => {}
        }
    }

    fn batch(&mut self, server: &Server<'_, Borrowed>, message: &[u8], room: usize) {
        let mut out = Limited::new(room);
        let mut batch = Batch::default();
        for at in 0.. {
            let made = self.attempt_in(&mut out, |session, out| {
                // A batch is only gone forward when its step is taken, so a copy stands for the retry.
                let mut ahead = batch.clone();
                let step = session.next(server, &mut ahead, message, out);
                assert!(step.is_ok() || format!("{batch:?}") == format!("{ahead:?}"));
                let step = step?;
                Ok((step.as_ref().map_or(Made::End, Made::of), ahead))
            });
            let (made, ahead) = made.unwrap();
            batch = ahead;
            match made {
                Made::Call(key, reports) => {
                    let early = self.session.next(server, &mut batch, message, &mut Limited::new(usize::MAX));
                    assert_eq!(early.err(), Some(LocalError::BatchPending));
                    let request = check(message, u16::MAX).unwrap().elements().nth(at);
                    self.began(key, reports, request.unwrap());
                    let done = self.attempt_in(&mut out, |session, out| {
                        if message.len().is_multiple_of(2) {
                            session.reply(server, key, RESULTS[0], out)
                        } else {
                            session.fail(server, key, &failure(message.len()), out)
                        }
                    });
                    let done = match done {
                        Err(LocalError::BadResult(_)) => {
                            self.attempt_in(&mut out, |s, out| s.fail(server, key, &failure(4), out))
                        }
                        done => done,
                    };
                    assert!(done.is_ok(), "{done:?}");
                    self.ended(key, done);
                }
                Made::End => break,
                _ => {}
            }
        }
        if !out.bytes.is_empty() {
            let answers = check_json(&out.bytes);
            assert!(answers.elements().next().is_some(), "an array with answers: {}", answers.text());
            answers.elements().for_each(|answer| self.answered(check_envelope(answer)));
            self.sent.push(out.bytes);
        }
    }

    fn answered(&mut self, id: Option<String>) {
        let Some(id) = id else { return };
        let (asked, answered) = self.ids.get_mut(&id).unwrap_or_else(|| panic!("nobody asked as {id}"));
        *answered += 1;
        assert!(answered <= asked, "{id} was answered {answered} times, and asked {asked} times");
    }

    fn ended(&mut self, key: CallKey, done: Result<bool, LocalError>) {
        if done.is_ok() {
            let at = self.live.iter().position(|live| live.key == key).expect("a live call");
            self.live.swap_remove(at);
            self.over.push(key);
        } else {
            self.known(key, done.err());
        }
    }

    /// Only keys of calls in work are known.
    fn known(&self, key: CallKey, error: Option<LocalError>) {
        assert_eq!(self.is_live(key), error != Some(LocalError::UnknownCall), "{key:?}: {error:?}");
    }

    fn is_live(&self, key: CallKey) -> bool {
        self.live.iter().any(|live| live.key == key)
    }

    fn began(&mut self, key: CallKey, reports: bool, request: Raw<'_>) {
        let id = request.get("id").expect("calls answer requests").text().to_owned();
        let twin = self.live.iter().find(|live| live.id == id && !self.session.is_cancelled(live.key));
        assert!(twin.is_none(), "two calls in work have the id {id}");
        self.live.push(Live { key, id, reports, last: None });
    }

    fn check(&self) {
        assert_eq!(self.session.in_flight(), self.live.len());
        assert!(self.live.len() <= LIMITS.in_flight);
        assert!(self.over.iter().all(|key| self.session.is_cancelled(*key) && !self.is_live(*key)));
    }
}

fn check_json(bytes: &[u8]) -> Raw<'_> {
    assert!(!bytes.contains(&b'\n') && !bytes.contains(&b'\r'), "one line: {}", text(bytes));
    check(bytes, u16::MAX).unwrap_or_else(|error| panic!("{error}: {}", text(bytes)))
}

/// Whether the bytes are one line with one message. Gives the id that it answers.
pub fn check_message(bytes: &[u8]) -> Option<String> {
    check_envelope(check_json(bytes))
}

fn check_envelope(message: Raw<'_>) -> Option<String> {
    let picked = message.pick(["jsonrpc", "id", "method", "params", "result", "error"]);
    let [version, id, method, params, result, error] = picked.expect("no member stands twice");
    assert_eq!(version.map(Raw::text), Some("\"2.0\""), "{}", message.text());
    if method.is_some() {
        assert!(id.is_none() && result.is_none() && error.is_none(), "{}", message.text());
        assert!(params.is_none_or(Raw::is_object), "{}", message.text());
        return None;
    }
    assert!(result.is_some() != error.is_some() && params.is_none(), "{}", message.text());
    if let Some(error) = error {
        assert!(error.get("code").is_some_and(|code| code.i64().is_some()), "{}", message.text());
        assert!(error.get("message").is_some_and(Raw::is_string), "{}", message.text());
    }
    assert!(result.is_none_or(Raw::is_object), "{}", message.text());
    id.filter(|id| !id.is_null()).map(|id| id.text().to_owned())
}
