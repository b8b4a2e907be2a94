//! What a server says of itself and how it is served, from one JSON object.

use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::http::Sessions;
use mcpgraft::json::Raw;
use mcpgraft::model::is_extension;
use mcpgraft::server::{CacheScope, ExperimentalTasks};
use mcpgraft::{Limits, Revision, RevisionSet};

use crate::error::{Trouble, json, text};
use crate::record;

/// Everything but the catalogue: fixed when the server is made.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) info: String,
    pub(crate) instructions: Option<String>,
    pub(crate) revisions: RevisionSet,
    /// By [`index`]: the host keeps the table itself.
    pub(crate) host_lists: [bool; 4],
    pub(crate) completions: bool,
    pub(crate) logging: bool,
    pub(crate) list_changed: bool,
    pub(crate) subscribe: bool,
    pub(crate) experimental: Option<String>,
    pub(crate) extensions: Option<String>,
    pub(crate) experimental_tasks: ExperimentalTasks,
    pub(crate) ttl_ms: u64,
    pub(crate) cache_scope: CacheScope,
    pub(crate) hosts: Option<Vec<String>>,
    pub(crate) origins: Vec<String>,
    pub(crate) sessions: Sessions,
    pub(crate) limits: Limits,
}

/// Where a kind stands in tables by kind.
pub(crate) const fn index(kind: Kind) -> usize {
    match kind {
        Kind::Tool => 0,
        Kind::Resource => 1,
        Kind::Template => 2,
        Kind::Prompt => 3,
    }
}

impl Config {
    pub(crate) fn new(info: &[u8], instructions: Option<String>) -> Result<Self, Trouble> {
        let info = json("info", info)?;
        for name in ["name", "version"] {
            if info.get(name).and_then(Raw::str).is_none_or(|value| value.is_empty()) {
                return Err(Trouble::argument(format!("info: {name:?} must be a non-empty string")));
            }
        }
        // As a result carries it, on one line.
        let one_line = record::json(|w| w.compact(info));
        Ok(Config {
            info: text("info", &one_line)?.to_owned(),
            instructions,
            revisions: RevisionSet::ALL,
            host_lists: [false; 4],
            completions: false,
            logging: false,
            list_changed: false,
            subscribe: false,
            experimental: None,
            extensions: None,
            experimental_tasks: ExperimentalTasks::No,
            ttl_ms: 0,
            cache_scope: CacheScope::Private,
            hosts: None,
            origins: Vec::new(),
            sessions: Sessions::Off,
            limits: Limits::DEFAULT,
        })
    }

    /// Sets limits: an object of numbers.
    pub(crate) fn limits(&mut self, limits: Raw<'_>) -> Result<(), Trouble> {
        for (name, value) in limits.members() {
            let name = name.to_cow();
            let number = value.u64().and_then(|number| usize::try_from(number).ok());
            if !number.is_some_and(|number| self.limits.set(&snake(&name), number)) {
                return Err(Trouble::argument(format!("limits: {name:?} cannot be {}", value.text())));
            }
        }
        Ok(())
    }

    /// Sets options: an object. What is `null` keeps its default.
    pub(crate) fn options(&mut self, catalog: &mut Owned, options: Raw<'_>) -> Result<(), Trouble> {
        for (name, value) in options.members() {
            let name = name.to_cow();
            match snake(&name).as_str() {
                _ if value.is_null() => {}
                "custom_methods" => {
                    for method in texts(&name, value)? {
                        catalog.add_custom_method(&method)?;
                    }
                }
                known => self.set(known, &name, value)?,
            }
        }
        Ok(())
    }

    fn set(&mut self, known: &str, name: &str, value: Raw<'_>) -> Result<(), Trouble> {
        match known {
            "logging" => self.logging = flag(name, value)?,
            "completions" => self.completions = flag(name, value)?,
            "list_changed" => self.list_changed = flag(name, value)?,
            "subscribe" => self.subscribe = flag(name, value)?,
            "ttl_ms" => {
                let wrong = || Trouble::argument(format!("{name} must be a whole number of ms"));
                self.ttl_ms = value.u64().ok_or_else(wrong)?;
            }
            "cache_scope" => {
                let scopes = [("private", CacheScope::Private), ("public", CacheScope::Public)];
                self.cache_scope = one_of(name, value, &scopes)?;
            }
            "sessions" => {
                let kinds = [("off", Sessions::Off), ("fixed", Sessions::Fixed), ("kept", Sessions::Kept)];
                self.sessions = one_of(name, value, &kinds)?;
            }
            "experimental_tasks" => {
                let kinds = [
                    ("no", ExperimentalTasks::No),
                    ("offered", ExperimentalTasks::Offered),
                    ("listed", ExperimentalTasks::Listed),
                ];
                self.experimental_tasks = one_of(name, value, &kinds)?;
            }
            "revisions" => {
                self.revisions = RevisionSet::NONE;
                for text in texts(name, value)? {
                    let wrong = || Trouble::argument(format!("{name}: {text:?} is not a revision"));
                    self.revisions = self.revisions.with(Revision::parse(&text).ok_or_else(wrong)?);
                }
                if self.revisions == RevisionSet::NONE {
                    return Err(Trouble::argument(format!("{name} must name at least one")));
                }
            }
            "host_lists" => {
                let lists = [
                    ("tools", [Kind::Tool, Kind::Tool]),
                    ("resources", [Kind::Resource, Kind::Template]),
                    ("templates", [Kind::Resource, Kind::Template]),
                    ("prompts", [Kind::Prompt, Kind::Prompt]),
                ];
                for element in elements(name, value)? {
                    for kind in one_of(name, element, &lists)? {
                        self.host_lists.get_mut(index(kind)).into_iter().for_each(|flag| *flag = true);
                    }
                }
            }
            "allowed_hosts" => self.hosts = Some(texts(name, value)?),
            "allowed_origins" => self.origins = texts(name, value)?,
            "experimental" => self.experimental = Some(object(name, value)?),
            "extensions" => self.extensions = Some(extensions(name, value)?),
            _ => return Err(Trouble::argument(format!("options: {name:?} is no option"))),
        }
        Ok(())
    }
}

/// `listChanged` as the core writes it: `list_changed`. Both are taken.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn flag(name: &str, value: Raw<'_>) -> Result<bool, Trouble> {
    value.bool().ok_or_else(|| Trouble::argument(format!("{name} must be true or false")))
}

fn elements<'r>(name: &str, value: Raw<'r>) -> Result<mcpgraft::json::Elements<'r>, Trouble> {
    if value.is_array() {
        Ok(value.elements())
    } else {
        Err(Trouble::argument(format!("{name} must be an array of strings")))
    }
}

fn texts(name: &str, value: Raw<'_>) -> Result<Vec<String>, Trouble> {
    let text = |element: Raw<'_>| {
        let wrong = || Trouble::argument(format!("{name} must be an array of strings"));
        Ok(element.str().ok_or_else(wrong)?.to_cow().into_owned())
    };
    elements(name, value)?.map(text).collect()
}

fn one_of<T: Copy>(name: &str, value: Raw<'_>, known: &[(&str, T)]) -> Result<T, Trouble> {
    let found =
        value.str().and_then(|text| known.iter().find(|(word, _)| text == **word).map(|(_, meant)| *meant));
    found.ok_or_else(|| {
        let words: Vec<_> = known.iter().map(|(word, _)| format!("{word:?}")).collect();
        Trouble::argument(format!("{name}: {} is none of {}", value.text(), words.join(", ")))
    })
}

/// A string that holds a JSON object.
fn object(name: &str, value: Raw<'_>) -> Result<String, Trouble> {
    let wrong = || Trouble::argument(format!("{name} must be a JSON object, as text or bytes"));
    let text = value.str().ok_or_else(wrong)?.to_cow();
    let raw = json(name, text.as_bytes())?;
    if raw.is_object() { Ok(raw.text().to_owned()) } else { Err(wrong()) }
}

/// What a server declares of extensions.
fn extensions(name: &str, value: Raw<'_>) -> Result<String, Trouble> {
    let text = object(name, value)?;
    for (key, settings) in Raw::trusted(&text).members() {
        let key = key.to_cow();
        if !is_extension(&key) {
            return Err(Trouble::argument(format!(
                "{name}: {key:?} is no name of an extension: it needs a prefix, as in \"com.example/name\""
            )));
        }
        if !settings.is_object() {
            return Err(Trouble::argument(format!("{name}: the value of {key:?} must be an object")));
        }
    }
    Ok(text)
}
