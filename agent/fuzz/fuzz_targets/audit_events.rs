//! Arbitrary records in arbitrary order, a type and a text on each line, as events and observations.
#![no_main]

use std::time::{Duration, Instant};

use hullwatch::source::audit::{Assembler, Record, observations};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut assembler = Assembler::default();
    let mut now = Instant::now();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((kind, text)) = line.split_first_chunk() else { continue };
        let Some(record) = Record::parse(u16::from_ne_bytes(*kind), text) else { continue };
        now += Duration::from_millis(1);
        for event in assembler.push(record, now).into_iter().chain(assembler.expire(now)) {
            std::hint::black_box(observations(&event));
        }
    }
    while let Some(event) = assembler.expire(now + Duration::from_secs(2)) {
        std::hint::black_box(observations(&event));
    }
    assert_eq!(assembler.deadline(), None);
});
