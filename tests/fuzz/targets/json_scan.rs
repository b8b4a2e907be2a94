//! JSON: the checker against serde_json, and every reader on text that was checked and on text that was not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpgraft::json::{JsonErrorKind, Raw, Str, Writer, check};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let ours = check(data, 64);
    match (ours, serde_json::from_slice::<Value>(data)) {
        (Ok(raw), Ok(value)) => {
            let mut out = Vec::new();
            assert_eq!(Writer::new(&mut out).compact(raw), Ok(()));
            assert_eq!(check(&out, 64).map(Raw::text), Ok(core::str::from_utf8(&out).unwrap()));
            let again: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(again, value);
            agree(raw, &value);
        }
        // Numbers beyond the floats are JSON, but serde_json cannot hold them.
        (Ok(_), Err(error)) => assert!(error.to_string().contains("number out of range"), "{error}"),
        (Err(error), Ok(_)) => assert_eq!(error.kind, JsonErrorKind::Depth),
        (Err(error), Err(_)) => assert!(error.offset <= data.len()),
    }
    if let Ok(text) = core::str::from_utf8(data) {
        read_all(Raw::trusted(text), 4);
        let _ = (Str::trusted(text).chars().count(), Str::trusted(text).hash64(), Str::trusted(text).plain());
    }
});

/// The readers find what serde_json found.
fn agree(raw: Raw<'_>, value: &Value) {
    match value {
        Value::Null => assert!(raw.is_null()),
        Value::Bool(truth) => assert_eq!(raw.bool(), Some(*truth)),
        Value::String(text) => assert!(raw.str().is_some_and(|s| s == text.as_str() && s.to_cow() == *text)),
        Value::Number(number) => {
            number.as_u64().inspect(|n| assert_eq!(raw.u64(), Some(*n)));
            number.as_i64().inspect(|n| assert_eq!(raw.i64(), Some(*n)));
            assert!(raw.f64().is_some());
        }
        Value::Array(elements) => {
            assert_eq!(raw.elements().count(), elements.len());
            raw.elements().zip(elements).for_each(|(raw, value)| agree(raw, value));
        }
        Value::Object(members) => {
            for (name, value) in members {
                agree(raw.get(name).unwrap(), value);
            }
        }
    }
}

/// No reader panics, whatever the text.
fn read_all(value: Raw<'_>, depth: usize) {
    let _ = (value.kind(), value.bool(), value.u64(), value.i64(), value.f64());
    let _ = (value.at(&["a", "b"]), value.pick(["a", ""]), Writer::new(&mut Vec::new()).compact(value));
    if let Some(text) = value.str() {
        let _ = (text.plain(), text.hash64(), text.to_cow(), text == "a", text.decode(&mut Vec::new()));
    }
    if depth > 0 {
        value.members().take(20).for_each(|(_, member)| read_all(member, depth - 1));
        value.elements().take(20).for_each(|element| read_all(element, depth - 1));
    }
}
