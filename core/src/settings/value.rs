//! The values of settings, read from JSON.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Full, Raw, Str, Writer};
use crate::model::is_extension;
use crate::{Revision, RevisionSet};

/// What is wrong with a value, before it is known of which setting.
pub(super) enum Wrong<'r> {
    /// What it takes, and the JSON text of what it does not.
    Must(&'static str, &'r str),
    Unknown,
    NoMemory,
}

impl From<Full> for Wrong<'_> {
    fn from(_: Full) -> Self {
        Wrong::NoMemory
    }
}

pub(super) type Done<'r, T> = Result<T, Wrong<'r>>;

/// Which lists the host makes itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HostLists {
    pub(super) tools: bool,
    pub(super) resources: bool,
    pub(super) prompts: bool,
}

/// What a message about a value shows of it.
pub(super) fn beginning(text: &str) -> &str {
    let end = (0..=text.len().min(80)).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

pub(super) fn flag(value: Raw<'_>) -> Done<'_, bool> {
    value.bool().ok_or(Wrong::Must("true or false", value.text()))
}

pub(super) fn owned<'r>(text: Str<'_>) -> Done<'r, String> {
    let mut copy = Vec::new();
    text.decode(&mut copy)?;
    String::from_utf8(copy).map_err(|_| Wrong::NoMemory) // it is UTF-8: what was decoded is
}

pub(super) fn texts<'r>(value: Raw<'r>) -> Done<'r, Vec<String>> {
    let must = |found: Raw<'r>| Wrong::Must("an array of strings", found.text());
    if !value.is_array() {
        return Err(must(value));
    }
    let mut list = Vec::new();
    list.try_reserve_exact(value.elements().count()).map_err(|_| Wrong::NoMemory)?;
    for element in value.elements() {
        list.push(owned(element.str().ok_or(must(element))?)?);
    }
    Ok(list)
}

pub(super) fn one_of<'r, T: Copy, const N: usize>(
    value: Raw<'r>,
    known: [(&str, T); N],
    must: &'static str,
) -> Done<'r, T> {
    let found = value.str().and_then(|text| known.iter().find(|(word, _)| text == **word));
    found.map(|(_, meant)| *meant).ok_or(Wrong::Must(must, value.text()))
}

/// A JSON object as a result carries it, on one line.
pub(super) fn object(value: Raw<'_>) -> Done<'_, String> {
    if !value.is_object() {
        return Err(Wrong::Must("a JSON object", value.text()));
    }
    let mut line = Vec::new();
    Writer::new(&mut line).compact(value)?;
    String::from_utf8(line).map_err(|_| Wrong::NoMemory) // it is UTF-8: the value is
}

pub(super) fn info(value: Raw<'_>) -> Done<'_, String> {
    let named = |name| value.get(name).and_then(Raw::str).is_some_and(|text| !text.is_empty());
    if named("name") && named("version") {
        object(value)
    } else {
        Err(Wrong::Must("an object with non-empty strings \"name\" and \"version\"", value.text()))
    }
}

pub(super) fn extensions(value: Raw<'_>) -> Done<'_, String> {
    let text = object(value)?;
    for (name, settings) in value.members() {
        if !is_extension(&owned(name)?) {
            return Err(Wrong::Must("named with a prefix, as in \"com.example/name\"", name.escaped()));
        }
        if !settings.is_object() {
            return Err(Wrong::Must("an object of objects", settings.text()));
        }
    }
    Ok(text)
}

pub(super) fn revisions<'r>(value: Raw<'r>) -> Done<'r, RevisionSet> {
    let must =
        |found: Raw<'r>| Wrong::Must("an array of revisions of the protocol, at least one", found.text());
    let mut set = RevisionSet::NONE;
    for name in value.elements() {
        let revision =
            name.str().and_then(|name| Revision::ALL.into_iter().find(|known| name == known.name()));
        set = set.with(revision.ok_or(must(name))?);
    }
    if set == RevisionSet::NONE { Err(must(value)) } else { Ok(set) }
}

pub(super) fn host_lists<'r>(value: Raw<'r>) -> Done<'r, HostLists> {
    let must = |found: Raw<'r>| {
        Wrong::Must(r#"an array of "tools", "resources", "templates" or "prompts""#, found.text())
    };
    if !value.is_array() {
        return Err(must(value));
    }
    let mut lists = HostLists::default();
    for name in value.elements() {
        let text = name.str().ok_or(must(name))?;
        match () {
            () if text == "tools" => lists.tools = true,
            () if text == "resources" || text == "templates" => lists.resources = true,
            () if text == "prompts" => lists.prompts = true,
            () => return Err(must(name)),
        }
    }
    Ok(lists)
}
