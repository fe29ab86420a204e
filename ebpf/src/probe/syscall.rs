//! Records of the `syscalls:*` tracepoints: eight bytes of common fields, the number, the arguments or
//! the result in eight bytes each (`/sys/kernel/tracing/events/syscalls/*/format`).

use aya_ebpf::programs::TracePointContext;

const NUMBER_AT: usize = 8;
const ARGUMENTS_AT: usize = 16;

/// Number of the call on this architecture.
#[inline(always)]
pub fn number(ctx: &TracePointContext) -> u32 {
    // SAFETY: within the record of every syscall tracepoint.
    unsafe { ctx.read_at::<i32>(NUMBER_AT) }.unwrap_or(-1) as u32
}

/// Argument registers; those beyond the call's own are whatever follows and are never used.
#[inline(always)]
pub fn arguments(ctx: &TracePointContext) -> [u64; 6] {
    // SAFETY: the read is checked; shorter records are followed by the trace buffer's own memory.
    unsafe { ctx.read_at::<[u64; 6]>(ARGUMENTS_AT) }.unwrap_or_default()
}

/// Result of the call.
#[inline(always)]
pub fn result(ctx: &TracePointContext) -> i64 {
    // SAFETY: within the record of every return tracepoint.
    unsafe { ctx.read_at::<i64>(ARGUMENTS_AT) }.unwrap_or_default()
}
