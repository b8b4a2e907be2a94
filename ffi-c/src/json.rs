//! JSON for hosts that have no library for it: one member, one string. JSON stays text.

use std::ffi::c_char;

use mcpgraft::json::{self, Raw, Sink, SliceSink};

use crate::abi::{mcpgraft_status, mcpgraft_str};
use crate::guard::{Done, alone, bytes, place, utf8};
use crate::trouble::Trouble;

/// One JSON value of C.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn value<'c>(name: &'static str, text: mcpgraft_str) -> Done<Raw<'c>> {
    // SAFETY: the caller's promise.
    json::check(unsafe { bytes(name, text) }?, json::MAX_DEPTH).map_err(|error| Trouble::Json(name, error))
}

/// The same, if there is one.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn maybe<'c>(name: &'static str, text: mcpgraft_str) -> Done<Option<Raw<'c>>> {
    if text.ptr.is_null() && text.len == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { value(name, text) }.map(Some)
}

/// The member of that name of a JSON object, as JSON: a view of `json`. `MCPGRAFT_NOT_FOUND`: it has none, or is no object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_json_get(
    json: mcpgraft_str,
    name: mcpgraft_str,
    member: *mut mcpgraft_str,
) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let (json, name, place) =
            unsafe { (bytes("json", json)?, utf8("name", name)?, place("member", member)?) };
        let found =
            json::member(json, name, json::MAX_DEPTH).map_err(|error| Trouble::Json("json", error))?;
        let found =
            found.ok_or(Trouble::Plain(mcpgraft_status::MCPGRAFT_NOT_FOUND, "there is no such member"))?;
        place.put(mcpgraft_str::of(found.bytes()));
        Ok(())
    })
}

/// A buffer of C.
///
/// # Safety
/// `room` bytes can be written at `buffer`, unless it is NULL.
unsafe fn buffer<'c>(buffer: *mut c_char, room: usize) -> Done<&'c mut [u8]> {
    if buffer.is_null() {
        return if room == 0 { Ok(&mut []) } else { Err(Trouble::Null("buffer")) };
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts_mut(buffer.cast(), room.min(isize::MAX as usize)) })
}

/// What a JSON string says, decoded into `buffer`; `len` gets its length, which is never greater than `json.len`. No NUL is
/// added.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_json_text(
    json: mcpgraft_str,
    buffer: *mut c_char,
    room: usize,
    len: *mut usize,
) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let (json, place, buffer) =
            unsafe { (value("json", json)?, place("len", len)?, self::buffer(buffer, room)?) };
        let text = json.str().ok_or(Trouble::argument("json is no string"))?;
        let mut out = SliceSink::new(buffer);
        text.decode(&mut out).map_err(mcpgraft::LocalError::from)?;
        place.put(out.len());
        Ok(())
    })
}

/// A text as a JSON string, with its quotes, into `buffer`; `len` gets its length, at most 6 * `text.len` + 2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_json_quote(
    text: mcpgraft_str,
    buffer: *mut c_char,
    room: usize,
    len: *mut usize,
) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let (text, place, buffer) =
            unsafe { (utf8("text", text)?, place("len", len)?, self::buffer(buffer, room)?) };
        let mut out = SliceSink::new(buffer);
        json::Writer::new(&mut out).string(text).map_err(mcpgraft::LocalError::from)?;
        place.put(out.len());
        Ok(())
    })
}
