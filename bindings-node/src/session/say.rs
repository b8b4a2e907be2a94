//! What calls say on a duplex channel on their way, how they end without a result, and what the server says by itself.

use mcpgraft::server::{AskKey, Log};
use napi::Env;
use napi_derive::napi;

use super::{Session, with_progress};
use crate::argument::Arg;
use crate::ask::{self, OwnedAsk};
use crate::call::{self, list_kind};
use crate::error::json;
use crate::record::Text;
use crate::task;

#[napi]
impl Session {
    #[napi]
    #[allow(clippy::too_many_arguments)] // an options object, in JavaScript
    pub fn fail(
        &self,
        env: Env,
        key: Arg,
        failure: Arg,
        message: Arg,
        code: Arg,
        data: Arg,
    ) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let key = key.key()?;
            call::failure(failure, message, code, data, |failure| {
                state.answer(key, |shared, inner, out| {
                    shared.serve(|server| inner.fail(server, key, failure, out))
                })
            })
        })
    }

    #[napi]
    pub fn progress(
        &self,
        env: Env,
        key: Arg,
        progress: Arg,
        total: Arg,
        message: Arg,
    ) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let key = key.key()?;
            with_progress(progress, total, message, |progress| {
                state.tell(|_, inner, out| inner.progress(key, progress, out).map(|_| ()))
            })
        })
    }

    #[napi]
    pub fn log(&self, env: Env, key: Arg, level: Arg, data: Arg, logger: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let key = if key.absent() { None } else { Some(key.key()?) };
            let (logger, data) = (logger.maybe_text("logger")?, data.bytes("data")?);
            let log =
                Log { level: call::level(level)?, logger: logger.as_deref(), data: json("data", &data)? };
            state.tell(|shared, inner, out| {
                shared.serve(|server| inner.log(server, key, &log, out)).map(|_| ())
            })
        })
    }

    #[napi]
    pub fn list_changed(&self, env: Env, kind: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let kind = list_kind(kind)?;
            state.tell(|shared, inner, out| {
                shared.serve(|server| inner.list_changed(server, kind, out)).map(|_| ())
            })
        })
    }

    #[napi]
    pub fn resource_updated(&self, env: Env, uri: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let uri = uri.text("uri")?;
            state.tell(|_, inner, out| inner.resource_updated(&uri, out).map(|_| ()))
        })
    }

    /// `task`: a saved one.
    #[napi]
    pub fn task_changed(&self, env: Env, task: Arg, principal: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let principal = principal.maybe_text("principal")?;
            task::view(task, |task| {
                state.tell(|_, inner, out| inner.task_changed(&task, principal.as_deref(), out).map(|_| ()))
            })
        })
    }

    /// `task`: a saved one.
    #[napi]
    pub fn task_progress(
        &self,
        env: Env,
        task: Arg,
        progress: Arg,
        total: Arg,
        message: Arg,
    ) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            task::view(task, |task| {
                with_progress(progress, total, message, |progress| {
                    state.tell(|_, inner, out| inner.task_progress(&task, progress, out).map(|_| ()))
                })
            })
        })
    }

    #[napi]
    pub fn notify(&self, env: Env, method: Arg, params: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (method, params) = (method.text("method")?, params.maybe_bytes("params")?);
            let params = params.as_deref().map(|params| json("params", params)).transpose()?;
            state.tell(|_, inner, out| inner.notify(&method, params, out))
        })
    }

    #[napi]
    pub fn can_ask(&self, env: Env, key: Arg, ask: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, ask) = (key.key()?, OwnedAsk::read(ask)?);
            Ok(ask::reason(state.inner.can_ask(key, &ask.borrow())?))
        })
    }

    /// The message (empty: it is kept), and the handle of the question.
    #[napi]
    pub fn ask(&self, env: Env, key: Arg, ask: Arg) -> napi::Result<(Text, u32)> {
        self.0.run(env, |state| {
            let (key, ask, mut out) = (key.key()?, OwnedAsk::read(ask)?, Vec::new());
            let asked = state.inner.ask(key, &ask.borrow(), &mut out)?;
            Ok((Text(state.keep(&out).unwrap_or_default().to_vec()), asked.to_bits()))
        })
    }

    #[napi]
    pub fn give_up(&self, env: Env, ask: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let ask = ask.whole("ask", u64::from(u32::MAX))?;
            let ask = AskKey::from_bits(u32::try_from(ask).unwrap_or(u32::MAX));
            state.tell(|_, inner, out| inner.give_up(ask, out).map(|_| ()))
        })
    }

    #[napi]
    pub fn require_input(
        &self,
        env: Env,
        key: Arg,
        asks: Arg,
        request_state: Arg,
    ) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, asks) = (key.key()?, ask::read_all(asks)?);
            let kept = request_state.maybe_text("state")?;
            state.answer(key, |shared, inner, out| {
                let asks = ask::borrow_all(&asks);
                shared.serve(|server| inner.require_input(server, key, &asks, kept.as_deref(), out))
            })
        })
    }

    #[napi]
    pub fn elicitation_complete(&self, env: Env, id: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let id = id.text("id")?;
            state.tell(|_, inner, out| inner.elicitation_complete(&id, out).map(|_| ()))
        })
    }

    #[napi]
    pub fn end_listening(&self, env: Env) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            state.tell(|shared, inner, out| shared.serve(|server| inner.end_listening(server, out)))
        })
    }
}
