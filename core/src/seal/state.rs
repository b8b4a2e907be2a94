//! The `requestState` of a question to the client: what a stateless handler needs when it is asked again.
//!
//! It is bound to the request it was made for: method, target, a digest of the arguments, and who asks. What it carries
//! is the host's (answers of earlier rounds, remembered side effects) as one JSON value, plus the round.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::{BadSeal, Keys, NONCE_BYTES, joined};
use crate::json::{self, Full, Kind, Raw, Sink, Str};

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
    fn digest(&self) -> Result<[u8; 32], BadSeal> {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.method.as_bytes());
        part(self.target.as_bytes());
        part(&canonical(self.arguments).map_err(|_| BadSeal)?);
        match self.principal {
            Some(principal) => part(principal.as_bytes()),
            None => hash.update([0xff; 8]),
        }
        Ok(hash.finalize().into())
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
    let (digest, expires) = (binding.digest()?, now.saturating_add(ttl));
    let parts: [&[u8]; 5] =
        [&digest, &now.to_le_bytes(), &expires.to_le_bytes(), &round.to_le_bytes(), kept.as_bytes()];
    let plain = joined(&parts)?;
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
    if !fresh || *digest != binding.digest()? {
        return Err(BadSeal);
    }
    let kept = String::from_utf8(joined(&[kept])?).map_err(|_| BadSeal)?;
    let nonce = nonce_of(text).ok_or(BadSeal)?;
    Ok(State { round: u16::from_le_bytes(*round), nonce, kept })
}

fn nonce_of(text: &str) -> Option<[u8; NONCE_BYTES]> {
    use base64ct::{Base64UrlUnpadded, Encoding};
    // It stands near the front: 40 characters are 30 bytes.
    let mut bytes = [0; 30];
    let front = text.strip_prefix(super::VERSION)?.get(..40)?;
    Base64UrlUnpadded::decode(front, &mut bytes).ok()?;
    bytes.get(4..4 + NONCE_BYTES)?.try_into().ok()
}

/// One step of writing a value in canonical form.
enum Piece<'a> {
    Value(Raw<'a>),
    Text(&'static str),
    Key(Str<'a>),
}

/// A value in canonical form: members sorted by key, no white space, numbers and strings in one spelling. A client that
/// reads its own request and writes it again may change all of these. Without recursion.
fn canonical(value: Raw<'_>) -> Result<Vec<u8>, Full> {
    let (mut out, mut todo) = (Vec::new(), Vec::new());
    push(&mut todo, Piece::Value(value))?;
    while let Some(piece) = todo.pop() {
        match piece {
            Piece::Text(text) => out.put(text.as_bytes())?,
            Piece::Key(key) => {
                string(key, &mut out)?;
                out.put(b":")?;
            }
            Piece::Value(value) => match value.kind() {
                Kind::Object => {
                    let mut members = Vec::new();
                    for (at, (key, member)) in value.members().enumerate() {
                        push(&mut members, (key, at, member))?;
                    }
                    // Members of one name keep their order.
                    members.sort_unstable_by(|(a, first, _), (b, second, _)| {
                        a.chars().cmp(b.chars()).then(first.cmp(second))
                    });
                    out.put(b"{")?;
                    push(&mut todo, Piece::Text("}"))?;
                    for (at, (key, _, member)) in members.into_iter().enumerate().rev() {
                        push(&mut todo, Piece::Value(member))?;
                        push(&mut todo, Piece::Key(key))?;
                        if at > 0 {
                            push(&mut todo, Piece::Text(","))?;
                        }
                    }
                }
                Kind::Array => {
                    out.put(b"[")?;
                    push(&mut todo, Piece::Text("]"))?;
                    let first = todo.len();
                    for (at, element) in value.elements().enumerate() {
                        if at > 0 {
                            push(&mut todo, Piece::Text(","))?;
                        }
                        push(&mut todo, Piece::Value(element))?;
                    }
                    todo.get_mut(first..).unwrap_or_default().reverse();
                }
                Kind::String => value.str().map_or(Ok(()), |text| string(text, &mut out))?,
                Kind::Number => {
                    let mut w = json::Writer::new(&mut out);
                    match (value.i64(), value.u64(), value.f64()) {
                        (Some(number), _, _) => w.i64(number),
                        (_, Some(number), _) => w.u64(number),
                        (_, _, Some(number)) => w.f64(number),
                        _ => w.raw(value),
                    }?;
                }
                Kind::Bool | Kind::Null => out.put(value.bytes())?,
            },
        }
    }
    Ok(out)
}

fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), Full> {
    list.try_reserve(1).map_err(|_| Full)?;
    list.push(item);
    Ok(())
}

/// A string with the escapes it needs, and no others.
fn string(text: Str<'_>, out: &mut Vec<u8>) -> Result<(), Full> {
    let mut plain = Vec::new();
    text.decode(&mut plain)?;
    json::escape(core::str::from_utf8(&plain).map_err(|_| Full)?, out)
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
