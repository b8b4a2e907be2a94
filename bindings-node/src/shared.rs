//! What a server offers, shared by all its sessions and exchanges.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::http::{Endpoint, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::server::{self, Progress};
use mcpgraft::settings::Settings;
use mcpgraft::{Limits, Server};
use napi::Env;
use napi_derive::napi;

use crate::argument::{Arg, TAG_MASK};
use crate::error::{Guarded, Trouble, guard, json, text};
use crate::exchange::Exchange;
use crate::framer::Framer;
use crate::options;
use crate::record::{self, Text};
use crate::session::Session;

/// The server as its sessions see it. They are all of one thread.
#[derive(Debug)]
pub(crate) struct Shared {
    settings: Settings,
    catalog: RefCell<Owned>,
    tags: Cell<u16>,
}

impl Shared {
    /// Runs `with` on the server as it is now.
    pub(crate) fn serve<R>(&self, with: impl FnOnce(&Server<'_, &Owned>) -> R) -> R {
        with(&self.settings.server(&self.catalog.borrow()))
    }

    /// The endpoint of a host that can stream or not.
    pub(crate) fn endpoint(&self, streams: bool, listens: bool) -> Endpoint<'_> {
        self.settings.endpoint(streams, listens)
    }

    /// The sessions that are kept for clients of the handshake era.
    pub(crate) fn sessions(&self) -> Sessions {
        self.settings.sessions()
    }

    /// A mark for the call keys of the next session or exchange.
    pub(crate) fn tag(&self) -> u16 {
        self.tags.replace(self.tags.get().wrapping_add(1) & TAG_MASK)
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.settings.limits()
    }
}

/// What a server offers: identity, capabilities, limits, catalogue.
#[napi]
pub struct Core(Guarded<Rc<Shared>>);

fn kind(kind: Arg) -> Result<Kind, Trouble> {
    let name = kind.text("kind")?;
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        Trouble::argument(format!(
            "kind must be \"tool\", \"resource\", \"template\" or \"prompt\", not {name:?}"
        ))
    })
}

#[napi]
impl Core {
    /// `limits` and `options`: JSON objects; JSON inside them is text.
    #[napi(constructor)]
    pub fn new(env: Env, info: Arg, instructions: Arg, limits: Arg, served: Arg) -> napi::Result<Self> {
        guard(env, || {
            let (mut settings, mut catalog) = (Settings::new(), Owned::new());
            let mut set = |name: &str, value: Raw<'_>| {
                settings.set(&mut catalog, name, value).map_err(|error| options::trouble(name, error))
            };
            set("info", json("info", &info.bytes("info")?)?)?;
            if let Some(text) = instructions.maybe_text("instructions")? {
                let text = record::json(|w| w.string(&text));
                set("instructions", json("instructions", &text)?)?;
            }
            options::set_limits(&mut settings, json("limits", &limits.bytes("limits")?)?)?;
            options::set(&mut settings, &mut catalog, json("options", &served.bytes("options")?)?)?;
            let shared = Shared { settings, catalog: RefCell::new(catalog), tags: Cell::new(0) };
            Ok(Core(Guarded::new(Rc::new(shared))))
        })
    }

    #[napi]
    pub fn put(&self, env: Env, kind: Arg, definition: Arg) -> napi::Result<bool> {
        self.0.run(env, |shared| {
            let kind = self::kind(kind)?;
            let definition = definition.bytes("definition")?;
            Ok(shared.catalog.borrow_mut().put(kind, text("definition", &definition)?)?)
        })
    }

    #[napi]
    pub fn remove(&self, env: Env, kind: Arg, key: Arg) -> napi::Result<bool> {
        self.0.run(env, |shared| Ok(shared.catalog.borrow_mut().remove(self::kind(kind)?, &key.text("key")?)))
    }

    #[napi]
    pub fn keys(&self, env: Env, kind: Arg) -> napi::Result<Vec<String>> {
        self.0.run(env, |shared| {
            let (kind, catalog) = (self::kind(kind)?, shared.catalog.borrow());
            Ok((0..catalog.len(kind)).filter_map(|at| Some(catalog.at(kind, at)?.key.to_owned())).collect())
        })
    }

    #[napi]
    pub fn get(&self, env: Env, kind: Arg, key: Arg) -> napi::Result<Option<Text>> {
        self.0.run(env, |shared| {
            let (kind, key, catalog) = (self::kind(kind)?, key.text("key")?, shared.catalog.borrow());
            Ok(catalog.get(kind, &key).map(|definition| Text(definition.bytes().to_vec())))
        })
    }

    #[napi]
    pub fn session(&self, env: Env) -> napi::Result<Session> {
        self.0.run(env, |shared| Ok(Session::make(shared.clone())))
    }

    #[napi]
    pub fn framer(&self, env: Env) -> napi::Result<Framer> {
        self.0.run(env, |shared| Ok(Framer::with_limit(shared.limits().message_bytes)))
    }

    #[napi]
    pub fn pace(&self, env: Env) -> napi::Result<Pace> {
        self.0.run(env, |shared| Ok(Pace(Guarded::new(server::Pace::new(shared.limits())))))
    }

    /// An exchange that waits for `begin`.
    #[napi]
    pub fn blank(&self, env: Env) -> napi::Result<Exchange> {
        self.0.run(env, |shared| Ok(Exchange::blank(shared.clone())))
    }
}

/// Limits how often one call tells its progress.
#[napi]
pub struct Pace(Guarded<server::Pace>);

#[napi]
impl Pace {
    #[napi]
    pub fn admits(&self, env: Env, progress: Arg, total: Arg, now: Arg) -> napi::Result<bool> {
        self.0.run(env, |pace| {
            let (progress, total) = (progress.number("progress")?, total.maybe_number("total")?);
            Ok(pace.admits(&Progress { progress, total, message: None }, now.whole("now", u64::MAX)?))
        })
    }
}

/// Version, revisions, limits and other facts, as a JSON object.
#[napi]
pub fn about(env: Env) -> napi::Result<Text> {
    guard(env, || {
        Ok(Text(record::json(|w| {
            w.begin_object()?;
            w.field_str("VERSION", env!("CARGO_PKG_VERSION"))?;
            w.key("REVISIONS")?;
            w.begin_array()?;
            mcpgraft::Revision::ALL.into_iter().rev().try_for_each(|revision| w.string(revision.name()))?;
            w.end_array()?;
            w.key("LIMITS")?;
            w.begin_object()?;
            for (name, value) in Limits::DEFAULT.named() {
                w.field_u64(name, value as u64)?;
            }
            w.end_object()?;
            w.field_str("SESSION_HEADER", mcpgraft::http::SESSION_HEADER)?;
            w.field_str("KEEP_ALIVE", &String::from_utf8_lossy(mcpgraft::http::Listener::KEEP_ALIVE))?;
            w.field_u64("NONCE_BYTES", mcpgraft::seal::NONCE_BYTES as u64)?;
            w.end_object()
        })))
    })
}
