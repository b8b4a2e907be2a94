//! The options of a server: by name, with JSON values.

use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::http::Sessions;
use mcpgraft::json::{Raw, Writer};
use mcpgraft::server::{CacheScope, ExperimentalTasks};
use mcpgraft::{Limits, Revision, RevisionSet};

use crate::guard::Done;
use crate::trouble::Trouble;

/// Most hosts and most origins that can be listed.
pub(crate) const MAX_LISTED: usize = 64;

/// Everything but the catalogue.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) info: String,
    pub(crate) instructions: Option<String>,
    pub(crate) revisions: RevisionSet,
    /// By [`Kind`]: the host keeps the table itself.
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

impl Config {
    pub(crate) fn new() -> Self {
        Config {
            info: String::new(),
            instructions: None,
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
        }
    }

    /// Sets one option, or nothing.
    pub(crate) fn set(&mut self, catalog: &mut Owned, name: &str, value: Raw<'_>) -> Done {
        match name {
            "info" => self.info = info(value)?,
            "instructions" => self.instructions = Some(text(value)?),
            "logging" => self.logging = flag(value)?,
            "completions" => self.completions = flag(value)?,
            "list_changed" => self.list_changed = flag(value)?,
            "subscribe" => self.subscribe = flag(value)?,
            "ttl_ms" => {
                self.ttl_ms =
                    value.u64().ok_or(Trouble::argument("ttl_ms must be a number of milliseconds"))?;
            }
            "cache_scope" => {
                self.cache_scope = match &*text(value)? {
                    "private" => CacheScope::Private,
                    "public" => CacheScope::Public,
                    _ => {
                        return Err(Trouble::argument(r#"cache_scope must be "private" or "public""#));
                    }
                }
            }
            "sessions" => {
                self.sessions = match &*text(value)? {
                    "off" => Sessions::Off,
                    "fixed" => Sessions::Fixed,
                    "kept" => Sessions::Kept,
                    _ => return Err(Trouble::argument(r#"sessions must be "off", "fixed" or "kept""#)),
                }
            }
            "revisions" => self.revisions = revisions(value)?,
            "host_lists" => self.host_lists = host_lists(value)?,
            "allowed_hosts" => self.hosts = if value.is_null() { None } else { Some(texts(value)?) },
            "allowed_origins" => self.origins = texts(value)?,
            "experimental" => self.experimental = Some(object(value)?),
            "extensions" => self.extensions = Some(object(value)?),
            "experimental_tasks" => {
                self.experimental_tasks = match &*text(value)? {
                    "no" => ExperimentalTasks::No,
                    "offered" => ExperimentalTasks::Offered,
                    "listed" => ExperimentalTasks::Listed,
                    _ => {
                        let why = r#"experimental_tasks must be "no", "offered" or "listed""#;
                        return Err(Trouble::argument(why));
                    }
                }
            }
            "limits" => self.limits = limits(self.limits, value)?,
            "custom_methods" => {
                for method in texts(value)? {
                    catalog.add_custom_method(&method).map_err(|_| Trouble::NO_MEMORY)?;
                }
            }
            _ => return Err(Trouble::argument("there is no option of this name; README.md lists them")),
        }
        Ok(())
    }
}

fn flag(value: Raw<'_>) -> Done<bool> {
    value.bool().ok_or(Trouble::argument("this option must be true or false"))
}

fn text(value: Raw<'_>) -> Done<String> {
    let text = value.str().ok_or(Trouble::argument("this option must be a string"))?;
    let mut copy = Vec::new();
    text.decode(&mut copy)?;
    String::from_utf8(copy).map_err(|_| Trouble::Utf8("value"))
}

fn texts(value: Raw<'_>) -> Done<Vec<String>> {
    if !value.is_array() {
        return Err(Trouble::argument("this option must be a list of strings"));
    }
    if value.elements().count() > MAX_LISTED {
        return Err(Trouble::argument("this option can list 64 strings at most"));
    }
    let mut list = Vec::new();
    list.try_reserve_exact(value.elements().count()).map_err(|_| Trouble::NO_MEMORY)?;
    for element in value.elements() {
        list.push(text(element)?);
    }
    Ok(list)
}

fn object(value: Raw<'_>) -> Done<String> {
    if value.is_object() {
        compact(value)
    } else {
        Err(Trouble::argument("this option must be a JSON object"))
    }
}

/// As a result carries it, on one line.
fn compact(value: Raw<'_>) -> Done<String> {
    let mut one_line = Vec::new();
    Writer::new(&mut one_line).compact(value).map_err(|_| Trouble::NO_MEMORY)?;
    String::from_utf8(one_line).map_err(|_| Trouble::Utf8("value"))
}

fn info(value: Raw<'_>) -> Done<String> {
    for name in ["name", "version"] {
        if value.get(name).and_then(Raw::str).is_none_or(|text| text.is_empty()) {
            return Err(Trouble::argument("info needs non-empty strings \"name\" and \"version\""));
        }
    }
    compact(value)
}

fn revisions(value: Raw<'_>) -> Done<RevisionSet> {
    let mut set = RevisionSet::NONE;
    for name in texts(value)? {
        let revision = Revision::parse(&name).ok_or(Trouble::argument("revisions names an unknown one"))?;
        set = set.with(revision);
    }
    if set == RevisionSet::NONE {
        return Err(Trouble::argument("revisions must name at least one"));
    }
    Ok(set)
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

fn host_lists(value: Raw<'_>) -> Done<[bool; 4]> {
    let [mut tools, mut resources, mut prompts] = [false; 3];
    for name in texts(value)? {
        match &*name {
            "tools" => tools = true,
            "resources" | "templates" => resources = true,
            "prompts" => prompts = true,
            _ => {
                return Err(Trouble::argument(
                    r#"host_lists may name "tools", "resources", "templates", "prompts""#,
                ));
            }
        }
    }
    Ok([tools, resources, resources, prompts])
}

fn limits(mut limits: Limits, value: Raw<'_>) -> Done<Limits> {
    for (name, value) in value.members() {
        let number = value.u64().and_then(|number| usize::try_from(number).ok());
        if !number.is_some_and(|number| limits.set(&name.to_cow(), number)) {
            return Err(Trouble::argument("limits names an unknown limit, or a value it cannot have"));
        }
    }
    Ok(limits)
}
