//! Tasks: tool calls whose result comes later (extension `io.modelcontextprotocol/tasks` of `2026-07-28`, and the
//! experimental tasks of `2025-11-25` it came of).
//!
//! A [`Task`] is a view of saved bytes. Whatever changes it writes the bytes of the next state, so that a host with many
//! workers can compare and swap them in a store, and a task that is over can never change again: [`working`](Status::Working)
//! and [`input_required`](Status::InputRequired) turn into each other, and into one of the other three, which are final.
//! Times are milliseconds since the Unix epoch, given by the host.
//!
//! A task belongs to the form it was made in, and what is kept of it (questions, result, error) is kept as its client
//! reads it.

use super::answer::Failure;
use super::ask::{Ask, Unable};
use super::tasks_wire as wire;
use crate::catalog::Wrap;
use crate::error::LocalError;
use crate::json::{self, Full, Raw, Sink, Str, Writer};
use crate::model::ClientCapabilities;
use crate::revision::{Revision, fields};
use crate::server::out::whole;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is being worked on.
    Working,
    /// It waits for the client.
    InputRequired,
    /// It has a result; of a tool that failed, too.
    Completed,
    /// It ended in a JSON-RPC error.
    Failed,
    /// It was taken back.
    Cancelled,
}

impl Status {
    const ALL: [Status; 5] =
        [Status::Working, Status::InputRequired, Status::Completed, Status::Failed, Status::Cancelled];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Status::Working => "working",
            Status::InputRequired => "input_required",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    /// Whether it is final.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Cancelled)
    }
}

/// What a client's answers did to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated {
    /// How many answered an open question; the rest was ignored.
    pub taken: usize,
    /// How many questions are still open. With none the task works on.
    pub left: usize,
}

/// A task as it was saved.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub(super) id: Str<'a>,
    owner: Option<Str<'a>>,
    capabilities: u8,
    revision: Revision,
    wrap: Wrap,
    token: Option<Raw<'a>>,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) ttl: Option<u64>,
    pub(super) poll: Option<u64>,
    pub(super) status: Status,
    pub(super) message: Option<Str<'a>>,
    /// Every question there has been, by key.
    requests: Option<Raw<'a>>,
    /// The client's answers, by key.
    answers: Option<Raw<'a>>,
    pub(super) result: Option<Raw<'a>>,
    pub(super) error: Option<Raw<'a>>,
}

const KEYS: [&str; 16] = [
    "id", "owner", "caps", "revision", "wrap", "token", "created", "updated", "ttl", "poll", "status",
    "message", "requests", "answers", "result", "error",
];

impl<'a> Task<'a> {
    /// Reads it back; `None` if the bytes are not a saved task.
    #[must_use]
    pub fn restore(saved: &'a [u8]) -> Option<Task<'a>> {
        let raw = json::check(saved, json::MAX_DEPTH).ok().filter(|raw| raw.is_object())?;
        let [
            id,
            owner,
            caps,
            revision,
            wrap,
            token,
            created,
            updated,
            ttl,
            poll,
            status,
            message,
            requests,
            answers,
            result,
            error,
        ] = raw.pick(KEYS).ok()?;
        let status = status.and_then(Raw::str)?;
        Some(Task {
            id: id?.str()?,
            owner: owner.and_then(Raw::str),
            capabilities: u8::try_from(caps?.u64()?).ok()?,
            revision: match revision {
                None => Revision::NEWEST,
                Some(name) => Revision::of(name.str()?)?,
            },
            wrap: wrap.and_then(Raw::u64).map_or(Wrap::ByValue, Wrap::from_bits),
            token,
            created: created?.u64()?,
            updated: updated?.u64()?,
            ttl: ttl.and_then(Raw::u64),
            poll: poll.and_then(Raw::u64),
            status: Status::ALL.into_iter().find(|known| status == *known.name())?,
            message: message.and_then(Raw::str),
            requests: requests.filter(|raw| raw.is_object()),
            answers: answers.filter(|raw| raw.is_object()),
            result,
            error,
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> Str<'a> {
        self.id
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// For people: what it is doing, or how it ended.
    #[must_use]
    pub fn message(&self) -> Option<Str<'a>> {
        self.message
    }

    /// Whether it was made by the experimental tasks of `2025-11-25`. To clients of another revision it does not exist.
    #[must_use]
    pub fn is_experimental(&self) -> bool {
        fields::EXPERIMENTAL_TASKS.has(self.revision)
    }

    /// Whether a client of that revision can know it.
    #[must_use]
    pub fn is_of(&self, revision: Revision) -> bool {
        self.revision == revision
    }

    /// Under which token its progress is told, if at all.
    #[must_use]
    pub fn progress_token(&self) -> Option<Raw<'a>> {
        self.token.filter(|_| self.is_experimental() && !self.status.is_over())
    }

    /// When it may be forgotten; `None`: never.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        self.ttl.map(|ttl| self.created.saturating_add(ttl))
    }

    /// Whether this caller may see and change it. To any other it does not exist.
    #[must_use]
    pub fn belongs_to(&self, principal: Option<&str>) -> bool {
        self.owner.is_none_or(|owner| principal.is_some_and(|principal| owner == *principal))
    }

    /// The client's answers so far, by key.
    #[must_use]
    pub fn answers(&self) -> Raw<'a> {
        self.answers.unwrap_or(Raw::trusted("{}"))
    }

    /// The questions that have no answer yet: key and request.
    pub fn open(&self) -> impl Iterator<Item = (Str<'a>, Raw<'a>)> + use<'a> {
        let answers = self.answers();
        let requests = self.requests.into_iter().flat_map(Raw::members);
        requests.filter(move |(key, _)| !has(answers, *key))
    }

    /// Whether its client may be asked for this.
    ///
    /// # Errors
    /// [`Unable`]: why not.
    pub fn can_ask(&self, ask: &Ask<'_>) -> Result<(), Unable> {
        ask.check(&ClientCapabilities::from_bits(self.capabilities), self.revision)
    }

    /// Says for people what it is doing.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if it is over, [`LocalError::OutputFull`].
    pub fn say<S: Sink + ?Sized>(&self, message: &str, now: u64, out: &mut S) -> Result<(), LocalError> {
        self.next(self.status, now, out, |w| {
            w.field_str("message", message)?;
            self.asked(w)
        })
    }

    /// Asks the client: the questions show in `tasks/get` until they are answered by `tasks/update`; in `2025-11-25` they
    /// are asked on `tasks/result`. No key may have been used in this task before.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if it is over, a key is not new, or the client cannot be asked; [`LocalError::OutputFull`].
    pub fn require_input<S: Sink + ?Sized>(
        &self,
        asks: &[(&str, Ask<'_>)],
        now: u64,
        out: &mut S,
    ) -> Result<(), LocalError> {
        if asks.is_empty() {
            return Err(LocalError::NotAllowed("a task that needs input needs questions"));
        }
        let before = self.requests.unwrap_or(Raw::trusted("{}"));
        for (at, (key, ask)) in asks.iter().enumerate() {
            let used = before.members().any(|(known, _)| known == **key);
            if used || asks.iter().take(at).any(|(other, _)| other == key) {
                return Err(LocalError::NotAllowed("a task uses each key for one question only"));
            }
            self.can_ask(ask)?;
        }
        let capabilities = ClientCapabilities::from_bits(self.capabilities);
        self.next(Status::InputRequired, now, out, |w| {
            self.said(w)?;
            w.key("requests")?;
            w.begin_object()?;
            for (key, request) in before.members() {
                w.raw_key(key)?;
                w.raw(request)?;
            }
            super::ask::embedded(asks, &capabilities, self.revision, w)?;
            w.end_object()?;
            self.answered(w)
        })
    }

    /// Takes the answers of `tasks/update`: those to open questions; the rest is ignored. Nothing is written if none was
    /// taken, or the task is over.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn update<S: Sink + ?Sized>(
        &self,
        responses: Raw<'_>,
        now: u64,
        out: &mut S,
    ) -> Result<Updated, LocalError> {
        // By question, not by answer: of questions there are few, whatever the client sends.
        let given = || {
            self.open().filter_map(move |(key, _)| {
                let (_, answer) = responses.members().find(|(known, _)| same(*known, key))?;
                answer.is_object().then_some((key, answer))
            })
        };
        let taken = if self.status.is_over() { 0 } else { given().count() };
        let left = self.open().count().saturating_sub(taken);
        if taken == 0 {
            return Ok(Updated { taken, left });
        }
        let status = if left == 0 { Status::Working } else { Status::InputRequired };
        self.next(status, now, out, |w| {
            self.said(w)?;
            if let Some(requests) = self.requests {
                w.field("requests", requests)?;
            }
            w.key("answers")?;
            w.begin_object()?;
            for (key, answer) in self.answers().members() {
                w.raw_key(key)?;
                w.raw(answer)?;
            }
            for (key, answer) in given() {
                w.raw_key(key)?;
                w.raw(answer)?;
            }
            w.end_object()
        })?;
        Ok(Updated { taken, left })
    }

    /// Ends it with the result of its call, a JSON object in the newest shape; `isError` or not.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if it is over, [`LocalError::BadJson`], [`LocalError::BadResult`],
    /// [`LocalError::OutputFull`].
    pub fn complete<S: Sink + ?Sized>(&self, result: &str, now: u64, out: &mut S) -> Result<(), LocalError> {
        let result = json::check(result.as_bytes(), json::MAX_DEPTH)
            .map_err(|error| LocalError::BadJson(error.kind))?;
        if !result.is_object() {
            return Err(LocalError::BadResult("it must be a JSON object"));
        }
        if result.get("content").is_some_and(|content| !content.is_array()) {
            return Err(LocalError::BadResult("\"content\" must be an array of content blocks"));
        }
        let ty = result.get("resultType").filter(|ty| !ty.is_null());
        if ty.is_some_and(|ty| ty.str().is_none_or(|ty| ty != *"complete")) {
            return Err(LocalError::BadResult("a task ends with \"complete\" results only"));
        }
        self.next(Status::Completed, now, out, |w| {
            self.said(w)?;
            w.key("result")?;
            wire::tool_result(result, self.wrap, self.revision, w)
        })
    }

    /// Ends it with the failure of its call: of the tool itself (a result with `isError`), or of the protocol.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if it is over, [`LocalError::BadResult`], [`LocalError::OutputFull`].
    pub fn fail<S: Sink + ?Sized>(
        &self,
        failure: &Failure<'_>,
        now: u64,
        out: &mut S,
    ) -> Result<(), LocalError> {
        if let Some(text) = failure.of_tool(self.revision) {
            return self.next(Status::Completed, now, out, |w| {
                self.said(w)?;
                w.key("result")?;
                wire::tool_error(text, self.revision, w)
            });
        }
        let error = failure.describe(self.revision)?;
        self.next(Status::Failed, now, out, |w| {
            w.field_str("message", error.message)?;
            w.key("error")?;
            w.begin_object()?;
            error.members(w)?;
            w.end_object()
        })
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if it is over, [`LocalError::OutputFull`].
    pub fn cancel<S: Sink + ?Sized>(&self, now: u64, out: &mut S) -> Result<(), LocalError> {
        self.next(Status::Cancelled, now, out, |w| self.said(w))
    }

    /// Writes the next state: what never changes, the status, and what `rest` writes.
    fn next<S: Sink + ?Sized>(
        &self,
        status: Status,
        now: u64,
        out: &mut S,
        rest: impl FnOnce(&mut Writer<'_, S>) -> Result<(), Full>,
    ) -> Result<(), LocalError> {
        if self.status.is_over() {
            return Err(LocalError::NotAllowed("the task is over"));
        }
        whole(out, |out| {
            let mut w = Writer::new(out);
            w.begin_object()?;
            w.key("id")?;
            w.raw_text(self.id.raw())?;
            if let Some(owner) = self.owner {
                w.key("owner")?;
                w.raw_text(owner.raw())?;
            }
            w.field_u64("caps", u64::from(self.capabilities))?;
            if self.revision != Revision::NEWEST {
                w.field_str("revision", self.revision.name())?;
                w.field_u64("wrap", u64::from(self.wrap.to_bits()))?;
                if let Some(token) = self.token {
                    w.field("token", token)?;
                }
            }
            w.field_u64("created", self.created)?;
            for (key, value) in [("ttl", self.ttl), ("poll", self.poll)] {
                if let Some(value) = value {
                    w.field_u64(key, value)?;
                }
            }
            w.field_str("status", status.name())?;
            // Clocks of different workers may differ; a task does not go back in time.
            w.field_u64("updated", now.max(self.updated))?;
            rest(&mut w)?;
            w.end_object()?;
            Ok(())
        })
    }

    fn said<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        let Some(message) = self.message else { return Ok(()) };
        w.key("message")?;
        w.raw_text(message.raw())
    }

    fn asked<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        if let Some(requests) = self.requests {
            w.field("requests", requests)?;
        }
        self.answered(w)
    }

    fn answered<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        self.answers.map_or(Ok(()), |answers| w.field("answers", answers))
    }
}

fn has(object: Raw<'_>, key: Str<'_>) -> bool {
    object.members().any(|(known, _)| same(known, key))
}

fn same(one: Str<'_>, other: Str<'_>) -> bool {
    one.raw() == other.raw() || one.chars().eq(other.chars())
}
