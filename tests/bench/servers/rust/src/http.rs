//! Behind hyper, on one thread.

use std::convert::Infallible;
use std::error::Error;
use std::sync::atomic::{AtomicU16, Ordering};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use mcpgraft::catalog::Owned;
use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Head, Headers, HttpStep, Request};
use mcpgraft::{LocalError, Server};
use tokio::net::TcpListener;

use crate::workload;

/// What the route beside MCP answers: as long as the answer to `add`.
const CONSTANT: &[u8] = br#"{"jsonrpc":"2.0","id":1000,"result":{"content":[{"type":"text","text":"3"}]}}"#;

static TAGS: AtomicU16 = AtomicU16::new(0);

/// Serves until it is ended.
pub fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    // The server lives as long as the process.
    let catalog: &'static Owned = Box::leak(Box::new(workload::catalog()?));
    let server: &'static Server<'static, &'static Owned> = Box::leak(Box::new(workload::server(catalog)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                loop {
                    let (stream, address) = listener.accept().await?;
                    stream.set_nodelay(true)?;
                    let loopback = address.ip().is_loopback();
                    let service = service_fn(move |request| respond(server, request, loopback));
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
    server: &Server<'_, &Owned>,
    request: hyper::Request<Incoming>,
    loopback: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    match parts.uri.path() {
        "/mcp" => {}
        "/constant" => {
            let _ = body.collect().await;
            let mut response = Response::new(Full::new(Bytes::from_static(CONSTANT)));
            response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
            return Ok(response);
        }
        _ => return Ok(plain(StatusCode::NOT_FOUND)),
    }
    let mut pairs: Vec<(&str, &[u8])> = Vec::with_capacity(16);
    pairs.extend(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let head =
        Request { method: parts.method.as_str(), headers: Headers(&pairs), peer_is_loopback: Some(loopback) };
    let tag = TAGS.fetch_add(1, Ordering::Relaxed);
    let mut out = Vec::with_capacity(512);
    let mut exchange = Exchange::new(tag);
    let answered = match exchange.gate(server, &Endpoint::default(), &head, &mut out) {
        Ok(Some(refusal)) => Ok(refusal),
        Err(error) => Err(error),
        Ok(None) => match Limited::new(body, server.limits.message_bytes).collect().await {
            Ok(body) => run(server, &mut exchange, &head, &body.to_bytes(), &mut out),
            Err(_) => return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE)),
        },
    };
    let Ok(head) = answered else { return Ok(plain(StatusCode::INTERNAL_SERVER_ERROR)) };
    let mut response = Response::builder().status(head.status);
    for (name, value) in head.headers() {
        response = response.header(name, value);
    }
    Ok(response
        .body(Full::new(Bytes::from(out)))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR)))
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// From the body to the response. This server streams nothing and keeps no sessions.
fn run(
    server: &Server<'_, &Owned>,
    exchange: &mut Exchange,
    request: &Request<'_>,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Result<Head, LocalError> {
    match exchange.accept(server, request, Attached::Off, body, out)? {
        HttpStep::Call(call) => {
            let emit = match workload::answer(&call)? {
                Ok(result) => exchange.reply(server, call.key, &result, out)?,
                Err(failure) => exchange.fail(server, call.key, &failure, out)?,
            };
            match emit {
                Emit::Whole(head) => Ok(head),
                _ => Err(LocalError::Over),
            }
        }
        HttpStep::Batch(mut batch) => loop {
            match exchange.next(server, None, &mut batch, body, out)? {
                HttpStep::Call(call) => match workload::answer(&call)? {
                    Ok(result) => drop(exchange.reply(server, call.key, &result, out)?),
                    Err(failure) => drop(exchange.fail(server, call.key, &failure, out)?),
                },
                HttpStep::Reply { head, .. } => return Ok(head),
                _ => {}
            }
        },
        HttpStep::Reply { head, .. }
        | HttpStep::Opened { head, .. }
        | HttpStep::Ended { head }
        | HttpStep::Listen { head, .. } => Ok(head),
        HttpStep::Notice(_) | HttpStep::Resume { .. } => Err(LocalError::Over),
    }
}
