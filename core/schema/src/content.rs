//! `contentEncoding` and `contentMediaType` (drafts 06 and 07).

use serde_json::Value;

/// Encodings of RFC 4648: name, bits a character holds, alphabet, characters in a full group.
const ENCODINGS: [(&str, u32, &[u8], usize); 5] = [
    ("base64", 6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 4),
    ("base64url", 6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 4),
    ("base32", 5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 8),
    ("base32hex", 5, b"0123456789ABCDEFGHIJKLMNOPQRSTUV", 8),
    ("base16", 4, b"0123456789ABCDEF", 2),
];

/// The encoding of that name, if it is checked.
pub(crate) fn encoding(name: &str) -> Option<&'static str> {
    ENCODINGS.iter().find(|(known, ..)| *known == name).map(|(known, ..)| *known)
}

/// Whether a text is in the encoding, and what it encodes JSON, if it should be.
pub(crate) fn takes(encoding: Option<&str>, json: bool, text: &str) -> bool {
    let decoded = match encoding {
        None => text.as_bytes().to_vec(),
        Some(encoding) => match decode(encoding, text) {
            Some(decoded) => decoded,
            None => return false,
        },
    };
    !json || serde_json::from_slice::<Value>(&decoded).is_ok()
}

/// Decodes strictly: padded, and nothing in the bits that are left over.
fn decode(encoding: &str, text: &str) -> Option<Vec<u8>> {
    let (_, bits, alphabet, group) = ENCODINGS.iter().find(|(known, ..)| *known == encoding)?;
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(*group) || text.len() - digits.len() >= *group {
        return None;
    }
    let (mut bytes, mut held, mut count) = (Vec::with_capacity(text.len()), 0_u32, 0_u32);
    for digit in digits.bytes() {
        let value = alphabet.iter().position(|known| *known == digit)?;
        held = held << bits | u32::try_from(value).ok()?;
        count += bits;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(held >> count).ok()?);
            held &= (1 << count) - 1;
        }
    }
    (count < *bits && held == 0).then_some(bytes)
}
