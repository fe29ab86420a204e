//! Rules that a kernel listed, and rules that nobody wrote.

use netlink_packet_audit::constants as k;
use proptest::prelude::*;

use super::accounts::Accounts;
use super::{MASK_WORDS, calls, decode_rule, parse, render};
use crate::model::{AuditField, AuditRule};

/// Lines of `auditctl` 3.0.9, and the rule that Linux 6.18 listed after each, behind its length.
const LINES: &str = include_str!("../fixtures/rules.txt");
const LISTED: &[u8] = include_bytes!("../fixtures/rules.bin");

/// A host with the directories and accounts that the lines name.
fn host() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("usr/bin")).unwrap();
    std::fs::create_dir(root.path().join("etc")).unwrap();
    std::fs::write(
        root.path().join("etc/passwd"),
        "root:x:0:0::/:\ndaemon:x:1:1::/:\n",
    )
    .unwrap();
    std::fs::write(root.path().join("etc/group"), "root:x:0:\nadm:x:4:daemon\n").unwrap();
    root
}

fn listed() -> Vec<&'static [u8]> {
    let mut rest = LISTED;
    let mut bodies = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let (body, after) = after.split_at(usize::try_from(u32::from_le_bytes(*length)).unwrap());
        bodies.push(body);
        rest = after;
    }
    bodies
}

#[test]
fn a_line_means_what_the_kernel_lists_after_it() {
    let root = host();
    let accounts = Accounts::below(root.path());
    let bodies = listed();
    assert_eq!(bodies.len(), LINES.lines().count());
    for (line, body) in LINES.lines().zip(bodies) {
        let rule = decode_rule(body);
        assert!(rule.is_some(), "{line}");
        assert_eq!(parse::parse(line, &accounts), rule, "{line}");
        let shown = render(&rule.clone().unwrap());
        assert_eq!(parse::parse(&shown, &accounts), rule, "{line}: {shown}");
    }
}

#[track_caller]
fn check(line: &str, expect: &str) {
    let root = host();
    let rule = parse::parse(line, &Accounts::below(root.path()));
    assert_eq!(rule.as_ref().map(render).as_deref(), Some(expect));
}

#[test]
fn rules_are_shown_in_the_words_of_auditctl() {
    check(
        "-w /usr/bin/ -p aw -k a -k b",
        "-a always,exit -F dir=/usr/bin -F perm=wa -F key=a -F key=b",
    );
    check(
        "-w /etc/x\\ y\\\\z",
        "-a always,exit -F path=/etc/x\\ y\\\\z -F perm=rwxa",
    );
    check(
        "-a exit,never -S open -S 2,257 -F auid!=unset",
        "-a never,exit -S open,openat -F auid!=-1",
    );
    check(
        "-a always,exit -F arch=i386 -S open -F exit=EACCES",
        "-a always,exit -F arch=b32 -S open -F exit=13",
    );
    check("-A never,task -F uid=daemon", "-a never,task -F uid=1");
    check(
        " -a  always,exit\t-Cobj_uid=uid",
        "-a always,exit -S all -C uid=obj_uid",
    );
}

#[test]
fn what_auditctl_would_not_load_is_no_rule() {
    let root = host();
    let accounts = Accounts::below(root.path());
    for line in [
        "",
        "# -w /etc -p wa",
        "-D",
        "-e 2",
        "-b 8192",
        "-w etc/passwd -p wa",
        "-w /etc/passwd -p wz",
        "-w /etc/passwd -p",
        "-w /etc/passwd -a always,exit",
        "-W /etc/passwd",
        "-a always,nowhere",
        "-a always",
        "-a always,exit -S nosuchcall",
        "-a always,exit -F arch=b64 -S 2048",
        "-a always,exit -F nosuch=1",
        "-a always,exit -F uid=nobody-of-that-name",
        "-a always,exit -F uid",
        "-a always,exit -C uid=obj_gid",
        "-a always,exit -C uid>euid",
        "-F path=/etc/passwd",
        "-é",
    ] {
        assert_eq!(parse::parse(line, &accounts), None, "{line}");
    }
    let long = format!("-a always,exit -F key={}", "k".repeat(9000));
    assert_eq!(parse::parse(&long, &accounts), None);
}

#[test]
fn bytes_that_are_no_rule_are_refused() {
    let whole = listed()[0];
    assert_eq!(decode_rule(&whole[..whole.len() - 4]), None, "text cut off");
    assert_eq!(decode_rule(&whole[..1000]), None, "structure cut off");
    let mut many = whole.to_vec();
    many[8..12].copy_from_slice(&65u32.to_ne_bytes());
    assert_eq!(decode_rule(&many), None, "too many fields");
    let mut far = whole.to_vec();
    let first_value = 12 + 4 * (MASK_WORDS + 64);
    far[first_value..first_value + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
    assert_eq!(decode_rule(&far), None, "a text that lies outside");
}

fn any_field() -> impl Strategy<Value = AuditField> {
    let equal = prop_oneof![Just(k::AUDIT_EQUAL), Just(k::AUDIT_NOT_EQUAL)];
    let operator = prop_oneof![
        equal.clone(),
        Just(k::AUDIT_LESS_THAN),
        Just(k::AUDIT_GREATER_THAN_OR_EQUAL),
        Just(k::AUDIT_BIT_MASK)
    ];
    let number = proptest::sample::select(vec![
        0, 1, 2, 5, 9, 10, 12, 18, 24, 25, 26, 100, 102, 103, 104, 108, 109, 113, 200, 203,
    ]);
    let text = proptest::sample::select(vec![13, 17, 19, 23, 105, 107, 112]);
    prop_oneof![
        (number, operator, any::<u32>()).prop_map(|(field, op, value)| AuditField {
            field,
            op,
            value,
            text: None
        }),
        (equal.clone(), 1..16u32).prop_map(|(op, value)| AuditField {
            field: k::AUDIT_PERM,
            op,
            value,
            text: None
        }),
        (equal.clone(), 1..26u32).prop_map(|(op, value)| AuditField {
            field: k::AUDIT_FIELD_COMPARE,
            op,
            value,
            text: None
        }),
        (text, equal, "/[a-zé \\\\=!#]{0,12}").prop_map(|(field, op, text)| AuditField {
            field,
            op,
            value: u32::try_from(text.len()).unwrap(),
            text: Some(text),
        }),
    ]
}

fn any_rule() -> impl Strategy<Value = AuditRule> {
    let fields = proptest::collection::vec(any_field(), 0..8);
    let arch = proptest::option::of(proptest::sample::select(vec![
        calls::X86_64,
        calls::I386,
        calls::AARCH64,
    ]));
    let named = proptest::collection::vec(0..2032u32, 1..20);
    let key = proptest::option::of("[a-z\\\\ ]{1,5}(\u{1}[a-z]{1,5})?");
    let list = proptest::sample::select(vec![0u32, 1, 4, 5, 6, 7]);
    (list, 0..3u32, fields, arch, proptest::option::of(named), key).prop_map(
        |(list, action, mut fields, arch, named, key)| {
            let plain = |field, value| AuditField {
                field,
                op: k::AUDIT_EQUAL,
                value,
                text: None,
            };
            fields.splice(0..0, arch.map(|value| plain(k::AUDIT_ARCH, value)));
            fields.extend(key.map(|key| AuditField {
                text: Some(key.clone()),
                ..plain(k::AUDIT_FILTERKEY, u32::try_from(key.len()).unwrap())
            }));
            let mask = match (list, named) {
                (4, Some(named)) => {
                    let mut mask = calls::none();
                    assert!(named.into_iter().all(|call| calls::mark(&mut mask, call)));
                    mask
                }
                (1, _) => calls::none(),
                _ => calls::every(),
            };
            AuditRule {
                list,
                action,
                mask,
                fields,
                target: None,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_rule_survives_being_written_and_read(rule in any_rule()) {
        let shown = render(&rule);
        let root = std::path::Path::new("/nonexistent");
        prop_assert_eq!(parse::parse(&shown, &Accounts::below(root)), Some(rule), "{}", shown);
    }

    #[test]
    fn any_bytes_are_survived(mut body in proptest::collection::vec(any::<u8>(), 0..1200), count in 0..80u32) {
        if let Some(field_count) = body.get_mut(8..12) {
            field_count.copy_from_slice(&count.to_ne_bytes());
        }
        if let Some(rule) = decode_rule(&body) {
            prop_assert!(rule.fields.len() <= 64 && rule.mask.len() == MASK_WORDS);
            prop_assert!(render(&rule).starts_with("-a "));
        }
    }

    #[test]
    fn any_line_is_survived(line in "(-[wpkaASFC] ?[a-z/,=!<>&0-9\\\\ -]{0,12} ?){0,5}") {
        let root = std::path::Path::new("/nonexistent");
        if let Some(rule) = parse::parse(&line, &Accounts::below(root)) {
            prop_assert!(rule.fields.len() <= 64);
        }
    }
}
