//! The JSON Schema Test Suite (github.com/json-schema-org/JSON-Schema-Test-Suite, commit 44401e0c): all of it that a validator
//! that fetches nothing can pass. `suite/pack.py` packs it.
#![allow(clippy::unwrap_used, clippy::panic)]

use mcpgraft_schema::Whole;
use serde_json::Value;

fn label(draft: &str) -> &'static str {
    match draft {
        "4" => "http://json-schema.org/draft-04/schema#",
        "6" => "http://json-schema.org/draft-06/schema#",
        "7" => "http://json-schema.org/draft-07/schema#",
        "2019" => "https://json-schema.org/draft/2019-09/schema",
        "2020" => "https://json-schema.org/draft/2020-12/schema",
        other => panic!("{other}"),
    }
}

#[test]
fn what_fits_fits_and_nothing_else() {
    let (mut checked, mut wrong) = (0, Vec::new());
    for case in include_str!("suite/cases.jsonl").lines() {
        let case: Value = serde_json::from_str(case).unwrap();
        for draft in case["drafts"].as_array().unwrap() {
            let mut schema = case["schema"].clone();
            let draft = draft.as_str().unwrap();
            // Schemas that are a boolean are of the newest draft, and the same in each.
            if let Some(words) = schema.as_object_mut() {
                words.entry("$schema").or_insert(label(draft).into());
            }
            let compiled = match Whole::new(schema.to_string().as_bytes()) {
                Ok(compiled) => compiled,
                Err(why) => {
                    wrong.push(format!("{draft} {}: {why}", case["title"]));
                    continue;
                }
            };
            for (fits, values) in [(true, &case["fit"]), (false, &case["unfit"])] {
                for value in values.as_array().unwrap() {
                    checked += 1;
                    let problems = compiled.check(value.to_string().as_bytes());
                    if problems.is_empty() != fits {
                        wrong.push(format!("{draft} {}: {value} fits: {fits}; {problems:?}", case["title"]));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 6000, "{checked}");
}
