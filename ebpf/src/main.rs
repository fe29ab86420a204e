//! The probes: one per file in `probe`; `kernel` alone reads kernel structures, `emit` alone sends.
#![no_std]
#![no_main]

mod emit;
mod kernel;
mod map;
mod offset;
mod path;
mod probe;
mod task;

/// Nothing here panics; the compiler wants to be told where it would go.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Helpers that are GPL-only (reading kernel memory, ring buffers) are used.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
