//! What a server offers: options and a catalogue, shared by its peers.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::http::Endpoint;
use mcpgraft::json;
use mcpgraft::settings::Settings;
use mcpgraft::{Limits, Server};

use crate::abi::{mcpgraft_server, mcpgraft_status, mcpgraft_str};
use crate::counted::Counted;
use crate::guard::{Done, Handle, Held, alone, enter_shared, place, utf8};
use crate::memory::Scratch;
use crate::trouble::Trouble;

/// The server as its peers see it.
#[derive(Debug)]
pub(crate) struct Shared {
    settings: RwLock<Settings>,
    catalog: RwLock<Owned>,
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
        if !self.shared.settings.read().unwrap_or_else(PoisonError::into_inner).is_named() {
            return Err(Trouble::argument("set the option \"info\" first"));
        }
        self.shared.started.store(true, Ordering::Relaxed);
        Ok(self.shared.share())
    }
}

impl Shared {
    /// Runs `with` on the server as it is now.
    pub(crate) fn serve<R>(&self, with: impl FnOnce(&Server<'_, &Owned>) -> R) -> R {
        let held = self.hold();
        with(&held.server())
    }

    /// Not inlined, as the next: `serve` stands in many functions.
    #[inline(never)]
    fn hold(&self) -> Serving<'_> {
        Serving {
            settings: self.settings.read().unwrap_or_else(PoisonError::into_inner),
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
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        with(&settings.endpoint(streams, listens))
    }

    pub(crate) fn limits(&self) -> Limits {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner).limits()
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
    settings: RwLockReadGuard<'s, Settings>,
    catalog: RwLockReadGuard<'s, Owned>,
}

impl Serving<'_> {
    #[inline(never)]
    fn server(&self) -> Server<'_, &Owned> {
        self.settings.server(&self.catalog)
    }
}

/// A kind as C names it.
pub(crate) fn kind(number: u32) -> Done<Kind> {
    let known = usize::try_from(number).ok().and_then(|at| Kind::ALL.get(at));
    known.copied().ok_or(Trouble::argument("kind is no mcpgraft_kind"))
}

/// Makes a server that offers nothing yet. Set its option `info` before you make peers; free it with `mcpgraft_free`, at any
/// time: its peers keep what they need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_server_new(server: *mut *mut mcpgraft_server) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let place = unsafe { place("server", server) }?;
        let shared = Shared {
            settings: RwLock::new(Settings::new()),
            catalog: RwLock::new(Owned::new()),
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
        let mut settings = offered.shared.settings.write().unwrap_or_else(PoisonError::into_inner);
        let mut catalog = offered.shared.catalog.write().unwrap_or_else(PoisonError::into_inner);
        settings.set(&mut catalog, name, value).map_err(Trouble::from)
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
