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
        Kind::Resource | Kind::Template => translate::simple(definition, &fields::RESOURCE, revision, w),
        Kind::Prompt => translate::simple(definition, &fields::PROMPT, revision, w),
    }
}

#[cfg(feature = "alloc")]
mod kept {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::super::universal;
    use super::{Full, Kind, Raw, Revision, Writer, write_listed};

    /// The texts of a definition. Revisions that list it alike share one.
    #[derive(Clone, Debug)]
    pub(in crate::catalog) struct Texts {
        /// All that differ; the first is the definition as given.
        distinct: Vec<String>,
        /// By revision: which of them.
        of: [u8; Revision::ALL.len()],
    }

    /// Adds a copy of a text, and says where it is.
    fn keep(texts: &mut Vec<String>, text: &str) -> Result<usize, Full> {
        let mut copy = String::new();
        copy.try_reserve_exact(text.len()).map_err(|_| Full)?;
        copy.push_str(text);
        texts.try_reserve(1).map_err(|_| Full)?;
        texts.push(copy);
        Ok(texts.len() - 1)
    }

    impl Texts {
        /// Translates a definition for every revision: once, here, and not for each request that lists it.
        ///
        /// # Errors
        /// [`Full`] if no memory is left.
        pub(in crate::catalog) fn new(kind: Kind, definition: Raw<'_>) -> Result<Self, Full> {
            let (mut distinct, mut of) = (Vec::new(), [0; Revision::ALL.len()]);
            keep(&mut distinct, definition.text())?;
            if universal(kind, definition.text()) {
                return Ok(Texts { distinct, of });
            }
            let mut out = Vec::new();
            for (revision, of) in Revision::ALL.into_iter().zip(&mut of) {
                out.clear();
                write_listed(kind, definition, revision, &mut Writer::new(&mut out))?;
                let text = str::from_utf8(&out).map_err(|_| Full)?;
                let at = match distinct.iter().position(|known| *known == text) {
                    Some(at) => at,
                    None => keep(&mut distinct, text)?,
                };
                *of = u8::try_from(at).unwrap_or(u8::MAX);
            }
            Ok(Texts { distinct, of })
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
