//! What is true of the library and of every handle.

use std::ffi::c_void;

use crate::abi::{mcpgraft_status, mcpgraft_str};
use crate::exchange::ExchangePeer;
use crate::guard::{self, Held};
use crate::keys::Ring;
use crate::lines::Cutter;
use crate::peer::ListenerPeer;
use crate::server::Offered;
use crate::session::SessionPeer;
use crate::task::Kept;

/// Grows by one when a program has to be compiled anew: it is the number in the name `libmcpgraft.so.0`.
pub const MCPGRAFT_ABI_VERSION: u32 = 0;

/// Major version of this header.
pub const MCPGRAFT_VERSION_MAJOR: u32 = 0;

/// Minor version of this header.
pub const MCPGRAFT_VERSION_MINOR: u32 = 1;

/// Patch version of this header.
pub const MCPGRAFT_VERSION_PATCH: u32 = 0;

/// The version of this header as one number, a byte for each part: to compare in `#if`.
pub const MCPGRAFT_VERSION_NUMBER: u32 = 0x000100;

const KINDS: [u32; 7] = [
    Offered::MAGIC,
    SessionPeer::MAGIC,
    ExchangePeer::MAGIC,
    ListenerPeer::MAGIC,
    Cutter::MAGIC,
    Ring::MAGIC,
    Kept::MAGIC,
];

/// The `MCPGRAFT_ABI_VERSION` of the library that is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn mcpgraft_abi_version() -> u32 {
    MCPGRAFT_ABI_VERSION
}

/// The version of the library that is loaded, such as "0.1.0"; it ends in NUL.
#[unsafe(no_mangle)]
pub extern "C" fn mcpgraft_version() -> mcpgraft_str {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    mcpgraft_str { len: VERSION.len() - 1, ..mcpgraft_str::of(VERSION.as_bytes()) }
}

/// The name of a status, such as "unknown_call"; it ends in NUL. Absent for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mcpgraft_status_name(status: u32) -> mcpgraft_str {
    use mcpgraft_status::*;
    const NAMES: [(mcpgraft_status, &str); 20] = [
        (MCPGRAFT_OK, "ok\0"),
        (MCPGRAFT_OUTPUT_FULL, "output_full\0"),
        (MCPGRAFT_UNKNOWN_CALL, "unknown_call\0"),
        (MCPGRAFT_BAD_JSON, "bad_json\0"),
        (MCPGRAFT_BAD_RESULT, "bad_result\0"),
        (MCPGRAFT_BAD_DEFINITION, "bad_definition\0"),
        (MCPGRAFT_NOT_ALLOWED, "not_allowed\0"),
        (MCPGRAFT_BATCH_PENDING, "batch_pending\0"),
        (MCPGRAFT_OVER, "over\0"),
        (MCPGRAFT_NULL, "null\0"),
        (MCPGRAFT_NOT_UTF8, "not_utf8\0"),
        (MCPGRAFT_WRONG_HANDLE, "wrong_handle\0"),
        (MCPGRAFT_POISONED, "poisoned\0"),
        (MCPGRAFT_PANIC, "panic\0"),
        (MCPGRAFT_BUSY, "busy\0"),
        (MCPGRAFT_BAD_ARGUMENT, "bad_argument\0"),
        (MCPGRAFT_BAD_STRUCT, "bad_struct\0"),
        (MCPGRAFT_NOT_FOUND, "not_found\0"),
        (MCPGRAFT_NO_MEMORY, "no_memory\0"),
        (MCPGRAFT_BAD_SEAL, "bad_seal\0"),
    ];
    let found = NAMES.iter().find(|(known, _)| *known as u32 == status);
    found.map_or(mcpgraft_str::NONE, |(_, name)| mcpgraft_str {
        len: name.len() - 1,
        ..mcpgraft_str::of(name.as_bytes())
    })
}

/// Why the last call on a handle that failed has failed: for people, in English. Valid until the next call on the handle;
/// absent if there was none, or if it is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_detail(handle: *const c_void) -> mcpgraft_str {
    // SAFETY: the caller's promise.
    unsafe { guard::detail(handle, &KINDS) }
}

/// Ends a handle of any kind; NULL is none and is fine. Its views are gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_free(handle: *mut c_void) -> mcpgraft_status {
    if handle.is_null() {
        return mcpgraft_status::MCPGRAFT_OK;
    }
    // SAFETY: the caller's promise.
    let ended = unsafe {
        guard::end::<Offered>(handle)
            || guard::end::<SessionPeer>(handle)
            || guard::end::<ExchangePeer>(handle)
            || guard::end::<ListenerPeer>(handle)
            || guard::end::<Cutter>(handle)
            || guard::end::<Ring>(handle)
            || guard::end::<Kept>(handle)
    };
    if ended { mcpgraft_status::MCPGRAFT_OK } else { mcpgraft_status::MCPGRAFT_WRONG_HANDLE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::Trouble;
    use mcpgraft::LocalError;

    #[test]
    fn the_header_has_the_version_of_the_package() {
        let parts = [MCPGRAFT_VERSION_MAJOR, MCPGRAFT_VERSION_MINOR, MCPGRAFT_VERSION_PATCH];
        let package: Vec<u32> =
            env!("CARGO_PKG_VERSION").split('.').map(|part| part.parse().unwrap()).collect();
        assert_eq!(&parts[..], &package[..]);
        assert_eq!(parts.iter().fold(0, |number, part| number << 8 | part), MCPGRAFT_VERSION_NUMBER);
    }

    #[test]
    fn core_errors_keep_their_numbers_and_names() {
        for error in [
            LocalError::OutputFull,
            LocalError::UnknownCall,
            LocalError::BadResult(""),
            LocalError::BadDefinition(""),
            LocalError::NotAllowed(""),
            LocalError::BatchPending,
            LocalError::Over,
        ] {
            let status = Trouble::Local(error).status() as u32;
            assert_eq!(status, error.code());
            let name = mcpgraft_status_name(status);
            let name = unsafe { std::slice::from_raw_parts(name.ptr.cast::<u8>(), name.len) };
            assert_eq!(name, error.name().as_bytes());
        }
    }
}
