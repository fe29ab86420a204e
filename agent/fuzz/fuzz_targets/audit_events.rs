//! Arbitrary records in arbitrary order, a type and a text on each line, as events, observations and sightings.
#![no_main]

use std::time::{Duration, Instant};

use hullwatch::source::audit::{Assembler, AuditEvent, Facts, Record, observations, sighting};
use libfuzzer_sys::fuzz_target;

const FACTS: Facts = Facts { exec: true, connect: true, mount: true };

fn tell(event: &AuditEvent) {
    std::hint::black_box((observations(event), sighting(event, FACTS)));
}

fuzz_target!(|bytes: &[u8]| {
    let mut assembler = Assembler::default();
    let mut now = Instant::now();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((kind, text)) = line.split_first_chunk() else { continue };
        let Some(record) = Record::parse(u16::from_ne_bytes(*kind), text) else { continue };
        now += Duration::from_millis(1);
        for event in assembler.push(record, now).into_iter().chain(assembler.expire(now)) {
            tell(&event);
        }
    }
    while let Some(event) = assembler.expire(now + Duration::from_secs(2)) {
        tell(&event);
    }
    assert_eq!(assembler.deadline(), None);
});
