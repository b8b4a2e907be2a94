//! What JavaScript gives, taken as what it must be. Nothing here runs JavaScript: no getter, no `toString`.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::{ptr, slice};

use mcpgraft::server::CallKey;
use napi::bindgen_prelude::FromNapiValue;
use napi::sys;

use crate::error::Trouble;

/// Texts up to this length, in bytes, are read in one call.
const SHORT: usize = 1024;

/// Longest piece that one character of a text may be short of the room for it.
const CUT: usize = 4;

/// Whole numbers below this are exact in JavaScript.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// An argument as it came, of any type, or left out. It is good for the running call.
#[derive(Clone, Copy)]
pub struct Arg {
    env: sys::napi_env,
    value: sys::napi_value,
}

impl FromNapiValue for Arg {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        Ok(Arg { env, value })
    }
}

// SAFETY of the calls below: `env` and `value` are those of the running call, whatever `value` is; napi says in its
// status what it is not.
impl Arg {
    /// An argument of the running call.
    pub(crate) const fn of(env: sys::napi_env, value: sys::napi_value) -> Self {
        Arg { env, value }
    }

    /// Whether it is `undefined`, `null` or left out.
    pub(crate) fn absent(self) -> bool {
        let mut kind = 0;
        // SAFETY: see above.
        let known = unsafe { sys::napi_typeof(self.env, self.value, &raw mut kind) };
        known == sys::Status::napi_ok
            && (kind == sys::ValueType::napi_undefined || kind == sys::ValueType::napi_null)
    }

    fn given(self) -> Option<Self> {
        (!self.absent()).then_some(self)
    }

    fn read(self) -> Option<Vec<u8>> {
        let mut short = [MaybeUninit::<u8>::uninit(); SHORT];
        let mut length = 0;
        // SAFETY: see above; there is room for `SHORT` bytes.
        let status = unsafe {
            sys::napi_get_value_string_utf8(
                self.env,
                self.value,
                short.as_mut_ptr().cast(),
                SHORT,
                &raw mut length,
            )
        };
        if status != sys::Status::napi_ok {
            return None;
        }
        if length + CUT < SHORT {
            // SAFETY: `length` bytes have been written.
            return Some(unsafe { slice::from_raw_parts(short.as_ptr().cast(), length) }.to_vec());
        }
        // SAFETY: see above; without room the length is told, and then there is room for that and a NUL.
        unsafe {
            sys::napi_get_value_string_utf8(self.env, self.value, ptr::null_mut(), 0, &raw mut length);
            let mut all: Vec<u8> = Vec::with_capacity(length + 1);
            let room = all.as_mut_ptr().cast();
            sys::napi_get_value_string_utf8(self.env, self.value, room, length + 1, &raw mut length);
            all.set_len(length);
            Some(all)
        }
    }

    fn view(&self) -> Option<Cow<'_, [u8]>> {
        let (mut kind, mut length, mut data, mut memory) = (0, 0, ptr::null_mut(), ptr::null_mut());
        let mut own = false;
        // SAFETY: see above.
        unsafe {
            let status = sys::napi_get_typedarray_info(
                self.env,
                self.value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                &raw mut memory,
                ptr::null_mut(),
            );
            if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
                return None;
            }
            if length == 0 || data.is_null() {
                return Some(Cow::Borrowed(&[]));
            }
            sys::napi_is_arraybuffer(self.env, memory, &raw mut own);
            let bytes = slice::from_raw_parts(data.cast::<u8>(), length);
            // What other threads may write to is read once.
            Some(if own { Cow::Borrowed(bytes) } else { Cow::Owned(bytes.to_vec()) })
        }
    }

    /// A string.
    pub(crate) fn text(self, name: &str) -> Result<String, Trouble> {
        let bytes = self.read().ok_or_else(|| Trouble::argument(format!("{name} must be a string")))?;
        // napi writes UTF-8, with U+FFFD for lone surrogates.
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// A string or nothing.
    pub(crate) fn maybe_text(self, name: &str) -> Result<Option<String>, Trouble> {
        self.given().map(|arg| arg.text(name)).transpose()
    }

    /// A string's UTF-8, or the bytes of a `Uint8Array` where they are.
    pub(crate) fn bytes(&self, name: &str) -> Result<Cow<'_, [u8]>, Trouble> {
        match self.read() {
            Some(text) => Ok(Cow::Owned(text)),
            None => self
                .view()
                .ok_or_else(|| Trouble::argument(format!("{name} must be a Uint8Array or a string"))),
        }
    }

    /// Bytes or nothing.
    pub(crate) fn maybe_bytes(&self, name: &str) -> Result<Option<Cow<'_, [u8]>>, Trouble> {
        if self.absent() { Ok(None) } else { self.bytes(name).map(Some) }
    }

    fn float(self) -> Option<f64> {
        let mut number = 0.0;
        // SAFETY: see above.
        let status = unsafe { sys::napi_get_value_double(self.env, self.value, &raw mut number) };
        (status == sys::Status::napi_ok).then_some(number)
    }

    /// A number that is not infinite.
    pub(crate) fn number(self, name: &str) -> Result<f64, Trouble> {
        let number = self.float().filter(|number| number.is_finite());
        number.ok_or_else(|| Trouble::argument(format!("{name} must be a finite number")))
    }

    pub(crate) fn maybe_number(self, name: &str) -> Result<Option<f64>, Trouble> {
        self.given().map(|arg| arg.number(name)).transpose()
    }

    /// A whole number from 0 to `most`.
    pub(crate) fn whole(self, name: &str, most: u64) -> Result<u64, Trouble> {
        let fits = |number: &f64| *number >= 0.0 && *number < EXACT && number.fract() == 0.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it fits
        let number = self.float().filter(fits).map(|number| number as u64);
        number.filter(|number| *number <= most).ok_or_else(|| {
            let most = most.min(EXACT as u64 - 1);
            Trouble::argument(format!("{name} must be a whole number from 0 to {most}"))
        })
    }

    pub(crate) fn maybe_whole(self, name: &str) -> Result<Option<u64>, Trouble> {
        self.given().map(|arg| arg.whole(name, u64::MAX)).transpose()
    }

    /// A JSON-RPC error code or nothing.
    pub(crate) fn maybe_code(self) -> Result<Option<i32>, Trouble> {
        let Some(number) = self.maybe_number("code")? else { return Ok(None) };
        let fits = number.fract() == 0.0 && number >= f64::from(i32::MIN) && number <= f64::from(i32::MAX);
        #[allow(clippy::cast_possible_truncation)] // it fits
        if fits { Ok(Some(number as i32)) } else { Err(Trouble::argument("code must be a 32-bit integer")) }
    }

    /// A call's key.
    pub(crate) fn key(self) -> Result<CallKey, Trouble> {
        self.whole("key", u64::MAX).map(call_key)
    }
}

/// Bits of a key's number: 13 for the tag, 32 for the generation, 8 for the slot; 53 in all are exact in JavaScript.
/// Sessions have no more than 256 slots, and tags are given out within their 13 bits.
pub(crate) const TAG_MASK: u16 = 0x1fff;

/// A key as a number that JavaScript can hold.
pub(crate) fn key_number(key: CallKey) -> u64 {
    let bits = key.to_bits();
    let (tag, generation, slot) = (bits >> 48, bits >> 16 & 0xffff_ffff, bits & 0xff);
    (tag & u64::from(TAG_MASK)) << 40 | generation << 8 | slot
}

fn call_key(number: u64) -> CallKey {
    let (tag, generation, slot) = (number >> 40, number >> 8 & 0xffff_ffff, number & 0xff);
    CallKey::from_bits(tag << 48 | generation << 16 | slot)
}
