//! The types of the header.

use std::ffi::c_char;

/// What every function returns. Numbers are stable: one that is retired is never used again.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_status {
    /// Done.
    MCPGRAFT_OK = 0,
    /// The buffer given with `mcpgraft_set_buffer` (or as an argument) is too small. Nothing has changed: call again with more.
    MCPGRAFT_OUTPUT_FULL = 1,
    /// The call key is unknown: it was answered already, or belongs to another peer.
    MCPGRAFT_UNKNOWN_CALL = 2,
    /// A text that has to be JSON is not.
    MCPGRAFT_BAD_JSON = 3,
    /// The result is JSON, but cannot be the result of this call.
    MCPGRAFT_BAD_RESULT = 4,
    /// The definition cannot be used in the catalogue.
    MCPGRAFT_BAD_DEFINITION = 5,
    /// This cannot be sent to this peer or at this time.
    MCPGRAFT_NOT_ALLOWED = 6,
    /// Answer the batch's current call before you ask for the next.
    MCPGRAFT_BATCH_PENDING = 7,
    /// The exchange is over: it was answered or closed.
    MCPGRAFT_OVER = 8,
    /// A pointer that is needed is NULL.
    MCPGRAFT_NULL = 100,
    /// A text is not UTF-8.
    MCPGRAFT_NOT_UTF8 = 101,
    /// The pointer is no handle of the kind this function takes.
    MCPGRAFT_WRONG_HANDLE = 102,
    /// An earlier call failed inside (`MCPGRAFT_PANIC`): the handle can only be freed.
    MCPGRAFT_POISONED = 103,
    /// A bug of this library, stopped at its border. The handle is poisoned.
    MCPGRAFT_PANIC = 104,
    /// Another thread is inside a call on this handle.
    MCPGRAFT_BUSY = 105,
    /// An argument is out of its range; the detail says which.
    MCPGRAFT_BAD_ARGUMENT = 106,
    /// `struct_size` is not the size of the structure in any version of this header.
    MCPGRAFT_BAD_STRUCT = 107,
    /// There is no such entry or member.
    MCPGRAFT_NOT_FOUND = 108,
    /// No memory is left. Nothing has changed.
    MCPGRAFT_NO_MEMORY = 109,
    /// A sealed text is not valid here; why is not told.
    MCPGRAFT_BAD_SEAL = 110,
}

/// A text: `len` bytes of UTF-8 at `ptr`, which need no NUL at their end. `ptr` NULL with `len` 0: there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mcpgraft_str {
    /// Where it begins.
    pub ptr: *const c_char,
    /// How many bytes it has.
    pub len: usize,
}

/// A header of an HTTP request or response.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mcpgraft_header {
    /// Its name, in any case.
    pub name: mcpgraft_str,
    /// Its value, as it stands on the wire.
    pub value: mcpgraft_str,
}

/// The kinds of things a catalogue lists.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_kind {
    /// A tool, keyed by `name`.
    MCPGRAFT_TOOL = 0,
    /// A resource, keyed by `uri`.
    MCPGRAFT_RESOURCE = 1,
    /// A resource template, keyed by `uriTemplate`.
    MCPGRAFT_TEMPLATE = 2,
    /// A prompt, keyed by `name`.
    MCPGRAFT_PROMPT = 3,
}

/// Ways in which a call fails.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_failure {
    /// The tool ran and failed: a result with `isError`, which the model sees. Tool calls only.
    MCPGRAFT_FAIL_TOOL = 0,
    /// There is no such tool, prompt or resource; for a resource, the message is its URI.
    MCPGRAFT_FAIL_NOT_FOUND = 1,
    /// A parameter is wrong.
    MCPGRAFT_FAIL_INVALID_PARAMS = 2,
    /// The host does not know this method after all.
    MCPGRAFT_FAIL_NO_METHOD = 3,
    /// The host failed. Say no more than a stranger may read.
    MCPGRAFT_FAIL_INTERNAL = 4,
    /// Client capabilities are needed that were not declared; `data` is a `ClientCapabilities` object that names them.
    MCPGRAFT_FAIL_MISSING_CAPABILITY = 5,
    /// An error of the application's own, with `code` and any JSON value as `data`.
    MCPGRAFT_FAIL_CUSTOM = 6,
}

/// Log levels, from the least to the most severe.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_level {
    /// In an event: logs are not wanted, or no level is meant.
    MCPGRAFT_LEVEL_NONE = -1,
    /// For developers.
    MCPGRAFT_LEVEL_DEBUG = 0,
    /// Usual course of things.
    MCPGRAFT_LEVEL_INFO = 1,
    /// Usual, but worth a look.
    MCPGRAFT_LEVEL_NOTICE = 2,
    /// Something may go wrong.
    MCPGRAFT_LEVEL_WARNING = 3,
    /// Something went wrong.
    MCPGRAFT_LEVEL_ERROR = 4,
    /// A part has failed.
    MCPGRAFT_LEVEL_CRITICAL = 5,
    /// Somebody has to act at once.
    MCPGRAFT_LEVEL_ALERT = 6,
    /// Nothing works.
    MCPGRAFT_LEVEL_EMERGENCY = 7,
}

/// What is known of an HTTP request and of the host beside its headers; to be added up.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_flag {
    /// The host can write a response bit by bit. Without it every answer is one JSON object, and notifications are dropped.
    MCPGRAFT_STREAMS = 1,
    /// The host keeps responses open for as long as a client listens.
    MCPGRAFT_LISTENS = 2,
    /// The other end of the connection is known to be this machine.
    MCPGRAFT_PEER_LOCAL = 4,
    /// It is known to be another one. Neither flag: not known.
    MCPGRAFT_PEER_REMOTE = 8,
}

/// What an event is about.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_event_kind {
    /// Nothing the host has to know. `send` may still hold bytes.
    MCPGRAFT_NOTHING = 0,
    /// The message was answered; the answer is in `send`.
    MCPGRAFT_ANSWERED = 1,
    /// Run something and answer `key`: see `target`.
    MCPGRAFT_CALL = 2,
    /// A batch of messages has come: ask for its events with `mcpgraft_next` as long as `more` is true.
    MCPGRAFT_BATCH = 3,
    /// Exchange: the request may go on. Read its body, at most `max_body` bytes, and give it to `mcpgraft_exchange_accept`.
    MCPGRAFT_READ_BODY = 4,
    /// A client has opened: `revision`, `client_info`, `client_capabilities`; of an exchange also `stored`.
    MCPGRAFT_OPENED = 5,
    /// It is ready after the handshake.
    MCPGRAFT_READY = 6,
    /// The client took the call `key` back (`text`: why). It must still be answered, to free its place. Exchange: find the
    /// exchange of the same session that has the request `id` in work, see `MCPGRAFT_LOST_REQUEST`.
    MCPGRAFT_CANCELLED = 7,
    /// The client wants logs from `level` on.
    MCPGRAFT_LEVEL = 8,
    /// The client watches the resource `text`.
    MCPGRAFT_SUBSCRIBED = 9,
    /// It does not any more.
    MCPGRAFT_UNSUBSCRIBED = 10,
    /// The client's roots have changed.
    MCPGRAFT_ROOTS_CHANGED = 11,
    /// The client listens to changes (`params`: to which). Exchange: keep the response open; `listener` is yours.
    MCPGRAFT_LISTENING = 12,
    /// The client has answered the question `ask` of the call `key`: `params` is the result, or the error if not `ok`.
    /// `left` questions of that call are still open.
    MCPGRAFT_ANSWER = 13,
    /// An answer with the id `id` to a question nobody here waits for: `params`, `ok`. Exchange: the answer to a question
    /// that another exchange of the session has asked under that id.
    MCPGRAFT_RESPONSE = 14,
    /// A notification the protocol does not know: `method`, `params`.
    MCPGRAFT_NOTIFICATION = 15,
    /// Exchange: the client has ended its session: forget it and what belongs to it.
    MCPGRAFT_ENDED = 16,
    /// Exchange: the client goes on with `stream` of its session after event `number`. If that is kept: send status, headers,
    /// what is kept after it and what is added from now on (see `mcpgraft_resume`); else refuse it with `mcpgraft_resume`.
    MCPGRAFT_RESUMING = 17,
}

/// What a call is for.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_target {
    /// The event is no call.
    MCPGRAFT_NO_TARGET = 0,
    /// `tools/call`: run the tool `name` with `arguments`.
    MCPGRAFT_CALL_TOOL = 1,
    /// `resources/read`: read the resource with the URI `name`; `variables` if `entry` is a template.
    MCPGRAFT_READ_RESOURCE = 2,
    /// `prompts/get`: fill in the prompt `name` with `arguments`.
    MCPGRAFT_GET_PROMPT = 3,
    /// `completion/complete`: values for an argument of the prompt or resource `name`; see `params`.
    MCPGRAFT_COMPLETE = 4,
    /// A list the host keeps itself (option `host_lists`): `list` says of what, `cursor` where to go on.
    MCPGRAFT_LIST = 5,
    /// A method of the host's own (option `custom_methods`): `method`, `params`.
    MCPGRAFT_CUSTOM = 6,
    /// `tasks/get`: answer with `detailed` of the task with the id `name`.
    MCPGRAFT_GET_TASK = 7,
    /// `tasks/update`: give `arguments` to `mcpgraft_task_change`, and answer with `acknowledged`.
    MCPGRAFT_UPDATE_TASK = 8,
    /// `tasks/cancel`: answer with `acknowledged`, and stop the work when it can be stopped. A task that is over stays as it is;
    /// in 2025-11-25 to take it back is a failure (`MCPGRAFT_FAIL_INVALID_PARAMS`).
    MCPGRAFT_CANCEL_TASK = 9,
    /// `tasks/result`, of 2025-11-25: when the task `name` is over, answer with `outcome` or fail with its error; until then, ask
    /// on this call what is open (`mcpgraft_task_ask`).
    MCPGRAFT_TASK_RESULT = 10,
    /// `tasks/list`, of 2025-11-25: answer with `mcpgraft_task_page`: the tasks of this client; `cursor` says where to go on.
    MCPGRAFT_LIST_TASKS = 11,
}

/// Whether a client can be asked something.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_verdict {
    /// It can.
    MCPGRAFT_CAN_ASK = 0,
    /// It did not declare the capability; the text is a `ClientCapabilities` object that names it.
    MCPGRAFT_NO_CAPABILITY = 1,
    /// Its revision has no form for it; the text says why.
    MCPGRAFT_NO_FORM = 2,
    /// The question is wrong in itself; the text says why.
    MCPGRAFT_WRONG_ASK = 3,
}

/// What came out of a byte stream.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_frame {
    /// Nothing yet: all input is used up.
    MCPGRAFT_NO_LINE = 0,
    /// One message.
    MCPGRAFT_LINE = 1,
    /// A message that was longer than allowed and was skipped: tell the peer (`mcpgraft_session_accept`).
    MCPGRAFT_TOO_LONG = 2,
}

/// What is to be told to a client's side of the protocol: a session, an exchange or a listener.
pub struct mcpgraft_peer(());

/// What is offered: options and a catalogue. Shared by its peers, which keep it alive.
pub struct mcpgraft_server(());

/// Cuts a byte stream into messages.
pub struct mcpgraft_lines(());

/// A ring of keys: the first secret seals, all of them open.
pub struct mcpgraft_keys(());

/// A tool call whose result comes later.
pub struct mcpgraft_task(());

/// The head of an HTTP request. Set `struct_size` to `sizeof(mcpgraft_request)` and all else to zero before you fill it in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mcpgraft_request {
    /// `sizeof(mcpgraft_request)`
    pub struct_size: usize,
    /// The method, as sent.
    pub method: mcpgraft_str,
    /// All headers, in order. They are copied.
    pub headers: *const mcpgraft_header,
    /// How many.
    pub header_count: usize,
    /// `mcpgraft_flag`s, added up.
    pub flags: u32,
    /// Where the host keeps events, so that clients can come back for them: a name that no other stream of the session has,
    /// 1 to 32 letters, digits, `_` and `-`. Absent: none are kept.
    pub events: mcpgraft_str,
}

/// What a message, an answer or a request led to. Set `struct_size` to `sizeof(mcpgraft_event)`; everything else is written,
/// and only if the function returns `MCPGRAFT_OK`. Write `send` to the peer whatever the kind.
///
/// `send`, `headers`, `stored` and `session_id` are valid until the next call on the handle. All other texts are valid until
/// the next message is given to it (`accept`, `next`, `begin`), and as long as the message they came from is unchanged.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mcpgraft_event {
    /// `sizeof(mcpgraft_event)`
    pub struct_size: usize,
    /// What it is about.
    pub kind: mcpgraft_event_kind,
    /// What a call is for.
    pub target: mcpgraft_target,
    /// Bytes to write now. Session: whole messages without the last newline. Exchange: the next piece of the response body.
    pub send: mcpgraft_str,
    /// Names the call. 0: none.
    pub key: u64,
    /// The method of a call or notification.
    pub method: mcpgraft_str,
    /// Tool or prompt name, resource URI, what is to be completed, or the id of a task.
    pub name: mcpgraft_str,
    /// Key of the catalogue's entry that answers; absent where the host keeps its own table.
    pub entry: mcpgraft_str,
    /// Arguments of a tool or prompt, or answers to the questions of a task: a JSON object.
    pub arguments: mcpgraft_str,
    /// Parameters, as they came: JSON.
    pub params: mcpgraft_str,
    /// Variables of a resource template: a JSON object of strings, percent-decoded.
    pub variables: mcpgraft_str,
    /// Where a list goes on.
    pub cursor: mcpgraft_str,
    /// `_meta` of the parameters: a JSON object.
    pub meta: mcpgraft_str,
    /// The revision of the protocol that the call or handshake belongs to.
    pub revision: mcpgraft_str,
    /// Who asks, where the message says it: JSON.
    pub client_info: mcpgraft_str,
    /// The client's capabilities, where the message says them: a JSON object.
    pub client_capabilities: mcpgraft_str,
    /// The answers to an earlier `mcpgraft_require_input`: a JSON object.
    pub input_responses: mcpgraft_str,
    /// The state given with it. It may be forged, unless it is sealed.
    pub request_state: mcpgraft_str,
    /// A reason or URI; see the kind.
    pub text: mcpgraft_str,
    /// Id of a request or response, as JSON.
    pub id: mcpgraft_str,
    /// Least level of logs that will be delivered, or the level that was set.
    pub level: mcpgraft_level,
    /// Of what a list is.
    pub list: mcpgraft_kind,
    /// Names the question that was answered or asked. 0: none.
    pub ask: u32,
    /// Questions of the call that are still open.
    pub left: u32,
    /// The HTTP status. Not 0: send status and `headers` now, before `send`.
    pub status: u32,
    /// What a task made for the call has to remember of it, as a number for `mcpgraft_task_new`.
    pub origin: u32,
    /// Notifications dropped so far, because the answer has to be one JSON object.
    pub dropped: u32,
    /// Response headers, `Content-Length` aside; of `MCPGRAFT_READ_BODY`: those that a response of the host's own needs.
    pub headers: *const mcpgraft_header,
    /// How many.
    pub header_count: usize,
    /// The session, to be stored under its id: a new one, or one that has changed. Opaque bytes.
    pub stored: mcpgraft_str,
    /// The session that the request names.
    pub session_id: mcpgraft_str,
    /// The event stream whose events are numbered: of a call or listener, from its beginning.
    pub stream: mcpgraft_str,
    /// An event to be kept under its session, `stream` and `number` before it is sent: the end of `send`, or all of it. Absent:
    /// there is none to be kept.
    pub kept: mcpgraft_str,
    /// Its number, from 1; of `MCPGRAFT_RESUMING`, that of the last event the client has seen.
    pub number: u32,
    /// A response that stays open. It is yours: free it when the connection ends.
    pub listener: *mut mcpgraft_peer,
    /// Longest body that is worth reading, in bytes.
    pub max_body: usize,
    /// Exchange: the response is complete after `send`. With a `status`, `Content-Length` is the length of `send`.
    pub end: bool,
    /// The batch has more: `mcpgraft_next`.
    pub more: bool,
    /// An answer is a result, and no error.
    pub ok: bool,
    /// The client wants to hear of progress.
    pub progress_wanted: bool,
    /// The call is of the stateless era: ask with `mcpgraft_require_input`, not `mcpgraft_ask`.
    pub stateless: bool,
    /// Notifications of this exchange can be delivered: it is worth streaming.
    pub can_stream: bool,
    /// The client takes a task for an answer to this call: see `mcpgraft_task_new`.
    pub tasks: bool,
    /// The client asks for a task with this very call (2025-11-25); then `tasks` is true, too.
    pub wants_task: bool,
    /// How long it wants that kept, in ms; 0: it does not say. The host decides.
    pub task_ttl_ms: u64,
    /// The token under which it wants to hear of progress, as JSON: for `mcpgraft_task_new`.
    pub progress_token: mcpgraft_str,
}

/// What a sealed state is bound to: it opens with the same binding only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mcpgraft_binding {
    /// `sizeof(mcpgraft_binding)`
    pub struct_size: usize,
    /// The method of the call.
    pub method: mcpgraft_str,
    /// Its `name`.
    pub target: mcpgraft_str,
    /// Its `arguments`: JSON.
    pub arguments: mcpgraft_str,
    /// Who asks, if that is known.
    pub principal: mcpgraft_str,
}

impl mcpgraft_str {
    /// No text.
    pub(crate) const NONE: mcpgraft_str = mcpgraft_str { ptr: std::ptr::null(), len: 0 };

    /// A view of bytes, for as long as they live.
    pub(crate) const fn of(bytes: &[u8]) -> mcpgraft_str {
        mcpgraft_str { ptr: bytes.as_ptr().cast(), len: bytes.len() }
    }
}

impl mcpgraft_event {
    /// An event in which nothing is said.
    pub(crate) const fn new(kind: mcpgraft_event_kind) -> mcpgraft_event {
        mcpgraft_event {
            struct_size: size_of::<mcpgraft_event>(),
            kind,
            target: mcpgraft_target::MCPGRAFT_NO_TARGET,
            send: mcpgraft_str::NONE,
            key: 0,
            method: mcpgraft_str::NONE,
            name: mcpgraft_str::NONE,
            entry: mcpgraft_str::NONE,
            arguments: mcpgraft_str::NONE,
            params: mcpgraft_str::NONE,
            variables: mcpgraft_str::NONE,
            cursor: mcpgraft_str::NONE,
            meta: mcpgraft_str::NONE,
            revision: mcpgraft_str::NONE,
            client_info: mcpgraft_str::NONE,
            client_capabilities: mcpgraft_str::NONE,
            input_responses: mcpgraft_str::NONE,
            request_state: mcpgraft_str::NONE,
            text: mcpgraft_str::NONE,
            id: mcpgraft_str::NONE,
            level: mcpgraft_level::MCPGRAFT_LEVEL_NONE,
            list: mcpgraft_kind::MCPGRAFT_TOOL,
            ask: 0,
            left: 0,
            status: 0,
            origin: 0,
            dropped: 0,
            headers: std::ptr::null(),
            header_count: 0,
            stored: mcpgraft_str::NONE,
            session_id: mcpgraft_str::NONE,
            stream: mcpgraft_str::NONE,
            kept: mcpgraft_str::NONE,
            number: 0,
            listener: std::ptr::null_mut(),
            max_body: 0,
            end: false,
            more: false,
            ok: false,
            progress_wanted: false,
            stateless: false,
            can_stream: false,
            tasks: false,
            wants_task: false,
            task_ttl_ms: 0,
            progress_token: mcpgraft_str::NONE,
        }
    }
}
