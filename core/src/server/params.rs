//! The parameters of a request, taken apart once: every step of the ladder finds what it needs here.

use super::era::Claim;
#[cfg(feature = "alloc")]
use crate::json::{Checker, JsonErrorKind};
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

/// Where `_meta` stands among the [`NAMES`].
#[cfg(feature = "alloc")]
const OWN_META: usize = 0;
#[cfg(feature = "alloc")]
const _: () = assert!(matches!(NAMES[OWN_META].as_bytes(), b"_meta"));

/// Where `clientInfo` stands in [`META`].
#[cfg(feature = "alloc")]
const CLIENT_INFO: usize = 2;
#[cfg(feature = "alloc")]
const _: () = assert!(matches!(META[CLIENT_INFO].as_bytes(), b"io.modelcontextprotocol/clientInfo"));

/// What every `Implementation` has.
const IMPLEMENTATION: [&str; 2] = ["name", "version"];

/// The parameters of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<'m> {
    /// By [`NAMES`], without those that are null; all absent if they are no object.
    pub(crate) named: Picked<'m, 13>,
    /// The members of `_meta` by [`META`]; all absent if it is no object.
    pub(crate) meta: Picked<'m, 5>,
    /// The members of `clientInfo` by [`IMPLEMENTATION`]. Small machines look for them when they are needed.
    #[cfg(feature = "alloc")]
    info: Picked<'m, 2>,
}

impl<'m> Params<'m> {
    /// Nothing.
    pub(super) const NONE: Self = Params {
        named: Picked::NONE,
        meta: Picked::NONE,
        #[cfg(feature = "alloc")]
        info: Picked::NONE,
    };

    /// Takes them apart, without judging anything.
    pub(crate) fn read(params: Option<Raw<'m>>) -> Self {
        let mut read = Params::NONE;
        let Some(params) = params else { return read };
        read.named.fill(params, &NAMES);
        read.drop_nulls();
        if let [Some(meta), ..] = read.named.values {
            read.meta.fill(meta, &META);
        }
        #[cfg(feature = "alloc")]
        if let [_, _, Some(info), ..] = read.meta.values {
            read.info.fill(info, &IMPLEMENTATION);
        }
        read
    }

    /// As [`Params::read`], while the text is checked.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(super) fn check(&mut self, checker: &mut Checker<'m>) -> Result<(), JsonErrorKind> {
        let Params { named, meta, info } = self;
        (*meta, *info) = (Picked::NONE, Picked::NONE);
        let mut nulls = false;
        checker.sift(&NAMES, named, |checker, at| match at {
            OWN_META => {
                // What an earlier one of the same name had does not count.
                *info = Picked::NONE;
                nulls |= checker.peek() == Some(b'n');
                let found = checker.sift(&META, meta, |checker, at| match at {
                    CLIENT_INFO => {
                        checker.sift(&IMPLEMENTATION, info, |checker, _| checker.member()).map(drop)
                    }
                    _ => checker.member(),
                });
                found.map(drop)
            }
            _ => {
                nulls |= checker.peek() == Some(b'n');
                checker.member()
            }
        })?;
        if nulls {
            self.drop_nulls();
        }
        Ok(())
    }

    /// A null is an absent one, except in payloads, which are not looked into here.
    fn drop_nulls(&mut self) {
        for value in &mut self.named.values {
            *value = value.filter(|value| !value.is_null());
        }
    }

    /// Whether `clientInfo` is an object with the members that every `Implementation` has.
    pub(crate) fn names_client(&self) -> bool {
        #[cfg(feature = "alloc")]
        return self.info.values.into_iter().all(|value| value.is_some_and(Raw::is_string));
        #[cfg(not(feature = "alloc"))]
        matches!(self.meta.values, [_, _, Some(info), ..] if is_implementation(info))
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

/// Whether it is an object with the two members every `Implementation` has.
pub(crate) fn is_implementation(info: Raw<'_>) -> bool {
    info.sift(&IMPLEMENTATION).values.into_iter().all(|value| value.is_some_and(Raw::is_string))
}
