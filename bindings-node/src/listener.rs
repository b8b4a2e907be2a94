//! A response that stays open.

use std::rc::Rc;

use mcpgraft::http::{self, Handshake};
use napi::Env;
use napi_derive::napi;

use crate::argument::Arg;
use crate::call::list_kind;
use crate::error::{Guarded, Trouble};
use crate::record::Text;
use crate::shared::Shared;
use crate::task;

/// An open event stream: told what has changed, it gives the bytes to write.
#[napi]
pub struct Listener(Guarded<State>);

struct State {
    shared: Rc<Shared>,
    inner: http::Listener,
}

impl Listener {
    pub(crate) fn make(shared: Rc<Shared>, inner: http::Listener) -> Self {
        Listener(Guarded::new(State { shared, inner }))
    }
}

impl State {
    fn tell(
        &mut self,
        write: impl FnOnce(&Shared, &mut http::Listener, &mut Vec<u8>) -> Result<(), mcpgraft::LocalError>,
    ) -> Result<Option<Text>, Trouble> {
        let mut out = Vec::new();
        write(&self.shared, &mut self.inner, &mut out)?;
        Ok(Text::written(out))
    }
}

#[napi]
impl Listener {
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
    pub fn resource_updated(&self, env: Env, uri: Arg, session: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |state| {
            let (uri, session) = (uri.text("uri")?, session.maybe_bytes("session")?);
            let session = session.as_deref().and_then(Handshake::restore);
            state.tell(|_, inner, out| inner.resource_updated(session.as_ref(), &uri, out).map(|_| ()))
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

    /// The name of the stream, if its events are numbered.
    #[napi]
    pub fn stream(&self, env: Env) -> napi::Result<Option<String>> {
        self.0.run(env, |state| Ok(state.inner.stream().map(|name| name.text().to_owned())))
    }

    /// The number of the event given last, if events are numbered.
    #[napi]
    pub fn event(&self, env: Env) -> napi::Result<Option<u32>> {
        self.0.run(env, |state| Ok(state.inner.event().map(|event| event.number)))
    }

    #[napi]
    pub fn end(&self, env: Env) -> napi::Result<Option<Text>> {
        self.0
            .run(env, |state| state.tell(|shared, inner, out| shared.serve(|server| inner.end(server, out))))
    }
}
