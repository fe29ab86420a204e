//! Arbitrary bytes as a line of mountinfo: whoever can mount chooses most of it.
#![no_main]

use hullwatch::model::MountLine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    if let Some(mount) = MountLine::parse(line) {
        std::hint::black_box(mount.to_point(None));
    }
});
