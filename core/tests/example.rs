//! The example server, as its clients see it: started, spoken to over its stdin and stdout in both eras, and closed.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::env;
use std::io::Write;
use std::process::{Command, Stdio};

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// Runs the example with this input to its end and gives its output.
fn run(input: &str) -> String {
    // Cargo builds the examples of a package with its tests, into the folder beside theirs.
    let path = env::current_exe().unwrap();
    let path = path
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(format!("stdio{}", env::consts::EXE_SUFFIX));
    let mut server = Command::new(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    server.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_older_client() {
    let output = run(concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        "\r\n\nnonsense\n",
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
        "\n",
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"search_policies","arguments":{"query":"Laptop"}}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"search_policies"}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","id":5,"method":"resources/read","params":{"uri":"policy://travel"}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","id":6,"method":"resources/read","params":{"uri":"policy://none"}}"#,
    ));
    let wanted = [
        r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"resources":{},"tools":{}},"serverInfo":{"name":"policies","version":"1.0.0"}}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"invalid JSON at byte 1: expected true, false or null"}}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"search_policies","description":"Search company policies by keyword","inputSchema":{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}}]}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{"content":[{"type":"text","text":"[\"security\"]"}],"structuredContent":{"result":["security"]}}}"#,
        r#"{"jsonrpc":"2.0","id":4,"result":{"content":[{"type":"text","text":"\"query\" must be a string: what to search for"}],"isError":true}}"#,
        r#"{"jsonrpc":"2.0","id":5,"result":{"contents":[{"uri":"policy://travel","text":"Book trains before flights. Anything above 500 needs approval."}]}}"#,
        r#"{"jsonrpc":"2.0","id":6,"error":{"code":-32002,"message":"resource not found","data":{"uri":"policy://none"}}}"#,
    ];
    assert_eq!(output.lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn a_stateless_client() {
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{{"name":"search_policies","arguments":{{"query":"work"}},{META}}}}}"#
    );
    let output = run(&format!("{call}\n"));
    assert_eq!(
        output,
        concat!(
            r#"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","content":[{"type":"text","text":"[\"remote-work\"]"}],"#,
            r#""structuredContent":["remote-work"],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"policies","version":"1.0.0"}}}}"#,
            "\n"
        )
    );
}
