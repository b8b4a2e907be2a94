//! The board: how it starts, its serial line, its LED, its thermometer, and a tick.
//!
//! QEMU's `mps2-an386` has the registers of Arm's CMSDK peripherals. It has no thermometer: one is made up, so that tests
//! know what it shows.

use core::arch::asm;
use core::panic::PanicInfo;
use core::ptr::{read_volatile, write_volatile};

/// What the stack is filled with before it is used, so that its deepest use can be seen afterwards.
pub const PAINT: u32 = 0x5AFE_5AFE;

unsafe extern "C" {
    static mut _data_start: u32;
    static mut _data_end: u32;
    static mut _data_load: u32;
    static mut _bss_start: u32;
    static mut _bss_end: u32;
    static mut _stack_top: u32;
    fn main() -> !;
}

/// The first words of the flash: the stack, and where to start. Every fault ends in [`stop`].
#[repr(C)]
pub struct Vectors {
    stack: *mut u32,
    reset: unsafe extern "C" fn() -> !,
    faults: [unsafe extern "C" fn() -> !; 14],
}

// SAFETY: read by the hardware only.
unsafe impl Sync for Vectors {}

/// The vector table.
#[unsafe(link_section = ".vectors")]
#[unsafe(no_mangle)]
pub static VECTORS: Vectors = Vectors { stack: &raw mut _stack_top, reset, faults: [stop; 14] };

/// Fills the memory as the program expects it, paints the stack, and starts `main`.
///
/// # Safety
/// For the hardware.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reset() -> ! {
    // SAFETY: the linker script's symbols bound memory that nothing else uses yet.
    unsafe {
        let (mut to, mut from) = (&raw mut _data_start, &raw const _data_load);
        while to < &raw mut _data_end {
            write_volatile(to, read_volatile(from));
            (to, from) = (to.add(1), from.add(1));
        }
        let mut to = &raw mut _bss_start;
        while to < &raw mut _bss_end {
            write_volatile(to, 0);
            to = to.add(1);
        }
        let here: *mut u32;
        asm!("mov {}, sp", out(reg) here);
        while to < here {
            write_volatile(to, PAINT);
            to = to.add(1);
        }
        main()
    }
}

/// Says that something is wrong in the program, for whoever watches the serial line, and waits for ever.
unsafe extern "C" fn stop() -> ! {
    write(b"\nfault\n");
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    write(b"\npanic\n");
    loop {
        core::hint::spin_loop();
    }
}

/// A register.
struct Register(usize);

impl Register {
    fn get(self) -> u32 {
        // SAFETY: the addresses below are registers of this board.
        unsafe { read_volatile(self.0 as *const u32) }
    }
    fn set(self, value: u32) {
        // SAFETY: as above.
        unsafe { write_volatile(self.0 as *mut u32, value) }
    }
}

const UART: usize = 0x4000_4000;
const LEDS: usize = 0x4002_8000;
const TICK: usize = 0xE000_E010;
const ENABLE: usize = 0xE000_E100;
const FORGET: usize = 0xE000_E280;
const SYSTEM: usize = 0xE000_ED04;

/// Starts the serial line and a tick every 10 ms (the clock runs at 25 MHz). Both interrupt, which is never taken: it wakes
/// who [waits](wait).
pub fn start() {
    // SAFETY: nothing counts on an interrupt.
    unsafe { asm!("cpsid i") };
    Register(UART + 0x10).set(16);
    Register(UART + 8).set(0b1011);
    Register(ENABLE).set(1);
    Register(TICK + 4).set(250_000 - 1);
    Register(TICK + 8).set(0);
    Register(TICK).set(0b111);
}

/// Sleeps until a byte has come or a tick has passed since it slept last.
#[inline(never)]
pub fn wait() {
    // SAFETY: it waits and does nothing else.
    unsafe { asm!("wfi") };
    Register(UART + 0xC).set(0b10);
    Register(FORGET).set(1);
    Register(SYSTEM).set(1 << 25);
}

/// A byte of the serial line, if one has come.
#[must_use]
pub fn read() -> Option<u8> {
    (Register(UART + 4).get() & 2 != 0).then(|| Register(UART).get() as u8)
}

/// Writes to the serial line, and waits until all is handed over.
pub fn write(bytes: &[u8]) {
    for byte in bytes {
        while Register(UART + 4).get() & 1 != 0 {}
        Register(UART).set(u32::from(*byte));
    }
}

/// Whether a tick has passed since the last time this was asked.
#[must_use]
pub fn ticked() -> bool {
    Register(TICK).get() & 1 << 16 != 0
}

/// Turns the LED on or off.
pub fn set_led(on: bool) {
    Register(LEDS).set(u32::from(on));
}

/// Whether the LED is on.
#[must_use]
pub fn led() -> bool {
    Register(LEDS).get() & 1 != 0
}

/// The temperature in tenths of a degree Celsius: warmer with the LED.
#[must_use]
pub fn temperature() -> u32 {
    if led() { 247 } else { 215 }
}

/// The memory functions that compilers count on, byte by byte: those that come with Rust are a kilobyte of code, for copies
/// faster than a serial line needs. In assembly, since the compiler makes a loop of this kind a call of these functions.
mod memory {
    use core::arch::global_asm;

    global_asm!(
        ".syntax unified",
        ".section .text.memory, \"ax\"",
        ".macro function name",
        ".global \\name",
        ".type \\name, %function",
        ".thumb_func",
        "\\name:",
        ".endm",
        // Down from the end where what is read would be overwritten, else up. Gives the destination back.
        "function memcpy",
        "function __aeabi_memcpy",
        "function __aeabi_memcpy4",
        "function __aeabi_memcpy8",
        "mov r12, r0",
        "1: subs r2, #1",
        "it lt",
        "bxlt lr",
        "ldrb r3, [r1], #1",
        "strb r3, [r12], #1",
        "b 1b",
        "function memmove",
        "function __aeabi_memmove",
        "function __aeabi_memmove4",
        "function __aeabi_memmove8",
        "subs r3, r0, r1",
        "cmp r3, r2",
        "bhs memcpy",
        "2: subs r2, #1",
        "it lt",
        "bxlt lr",
        "ldrb r3, [r1, r2]",
        "strb r3, [r0, r2]",
        "b 2b",
        "function __aeabi_memclr",
        "function __aeabi_memclr4",
        "function __aeabi_memclr8",
        "movs r2, #0",
        "function __aeabi_memset",
        "function __aeabi_memset4",
        "function __aeabi_memset8",
        "mov r3, r1",
        "mov r1, r2",
        "mov r2, r3",
        "function memset",
        "mov r12, r0",
        "3: subs r2, #1",
        "it lt",
        "bxlt lr",
        "strb r1, [r12], #1",
        "b 3b",
        "function memcmp",
        "function bcmp",
        "mov r12, r0",
        "4: subs r2, #1",
        "itt lt",
        "movlt r0, #0",
        "bxlt lr",
        "ldrb r0, [r12], #1",
        "ldrb r3, [r1], #1",
        "subs r0, r3",
        "beq 4b",
        "bx lr",
        ".text",
    );
}
