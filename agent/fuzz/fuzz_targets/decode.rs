//! Records of the probes: whatever the bytes, decoding returns.

#![no_main]

use hullwatch::source::kernel::BootClock;
use hullwatch::source::kernel::decode::decode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    drop(decode(bytes, BootClock::with_offset(0)));
});
