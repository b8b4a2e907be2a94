//! Tasks: a state and what it turns into, over saved bytes. JavaScript keeps them; here are only functions.

use mcpgraft::Revision;
use mcpgraft::json::{Raw, Str};
use mcpgraft::jsonrpc::Id;
use mcpgraft::server::{self, NewTask, Outcome, TaskOrigin};
use napi::Env;
use napi_derive::napi;

use crate::argument::Arg;
use crate::ask::{self, OwnedAsk};
use crate::call;
use crate::error::{Trouble, guard, json, text};
use crate::record::{self, Record, Slot, Text, flag};

/// Runs `with` on a saved task.
pub(crate) fn view<R>(
    saved: Arg,
    with: impl FnOnce(server::Task<'_>) -> Result<R, Trouble>,
) -> Result<R, Trouble> {
    let saved = saved.bytes("task")?;
    let task =
        server::Task::restore(&saved).ok_or_else(|| Trouble::argument("task: this is no saved task"))?;
    with(task)
}

/// The next state of a saved task, saved.
fn next(
    env: Env,
    saved: Arg,
    write: impl FnOnce(server::Task<'_>, &mut Vec<u8>) -> Result<(), Trouble>,
) -> napi::Result<Text> {
    guard(env, || {
        view(saved, |task| {
            let mut out = Vec::new();
            write(task, &mut out)?;
            Ok(Text(out))
        })
    })
}

fn owned(text: Str<'_>) -> String {
    text.to_cow().into_owned()
}

/// A task that begins; `origin` and `token` are those of the call's record.
#[napi]
#[allow(clippy::too_many_arguments)] // an options object, in JavaScript
pub fn task_new(
    env: Env,
    origin: Arg,
    token: Arg,
    id: Arg,
    owner: Arg,
    now: Arg,
    ttl: Arg,
    poll: Arg,
) -> napi::Result<Text> {
    guard(env, || {
        let bits = u32::try_from(origin.whole("origin", u64::from(u32::MAX))?).unwrap_or(u32::MAX);
        let origin =
            TaskOrigin::from_bits(bits).ok_or_else(|| Trouble::argument("origin is that of no call"))?;
        let (token, id, owner) = (token.maybe_text("token")?, id.text("id")?, owner.maybe_text("owner")?);
        let token = token.as_deref().map(|token| json("token", token.as_bytes()));
        let token = token.transpose()?.map(|token| Id::read(Raw::trusted(token.text()))).and_then(Result::ok);
        let new = NewTask {
            id: &id,
            owner: owner.as_deref(),
            now: now.whole("now", u64::MAX)?,
            ttl: ttl.maybe_whole("ttlMs")?,
            poll: poll.maybe_whole("pollMs")?,
            origin: origin.with_token(token),
        };
        let mut saved = Vec::new();
        new.save(&mut saved)?;
        Ok(Text(saved))
    })
}

/// What a saved task says of itself, as a record: `Event` is its status, `Text` its id, `Method` its message, `Left` when it
/// expires (0: never), `Arguments` the answers, `Variables` the keys of open questions with their requests. `None` if the
/// bytes are no saved task.
#[napi]
pub fn task_view(env: Env, saved: Arg) -> napi::Result<Option<Text>> {
    guard(env, || {
        let saved = saved.bytes("saved")?;
        Ok(server::Task::restore(&saved).map(|task| {
            let mut record = Record::new(saved.len());
            record.text(Slot::Event, task.status().name());
            record.text(Slot::Text, &task.id().to_cow());
            record.maybe(Slot::Method, task.message().map(owned).as_deref());
            record.number(Slot::Left, task.expires().unwrap_or(0));
            record.text(Slot::Arguments, task.answers().text());
            let open: Vec<_> = task.open().map(|(key, request)| (owned(key), request.text())).collect();
            record.pairs(Slot::Variables, open.iter().map(|(key, request)| (key.as_str(), *request)));
            record.flag(flag::OVER, task.status().is_over());
            record.flag(flag::EXPERIMENTAL, task.is_experimental());
            record.flag(flag::PROGRESS, task.progress_token().is_some());
            record.done()
        }))
    })
}

#[napi]
pub fn task_is_of(env: Env, saved: Arg, revision: Arg) -> napi::Result<bool> {
    guard(env, || {
        let revision = Revision::parse(&revision.text("revision")?);
        view(saved, |task| Ok(revision.is_some_and(|revision| task.is_of(revision))))
    })
}

#[napi]
pub fn task_belongs_to(env: Env, saved: Arg, principal: Arg) -> napi::Result<bool> {
    guard(env, || {
        let principal = principal.maybe_text("principal")?;
        view(saved, |task| Ok(task.belongs_to(principal.as_deref())))
    })
}

#[napi]
pub fn task_created(env: Env, saved: Arg) -> napi::Result<Text> {
    next(env, saved, |task, out| Ok(task.created(out)?))
}

#[napi]
pub fn task_detailed(env: Env, saved: Arg) -> napi::Result<Text> {
    next(env, saved, |task, out| Ok(task.detailed(out)?))
}

#[napi]
pub fn task_acknowledged(env: Env, saved: Arg) -> napi::Result<Text> {
    next(env, saved, |task, out| Ok(task.acknowledged(out)?))
}

/// `[result]` or `[code, message, data]` as JSON, results and data as text; `None` if it is not over.
#[napi]
pub fn task_outcome(env: Env, saved: Arg) -> napi::Result<Option<Text>> {
    guard(env, || {
        view(saved, |task| {
            let mut out = Vec::new();
            Ok(match task.outcome(&mut out)? {
                Outcome::Open => None,
                Outcome::Result => Some(Text(record::json(|w| {
                    w.begin_array()?;
                    w.string(&String::from_utf8_lossy(&out))?;
                    w.end_array()
                }))),
                Outcome::Error { code, message, data } => Some(Text(record::json(|w| {
                    w.begin_array()?;
                    w.i64(i64::from(code))?;
                    w.string(&message.to_cow())?;
                    match data {
                        Some(data) => w.string(data.text())?,
                        None => w.null()?,
                    }
                    w.end_array()
                }))),
            })
        })
    })
}

#[napi]
pub fn task_can_ask(env: Env, saved: Arg, ask: Arg) -> napi::Result<Option<Text>> {
    guard(env, || {
        let ask = OwnedAsk::read(ask)?;
        view(saved, |task| Ok(ask::reason(task.can_ask(&ask.borrow()))))
    })
}

#[napi]
pub fn task_say(env: Env, saved: Arg, message: Arg, now: Arg) -> napi::Result<Text> {
    next(env, saved, |task, out| Ok(task.say(&message.text("message")?, now.whole("now", u64::MAX)?, out)?))
}

#[napi]
pub fn task_require_input(env: Env, saved: Arg, asks: Arg, now: Arg) -> napi::Result<Text> {
    next(env, saved, |task, out| {
        let asks = ask::read_all(asks)?;
        Ok(task.require_input(&ask::borrow_all(&asks), now.whole("now", u64::MAX)?, out)?)
    })
}

/// The next state; `None` if no answer was to an open question.
#[napi]
pub fn task_update(env: Env, saved: Arg, responses: Arg, now: Arg) -> napi::Result<Option<Text>> {
    guard(env, || {
        view(saved, |task| {
            let responses = responses.bytes("responses")?;
            let (responses, mut out) = (json("responses", &responses)?, Vec::new());
            let done = task.update(responses, now.whole("now", u64::MAX)?, &mut out)?;
            Ok((done.taken > 0).then_some(Text(out)))
        })
    })
}

#[napi]
pub fn task_complete(env: Env, saved: Arg, result: Arg, now: Arg) -> napi::Result<Text> {
    next(env, saved, |task, out| {
        let result = result.bytes("result")?;
        Ok(task.complete(text("result", &result)?, now.whole("now", u64::MAX)?, out)?)
    })
}

#[napi]
#[allow(clippy::too_many_arguments)] // an options object, in JavaScript
pub fn task_fail(
    env: Env,
    saved: Arg,
    failure: Arg,
    message: Arg,
    now: Arg,
    code: Arg,
    data: Arg,
) -> napi::Result<Text> {
    next(env, saved, |task, out| {
        let now = now.whole("now", u64::MAX)?;
        call::failure(failure, message, code, data, |failure| Ok(task.fail(failure, now, out)?))
    })
}

#[napi]
pub fn task_cancel(env: Env, saved: Arg, now: Arg) -> napi::Result<Text> {
    next(env, saved, |task, out| Ok(task.cancel(now.whole("now", u64::MAX)?, out)?))
}

/// The result of `tasks/list`; `tasks`: a JSON array of saved tasks, each as text.
#[napi]
pub fn task_page(env: Env, tasks: Arg, cursor: Arg) -> napi::Result<Text> {
    guard(env, || {
        let (tasks, cursor, mut out) = (tasks.bytes("tasks")?, cursor.maybe_text("next")?, Vec::new());
        let texts: Vec<String> = json("tasks", &tasks)?.elements().filter_map(Raw::str).map(owned).collect();
        let all = texts.iter().filter_map(|task| server::Task::restore(task.as_bytes()));
        server::task_page(all, cursor.as_deref(), &mut out)?;
        Ok(Text(out))
    })
}
