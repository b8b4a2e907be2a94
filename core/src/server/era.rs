//! How a message says which era it belongs to: the `_meta` envelope of a stateless request (basic/index of
//! `2026-07-28`, "`_meta`"), or the `initialize` handshake before it (basic/lifecycle).

use super::Server;
use super::fault::Fault;
use super::mirror::Mirror;
use super::params::{META, Params, is_implementation};
use crate::catalog::Catalog;
use crate::json::Raw;
use crate::jsonrpc::Request;
use crate::model::{ClientCapabilities, Level};
use crate::revision::fields::meta;
use crate::revision::{Revision, RevisionSet};

/// What the envelope says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'m> {
    pub(crate) revision: Revision,
    pub(crate) declared: Raw<'m>,
    pub(crate) capabilities: ClientCapabilities,
    pub(crate) client_info: Option<Raw<'m>>,
    pub(crate) level: Option<Level>,
}

/// Which envelope keys a request has: the sign of its era.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claim {
    /// It names a version: a stateless request, whatever else it is.
    pub(crate) version: bool,
    /// It has another key that only stateless requests have.
    pub(crate) other: bool,
}

/// Looks for the sign of a stateless request, without judging it. Where none is served, there is none to see.
pub(crate) fn claim(params: Option<Raw<'_>>, served: RevisionSet) -> Claim {
    Params::read(params).claim(served)
}

/// Reads and judges the envelope: shape, mirrored version, served version, the optional keys, mirrored method.
pub(crate) fn open<'m, C: Catalog>(
    request: &Request<'m>,
    params: &Params<'m>,
    server: &Server<'_, C>,
    mirror: &impl Mirror,
) -> Result<Envelope<'m>, Fault<'m>> {
    let missing = |field, expected| Fault::Envelope { field, expected };
    let [version, declared, client_info, level, _] = params.meta.values;
    if let Some(field) =
        params.meta.twice.and_then(|at| META.get(at)).filter(|name| **name != meta::PROGRESS_TOKEN)
    {
        return Err(Fault::Twice { field });
    }
    let version =
        version.and_then(Raw::str).ok_or(missing(meta::PROTOCOL_VERSION, "a string naming a revision"))?;
    let declared =
        declared.filter(|raw| raw.is_object()).ok_or(missing(meta::CLIENT_CAPABILITIES, "an object"))?;
    mirror.version(version)?;
    let revision = Revision::of(version)
        .filter(|revision| revision.is_stateless() && server.profile.revisions.has(*revision))
        .ok_or(Fault::Version { requested: version })?;
    let client_info = client_info.filter(|raw| !raw.is_null());
    if client_info.is_some() && !params.names_client() {
        return Err(missing(meta::CLIENT_INFO, "an object with string \"name\" and \"version\""));
    }
    let level = match level.filter(|raw| !raw.is_null()) {
        None => None,
        Some(level) => Some(
            level
                .str()
                .and_then(Level::of)
                .ok_or(missing(meta::LOG_LEVEL, "a log level such as \"info\""))?,
        ),
    };
    mirror.method(request.method)?;
    let capabilities = server.client(declared, revision);
    Ok(Envelope { revision, declared, capabilities, client_info, level })
}

/// What to say to a request that has no version where one is needed.
pub(crate) fn no_version<'m>() -> Fault<'m> {
    Fault::Envelope { field: meta::PROTOCOL_VERSION, expected: "a string naming a revision" }
}

/// What an `initialize` request asks for, and the revision that answers it (basic/lifecycle, "Initialization").
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'m> {
    pub(crate) revision: Revision,
    pub(crate) capabilities: Raw<'m>,
    pub(crate) client_info: Raw<'m>,
}

/// Reads an `initialize` request and negotiates.
pub(crate) fn opening<'m>(request: &Request<'m>, served: RevisionSet) -> Result<Opening<'m>, Fault<'m>> {
    const KEYS: [&str; 3] = ["protocolVersion", "capabilities", "clientInfo"];
    let params = request.params.filter(|params| params.is_object()).ok_or(Fault::Params)?;
    let [asked, capabilities, client_info] =
        params.pick(KEYS).map_err(|at| Fault::Twice { field: KEYS.get(at).copied().unwrap_or("params") })?;
    let missing = |field, expected| Fault::Param { field, expected };
    let asked = asked.and_then(Raw::str).ok_or(missing("protocolVersion", "a string"))?;
    let revision = served.negotiate(Revision::of(asked)).ok_or(Fault::Version { requested: asked })?;
    let capabilities =
        capabilities.filter(|raw| raw.is_object()).ok_or(missing("capabilities", "an object"))?;
    let client_info = client_info
        .filter(|info| is_implementation(*info))
        .ok_or(missing("clientInfo", "an object with string \"name\" and \"version\""))?;
    Ok(Opening { revision, capabilities, client_info })
}
