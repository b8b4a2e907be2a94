//! Whatever a schema says, a check ends, and needs no more stack than a thread has.
#![allow(clippy::unwrap_used)]

use mcpgraft_schema::{Problem, Whole};
use serde_json::{Map, Value, json};

/// Definitions `d0` to the last, each made of the next; then that one.
fn chain(length: usize, link: impl Fn(Value) -> Value) -> Whole {
    let link = |at: usize| (format!("d{at}"), link(json!({ "$ref": format!("#/$defs/d{}", at + 1) })));
    let mut definitions: Map<String, Value> = (0..length).map(link).collect();
    definitions.insert(format!("d{length}"), json!({"type": "integer"}));
    Whole::new(json!({"$ref": "#/$defs/d0", "$defs": definitions}).to_string().as_bytes()).unwrap()
}

fn told(schema: &Whole, value: &str) -> Vec<(String, String)> {
    schema
        .check(value.as_bytes())
        .into_iter()
        .map(|Problem { path, expected, .. }| (path, expected))
        .collect()
}

fn pair(path: &str, expected: &str) -> Vec<(String, String)> {
    Vec::from([(path.to_owned(), expected.to_owned())])
}

const IN_TIME: &str = "a value that can be checked in time";

// proves: S-247
#[test]
fn alternatives_of_alternatives_end() {
    let twice = |next: Value| json!({"anyOf": [{"allOf": [next, {"type": "string"}]}, next]});
    assert_eq!(told(&chain(3, twice), "\"x\""), pair("", "integer"));
    // 2 to the 60th ways to fail.
    assert_eq!(told(&chain(60, twice), "\"x\""), pair("", IN_TIME));
    // What is not decided does not fit the other way round either.
    assert_eq!(told(&chain(60, |next| json!({"not": twice(next)})), "\"x\""), pair("", IN_TIME));
}

#[test]
fn a_long_chain_of_references_ends() {
    assert_eq!(told(&chain(400, |next| next), "\"x\""), pair("", "integer"));
    assert_eq!(told(&chain(400, |next| next), "1"), []);
    assert_eq!(told(&chain(30_000, |next| next), "1"), pair("", IN_TIME));
    let deep = json!({"items": {"allOf": [{"anyOf": [{"$ref": "#"}]}]}});
    let deep = Whole::new(deep.to_string().as_bytes()).unwrap();
    assert_eq!(told(&deep, &("[".repeat(127) + &"]".repeat(127))), []);
    // Their problems, too: the deepest are the most.
    let told_deep = told(&chain(300, |next| json!({"anyOf": [next, {"type": "null"}]})), "\"x\"");
    assert_eq!(told_deep.len(), 1);
}

#[test]
fn the_deepest_schemas_are_schemas() {
    // As deep as `mcpgraft::schema` lets them be.
    for draft in ["draft/2020-12", "draft/2019-09", "draft-07", "draft-06", "draft-04"] {
        for (open, close, times) in [
            ("{\"not\":", "}", 98),
            ("{\"items\":", "}", 98),
            ("{\"additionalProperties\":", "}", 98),
            ("{\"allOf\":[", "]}", 49),
            ("{\"properties\":{\"a\":", "}}", 49),
            ("{\"dependencies\":{\"a\":", "}}", 49),
        ] {
            let inner = format!("{}{{}}{}", open.repeat(times), close.repeat(times));
            let schema =
                format!("{{\"$schema\":\"https://json-schema.org/{draft}/schema\",\"not\":{inner}}}");
            assert_eq!(Whole::new(schema.as_bytes()).err(), None, "{draft} {open}");
        }
    }
}

#[test]
fn a_schema_that_is_itself_says_nothing() {
    for schema in [json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}]}), json!({"$dynamicRef": "#"})] {
        assert_eq!(told(&Whole::new(schema.to_string().as_bytes()).unwrap(), "1"), [], "{schema}");
    }
}

#[test]
fn a_megabyte_is_checked() {
    let schema = json!({"items": {"type": "integer", "minimum": 0, "enum": (0..500).collect::<Vec<_>>()}, "uniqueItems": false});
    let schema = Whole::new(schema.to_string().as_bytes()).unwrap();
    let numbers = |last: &str| format!("[{}{last}]", "1,".repeat(500_000));
    assert_eq!(told(&schema, &numbers("2")), []);
    assert_eq!(told(&schema, &numbers("\"x\"")).first().unwrap().0, "[500000]");
    let unique = Whole::new(br#"{"uniqueItems":true}"#).unwrap();
    let all: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    assert_eq!(told(&unique, &format!("[{}]", all.join(","))), []);
    assert_eq!(told(&unique, &format!("[{},77.0]", all.join(","))), pair("", "items that all differ"));
}

#[test]
fn multiples_are_exact() {
    for (of, value, fits) in [
        ("0.0001", "0.0075", true),
        ("0.01", "4.02", true),
        ("0.3", "4890261383161970495", false),
        ("0.5", "1e308", true),
        ("1e-320", "1e308", true),
        ("3", "1e308", false),
        ("1e308", "3e307", false),
        ("1e300", "3e301", true),
        ("7", "-14.0", true),
        ("18446744073709551615", "18446744073709551615", true),
    ] {
        let schema = Whole::new(format!("{{\"multipleOf\":{of}}}").as_bytes()).unwrap();
        assert_eq!(schema.check(value.as_bytes()).is_empty(), fits, "{value} of {of}");
    }
}

#[test]
fn numbers_are_compared_by_what_they_are_worth() {
    for (limit, value, fits) in [
        ("9007199254740993", "9007199254740992.0", false),
        ("9007199254740992.0", "9007199254740993", true),
        ("-0.5", "0", true),
        ("-0.5", "-1", false),
        ("0.5", "0", false),
        ("1e30", "18446744073709551615", false),
        ("-1e30", "-9223372036854775808", true),
    ] {
        let schema = Whole::new(format!("{{\"minimum\":{limit}}}").as_bytes()).unwrap();
        assert_eq!(schema.check(value.as_bytes()).is_empty(), fits, "{value} >= {limit}");
    }
}
