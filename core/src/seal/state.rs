//! The `requestState` of a question to the client: what a stateless handler needs when it is asked again.
//!
//! It is bound to the request it was made for: method, target, a digest of the arguments, and who asks. What it carries
//! is the host's (answers of earlier rounds, remembered side effects) as one JSON value, plus the round.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::{BadSeal, Keys, NONCE_BYTES};
use crate::json::{self, Kind, Raw};

const PURPOSE: &str = "requestState";

/// How far a clock of another worker may be ahead, in ms.
const SKEW_MS: u64 = 60_000;

/// The request a state belongs to. All of it must be the same when the state comes back.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The method, such as `tools/call`.
    pub method: &'a str,
    /// The name or URI it is for.
    pub target: &'a str,
    /// Its arguments.
    pub arguments: Raw<'a>,
    /// Who asks, as the host has verified it.
    pub principal: Option<&'a str>,
}

impl Binding<'_> {
    /// SHA-256 over the parts, each with its length in front; arguments in canonical form.
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.method.as_bytes());
        part(self.target.as_bytes());
        part(&canonical(self.arguments));
        match self.principal {
            Some(principal) => part(principal.as_bytes()),
            None => hash.update([0xff; 8]),
        }
        hash.finalize().into()
    }
}

/// What is kept from round to round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// How many times the client has been asked, from 1.
    pub round: u16,
    /// A number nobody can guess, the same in no other state: for a host that lets a state be used once only.
    pub nonce: [u8; NONCE_BYTES],
    /// The host's: any JSON value.
    pub kept: String,
}

/// Seals a state. Times are in ms since the Unix epoch; `ttl` is in ms.
///
/// # Errors
/// [`BadSeal`] if `kept` is too long.
pub fn seal(
    keys: &Keys,
    binding: &Binding<'_>,
    round: u16,
    kept: &str,
    now: u64,
    ttl: u64,
    nonce: [u8; NONCE_BYTES],
) -> Result<String, BadSeal> {
    let mut plain = Vec::with_capacity(64 + kept.len());
    plain.extend_from_slice(&binding.digest());
    plain.extend_from_slice(&now.to_le_bytes());
    plain.extend_from_slice(&now.saturating_add(ttl).to_le_bytes());
    plain.extend_from_slice(&round.to_le_bytes());
    plain.extend_from_slice(kept.as_bytes());
    keys.seal(PURPOSE, &plain, nonce)
}

/// Opens a state that came back with a request.
///
/// # Errors
/// [`BadSeal`], whatever is wrong: the text, its age, or the request it came with.
pub fn open(keys: &Keys, binding: &Binding<'_>, text: &str, now: u64) -> Result<State, BadSeal> {
    let plain = keys.open(PURPOSE, text)?;
    let (digest, rest) = plain.split_first_chunk::<32>().ok_or(BadSeal)?;
    let (made, rest) = rest.split_first_chunk::<8>().ok_or(BadSeal)?;
    let (expires, rest) = rest.split_first_chunk::<8>().ok_or(BadSeal)?;
    let (round, kept) = rest.split_first_chunk::<2>().ok_or(BadSeal)?;
    let fresh =
        u64::from_le_bytes(*expires) >= now && u64::from_le_bytes(*made) <= now.saturating_add(SKEW_MS);
    if !fresh || *digest != binding.digest() {
        return Err(BadSeal);
    }
    let kept = core::str::from_utf8(kept).map_err(|_| BadSeal)?;
    let nonce = nonce_of(text).ok_or(BadSeal)?;
    Ok(State { round: u16::from_le_bytes(*round), nonce, kept: kept.into() })
}

fn nonce_of(text: &str) -> Option<[u8; NONCE_BYTES]> {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let bytes = Base64UrlUnpadded::decode_vec(text.strip_prefix(super::VERSION)?).ok()?;
    bytes.get(4..4 + NONCE_BYTES)?.try_into().ok()
}

/// One step of writing a value in canonical form.
enum Piece<'a> {
    Value(Raw<'a>),
    Text(&'static str),
    Key(String),
}

/// A value in canonical form: members sorted by key, no white space, numbers and strings in one spelling. A client that
/// reads its own request and writes it again may change all of these. Without recursion.
fn canonical(value: Raw<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut todo = alloc::vec![Piece::Value(value)];
    // Writing into a Vec fails for lack of memory only, and then the digest differs, which refuses the state.
    while let Some(piece) = todo.pop() {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Key(key) => {
                let _ = json::escape(&key, &mut out);
                out.push(b':');
            }
            Piece::Value(value) => match value.kind() {
                Kind::Object => {
                    let mut members: Vec<_> =
                        value.members().map(|(key, member)| (key.to_cow().into_owned(), member)).collect();
                    members.sort_by(|(a, _), (b, _)| a.cmp(b));
                    out.push(b'{');
                    todo.push(Piece::Text("}"));
                    for (at, (key, member)) in members.into_iter().enumerate().rev() {
                        todo.extend([Piece::Value(member), Piece::Key(key)]);
                        if at > 0 {
                            todo.push(Piece::Text(","));
                        }
                    }
                }
                Kind::Array => {
                    let elements: Vec<_> = value.elements().collect();
                    out.push(b'[');
                    todo.push(Piece::Text("]"));
                    for (at, element) in elements.into_iter().enumerate().rev() {
                        todo.push(Piece::Value(element));
                        if at > 0 {
                            todo.push(Piece::Text(","));
                        }
                    }
                }
                Kind::String => {
                    let text = value.str().map(json::Str::to_cow).unwrap_or_default();
                    let _ = json::escape(&text, &mut out);
                }
                Kind::Number => {
                    let mut w = json::Writer::new(&mut out);
                    let _ = match (value.i64(), value.u64(), value.f64()) {
                        (Some(number), _, _) => w.i64(number),
                        (_, Some(number), _) => w.u64(number),
                        (_, _, Some(number)) => w.f64(number),
                        _ => w.raw(value),
                    };
                }
                Kind::Bool | Kind::Null => out.extend_from_slice(value.bytes()),
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new([&b"a secret of enough bytes"[..]]).unwrap()
    }

    fn binding(arguments: &'static str) -> Binding<'static> {
        Binding {
            method: "tools/call",
            target: "pay",
            arguments: Raw::trusted(arguments),
            principal: Some("ada"),
        }
    }

    fn sealed(binding: &Binding<'_>) -> String {
        seal(&keys(), binding, 2, r#"{"ok":true}"#, 1_000_000, 600_000, [9; 24]).unwrap()
    }

    // proves: S-355
    #[test]
    fn comes_back_with_the_same_request() {
        let text = sealed(&binding(r#"{"n":1,"m":{"b":[],"a":"é"}}"#));
        // As another JSON library would write it.
        let again = binding(r#"{ "m": {"a":"\u00e9", "b":[ ]}, "n": 1.0 }"#);
        let state = open(&keys(), &again, &text, 1_000_001).unwrap();
        assert_eq!(state, State { round: 2, nonce: [9; 24], kept: r#"{"ok":true}"#.into() });
    }

    // proves: S-355, S-356, S-362, S-417
    #[test]
    fn is_good_for_nothing_else() {
        let mine = binding(r#"{"n":1}"#);
        let text = sealed(&mine);
        let refused = |other: Binding<'_>, now| open(&keys(), &other, &text, now) == Err(BadSeal);
        assert!(!refused(mine, 1_000_000));
        assert!(refused(Binding { method: "prompts/get", ..mine }, 1_000_000));
        assert!(refused(Binding { target: "pai", ..mine }, 1_000_000));
        assert!(refused(Binding { principal: Some("bob"), ..mine }, 1_000_000));
        assert!(refused(Binding { principal: None, ..mine }, 1_000_000));
        assert!(refused(binding(r#"{"n":2}"#), 1_000_000));
        assert!(refused(mine, 1_600_001), "expired");
        assert!(refused(mine, 900_000), "from the future");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let one = Binding { method: "ab", target: "c", arguments: Raw::trusted("{}"), principal: None };
        let other = Binding { method: "a", target: "bc", ..one };
        assert_ne!(one.digest(), other.digest());
    }
}
