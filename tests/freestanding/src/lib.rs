//! A thermostat on a serial line: the whole server side of a session without std, without an allocator, in memory that
//! the C program lends.
#![no_std]

use core::ffi::c_int;
use core::panic::PanicInfo;
use core::slice;

use mcpgraft::catalog::{Entry, Fixed, Kind};
use mcpgraft::json::{Raw, Sink, SliceSink};
use mcpgraft::model::Level;
use mcpgraft::server::{Batch, CallKey, Failure, Log, Offer, Profile, Progress, Step};
use mcpgraft::{Limits, LocalError, Server, Session};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// The catalogue, in flash.
static TOOLS: [Entry<'static>; 2] = [
    Entry::new(
        "read",
        r#"{"name":"read","description":"Read a sensor","inputSchema":{"type":"object","properties":{"pin":{"type":"integer"}}}}"#,
    ),
    Entry::new("set", r#"{"name":"set","inputSchema":{"type":"object"},"outputSchema":{"type":"number"}}"#),
];
static RESOURCES: [Entry<'static>; 1] = [Entry::new("dev://log", r#"{"uri":"dev://log","name":"log"}"#)];
static TEMPLATES: [Entry<'static>; 1] =
    [Entry::new("dev://pin/{n}", r#"{"uriTemplate":"dev://pin/{n}","name":"pin"}"#)];
static PROMPTS: [Entry<'static>; 1] = [Entry::new("check", r#"{"name":"check"}"#)];

fn server() -> Server<'static, Fixed<'static>> {
    let profile = Profile {
        tools: Offer::Catalog,
        resources: Offer::Catalog,
        prompts: Offer::Catalog,
        completions: true,
        logging: true,
        list_changed: true,
        subscribe: true,
        ..Profile::new(Raw::trusted(r#"{"name":"thermostat","version":"1"}"#))
    };
    let catalog = Fixed {
        tools: &TOOLS,
        resources: &RESOURCES,
        templates: &TEMPLATES,
        prompts: &PROMPTS,
        custom_methods: &["acme/blink"],
    };
    Server { profile, limits: Limits::DEFAULT, catalog }
}

/// One serial line.
pub struct Line {
    session: Session<4, 4>,
    batch: Option<Batch>,
}

/// What came of a message.
const SEND: c_int = 0;
const CALL: c_int = 1;
const BATCH: c_int = 2;
const DONE: c_int = 3;

/// Local errors are told as negative numbers.
fn code(error: LocalError) -> c_int {
    -c_int::try_from(error.code()).unwrap_or(1)
}

/// Bytes that the C program lends.
///
/// # Safety
/// `data` and `len` are a live buffer, or `len` is 0.
unsafe fn view<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if len == 0 { &[] } else { unsafe { slice::from_raw_parts(data, len) } }
}

/// Runs `write` on the output buffer from `*len` on and says how much is in it now.
///
/// # Safety
/// `out` and `capacity` are a live buffer, `len` is a live number not greater than `capacity`.
unsafe fn output<T>(
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
    write: impl FnOnce(&mut SliceSink<'_>) -> T,
) -> T {
    let (buffer, len) = unsafe { (slice::from_raw_parts_mut(out, capacity), &mut *len) };
    let mut sink = SliceSink::new(buffer.get_mut(*len..).unwrap_or_default());
    let result = write(&mut sink);
    *len += sink.len();
    result
}

fn told(step: Step<'_>, key: &mut u64) -> c_int {
    match step {
        Step::Call(call) => {
            *key = call.key.to_bits();
            CALL
        }
        Step::Batch(_) => BATCH,
        Step::Send => SEND,
        Step::Notice(_) | Step::Nothing => DONE,
    }
}

/// Bytes that a [`Line`] needs.
#[unsafe(no_mangle)]
pub extern "C" fn line_size() -> usize {
    size_of::<Line>()
}

/// Makes a line in `memory`: [`line_size`] bytes, aligned for any type.
///
/// # Safety
/// As said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn line_open(memory: *mut Line) {
    unsafe { memory.write(Line { session: Session::new(7), batch: None }) }
}

/// Takes a message; of a batch, the first time.
///
/// # Safety
/// Every pointer is live; see the helpers above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn line_accept(
    line: *mut Line,
    message: *const u8,
    message_len: usize,
    key: *mut u64,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> c_int {
    let (line, message, key) = unsafe { (&mut *line, view(message, message_len), &mut *key) };
    let step = unsafe { output(out, capacity, len, |out| line.session.accept(&server(), message, out)) };
    match step {
        Ok(Step::Batch(batch)) => {
            line.batch = Some(batch);
            BATCH
        }
        Ok(step) => told(step, key),
        Err(error) => code(error),
    }
}

/// Takes the next message of a batch. The output holds nothing but the answers of this batch.
///
/// # Safety
/// Every pointer is live; see the helpers above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn line_next(
    line: *mut Line,
    message: *const u8,
    message_len: usize,
    key: *mut u64,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> c_int {
    let (line, message, key) = unsafe { (&mut *line, view(message, message_len), &mut *key) };
    let Some(mut batch) = line.batch.take() else { return DONE };
    // The sink has to know what the batch has written before, so it begins where the batch began.
    let (buffer, len) = unsafe { (slice::from_raw_parts_mut(out, capacity), &mut *len) };
    let mut sink = Continued { buffer, len: *len };
    let step = line.session.next(&server(), &mut batch, message, &mut sink);
    *len = sink.len;
    match step {
        Ok(None) => SEND,
        Ok(Some(step)) => {
            line.batch = Some(batch);
            match told(step, key) {
                CALL => CALL,
                _ => BATCH,
            }
        }
        Err(error) => {
            line.batch = Some(batch);
            code(error)
        }
    }
}

/// A sink that goes on after bytes that stand in the buffer already: a sink of the host's own.
struct Continued<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl Sink for Continued<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), mcpgraft::json::Full> {
        let end = self.len.checked_add(bytes.len()).ok_or(mcpgraft::json::Full)?;
        self.buffer.get_mut(self.len..end).ok_or(mcpgraft::json::Full)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
    fn len(&self) -> usize {
        self.len
    }
    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

/// Answers a call with a result.
///
/// # Safety
/// Every pointer is live; see the helpers above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn line_reply(
    line: *mut Line,
    key: u64,
    result: *const u8,
    result_len: usize,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> c_int {
    let (line, result) = unsafe { (&mut *line, view(result, result_len)) };
    let Ok(result) = core::str::from_utf8(result) else { return -3 };
    let (buffer, len) = unsafe { (slice::from_raw_parts_mut(out, capacity), &mut *len) };
    let mut sink = Continued { buffer, len: *len };
    let sent = line.session.reply(&server(), CallKey::from_bits(key), result, &mut sink);
    *len = sink.len;
    sent.map_or_else(code, |sent| if sent { SEND } else { DONE })
}

/// Answers a call with a failure that the model sees.
///
/// # Safety
/// Every pointer is live; see the helpers above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn line_fail(
    line: *mut Line,
    key: u64,
    text: *const u8,
    text_len: usize,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> c_int {
    let (line, text) = unsafe { (&mut *line, view(text, text_len)) };
    let Ok(text) = core::str::from_utf8(text) else { return -3 };
    let key = CallKey::from_bits(key);
    let sent = unsafe {
        output(out, capacity, len, |out| line.session.fail(&server(), key, &Failure::Tool(text), out))
    };
    sent.map_or_else(code, |sent| if sent { SEND } else { DONE })
}

/// Tells how far a call has come.
///
/// # Safety
/// Every pointer is live; see the helpers above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn line_progress(
    line: *mut Line,
    key: u64,
    progress: f64,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> c_int {
    let line = unsafe { &mut *line };
    let progress = Progress { progress, total: Some(1.0), message: None };
    let key = CallKey::from_bits(key);
    let sent = unsafe { output(out, capacity, len, |out| line.session.progress(key, &progress, out)) };
    sent.map_or_else(code, |sent| if sent { SEND } else { DONE })
}

/// Logs, says that the tools have changed, and that a resource has: everything a device says unasked.
///
/// # Safety
/// Every pointer is live; see the helpers above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn line_tell(line: *mut Line, out: *mut u8, capacity: usize, len: *mut usize) -> c_int {
    let line = unsafe { &mut *line };
    let log = Log { level: Level::Warning, logger: None, data: Raw::trusted("\"hot\"") };
    let told = unsafe {
        output(out, capacity, len, |out| {
            let mut sent = 0;
            let mut newline = |sent_one: bool, out: &mut SliceSink<'_>| {
                sent += c_int::from(sent_one);
                if sent_one { out.put(b"\n").map_err(LocalError::from) } else { Ok(()) }
            };
            let logged = line.session.log(&server(), None, &log, out)?;
            newline(logged, out)?;
            let changed = line.session.list_changed(&server(), Kind::Tool, out)?;
            newline(changed, out)?;
            let updated = line.session.resource_updated("dev://log", out)?;
            newline(updated, out)?;
            Ok(sent)
        })
    };
    told.unwrap_or_else(code)
}
