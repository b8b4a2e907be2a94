//! What is told of plain schemas without the whole validator is what the whole validator says: `allOf` is beyond the plain
//! part, and changes nothing else.
#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mcpgraft::schema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Names that come up in schemas and values alike.
const NAMES: [&str; 4] = ["a", "b", "é", "a\"b"];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..15).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-50i64..150).prop_map(|tenths| json!(tenths as f64 / 10.0)),
        any::<f64>().prop_map(|number| json!(number)),
        "[aé😀\\\\\"]{0,4}".prop_map(Value::from),
        name().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name(), inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let types = prop::sample::subsequence(
        vec!["string", "number", "integer", "boolean", "object", "array", "null"],
        1..3,
    );
    let word = prop_oneof![
        types.prop_map(|types| {
            match types.as_slice() {
                [one] => json!({ "type": one }),
                several => json!({ "type": several }),
            }
        }),
        (-5i64..12).prop_map(|least| json!({ "minimum": least })),
        (-5i64..12).prop_map(|most| json!({ "maximum": most })),
        (0u64..4).prop_map(|length| json!({ "minLength": length })),
        (0u64..4).prop_map(|length| json!({ "maxLength": length })),
        (0u64..3).prop_map(|count| json!({ "minItems": count })),
        (0u64..3).prop_map(|count| json!({ "maxItems": count })),
        prop::sample::subsequence(NAMES.to_vec(), 1..4).prop_map(|options| json!({ "enum": options })),
        any::<bool>().prop_map(|more| json!({ "additionalProperties": more })),
        scalar().prop_map(|default| json!({ "default": default })),
        Just(json!({"title": "t", "description": "d", "format": "date"})),
        // Beyond the plain part.
        Just(json!({"pattern": "^a"})),
        Just(json!({"const": 1})),
    ];
    let words = |word: BoxedStrategy<Value>| {
        prop::collection::vec(word, 0..4).prop_map(|words| {
            let mut schema = serde_json::Map::new();
            words.into_iter().for_each(|word| schema.extend(word.as_object().unwrap().clone()));
            Value::from(schema)
        })
    };
    words(word.clone().boxed()).prop_recursive(2, 12, 4, move |inner| {
        let nested = prop_oneof![
            inner.clone().prop_map(|items| json!({ "items": items })),
            (prop::collection::hash_map(name(), inner, 1..4), any::<bool>()).prop_map(|(properties, all)| {
                let required: Vec<&String> = properties.keys().take(if all { 4 } else { 1 }).collect();
                json!({ "properties": properties, "required": required })
            }),
        ];
        words(prop_oneof![nested, word.clone()].boxed())
    })
}

fn same(schema: &Value, text: &str) -> bool {
    let plain = Validator::new(schema.to_string().as_bytes()).expect("a schema");
    let whole = Validator::new(json!({"allOf": [schema]}).to_string().as_bytes()).expect("a schema");
    let (found, expected) = (plain.check(text.as_bytes()), whole.check(text.as_bytes()));
    assert_eq!(found, expected, "{schema}: {text}");
    found.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn both_say_the_same_of_every_value(schema in schema(), value in value()) {
        same(&schema, &value.to_string());
    }
}

#[test]
fn texts_that_readers_take_in_different_ways_are_left_to_the_whole() {
    let object = |more: Value| {
        let mut schema = json!({"type": "object", "properties": {"a": {"type": "string"}, "é": {}}});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    let schemas = [
        json!({}),
        json!({"type": "integer", "minimum": -3, "maximum": 12}),
        json!({"type": "number"}),
        json!({"type": "string", "minLength": 1, "maxLength": 3}),
        json!({"type": "array", "items": {"type": "integer"}}),
        object(json!({"required": ["a"]})),
        object(json!({"additionalProperties": false})),
    ];
    let deep = "[".repeat(200) + &"]".repeat(200);
    let texts = [
        "1.0",
        "-0",
        "1e2",
        "1E400",
        "1e-400",
        "123456789012345678901234567890",
        "-123456789012345678",
        "[1.0]",
        "[1e999]",
        "\"\\u00e9\"",
        "\"\\ud800\"",
        "\"\\n\"",
        "\"😀😀😀\"",
        "{\"a\":1,\"a\":\"x\"}",
        "{\"a\":\"x\",\"a\":1}",
        "{\"a\":\"x\",\"\\u00e9\":1}",
        "{\"a\":\"x\",\"c\":[[]]}",
        "",
        "nul",
        "{",
        "{\"a\":1}x",
        &deep,
    ];
    let fit = schemas.iter().flat_map(|schema| texts.iter().map(move |text| same(schema, text)));
    assert!(fit.filter(|fit| *fit).count() > 30);
}

#[test]
fn a_schema_that_is_none_is_none_however_plain_it_looks() {
    for wrong in [
        r#"{"type":"text"}"#,
        r#"{"type":[]}"#,
        r#"{"type":["string","string"]}"#,
        r#"{"properties":{"a":1}}"#,
        r#"{"required":["a","a"]}"#,
        r#"{"minimum":"1"}"#,
        r#"{"minLength":-1}"#,
        r#"{"minLength":1.5}"#,
        r#"{"items":[]}"#,
        r#"{"title":1}"#,
        r#"{"additionalProperties":1}"#,
        r#"{"readOnly":"yes"}"#,
        r#"{"$schema":"https://example.com/none"}"#,
        r#"{"enum":1}"#,
        "1",
        "",
        "{",
    ] {
        assert!(Validator::new(wrong.as_bytes()).is_err(), "{wrong}");
    }
}
