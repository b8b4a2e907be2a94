//! One device: its session, the line that is coming in, and what goes out.

use core::ffi::{c_char, c_uint, c_void};

use mcpgraft::catalog::Kind;
use mcpgraft::frame::line::{Frame, Lines};
use mcpgraft::json::{Full, Sink, Stream};
use mcpgraft::server::{Call, CallKey, Failure, Offer, Profile, Step, Target};
use mcpgraft::{Limits, LocalError, Server, Session};

use crate::table::{List, Table, json, text};
use crate::{CText, NULL, OK};

/// `MCPGRAFT_DEVICE_CALLS`
const CALLS: usize = 4;
/// `MCPGRAFT_DEVICE_WATCHED`
const WATCHED: usize = 4;
/// `MCPGRAFT_DEVICE_WORDS`
const WORDS: usize = 344;

const _: () = assert!(
    size_of::<Device>() <= WORDS * 8 || size_of::<usize>() != 4,
    "MCPGRAFT_DEVICE_WORDS is too small"
);
const _: () = assert!(align_of::<Device>() <= 8);

const COMPLETIONS: c_uint = 1;
const LOGGING: c_uint = 2;
const SUBSCRIBE: c_uint = 4;

/// `mcpgraft_call`
#[repr(C)]
pub struct CCall {
    key: u64,
    target: u32,
    template_entry: bool,
    batched: bool,
    entry: usize,
    name: CText,
    arguments: CText,
}

type Write = unsafe extern "C" fn(*mut c_void, *const c_char, usize) -> bool;
type Run = unsafe extern "C" fn(*mut c_void, *mut Device, *const CCall);

/// `mcpgraft_config`
#[repr(C)]
pub struct Config {
    info: *const c_char,
    instructions: *const c_char,
    tools: *const *const c_char,
    tool_count: usize,
    resources: *const *const c_char,
    resource_count: usize,
    templates: *const *const c_char,
    template_count: usize,
    prompts: *const *const c_char,
    prompt_count: usize,
    flags: c_uint,
    page_bytes: usize,
    input: *mut u8,
    input_size: usize,
    output: *mut u8,
    output_size: usize,
    user: *mut c_void,
    write: Option<Write>,
    call: Option<Run>,
}

/// The memory lent for the line that is coming in.
struct Lent {
    memory: *mut u8,
    size: usize,
    len: usize,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the configuration lends it, and `len` bytes were written.
        unsafe { core::slice::from_raw_parts(self.memory, self.len) }
    }
}

impl Sink for Lent {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if bytes.len() > self.size - self.len {
            return Err(Full);
        }
        // SAFETY: it is within what is lent, and what comes in does not lie there.
        unsafe { self.memory.add(self.len).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        self.len += bytes.len();
        Ok(())
    }
    fn len(&self) -> usize {
        self.len
    }
    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

/// Where output goes.
#[derive(Clone, Copy)]
struct Wire {
    user: *mut c_void,
    write: Write,
}

impl Wire {
    fn drain(self) -> impl FnMut(&[u8]) -> bool {
        // SAFETY: the configuration promises that the function may be called.
        move |bytes| unsafe { (self.write)(self.user, bytes.as_ptr().cast(), bytes.len()) }
    }
}

/// `mcpgraft_device`
pub struct Device {
    server: Server<'static, Table>,
    session: Session<CALLS, WATCHED>,
    lines: Lines<Lent>,
    output: *mut u8,
    output_size: usize,
    wire: Wire,
    run: Run,
    /// While a batch is answered: what its answers are put into.
    batch: *mut dyn Sink,
}

/// Says that no batch is being answered.
const NO_BATCH: *mut dyn Sink = core::ptr::null_mut::<Nothing>() as *mut dyn Sink;

/// Never there.
struct Nothing;

impl Sink for Nothing {
    fn put(&mut self, _: &[u8]) -> Result<(), Full> {
        Err(Full)
    }
    fn len(&self) -> usize {
        0
    }
    fn truncate(&mut self, _: usize) {}
}

impl Device {
    /// Makes a device.
    ///
    /// # Safety
    /// The memory is as large as the header says and aligned; the configuration keeps its promises.
    pub(crate) unsafe fn init(memory: *mut Device, config: &Config) -> Result<(), u32> {
        let (Some(write), Some(run)) = (config.write, config.call) else { return Err(NULL) };
        if config.input.is_null() || (config.output.is_null() && config.output_size > 0) {
            return Err(NULL);
        }
        // SAFETY: the caller's.
        let (table, info) = unsafe {
            let table = Table([
                List::new(Kind::Tool, config.tools, config.tool_count)?,
                List::new(Kind::Resource, config.resources, config.resource_count)?,
                List::new(Kind::Template, config.templates, config.template_count)?,
                List::new(Kind::Prompt, config.prompts, config.prompt_count)?,
            ]);
            (table, json(config.info)?)
        };
        // SAFETY: the caller's.
        let instructions = match config.instructions.is_null() {
            true => None,
            false => Some(unsafe { text(config.instructions) }?),
        };
        let offer = |count| if count > 0 { Offer::Catalog } else { Offer::No };
        let has = |flag| config.flags & flag != 0;
        let profile = Profile {
            instructions,
            tools: offer(config.tool_count),
            resources: offer(config.resource_count + config.template_count),
            prompts: offer(config.prompt_count),
            completions: has(COMPLETIONS),
            logging: has(LOGGING),
            subscribe: has(SUBSCRIBE),
            ..Profile::new(info)
        };
        let limits = Limits {
            message_bytes: config.input_size,
            depth: 32,
            batch: 16,
            page_bytes: if config.page_bytes == 0 { usize::MAX } else { config.page_bytes },
            ..Limits::DEFAULT
        };
        let lines =
            Lines::over(Lent { memory: config.input, size: config.input_size, len: 0 }, config.input_size);
        // SAFETY: the caller's.
        unsafe {
            memory.write(Device {
                server: Server { profile, limits, catalog: table },
                session: Session::new(1),
                lines,
                output: config.output,
                output_size: config.output_size,
                wire: Wire { user: config.user, write },
                run,
                batch: NO_BATCH,
            });
        }
        Ok(())
    }

    /// Whether a call was taken back.
    pub(crate) fn is_cancelled(&self, key: u64) -> bool {
        self.session.is_cancelled(CallKey::from_bits(key))
    }

    /// Whether the call is part of a batch: nothing but its answer can be said then.
    pub(crate) fn is_batched(&self, key: u64) -> bool {
        self.session.is_batched(CallKey::from_bits(key))
    }

    /// Says something, and sends it; the answer of a call in a batch is left to the batch.
    pub(crate) fn say<T>(
        &mut self,
        key: u64,
        write: impl FnOnce(
            &mut Session<CALLS, WATCHED>,
            &Server<'static, Table>,
            CallKey,
            &mut dyn Sink,
        ) -> Result<T, LocalError>,
    ) -> Result<T, LocalError> {
        let key = CallKey::from_bits(key);
        if self.session.is_batched(key) {
            // SAFETY: only while `feed` answers a batch is a call batched, and then this is its output.
            return match unsafe { self.batch.as_mut() } {
                Some(out) => write(&mut self.session, &self.server, key, out),
                None => Err(LocalError::UnknownCall),
            };
        }
        if !self.batch.is_null() {
            // In the middle of a batch's line.
            return Err(LocalError::BatchPending);
        }
        let mut out = Stream::new(output(self.output, self.output_size), self.wire.drain());
        let done = write(&mut self.session, &self.server, key, &mut out)?;
        out.end_line()?;
        Ok(done)
    }

    /// Takes bytes of the line.
    ///
    /// # Safety
    /// A device that was made; nobody else uses it but the callbacks of this call.
    pub(crate) unsafe fn feed(memory: *mut Device, bytes: &[u8]) -> u32 {
        // SAFETY: the frames are read from memory that callbacks do not touch: they may not feed. Each use of the device
        // below borrows it anew, so that callbacks may use it in between.
        unsafe {
            for byte in bytes {
                let Some(frame) = (*memory).lines.byte(*byte) else { continue };
                let message: &[u8] = match frame {
                    Frame::Line(line) => core::slice::from_raw_parts(line.as_ptr(), line.len()),
                    Frame::TooLong => {
                        let said =
                            (*memory).say(u64::MAX, |session, server, _, out| session.too_long(server, out));
                        if let Err(error) = said {
                            return error.code();
                        }
                        continue;
                    }
                };
                if let Err(error) = Self::take(memory, message) {
                    return error.code();
                }
            }
        }
        OK
    }

    /// Takes one message.
    ///
    /// # Safety
    /// As for `feed`.
    unsafe fn take(memory: *mut Device, message: &[u8]) -> Result<(), LocalError> {
        // SAFETY: as said there.
        unsafe {
            let step =
                (*memory).say(u64::MAX, |session, server, _, out| session.accept(server, message, out))?;
            match step {
                Step::Call(call) => Self::call(memory, &call),
                Step::Batch(mut batch) => {
                    let (size, wire) = ((*memory).output_size, (*memory).wire);
                    let mut stream = Stream::new(output((*memory).output, size), wire.drain());
                    // Like all else that is written: one kind of output is linked, not two.
                    let out: &mut dyn Sink = &mut stream;
                    loop {
                        let device = &mut *memory;
                        let step = device.session.next(&device.server, &mut batch, message, out)?;
                        let Some(step) = step else { break };
                        let Step::Call(call) = step else { continue };
                        let lent: *mut (dyn Sink + '_) = &raw mut *out;
                        // The pointer is gone before the output is.
                        (*memory).batch =
                            core::mem::transmute::<*mut (dyn Sink + '_), *mut (dyn Sink + 'static)>(lent);
                        Self::call(memory, &call);
                        (*memory).batch = NO_BATCH;
                    }
                    stream.end_line()?;
                }
                Step::Send | Step::Notice(_) | Step::Nothing => {}
            }
        }
        Ok(())
    }

    /// Has a call run. In a batch it is answered afterwards.
    ///
    /// # Safety
    /// As for `feed`.
    unsafe fn call(memory: *mut Device, call: &Call<'_>) {
        let (target, entry, template_entry, name, arguments) = match call.target {
            Target::Tool { entry, name, arguments } => (1, entry, false, Some(name), arguments),
            Target::Resource { entry, uri } => {
                let template = matches!(entry, Some((Kind::Template, _)));
                (2, entry.map(|(_, at)| at), template, Some(uri), call.params)
            }
            Target::Prompt { entry, name, arguments } => (3, entry, false, Some(name), arguments),
            Target::Completion { .. } => (4, None, false, None, call.params),
            // Not configured here.
            Target::Task { .. } | Target::Tasks { .. } | Target::List { .. } | Target::Custom { .. } => {
                (0, None, false, None, call.params)
            }
        };
        let told = CCall {
            key: call.key.to_bits(),
            target,
            template_entry,
            batched: call.batched,
            entry: entry.unwrap_or(0),
            name: name.map_or(CText::NONE, |name| CText::of(name.escaped())),
            arguments: CText::of(arguments.text()),
        };
        // SAFETY: the configuration promises that the function may be called; the device is not borrowed here.
        unsafe {
            ((*memory).run)((*memory).wire.user, memory, &raw const told);
            if call.batched && (*memory).session.is_batched(call.key) {
                let late = Failure::Internal("calls of a batch have to be answered at once");
                let _ = (*memory)
                    .say(told.key, |session, server, key, out| session.fail(server, key, &late, out));
            }
        }
    }
}

/// The memory lent for output.
fn output<'a>(memory: *mut u8, size: usize) -> &'a mut [u8] {
    // SAFETY: lent by the configuration; used by one stream at a time, since whoever says something ends it before.
    if size == 0 { &mut [] } else { unsafe { core::slice::from_raw_parts_mut(memory, size) } }
}
