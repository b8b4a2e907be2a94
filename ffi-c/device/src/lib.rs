//! An MCP server on a serial line for C firmware: `include/mcpgraft_device.h` tells how it is used.
//!
//! | file | what |
//! |---|---|
//! | here | the functions of the header |
//! | `device` | what they work on: the session, its lines, its output |
//! | `table` | the catalogue: definitions as C has them |
#![no_std]
#![warn(missing_docs)]

mod device;
mod table;

use core::ffi::c_char;
use core::panic::PanicInfo;

use mcpgraft::LocalError;
use mcpgraft::json::Raw;
use mcpgraft::model::Level;
use mcpgraft::server::{Failure, Log, Text};

use device::{Config, Device};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

const OK: u32 = 0;
const NULL: u32 = 100;
const NOT_UTF8: u32 = 101;

/// `mcpgraft_text`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CText {
    ptr: *const c_char,
    len: usize,
}

impl CText {
    const NONE: CText = CText { ptr: core::ptr::null(), len: 0 };

    fn of(text: &str) -> Self {
        CText { ptr: text.as_ptr().cast(), len: text.len() }
    }

    /// # Safety
    /// `len` readable bytes at `ptr`, or `len` is 0.
    unsafe fn str<'a>(self) -> Result<&'a str, u32> {
        if self.len == 0 {
            return Ok("");
        }
        if self.ptr.is_null() {
            return Err(NULL);
        }
        // SAFETY: the caller's.
        let bytes = unsafe { core::slice::from_raw_parts(self.ptr.cast::<u8>(), self.len) };
        core::str::from_utf8(bytes).map_err(|_| NOT_UTF8)
    }
}

fn status<T>(done: Result<T, LocalError>) -> u32 {
    done.map_or_else(|error| error.code(), |_| OK)
}

/// The device, if there is one.
///
/// # Safety
/// It was made by [`mcpgraft_device_init`], and nobody else is using it.
unsafe fn device<'a>(device: *mut Device) -> Result<&'a mut Device, u32> {
    // SAFETY: the caller's.
    unsafe { device.as_mut() }.ok_or(NULL)
}

fn told(done: Result<u32, u32>) -> u32 {
    done.unwrap_or_else(|status| status)
}

/// # Safety
/// As the header says; so for every function here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_init(memory: *mut Device, config: *const Config) -> u32 {
    // SAFETY: the caller's.
    let Some(config) = (unsafe { config.as_ref() }) else { return NULL };
    if memory.is_null() {
        return NULL;
    }
    // SAFETY: the memory is as large as a device (`device` checks the header's number), and aligned.
    told(unsafe { Device::init(memory, config) }.map(|()| OK))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_feed(memory: *mut Device, bytes: *const c_char, len: usize) -> u32 {
    if memory.is_null() || (bytes.is_null() && len > 0) {
        return NULL;
    }
    if len == 0 {
        return OK;
    }
    // SAFETY: the caller's. The device is borrowed anew by each function that a call's callback uses.
    unsafe { Device::feed(memory, core::slice::from_raw_parts(bytes.cast::<u8>(), len)) }
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_reply(memory: *mut Device, key: u64, result: CText) -> u32 {
    // SAFETY: the caller's.
    let parts = unsafe { device(memory).and_then(|device| Ok((device, result.str()?))) };
    told(parts.map(|(device, result)| {
        status(device.say(key, |session, server, key, out| session.reply(server, key, result, out)))
    }))
}

/// Most pieces of a text.
const PIECES: usize = 8;

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_reply_text(
    memory: *mut Device,
    key: u64,
    pieces: *const CText,
    count: usize,
    uri: CText,
    mime_type: CText,
) -> u32 {
    if pieces.is_null() && count > 0 {
        return NULL;
    }
    let mut texts = [""; PIECES];
    for at in 0..count {
        // SAFETY: the caller's.
        match (texts.get_mut(at), unsafe { (*pieces.add(at)).str() }) {
            (Some(text), Ok(piece)) => *text = piece,
            (None, _) => return LocalError::BadResult("").code(),
            (_, Err(status)) => return status,
        }
    }
    // SAFETY: the caller's.
    let parts = unsafe { device(memory).and_then(|device| Ok((device, uri.str()?, mime_type.str()?))) };
    told(parts.map(|(device, uri, mime_type)| {
        let pieces = texts.get(..count).unwrap_or_default();
        let text =
            Text { pieces, uri, mime_type: Some(mime_type).filter(|ty| !ty.is_empty()), ..Text::default() };
        status(device.say(key, |session, server, key, out| session.reply_text(server, key, &text, out)))
    }))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_fail(
    memory: *mut Device,
    key: u64,
    failure: u32,
    why: CText,
) -> u32 {
    // SAFETY: the caller's.
    let parts = unsafe { device(memory).and_then(|device| Ok((device, why.str()?))) };
    told(parts.map(|(device, why)| {
        let failure = match failure {
            0 => Failure::Tool(why),
            1 => Failure::NotFound(why),
            2 => Failure::InvalidParams(why),
            _ => Failure::Internal(why),
        };
        status(device.say(key, |session, server, key, out| session.fail(server, key, &failure, out)))
    }))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_progress(memory: *mut Device, key: u64, done: u32, of: u32) -> u32 {
    // SAFETY: the caller's.
    told(unsafe { device(memory) }.map(|device| {
        if device.is_batched(key) {
            return OK;
        }
        let of = Some(of).filter(|of| *of > 0);
        status(device.say(key, |session, _, key, out| session.progress_steps(key, done, of, out)))
    }))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_is_cancelled(memory: *const Device, key: u64) -> bool {
    // SAFETY: the caller's.
    unsafe { memory.as_ref() }.is_none_or(|device| device.is_cancelled(key))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_log(memory: *mut Device, level: u32, data: CText) -> u32 {
    // SAFETY: the caller's.
    let parts = unsafe { device(memory).and_then(|device| Ok((device, data.str()?))) };
    told(parts.map(|(device, data)| {
        let Some(level) = Level::ALL.get(level as usize).copied() else {
            return LocalError::NotAllowed("").code();
        };
        match mcpgraft::json::check(data.as_bytes(), 32) {
            Err(error) => LocalError::BadJson(error.kind).code(),
            Ok(data) => {
                let log = Log { level, logger: None, data };
                status(device.say(0, |session, server, _, out| session.log(server, None, &log, out)))
            }
        }
    }))
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_updated(memory: *mut Device, uri: CText) -> u32 {
    // SAFETY: the caller's.
    let parts = unsafe { device(memory).and_then(|device| Ok((device, uri.str()?))) };
    told(
        parts.map(|(device, uri)| {
            status(device.say(0, |session, _, _, out| session.resource_updated(uri, out)))
        }),
    )
}

/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_device_member(object: CText, name: CText) -> CText {
    // SAFETY: the caller's.
    let found = unsafe { object.str().and_then(|object| Ok((object, name.str()?))) };
    let found = found.ok().and_then(|(object, name)| Raw::trusted(object).get(name));
    found.map_or(CText::NONE, |value| CText::of(value.text()))
}
