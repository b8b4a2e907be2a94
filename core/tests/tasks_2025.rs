//! The experimental tasks of `2025-11-25`: what is kept of a task and how its client reads it, questions that belong to a
//! task, what is told of it.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::panic)]

use mcpgraft::catalog::{Entry, Fixed};
use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Handshake, Headers, HttpStep, Request, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::jsonrpc::Id;
use mcpgraft::model::ClientCapabilities;
use mcpgraft::server::{
    Ask, ExperimentalTasks, Failure, NewTask, Offer, Outcome, Profile, Progress, Step, Target, Task,
    TaskAction, TaskOrigin, TaskWanted, Text, Unable, task_page,
};
use mcpgraft::{Limits, LocalError, Revision, Server, Session};

const FORM: Ask<'static> =
    Ask::Form { message: "Sure?", schema: Raw::trusted(r#"{"type":"object","properties":{}}"#) };
/// 2026-07-28T00:00:00Z
const NOW: u64 = 1_785_196_800_000;
const RELATED: &str = r#""io.modelcontextprotocol/related-task":{"taskId":"t1"}"#;
static TOOLS: [Entry<'static>; 2] = [
    Entry::new(
        "add",
        r#"{"name":"add","inputSchema":{"type":"object"},"execution":{"taskSupport":"optional"}}"#,
    ),
    Entry::new(
        "list",
        r#"{"name":"list","inputSchema":{"type":"object"},"outputSchema":{"type":"array"},"execution":{"taskSupport":"required"}}"#,
    ),
];

fn offering() -> Server<'static, Fixed<'static>> {
    let profile = Profile {
        tools: Offer::Catalog,
        experimental_tasks: ExperimentalTasks::Listed,
        ..Profile::new(Raw::trusted(r#"{"name":"s","version":"1"}"#))
    };
    Server { profile, limits: Limits::DEFAULT, catalog: Fixed { tools: &TOOLS, ..Fixed::default() } }
}

fn asks_forms() -> ClientCapabilities {
    ClientCapabilities { elicit_form: true, ..ClientCapabilities::default() }
}

fn new<'a>(origin: TaskOrigin<'a>) -> NewTask<'a> {
    NewTask { id: "t1", owner: None, now: NOW, ttl: Some(60_000), poll: Some(500), origin }
}

fn saved(write: impl FnOnce(&mut Vec<u8>) -> Result<(), LocalError>) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    out
}

fn made() -> Vec<u8> {
    saved(|out| new(TaskOrigin::new(Revision::V2025_11_25, asks_forms())).save(out))
}

/// The next state of a saved task.
fn then(before: &[u8], change: impl FnOnce(Task<'_>, &mut Vec<u8>) -> Result<(), LocalError>) -> Vec<u8> {
    saved(|out| change(Task::restore(before).unwrap(), out))
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> Result<(), LocalError>) -> String {
    String::from_utf8(saved(write)).unwrap()
}

fn detailed(task: &[u8]) -> String {
    text(|out| Task::restore(task).unwrap().detailed(out))
}

type Channel = Session<4, 4>;

/// A session that is ready.
fn session(server: &Server<'_, Fixed<'_>>) -> Channel {
    let (mut session, mut out) = (Channel::new(1), Vec::new());
    for message in [
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"c","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    ] {
        session.accept(server, message.as_bytes(), &mut out).unwrap();
    }
    session
}

fn call(id: u8, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}}}}}"#)
}

#[test]
fn a_call_that_asks_for_a_task_is_not_answered_by_a_text() {
    let (server, mut out) = (offering(), Vec::new());
    let mut session = session(&server);
    let message = call(1, "tools/call", r#""name":"add","task":{}"#);
    let Ok(Step::Call(call)) = session.accept(&server, message.as_bytes(), &mut out) else {
        panic!("a call")
    };
    let text = Text { pieces: &["3"], ..Text::default() };
    let said = session.reply_text(&server, call.key, &text, &mut out);
    assert!(matches!(said, Err(LocalError::BadResult(_))), "{said:?}");
    let said = session.reply_structured(&server, call.key, Raw::trusted("3"), &text, &mut out);
    assert!(matches!(said, Err(LocalError::BadResult(_))), "{said:?}");
    assert!(out.is_empty() && session.in_flight() == 1);
}

// proves: S-433, S-434, S-438, T-075
#[test]
fn a_task_is_written_in_its_own_form() {
    let task = made();
    let inside = r#"{"taskId":"t1","status":"working","createdAt":"2026-07-28T00:00:00.000Z","lastUpdatedAt":"2026-07-28T00:00:00.000Z","ttl":60000,"pollInterval":500}"#;
    let task = Task::restore(&task).unwrap();
    assert!(task.is_experimental() && task.is_of(Revision::V2025_11_25) && !task.is_of(Revision::NEWEST));
    assert_eq!(
        text(|out| task.created(out)),
        format!(r#"{{"resultType":"task","task":{inside},"_meta":{{{RELATED}}}}}"#)
    );
    assert_eq!(text(|out| task.detailed(out)), inside);
    assert_eq!(text(|out| task.acknowledged(out)), inside);
    let page = |next| text(|out| task_page([task, task].into_iter(), next, out));
    assert_eq!(page(None), format!(r#"{{"tasks":[{inside},{inside}]}}"#));
    assert_eq!(page(Some("n\"")), format!(r#"{{"tasks":[{inside},{inside}],"nextCursor":"n\""}}"#));
    let newest = saved(|out| new(TaskOrigin::new(Revision::NEWEST, asks_forms())).save(out));
    let newest = Task::restore(&newest).unwrap();
    assert!(!newest.is_experimental());
    assert_eq!(text(|out| newest.acknowledged(out)), "{}");
}

// proves: S-435, S-437, S-446, T-074
#[test]
fn an_outcome_is_what_its_call_would_have_been_answered() {
    let outcome = |task: &[u8]| {
        let mut out = Vec::new();
        let outcome = Task::restore(task).unwrap().outcome(&mut out).map(|outcome| match outcome {
            Outcome::Error { code, message, data } => {
                format!("{code} {message} {}", data.map_or("-", Raw::text))
            }
            Outcome::Open => "open".to_owned(),
            Outcome::Result => String::new(),
        });
        outcome.unwrap() + &String::from_utf8(out).unwrap()
    };
    assert_eq!(outcome(&made()), "open");
    let asked = then(&made(), |task, out| task.require_input(&[("a", FORM)], NOW, out));
    assert_eq!(outcome(&asked), "open");
    let own = r#"{"resultType":"complete","ttlMs":5,"structuredContent":[1],"_meta":{"x":1,"io.modelcontextprotocol/related-task":{"taskId":"other"}}}"#;
    let done = then(&made(), |task, out| task.complete(own, NOW, out));
    assert_eq!(
        outcome(&done),
        format!(
            r#"{{"content":[{{"type":"text","text":"[1]"}}],"structuredContent":{{"result":[1]}},"_meta":{{"x":1,{RELATED}}}}}"#
        ),
    );
    assert!(detailed(&done).contains(r#""status":"completed""#));
    let long = "é".repeat(1000);
    for failure in
        [Failure::Tool(&long), Failure::MissingCapability { needed: Raw::trusted("{}"), message: &long }]
    {
        let failed = then(&made(), |task, out| task.fail(&failure, NOW, out));
        let shown = detailed(&failed);
        assert!(shown.contains(r#""status":"failed""#), "{shown}");
        assert_eq!(shown.matches('é').count(), 200, "the message has an end");
        assert!(outcome(&failed).contains(r#""isError":true,"_meta":{"#));
    }
    let failure = Failure::Custom { code: -32042, message: "see", data: Some(Raw::trusted("[1]")) };
    let failed = then(&made(), |task, out| task.fail(&failure, NOW, out));
    assert_eq!(outcome(&failed), "-32042 see [1]", "a code of this revision");
    assert!(detailed(&failed).contains(r#""status":"failed","statusMessage":"see""#));
    let cancelled = then(&asked, |task, out| task.cancel(NOW, out));
    assert_eq!(outcome(&cancelled), "-32603 the task was cancelled -");
}

#[test]
fn the_schema_of_the_tool_decides_even_when_it_is_gone() {
    let (server, mut out) = (offering(), Vec::new());
    let mut session = session(&server);
    let message = call(
        1,
        "tools/call",
        r#""name":"list","task":{"ttl":1e3,"x":[]},"arguments":{},"_meta":{"progressToken":"p"}"#,
    );
    let Step::Call(made) = session.accept(&server, message.as_bytes(), &mut out).unwrap() else { panic!() };
    assert_eq!(made.task, Some(TaskWanted { ttl_ms: Some(1000) }));
    assert!(made.capabilities.tasks && made.capabilities.elicit_form);
    let task = saved(|out| new(made.task_origin()).save(out));
    assert_eq!(Task::restore(&task).unwrap().progress_token().map(Raw::text), Some("\"p\""));
    let done = then(&task, |task, out| task.complete(r#"{"structuredContent":{"n":1}}"#, NOW, out));
    let mut out = Vec::new();
    Task::restore(&done).unwrap().outcome(&mut out).unwrap();
    let shown = String::from_utf8(out).unwrap();
    assert!(shown.contains(r#""structuredContent":{"result":{"n":1}}"#), "{shown}");
}

#[test]
fn nothing_else_answers_who_asks_for_a_task() {
    let (server, mut out) = (offering(), Vec::new());
    let mut session = session(&server);
    let wants = call(1, "tools/call", r#""name":"add","task":{}"#);
    let Step::Call(wants) = session.accept(&server, wants.as_bytes(), &mut out).unwrap() else { panic!() };
    let plain = call(2, "tools/call", r#""name":"add""#);
    let Step::Call(plain) = session.accept(&server, plain.as_bytes(), &mut out).unwrap() else { panic!() };
    let task = made();
    let created = text(|out| Task::restore(&task).unwrap().created(out));
    let newest = saved(|out| new(TaskOrigin::new(Revision::NEWEST, asks_forms())).save(out));
    let flat = text(|out| Task::restore(&newest).unwrap().created(out));
    for (key, result) in [
        (wants.key, r#"{"content":[]}"#),
        (wants.key, r#"{"resultType":"complete"}"#),
        (wants.key, flat.as_str()),
        (plain.key, created.as_str()),
    ] {
        let refused = session.reply(&server, key, result, &mut out);
        assert!(matches!(refused, Err(LocalError::BadResult(_))), "{result}");
    }
    assert!(out.is_empty());
    session.fail(&server, wants.key, &Failure::Tool("full"), &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"full"}}"#
    );
}

/// A task that has asked, and the call that waits for it.
fn waiting(asks: &[(&str, Ask<'_>)], capabilities: ClientCapabilities) -> Vec<u8> {
    let task = saved(|out| new(TaskOrigin::new(Revision::V2025_11_25, capabilities)).save(out));
    then(&task, |task, out| task.require_input(asks, NOW, out))
}

// proves: S-438, S-440
#[test]
fn a_question_says_which_task_asks() {
    let (server, mut out) = (offering(), Vec::new());
    let mut session = session(&server);
    let result = call(7, "tasks/result", r#""taskId":"t1""#);
    let Step::Call(result) = session.accept(&server, result.as_bytes(), &mut out).unwrap() else { panic!() };
    assert!(matches!(result.target, Target::Task { action: TaskAction::Result, .. }));
    let task = waiting(&[("a", FORM)], asks_forms());
    let task = Task::restore(&task).unwrap();
    let (_, request) = task.open().next().unwrap();
    let ask = Ask::Task { id: task.id(), request };
    assert_eq!(session.can_ask(result.key, &ask), Ok(Ok(())));
    session.ask(result.key, &ask, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{{"message":"Sure?","requestedSchema":{{"type":"object","properties":{{}}}},"_meta":{{{RELATED}}}}}}}"#
        )
    );
}

#[test]
fn a_kept_question_is_judged_as_any_other() {
    let all = ClientCapabilities {
        roots: true,
        sampling: true,
        sampling_tools: true,
        elicit_form: true,
        elicit_url: true,
        ..ClientCapabilities::default()
    };
    let none = ClientCapabilities::default();
    let sample = Raw::trusted(r#"{"messages":[],"maxTokens":1,"tools":[],"_meta":{"x":1}}"#);
    let url = Ask::Url { message: "m", url: "https://example.org", id: "e1" };
    let task =
        waiting(&[("f", FORM), ("r", Ask::Roots), ("s", Ask::Sample { params: sample }), ("u", url)], all);
    let task = Task::restore(&task).unwrap();
    let methods = ["elicitation/create", "roots/list", "sampling/createMessage", "elicitation/create"];
    let answers = [
        r#"{"action":"decline"}"#,
        r#"{"roots":[]}"#,
        r#"{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"}"#,
        r#"{"action":"accept"}"#,
    ];
    let kept: Vec<_> = task.open().map(|(_, request)| Ask::Task { id: task.id(), request }).collect();
    assert_eq!(kept.len(), 4);
    for (at, ask) in kept.iter().enumerate() {
        assert_eq!(Some(&ask.method()), methods.get(at));
        assert_eq!(ask.check(&all, Revision::V2025_11_25), Ok(()));
        assert!(matches!(ask.check(&none, Revision::V2025_11_25), Err(Unable::Capability(_))));
        assert!(matches!(ask.check(&all, Revision::NEWEST), Err(Unable::Revision(_))));
        for (answer, method) in answers.iter().zip(methods) {
            assert_eq!(ask.accepts(Raw::trusted(answer)), ask.method() == method, "{method}");
        }
    }
    assert!(task.open().nth(2).unwrap().1.text().contains(r#""_meta":{"x":1}"#));
    assert!(task.open().nth(3).unwrap().1.text().contains(r#""elicitationId":"e1""#));
}

// proves: S-216, S-438, S-449
#[test]
fn the_channel_of_the_call_hears_of_its_task() {
    let (server, mut out) = (offering(), Vec::new());
    let (mut session, mut other) = (session(&server), session(&server));
    let wants = call(1, "tools/call", r#""name":"add","task":{},"_meta":{"progressToken":5}"#);
    let Step::Call(wants) = session.accept(&server, wants.as_bytes(), &mut out).unwrap() else { panic!() };
    let task = saved(|out| new(wants.task_origin()).save(out));
    let task = Task::restore(&task).unwrap();
    let half = Progress { progress: 0.5, total: Some(1.0), message: Some("half") };
    assert!(!session.task_changed(&task, None, &mut out).unwrap(), "it is not told of yet");
    session.reply(&server, wants.key, &text(|out| task.created(out)), &mut out).unwrap();
    out.clear();
    assert!(!other.task_changed(&task, None, &mut out).unwrap(), "another connection");
    assert!(!other.task_progress(&task, &half, &mut out).unwrap());
    assert!(session.task_progress(&task, &half, &mut out).unwrap());
    assert_eq!(
        String::from_utf8_lossy(&out),
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":5,"progress":0.5,"total":1,"message":"half","_meta":{{{RELATED}}}}}}}"#
        )
    );
    let endless = Progress { progress: f64::NAN, total: None, message: None };
    assert!(matches!(session.task_progress(&task, &endless, &mut out), Err(LocalError::NotAllowed(_))));
    out.clear();
    let over = saved(|out| task.cancel(NOW, out));
    let over = Task::restore(&over).unwrap();
    assert!(!session.task_progress(&over, &half, &mut out).unwrap(), "the token ends with the task");
    assert!(session.task_changed(&over, None, &mut out).unwrap());
    assert_eq!(
        String::from_utf8_lossy(&out),
        r#"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"t1","status":"cancelled","createdAt":"2026-07-28T00:00:00.000Z","lastUpdatedAt":"2026-07-28T00:00:00.000Z","ttl":60000,"pollInterval":500}}"#
    );
    out.clear();
    assert!(!session.task_changed(&over, None, &mut out).unwrap(), "once it is over it is forgotten");
}

fn post<R>(
    message: &str,
    handshake: &mut Handshake,
    accept: &[u8],
    then: impl FnOnce(&mut Exchange, HttpStep<'_>, &mut Vec<u8>) -> R,
) -> (R, String) {
    let (server, mut out) = (offering(), Vec::new());
    let headers: [(&str, &[u8]); 4] = [
        ("Host", b"localhost"),
        ("Content-Type", b"application/json"),
        ("Accept", accept),
        ("Mcp-Session-Id", b"s"),
    ];
    let method = if message.is_empty() { "GET" } else { "POST" };
    let request = Request { method, headers: Headers(&headers), peer_is_loopback: Some(true) };
    let mut exchange = Exchange::new(1);
    let endpoint = Endpoint { streams: true, listens: true, sessions: Sessions::Kept, ..Endpoint::default() };
    assert!(exchange.gate(&server, &endpoint, &request, &mut out).unwrap().is_none());
    let attached = Attached::Known(handshake);
    let step = exchange.accept(&server, &request, attached, message.as_bytes(), &mut out).unwrap();
    let made = then(&mut exchange, step, &mut out);
    (made, String::from_utf8(out).unwrap())
}

fn kept() -> Handshake {
    Handshake::restore(&[1, Revision::V2025_11_25 as u8, asks_forms().to_bits(), 0]).unwrap()
}

const BOTH: &[u8] = b"application/json, text/event-stream";

#[test]
fn a_call_that_waits_begins_its_stream_at_once() {
    let message = call(1, "tasks/result", r#""taskId":"t1""#);
    let (_, text) = post(&message, &mut kept(), BOTH, |exchange, step, out| {
        let HttpStep::Call(call) = step else { panic!("{step:?}") };
        let begun = exchange.begin_stream(call.key, out).unwrap();
        assert!(matches!(begun, Emit::Events { start: Some(_), end: false }));
        assert_eq!(exchange.begin_stream(call.key, out), Ok(Emit::Nothing), "there is one");
        let progress = Progress { progress: 1.0, total: None, message: None };
        let id = Id::read(Raw::trusted("\"p\"")).unwrap();
        let origin = TaskOrigin::new(Revision::V2025_11_25, asks_forms()).with_token(Some(id));
        let task = saved(|out| new(origin).save(out));
        let task = Task::restore(&task).unwrap();
        exchange.task_progress(call.key, &task, &progress, out).unwrap();
        let silent = made();
        let silent = Task::restore(&silent).unwrap();
        assert_eq!(exchange.task_progress(call.key, &silent, &progress, out), Ok(Emit::Nothing));
        let end = exchange.reply(&offering(), call.key, r#"{"content":[]}"#, out).unwrap();
        assert!(matches!(end, Emit::Events { start: None, end: true }));
    });
    assert!(text.starts_with(":\n\n"), "{text}");
    assert_eq!(text.matches("data: ").count(), 2, "{text}");
    assert!(text.contains(&format!(r#""progress":1,"_meta":{{{RELATED}}}"#)), "{text}");
    let (begun, _) = post(&message, &mut kept(), b"application/json", |exchange, step, out| {
        let HttpStep::Call(call) = step else { panic!("{step:?}") };
        exchange.begin_stream(call.key, out)
    });
    assert_eq!(begun, Ok(Emit::Nothing), "its client takes none");
}

#[test]
fn the_stream_of_a_session_hears_of_tasks_that_are_its_own() {
    let (_, text) = post("", &mut kept(), b"text/event-stream", |_, step, out| {
        let HttpStep::Listen { mut listener, .. } = step else { panic!("{step:?}") };
        let origin = TaskOrigin::new(Revision::V2025_11_25, asks_forms());
        let own = saved(|out| NewTask { owner: Some("anne"), ..new(origin) }.save(out));
        let newest = saved(|out| new(TaskOrigin::new(Revision::NEWEST, asks_forms())).save(out));
        let (own, newest) = (Task::restore(&own).unwrap(), Task::restore(&newest).unwrap());
        assert!(!listener.task_changed(&own, Some("bob"), out).unwrap());
        assert!(!listener.task_changed(&newest, Some("anne"), out).unwrap());
        assert!(listener.task_changed(&own, Some("anne"), out).unwrap());
    });
    assert_eq!(text.matches("notifications/tasks/status").count(), 1, "{text}");
}

#[test]
fn what_was_kept_before_there_were_two_forms_is_of_the_newer_one() {
    let old = br#"{"id":"t1","caps":0,"created":1,"status":"working","updated":1}"#;
    assert!(Task::restore(old).unwrap().is_of(Revision::NEWEST));
    let strange =
        br#"{"id":"t1","caps":0,"revision":"2031-01-01","created":1,"status":"working","updated":1}"#;
    assert!(Task::restore(strange).is_none());
}
