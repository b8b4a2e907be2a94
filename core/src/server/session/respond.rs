//! What a duplex channel sends for the host: answers, notifications, questions.

use super::{Asked, Phase, Session};
use crate::catalog::{Catalog, Kind};
use crate::error::LocalError;
use crate::json::{Raw, Sink, fnv64};
use crate::model::Level;
use crate::revision::methods::Feature;
use crate::revision::{Revision, fields};
use crate::server::Server;
use crate::server::answer::{self, Failure};
use crate::server::ask::{self, Ask, AskKey, Unable};
use crate::server::call::CallKey;
use crate::server::inflight::Inflight;
use crate::server::listen::Listener;
use crate::server::notify::{self, Log, Progress};
use crate::server::out::{line, message, whole};
use crate::server::plain::{self, Text};
use crate::server::tasks::Task;

impl<const CALLS: usize, const SUBS: usize> Session<CALLS, SUBS> {
    /// Answers a call with its result: a JSON object in the newest shape, which the peer gets as its revision knows it.
    ///
    /// `false`: nothing was written, because the peer took the call back. The key is used up either way.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::BadJson`], [`LocalError::BadResult`], [`LocalError::OutputFull`]; the
    /// call stays in work.
    pub fn reply<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        result: &str,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let wants_task =
            server.catalog.can(Feature::Tasks) && self.calls.get(key).is_some_and(Inflight::wants_task);
        let told = self.end(server, key, out, |call, out| answer::result(server, call, result, out))?;
        if told && wants_task {
            let made = Raw::trusted(result).at(&["task", "taskId"]).and_then(Raw::str);
            let _ = made.map(|id| self.tasks.push(id.hash64()));
        }
        Ok(told)
    }

    /// Answers a call of a tool, a prompt, a resource or a completion with a text; otherwise as [`Session::reply`]. Nothing
    /// has to be put together before, and into a [`Stream`](crate::json::Stream) the text may be of any length.
    ///
    /// # Errors
    /// [`LocalError::BadResult`] for other calls, and for one that asks for a task; otherwise as [`Session::reply`].
    pub fn reply_text<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        text: &Text<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        self.say(server, key, text, None, out)
    }

    /// Answers a call of a tool with structured content and the same as a text; otherwise as [`Session::reply_text`].
    /// `structured` is valid JSON that fits the tool's output schema. A text without pieces is that JSON.
    ///
    /// # Errors
    /// [`LocalError::BadResult`] for calls of anything but a tool; otherwise as [`Session::reply`].
    pub fn reply_structured<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        structured: Raw<'_>,
        text: &Text<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        self.say(server, key, text, Some(structured), out)
    }

    fn say<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        text: &Text<'_>,
        structured: Option<Raw<'_>>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        self.end(server, key, out, |call, out| plain::text(server, call, text, structured, out))
    }

    /// Answers a call with a failure; otherwise as [`Session::reply`].
    ///
    /// # Errors
    /// As [`Session::reply`].
    pub fn fail<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        failure: &Failure<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        self.end(server, key, out, |call, out| answer::failure(server, call, failure, out).map(|_| ()))
    }

    fn end<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        out: &mut S,
        write: impl FnOnce(&Inflight, &mut S) -> Result<(), LocalError>,
    ) -> Result<bool, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        let wanted = !call.cancelled;
        if wanted {
            message(call.batched, out, |out| write(call, out))?;
        }
        // Nobody waits for what the call had asked; a late answer is a stranger's.
        if server.catalog.can(Feature::Asks) {
            self.asked.retain(|asked| asked.call != key);
        }
        self.calls.remove(key);
        Ok(wanted)
    }

    /// Tells the peer how far a call has come. `false`: nothing was written, because the peer did not ask, took the call
    /// back, or the number did not grow. `out` must not be a batch's.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::NotAllowed`] for numbers that are not finite, [`LocalError::OutputFull`].
    pub fn progress<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        progress: &Progress<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let call = self.calls.get_mut(key).ok_or(LocalError::UnknownCall)?;
        whole(out, |out| notify::progress(call, progress, out))
    }

    /// Tells the peer how far a call has come, in whole steps; otherwise as [`Session::progress`]. A device that says it so
    /// links no text of floats.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn progress_steps<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        done: u32,
        of: Option<u32>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let call = self.calls.get_mut(key).ok_or(LocalError::UnknownCall)?;
        whole(out, |out| notify::steps(call, done, of, out))
    }

    /// Sends a log message, about a call or about the session. `false`: nothing was written, because logging is not
    /// offered or the level is below what the peer wants.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn log<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: Option<CallKey>,
        log: &Log<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let least = match key {
            None => self.phase.revision().map(|_| self.level),
            Some(key) => {
                let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
                if call.cancelled { None } else { self.log_level(call.revision, call.level) }
            }
        };
        if !server.profile.logging || least.is_none_or(|least| log.level < least) {
            return Ok(false);
        }
        whole(out, |out| Ok(notify::log(log, out)?))?;
        Ok(true)
    }

    /// Least level that a request's logs need: its own in stateless revisions, else the session's.
    pub(super) fn log_level(&self, revision: Revision, own: Option<Level>) -> Option<Level> {
        if revision.is_stateless() { own } else { Some(self.level) }
    }

    /// Tells the peer that a list has changed: by handshake, and every subscription that wants to know. `out` gets a
    /// line for each; `false`: nothing was written.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn list_changed<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        kind: Kind,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let start = out.len();
        whole(out, |out| {
            if server.profile.list_changed && matches!(self.phase, Phase::Ready(_)) {
                line(out, start, |out| Ok(notify::list_changed(kind, out)?))?;
            }
            let mut listeners = self.listeners.iter().filter(|listener| listener.wants_list(kind));
            listeners.try_for_each(|listener| line(out, start, |out| Ok(listener.list_changed(kind, out)?)))
        })?;
        Ok(out.len() > start)
    }

    /// Tells the peer that a resource has changed, if it is watched: by `resources/subscribe`, and by every
    /// subscription that names it. `out` gets a line for each; `false`: nothing was written.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn resource_updated<S: Sink + ?Sized>(&mut self, uri: &str, out: &mut S) -> Result<bool, LocalError> {
        let start = out.len();
        whole(out, |out| {
            if matches!(self.phase, Phase::Ready(_)) && self.watched.contains(&fnv64(uri.as_bytes())) {
                line(out, start, |out| Ok(notify::updated(uri, out)?))?;
            }
            let mut listeners = self.listeners.iter().filter(|listener| listener.wants_resource(uri));
            listeners.try_for_each(|listener| line(out, start, |out| Ok(listener.updated(uri, out)?)))
        })?;
        Ok(out.len() > start)
    }

    /// Tells every subscription that names a task how it stands now, or the client of `2025-11-25` whose call it was on
    /// this channel. `principal` is who the client is; what it may not see it is not told. `out` gets a line for each;
    /// `false`: nothing was written.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn task_changed<S: Sink + ?Sized>(
        &mut self,
        task: &Task<'_>,
        principal: Option<&str>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let start = out.len();
        if task.is_experimental() {
            let at = self.made_here(task);
            if let Some(at) = at.filter(|_| task.belongs_to(principal)) {
                whole(out, |out| Ok(task.status_notification(out)?))?;
                if task.status().is_over() {
                    self.tasks.swap_remove(at);
                }
            }
            return Ok(out.len() > start);
        }
        whole(out, |out| {
            let told = |listener: &&Listener<SUBS>| task.belongs_to(principal) && listener.wants_task(task);
            let mut listeners = self.listeners.iter().filter(told);
            listeners.try_for_each(|listener| line(out, start, |out| Ok(listener.task_changed(task, out)?)))
        })?;
        Ok(out.len() > start)
    }

    /// Where the task stands in the list of those whose calls came on this channel.
    fn made_here(&self, task: &Task<'_>) -> Option<usize> {
        let hash = task.id().hash64();
        self.tasks.iter().position(|known| *known == hash)
    }

    /// Tells the client of `2025-11-25` whose call became this task on this channel how far it has come. `false`: nothing
    /// was written, because it was another one, did not ask, or the task is over. The numbers must grow.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] for numbers that are not finite, [`LocalError::OutputFull`].
    pub fn task_progress<S: Sink + ?Sized>(
        &mut self,
        task: &Task<'_>,
        progress: &Progress<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        if self.made_here(task).is_none() {
            return Ok(false);
        }
        whole(out, |out| task.progress_notification(progress, out))
    }

    /// Ends all subscriptions of the stateless era in good order, before the channel is closed. `out` gets their
    /// answers, a line each, and the cancellation that a shared channel needs beside them.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn end_listening<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        out: &mut S,
    ) -> Result<(), LocalError> {
        let start = out.len();
        whole(out, |out| {
            self.listeners.iter().try_for_each(|listener| {
                line(out, start, |out| Ok(listener.end(server, out)?))?;
                line(out, start, |out| Ok(notify::cancelled(listener.id.id(), out)?))
            })
        })?;
        self.listeners.clear();
        Ok(())
    }

    /// Whether the client of a call may be asked for this, and can be in its revision.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`]; inside, why it cannot be asked.
    pub fn can_ask(&self, key: CallKey, ask: &Ask<'_>) -> Result<Result<(), Unable>, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        Ok(ask.check(&call.capabilities, call.revision))
    }

    /// Asks the client of a handshake-era call. The call stays in work; the answer comes as
    /// [`Notice::Answer`](crate::server::Notice::Answer) with the key given here.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if the client cannot be asked ([`Session::can_ask`] tells why), took the call back, is
    /// of the stateless era (see [`Session::require_input`]), or too many questions are open;
    /// [`LocalError::UnknownCall`]; [`LocalError::OutputFull`].
    pub fn ask<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        ask: &Ask<'_>,
        out: &mut S,
    ) -> Result<AskKey, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        if call.revision.is_stateless() {
            return Err(LocalError::NotAllowed("a stateless client is asked with require_input"));
        }
        if call.cancelled {
            return Err(LocalError::NotAllowed("the client took the call back"));
        }
        if self.asked.is_full() {
            return Err(LocalError::NotAllowed("too many questions to the client are open"));
        }
        ask.check(&call.capabilities, call.revision)?;
        let number = self.asks.wrapping_add(1);
        let text = ask::number(number);
        whole(out, |out| Ok(ask::request(&text, ask, &call.capabilities, call.revision, out)?))?;
        self.asks = number;
        let _ = self.asked.push(Asked { number, call: key });
        Ok(AskKey(number))
    }

    /// Gives up waiting for an answer, and tells the client so. `false`: nobody was waiting.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn give_up<S: Sink + ?Sized>(&mut self, ask: AskKey, out: &mut S) -> Result<bool, LocalError> {
        let Some(at) = self.asked.iter().position(|asked| asked.number == ask.0) else { return Ok(false) };
        whole(out, |out| Ok(ask::cancelled(&ask::number(ask.0), out)?))?;
        self.asked.swap_remove(at);
        Ok(true)
    }

    /// Answers a stateless call with what it still needs; the client asks again with the answers. `state` comes back
    /// with them: seal it, the client can forge it. Each key names its question; keys are the handler's.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if a question cannot be asked or the client is of the handshake era (see
    /// [`Session::ask`]); otherwise as [`Session::reply`].
    pub fn require_input<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        asks: &[(&str, Ask<'_>)],
        state: Option<&str>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        self.end(server, key, out, |call, out| answer::input_required(server, call, asks, state, out))
    }

    /// Tells the client that an elicitation by URL is done (`2025-11-25`); `id` is the one it was asked with. `false`:
    /// its revision has no such message.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn elicitation_complete<S: Sink + ?Sized>(
        &mut self,
        id: &str,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let Phase::Ready(revision) = self.phase else { return Ok(false) };
        if !fields::ELICITATION_ID.has(revision) {
            return Ok(false);
        }
        whole(out, |out| Ok(notify::elicitation_complete(id, out)?))?;
        Ok(true)
    }

    /// Sends a notification of the host's own.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] for a method under `notifications/`, which is the protocol's, for parameters that are no
    /// object, or before a handshake: stateless revisions know only notifications that belong to a request.
    /// [`LocalError::OutputFull`].
    pub fn notify<S: Sink + ?Sized>(
        &mut self,
        method: &str,
        params: Option<Raw<'_>>,
        out: &mut S,
    ) -> Result<(), LocalError> {
        if method.starts_with("notifications/") {
            return Err(LocalError::NotAllowed("methods under notifications/ are the protocol's own"));
        }
        if params.is_some_and(|params| !params.is_object()) {
            return Err(LocalError::NotAllowed("params must be an object"));
        }
        if self.phase.revision().is_none() {
            return Err(LocalError::NotAllowed("there was no handshake"));
        }
        whole(out, |out| Ok(notify::custom(method, params, out)?))
    }
}
