//! Arbitrary bytes as a record of the audit trail: who names a file chooses most of it.
#![no_main]

use hullwatch::source::audit::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(record) = Record::parse(1300, bytes) else { return };
    for field in record.fields() {
        std::hint::black_box((field.value.name(), field.value.number::<u32>()));
        std::hint::black_box(field.value.nested().count());
    }
});
