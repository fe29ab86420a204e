//! Whatever the bytes, decoding returns.

use bytemuck::Zeroable;
use hullwatch_common::event::{CGROUP_CREATED, Cgroup, Exec};
use hullwatch_common::{ABI_VERSION, Header, Kind};
use proptest::prelude::*;

use super::{BootClock, DecodeError, decode};
use crate::model::{CgroupId, CgroupOp, What};

const CLOCK: BootClock = BootClock::with_offset(1_700_000_000_000_000_000);

fn record(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut header = Header::zeroed();
    header.abi = ABI_VERSION;
    header.kind = kind;
    header.time = 5;
    header.task.tgid = 42;
    [bytemuck::bytes_of(&header), payload].concat()
}

#[test]
fn a_cgroup_record_is_read_whole() {
    let mut cgroup = Cgroup::zeroed();
    (cgroup.id, cgroup.root, cgroup.op) = (7, 6, CGROUP_CREATED);
    cgroup.path[..5].copy_from_slice(b"/a/bc");
    let sighting = decode(&record(Kind::CGROUP, bytemuck::bytes_of(&cgroup)), CLOCK).unwrap();
    assert_eq!(sighting.process.pid, 42);
    assert_eq!(sighting.time.unix_nanos(), 1_700_000_000_000_000_005);
    let created = What::Cgroup {
        op: CgroupOp::Created,
        cgroup: CgroupId(7),
        root: CgroupId(6),
        path: "/a/bc".into(),
    };
    assert_eq!(sighting.what, created);
}

#[test]
fn a_tail_shorter_than_it_claims_is_refused() {
    let mut exec = Exec::zeroed();
    exec.path_len = 4;
    let short = decode(
        &record(Kind::EXEC, &[bytemuck::bytes_of(&exec), b"sh\0"].concat()),
        CLOCK,
    );
    assert_eq!(
        short,
        Err(DecodeError::Short {
            what: "the path of an exec",
            have: 3
        })
    );
    let whole = decode(
        &record(Kind::EXEC, &[bytemuck::bytes_of(&exec), b"sh\0\0"].concat()),
        CLOCK,
    );
    assert_eq!(whole.unwrap().process.exe, "/sh");
}

#[test]
fn other_versions_and_kinds_are_refused() {
    let mut other = record(Kind::CGROUP, &[]);
    other[0] = 99;
    assert_eq!(decode(&other, CLOCK), Err(DecodeError::Version(99)));
    assert_eq!(
        decode(&record(Kind(999), &[]), CLOCK),
        Err(DecodeError::Kind(999))
    );
    assert!(matches!(
        decode(&[1, 2], CLOCK),
        Err(DecodeError::Short { have: 2, .. })
    ));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        drop(decode(&bytes, CLOCK));
    }

    #[test]
    fn arbitrary_payloads_never_panic(
        kind in prop::sample::select(vec![1u16, 16, 32, 48, 64]),
        payload in proptest::collection::vec(any::<u8>(), 0..1500),
    ) {
        drop(decode(&record(Kind(kind), &payload), CLOCK));
    }
}
