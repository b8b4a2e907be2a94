//! What a client said it can do: who may be asked for what.

use crate::json::Raw;
use crate::revision::{Revision, Span, fields};

/// Client capabilities that decide what a server may ask for.
///
/// A value that is not an object counts as not declared; unknown keys are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCapabilities {
    /// `roots`
    pub roots: bool,
    /// `sampling`
    pub sampling: bool,
    /// `sampling.tools` (from `2025-11-25`)
    pub sampling_tools: bool,
    /// `sampling.context` (from `2025-11-25`; before, context needed no capability)
    pub sampling_context: bool,
    /// `elicitation` by form (from `2025-06-18`): declared, or an empty `elicitation`
    pub elicit_form: bool,
    /// `elicitation.url` (from `2025-11-25`)
    pub elicit_url: bool,
    /// A tool call may be answered by a task: the client declared the extension `io.modelcontextprotocol/tasks` (from
    /// `2026-07-28`), or asked for one with this very call (`2025-11-25`)
    pub tasks: bool,
}

impl ClientCapabilities {
    /// None of them.
    pub(crate) const NONE: Self = ClientCapabilities {
        roots: false,
        sampling: false,
        sampling_tools: false,
        sampling_context: false,
        elicit_form: false,
        elicit_url: false,
        tasks: false,
    };

    /// The flags as bits, for saving.
    #[must_use]
    pub fn to_bits(self) -> u8 {
        let ClientCapabilities {
            roots,
            sampling,
            sampling_tools,
            sampling_context,
            elicit_form,
            elicit_url,
            tasks,
        } = self;
        let flags = [roots, sampling, sampling_tools, sampling_context, elicit_form, elicit_url, tasks];
        flags.into_iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(flag))
    }

    /// The flags of those bits; unknown bits are ignored.
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        let flag = |at: u8| bits >> at & 1 == 1;
        ClientCapabilities {
            roots: flag(0),
            sampling: flag(1),
            sampling_tools: flag(2),
            sampling_context: flag(3),
            elicit_form: flag(4),
            elicit_url: flag(5),
            tasks: flag(6),
        }
    }

    /// The same for a call that asks for a task.
    pub(crate) fn with_task(self, wanted: bool) -> Self {
        ClientCapabilities { tasks: self.tasks || wanted, ..self }
    }

    /// Reads a `ClientCapabilities` object as a peer of this revision means it.
    #[must_use]
    pub fn read(declared: Raw<'_>, revision: Revision) -> Self {
        let object = |raw: &Raw<'_>| raw.is_object();
        let [roots, sampling, elicitation, extensions] =
            declared.sift(&["roots", "sampling", "elicitation", "extensions"]).values;
        let has =
            |parent: Option<Raw<'_>>, key| parent.and_then(|parent| parent.get(key)).filter(object).is_some();
        let fine_grained = fields::CAPABILITY_DETAILS.has(revision);
        let [form, url] = elicitation.map_or([None; 2], |modes| modes.sift(&["form", "url"]).values);
        let modes = form.is_some() || url.is_some();
        let elicits = elicitation.filter(object).is_some() && fields::ELICITATION.has(revision);
        ClientCapabilities {
            roots: roots.filter(object).is_some(),
            sampling: sampling.filter(object).is_some(),
            sampling_tools: fine_grained && has(sampling, "tools"),
            sampling_context: sampling.filter(object).is_some()
                && (!fine_grained || has(sampling, "context")),
            elicit_form: elicits && (!fine_grained || !modes || form.filter(object).is_some()),
            elicit_url: fine_grained && elicits && url.filter(object).is_some(),
            tasks: Span::since(fields::EXTENSIONS_SINCE).has(revision) && has(extensions, fields::TASKS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str, revision: Revision) -> ClientCapabilities {
        ClientCapabilities::read(Raw::trusted(text), revision)
    }

    // proves: T-029
    #[test]
    fn only_objects_count() {
        let none = ClientCapabilities::default();
        assert_eq!(read(r#"{"roots":true,"sampling":null,"elicitation":[]}"#, Revision::NEWEST), none);
        assert!(read(r#"{"roots":{"listChanged":true}}"#, Revision::OLDEST).roots);
    }

    #[test]
    fn bits_keep_every_flag() {
        for bits in 0..128 {
            assert_eq!(ClientCapabilities::from_bits(bits).to_bits(), bits);
        }
    }

    // proves: T-055
    #[test]
    fn tasks_are_declared_in_the_newest_form_only() {
        let declared = r#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;
        assert!(read(declared, Revision::NEWEST).tasks);
        assert!(!read(declared, Revision::V2025_11_25).tasks);
        assert!(!read(r#"{"extensions":{"io.modelcontextprotocol/tasks":true}}"#, Revision::NEWEST).tasks);
        assert!(!read(r#"{"tasks":{}}"#, Revision::NEWEST).tasks);
    }

    #[test]
    fn empty_elicitation_means_form() {
        let newest = Revision::NEWEST;
        assert!(read(r#"{"elicitation":{}}"#, newest).elicit_form);
        assert!(!read(r#"{"elicitation":{"url":{}}}"#, newest).elicit_form);
        assert!(read(r#"{"elicitation":{"url":{}}}"#, newest).elicit_url);
        assert!(read(r#"{"elicitation":{"url":{}}}"#, Revision::V2025_06_18).elicit_form);
        assert!(!read(r#"{"elicitation":{}}"#, Revision::V2025_03_26).elicit_form);
    }
}
