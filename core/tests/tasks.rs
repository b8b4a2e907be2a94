//! Tasks (the extension of `2026-07-28`): who may use them, what is written, and which states follow which.
#![cfg(feature = "std")]
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/served.rs"]
mod served;

use mcpgraft::Revision;
use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Headers, HttpStep, Request};
use mcpgraft::json::Raw;
use mcpgraft::model::ClientCapabilities;
use mcpgraft::server::{Ask, Failure, NewTask, Status, Step, Target, Task, TaskAction, TaskOrigin};
use mcpgraft::{LocalError, Server, Session};
use proptest::prelude::*;
use served::{Borrowed, served};

const EXTENSION: &str = r#"{"io.modelcontextprotocol/tasks":{}}"#;
const MISSING: &str = r#""code":-32021,"message":"the client capability extensions[\"io.modelcontextprotocol/tasks\"] is needed for this","data":{"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#;
const FORM: Ask<'static> =
    Ask::Form { message: "Sure?", schema: Raw::trusted(r#"{"type":"object","properties":{}}"#) };
/// 2026-07-28T00:00:00Z
const NOW: u64 = 1_785_196_800_000;

fn offering() -> Server<'static, Borrowed> {
    let mut server = served();
    server.profile.extensions = Some(Raw::trusted(EXTENSION));
    server
}

/// A request of a client that declared tasks or not.
fn request(method: &str, params: &str, declares: bool) -> String {
    let declared = if declares { format!(r#"{{"extensions":{EXTENSION}}}"#) } else { "{}".to_owned() };
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{declared}}}}}}}"#
    )
}

fn new<'a>(owner: Option<&'a str>) -> NewTask<'a> {
    let capabilities = ClientCapabilities { elicit_form: true, ..ClientCapabilities::default() };
    NewTask {
        id: "t1",
        owner,
        now: NOW,
        ttl: Some(60_000),
        poll: Some(500),
        origin: TaskOrigin::new(Revision::NEWEST, capabilities),
    }
}

fn saved(write: impl FnOnce(&mut Vec<u8>) -> Result<(), LocalError>) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    out
}

fn made() -> Vec<u8> {
    saved(|out| new(None).save(out))
}

/// The next state of a saved task.
fn then(before: &[u8], change: impl FnOnce(Task<'_>, &mut Vec<u8>) -> Result<(), LocalError>) -> Vec<u8> {
    saved(|out| change(Task::restore(before).unwrap(), out))
}

fn answer(server: &Server<'_, Borrowed>, message: &str) -> String {
    let (mut session, mut out) = (Session::<4, 4>::new(1), Vec::new());
    let step = session.accept(server, message.as_bytes(), &mut out).unwrap();
    assert!(matches!(step, Step::Send), "{step:?}");
    String::from_utf8(out).unwrap()
}

// proves: S-396
#[test]
fn both_sides_must_declare_the_extension() {
    for (method, params) in [
        ("tasks/get", r#""taskId":"nonsense","#),
        ("tasks/update", r#""taskId":"nonsense","inputResponses":{},"#),
        ("tasks/cancel", r#""taskId":"nonsense","#),
        ("subscriptions/listen", r#""notifications":{"taskIds":["t1"]},"#),
    ] {
        assert!(answer(&offering(), &request(method, params, false)).contains(MISSING), "{method}");
    }
    let undeclared = answer(&served(), &request("tasks/get", r#""taskId":"t1","#, true));
    assert!(undeclared.contains("-32601"), "{undeclared}");
    for gone in ["tasks/result", "tasks/list"] {
        assert!(answer(&offering(), &request(gone, r#""taskId":"t1","#, true)).contains("-32601"), "{gone}");
    }
}

#[test]
fn older_revisions_have_no_such_methods() {
    let (server, mut session, mut out) = (offering(), Session::<4, 4>::new(1), Vec::new());
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}},"clientInfo":{"name":"c","version":"1"}}}"#;
    session.accept(&server, hello.as_bytes(), &mut out).unwrap();
    assert!(!String::from_utf8_lossy(&out).contains("tasks"), "nothing is promised");
    out.clear();
    let get = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t1"}}"#;
    session.accept(&server, get.as_bytes(), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("-32601"));
}

#[test]
fn the_parameters_are_checked() {
    for (method, params, field) in [
        ("tasks/get", "", "taskId"),
        ("tasks/cancel", r#""taskId":5,"#, "taskId"),
        ("tasks/update", r#""taskId":"t1","#, "inputResponses"),
        ("tasks/update", r#""taskId":"t1","inputResponses":[],"#, "inputResponses"),
        ("subscriptions/listen", r#""notifications":{"taskIds":[1]},"#, "notifications.taskIds"),
    ] {
        let text = answer(&offering(), &request(method, params, true));
        assert!(text.contains("-32602") && text.contains(field), "{method}: {text}");
    }
}

#[test]
fn the_host_is_told_what_is_wanted() {
    let (server, mut session, mut out) = (offering(), Session::<4, 4>::new(1), Vec::new());
    let update = request("tasks/update", r#""taskId":"t\u0031","inputResponses":{"k":{}},"#, true);
    let Step::Call(call) = session.accept(&server, update.as_bytes(), &mut out).unwrap() else { panic!() };
    let Target::Task { action: TaskAction::Update, id, responses } = call.target else { panic!() };
    assert!(id == *"t1" && responses.text() == r#"{"k":{}}"#);
    assert_eq!(call.target.method(), "tasks/update");
    session.reply(&server, call.key, "{}", &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(r#""result":{"resultType":"complete","#), "{text}");
    for forbidden in ["taskId", "status", "inputRequests"] {
        assert!(!text.contains(forbidden), "{text}");
    }
}

/// What replying with a new task leads to, for one request.
fn reply(message: &str, result: &str) -> Result<String, LocalError> {
    let (server, mut session, mut out) = (offering(), Session::<4, 4>::new(1), Vec::new());
    let Step::Call(call) = session.accept(&server, message.as_bytes(), &mut out).unwrap() else { panic!() };
    session.reply(&server, call.key, result, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_task_answers_tool_calls_of_declaring_clients_only() {
    let task = made();
    let created = String::from_utf8(saved(|out| Task::restore(&task).unwrap().created(out))).unwrap();
    assert_eq!(
        created,
        r#"{"resultType":"task","taskId":"t1","status":"working","createdAt":"2026-07-28T00:00:00.000Z","lastUpdatedAt":"2026-07-28T00:00:00.000Z","ttlMs":60000,"pollIntervalMs":500}"#
    );
    let call = r#""name":"add","arguments":{},"#;
    let text = reply(&request("tools/call", call, true), &created).unwrap();
    assert!(
        text.starts_with(r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"t1","#),
        "{text}"
    );
    let extra = created.replacen('{', r#"{"result":{},"requestState":"s","task":{},"_meta":{"x":1},"#, 1);
    let text = reply(&request("tools/call", call, true), &extra).unwrap();
    assert!(
        !text.contains("requestState") && !text.contains(r#""task":{}"#) && !text.contains("content"),
        "{text}"
    );
    assert!(text.contains(r#""_meta":{"x":1,"#), "{text}");
    for (message, result) in [
        (request("tools/call", call, false), created.as_str()),
        (request("prompts/get", r#""name":"ask","arguments":{"what":"w"},"#, true), created.as_str()),
        (request("tasks/get", r#""taskId":"t1","#, true), created.as_str()),
        (request("tools/call", call, true), r#"{"resultType":"task","taskId":"t1"}"#),
        (request("tools/call", call, true), r#"{"resultType":"task","task":{}}"#),
    ] {
        assert!(matches!(reply(&message, result), Err(LocalError::BadResult(_))), "{message}");
    }
}

fn detailed(task: &[u8]) -> String {
    String::from_utf8(saved(|out| Task::restore(task).unwrap().detailed(out))).unwrap()
}

#[test]
fn each_state_shows_what_belongs_to_it() {
    let said = then(&made(), |task, out| task.say("half \"way\"", NOW + 1500, out));
    assert_eq!(
        detailed(&said),
        r#"{"resultType":"complete","taskId":"t1","status":"working","statusMessage":"half \"way\"","createdAt":"2026-07-28T00:00:00.000Z","lastUpdatedAt":"2026-07-28T00:00:01.500Z","ttlMs":60000,"pollIntervalMs":500}"#
    );
    let asked = then(&said, |task, out| task.require_input(&[("a", FORM), ("b", FORM)], NOW, out));
    let text = detailed(&asked);
    assert!(
        text.contains(r#""status":"input_required""#) && text.contains("01.500Z"),
        "time goes on: {text}"
    );
    assert!(text.ends_with(r#""inputRequests":{"a":{"method":"elicitation/create","params":{"message":"Sure?","requestedSchema":{"type":"object","properties":{}}}},"b":{"method":"elicitation/create","params":{"message":"Sure?","requestedSchema":{"type":"object","properties":{}}}}}}"#), "{text}");
    let done =
        then(&said, |task, out| task.complete(r#"{"structuredContent":{"n":1},"isError":null}"#, NOW, out));
    let text = detailed(&done);
    assert!(text.ends_with(r#""result":{"resultType":"complete","content":[{"type":"text","text":"{\"n\":1}"}],"structuredContent":{"n":1}}}"#), "{text}");
    let wrong = then(&made(), |task, out| task.fail(&Failure::Tool("no"), NOW, out));
    assert!(detailed(&wrong).contains(r#""status":"completed""#));
    assert!(detailed(&wrong).ends_with(
        r#""result":{"resultType":"complete","content":[{"type":"text","text":"no"}],"isError":true}}"#
    ));
    let failure = Failure::Custom { code: 7, message: "m", data: Some(Raw::trusted("[1]")) };
    let text = detailed(&then(&made(), |task, out| task.fail(&failure, NOW, out)));
    assert!(text.contains(r#""status":"failed","statusMessage":"m""#), "{text}");
    assert!(text.ends_with(r#""error":{"code":7,"message":"m","data":[1]}}"#), "{text}");
    let reserved = Failure::Custom { code: -32000, message: "m", data: None };
    assert!(
        detailed(&then(&made(), |task, out| task.fail(&reserved, NOW, out))).contains(r#""code":-32603"#)
    );
    let text = detailed(&then(&asked, |task, out| task.cancel(NOW, out)));
    assert!(text.contains(r#""status":"cancelled""#) && !text.contains("inputRequests"), "{text}");
}

#[test]
fn answers_close_their_questions_and_no_others() {
    let asked = then(&made(), |task, out| task.require_input(&[("a", FORM), ("b", FORM)], NOW, out));
    let give = |task: &[u8], answers: &'static str| {
        let (task, mut out) = (Task::restore(task).unwrap(), Vec::new());
        let done = task.update(Raw::trusted(answers), NOW, &mut out).unwrap();
        (done.taken, done.left, out)
    };
    for nothing in ["{}", r#"{"c":{"action":"accept"}}"#, r#"{"a":null}"#, r#"{"a":5,"a":{}}"#] {
        assert_eq!(give(&asked, nothing), (0, 2, vec![]), "{nothing}");
    }
    let (taken, left, half) =
        give(&asked, r#"{"\u0061":{"action":"accept"},"a":{"action":"decline"},"z":{}}"#);
    assert_eq!((taken, left), (1, 1));
    let task = Task::restore(&half).unwrap();
    assert_eq!(task.status(), Status::InputRequired);
    assert_eq!(task.answers().text(), r#"{"a":{"action":"accept"}}"#, "the first answer counts");
    assert_eq!(task.open().map(|(key, _)| key.to_string()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(give(&half, r#"{"a":{"action":"cancel"}}"#).0, 0, "it was answered");
    let (taken, left, full) = give(&half, r#"{"b":{}}"#);
    assert_eq!((taken, left), (1, 0));
    let task = Task::restore(&full).unwrap();
    assert_eq!(task.status(), Status::Working);
    let mut out = Vec::new();
    let again = task.require_input(&[("a", FORM)], NOW, &mut out);
    assert!(matches!(again, Err(LocalError::NotAllowed(_))) && out.is_empty(), "a key is used once");
    let more = then(&full, |task, out| task.require_input(&[("c", FORM)], NOW, out));
    assert!(detailed(&more).contains(r#""inputRequests":{"c":"#) && !detailed(&more).contains(r#""a":"#));
    let over = then(&more, |task, out| task.cancel(NOW, out));
    assert_eq!(give(&over, r#"{"c":{}}"#), (0, 0, vec![]));
}

#[test]
fn only_what_was_declared_is_asked() {
    let (bytes, mut out) = (made(), Vec::new());
    let task = Task::restore(&bytes).unwrap();
    assert!(task.can_ask(&FORM).is_ok() && task.can_ask(&Ask::Roots).is_err());
    assert!(matches!(
        task.require_input(&[("r", Ask::Roots)], NOW, &mut out),
        Err(LocalError::NotAllowed(_))
    ));
    assert!(matches!(task.require_input(&[], NOW, &mut out), Err(LocalError::NotAllowed(_))));
    assert!(matches!(
        task.require_input(&[("a", FORM), ("a", FORM)], NOW, &mut out),
        Err(LocalError::NotAllowed(_))
    ));
    assert!(out.is_empty());
}

#[test]
fn a_task_belongs_to_who_made_it() {
    let (open, owned) = (made(), saved(|out| new(Some("ann\"e")).save(out)));
    let (open, owned) = (Task::restore(&open).unwrap(), Task::restore(&owned).unwrap());
    assert!(open.belongs_to(None) && open.belongs_to(Some("bob")));
    assert!(owned.belongs_to(Some("ann\"e")));
    assert!(!owned.belongs_to(None) && !owned.belongs_to(Some("bob")));
    assert_eq!(owned.expires(), Some(NOW + 60_000));
    let said = then(&saved(|out| new(Some("anne")).save(out)), |task, out| task.say("x", NOW, out));
    assert!(!Task::restore(&said).unwrap().belongs_to(Some("bob")), "for its whole life");
}

#[test]
fn ids_and_times_must_be_possible() {
    for id in ["", "a b", "a\"b", "é", "a\n"] {
        assert!(NewTask { id, ..new(None) }.save(&mut Vec::new()).is_err(), "{id:?}");
    }
    assert!(NewTask { ttl: Some(0), ..new(None) }.save(&mut Vec::new()).is_err());
    assert!(NewTask { poll: Some(0), ..new(None) }.save(&mut Vec::new()).is_err());
    let unlimited = saved(|out| NewTask { ttl: None, poll: None, ..new(None) }.save(out));
    assert!(detailed(&unlimited).ends_with(r#""ttlMs":null}"#));
}

#[test]
fn subscriptions_hear_of_their_tasks() {
    let (server, mut session, mut out) = (offering(), Session::<4, 4>::new(1), Vec::new());
    let listen = request("subscriptions/listen", r#""notifications":{"taskIds":["t1","t2"]},"#, true);
    session.accept(&server, listen.as_bytes(), &mut out).unwrap();
    assert!(String::from_utf8_lossy(&out).contains(r#""notifications":{"taskIds":["t1","t2"]}"#));
    out.clear();
    let (own, other) =
        (saved(|out| new(Some("anne")).save(out)), saved(|out| NewTask { id: "t3", ..new(None) }.save(out)));
    let (own, other) = (Task::restore(&own).unwrap(), Task::restore(&other).unwrap());
    assert!(!session.task_changed(&own, Some("bob"), &mut out).unwrap(), "another's task");
    assert!(!session.task_changed(&other, None, &mut out).unwrap(), "another task");
    assert!(!session.resource_updated("t1", &mut out).unwrap(), "a task is no resource");
    assert!(session.task_changed(&own, Some("anne"), &mut out).unwrap());
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t1","status":"working","createdAt":"2026-07-28T00:00:00.000Z","lastUpdatedAt":"2026-07-28T00:00:00.000Z","ttlMs":60000,"pollIntervalMs":500,"_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#
    );
    let mut out = Vec::new();
    let many = request("subscriptions/listen", r#""notifications":{"taskIds":["1","2","3"]},"#, true)
        .replace(r#""id":1"#, r#""id":2"#);
    session.accept(&server, many.as_bytes(), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("limit is 2"), "there is a bound");
}

/// Status and body of one request over HTTP.
fn post(
    message: &str,
    named: Option<&str>,
    then: impl FnOnce(&mut Exchange, HttpStep<'_>, &mut Vec<u8>) -> u16,
) -> (u16, String) {
    let (server, mut out) = (offering(), Vec::new());
    let mut headers: Vec<(String, Vec<u8>)> = served::headers(message);
    headers.retain(|(name, _)| name != "Mcp-Name");
    headers.extend(named.map(|name| ("Mcp-Name".to_owned(), name.as_bytes().to_vec())));
    let headers: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let request = Request { method: "POST", headers: Headers(&headers), peer_is_loopback: Some(true) };
    let mut exchange = Exchange::new(1);
    let endpoint = Endpoint { streams: true, listens: true, ..Endpoint::default() };
    assert!(exchange.gate(&server, &endpoint, &request, &mut out).unwrap().is_none());
    let step = exchange.accept(&server, &request, Attached::Off, message.as_bytes(), &mut out).unwrap();
    let status = then(&mut exchange, step, &mut out);
    (status, String::from_utf8(out).unwrap())
}

fn refused(_: &mut Exchange, step: HttpStep<'_>, _: &mut Vec<u8>) -> u16 {
    let HttpStep::Reply { head, .. } = step else { panic!("{step:?}") };
    head.status
}

// proves: T-095
#[test]
fn http_repeats_the_task_in_a_header() {
    let get = request("tasks/get", r#""taskId":"t1","#, true);
    for wrong in [None, Some("t2")] {
        let (status, text) = post(&get, wrong, refused);
        assert!(status == 400 && text.contains("-32020"), "{wrong:?} {text}");
    }
    let (status, text) = post(&get, Some("t1"), |exchange, step, out| {
        let HttpStep::Call(call) = step else { panic!("{step:?}") };
        let task = made();
        let result = detailed(&task);
        let Emit::Whole(head) = exchange.reply(&offering(), call.key, &result, out).unwrap() else {
            panic!()
        };
        head.status
    });
    assert!(status == 200 && text.contains(r#""result":{"resultType":"complete","taskId":"t1""#), "{text}");
    let (status, text) = post(&request("tasks/get", r#""taskId":"t1","#, false), None, refused);
    assert!(status == 400 && text.contains(MISSING), "{text}");
}

#[test]
fn streams_hear_of_their_tasks() {
    let listen = request("subscriptions/listen", r#""notifications":{"taskIds":["t1"]},"#, true);
    let (_, text) = post(&listen, None, |_, step, out| {
        let HttpStep::Listen { mut listener, .. } = step else { panic!("{step:?}") };
        let owned = saved(|out| new(Some("anne")).save(out));
        let task = Task::restore(&owned).unwrap();
        assert!(!listener.task_changed(&task, None, out).unwrap());
        assert!(listener.task_changed(&task, Some("anne"), out).unwrap());
        200
    });
    assert_eq!(text.matches("notifications/tasks").count(), 1);
    assert!(
        text.contains(r#"data: {"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t1""#),
        "{text}"
    );
}

#[derive(Clone, Debug)]
enum Change {
    Say,
    Ask(u8),
    Answer(u8),
    Complete,
    Fail,
    Cancel,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Say),
        (0..4u8).prop_map(Change::Ask),
        (0..4u8).prop_map(Change::Answer),
        Just(Change::Complete),
        Just(Change::Fail),
        Just(Change::Cancel),
    ]
}

proptest! {
    /// Whatever is tried: only legal states follow each other, and a final one never changes.
    #[test]
    fn only_legal_states_follow(changes in prop::collection::vec(change(), 0..20)) {
        let mut saved = made();
        let mut used = Vec::new();
        for (at, change) in changes.into_iter().enumerate() {
            let before = saved.clone();
            let task = Task::restore(&before).unwrap();
            let (was, now) = (task.status(), NOW + at as u64);
            let mut out = Vec::new();
            let done = match change {
                Change::Say => task.say("…", now, &mut out).map(|()| true),
                Change::Ask(key) => {
                    let name = format!("k{key}");
                    let fresh = !used.contains(&key);
                    let asked = task.require_input(&[(&name, FORM)], now, &mut out).map(|()| true);
                    prop_assert_eq!(asked.is_ok(), fresh && !was.is_over());
                    if asked.is_ok() { used.push(key); }
                    asked
                }
                Change::Answer(key) => {
                    let answers = format!(r#"{{"k{key}":{{"action":"cancel"}}}}"#);
                    task.update(Raw::trusted(&answers), now, &mut out).map(|done| done.taken > 0)
                }
                Change::Complete => task.complete(r#"{"content":[]}"#, now, &mut out).map(|()| true),
                Change::Fail => task.fail(&Failure::Internal("x"), now, &mut out).map(|()| true),
                Change::Cancel => task.cancel(now, &mut out).map(|()| true),
            };
            if was.is_over() {
                prop_assert!(!done.unwrap_or(false));
            }
            if out.is_empty() {
                continue;
            }
            saved = out;
            let next = Task::restore(&saved).unwrap();
            let open = next.open().count();
            prop_assert_eq!(next.status() == Status::InputRequired, open > 0 && !next.status().is_over());
            prop_assert_eq!(next.id().to_string(), "t1");
        }
    }

    /// Bytes that are no task make none, and nothing panics.
    #[test]
    fn nonsense_is_not_restored(at in 0..200usize, byte in any::<u8>()) {
        let mut saved = then(&made(), |task, out| task.require_input(&[("a", FORM)], NOW, out));
        let at = at % saved.len();
        saved[at] = byte;
        if let Some(task) = Task::restore(&saved) {
            let mut out = Vec::new();
            let _ = task.detailed(&mut out);
            let _ = task.update(Raw::trusted(r#"{"a":{}}"#), NOW, &mut out);
        }
        prop_assert!(Task::restore(&saved[..at]).is_none());
    }
}
