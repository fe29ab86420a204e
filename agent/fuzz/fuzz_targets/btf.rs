//! Arbitrary bytes as a kernel's type information: no panic, no runaway.
#![no_main]

use hullwatch::source::kernel::btf::Btf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(btf) = Btf::parse(bytes) else { return };
    for (structure, path) in [("task_struct", "pid"), ("s", "a.b|c.d"), ("", "a")] {
        drop(btf.offset(structure, path));
    }
    std::hint::black_box(btf.enum_value(None, "a"));
    std::hint::black_box(btf.has_typedef("a"));
});
