//! What the tools of both firmwares do.

use mcpgraft::catalog::{Catalog, Entry};
use mcpgraft::json::Raw;
use mcpgraft::server::{CallKey, Text};
use mcpgraft::{Limits, Server, Session};

use crate::board;
use crate::line::{CALLS, INPUT, Out};

/// The limits of a device: a message is at most the input buffer.
pub const LIMITS: Limits = Limits {
    message_bytes: INPUT,
    depth: 32,
    batch: 8,
    in_flight: CALLS,
    page_bytes: 700,
    ..Limits::DEFAULT
};

/// Whether a call was answered; if not, how many ticks it takes: the loop tells how far it is, and ends it.
pub type Sense = Option<u32>;
/// It was.
pub const CALLED: Sense = None;

/// Samples that a calibration takes unless it is told; one at each tick.
const SAMPLES: u32 = 10;

/// A tool: its definition and what it does, in one place.
pub struct Tool<C: 'static, const SUBS: usize> {
    /// As it is listed.
    pub entry: Entry<'static>,
    /// Runs it.
    pub run: fn(&mut Device<'_, '_, C, SUBS>) -> Sense,
}

/// A call in work and what it needs.
pub struct Device<'a, 'b, C: 'static, const SUBS: usize> {
    /// The session.
    pub session: &'a mut Session<CALLS, SUBS>,
    /// What is served.
    pub server: &'static Server<'static, C>,
    /// The call.
    pub key: CallKey,
    /// Its arguments.
    pub arguments: Raw<'a>,
    /// Where answers go.
    pub out: &'a mut Out<'b>,
}

impl<C: Catalog, const SUBS: usize> Device<'_, '_, C, SUBS> {
    /// Answers with a text. The output drains, so it cannot be full.
    pub fn say(&mut self, pieces: &[&str]) -> Sense {
        let text = Text { pieces, ..Text::default() };
        let _ = self.session.reply_text(self.server, self.key, &text, self.out);
        CALLED
    }

    fn fail(&mut self, why: &str) -> Sense {
        let text = Text { pieces: &[why], failed: true, ..Text::default() };
        let _ = self.session.reply_text(self.server, self.key, &text, self.out);
        CALLED
    }
}

/// Tenths of a degree as text: at most 999.9.
#[must_use]
pub fn degrees(tenths: u32) -> [u8; 5] {
    let digit = |place: u32| b'0' + (tenths / place % 10) as u8;
    [digit(1000), digit(100), digit(10), b'.', digit(1)]
}

/// A number of ASCII digits without the zeros in front.
#[must_use]
pub fn text(mut digits: &[u8]) -> &str {
    while let [b'0', rest @ ..] = digits {
        digits = rest;
    }
    core::str::from_utf8(digits).unwrap_or_default()
}

/// `temperature`
pub fn temperature<C: Catalog, const SUBS: usize>(call: &mut Device<'_, '_, C, SUBS>) -> Sense {
    call.say(&[text(&degrees(board::temperature()))])
}

/// `led`
pub fn led<C: Catalog, const SUBS: usize>(call: &mut Device<'_, '_, C, SUBS>) -> Sense {
    let Some(on) = call.arguments.get("on").and_then(Raw::bool) else {
        return call.fail("\"on\" must be true or false");
    };
    board::set_led(on);
    call.say(&["the LED is ", if on { "on" } else { "off" }])
}

/// `calibrate`
pub fn calibrate<C: Catalog, const SUBS: usize>(call: &mut Device<'_, '_, C, SUBS>) -> Sense {
    let samples =
        call.arguments.get("samples").and_then(Raw::u64).and_then(|samples| u32::try_from(samples).ok());
    Some(samples.unwrap_or(SAMPLES).max(1))
}

/// `calibrate`, at its end.
pub fn calibrated<C: Catalog, const SUBS: usize>(call: &mut Device<'_, '_, C, SUBS>) {
    call.say(&["calibrated"]);
}
