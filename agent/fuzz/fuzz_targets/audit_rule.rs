//! Arbitrary bytes as a rule of the kernel, and as a line of a rule file.
#![no_main]

use hullwatch::source::audit::rule::decode_rule;
use hullwatch::source::audit::{parse_rule, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(rule) = decode_rule(bytes) {
        std::hint::black_box(render(&rule));
    }
    let Some(rule) = std::str::from_utf8(bytes).ok().and_then(parse_rule) else { return };
    std::hint::black_box(render(&rule));
});
