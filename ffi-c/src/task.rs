//! Tasks: tool calls whose result comes later. A handle holds one state, as the bytes a host stores; what changes it makes
//! the next one, or changes nothing.

use std::mem;

use mcpgraft::json::{Sink, Writer};
use mcpgraft::jsonrpc::Id;
use mcpgraft::server::{NewTask, Outcome, Status, Task, TaskOrigin};
use mcpgraft::{LocalError, Revision};

use crate::abi::{mcpgraft_status, mcpgraft_str, mcpgraft_task, mcpgraft_verdict};
use crate::ask;
use crate::guard::{Done, Handle, Held, alone, bytes, enter, maybe, place, sized, sized_place, utf8};
use crate::memory::{Output, Scratch};
use crate::peer;
use crate::trouble::Trouble;

/// A task about to be made. Set `struct_size` to `sizeof(mcpgraft_new_task)` and all else to zero before you fill it in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mcpgraft_new_task {
    /// `sizeof(mcpgraft_new_task)`
    pub struct_size: usize,
    /// Names it, and where nobody is authenticated is all that protects it: 128 random bits or more, as 1 to 128 printable
    /// ASCII characters without `"` and `\`.
    pub id: mcpgraft_str,
    /// Who made it: only the same one may see it. Absent: whoever knows the id.
    pub owner: mcpgraft_str,
    /// The time, in ms since 1970.
    pub now: u64,
    /// How long it is kept after `now`, in ms; 0: for ever.
    pub ttl: u64,
    /// How often a client should ask for it, in ms; 0: nothing is said.
    pub poll: u64,
    /// `origin` of the call's event.
    pub origin: u32,
    /// Its `progress_token`, which may be absent.
    pub progress_token: mcpgraft_str,
}

/// Where a task stands.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_task_status {
    /// It is being worked on.
    MCPGRAFT_TASK_WORKING = 0,
    /// It waits for the client.
    MCPGRAFT_TASK_INPUT_REQUIRED = 1,
    /// It has a result, be it of a tool that failed. This and the next two are final.
    MCPGRAFT_TASK_COMPLETED = 2,
    /// It ended in a JSON-RPC error.
    MCPGRAFT_TASK_FAILED = 3,
    /// It was taken back.
    MCPGRAFT_TASK_CANCELLED = 4,
}

/// What makes the next state of a task.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_change {
    /// `text` says for people what it is doing.
    MCPGRAFT_TASK_SAYS = 0,
    /// It needs the client: `text` is as `requests` of `mcpgraft_require_input`, with keys new to this task.
    MCPGRAFT_TASK_ASKS = 1,
    /// It ends with the result `text` of its call.
    MCPGRAFT_TASK_COMPLETES = 2,
    /// It was taken back; `text` is not used.
    MCPGRAFT_TASK_IS_CANCELLED = 3,
    /// The client has answered: `text` is `arguments` of `MCPGRAFT_UPDATE_TASK`, or an object of results by the keys of the
    /// questions. Those that answer no open question are ignored; `MCPGRAFT_NOT_FOUND`: none does, and the task has not
    /// changed. When no question is left open (`open_count` of its view), it works on.
    MCPGRAFT_TASK_IS_ANSWERED = 4,
}

/// What there is to know of a task. Set `struct_size` to `sizeof(mcpgraft_task_view)`; everything else is written.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mcpgraft_task_view {
    /// `sizeof(mcpgraft_task_view)`
    pub struct_size: usize,
    /// What a host stores; `mcpgraft_task_restore` reads it.
    pub saved: mcpgraft_str,
    /// Its id.
    pub id: mcpgraft_str,
    /// Where it stands.
    pub status: mcpgraft_task_status,
    /// Whoever asked may see and change it.
    pub mine: bool,
    /// It was made for a client of 2025-11-25.
    pub experimental: bool,
    /// That client wants to hear of progress: see `mcpgraft_progress`.
    pub progress_wanted: bool,
    /// The JSON-RPC error code of a task that ended in an error.
    pub error_code: i32,
    /// For people: what it is doing, or how it ended.
    pub message: mcpgraft_str,
    /// When it may be forgotten, in ms since 1970; 0: never.
    pub expires: u64,
    /// The result that answers its call.
    pub created: mcpgraft_str,
    /// The result that answers `MCPGRAFT_GET_TASK`.
    pub detailed: mcpgraft_str,
    /// The result that answers `MCPGRAFT_UPDATE_TASK` and `MCPGRAFT_CANCEL_TASK`.
    pub acknowledged: mcpgraft_str,
    /// The result that answers `MCPGRAFT_TASK_RESULT`. Absent: it is not over, or ended in an error; then fail with
    /// `MCPGRAFT_FAIL_CUSTOM` and the three of it.
    pub outcome: mcpgraft_str,
    /// What went wrong, if it ended in an error; of a 2025-11-25 task alone, as the two others are.
    pub error_message: mcpgraft_str,
    /// More about it: JSON, may be absent.
    pub error_data: mcpgraft_str,
    /// The client's answers so far, by key: a JSON object.
    pub answers: mcpgraft_str,
    /// The questions that have no answer yet, by key: a JSON object.
    pub open: mcpgraft_str,
    /// Their keys, for `mcpgraft_task_ask`.
    pub open_keys: *const mcpgraft_str,
    /// How many.
    pub open_count: usize,
}

const UNKNOWN_REVISION: Trouble = Trouble::argument("revision is that of an event");
const NOT_ASKED: Trouble =
    Trouble::Plain(mcpgraft_status::MCPGRAFT_NOT_FOUND, "none of this answers an open question of the task");

/// One state of a task.
pub(crate) struct Kept {
    /// As the core saved it, or has read it back.
    saved: Output,
    /// The state before it, or what was begun of the next one.
    spare: Output,
    /// Texts made for the last look at it.
    texts: Output,
    keys: Vec<mcpgraft_str>,
    asks: Scratch,
}

impl Held for Kept {
    const MAGIC: u32 = 0x6d63_7007;
}

/// A refusal to grow is a lack of memory: nothing here is lent.
pub(crate) fn local(error: LocalError) -> Trouble {
    match error {
        LocalError::OutputFull => Trouble::NO_MEMORY,
        error => error.into(),
    }
}

impl Kept {
    fn new(saved: Output) -> Self {
        Kept {
            saved,
            spare: Output::default(),
            texts: Output::default(),
            keys: Vec::new(),
            asks: Scratch::default(),
        }
    }

    /// The task as the core sees it.
    pub(crate) fn task(saved: &[u8]) -> Done<Task<'_>> {
        Task::restore(saved).ok_or(Trouble::argument("this is no saved task"))
    }

    /// Makes the next state.
    fn next(&mut self, write: impl FnOnce(Task<'_>, &mut Output, &mut Scratch) -> Done) -> Done {
        self.spare.clear();
        write(Kept::task(self.saved.own())?, &mut self.spare, &mut self.asks)?;
        mem::swap(&mut self.saved, &mut self.spare);
        Ok(())
    }

    fn view(&mut self, principal: Option<&str>, revision: Option<Revision>) -> Done<mcpgraft_task_view> {
        let Kept { saved, texts, keys, .. } = self;
        let task = Kept::task(saved.own())?;
        texts.clear();
        keys.clear();
        // Texts may move until all are there: till then they are ranges.
        let mut start = 0;
        let mut end = |texts: &Output| mem::replace(&mut start, texts.len())..texts.len();
        task.created(texts).map_err(local)?;
        let created = end(texts);
        task.detailed(texts).map_err(local)?;
        let detailed = end(texts);
        task.acknowledged(texts).map_err(local)?;
        let acknowledged = end(texts);
        let outcome =
            if task.is_experimental() { task.outcome(texts).map_err(local)? } else { Outcome::Open };
        let result = end(texts);
        let (mut error_code, mut error_data) = (0, mcpgraft_str::NONE);
        let mut decoded = None;
        if let Outcome::Error { code, message, data } = outcome {
            message.decode(texts)?;
            (error_code, decoded) = (code, Some(message));
            error_data = data.map_or(mcpgraft_str::NONE, |data| mcpgraft_str::of(data.bytes()));
        }
        let error_message = end(texts);
        let mut writer = Writer::new(texts);
        writer.begin_object()?;
        for (key, request) in task.open() {
            writer.raw_key(key)?;
            writer.raw(request)?;
        }
        writer.end_object()?;
        let open = end(texts);
        let message = task.message();
        if let Some(message) = message {
            message.decode(texts)?;
        }
        let said = end(texts);
        keys.try_reserve(task.open().count()).map_err(|_| Trouble::NO_MEMORY)?;
        for (key, _) in task.open() {
            key.decode(texts)?;
            keys.push(mcpgraft_str { len: end(texts).len(), ..mcpgraft_str::NONE });
        }
        let text = |range| texts.own().get(range).map_or(mcpgraft_str::NONE, mcpgraft_str::of);
        let mut at = said.end;
        for key in keys.iter_mut() {
            let to = at + key.len;
            let from = mem::replace(&mut at, to);
            *key = text(from..at);
        }
        let mine = task.belongs_to(principal) && revision.is_none_or(|revision| task.is_of(revision));
        Ok(mcpgraft_task_view {
            struct_size: size_of::<mcpgraft_task_view>(),
            saved: saved.view(),
            id: task.id().plain().map_or(mcpgraft_str::NONE, |id| mcpgraft_str::of(id.as_bytes())),
            status: status(task.status()),
            mine,
            experimental: task.is_experimental(),
            progress_wanted: task.progress_token().is_some(),
            error_code,
            message: message.map_or(mcpgraft_str::NONE, |_| text(said)),
            expires: task.expires().unwrap_or(0),
            created: text(created),
            detailed: text(detailed),
            acknowledged: text(acknowledged),
            outcome: if result.is_empty() { mcpgraft_str::NONE } else { text(result) },
            error_message: decoded.map_or(mcpgraft_str::NONE, |_| text(error_message)),
            error_data,
            answers: mcpgraft_str::of(task.answers().bytes()),
            open: text(open),
            open_keys: keys.as_ptr(),
            open_count: keys.len(),
        })
    }
}

fn status(status: Status) -> mcpgraft_task_status {
    use mcpgraft_task_status::*;
    match status {
        Status::Working => MCPGRAFT_TASK_WORKING,
        Status::InputRequired => MCPGRAFT_TASK_INPUT_REQUIRED,
        Status::Completed => MCPGRAFT_TASK_COMPLETED,
        Status::Failed => MCPGRAFT_TASK_FAILED,
        Status::Cancelled => MCPGRAFT_TASK_CANCELLED,
    }
}

/// Makes a task for a call whose `tasks` is true: it begins working. Store `saved` of its view, answer the call with
/// `created` of it, and go on with the work. Free it with `mcpgraft_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_new(
    begin: *const mcpgraft_new_task,
    task: *mut *mut mcpgraft_task,
) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let (place, given) = unsafe {
            let place = place("task", task)?;
            sized("begin", begin)?;
            (place, &*begin)
        };
        let span = |ms: u64| (ms > 0).then_some(ms);
        // SAFETY: the caller's promise.
        let (id, owner) = unsafe { (utf8("begin.id", given.id)?, maybe("begin.owner", given.owner)?) };
        let origin = TaskOrigin::from_bits(given.origin);
        let origin = origin.ok_or(Trouble::argument("origin is that of the call's event"))?;
        // SAFETY: the caller's promise.
        let token = unsafe { crate::json::maybe("begin.progress_token", given.progress_token) }?;
        let token = token.map(Id::read).transpose();
        let token = token.map_err(|_| Trouble::argument("a progress token is a JSON string or number"))?;
        let origin = origin.with_token(token);
        let new = NewTask { id, owner, now: given.now, ttl: span(given.ttl), poll: span(given.poll), origin };
        let mut saved = Output::default();
        new.save(&mut saved).map_err(local)?;
        place.put(Handle::create(Kept::new(saved))?.cast());
        Ok(())
    })
}

/// Makes a task of what was stored. `MCPGRAFT_BAD_ARGUMENT`: these bytes are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_restore(
    saved: mcpgraft_str,
    task: *mut *mut mcpgraft_task,
) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let (place, saved) = unsafe { (place("task", task)?, bytes("saved", saved)?) };
        Kept::task(saved)?;
        let mut copy = Output::default();
        copy.put(saved)?;
        place.put(Handle::create(Kept::new(copy))?.cast());
        Ok(())
    })
}

/// Looks at a task. `principal`: who asks, absent if nobody is authenticated; `revision`: that of the call, absent where no
/// client asks. To one whose view is not `mine` the task does not exist. Set `view->struct_size`; its texts are valid until the
/// next call on the task.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_read(
    task: *mut mcpgraft_task,
    principal: mcpgraft_str,
    revision: mcpgraft_str,
    view: *mut mcpgraft_task_view,
) -> mcpgraft_status {
    let work = |kept: &mut Kept| {
        // SAFETY: the caller's promise.
        let (place, principal, revision) = unsafe {
            (sized_place("view", view)?, maybe("principal", principal)?, maybe("revision", revision)?)
        };
        let revision = revision.map(|name| Revision::parse(name).ok_or(UNKNOWN_REVISION)).transpose()?;
        place.put(&kept.view(principal, revision)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(task.cast(), work) }
}

/// Makes the next state of a task (`mcpgraft_change`, which says what `text` is). `MCPGRAFT_NOT_ALLOWED`: it is over, or its
/// client cannot be asked this. Store `saved` again, in place of the state it was before and of no other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_change(
    task: *mut mcpgraft_task,
    change: u32,
    text: mcpgraft_str,
    now: u64,
) -> mcpgraft_status {
    let work = |kept: &mut Kept| {
        let is = |one: mcpgraft_change| change == one as u32;
        kept.next(|task, out, asks| {
            // SAFETY: the caller's promise.
            unsafe {
                if is(mcpgraft_change::MCPGRAFT_TASK_SAYS) {
                    task.say(utf8("text", text)?, now, out)
                } else if is(mcpgraft_change::MCPGRAFT_TASK_ASKS) {
                    let requests = crate::json::value("text", text)?;
                    task.require_input(&ask::questions(requests, asks)?, now, out)
                } else if is(mcpgraft_change::MCPGRAFT_TASK_COMPLETES) {
                    task.complete(utf8("text", text)?, now, out)
                } else if is(mcpgraft_change::MCPGRAFT_TASK_IS_CANCELLED) {
                    task.cancel(now, out)
                } else if is(mcpgraft_change::MCPGRAFT_TASK_IS_ANSWERED) {
                    match task.update(crate::json::value("text", text)?, now, out) {
                        Ok(done) if done.taken == 0 => return Err(NOT_ASKED),
                        done => done.map(drop),
                    }
                } else {
                    return Err(Trouble::argument("change is no mcpgraft_change"));
                }
            }
            .map_err(local)
        })
    };
    // SAFETY: the caller's promise.
    unsafe { enter(task.cast(), work) }
}

/// Ends a task with a failure, as `mcpgraft_fail` ends a call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_fail(
    task: *mut mcpgraft_task,
    failure: u32,
    message: mcpgraft_str,
    code: i32,
    data: mcpgraft_str,
    now: u64,
) -> mcpgraft_status {
    let work = |kept: &mut Kept| {
        // SAFETY: the caller's promise.
        let failure = unsafe { peer::failure(failure, message, code, data) }?;
        kept.next(|task, out, _| task.fail(&failure, now, out).map_err(local))
    };
    // SAFETY: the caller's promise.
    unsafe { enter(task.cast(), work) }
}

/// Whether the client of a task can be asked this; as `mcpgraft_can_ask`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_can_ask(
    task: *mut mcpgraft_task,
    method: mcpgraft_str,
    params: mcpgraft_str,
    verdict: *mut mcpgraft_verdict,
    why: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |kept: &mut Kept| {
        // SAFETY: the caller's promise.
        let (verdict, why) = unsafe { (place("verdict", verdict)?, place("why", why)?) };
        // SAFETY: the caller's promise.
        let question = unsafe { ask::question(method, params, &mut kept.asks) }?;
        let (found, text) = ask::verdict(Kept::task(kept.saved.own())?.can_ask(&question));
        verdict.put(found);
        why.put(text);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(task.cast(), work) }
}
