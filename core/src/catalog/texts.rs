//! One definition as text: as it was given, and as each revision lists it.

#[cfg(feature = "alloc")]
pub(super) use kept::Texts;

use super::Kind;
use crate::json::{Full, Raw, Sink, Writer};
use crate::revision::translate;
use crate::revision::{Revision, fields};

/// Writes a definition as a list of that revision shows it.
pub(crate) fn write_listed<S: Sink + ?Sized>(
    kind: Kind,
    definition: Raw<'_>,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    match kind {
        Kind::Tool => translate::tool(definition, revision, w),
        Kind::Resource | Kind::Template => translate::object(definition, &fields::RESOURCE, revision, w),
        Kind::Prompt => translate::object(definition, &fields::PROMPT, revision, w),
    }
}

#[cfg(feature = "alloc")]
mod kept {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::{Kind, Raw, Revision, Writer, write_listed};

    /// The texts of a definition. Revisions that list it alike share one.
    #[derive(Clone, Debug)]
    pub(in crate::catalog) struct Texts {
        /// All that differ; the first is the definition as given.
        distinct: Vec<String>,
        /// By revision: which of them. One that is not there was not made.
        of: [u8; Revision::ALL.len()],
    }

    impl Texts {
        /// Translates a definition for every revision: once, here, and not for each request that lists it.
        pub(in crate::catalog) fn new(kind: Kind, definition: Raw<'_>) -> Self {
            let mut distinct = Vec::with_capacity(2);
            distinct.push(String::from(definition.text()));
            let of = Revision::ALL.map(|revision| {
                let mut out = Vec::with_capacity(definition.bytes().len());
                // Neither fails while there is memory; without it each request translates, as it does for other catalogues.
                let made = write_listed(kind, definition, revision, &mut Writer::new(&mut out)).is_ok();
                let Some(text) = String::from_utf8(out).ok().filter(|_| made) else { return u8::MAX };
                let at = distinct.iter().position(|known| *known == text).unwrap_or_else(|| {
                    distinct.push(text);
                    distinct.len() - 1
                });
                u8::try_from(at).unwrap_or(u8::MAX)
            });
            distinct.iter_mut().for_each(String::shrink_to_fit);
            Texts { distinct, of }
        }

        /// The definition as given.
        pub(in crate::catalog) fn definition(&self) -> Raw<'_> {
            Raw::trusted(self.distinct.first().map_or("{}", String::as_str))
        }

        /// As a revision lists it.
        pub(in crate::catalog) fn listed(&self, revision: Revision) -> Option<&str> {
            let which = self.of.get(revision as usize)?;
            self.distinct.get(usize::from(*which)).map(String::as_str)
        }

        /// How many texts are held.
        #[cfg(test)]
        pub(in crate::catalog) fn held(&self) -> usize {
            self.distinct.len()
        }
    }
}
