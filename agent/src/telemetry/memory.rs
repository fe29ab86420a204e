//! Our own footprint.

/// Gives memory that is no longer used back to the system.
///
/// Loading the probes reads the kernel's whole type information twice, once here and once in aya, and the
/// C library keeps what it was given for that: half of what we would weigh for the rest of our life.
pub fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    trim();
}

#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "a call of the C library")]
fn trim() {
    // SAFETY: malloc_trim(3) takes a number, touches only free memory, and is thread-safe.
    unsafe { libc::malloc_trim(0) };
}
