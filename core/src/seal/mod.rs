//! Sealed opaque strings: what a server gives to a client and wants back unread and unchanged, on any worker.
//!
//! [`Keys`] seals bytes; [`state`] says what goes into the `requestState` of a question to the client
//! (basic/patterns/mrtr of `2026-07-28`: "servers MUST treat requestState as untrusted input").
//!
//! ```text
//! text = "v1." base64url( key id (4) || nonce (24) || XChaCha20-Poly1305( plain, aad = "v1." purpose ) )
//! ```
//! The nonce is given by the host, 24 random bytes: long enough that workers need not agree on one. Keys come from
//! secrets by HKDF-SHA-256; the purpose is authenticated, so that a text of one kind is never taken for another.

pub mod state;

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 24;

/// Shortest secret, in bytes.
pub const MIN_SECRET_BYTES: usize = 16;

/// Longest sealed text that is looked at, in bytes.
pub const MAX_SEALED_BYTES: usize = 64 << 10;

const VERSION: &str = "v1.";

/// What the cipher adds to what it encrypts.
const TAG_BYTES: usize = 16;

/// A sealed text cannot be used. Why is nobody's business: tampered, foreign, expired and used-up ones look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed text is not valid here")]
pub struct BadSeal;

/// Why a ring of keys cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// There is none.
    #[error("at least one secret is needed")]
    None,
    /// One can be guessed.
    #[error("a secret must be at least {MIN_SECRET_BYTES} bytes long")]
    Short,
    /// No memory is left.
    #[error("no memory is left")]
    NoMemory,
}

struct RingKey {
    id: [u8; 4],
    cipher: XChaCha20Poly1305,
}

/// A ring of keys: the first one seals, all of them open. To change the secret, put the new one in front and take the
/// old one out when what it sealed has expired.
pub struct Keys(Vec<RingKey>);

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| key.id)).finish()
    }
}

impl Keys {
    /// Keys made from secrets, the newest first.
    ///
    /// # Errors
    /// [`BadSecret`].
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Result<Keys, BadSecret> {
        let mut keys = Vec::new();
        for secret in secrets {
            if secret.len() < MIN_SECRET_BYTES {
                return Err(BadSecret::Short);
            }
            let derived = Hkdf::<Sha256>::new(None, secret);
            let (mut key, mut id) = ([0; 32], [0; 4]);
            // Both lengths are far below what HKDF can give.
            let _ = derived.expand(b"mcpgraft seal v1 key", &mut key);
            let _ = derived.expand(b"mcpgraft seal v1 id", &mut id);
            keys.try_reserve(1).map_err(|_| BadSecret::NoMemory)?;
            keys.push(RingKey { id, cipher: XChaCha20Poly1305::new(&Key::from(key)) });
        }
        if keys.is_empty() { Err(BadSecret::None) } else { Ok(Keys(keys)) }
    }

    /// Seals bytes for a purpose. The nonce must be random and never used twice.
    ///
    /// # Errors
    /// [`BadSeal`] if the bytes are too long to be opened again, or no memory is left.
    pub fn seal(&self, purpose: &str, plain: &[u8], nonce: [u8; NONCE_BYTES]) -> Result<String, BadSeal> {
        let first = self.0.first().ok_or(BadSeal)?;
        let mut sealed = joined(&[plain, &[0; TAG_BYTES]])?;
        // The room of the tag is there; it is filled in last.
        sealed.truncate(plain.len());
        let aad = joined(&[VERSION.as_bytes(), purpose.as_bytes()])?;
        first.cipher.encrypt_in_place(&XNonce::from(nonce), &aad, &mut sealed).map_err(|_| BadSeal)?;
        let bytes = joined(&[&first.id, &nonce, &sealed])?;
        let len = Base64UrlUnpadded::encoded_len(&bytes);
        if VERSION.len() + len > MAX_SEALED_BYTES {
            return Err(BadSeal);
        }
        let mut text = joined(&[VERSION.as_bytes()])?;
        text.try_reserve_exact(len).map_err(|_| BadSeal)?;
        text.resize(VERSION.len() + len, 0);
        let body = text.get_mut(VERSION.len()..).ok_or(BadSeal)?;
        Base64UrlUnpadded::encode(&bytes, body).map_err(|_| BadSeal)?;
        String::from_utf8(text).map_err(|_| BadSeal)
    }

    /// Opens what [`Keys::seal`] made for the same purpose, with any key of the ring.
    ///
    /// # Errors
    /// [`BadSeal`]; also if no memory is left.
    pub fn open(&self, purpose: &str, text: &str) -> Result<Vec<u8>, BadSeal> {
        if text.len() > MAX_SEALED_BYTES {
            return Err(BadSeal);
        }
        let body = text.strip_prefix(VERSION).ok_or(BadSeal)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(body.len()).map_err(|_| BadSeal)?;
        bytes.resize(body.len(), 0);
        let bytes = Base64UrlUnpadded::decode(body, &mut bytes).map_err(|_| BadSeal)?;
        let (id, rest) = bytes.split_first_chunk::<4>().ok_or(BadSeal)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(BadSeal)?;
        let key = self.0.iter().find(|key| key.id == *id).ok_or(BadSeal)?;
        let aad = joined(&[VERSION.as_bytes(), purpose.as_bytes()])?;
        let mut plain = joined(&[sealed])?;
        key.cipher.decrypt_in_place(&XNonce::from(*nonce), &aad, &mut plain).map_err(|_| BadSeal)?;
        Ok(plain)
    }
}

/// The parts one after another.
fn joined(parts: &[&[u8]]) -> Result<Vec<u8>, BadSeal> {
    let mut whole = Vec::new();
    whole.try_reserve_exact(parts.iter().map(|part| part.len()).sum()).map_err(|_| BadSeal)?;
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[u8] = b"an old secret of enough bytes";
    const NEW: &[u8] = b"a new secret, also long enough";

    fn keys(secrets: &[&[u8]]) -> Keys {
        Keys::new(secrets.iter().copied()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens() {
        let text = keys(&[OLD]).seal("p", b"plain", [7; 24]).unwrap();
        assert_eq!(keys(&[OLD]).open("p", &text).unwrap(), b"plain");
        assert!(text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "fit for a header");
    }

    #[test]
    fn keys_rotate() {
        let text = keys(&[OLD]).seal("p", b"plain", [7; 24]).unwrap();
        assert_eq!(keys(&[NEW, OLD]).open("p", &text).unwrap(), b"plain");
        assert_eq!(keys(&[NEW]).open("p", &text), Err(BadSeal));
    }

    // proves: S-355, S-362
    #[test]
    fn any_change_is_noticed() {
        let ring = keys(&[OLD]);
        let text = ring.seal("p", b"plain", [7; 24]).unwrap();
        assert_eq!(ring.open("q", &text), Err(BadSeal));
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(ring.open("p", &changed), Err(BadSeal), "{at}");
            assert_eq!(ring.open("p", &text[..at]), Err(BadSeal), "{at}");
        }
        assert_eq!(ring.open("p", &alloc::format!("{text}-TAMPERED")), Err(BadSeal));
        assert_eq!(ring.open("p", &alloc::format!("{text}A")), Err(BadSeal));
        assert_eq!(ring.open("p", ""), Err(BadSeal));
    }

    #[test]
    fn secrets_must_be_secrets() {
        assert_eq!(Keys::new([]).unwrap_err(), BadSecret::None);
        assert_eq!(Keys::new([&b"short"[..]]).unwrap_err(), BadSecret::Short);
    }
}
