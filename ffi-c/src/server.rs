//! What a server offers: options and a catalogue, shared by its peers.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::http::Endpoint;
use mcpgraft::http::guard::{Guard, Hosts};
use mcpgraft::json::{self, Raw};
use mcpgraft::server::{Offer, Profile};
use mcpgraft::{Limits, Server};

use crate::abi::{mcpgraft_server, mcpgraft_status, mcpgraft_str};
use crate::counted::Counted;
use crate::guard::{Done, Handle, Held, alone, enter_shared, place, utf8};
use crate::memory::Scratch;
use crate::options::{Config, MAX_LISTED, index};
use crate::trouble::Trouble;

/// The server as its peers see it.
#[derive(Debug)]
pub(crate) struct Shared {
    config: RwLock<Config>,
    catalog: RwLock<Owned>,
    /// By [`Kind`]: there has been one, so its capability stays declared.
    had: [AtomicBool; 4],
    /// There are peers: the options stay as they are.
    started: AtomicBool,
    tags: AtomicU16,
    /// Length of the longest URI template.
    longest_template: AtomicUsize,
    #[cfg(feature = "schema")]
    pub(crate) schemas: crate::check::Schemas,
}

/// A server with what its handle alone needs.
pub(crate) struct Offered {
    shared: Counted<Shared>,
    views: Mutex<Scratch>,
}

impl Held for Offered {
    const MAGIC: u32 = 0x6d63_7001;
}

impl Offered {
    /// What peers share of it.
    pub(crate) fn share(&self) -> Done<Counted<Shared>> {
        let config = self.shared.config.read().unwrap_or_else(PoisonError::into_inner);
        if config.info.is_empty() {
            return Err(Trouble::argument("set the option \"info\" first"));
        }
        drop(config);
        self.shared.started.store(true, Ordering::Relaxed);
        Ok(self.shared.share())
    }
}

impl Shared {
    fn offer(&self, config: &Config, kinds: &[Kind]) -> Offer {
        let any = |test: &dyn Fn(usize) -> bool| kinds.iter().any(|kind| test(index(*kind)));
        if any(&|at| config.host_lists.get(at) == Some(&true)) {
            Offer::Host
        } else if any(&|at| self.had.get(at).is_some_and(|had| had.load(Ordering::Relaxed))) {
            Offer::Catalog
        } else {
            Offer::No
        }
    }

    /// Runs `with` on the server as it is now.
    pub(crate) fn serve<R>(&self, with: impl FnOnce(&Server<'_, &Owned>) -> R) -> R {
        let held = self.hold();
        with(&held.server(self))
    }

    /// Not inlined, as the next: `serve` stands in many functions.
    #[inline(never)]
    fn hold(&self) -> Serving<'_> {
        Serving {
            config: self.config.read().unwrap_or_else(PoisonError::into_inner),
            catalog: self.catalog.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Runs `with` on the endpoint of a host that can stream or not.
    pub(crate) fn endpoint<R>(
        &self,
        streams: bool,
        listens: bool,
        with: impl FnOnce(&Endpoint<'_>) -> R,
    ) -> R {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        // Room for the lists is made only where there are any.
        let (mut hosts, mut origins);
        let allowed_hosts = match config.hosts.as_deref() {
            None => Hosts::Any,
            Some(list) => {
                hosts = [""; MAX_LISTED];
                Hosts::Listed(fill(&mut hosts, list))
            }
        };
        let allowed_origins = if config.origins.is_empty() {
            &[][..]
        } else {
            origins = [""; MAX_LISTED];
            fill(&mut origins, &config.origins)
        };
        let guard = Guard { allowed_hosts, allowed_origins };
        with(&Endpoint { guard, streams, listens, sessions: config.sessions })
    }

    pub(crate) fn limits(&self) -> Limits {
        self.config.read().unwrap_or_else(PoisonError::into_inner).limits
    }

    /// A mark for the call keys of the next peer; never 0, so that no key is 0.
    pub(crate) fn tag(&self) -> u16 {
        self.tags.fetch_add(1, Ordering::Relaxed) % 0x7fff + 1
    }

    /// Room that the variables of any template and its text may need.
    pub(crate) fn template_room(&self) -> usize {
        match self.longest_template.load(Ordering::Relaxed) {
            0 => 0,
            longest => 3 * longest + 2 * mcpgraft::limits::URI_BYTES + 128,
        }
    }
}

/// Options and catalogue while nobody changes them.
struct Serving<'s> {
    config: RwLockReadGuard<'s, Config>,
    catalog: RwLockReadGuard<'s, Owned>,
}

impl Serving<'_> {
    #[inline(never)]
    fn server(&self, shared: &Shared) -> Server<'_, &Owned> {
        let Serving { config, catalog } = self;
        let profile = Profile {
            instructions: config.instructions.as_deref(),
            revisions: config.revisions,
            tools: shared.offer(config, &[Kind::Tool]),
            resources: shared.offer(config, &[Kind::Resource, Kind::Template]),
            prompts: shared.offer(config, &[Kind::Prompt]),
            completions: config.completions,
            logging: config.logging,
            list_changed: config.list_changed,
            subscribe: config.subscribe,
            experimental_tasks: config.experimental_tasks,
            experimental: config.experimental.as_deref().map(Raw::trusted),
            extensions: config.extensions.as_deref().map(Raw::trusted),
            ttl_ms: config.ttl_ms,
            cache_scope: config.cache_scope,
            ..Profile::new(Raw::trusted(&config.info))
        };
        Server { profile, limits: config.limits, catalog }
    }
}

fn fill<'a>(room: &'a mut [&'a str; MAX_LISTED], list: &'a [String]) -> &'a [&'a str] {
    let mut len = 0;
    for (place, text) in room.iter_mut().zip(list) {
        *place = text;
        len += 1;
    }
    room.get(..len).unwrap_or_default()
}

/// A kind as C names it.
pub(crate) fn kind(number: u32) -> Done<Kind> {
    let known = Kind::ALL.into_iter().find(|kind| u32::try_from(index(*kind)) == Ok(number));
    known.ok_or(Trouble::argument("kind is no mcpgraft_kind"))
}

/// Makes a server that offers nothing yet. Set its option `info` before you make peers; free it with `mcpgraft_free`, at any
/// time: its peers keep what they need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_server_new(server: *mut *mut mcpgraft_server) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let place = unsafe { place("server", server) }?;
        let shared = Shared {
            config: RwLock::new(Config::new()),
            catalog: RwLock::new(Owned::new()),
            had: Default::default(),
            started: AtomicBool::new(false),
            tags: AtomicU16::new(0),
            longest_template: AtomicUsize::new(0),
            #[cfg(feature = "schema")]
            schemas: crate::check::Schemas::default(),
        };
        let made = Handle::create(Offered { shared: Counted::create(shared)?, views: Mutex::default() })?;
        place.put(made.cast());
        Ok(())
    })
}

/// Sets an option, before the first peer is made: its name, and its value as JSON. README.md lists them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_server_set(
    server: *mut mcpgraft_server,
    name: mcpgraft_str,
    value: mcpgraft_str,
) -> mcpgraft_status {
    let work = |offered: &Offered| {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe { (utf8("name", name)?, crate::json::value("value", value)?) };
        if offered.shared.started.load(Ordering::Relaxed) {
            return Err(Trouble::Plain(
                mcpgraft_status::MCPGRAFT_NOT_ALLOWED,
                "options are set before the first peer is made",
            ));
        }
        let mut config = offered.shared.config.write().unwrap_or_else(PoisonError::into_inner);
        let mut catalog = offered.shared.catalog.write().unwrap_or_else(PoisonError::into_inner);
        config.set(&mut catalog, name, value)
    };
    // SAFETY: the caller's promise.
    unsafe { enter_shared(server.cast(), work) }
}

/// Adds a definition (JSON, in the newest shape) to the catalogue, or replaces the one with the same key in its place. Also
/// while peers are served by other threads; tell clients with `mcpgraft_notify`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_server_put(
    server: *mut mcpgraft_server,
    kind: u32,
    definition: mcpgraft_str,
) -> mcpgraft_status {
    let work = |offered: &Offered| {
        let kind = self::kind(kind)?;
        // SAFETY: the caller's promise.
        let definition = unsafe { utf8("definition", definition) }?;
        let shared = &offered.shared;
        let mut catalog = shared.catalog.write().unwrap_or_else(PoisonError::into_inner);
        catalog.put(kind, definition).map_err(|error| match error {
            mcpgraft::LocalError::OutputFull => Trouble::NO_MEMORY,
            error => error.into(),
        })?;
        #[cfg(feature = "schema")]
        if let Some(entry) = named(kind, definition).filter(|_| kind == Kind::Tool) {
            shared.schemas.forget(&entry);
        }
        if let Some(had) = shared.had.get(index(kind)) {
            had.store(true, Ordering::Relaxed);
        }
        if kind == Kind::Template {
            let uri =
                json::check(definition.as_bytes(), json::MAX_DEPTH).ok().and_then(|raw| raw.get(kind.key()));
            shared.longest_template.fetch_max(uri.map_or(0, |uri| uri.text().len()), Ordering::Relaxed);
        }
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter_shared(server.cast(), work) }
}

/// Takes a definition out of the catalogue. `MCPGRAFT_NOT_FOUND`: there is none of that key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_server_remove(
    server: *mut mcpgraft_server,
    kind: u32,
    key: mcpgraft_str,
) -> mcpgraft_status {
    let work = |offered: &Offered| {
        let kind = self::kind(kind)?;
        // SAFETY: the caller's promise.
        let key = unsafe { utf8("key", key) }?;
        let mut catalog = offered.shared.catalog.write().unwrap_or_else(PoisonError::into_inner);
        #[cfg(feature = "schema")]
        offered.shared.schemas.forget(key);
        if catalog.remove(kind, key) { Ok(()) } else { Err(MISSING) }
    };
    // SAFETY: the caller's promise.
    unsafe { enter_shared(server.cast(), work) }
}

/// The key in a definition.
#[cfg(feature = "schema")]
fn named(kind: Kind, definition: &str) -> Option<String> {
    let definition = json::check(definition.as_bytes(), json::MAX_DEPTH).ok()?;
    let mut key = Vec::new();
    definition.get(kind.key())?.str()?.decode(&mut key).ok()?;
    String::from_utf8(key).ok()
}

const MISSING: Trouble =
    Trouble::Plain(mcpgraft_status::MCPGRAFT_NOT_FOUND, "the catalogue has no such entry");

/// The entry at a position of the catalogue, in listing order from 0: its key and its definition. The views are valid until
/// the next call on the server. `MCPGRAFT_NOT_FOUND`: past the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_server_at(
    server: *mut mcpgraft_server,
    kind: u32,
    index: usize,
    key: *mut mcpgraft_str,
    definition: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |offered: &Offered| {
        let kind = self::kind(kind)?;
        // SAFETY: the caller's promise.
        let places = unsafe { (place("key", key)?, place("definition", definition)?) };
        let catalog = offered.shared.catalog.read().unwrap_or_else(PoisonError::into_inner);
        let entry = catalog.at(kind, index).ok_or(MISSING)?;
        let mut views = offered.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.room(entry.key.len() + entry.definition.text().len())?;
        places.0.put(views.copy(entry.key.as_bytes()));
        places.1.put(views.copy(entry.definition.bytes()));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter_shared(server.cast(), work) }
}
