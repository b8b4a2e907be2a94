//! Of schemas made at random, in all drafts, this validator says what another says: the crate `jsonschema`.
#![allow(clippy::unwrap_used, clippy::panic)]

use mcpgraft_schema::Whole;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const DRAFTS: [&str; 5] = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

/// Names that come up in schemas and values alike.
const NAMES: [&str; 4] = ["a", "b", "ab", "é"];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

/// Integers that a float holds: beyond, the other one calls numbers multiples that are none.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i64..6).prop_map(Value::from),
        (-3i64..6).prop_map(|number| json!(number as f64)),
        (-30i64..60).prop_map(|tenths| json!(tenths as f64 / 10.0)),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|number| json!(number)),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        number(),
        name().prop_map(Value::from),
        "[a-bé0-9. ]{0,4}".prop_map(Value::from),
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

/// A pattern, lookaround and backreferences included.
fn pattern() -> impl Strategy<Value = String> {
    prop::sample::select(
        &[
            "^a", "b$", "^a$", "^(a|b)$", r"^\S*$", r"\d", r"^\w+$", "é", "a.", "^(?!a)", r"^(.)\1$",
            r"\p{L}", "[^a]",
        ][..],
    )
    .prop_map(str::to_owned)
}

fn schema() -> impl Strategy<Value = Value> {
    let types = prop::sample::subsequence(
        vec!["string", "number", "integer", "boolean", "object", "array", "null"],
        1..4,
    );
    let count = || 0u64..4;
    let names = || prop::sample::subsequence(NAMES.to_vec(), 1..3);
    let word = prop_oneof![
        types.prop_map(|types| json!({ "type": types })),
        prop::collection::vec(value(), 1..4).prop_map(|options| json!({ "enum": differing(options) })),
        value().prop_map(|constant| json!({ "const": constant })),
        number().prop_map(|limit| json!({ "minimum": limit })),
        number().prop_map(|limit| json!({ "maximum": limit })),
        (1i64..40).prop_map(|tenths| json!({ "multipleOf": tenths as f64 / 10.0 })),
        count().prop_map(|count| json!({ "minLength": count })),
        count().prop_map(|count| json!({ "maxLength": count })),
        count().prop_map(|count| json!({ "minItems": count })),
        count().prop_map(|count| json!({ "maxItems": count })),
        count().prop_map(|count| json!({ "minProperties": count })),
        count().prop_map(|count| json!({ "maxProperties": count })),
        Just(json!({ "uniqueItems": true })),
        names().prop_map(|names| json!({ "required": names })),
        (name(), names()).prop_map(|(name, names)| json!({ "dependentRequired": { name: names } })),
        pattern().prop_map(|pattern| json!({ "pattern": pattern })),
        prop::sample::select(&["date", "ipv4", "email", "uri", "hostname", "regex"][..])
            .prop_map(|format| json!({ "format": format })),
        prop_oneof![Just("#/definitions/a"), Just("#/$defs/b")].prop_map(|to| json!({ "$ref": to })),
    ];
    let words = |word: BoxedStrategy<Value>| {
        prop::collection::vec(word, 0..4).prop_map(|words| {
            let mut schema = Map::new();
            words.into_iter().for_each(|word| schema.extend(word.as_object().unwrap().clone()));
            Value::from(schema)
        })
    };
    words(word.clone().boxed()).prop_recursive(3, 24, 4, move |inner| {
        let one = prop::sample::select(
            &[
                "items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains",
                "propertyNames", "unevaluatedItems", "unevaluatedProperties",
            ][..],
        );
        let many = prop::sample::select(&["allOf", "anyOf", "oneOf", "prefixItems"][..]);
        let named = prop::sample::select(&["properties", "dependentSchemas"][..]);
        let some = prop_oneof![4 => inner.clone(), 1 => Just(json!({"not": {}}))];
        let nested = prop_oneof![
            4 => (one, some.clone()).prop_map(|(word, schema)| json!({ word: schema })),
            3 => (many, prop::collection::vec(some.clone(), 1..4)).prop_map(|(word, list)| json!({ word: list })),
            3 => (named, prop::collection::hash_map(name(), some.clone(), 1..4))
                .prop_map(|(word, map)| json!({ word: map })),
            1 => (pattern(), some.clone()).prop_map(|(pattern, schema)| json!({"patternProperties": {pattern: schema}})),
            1 => (count(), count(), some).prop_map(|(least, most, schema)| {
                json!({"contains": schema, "minContains": least, "maxContains": most})
            }),
        ];
        words(prop_oneof![2 => nested, 1 => word.clone()].boxed())
    })
}

/// Options that differ, as draft 04 wants them: 1 and 1.0 do not.
fn differing(options: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for option in options {
        let unique = json!({"uniqueItems": true, "items": {}});
        kept.push(option);
        if !jsonschema::is_valid(&unique, &Value::from(kept.clone())) {
            kept.pop();
        }
    }
    kept
}

fn compare(draft: &str, mut schema: Value, definitions: [Value; 2], values: &[Value]) {
    // They lead no further: what a schema that comes back to itself says is nobody's to say.
    let [a, b] = definitions.map(|definition| {
        let text = definition.to_string();
        text.replace("#/definitions/a", "#/$defs/end")
            .replace("#/$defs/b", "#/$defs/end")
            .parse::<Value>()
            .unwrap()
    });
    let end = json!({"type": ["object", "string"], "additionalProperties": {"type": "string"}});
    let words = schema.as_object_mut().unwrap();
    words.extend([
        ("definitions".to_owned(), json!({ "a": a })),
        ("$defs".to_owned(), json!({ "b": b, "end": end })),
    ]);
    words.insert("$schema".to_owned(), draft.into());
    // In 2019-09 `contains` does not look at items for `unevaluatedItems`; the other one has it as in 2020-12.
    let text = schema.to_string();
    if draft.contains("2019") && text.contains("\"contains\"") && text.contains("unevaluatedItems") {
        return;
    }
    let ours = Whole::new(schema.to_string().as_bytes());
    let theirs = jsonschema::options().offline().build(&schema);
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(_), Err(_)) => return,
        (ours, theirs) => {
            panic!("{schema}: {:?} {:?}", ours.err(), theirs.err().map(|error| error.to_string()))
        }
    };
    for value in values {
        let found = ours.check(value.to_string().as_bytes());
        assert_eq!(found.is_empty(), theirs.is_valid(value), "{schema}: {value}: {found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn both_say_the_same(
        draft in prop::sample::select(&DRAFTS[..]),
        schema in schema(),
        definitions in [schema(), schema()],
        values in prop::collection::vec(value(), 8),
    ) {
        compare(draft, schema, definitions, &values);
    }
}
