//! The tier without a heap says the same, byte for byte: the duplex transcripts on a catalogue of borrowed tables.
//!
//! `cargo test -p mcpgraft --no-default-features` builds the library without alloc; the test itself has std.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Settings, bytes, files, steps, text};
use mcpgraft::Server;
use mcpgraft::catalog::{Entry, Fixed, Kind};
use mcpgraft::limits::TOKEN_BYTES;
use serde_json::Value;

/// Keys and definitions of one kind: what firmware would write as constants.
fn table(settings: &Settings, kind: Kind) -> Vec<(String, String)> {
    let row = |definition: &Value| (text(definition, kind.key()).unwrap().to_owned(), definition.to_string());
    settings.definitions(kind).map(row).collect()
}

fn entries(table: &[(String, String)]) -> Vec<Entry<'_>> {
    table.iter().map(|(key, definition)| Entry::new(key, definition)).collect()
}

/// Whether this tier can keep the ids of a step: only those longer than [`TOKEN_BYTES`] are answered otherwise.
fn fits(step: &Value) -> bool {
    let message = bytes(step, "in").unwrap_or_default();
    let Ok(Value::Object(message)) = serde_json::from_slice::<Value>(&message) else { return true };
    let token = message.get("params").and_then(|params| params.get("_meta")?.get("progressToken"));
    let short = |id: &Value| id.to_string().len() <= TOKEN_BYTES;
    message.get("id").into_iter().chain(token).all(short)
}

#[test]
fn transcripts_without_a_heap() {
    let (mut replayed, mut left_out) = (0, 0);
    for file in files().iter().filter(|file| text(file, "channel") == Some("duplex")) {
        let settings = Settings::new(file);
        let rows = Kind::ALL.map(|kind| table(&settings, kind));
        let [tools, resources, templates, prompts] = rows.each_ref().map(|table| entries(table));
        let custom_methods: Vec<&str> = settings.custom_methods().collect();
        let catalog = Fixed {
            tools: &tools,
            resources: &resources,
            templates: &templates,
            prompts: &prompts,
            custom_methods: &custom_methods,
        };
        let server = Server { profile: settings.profile(), limits: settings.limits, catalog };
        let wrong = common::duplex::replay(file, server, fits);
        assert!(wrong.is_empty(), "{}: {}", file["name"], wrong.join("\n"));
        replayed += steps(file).len();
        left_out += steps(file).iter().filter(|step| !fits(step)).count();
    }
    assert!(replayed > 100, "the transcripts were not found");
    assert!(left_out < 10, "{left_out} steps have long ids");
}
