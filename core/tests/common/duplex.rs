//! Replays the transcripts of duplex channels on a session, whatever catalogue and tier it has.

use std::collections::HashMap;

use mcpgraft::catalog::Catalog;
use mcpgraft::server::{AskKey, Batch, Call, CallKey, Notice, Step};
use mcpgraft::{LocalError, Server, Session};
use serde_json::Value;

use super::{During, Out, bytes, check_able, check_call, during, list, required, steps, text, with_answer};

/// One channel being replayed.
struct Duplex<'o, C> {
    server: Server<'o, C>,
    session: Session<64, 64>,
    open: HashMap<String, CallKey>,
    asked: HashMap<String, AskKey>,
    saved: HashMap<String, String>,
}

impl<'o, C: Catalog + Copy> Duplex<'o, C> {
    fn new(server: Server<'o, C>) -> Self {
        Duplex {
            server,
            session: Session::new(1),
            open: HashMap::new(),
            asked: HashMap::new(),
            saved: HashMap::new(),
        }
    }

    fn reply(&mut self, step: &Value, key: CallKey, out: &mut Out) {
        match required(step) {
            Some((asks, state)) => self.session.require_input(&self.server, key, &asks, state, out),
            None => with_answer(step, |answer| match answer {
                Ok(result) => self.session.reply(&self.server, key, result, out),
                Err(failure) => self.session.fail(&self.server, key, &failure, out),
            }),
        }
        .expect("the answer is good");
        let again = self.session.reply(&self.server, key, "{}", &mut Out::default());
        assert_eq!(again, Err(LocalError::UnknownCall), "a key is good for one answer");
    }

    fn run(&mut self, step: &Value, call: &Call<'_>, sent: &mut Vec<Out>, batch: Option<&mut Out>) {
        check_call(step, call);
        for item in during(step) {
            let mut out = Out::default();
            match item {
                During::Progress(progress) => self.session.progress(call.key, &progress, &mut out).unwrap(),
                During::Log(log) => self.session.log(&self.server, Some(call.key), &log, &mut out).unwrap(),
                During::Ask(_) => panic!("questions of a session stand in \"asks\""),
                During::OpenStream | During::CloseStream(_) => panic!("only HTTP has streams"),
            };
            sent.push(out);
        }
        self.ask(step, call.key, sent);
        if let Some(name) = text(step, "as") {
            self.open.insert(name.to_owned(), call.key);
            return;
        }
        let mut own = Out::default();
        let batched = batch.is_some();
        self.reply(step, call.key, batch.unwrap_or(&mut own));
        if !batched {
            sent.push(own);
        }
    }

    /// Sends the step's questions about a call.
    fn ask(&mut self, step: &Value, key: CallKey, sent: &mut Vec<Out>) {
        for item in step.get("asks").and_then(Value::as_array).into_iter().flatten() {
            let ask = super::ask(item);
            let able = self.session.can_ask(key, &ask).expect("an open call");
            let mut out = Out::default();
            let asked = self.session.ask(key, &ask, &mut out);
            if check_able(item, able) {
                let name = text(item, "as").expect("a name for the question");
                self.asked.insert(name.to_owned(), asked.expect("it can be asked"));
                sent.push(out);
            } else {
                assert!(matches!(asked, Err(LocalError::NotAllowed(_))), "{item}");
            }
        }
    }

    /// What the host says on its own.
    fn tell(&mut self, what: &Value) -> Out {
        let mut out = Out::default();
        if let Some(kind) = text(what, "list_changed") {
            self.session.list_changed(&self.server, list(kind), &mut out).unwrap();
        } else if let Some(uri) = text(what, "updated") {
            self.session.resource_updated(uri, &mut out).unwrap();
        } else if let Some(id) = text(what, "complete") {
            self.session.elicitation_complete(id, &mut out).unwrap();
        } else {
            self.session.end_listening(&self.server, &mut out).unwrap();
        }
        out
    }

    /// Steps where nothing arrives.
    fn own(&mut self, step: &Value) -> Option<Vec<Out>> {
        let mut sent = Vec::new();
        if let Some(what) = step.get("tell") {
            sent.push(self.tell(what));
        } else if let Some(name) = text(step, "give_up") {
            let mut out = Out::default();
            self.session.give_up(self.asked[name], &mut out).unwrap();
            sent.push(out);
        } else {
            let key = *self.open.get(text(step, "of")?).expect("an open call");
            self.ask(step, key, &mut sent);
        }
        Some(sent)
    }

    /// Compares an answer of the client with what the step says of it.
    fn check_answered(&self, step: &Value, notice: &Notice<'_>) {
        let (Notice::Answer { key, ask, outcome, left }, wanted) = (notice, step.get("answered")) else {
            assert!(step.get("answered").is_none(), "no answer, but {notice:?}");
            return;
        };
        let wanted = wanted.unwrap_or_else(|| panic!("no answer was expected, but {notice:?}"));
        assert_eq!(Some(key), self.open.get(text(wanted, "call").unwrap()));
        assert_eq!(Some(ask), self.asked.get(text(wanted, "ask").unwrap()));
        assert_eq!(Some(outcome.is_ok()), wanted["ok"].as_bool());
        assert_eq!(outcome.unwrap_or_else(|error| error).text(), wanted["params"]);
        assert_eq!(Some(*left as u64), wanted["left"].as_u64());
    }

    fn step(&mut self, step: &Value) -> Vec<Out> {
        if let Some(sent) = self.own(step) {
            return sent;
        }
        let mut sent = Vec::new();
        if let Some(name) = text(step, "answer") {
            let key = self.open.remove(name).expect("an open call");
            let mut out = Out::default();
            self.reply(step, key, &mut out);
            sent.push(out);
            return sent;
        }
        let mut message = bytes(step, "in").expect("in, in_hex or answer");
        for (name, value) in &self.saved {
            if let Ok(text) = std::str::from_utf8(&message) {
                message = text.replace(&format!("{{{name}}}"), value).into_bytes();
            }
        }
        let mut out = Out::default();
        let made = self.session.accept(&self.server, &message, &mut out).expect("room");
        sent.push(out);
        match made {
            Step::Call(call) => self.run(step, &call, &mut sent, None),
            Step::Batch(mut batch) => self.batch(step, &mut batch, &message, &mut sent),
            made => {
                assert!(step.get("call").is_none(), "a call was expected");
                match made {
                    Step::Notice(notice) => self.check_answered(step, &notice),
                    _ => assert!(step.get("answered").is_none(), "an answer was expected"),
                }
            }
        }
        if let Some(name) = text(step, "save") {
            let answer: Value = serde_json::from_slice(&sent.last().unwrap().0).unwrap();
            self.saved.insert(name.to_owned(), answer["result"]["nextCursor"].as_str().unwrap().to_owned());
        }
        sent
    }

    fn batch(&mut self, step: &Value, batch: &mut Batch, message: &[u8], sent: &mut Vec<Out>) {
        let mut out = Out::default();
        while let Some(made) = self.session.next(&self.server, batch, message, &mut out).expect("room") {
            if let Step::Call(call) = made {
                let early = self.session.next(&self.server, batch, message, &mut Out::default());
                assert_eq!(early.err(), Some(LocalError::BatchPending));
                self.run(step, &call, sent, Some(&mut out));
            }
        }
        sent.push(out);
    }
}

/// Replays a file, without the steps that `fits` says no to. Gives what differs.
pub fn replay<C: Catalog + Copy>(
    file: &Value,
    server: Server<'_, C>,
    fits: impl Fn(&Value) -> bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut channel = Duplex::new(server);
    for step in steps(file) {
        if step.get("fresh").and_then(Value::as_bool) == Some(true) {
            channel = Duplex::new(server);
        }
        if !fits(step) {
            continue;
        }
        let mut sent = channel.step(step);
        sent.retain(|message| !message.0.is_empty());
        // Several messages at once come as lines.
        let sent: Vec<_> = sent
            .iter()
            .flat_map(|out| out.0.split(|byte| *byte == b'\n'))
            .map(String::from_utf8_lossy)
            .collect();
        let wanted: Vec<_> = step["out"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|out| out.as_str().unwrap().to_owned())
            .collect();
        if sent != wanted {
            let about = text(step, "about").unwrap_or("");
            wrong.push(format!("{about}\n  wanted {wanted:#?}\n  sent   {sent:#?}"));
        }
    }
    wrong
}
