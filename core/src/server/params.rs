//! The parameters of a request, taken apart once: every step of the ladder finds what it needs here.

use super::era::Claim;
use crate::json::{Picked, Raw};
use crate::revision::fields::meta;
use crate::revision::{Era, RevisionSet};

/// The parameters that some method has.
pub(crate) const NAMES: [&str; 13] = [
    "_meta",
    "name",
    "arguments",
    "uri",
    "cursor",
    "level",
    "ref",
    "argument",
    "context",
    "inputResponses",
    "requestState",
    "taskId",
    "task",
];

/// The keys of `_meta` that a request may have.
pub(crate) const META: [&str; 5] = [
    meta::PROTOCOL_VERSION,
    meta::CLIENT_CAPABILITIES,
    meta::CLIENT_INFO,
    meta::LOG_LEVEL,
    meta::PROGRESS_TOKEN,
];

/// The parameters of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<'m> {
    /// By [`NAMES`], without those that are null; all absent if they are no object.
    pub(crate) named: Picked<'m, 13>,
    /// The members of `_meta` by [`META`]; all absent if it is no object.
    pub(crate) meta: Picked<'m, 5>,
}

impl<'m> Params<'m> {
    /// Takes them apart, without judging anything.
    pub(crate) fn read(params: Option<Raw<'m>>) -> Self {
        let mut read = Params { named: Picked::NONE, meta: Picked::NONE };
        let Some(params) = params else { return read };
        read.named.fill(params, &NAMES);
        // A null is an absent one, except in payloads, which are not looked into here.
        for value in &mut read.named.values {
            *value = value.filter(|value| !value.is_null());
        }
        if let [Some(meta), ..] = read.named.values {
            read.meta.fill(meta, &META);
        }
        read
    }

    /// The sign of a stateless request, without judging it. Where none is served, there is none to see.
    pub(crate) fn claim(&self, served: RevisionSet) -> Claim {
        let [version, capabilities, info, ..] = self.meta.values;
        if !served.serves(Era::Stateless) {
            return Claim::default();
        }
        Claim { version: version.is_some(), other: capabilities.is_some() || info.is_some() }
    }
}
