//! Messages with something wrong in them.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

/// Any JSON value, small.
pub fn values() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec!["", "a", "2026-07-28", "tools/call", "add", "test://a", "\u{0}é😀"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![0, -1, i64::MIN, i64::MAX, 1 << 53]).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let key = prop::sample::select(vec!["id", "name", "_meta", "a", "method"]).prop_map(str::to_owned);
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((key, inner), 0..3).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Puts a value in the place of the `at`-th part of another: wrong types everywhere.
fn replace(tree: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *tree = with.clone();
    }
    *at = at.wrapping_sub(1);
    match tree {
        Value::Array(elements) => elements.iter_mut().for_each(|element| replace(element, at, with)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, at, with)),
        _ => {}
    }
}

/// A message with something wrong in it.
pub fn broken(text: &str, how: &Breakage) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let at = |place: u16| usize::from(place) % bytes.len();
    match how {
        Breakage::None => {}
        Breakage::Byte(place, byte) => {
            let at = at(*place);
            bytes[at] = *byte;
        }
        Breakage::Cut(place) => bytes.truncate(at(*place)),
        Breakage::Twice(from, to) => {
            let (from, to) = (at(*from).min(at(*to)), at(*from).max(at(*to)));
            let piece = bytes[from..to].to_vec();
            bytes.splice(to..to, piece);
        }
        Breakage::Part(place, with) => {
            let mut tree: Value = serde_json::from_str(text).unwrap();
            replace(&mut tree, &mut (usize::from(*place) % 24), with);
            bytes = tree.to_string().into_bytes();
        }
    }
    bytes
}

/// What may go wrong on the way from a client.
#[derive(Clone, Debug)]
pub enum Breakage {
    None,
    Byte(u16, u8),
    Cut(u16),
    Twice(u16, u16),
    Part(u16, Value),
}

pub fn breakages() -> impl Strategy<Value = Breakage> {
    prop_oneof![
        6 => Just(Breakage::None),
        1 => (any::<u16>(), any::<u8>()).prop_map(|(place, byte)| Breakage::Byte(place, byte)),
        1 => any::<u16>().prop_map(Breakage::Cut),
        1 => (any::<u16>(), any::<u16>()).prop_map(|(from, to)| Breakage::Twice(from, to)),
        3 => (any::<u16>(), values()).prop_map(|(place, with)| Breakage::Part(place, with)),
    ]
}
