//! Notifications: about a call (progress, log), or about what is offered.

use super::inflight::Inflight;
use crate::catalog::Kind;
use crate::error::LocalError;
use crate::json::{Full, Raw, Sink, Writer};
use crate::jsonrpc::Id;
use crate::model::Level;
use crate::revision::fields;

/// How far a call has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Must be larger than before; what is not is left out.
    pub progress: f64,
    /// Of how much, if known.
    pub total: Option<f64>,
    /// For people (from `2025-03-26`).
    pub message: Option<&'a str>,
}

impl Progress<'_> {
    /// Whether it can be told at all.
    pub(crate) fn check(&self) -> Result<(), LocalError> {
        if self.progress.is_finite() && self.total.is_none_or(f64::is_finite) {
            return Ok(());
        }
        Err(LocalError::NotAllowed("progress and total must be finite numbers"))
    }

    /// Writes the members of its notification; `token` is JSON text.
    pub(crate) fn members<S: Sink + ?Sized>(
        &self,
        token: &str,
        says: bool,
        w: &mut Writer<'_, S>,
    ) -> Result<(), Full> {
        w.key("progressToken")?;
        w.raw_text(token)?;
        w.key("progress")?;
        w.f64(self.progress)?;
        if let Some(total) = self.total {
            w.key("total")?;
            w.f64(total)?;
        }
        self.message.filter(|_| says).map_or(Ok(()), |message| w.field_str("message", message))
    }
}

/// A log message.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// How severe.
    pub level: Level,
    /// Who logs.
    pub logger: Option<&'a str>,
    /// What happened: any JSON value.
    pub data: Raw<'a>,
}

/// Writes a progress notification, if the peer wants one and it goes forward. `false`: nothing was written.
pub(crate) fn progress<S: Sink + ?Sized>(
    call: &mut Inflight,
    progress: &Progress<'_>,
    out: &mut S,
) -> Result<bool, LocalError> {
    progress.check()?;
    advance(call, rank(progress.progress), out, |token, says, w| progress.members(token, says, w))
}

/// The same in whole steps, which needs no text of floats: that is much code on a device.
pub(crate) fn steps<S: Sink + ?Sized>(
    call: &mut Inflight,
    done: u32,
    of: Option<u32>,
    out: &mut S,
) -> Result<bool, LocalError> {
    advance(call, rank(f64::from(done)), out, |token, _, w| {
        w.key("progressToken")?;
        w.raw_text(token)?;
        w.field_u64("progress", u64::from(done))?;
        of.map_or(Ok(()), |of| w.field_u64("total", u64::from(of)))
    })
}

/// A finite number as one whose order is the same: integers are compared, which is less code than floats are on a small
/// machine without them. Never 0.
fn rank(number: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    match number.to_bits() {
        // Both zeros are one.
        SIGN => SIGN,
        bits if bits & SIGN == 0 => bits | SIGN,
        bits => !bits,
    }
}

/// Writes a progress notification whose members `members` writes: it gets the token, and whether the peer knows messages.
fn advance<S: Sink + ?Sized>(
    call: &mut Inflight,
    reached: u64,
    out: &mut S,
    members: impl FnOnce(&str, bool, &mut Writer<'_, S>) -> Result<(), Full>,
) -> Result<bool, LocalError> {
    let Some(token) = &call.token else { return Ok(false) };
    if call.cancelled || reached <= call.progress {
        return Ok(false);
    }
    let mut w = open("notifications/progress", out)?;
    let known = |name: &str| {
        fields::PROGRESS.fields.iter().any(|field| field.name == name && field.exists_in(call.revision))
    };
    w.begin_object()?;
    members(token.text(), known("message"), &mut w)?;
    w.end_object()?;
    w.end_object()?;
    call.progress = reached;
    Ok(true)
}

/// Writes a log message, whatever the level: the caller has decided.
pub(crate) fn log<S: Sink + ?Sized>(log: &Log<'_>, out: &mut S) -> Result<(), Full> {
    let mut w = open("notifications/message", out)?;
    w.begin_object()?;
    w.field_str("level", log.level.name())?;
    if let Some(logger) = log.logger {
        w.field_str("logger", logger)?;
    }
    w.field("data", log.data)?;
    w.end_object()?;
    w.end_object()
}

/// The notification that a list has changed. Templates are resources.
pub(crate) const fn list_method(kind: Kind) -> &'static str {
    match kind {
        Kind::Tool => "notifications/tools/list_changed",
        Kind::Resource | Kind::Template => "notifications/resources/list_changed",
        Kind::Prompt => "notifications/prompts/list_changed",
    }
}

/// Writes that a list has changed.
pub(crate) fn list_changed<S: Sink + ?Sized>(kind: Kind, out: &mut S) -> Result<(), Full> {
    bare(list_method(kind), out)
}

/// Writes that a request of the client's is over, beside its answer.
pub(crate) fn cancelled<S: Sink + ?Sized>(id: Id<'_>, out: &mut S) -> Result<(), Full> {
    let mut w = open("notifications/cancelled", out)?;
    w.begin_object()?;
    w.key("requestId")?;
    w.raw_text(id.text())?;
    w.end_object()?;
    w.end_object()
}

/// Writes that an elicitation by URL is done.
pub(crate) fn elicitation_complete<S: Sink + ?Sized>(id: &str, out: &mut S) -> Result<(), Full> {
    let mut w = open("notifications/elicitation/complete", out)?;
    w.begin_object()?;
    w.field_str("elicitationId", id)?;
    w.end_object()?;
    w.end_object()
}

/// Writes that a resource has changed.
pub(crate) fn updated<S: Sink + ?Sized>(uri: &str, out: &mut S) -> Result<(), Full> {
    let mut w = open("notifications/resources/updated", out)?;
    w.begin_object()?;
    w.field_str("uri", uri)?;
    w.end_object()?;
    w.end_object()
}

/// Writes a notification of the host's own.
pub(crate) fn custom<S: Sink + ?Sized>(
    method: &str,
    params: Option<Raw<'_>>,
    out: &mut S,
) -> Result<(), Full> {
    match params {
        None => bare(method, out),
        Some(params) => {
            let mut w = open(method, out)?;
            w.raw(params)?;
            w.end_object()
        }
    }
}

fn bare<S: Sink + ?Sized>(method: &str, out: &mut S) -> Result<(), Full> {
    let mut w = Writer::new(out);
    w.begin_object()?;
    w.field_str("jsonrpc", "2.0")?;
    w.field_str("method", method)?;
    w.end_object()
}

/// Writes `{"jsonrpc":"2.0","method":…,"params":`.
pub(crate) fn open<'s, S: Sink + ?Sized>(method: &str, out: &'s mut S) -> Result<Writer<'s, S>, Full> {
    let mut w = Writer::new(out);
    w.fragment(r#"{"jsonrpc":"2.0","method":"#, false)?;
    w.string(method)?;
    w.key("params")?;
    Ok(w)
}
