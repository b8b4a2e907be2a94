//! What a call says over HTTP on its way, and how it ends without a result.

use mcpgraft::server::Log;
use napi::Env;
use napi_derive::napi;

use super::Exchange;
use crate::argument::Arg;
use crate::ask::{self, OwnedAsk};
use crate::call;
use crate::error::json;
use crate::record::Text;
use crate::session::with_progress;
use crate::task;

#[napi]
impl Exchange {
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
    ) -> napi::Result<Text> {
        self.0.run(env, |state| {
            let key = key.key()?;
            call::failure(failure, message, code, data, |failure| {
                state
                    .answer(|shared, inner, out| shared.serve(|server| inner.fail(server, key, failure, out)))
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
                state.tell(|_, inner, out| inner.progress(key, progress, out))
            })
        })
    }

    /// `task`: a saved one.
    #[napi]
    #[allow(clippy::too_many_arguments)] // as the face has them
    pub fn task_progress(
        &self,
        env: Env,
        key: Arg,
        task: Arg,
        progress: Arg,
        total: Arg,
        message: Arg,
    ) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let key = key.key()?;
            task::view(task, |task| {
                with_progress(progress, total, message, |progress| {
                    state.tell(|_, inner, out| inner.task_progress(key, &task, progress, out))
                })
            })
        })
    }

    #[napi]
    pub fn begin_stream(&self, env: Env, key: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let key = key.key()?;
            state.tell(|_, inner, out| inner.begin_stream(key, out))
        })
    }

    #[napi]
    pub fn log(&self, env: Env, key: Arg, level: Arg, data: Arg, logger: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, logger, data) = (key.key()?, logger.maybe_text("logger")?, data.bytes("data")?);
            let log =
                Log { level: call::level(level)?, logger: logger.as_deref(), data: json("data", &data)? };
            state.tell(|shared, inner, out| shared.serve(|server| inner.log(server, key, &log, out)))
        })
    }

    #[napi]
    pub fn can_ask(&self, env: Env, key: Arg, ask: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, ask) = (key.key()?, OwnedAsk::read(ask)?);
            Ok(ask::reason(state.inner.can_ask(key, &ask.borrow())?))
        })
    }

    #[napi]
    pub fn ask(&self, env: Env, key: Arg, id: Arg, ask: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, id, ask) = (key.key()?, id.text("id")?, OwnedAsk::read(ask)?);
            state.tell(|_, inner, out| inner.ask(key, &id, &ask.borrow(), out))
        })
    }

    #[napi]
    pub fn give_up(&self, env: Env, key: Arg, id: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, id) = (key.key()?, id.text("id")?);
            state.tell(|_, inner, out| inner.give_up(key, &id, out))
        })
    }

    #[napi]
    pub fn elicitation_complete(&self, env: Env, key: Arg, id: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, id) = (key.key()?, id.text("id")?);
            state.tell(|_, inner, out| inner.elicitation_complete(key, &id, out))
        })
    }

    #[napi]
    pub fn require_input(&self, env: Env, key: Arg, asks: Arg, request_state: Arg) -> napi::Result<Text> {
        self.0.run(env, |state| {
            let (key, asks) = (key.key()?, ask::read_all(asks)?);
            let kept = request_state.maybe_text("state")?;
            state.answer(|shared, inner, out| {
                let asks = ask::borrow_all(&asks);
                shared.serve(|server| inner.require_input(server, key, &asks, kept.as_deref(), out))
            })
        })
    }

    #[napi]
    pub fn open_stream(&self, env: Env, key: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let key = key.key()?;
            state.tell(|_, inner, out| inner.open_stream(key, out))
        })
    }

    #[napi]
    pub fn close_stream(&self, env: Env, key: Arg, retry_ms: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (key, retry) = (key.key()?, retry_ms.whole("retryMs", u64::from(u32::MAX))?);
            let retry = u32::try_from(retry).unwrap_or(u32::MAX);
            state.tell(|_, inner, out| inner.close_stream(key, retry, out))
        })
    }
}
