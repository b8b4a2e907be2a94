//! Behind hyper, on one thread.

use std::convert::Infallible;
use std::error::Error;
use std::sync::atomic::{AtomicU16, Ordering};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use mcpgraft::catalog::Owned;
use mcpgraft::http::{
    Attached, Emit, Endpoint, Exchange, Head, Headers, HttpStep, Request, SESSION_HEADER, Sessions,
};
use mcpgraft::{LocalError, Server};
use tokio::net::TcpListener;

use crate::streams::{Answer, Kept};
use crate::workload;

/// What the route beside MCP answers: as long as the answer to `add`.
const CONSTANT: &[u8] = br#"{"jsonrpc":"2.0","id":1000,"result":{"content":[{"type":"text","text":"3"}]}}"#;

static TAGS: AtomicU16 = AtomicU16::new(0);

/// What every request needs; it lives as long as the process.
#[derive(Clone, Copy)]
struct App {
    server: &'static Server<'static, &'static Owned>,
    /// With sessions and open responses.
    kept: Option<&'static Kept>,
}

/// Serves until it is ended.
pub fn serve(port: u16, sessions: bool) -> Result<(), Box<dyn Error>> {
    let catalog: &'static Owned = Box::leak(Box::new(workload::catalog()?));
    let mut server = workload::server(catalog);
    server.profile.list_changed = sessions;
    let kept = if sessions { Some(&*Box::leak(Box::new(Kept::new()?))) } else { None };
    let app = App { server: Box::leak(Box::new(server)), kept };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                if let Some(kept) = kept {
                    tokio::task::spawn_local(kept.keep_alive());
                }
                loop {
                    let (stream, address) = listener.accept().await?;
                    stream.set_nodelay(true)?;
                    let loopback = address.ip().is_loopback();
                    let service = service_fn(move |request| respond(app, request, loopback));
                    tokio::task::spawn_local(async move {
                        // How a connection ends is its client's business.
                        let _ = hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                    });
                }
            })
            .await
    })
}

async fn respond(
    app: App,
    request: hyper::Request<Incoming>,
    loopback: bool,
) -> Result<Response<Answer>, Infallible> {
    let (parts, body) = request.into_parts();
    match parts.uri.path() {
        "/mcp" => {}
        path @ ("/constant" | "/gc") => {
            if path == "/gc" {
                give_back();
            }
            let _ = body.collect().await;
            let mut response = Response::new(Answer::whole(CONSTANT));
            response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            return Ok(response);
        }
        _ => return Ok(plain(StatusCode::NOT_FOUND)),
    }
    let mut pairs: Vec<(&str, &[u8])> = Vec::with_capacity(16);
    pairs.extend(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let head =
        Request { method: parts.method.as_str(), headers: Headers(&pairs), peer_is_loopback: Some(loopback) };
    let sessions = if app.kept.is_some() { Sessions::Kept } else { Sessions::Off };
    let endpoint = Endpoint {
        streams: app.kept.is_some(),
        listens: app.kept.is_some(),
        sessions,
        ..Endpoint::default()
    };
    let tag = TAGS.fetch_add(1, Ordering::Relaxed);
    let mut out = Vec::with_capacity(512);
    let mut exchange = Exchange::new(tag);
    let answered = match exchange.gate(app.server, &endpoint, &head, &mut out) {
        Ok(Some(refusal)) => Ok((refusal, None, Answer::whole(out))),
        Err(error) => Err(error),
        Ok(None) => match Limited::new(body, app.server.limits.message_bytes).collect().await {
            Ok(body) => run(app, &mut exchange, &head, &body.to_bytes(), out),
            Err(_) => return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE)),
        },
    };
    let Ok((head, session, answer)) = answered else { return Ok(plain(StatusCode::INTERNAL_SERVER_ERROR)) };
    let mut response = Response::builder().status(head.status);
    for (name, value) in head.headers() {
        response = response.header(name, value);
    }
    if let Some(session) = session {
        response = response.header(SESSION_HEADER, session);
    }
    Ok(response.body(answer).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR)))
}

fn plain(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(None));
    *response.status_mut() = status;
    response
}

/// Gives free memory back to the system.
fn give_back() {
    unsafe extern "C" {
        safe fn malloc_trim(pad: usize) -> i32;
    }
    malloc_trim(0);
}

/// A response: its head, the session it has opened, and what it holds.
type Answered = (Head, Option<String>, Answer);

/// From the body to the response. No tool of this server says anything before it answers.
fn run(
    app: App,
    exchange: &mut Exchange,
    request: &Request<'_>,
    body: &[u8],
    mut out: Vec<u8>,
) -> Result<Answered, LocalError> {
    let App { server, kept } = app;
    let named = Exchange::session_id(request);
    let step = match (kept, named) {
        (None, _) => exchange.accept(server, request, Attached::Off, body, &mut out),
        (Some(_), None) => exchange.accept(server, request, Attached::Missing, body, &mut out),
        (Some(kept), Some(id)) => kept.with(id, |session| {
            let attached = session.map_or(Attached::Unknown, Attached::Known);
            exchange.accept(server, request, attached, body, &mut out)
        }),
    }?;
    let head = match step {
        HttpStep::Call(call) => {
            let emit = match workload::answer(&call)? {
                Ok(result) => exchange.reply(server, call.key, &result, &mut out)?,
                Err(failure) => exchange.fail(server, call.key, &failure, &mut out)?,
            };
            match emit {
                Emit::Whole(head) => head,
                _ => return Err(LocalError::Over),
            }
        }
        HttpStep::Batch(mut batch) => loop {
            let step = match (kept, named) {
                (Some(kept), Some(id)) => {
                    kept.with(id, |session| exchange.next(server, session, &mut batch, body, &mut out))
                }
                _ => exchange.next(server, None, &mut batch, body, &mut out),
            };
            match step? {
                HttpStep::Call(call) => match workload::answer(&call)? {
                    Ok(result) => drop(exchange.reply(server, call.key, &result, &mut out)?),
                    Err(failure) => drop(exchange.fail(server, call.key, &failure, &mut out)?),
                },
                HttpStep::Reply { head, .. } => break head,
                _ => {}
            }
        },
        HttpStep::Opened { head, handshake, .. } => {
            let session = kept.map(|kept| kept.begin(handshake)).transpose();
            let session = session.map_err(|_| LocalError::NotAllowed("there are no random bytes"))?;
            return Ok((head, session, Answer::whole(out)));
        }
        HttpStep::Ended { head } => {
            if let (Some(kept), Some(id)) = (kept, named) {
                kept.end(id);
            }
            head
        }
        HttpStep::Listen { head, listener } => {
            let kept = kept.ok_or(LocalError::Over)?;
            return Ok((head, None, kept.listen(listener, named.map(str::to_owned), out)));
        }
        HttpStep::Reply { head, .. } => head,
        HttpStep::Notice(_) | HttpStep::Resume { .. } => return Err(LocalError::Over),
    };
    Ok((head, None, Answer::whole(out)))
}
