//! Type information by hand, hostile bytes, and the running kernel's own.

use hullwatch_common::{OFFSET_MISSING, OFFSETS, Offset, OffsetGroup};
use proptest::prelude::*;

use super::testing::{Builder, STRUCT, TYPEDEF, sample};
use super::*;

#[track_caller]
fn check(structure: &str, path: &str, expect: &Result<FieldOffset, OffsetError>) {
    assert_eq!(
        &sample().parse().offset(structure, path),
        expect,
        "{structure}: {path}"
    );
}

fn bytes(offset: u32) -> Result<FieldOffset, OffsetError> {
    Ok(FieldOffset::Bytes(offset))
}

#[test]
fn members_are_found_where_they_lie() {
    check("outer", "plain", &bytes(0));
    check("outer", "pointer", &bytes(8));
    check("outer", "comm", &bytes(48));
    check("inner", "second", &bytes(4));
}

#[test]
fn anonymous_structures_are_transparent() {
    check("outer", "shallow", &bytes(16));
    check("outer", "deep", &bytes(24));
    check("outer", "also_deep", &bytes(24));
}

#[test]
fn typedefs_and_qualifiers_are_looked_through() {
    check("outer", "wrapped.second", &bytes(44));
}

#[test]
fn the_first_name_that_a_kernel_has_wins() {
    check("outer", "__plain|plain", &bytes(0));
    check("outer", "gone|wrapped.first|second", &bytes(40));
    check("outer", "a|b", &Err(OffsetError::NoMember("a|b".into())));
}

#[test]
fn bit_fields_are_told_by_bit_and_width() {
    check("flags", "whole", &bytes(0));
    check("flags", "one", &Ok(FieldOffset::Bits { offset: 33, width: 1 }));
    check("flags", "three", &Ok(FieldOffset::Bits { offset: 34, width: 3 }));
}

#[test]
fn of_structures_with_one_name_the_first_with_the_path_counts() {
    check("twice", "old", &bytes(0));
    check("twice", "new", &bytes(12));
    check("twice", "never", &Err(OffsetError::NoMember("never".into())));
}

#[test]
fn what_is_not_there_is_an_error_that_names_it() {
    check("nothing", "plain", &Err(OffsetError::NoStructure));
    check("outer", "", &Err(OffsetError::NoMember(String::new())));
    check(
        "outer",
        "plain.x",
        &Err(OffsetError::NotAStructure("plain".into())),
    );
    check(
        "outer",
        "pointer.x",
        &Err(OffsetError::NotAStructure("pointer".into())),
    );
    check(
        "outer",
        "wrapped.third",
        &Err(OffsetError::NoMember("third".into())),
    );
    check("inner_t", "first", &Err(OffsetError::NoStructure));
}

#[test]
fn enumerators_functions_and_typedefs_are_found_by_name() {
    let btf = sample().parse();
    assert_eq!(btf.enum_value(Some("subsys"), "pids_id"), Some(11));
    assert_eq!(btf.enum_value(Some("subsys"), "big"), Some(i64::from(u32::MAX)));
    assert_eq!(btf.enum_value(None, "minus"), Some(-1));
    assert_eq!(btf.enum_value(None, "wide"), Some((1 << 32) + 1));
    assert_eq!(btf.enum_value(None, "huge"), None, "does not fit");
    assert_eq!(btf.enum_value(Some("wide"), "pids_id"), None);
    assert!(btf.has_function("do_mount"));
    assert!(!btf.has_function("do_mou"));
    assert!(btf.has_typedef("btf_trace_sched_process_exec"));
    assert!(!btf.has_typedef("do_mount"));
    assert!(!btf.has_typedef(""));
}

#[test]
fn a_structure_within_itself_ends_the_search() {
    let mut b = Builder::new();
    b.composite(STRUCT, "self", &[("", 1, 0)]);
    b.composite(STRUCT, "twin", &[("", 3, 0), ("", 3, 0)]);
    b.composite(STRUCT, "", &[("", 2, 0), ("", 2, 0)]);
    b.composite(STRUCT, "alias", &[("x", 5, 0), ("", 5, 0)]);
    b.of(TYPEDEF, "circle", 6);
    b.of(TYPEDEF, "circle", 5);
    let btf = b.parse();
    for structure in ["self", "twin"] {
        let malformed = Err(OffsetError::Malformed("y".into()));
        assert_eq!(btf.offset(structure, "y"), malformed, "{structure}");
    }
    assert_eq!(btf.offset("alias", "y"), Err(OffsetError::NoMember("y".into())));
    assert_eq!(
        btf.offset("alias", "x.y"),
        Err(OffsetError::NotAStructure("x".into()))
    );
}

#[test]
fn offsets_that_overflow_are_malformed() {
    let mut b = Builder::new();
    let leaf = b.composite(STRUCT, "", &[("x", 0, u32::MAX / 8)]);
    b.composite(STRUCT, "s", &[("", leaf, u32::MAX / 8)]);
    assert_eq!(
        b.parse().offset("s", "x"),
        Err(OffsetError::Malformed("x".into()))
    );
}

#[test]
fn a_longer_header_is_accepted() {
    let mut b = sample();
    b.header_len = 40;
    assert_eq!(b.parse().offset("outer", "deep"), bytes(24));
}

#[track_caller]
fn check_refused(bytes: &[u8], expect: &str) {
    assert_eq!(Btf::parse(bytes).unwrap_err().to_string(), expect);
}

#[test]
fn malformed_files_are_refused_with_the_reason() {
    let good = sample().bytes();
    check_refused(&[], "not BTF: wrong magic");
    check_refused(&good[1..], "not BTF: wrong magic");
    check_refused(&good[..2], "BTF ends within its header");
    check_refused(&good[..20], "BTF ends within its header");
    check_refused(&good[..100], "BTF ends within its type section");
    check_refused(&good[..good.len() - 1], "BTF ends within its string section");
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    check_refused(&swapped, "BTF of the other byte order");
    let mut version = good.clone();
    version[2] = 9;
    check_refused(&version, "BTF version 9 is not known");
    let mut unterminated = good;
    *unterminated.last_mut().unwrap() = b'x';
    check_refused(&unterminated, "string section of BTF is malformed");
}

#[test]
fn malformed_types_are_refused_with_their_id() {
    let mut b = Builder::new();
    b.int();
    b.raw(20, "later", 0, 0, &[]);
    check_refused(&b.bytes(), "type 2 of BTF is of the unknown kind 20");
    let mut b = Builder::new();
    b.raw(STRUCT, "s", 2, 8, &[0, 0, 0]);
    check_refused(&b.bytes(), "BTF ends within type 1");
}

#[test]
fn a_missing_field_gets_the_value_that_says_so() {
    let field = |name, path| Offset {
        name,
        structure: "flags",
        path,
        group: OffsetGroup::Exec,
    };
    let fields = [
        field("THREE", "three"),
        field("GONE", "gone"),
        field("WHOLE", "whole"),
    ];
    let resolution = resolve(&sample().parse(), &fields);
    assert_eq!(
        resolution.values,
        [("THREE", 34), ("GONE", OFFSET_MISSING), ("WHOLE", 0)]
    );
    let missing: Vec<_> = resolution.missing.iter().map(|m| m.field.name).collect();
    assert_eq!(missing, ["GONE"]);
}

/// Everything that can be asked of parsed bytes; none of it may panic.
fn exercise(bytes: &[u8]) {
    if let Ok(btf) = Btf::parse(bytes) {
        assert!(btf.len() <= bytes.len() / 12);
        for structure in ["outer", "flags", "twice", ""] {
            for path in ["deep", "wrapped.second", "one", "a|b.c", ""] {
                drop(btf.offset(structure, path));
            }
        }
        assert_eq!(btf.enum_value(None, "\u{1}nowhere"), None);
        assert!(!btf.has_function("\u{1}nowhere"));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        exercise(&bytes);
    }

    #[test]
    fn changed_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = sample().bytes();
        for (at, value) in changes {
            // The magic stays, so that the change reaches what lies behind it.
            let at = 2 + at.index(bytes.len() - 2);
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        exercise(&bytes);
    }
}

/// The running kernel's types, or `None` with a printed reason.
fn running_kernel() -> Option<Btf> {
    let file = Path::new(KERNEL_BTF);
    if !file.exists() {
        println!("skipped: this kernel shows no type information");
        return None;
    }
    Some(Btf::read(file).unwrap())
}

#[test]
fn every_field_of_the_probes_is_in_the_running_kernel() {
    let Some(btf) = running_kernel() else { return };
    let resolution = resolve(&btf, OFFSETS);
    let missing: Vec<_> = resolution
        .missing
        .iter()
        .filter(|missing| !matches!(missing.field.group, OffsetGroup::Optional | OffsetGroup::CgroupV1))
        .map(|missing| format!("{}: {}", missing.field.name, missing.reason))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(resolution.values.len(), OFFSETS.len());
}

#[test]
fn the_running_kernel_is_laid_out_as_its_source_says() {
    let Some(btf) = running_kernel() else { return };
    let at = |structure, path| match btf.offset(structure, path).unwrap() {
        FieldOffset::Bytes(offset) => offset,
        FieldOffset::Bits { .. } => panic!("{structure}.{path} is no bit-field"),
    };
    // Neighbours in include/linux/sched.h and cred.h in every version that has BTF.
    assert_eq!(at("task_struct", "tgid"), at("task_struct", "pid") + 4);
    assert_eq!(at("cred", "gid"), at("cred", "uid") + 4);
    assert_eq!(at("cred", "fsgid"), at("cred", "uid") + 28);
    assert_eq!(at("cred", "cap_permitted"), at("cred", "cap_inheritable") + 8);
    assert_eq!(at("cred", "cap_ambient"), at("cred", "cap_inheritable") + 32);
    assert_eq!(at("file", "f_path.dentry"), at("file", "f_path.mnt") + 8);
    assert_eq!(at("sock", "__sk_common.skc_family"), 16);
    assert_eq!(at("unix_sock", "sk"), 0);
    let secure = btf.offset("linux_binprm", "secureexec").unwrap();
    assert!(matches!(secure, FieldOffset::Bits { width: 1, .. }), "{secure:?}");
    assert!(btf.has_typedef("btf_trace_sched_process_exec"));
    assert!(!btf.has_typedef("btf_trace_no_such_tracepoint"));
    assert!(
        btf.enum_value(Some("cgroup_subsys_id"), "CGROUP_SUBSYS_COUNT")
            .is_some_and(|n| n > 0)
    );
}
