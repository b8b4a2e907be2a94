//! Sealed opaque strings: request states, session ids, cursors.

use mcpgraft::seal::state::{self, Binding};
use mcpgraft::seal::{BadSecret, Keys, MAX_SEALED_BYTES, NONCE_BYTES};

use crate::abi::{mcpgraft_binding, mcpgraft_keys, mcpgraft_status, mcpgraft_str};
use crate::guard::{Done, Handle, Held, alone, bytes, enter, maybe, place, sized, utf8};
use crate::trouble::Trouble;

/// Random bytes that each sealing needs; never the same twice.
pub const MCPGRAFT_NONCE_BYTES: usize = 24;

const _: () = assert!(MCPGRAFT_NONCE_BYTES == NONCE_BYTES);

/// Most secrets of a ring.
const MAX_SECRETS: usize = 64;

/// A ring of keys, and the text it gave out last.
pub(crate) struct Ring {
    keys: Keys,
    text: Vec<u8>,
}

impl Held for Ring {
    const MAGIC: u32 = 0x6d63_7006;
}

impl Ring {
    fn keep(&mut self, text: Vec<u8>) -> mcpgraft_str {
        self.text = text;
        mcpgraft_str::of(&self.text)
    }
}

const BAD_SEAL: Trouble =
    Trouble::Plain(mcpgraft_status::MCPGRAFT_BAD_SEAL, "the sealed text is not valid here");

/// Why so many bytes could not be sealed.
fn unsealed(len: usize) -> Trouble {
    // Base 64 makes four of three; a hundred bytes are more than what is added.
    if len / 3 * 4 + 100 > MAX_SEALED_BYTES {
        Trouble::argument("the text is too long to be sealed")
    } else {
        Trouble::NO_MEMORY
    }
}

/// Makes a ring of keys from `count` secrets of at least 16 bytes each: the first seals, all of them open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_keys_new(
    secrets: *const mcpgraft_str,
    count: usize,
    keys: *mut *mut mcpgraft_keys,
) -> mcpgraft_status {
    alone(|| {
        // SAFETY: the caller's promise.
        let place = unsafe { place("keys", keys) }?;
        if secrets.is_null() {
            return Err(Trouble::Null("secrets"));
        }
        if count == 0 || count > MAX_SECRETS || !secrets.is_aligned() {
            return Err(Trouble::argument("there must be 1 to 64 secrets"));
        }
        // SAFETY: the caller's promise.
        let list = unsafe { std::slice::from_raw_parts(secrets, count) };
        let mut given = [&[][..]; MAX_SECRETS];
        for (place, secret) in given.iter_mut().zip(list) {
            // SAFETY: the caller's promise.
            *place = unsafe { bytes("secrets", *secret) }?;
        }
        let ring = Keys::new(given.into_iter().take(count)).map_err(|error| match error {
            BadSecret::NoMemory => Trouble::NO_MEMORY,
            _ => Trouble::argument("a secret must have at least 16 bytes"),
        })?;
        place.put(Handle::create(Ring { keys: ring, text: Vec::new() })?.cast());
        Ok(())
    })
}

/// A nonce of C.
///
/// # Safety
/// NULL, or 24 bytes can be read there.
unsafe fn nonce(nonce: *const u8) -> Done<[u8; NONCE_BYTES]> {
    if nonce.is_null() {
        return Err(Trouble::Null("nonce"));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { nonce.cast::<[u8; NONCE_BYTES]>().read_unaligned() })
}

/// A binding of C.
///
/// # Safety
/// NULL, or a structure whose texts can be read.
unsafe fn binding<'c>(binding: *const mcpgraft_binding) -> Done<Binding<'c>> {
    // SAFETY: the caller's promise.
    unsafe {
        sized("binding", binding)?;
        let given = &*binding;
        Ok(Binding {
            method: utf8("binding.method", given.method)?,
            target: utf8("binding.target", given.target)?,
            arguments: crate::json::value("binding.arguments", given.arguments)?,
            principal: maybe("binding.principal", given.principal)?,
        })
    }
}

/// Seals bytes for a purpose: they can be neither read nor changed by others. `nonce`: `MCPGRAFT_NONCE_BYTES` random bytes.
/// `sealed` is URL-safe text, valid until the next call on `keys`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_keys_seal(
    keys: *mut mcpgraft_keys,
    purpose: mcpgraft_str,
    plain: mcpgraft_str,
    nonce: *const u8,
    sealed: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |ring: &mut Ring| {
        // SAFETY: the caller's promise.
        let (purpose, plain, nonce, place) = unsafe {
            let place = place("sealed", sealed)?;
            (utf8("purpose", purpose)?, bytes("plain", plain)?, self::nonce(nonce)?, place)
        };
        let text = ring.keys.seal(purpose, plain, nonce).map_err(|_| unsealed(plain.len()))?;
        place.put(ring.keep(text.into_bytes()));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(keys.cast(), work) }
}

/// Opens what was sealed for the same purpose with any key of the ring. `MCPGRAFT_BAD_SEAL`: it does not open, or no memory is
/// left. `plain` is valid until the next call on `keys`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_keys_open(
    keys: *mut mcpgraft_keys,
    purpose: mcpgraft_str,
    sealed: mcpgraft_str,
    plain: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |ring: &mut Ring| {
        // SAFETY: the caller's promise.
        let (purpose, sealed, place) =
            unsafe { (utf8("purpose", purpose)?, utf8("sealed", sealed)?, place("plain", plain)?) };
        let text = ring.keys.open(purpose, sealed).map_err(|_| BAD_SEAL)?;
        place.put(ring.keep(text));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(keys.cast(), work) }
}

/// Seals a state for `mcpgraft_require_input`: how many times the client was asked (`round`, from 1), and what the host keeps
/// (`kept`, JSON). `now` is in ms since 1970, `ttl` in ms. It opens only with the same binding, until its time is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_keys_seal_state(
    keys: *mut mcpgraft_keys,
    binding: *const mcpgraft_binding,
    round: u16,
    kept: mcpgraft_str,
    now: u64,
    ttl: u64,
    nonce: *const u8,
    sealed: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |ring: &mut Ring| {
        // SAFETY: the caller's promise.
        let (binding, kept, nonce, place) = unsafe {
            let place = place("sealed", sealed)?;
            (self::binding(binding)?, utf8("kept", kept)?, self::nonce(nonce)?, place)
        };
        let text = state::seal(&ring.keys, &binding, round, kept, now, ttl, nonce);
        let text = text.map_err(|_| unsealed(kept.len() + 64))?;
        place.put(ring.keep(text.into_bytes()));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(keys.cast(), work) }
}

/// Opens a state that came back with a call (`request_state`). `nonce` (`MCPGRAFT_NONCE_BYTES`) is the one it was sealed with,
/// for hosts that let a state be used once. `kept` is valid until the next call on `keys`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_keys_open_state(
    keys: *mut mcpgraft_keys,
    binding: *const mcpgraft_binding,
    sealed: mcpgraft_str,
    now: u64,
    round: *mut u16,
    kept: *mut mcpgraft_str,
    nonce: *mut u8,
) -> mcpgraft_status {
    let work = |ring: &mut Ring| {
        // SAFETY: the caller's promise.
        let (binding, sealed, round, kept, nonce) = unsafe {
            let places = (place("round", round)?, place("kept", kept)?, place("nonce", nonce)?);
            (self::binding(binding)?, utf8("sealed", sealed)?, places.0, places.1, places.2)
        };
        let state = state::open(&ring.keys, &binding, sealed, now).map_err(|_| BAD_SEAL)?;
        round.put(state.round);
        nonce.all(state.nonce);
        kept.put(ring.keep(state.kept.into_bytes()));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(keys.cast(), work) }
}
