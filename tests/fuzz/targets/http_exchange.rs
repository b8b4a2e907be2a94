//! One HTTP exchange with any headers and any body: one well-formed response, whatever room there was for it.
#![no_main]
#![allow(dead_code, unreachable_pub)]

use libfuzzer_sys::fuzz_target;

#[path = "../../../core/tests/common/machine.rs"]
mod machine;
#[path = "../../../core/tests/common/requests.rs"]
mod requests;
#[path = "../../../core/tests/common/served.rs"]
mod served;

use requests::{Act, Header, Setup, exchange};

/// Setup bits and room; the number of a good message, or none; headers; what the host does; the body.
type Input = (u8, u16, Option<u8>, Vec<(u8, Vec<u8>)>, Vec<(u8, u8)>, Vec<u8>);

const NAMES: [&str; 12] = [
    "Host",
    "Origin",
    "Accept",
    "Content-Type",
    "Content-Length",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Param-To",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "x",
];

fuzz_target!(|input: Input| {
    let (bits, room, good, changes, acts, own) = input;
    let setup = Setup {
        streams: bits & 1 == 0,
        listed: bits & 2 != 0,
        peer_is_loopback: [None, Some(true), Some(false)][usize::from(bits >> 2) % 3],
    };
    let method = ["POST", "POST", "OPTIONS", "GET"][usize::from(bits >> 4) % 4];
    let message = good.map(|at| served::message(usize::from(at), 1));
    let mut headers: Vec<Header> = match &message {
        Some(message) => served::headers(message),
        None => vec![("Content-Type".to_owned(), b"application/json".to_vec())],
    };
    for (at, value) in changes {
        let name = NAMES[usize::from(at) % NAMES.len()];
        if at & 0x40 == 0 {
            headers.retain(|(known, _)| known != name);
        }
        if at & 0x80 == 0 {
            headers.push((name.to_owned(), value));
        }
    }
    // The fuzzer's own bytes are the body, or the end of the good one.
    let mut body = message.unwrap_or_default().into_bytes();
    if body.is_empty() {
        body = own;
    } else if !own.is_empty() {
        body.truncate(body.len().saturating_sub(own.len()));
        body.extend(own);
    }
    let acts: Vec<Act> = acts
        .into_iter()
        .map(|(kind, at)| match kind % 6 {
            0 => Act::Reply(at.into()),
            1 => Act::Fail(at.into()),
            2 => Act::Progress(f64::from(at)),
            3 => Act::Log(at.into()),
            4 => Act::Foreign(3 << 48 | u64::from(at)),
            _ => Act::Close,
        })
        .collect();
    let narrow = exchange(setup, method, &headers, &body, &acts, room.into());
    assert_eq!(narrow, exchange(setup, method, &headers, &body, &acts, usize::MAX));
});
