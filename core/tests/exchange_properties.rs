//! What must hold of an HTTP exchange for any headers and any body, and whatever the host does in between.
#![cfg(feature = "std")]
#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "common/broken.rs"]
mod broken;
#[path = "common/machine.rs"]
mod machine;
#[path = "common/requests.rs"]
mod requests;
#[path = "common/served.rs"]
mod served;

use broken::{breakages, broken};
use proptest::collection::vec;
use proptest::prelude::*;
use requests::{Act, Header, Setup, exchange};
use served::{headers, message};

const NAMES: [&str; 13] = [
    "host",
    "Origin",
    "Accept",
    "content-type",
    "Content-Length",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "mcp-name",
    "Mcp-Param-To",
    "Mcp-Param-",
    "Mcp-Session-Id",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
];

const VALUES: [&str; 26] = [
    "",
    " ",
    "localhost:3000",
    "evil.example",
    "api.example.com",
    "http://localhost:3000",
    "https://app.example.com",
    "null",
    "*/*",
    "application/json",
    "text/event-stream",
    "text/event-stream, */*;q=0",
    "text/html",
    "application/json; charset=latin1",
    "99999999999999999999",
    "2001",
    "2026-07-28",
    "2025-11-25",
    "2025-03-26",
    "2099-01-01",
    "tools/call",
    "add",
    "x",
    "=?base64?eA==?=",
    "=?base64?/?=",
    "POST",
];

/// A change to a careful client's headers.
#[derive(Clone, Debug)]
enum Change {
    Drop(usize),
    Set(usize, Vec<u8>),
    Add(String, Vec<u8>),
    Accept(&'static str),
}

fn changes() -> impl Strategy<Value = Change> {
    let value = || {
        prop_oneof![
            5 => prop::sample::select(VALUES.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
            1 => vec(any::<u8>(), 0..12),
        ]
    };
    let name = prop_oneof![
        9 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned),
        1 => ".{0,12}",
    ];
    prop_oneof![
        any::<usize>().prop_map(Change::Drop),
        prop::sample::select(VALUES[8..13].to_vec()).prop_map(Change::Accept),
        (any::<usize>(), value()).prop_map(|(at, value)| Change::Set(at, value)),
        (name, value()).prop_map(|(name, value)| Change::Add(name, value)),
    ]
}

fn changed(mut headers: Vec<Header>, changes: &[Change]) -> Vec<Header> {
    for change in changes {
        match change {
            Change::Drop(at) if !headers.is_empty() => {
                headers.remove(at % headers.len());
            }
            Change::Set(at, value) if !headers.is_empty() => {
                let at = at % headers.len();
                headers[at].1.clone_from(value);
            }
            Change::Accept(value) => {
                headers.retain(|(name, _)| name != "Accept");
                headers.push(("Accept".to_owned(), value.as_bytes().to_vec()));
            }
            Change::Add(name, value) => headers.push((name.clone(), value.clone())),
            _ => {}
        }
    }
    headers
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => any::<usize>().prop_map(Act::Reply),
        2 => any::<usize>().prop_map(Act::Fail),
        4 => prop_oneof![0.0..9.0, any::<f64>()].prop_map(Act::Progress),
        3 => any::<usize>().prop_map(Act::Log),
        1 => prop_oneof![any::<u64>(), (0..9_u64).prop_map(|bits| bits | 3 << 48)].prop_map(Act::Foreign),
        1 => Just(Act::Close),
    ]
}

fn setups() -> impl Strategy<Value = Setup> {
    (any::<bool>(), prop::bool::weighted(0.2), any::<Option<bool>>())
        .prop_map(|(streams, listed, peer_is_loopback)| Setup { streams, listed, peer_is_loopback })
}

fn methods() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just("POST"), 1 => prop::sample::select(vec!["GET", "DELETE", "OPTIONS", "post", ""])]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_gets_one_good_response(
        (setup, method, at, id) in (setups(), methods(), any::<usize>(), any::<usize>()),
        (how, changes, acts) in (breakages(), vec(changes(), 0..3), vec(acts(), 0..8)),
        room in 0..400_usize,
    ) {
        let message = message(at, id % 100);
        let headers = changed(headers(&message), &changes);
        let body = broken(&message, &how);
        let response = exchange(setup, method, &headers, &body, &acts, room);
        prop_assert_eq!(&response, &exchange(setup, method, &headers, &body, &acts, usize::MAX));
        // What is well-formed and asked with all that is needed is never refused for its form.
        if matches!(how, broken::Breakage::None) && changes.is_empty() && acts.is_empty() && method == "POST" && !setup.listed {
            prop_assert!(response.is_none_or(|response| ![400, 403, 405, 406, 413, 415].contains(&response.status)));
        }
    }

    #[test]
    fn any_bytes_get_one_good_response(
        (setup, body) in (setups(), vec(any::<u8>(), 0..64)),
        headers in vec((".{0,16}", vec(any::<u8>(), 0..16)), 0..6),
    ) {
        exchange(setup, "POST", &headers, &body, &[], 0);
        let json = vec![("Content-Type".to_owned(), b"application/json".to_vec())];
        exchange(setup, "POST", &[headers, json].concat(), &body, &[], 0);
    }
}

#[test]
fn every_room_gives_the_same_stream() {
    let setup = Setup { streams: true, listed: false, peer_is_loopback: None };
    let acts = [Act::Progress(1.0), Act::Log(7), Act::Progress(2.0), Act::Reply(0)];
    let call = message(7, 1);
    let roomy = exchange(setup, "POST", &headers(&call), call.as_bytes(), &acts, usize::MAX).unwrap();
    assert_eq!(roomy.body.iter().filter(|byte| **byte == b'\n').count(), 4 * 3);
    for room in 0..roomy.body.len() {
        let narrow = exchange(setup, "POST", &headers(&call), call.as_bytes(), &acts, room);
        assert_eq!(narrow.as_ref(), Some(&roomy), "{room}");
    }
}
