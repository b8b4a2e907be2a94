//! A catalogue of borrowed tables.

use super::{Catalog, Entry, Kind};
use crate::json::Str;

/// A catalogue that never changes; its tables may be constants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixed<'a> {
    /// Tools, in listing order.
    pub tools: &'a [Entry<'a>],
    /// Resources, in listing order.
    pub resources: &'a [Entry<'a>],
    /// Resource templates, in the order they are tried.
    pub templates: &'a [Entry<'a>],
    /// Prompts, in listing order.
    pub prompts: &'a [Entry<'a>],
    /// Methods outside the protocol that the host answers.
    pub custom_methods: &'a [&'a str],
}

impl<'a> Fixed<'a> {
    fn table(&self, kind: Kind) -> &'a [Entry<'a>] {
        match kind {
            Kind::Tool => self.tools,
            Kind::Resource => self.resources,
            Kind::Template => self.templates,
            Kind::Prompt => self.prompts,
        }
    }
}

impl Catalog for Fixed<'_> {
    fn len(&self, kind: Kind) -> usize {
        self.table(kind).len()
    }

    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
        self.table(kind).get(index).copied()
    }

    fn custom_method(&self, method: Str<'_>) -> bool {
        self.custom_methods.iter().any(|name| method == **name)
    }
}
