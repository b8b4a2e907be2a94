//! JSON-RPC error codes of the protocol (basic/index of `2026-07-28`, "Error Codes").

use super::Revision;

/// The text is not JSON, or not UTF-8.
pub const PARSE_ERROR: i32 = -32700;
/// JSON, but not a valid JSON-RPC message.
pub const INVALID_REQUEST: i32 = -32600;
/// No such method, or not in this revision, or of a feature the server does not offer.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// A parameter is missing or wrong; an unknown tool or prompt; a bad cursor.
pub const INVALID_PARAMS: i32 = -32602;
/// The server failed.
pub const INTERNAL_ERROR: i32 = -32603;
/// Resource not found, until `2025-11-25`; must not be sent after it.
pub const RESOURCE_NOT_FOUND: i32 = -32002;
/// URL elicitation required, `2025-11-25` only.
pub const URL_ELICITATION_REQUIRED: i32 = -32042;
/// A mirror header is missing, malformed, or says something else than the body (`2026-07-28`, HTTP).
pub const HEADER_MISMATCH: i32 = -32020;
/// The request needs a client capability it did not declare (`2026-07-28`).
pub const MISSING_CAPABILITY: i32 = -32021;
/// The revision named in `_meta` is not served (`2026-07-28`).
pub const UNSUPPORTED_VERSION: i32 = -32022;

/// Whether a handler may send `code` to a peer of `revision`.
///
/// Codes from -32768 to -32000 are the protocol's; of those only the ones with a meaning in that revision may be
/// sent. Everything outside is free for applications.
#[must_use]
pub fn may_send(code: i32, revision: Revision) -> bool {
    match code {
        PARSE_ERROR | INVALID_REQUEST | METHOD_NOT_FOUND | INVALID_PARAMS | INTERNAL_ERROR => true,
        RESOURCE_NOT_FOUND => revision.row().resource_not_found == RESOURCE_NOT_FOUND,
        URL_ELICITATION_REQUIRED => revision == Revision::V2025_11_25,
        HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION => revision.is_stateless(),
        _ => !(-32768..=-32000).contains(&code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: S-030, S-031, S-032, S-033, S-035, T-007
    #[test]
    fn reserved_codes_stay_in_their_revision() {
        assert!(may_send(RESOURCE_NOT_FOUND, Revision::V2025_11_25));
        assert!(!may_send(RESOURCE_NOT_FOUND, Revision::V2026_07_28));
        assert!(!may_send(MISSING_CAPABILITY, Revision::V2025_11_25));
        assert!(!may_send(-32000, Revision::V2025_03_26));
        assert!(may_send(-1, Revision::V2025_03_26));
        assert!(may_send(1001, Revision::V2026_07_28));
    }
}
