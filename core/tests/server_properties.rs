//! What must hold of a session for any messages in any order, and whatever the host does in between.
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
#[path = "common/served.rs"]
mod served;

use broken::{breakages, broken, values};
use machine::{Machine, Op, Pick};
use proptest::collection::vec;
use proptest::prelude::*;
use served::message;

fn ops() -> impl Strategy<Value = Op> {
    let pick = || any::<u8>().prop_map(Pick);
    let sent = (any::<usize>(), 0..40_usize, breakages())
        .prop_map(|(at, id, how)| Op::Message(broken(&message(at, id), &how)));
    prop_oneof![
        10 => sent,
        1 => vec(any::<u8>(), 0..40).prop_map(Op::Message),
        4 => (pick(), any::<usize>()).prop_map(|(key, at)| Op::Reply(key, at)),
        3 => (pick(), any::<usize>()).prop_map(|(key, at)| Op::Fail(key, at)),
        2 => (pick(), prop_oneof![-1.0..9.0, any::<f64>()]).prop_map(|(key, at)| Op::Progress(key, at)),
        2 => (prop::option::of(pick()), any::<usize>()).prop_map(|(key, at)| Op::Log(key, at)),
        1 => any::<usize>().prop_map(Op::ListChanged),
        1 => any::<bool>().prop_map(Op::Updated),
        1 => any::<bool>().prop_map(Op::Notify),
        1 => Just(Op::TooLong),
    ]
}

/// How much room an output has at first.
fn rooms() -> impl Strategy<Value = usize> {
    prop_oneof![0..400_usize, Just(100_000)]
}

/// What is no message, or one that changes nothing: whatever state the session is in.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "{}",
        "[]",
        "[[]]",
        "null",
        "\u{feff}{}",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"x","id":"y","method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":"x","method":"initialize"}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"no/such"}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":1}}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"nope"}}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"logging/setLevel","params":{"level":"loud"}}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"resources/subscribe","params":{"uri":[]}}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"tools/list","params":{"cursor":"nope"}}"#,
        r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"nobody"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":0,"progress":1}}"#,
        r#"{"jsonrpc":"2.0","id":"x","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"m"}}"#,
    ]);
    prop_oneof![
        vec(any::<u8>(), 0..60),
        "[\\[\\]{}:,\"a0 .tnf-]{0,30}".prop_map(String::into_bytes),
        values().prop_map(|value| value.to_string().into_bytes()),
        known.prop_map(|text| text.as_bytes().to_vec()),
        Just(vec![b'['; 10_000]),
        Just(vec![b' '; 3000]),
    ]
}

/// Sends good messages, each followed by its answer where one is due, with garbage before each of them.
fn conversation(good: &[(usize, usize)], garbage: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
    let mut machine = Machine::new();
    let mut answers = Vec::new();
    for (id, (at, result)) in good.iter().enumerate() {
        for message in garbage.get(id).into_iter().flatten() {
            let before = machine.state();
            machine.step(&Op::Message(message.clone()), usize::MAX);
            assert_eq!(machine.state(), before, "{}", String::from_utf8_lossy(message));
        }
        machine.sent.clear();
        machine.step(&Op::Message(message(*at, id).into_bytes()), usize::MAX);
        // Every other call waits for a later one.
        if result % 2 == 0 {
            machine.step(&Op::Reply(Pick(3), *result), usize::MAX);
        }
        answers.append(&mut machine.sent);
    }
    answers.extend(machine.finish());
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_operations_keeps_every_promise(steps in vec((ops(), rooms()), 0..40)) {
        let mut machine = Machine::new();
        for (op, room) in &steps {
            machine.step(op, *room);
        }
        machine.finish();
    }

    #[test]
    fn room_for_the_output_changes_no_byte(
        steps in vec(ops(), 0..25),
        rooms in vec(0..300_usize, 25),
    ) {
        let (mut roomy, mut narrow) = (Machine::new(), Machine::new());
        for (op, room) in steps.iter().zip(&rooms) {
            roomy.step(op, usize::MAX);
            narrow.step(op, *room);
            prop_assert_eq!(roomy.state(), narrow.state());
        }
        prop_assert_eq!(roomy.finish(), narrow.finish());
    }

    #[test]
    fn garbage_between_messages_changes_nothing(
        good in vec((any::<usize>(), any::<usize>()), 1..12),
        garbage in vec(vec(garbage(), 0..3), 12),
    ) {
        // An open handshake first, in three of four cases, so that more than refusals is seen.
        let opened = good.iter().fold(0, |sum, (at, _)| at % 4 + sum) % 4;
        let good: Vec<_> = (opened < 3).then_some((opened, 1)).into_iter().chain(good).collect();
        prop_assert_eq!(conversation(&good, &[]), conversation(&good, &garbage));
    }
}
