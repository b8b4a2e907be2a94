//! What a server says of itself and how it is served, set by name: for programs whose settings come from outside, such as
//! the bindings for other languages.

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

mod value;

use value::{Done, HostLists, Wrong, beginning};

use crate::catalog::{Kind, Owned};
use crate::http::guard::{Guard, Hosts};
use crate::http::{Endpoint, Sessions};
use crate::json::Raw;
use crate::server::{CacheScope, ExperimentalTasks, Offer, Profile};
use crate::{Limits, Server};

/// Everything of a server but its catalogue.
///
/// | name | value | default |
/// |---|---|---|
/// | `info` | name, version and the rest of `serverInfo`: an object | must be set |
/// | `instructions` | a string | none |
/// | `revisions` | those that are served: an array of strings | all |
/// | `logging`, `completions`, `list_changed`, `subscribe` | whether the capability is declared | `false` |
/// | `experimental` | experimental capabilities: an object | none |
/// | `extensions` | extensions that are declared: an object of objects | none |
/// | `experimental_tasks` | the tasks of `2025-11-25`: `"no"`, `"offered"`, `"listed"` | `"no"` |
/// | `host_lists` | lists that the host makes itself: `"tools"`, `"resources"` (with `"templates"`), `"prompts"` | `[]` |
/// | `custom_methods` | methods outside the protocol that the host answers | `[]` |
/// | `ttl_ms` | how long clients may keep a list or resource, in ms (`2026-07-28`) | 0 |
/// | `cache_scope` | who may: `"private"`, `"public"` | `"private"` |
/// | `allowed_hosts` | see [`Hosts`]; `null`: any | `null` |
/// | `allowed_origins` | see [`Guard::allowed_origins`] | `[]` |
/// | `sessions` | for clients of the handshake era over HTTP: `"off"`, `"fixed"`, `"kept"` | `"off"` |
/// | `limits` | numbers by the names of [`Limits`]; others stay as they are | see there |
#[derive(Clone, Debug)]
pub struct Settings {
    info: String,
    instructions: Option<String>,
    experimental: Option<String>,
    extensions: Option<String>,
    lists: HostLists,
    /// The rest of the profile: without texts, and what is offered depends on the catalogue.
    profile: Profile<'static>,
    hosts: Option<Vec<String>>,
    origins: Vec<String>,
    sessions: Sessions,
    limits: Limits,
}

/// The names in the table of [`Settings`].
const NAMES: [&str; 18] = [
    "info",
    "instructions",
    "revisions",
    "logging",
    "completions",
    "list_changed",
    "subscribe",
    "experimental",
    "extensions",
    "experimental_tasks",
    "host_lists",
    "custom_methods",
    "ttl_ms",
    "cache_scope",
    "allowed_hosts",
    "allowed_origins",
    "sessions",
    "limits",
];

/// Why something was not set. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingError<'r> {
    /// There is no setting of that name.
    #[error("there is no setting of that name")]
    Unknown,
    /// The value is not what the setting takes.
    #[error("{name} must be {must}, not {found}")]
    Wrong {
        /// Which setting, or which limit.
        name: &'static str,
        /// What it takes.
        must: &'static str,
        /// The JSON text of what is wrong in the value; of a long text the beginning.
        found: &'r str,
    },
    /// No memory is left.
    #[error("no memory is left")]
    NoMemory,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl Settings {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Settings {
            info: String::new(),
            instructions: None,
            experimental: None,
            extensions: None,
            lists: HostLists { tools: false, resources: false, prompts: false },
            profile: Profile::new(Raw::trusted("{}")),
            hosts: None,
            origins: Vec::new(),
            sessions: Sessions::Off,
            limits: Limits::DEFAULT,
        }
    }

    /// Sets one of the table above. Names of methods go into the catalogue.
    ///
    /// # Errors
    /// [`SettingError`]; nothing has changed.
    pub fn set<'r>(
        &mut self,
        catalog: &mut Owned,
        name: &str,
        value: Raw<'r>,
    ) -> Result<(), SettingError<'r>> {
        let name = *NAMES.iter().find(|known| **known == name).ok_or(SettingError::Unknown)?;
        if name == "limits" {
            return self.set_limits(value);
        }
        self.set_known(catalog, name, value).map_err(|wrong| match wrong {
            Wrong::Must(must, found) => SettingError::Wrong { name, must, found: beginning(found) },
            Wrong::Unknown => SettingError::Unknown,
            Wrong::NoMemory => SettingError::NoMemory,
        })
    }

    fn set_known<'r>(&mut self, catalog: &mut Owned, name: &str, value: Raw<'r>) -> Done<'r, ()> {
        match name {
            "info" => self.info = value::info(value)?,
            "instructions" => {
                let text = value.str().ok_or(Wrong::Must("a string", value.text()))?;
                self.instructions = Some(value::owned(text)?);
            }
            "revisions" => self.profile.revisions = value::revisions(value)?,
            "logging" => self.profile.logging = value::flag(value)?,
            "completions" => self.profile.completions = value::flag(value)?,
            "list_changed" => self.profile.list_changed = value::flag(value)?,
            "subscribe" => self.profile.subscribe = value::flag(value)?,
            "experimental" => self.experimental = Some(value::object(value)?),
            "extensions" => self.extensions = Some(value::extensions(value)?),
            "experimental_tasks" => {
                let kinds = [
                    ("no", ExperimentalTasks::No),
                    ("offered", ExperimentalTasks::Offered),
                    ("listed", ExperimentalTasks::Listed),
                ];
                self.profile.experimental_tasks =
                    value::one_of(value, kinds, r#""no", "offered" or "listed""#)?;
            }
            "host_lists" => self.lists = value::host_lists(value)?,
            "custom_methods" => {
                for method in value::texts(value)? {
                    catalog.add_custom_method(&method).map_err(|_| Wrong::NoMemory)?;
                }
            }
            "ttl_ms" => {
                self.profile.ttl_ms =
                    value.u64().ok_or(Wrong::Must("a whole number of milliseconds", value.text()))?;
            }
            "cache_scope" => {
                let scopes = [("private", CacheScope::Private), ("public", CacheScope::Public)];
                self.profile.cache_scope = value::one_of(value, scopes, r#""private" or "public""#)?;
            }
            "allowed_hosts" => self.hosts = if value.is_null() { None } else { Some(value::texts(value)?) },
            "allowed_origins" => self.origins = value::texts(value)?,
            "sessions" => {
                let kinds = [("off", Sessions::Off), ("fixed", Sessions::Fixed), ("kept", Sessions::Kept)];
                self.sessions = value::one_of(value, kinds, r#""off", "fixed" or "kept""#)?;
            }
            _ => return Err(Wrong::Unknown),
        }
        Ok(())
    }

    /// Sets one limit.
    ///
    /// # Errors
    /// [`SettingError`]; nothing has changed.
    pub fn set_limit<'r>(&mut self, name: &str, value: Raw<'r>) -> Result<(), SettingError<'r>> {
        let known = self.limits.named().into_iter().find(|(known, _)| *known == name);
        let (name, _) = known.ok_or(SettingError::Unknown)?;
        let number = value.u64().and_then(|number| usize::try_from(number).ok());
        if number.is_some_and(|number| self.limits.set(name, number)) {
            return Ok(());
        }
        let must = if name == "depth" { "a whole number from 1 to 256" } else { "a whole number from 1" };
        Err(SettingError::Wrong { name, must, found: beginning(value.text()) })
    }

    fn set_limits<'r>(&mut self, value: Raw<'r>) -> Result<(), SettingError<'r>> {
        let before = self.limits;
        let mut set = || {
            let wrong =
                |found| SettingError::Wrong { name: "limits", must: "numbers by the names of limits", found };
            if !value.is_object() {
                return Err(wrong(beginning(value.text())));
            }
            for (name, value) in value.members() {
                let known = before.named().into_iter().find(|(known, _)| name == *known);
                let (known, _) = known.ok_or(wrong(beginning(name.escaped())))?;
                self.set_limit(known, value)?;
            }
            Ok(())
        };
        let done = set();
        if done.is_err() {
            self.limits = before;
        }
        done
    }

    /// Whether `info` is set: without it there is no server.
    #[must_use]
    pub fn is_named(&self) -> bool {
        !self.info.is_empty()
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The sessions that are kept for clients of the handshake era over HTTP.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        self.sessions
    }

    /// The server as it is now. It offers what the host lists, and kinds of which the catalogue ever had one.
    #[must_use]
    pub fn server<'a>(&'a self, catalog: &'a Owned) -> Server<'a, &'a Owned> {
        let offer = |listed, kinds: &[Kind]| match listed {
            true => Offer::Host,
            false if kinds.iter().any(|kind| catalog.has_had(*kind)) => Offer::Catalog,
            false => Offer::No,
        };
        let profile = Profile {
            info: Raw::trusted(&self.info),
            instructions: self.instructions.as_deref(),
            tools: offer(self.lists.tools, &[Kind::Tool]),
            resources: offer(self.lists.resources, &[Kind::Resource, Kind::Template]),
            prompts: offer(self.lists.prompts, &[Kind::Prompt]),
            experimental: self.experimental.as_deref().map(Raw::trusted),
            extensions: self.extensions.as_deref().map(Raw::trusted),
            ..self.profile
        };
        Server { profile, limits: self.limits, catalog }
    }

    /// The endpoint of a host that can [stream](Endpoint::streams) or not, and keep responses [open](Endpoint::listens) or not.
    #[must_use]
    pub fn endpoint(&self, streams: bool, listens: bool) -> Endpoint<'_> {
        let guard = Guard {
            allowed_hosts: self.hosts.as_deref().map_or(Hosts::Any, |hosts| Hosts::Listed(hosts.into())),
            allowed_origins: self.origins.as_slice().into(),
        };
        Endpoint { guard, streams, listens, sessions: self.sessions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn raw(text: &str) -> Raw<'_> {
        crate::json::check(text.as_bytes(), crate::json::MAX_DEPTH).unwrap()
    }

    fn set(settings: &mut Settings, name: &str, value: &str) -> Result<(), String> {
        settings.set(&mut Owned::new(), name, raw(value)).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn every_name_can_be_set() {
        let good = [
            r#"{"name":"s","version":"1"}"#,
            r#""Do \"this\"""#,
            r#"["2026-07-28"]"#,
            "true",
            "true",
            "true",
            "true",
            r#"{ "x": {} }"#,
            r#"{ "com.example/x": { } }"#,
            r#""listed""#,
            r#"["templates"]"#,
            r#"["com.example/go"]"#,
            "5",
            r#""public""#,
            r#"["a.example"]"#,
            r#"["https:\/\/b.example"]"#,
            r#""kept""#,
            r#"{"depth":4}"#,
        ];
        let (mut settings, mut catalog) = (Settings::new(), Owned::new());
        for (name, value) in NAMES.iter().zip(good) {
            assert_eq!(settings.set(&mut catalog, name, raw(value)), Ok(()), "{name}");
        }
        assert!(settings.is_named());
        let server = settings.server(&catalog);
        assert_eq!(server.profile.instructions, Some("Do \"this\""));
        assert_eq!(server.profile.extensions.map(Raw::text), Some(r#"{"com.example/x":{}}"#));
        assert_eq!(server.profile.resources, Offer::Host);
        assert_eq!(server.profile.tools, Offer::No);
        assert_eq!((server.profile.ttl_ms, server.limits.depth), (5, 4));
        let guard = settings.endpoint(true, false).guard;
        assert_eq!(guard.check(Some("a.example"), Some("https://b.example"), None), Ok(()));
        assert!(guard.check(Some("c.example"), None, None).is_err());
        settings.set(&mut catalog, "allowed_hosts", raw("null")).unwrap();
        assert!(settings.endpoint(true, false).guard.check(Some("c.example"), None, None).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_and_changes_nothing() {
        let mut settings = Settings::new();
        let before = format!("{settings:?}");
        for (name, value, said) in [
            ("nonsense", "1", "there is no setting of that name"),
            ("logging", "1", "logging must be true or false, not 1"),
            ("cache_scope", r#""all""#, r#"cache_scope must be "private" or "public", not "all""#),
            (
                "revisions",
                r#"["2026-07-28", "1"]"#,
                r#"revisions must be an array of revisions of the protocol, at least one, not "1""#,
            ),
            (
                "revisions",
                "[]",
                "revisions must be an array of revisions of the protocol, at least one, not []",
            ),
            ("allowed_hosts", r#"["a", 1]"#, "allowed_hosts must be an array of strings, not 1"),
            (
                "extensions",
                r#"{"x":{}}"#,
                r#"extensions must be named with a prefix, as in "com.example/name", not x"#,
            ),
            ("extensions", r#"{"a/x":1}"#, "extensions must be an object of objects, not 1"),
            ("limits", r#"{"batch":3,"depth":257}"#, "depth must be a whole number from 1 to 256, not 257"),
            ("limits", r#"{"x":1}"#, "limits must be numbers by the names of limits, not x"),
            (
                "info",
                r#"{"name":"s"}"#,
                r#"info must be an object with non-empty strings "name" and "version", not {"name":"s"}"#,
            ),
        ] {
            assert_eq!(set(&mut settings, name, value), Err(said.to_string()), "{name}");
        }
        assert_eq!(format!("{settings:?}"), before);
        let long = format!("\"{}\"", "\u{e9}".repeat(100));
        assert!(set(&mut settings, "logging", &long).unwrap_err().len() < 120);
    }

    #[test]
    fn what_was_offered_once_stays_offered() {
        let (mut settings, mut catalog) = (Settings::new(), Owned::new());
        set(&mut settings, "info", r#"{"name":"s","version":"1"}"#).unwrap();
        let template = r#"{"uriTemplate":"a://{x}","name":"a"}"#;
        catalog.put(Kind::Template, template).unwrap();
        assert!(catalog.remove(Kind::Template, "a://{x}"));
        assert_eq!(settings.server(&catalog).profile.resources, Offer::Catalog);
        assert_eq!(settings.server(&catalog).profile.prompts, Offer::No);
    }
}
