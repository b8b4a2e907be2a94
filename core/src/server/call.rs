//! What a message leads to: a [`Step`], and for most requests a [`Call`] that the host runs.

use super::ask::AskKey;
use super::era::Envelope;
use super::request::Run;
use super::tasks_new::TaskOrigin;
use crate::catalog::{Kind, Wrap};
use crate::json::{self, Raw, Str};
use crate::jsonrpc::{self, Id, Message};
use crate::model::{ClientCapabilities, Level};
use crate::revision::Revision;
#[cfg(feature = "alloc")]
use crate::revision::methods::Method;

/// What one message led to. Whatever is in the output after the call that gave it is to be written to the peer.
// The tag a byte of its own: a niche would be found in 64 bits, which is much code on a small machine.
#[derive(Debug)]
#[repr(u8)]
pub enum Step<'m> {
    /// The answer is in the output.
    Send,
    /// The host is to run something and give the answer back with the call's key.
    Call(Call<'m>),
    /// Something happened that the host may want to know.
    Notice(Notice<'m>),
    /// A JSON-RPC batch (`2025-03-26`): ask for its steps one by one, with the same output.
    Batch(Batch),
    /// Nothing to do.
    Nothing,
}

/// A handle of a call in work: small, `Copy`, good for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallKey {
    /// Which session or exchange: chosen by the host, so that keys of different ones differ.
    pub(crate) tag: u16,
    /// Which use of the slot.
    pub(crate) generation: u32,
    /// Which slot.
    pub(crate) slot: u16,
}

impl CallKey {
    /// The key as a number, for hosts that pass handles through other languages. Below 2^63.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.tag as u64 & 0x7fff) << 48 | (self.generation as u64) << 16 | self.slot as u64
    }

    /// The key of that number. A number that was never a key makes a key that names no call.
    #[must_use]
    pub const fn from_bits(bits: u64) -> CallKey {
        CallKey { tag: (bits >> 48) as u16 & 0x7fff, generation: (bits >> 16) as u32, slot: bits as u16 }
    }
}

/// Something for the host to run. Everything in it borrows from the message.
#[derive(Clone, Copy, Debug)]
pub struct Call<'m> {
    /// To be given back with the answer.
    pub key: CallKey,
    /// The revision the request belongs to.
    pub revision: Revision,
    /// What to run.
    pub target: Target<'m>,
    /// `params` as it came; `{}` if it was absent.
    pub params: Raw<'m>,
    /// `params._meta` as it came.
    pub meta: Option<Raw<'m>>,
    /// Who asks, where the request says it (stateless revisions).
    pub client_info: Option<Raw<'m>>,
    /// The client's declared capabilities, where the request says them (stateless revisions).
    pub client_capabilities: Option<Raw<'m>>,
    /// What the client may be asked for; nothing where the catalogue [can](crate::catalog::Catalog::can) not ask.
    pub capabilities: ClientCapabilities,
    /// Whether progress will be delivered.
    pub progress: bool,
    /// Least level of log messages that will be delivered; `None`: none.
    pub log: Option<Level>,
    /// Answers to an earlier `input_required` (stateless revisions).
    pub input_responses: Option<Raw<'m>>,
    /// The state given with an earlier `input_required` (stateless revisions). It may be forged.
    pub request_state: Option<Str<'m>>,
    /// The client wants a task for an answer (experimental tasks of `2025-11-25`): answer with
    /// [`Task::created`](super::Task::created). [`Call::capabilities`] says so in every revision.
    pub task: Option<TaskWanted>,
    /// The token for progress, if the client gave one.
    pub token: Option<Id<'m>>,
    pub(crate) wrap: Wrap,
    /// The call is part of a batch: answer it before asking for the next step.
    pub batched: bool,
}

/// What a call is for. `entry` is the position in the catalogue; `None` where the host keeps its own table.
#[derive(Clone, Copy, Debug)]
pub enum Target<'m> {
    /// `tools/call`
    Tool {
        /// Position in the catalogue.
        entry: Option<usize>,
        /// The tool's name.
        name: Str<'m>,
        /// A JSON object; `{}` if it was absent.
        arguments: Raw<'m>,
    },
    /// `resources/read`
    Resource {
        /// Kind (resource or template) and position in the catalogue.
        entry: Option<(Kind, usize)>,
        /// The URI.
        uri: Str<'m>,
    },
    /// `prompts/get`
    Prompt {
        /// Position in the catalogue.
        entry: Option<usize>,
        /// The prompt's name.
        name: Str<'m>,
        /// A JSON object whose values are strings; `{}` if it was absent.
        arguments: Raw<'m>,
    },
    /// `completion/complete`
    Completion {
        /// What is being filled in.
        reference: Reference<'m>,
        /// Name of the argument.
        argument: Str<'m>,
        /// What was typed so far.
        value: Str<'m>,
        /// Arguments filled in already, a JSON object (from `2025-06-18`).
        context: Option<Raw<'m>>,
    },
    /// `tasks/get`, `tasks/update`, `tasks/cancel`, `tasks/result`
    Task {
        /// What is wanted.
        action: TaskAction,
        /// The task.
        id: Str<'m>,
        /// Answers of the client, an object; `{}` but for an update.
        responses: Raw<'m>,
    },
    /// `tasks/list` (`2025-11-25`): answer with [`task_page`](super::task_page)
    Tasks {
        /// Where to go on.
        cursor: Option<Str<'m>>,
    },
    /// A list that the host keeps itself.
    List {
        /// Of what.
        kind: Kind,
        /// Where to go on.
        cursor: Option<Str<'m>>,
    },
    /// A method outside the protocol that the catalogue names.
    Custom {
        /// The method.
        method: Str<'m>,
    },
}

impl<'m> Target<'m> {
    /// The method of the request.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn method(&self) -> alloc::borrow::Cow<'m, str> {
        match self {
            Target::Tool { .. } => Method::ToolsCall.row().name.into(),
            Target::Resource { .. } => Method::ResourcesRead.row().name.into(),
            Target::Prompt { .. } => Method::PromptsGet.row().name.into(),
            Target::Completion { .. } => Method::Complete.row().name.into(),
            Target::Tasks { .. } => Method::TasksList.row().name.into(),
            Target::Task { action, .. } => action.method().row().name.into(),
            Target::List { kind, .. } => kind.method().row().name.into(),
            Target::Custom { method } => method.to_cow(),
        }
    }
}

/// How a client wants its task (`task` in the parameters of a tool call, `2025-11-25`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskWanted {
    /// How long it wants it kept, in ms, more than 0. The host decides.
    pub ttl_ms: Option<u64>,
}

/// What a client wants of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskAction {
    /// See it: answer with [`Task::detailed`](super::Task::detailed).
    Get,
    /// Answer its questions: [`Task::update`](super::Task::update), then answer as for [`TaskAction::Cancel`].
    Update,
    /// Take it back: [`Task::cancel`](super::Task::cancel), and answer with
    /// [`Task::acknowledged`](super::Task::acknowledged). The extension allows something slower, and takes no notice of a
    /// task that is over; in `2025-11-25` that is an error (invalid parameters).
    Cancel,
    /// Have the result of its call (`2025-11-25`): wait until it is over and answer with
    /// [`Task::outcome`](super::Task::outcome). While it needs input, ask its [open](super::Task::open) questions on this
    /// call ([`Ask::Task`](super::Ask::Task)) and give the answers to [`Task::update`](super::Task::update).
    Result,
}

impl TaskAction {
    #[cfg(feature = "alloc")]
    const fn method(self) -> Method {
        match self {
            TaskAction::Get => Method::TasksGet,
            TaskAction::Update => Method::TasksUpdate,
            TaskAction::Cancel => Method::TasksCancel,
            TaskAction::Result => Method::TasksResult,
        }
    }
}

/// What a completion is about.
#[derive(Clone, Copy, Debug)]
pub enum Reference<'m> {
    /// A prompt, by name.
    Prompt(Str<'m>),
    /// A resource or resource template, by URI.
    Resource(Str<'m>),
}

/// Something that happened. Where it was a request, its answer is in the output already.
#[derive(Clone, Copy, Debug)]
pub enum Notice<'m> {
    /// `initialize` was answered.
    Opened {
        /// The revision agreed on.
        revision: Revision,
        /// `clientInfo`
        client_info: Raw<'m>,
        /// `capabilities` of the client
        client_capabilities: Raw<'m>,
    },
    /// `notifications/initialized`
    Ready,
    /// The peer took a call back. Its answer will be swallowed; it must still be given, to free the slot.
    Cancelled {
        /// Which one.
        key: CallKey,
        /// Why, if the peer said so.
        reason: Option<Str<'m>>,
    },
    /// A client of a session takes a request back that came over HTTP: find the exchange of that session that has it in
    /// work ([`Exchange::cancel`](crate::http::Exchange::cancel)).
    CancelledElsewhere {
        /// The request.
        id: Id<'m>,
        /// Why, if the peer said so.
        reason: Option<Str<'m>>,
    },
    /// `logging/setLevel` was answered.
    Level(Level),
    /// `resources/subscribe` was answered.
    Subscribed(Str<'m>),
    /// `resources/unsubscribe` was answered.
    Unsubscribed(Str<'m>),
    /// `notifications/roots/list_changed`
    RootsChanged,
    /// The client answered a question of a call.
    Answer {
        /// The call that asked.
        key: CallKey,
        /// The question.
        ask: AskKey,
        /// The `result`, or the `error` object.
        outcome: Result<Raw<'m>, Raw<'m>>,
        /// How many questions of that call are still open.
        left: usize,
    },
    /// `subscriptions/listen` was acknowledged.
    Listening {
        /// What the client wants to hear of.
        filter: Raw<'m>,
    },
    /// An answer to a request that this side did not send, or gave up.
    Response {
        /// Its id.
        id: Option<Id<'m>>,
        /// Its `result` or `error`.
        outcome: Result<Raw<'m>, Raw<'m>>,
    },
    /// A notification that the protocol does not know.
    Notification {
        /// Its method.
        method: Str<'m>,
        /// Its parameters.
        params: Option<Raw<'m>>,
    },
}

/// How far a batch has come. It borrows nothing: its message is given again for each step.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Position of the next message in the array.
    pub(crate) at: usize,
    /// The call that has to be answered before the next step.
    pub(crate) pending: Option<CallKey>,
}

impl Batch {
    /// The next message of the array in `message`, which [`check`](crate::json::check) has seen before.
    pub(crate) fn element<'m>(&self, message: &'m [u8]) -> Option<Raw<'m>> {
        elements(message).nth(self.at)
    }

    /// The id of a request that an earlier request of the batch has, too: their answers, which come together, could not be
    /// told apart.
    pub(crate) fn repeated<'m>(&self, message: &[u8], value: Raw<'m>) -> Option<Id<'m>> {
        fn id(value: Raw<'_>) -> Option<Id<'_>> {
            match jsonrpc::read(value) {
                Ok(Message::Request(request)) => Some(request.id),
                _ => None,
            }
        }
        let own = id(value)?;
        elements(message).take(self.at).any(|earlier| id(earlier) == Some(own)).then_some(own)
    }
}

fn elements(message: &[u8]) -> impl Iterator<Item = Raw<'_>> {
    let text = core::str::from_utf8(message).unwrap_or("[]");
    Raw::trusted(text.get(json::skip_space(message, 0)..).unwrap_or("[]")).elements()
}

impl<'m> Call<'m> {
    pub(crate) fn new(
        key: CallKey,
        revision: Revision,
        run: &Run<'m>,
        envelope: Option<&Envelope<'m>>,
        capabilities: ClientCapabilities,
        log: Option<Level>,
        batched: bool,
    ) -> Self {
        Call {
            key,
            revision,
            target: run.target,
            params: run.params,
            meta: run.meta,
            client_info: envelope.and_then(|envelope| envelope.client_info),
            client_capabilities: envelope.map(|envelope| envelope.declared),
            capabilities,
            progress: run.token.is_some(),
            log,
            input_responses: run.input_responses,
            request_state: run.request_state,
            task: run.task,
            token: run.token,
            wrap: run.wrap,
            batched,
        }
    }

    /// What a task made for this call has to remember of it.
    #[must_use]
    pub fn task_origin(&self) -> TaskOrigin<'m> {
        TaskOrigin::new(self.revision, self.capabilities).with_token(self.token).wrapping(self.wrap)
    }
}
