//! What a server offers: tools, resources, resource templates and prompts, each as its JSON definition in the
//! newest shape plus the key it is asked for by.
//!
//! A catalogue only answers questions; it is shared by every session and exchange. [`Fixed`] borrows tables (they may
//! live in flash), [`Owned`] can change at run time.

mod check;
mod declare;
mod fixed;
#[cfg(feature = "alloc")]
mod owned;
pub(crate) mod param_headers;
mod texts;
mod tool;

pub use check::{MAX_NAME, entry};
pub use declare::{universal, universal_info};
pub use fixed::Fixed;
#[cfg(feature = "alloc")]
pub use owned::Owned;
pub(crate) use texts::write_listed;
pub use tool::ToolTraits;
pub(crate) use tool::{TaskSupport, Wrap};

use crate::json::{Raw, Str};
use crate::revision::Revision;
use crate::revision::methods::{Feature, Method};

/// The four kinds of things a catalogue lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Keyed by `name`.
    Tool,
    /// Keyed by `uri`.
    Resource,
    /// Keyed by `uriTemplate`.
    Template,
    /// Keyed by `name`.
    Prompt,
}

impl Kind {
    /// All four.
    pub const ALL: [Kind; 4] = [Kind::Tool, Kind::Resource, Kind::Template, Kind::Prompt];

    /// The member of a definition that is its key.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Kind::Tool | Kind::Prompt => "name",
            Kind::Resource => "uri",
            Kind::Template => "uriTemplate",
        }
    }

    /// The member of a list result that holds the definitions.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Kind::Tool => "tools",
            Kind::Resource => "resources",
            Kind::Template => "resourceTemplates",
            Kind::Prompt => "prompts",
        }
    }

    /// The method that lists them.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Kind::Tool => Method::ToolsList,
            Kind::Resource => Method::ResourcesList,
            Kind::Template => Method::ResourceTemplatesList,
            Kind::Prompt => Method::PromptsList,
        }
    }

    /// A short name for hosts: `tool`, `resource`, `template`, `prompt`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Tool => "tool",
            Kind::Resource => "resource",
            Kind::Template => "template",
            Kind::Prompt => "prompt",
        }
    }
}

/// One definition.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it is asked for by, decoded.
    pub key: &'a str,
    /// The definition as a JSON object, in the newest shape.
    pub definition: Raw<'a>,
}

impl<'a> Entry<'a> {
    /// An entry of a static table. Nothing is checked here: use [`entry()`] where that matters, and
    /// [`entry!`](crate::entry) where the key is not to be said twice.
    #[must_use]
    pub const fn new(key: &'a str, definition: &'a str) -> Self {
        Entry { key, definition: Raw::trusted(definition) }
    }
}

/// Something that knows what a server offers.
pub trait Catalog {
    /// How many entries of a kind there are.
    fn len(&self, kind: Kind) -> usize;

    /// The entry at a position, in listing order; `None` past the end.
    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>>;

    /// The position of the entry with that key.
    fn find(&self, kind: Kind, key: Str<'_>) -> Option<usize> {
        (0..self.len(kind)).find(|index| self.at(kind, *index).is_some_and(|entry| key == *entry.key))
    }

    /// The entry at a position as a list of that revision shows it: one JSON object on one line, made when the catalogue
    /// last changed. `None`: the caller translates the definition itself, at each request. `Owned` keeps these texts;
    /// a table in flash has no place for them.
    fn listed(&self, kind: Kind, index: usize, revision: Revision) -> Option<&str> {
        let _ = (kind, index, revision);
        None
    }

    /// What a call of the tool at a position needs to know of its definition. A catalogue that can keep it says it from
    /// memory, so that no call reads a definition.
    fn tool(&self, index: usize) -> Option<ToolTraits> {
        self.at(Kind::Tool, index).map(|entry| ToolTraits::of(entry.definition))
    }

    /// Whether the host answers this method, which the protocol does not know.
    fn custom_method(&self, method: Str<'_>) -> bool {
        let _ = method;
        false
    }

    /// Whether a server with this catalogue can have a feature at all; [`Profile`](crate::server::Profile) says whether it
    /// has. For firmware: where this is constant and `false`, the code of the feature is not linked. It must not be
    /// `false` for what the profile offers, nor [`Feature::Asks`] where handlers ask the client (then no client can be asked
    /// for anything), nor [`Feature::Translation`] where not all is [`universal()`].
    #[inline]
    fn can(&self, feature: Feature) -> bool {
        let _ = feature;
        true
    }
}

impl<C: Catalog + ?Sized> Catalog for &C {
    fn len(&self, kind: Kind) -> usize {
        (**self).len(kind)
    }
    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
        (**self).at(kind, index)
    }
    fn find(&self, kind: Kind, key: Str<'_>) -> Option<usize> {
        (**self).find(kind, key)
    }
    fn listed(&self, kind: Kind, index: usize, revision: Revision) -> Option<&str> {
        (**self).listed(kind, index, revision)
    }
    fn tool(&self, index: usize) -> Option<ToolTraits> {
        (**self).tool(index)
    }
    fn custom_method(&self, method: Str<'_>) -> bool {
        (**self).custom_method(method)
    }
    fn can(&self, feature: Feature) -> bool {
        (**self).can(feature)
    }
}
