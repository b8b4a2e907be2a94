use alloc::string::String;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;

use super::*;

/// Reads and writes again.
fn again<T: Serialize + DeserializeOwned>(text: &str) -> String {
    to_json(&serde_json::from_str::<T>(text).expect(text)).expect("JSON")
}

#[track_caller]
fn keeps<T: Serialize + DeserializeOwned>(texts: &[&str]) {
    for text in texts {
        assert_eq!(again::<T>(text), *text);
    }
}

#[test]
fn everything_known_and_unknown_comes_back() {
    keeps::<Tool>(&[
        r#"{"name":"a","inputSchema":{}}"#,
        r#"{"name":"a","title":"A","description":"d","inputSchema":{ "type":"object","maximum":12345678901234567890123 },"outputSchema":{"const":1.50},"annotations":{"title":"t","readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false,"later":1},"icons":[{"src":"data:,","mimeType":"image/png","sizes":["48x48"],"theme":"dark","later":[1]}],"_meta":{"n":1e400},"later":{"x":[1,2.5]}}"#,
    ]);
    keeps::<ContentBlock>(&[
        r#"{"type":"text","text":"t"}"#,
        r#"{"type":"text","text":"t","annotations":{"audience":["user","assistant","robot"],"priority":0.5,"lastModified":"2025-01-01T00:00:00Z","later":1},"_meta":{"n":1.50},"later":true}"#,
        r#"{"type":"image","data":"AA==","mimeType":"image/png","later":1}"#,
        r#"{"type":"audio","data":"AA==","mimeType":"audio/wav"}"#,
        r#"{"type":"resource","resource":{"uri":"a:b","mimeType":"text/plain","text":"t","_meta":{},"later":1}}"#,
        r#"{"type":"resource","resource":{"uri":"a:b","blob":"AA=="},"_meta":[1.0]}"#,
        r#"{"type":"resource_link","uri":"a:b","name":"n","title":"t","description":"d","mimeType":"m","size":5,"annotations":{},"icons":[{"src":"https://a"}],"_meta":{},"later":1}"#,
        r#"{"later":1.50, "type":"hologram"}"#,
    ]);
    keeps::<CallToolResult>(&[
        r#"{"content":[]}"#,
        r#"{"content":[{"type":"text","text":""}],"structuredContent":null}"#,
        r#"{"content":[],"structuredContent":{"n":0.10},"isError":true,"_meta":{"x":1},"later":1}"#,
    ]);
    keeps::<ResourceTemplate>(&[
        r#"{"uriTemplate":"a:{b}","name":"n","title":"t","description":"d","mimeType":"m","annotations":{"priority":1.0},"icons":[{"src":"x"}],"_meta":{},"later":1}"#,
    ]);
    keeps::<ReadResourceResult>(&[
        r#"{"contents":[{"uri":"a:b","text":""}],"ttlMs":5,"cacheScope":"public","_meta":{},"later":1}"#,
    ]);
    keeps::<Prompt>(&[
        r#"{"name":"n","title":"t","description":"d","arguments":[{"name":"a","title":"t","description":"d","required":true,"later":1},{"name":"b"}],"icons":[{"src":"x"}],"_meta":{},"later":1}"#,
    ]);
    keeps::<GetPromptResult>(&[
        r#"{"description":"d","messages":[{"role":"assistant","content":{"type":"text","text":"t"},"later":1}],"_meta":{},"later":1}"#,
    ]);
    keeps::<CompleteResult>(&[
        r#"{"completion":{"values":["a"],"total":7,"hasMore":false,"later":1},"_meta":{},"later":1}"#,
    ]);
    keeps::<Implementation>(&[
        r#"{"name":"n","version":"1","title":"t","description":"d","icons":[{"src":"x"}],"websiteUrl":"https://a","later":1}"#,
    ]);
}

#[test]
fn null_is_absent_and_whole_numbers_may_be_floats() {
    assert_eq!(
        again::<Tool>(
            r#"{"name":"a","title":null,"inputSchema":{},"icons":null,"_meta":null,"annotations":null}"#
        ),
        r#"{"name":"a","inputSchema":{}}"#
    );
    assert_eq!(again::<CallToolResult>(r#"{"content":null,"isError":null}"#), r#"{"content":[]}"#);
    assert_eq!(
        again::<Resource>(r#"{"uri":"a:b","name":"n","size":5.0}"#),
        r#"{"uri":"a:b","name":"n","size":5}"#
    );
    assert!(serde_json::from_str::<Resource>(r#"{"uri":"a:b","name":"n","size":5.5}"#).is_err());
    assert!(serde_json::from_str::<ContentBlock>(r#"{"text":"t"}"#).is_err());
    assert!(serde_json::from_str::<ContentBlock>(r#"{"type":"text"}"#).is_err());
}

#[test]
fn constructors_write_what_the_schema_wants() {
    let json = |result: &CallToolResult| to_json(result).unwrap();
    assert_eq!(
        json(&CallToolResult::error("no")),
        r#"{"content":[{"type":"text","text":"no"}],"isError":true}"#
    );
    assert_eq!(
        json(&CallToolResult::structured(payload(" [1.50] ").unwrap())),
        r#"{"content":[],"structuredContent":[1.50]}"#
    );
    let blocks = [
        ContentBlock::image("AA==", "image/png"),
        ContentBlock::audio("AA==", "audio/wav"),
        ContentBlock::resource(ResourceContents::blob("a:b", "AA==")),
        ContentBlock::ResourceLink(Resource::new("a:b", "n")),
    ];
    assert_eq!(
        json(&CallToolResult::blocks(blocks)),
        r#"{"content":[{"type":"image","data":"AA==","mimeType":"image/png"},{"type":"audio","data":"AA==","mimeType":"audio/wav"},{"type":"resource","resource":{"uri":"a:b","blob":"AA=="}},{"type":"resource_link","uri":"a:b","name":"n"}]}"#
    );
    assert_eq!(
        to_json(&GetPromptResult::user("hi")).unwrap(),
        r#"{"messages":[{"role":"user","content":{"type":"text","text":"hi"}}]}"#
    );
    assert_eq!(to_json(&CompleteResult::new(["a".into()])).unwrap(), r#"{"completion":{"values":["a"]}}"#);
    assert_eq!(
        to_json(&ReadResourceResult::text("a:b", "t")).unwrap(),
        r#"{"contents":[{"uri":"a:b","text":"t"}]}"#
    );
}

#[test]
fn what_is_made_here_goes_into_the_catalogue() {
    use crate::catalog::{Kind, Owned};
    let mut catalog = Owned::new();
    let tool = Tool::new("a", payload(r#"{"type":"object"}"#).unwrap());
    let mut prompt = Prompt::new("p");
    prompt.arguments = Vec::from([PromptArgument::required("x"), PromptArgument::optional("y")]);
    for (kind, definition) in [
        (Kind::Tool, to_json(&tool)),
        (Kind::Resource, to_json(&Resource::new("a:b", "n"))),
        (Kind::Template, to_json(&ResourceTemplate::new("a:{b}", "n"))),
        (Kind::Prompt, to_json(&prompt)),
    ] {
        assert_eq!(catalog.put(kind, &definition.unwrap()), Ok(true));
    }
    assert_eq!(payload("{").err().map(|error| error.name()), Some("bad_json"));
    let odd = alloc::collections::BTreeMap::from([(Vec::from([1]), 1)]);
    assert_eq!(to_payload(&odd).err(), Some(NOT_JSON));
}
