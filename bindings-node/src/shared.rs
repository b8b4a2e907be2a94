//! What a server offers, shared by all its sessions and exchanges.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::http::guard::{Guard, Hosts};
use mcpgraft::http::{Endpoint, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::server::{self, Offer, Profile, Progress};
use mcpgraft::{Limits, Server};
use napi::Env;
use napi_derive::napi;

use crate::argument::{Arg, TAG_MASK};
use crate::error::{Guarded, Trouble, guard, json, text};
use crate::exchange::Exchange;
use crate::framer::Framer;
use crate::options::{Config, index};
use crate::record::{self, Text};
use crate::session::Session;

/// The server as its sessions see it. They are all of one thread.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    catalog: RefCell<Owned>,
    /// By [`Kind`]: there has been one, so its capability stays declared.
    had: [Cell<bool>; 4],
    tags: Cell<u16>,
}

impl Shared {
    fn offer(&self, kinds: &[Kind]) -> Offer {
        let any = |test: &dyn Fn(usize) -> bool| kinds.iter().any(|kind| test(index(*kind)));
        if any(&|at| self.config.host_lists.get(at) == Some(&true)) {
            Offer::Host
        } else if any(&|at| self.had.get(at).is_some_and(Cell::get)) {
            Offer::Catalog
        } else {
            Offer::No
        }
    }

    /// Runs `with` on the server as it is now.
    pub(crate) fn serve<R>(&self, with: impl FnOnce(&Server<'_, &Owned>) -> R) -> R {
        let config = &self.config;
        let catalog = self.catalog.borrow();
        let profile = Profile {
            instructions: config.instructions.as_deref(),
            revisions: config.revisions,
            tools: self.offer(&[Kind::Tool]),
            resources: self.offer(&[Kind::Resource, Kind::Template]),
            prompts: self.offer(&[Kind::Prompt]),
            completions: config.completions,
            logging: config.logging,
            list_changed: config.list_changed,
            subscribe: config.subscribe,
            experimental: config.experimental.as_deref().map(Raw::trusted),
            extensions: config.extensions.as_deref().map(Raw::trusted),
            experimental_tasks: config.experimental_tasks,
            ttl_ms: config.ttl_ms,
            cache_scope: config.cache_scope,
            ..Profile::new(Raw::trusted(&config.info))
        };
        with(&Server { profile, limits: config.limits, catalog: &catalog })
    }

    /// Runs `with` on the endpoint of a host that can stream or not.
    pub(crate) fn endpoint<R>(
        &self,
        streams: bool,
        listens: bool,
        with: impl FnOnce(&Endpoint<'_>) -> R,
    ) -> R {
        let hosts = self.config.hosts.as_ref().map(|hosts| texts(hosts));
        let origins = texts(&self.config.origins);
        let guard = Guard {
            allowed_hosts: hosts.as_deref().map_or(Hosts::Any, Hosts::Listed),
            allowed_origins: &origins,
        };
        with(&Endpoint { guard, streams, listens, sessions: self.config.sessions })
    }

    /// The sessions that are kept for clients of the handshake era.
    pub(crate) fn sessions(&self) -> Sessions {
        self.config.sessions
    }

    /// A mark for the call keys of the next session or exchange.
    pub(crate) fn tag(&self) -> u16 {
        self.tags.replace(self.tags.get().wrapping_add(1) & TAG_MASK)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
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
    pub fn new(env: Env, info: Arg, instructions: Arg, limits: Arg, options: Arg) -> napi::Result<Self> {
        guard(env, || {
            let mut config = Config::new(&info.bytes("info")?, instructions.maybe_text("instructions")?)?;
            config.limits(json("limits", &limits.bytes("limits")?)?)?;
            let mut catalog = Owned::new();
            config.options(&mut catalog, json("options", &options.bytes("options")?)?)?;
            let catalog = RefCell::new(catalog);
            let shared = Shared { config, catalog, had: Default::default(), tags: Cell::new(0) };
            Ok(Core(Guarded::new(Rc::new(shared))))
        })
    }

    #[napi]
    pub fn put(&self, env: Env, kind: Arg, definition: Arg) -> napi::Result<bool> {
        self.0.run(env, |shared| {
            let kind = self::kind(kind)?;
            let definition = definition.bytes("definition")?;
            let new = shared.catalog.borrow_mut().put(kind, text("definition", &definition)?)?;
            shared.had.get(index(kind)).into_iter().for_each(|had| had.set(true));
            Ok(new)
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
