//! What a policy file may say, and how each mistake is told.

use super::*;

#[track_caller]
fn check(text: &str, expect: &[(usize, &str)]) {
    let errors = PolicyFile::parse(text).map_or_else(|errors| errors.0, |_| Vec::new());
    assert_eq!(errors.len(), expect.len(), "{errors:?}");
    for ((line, what), (expect, words)) in errors.iter().zip(expect) {
        assert_eq!(line, expect, "{what}");
        assert!(what.contains(words) && !what.contains('\n'), "{what}");
    }
}

#[test]
fn the_example_names_every_key() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let file = PolicyFile::parse(&text).unwrap();
    let written = serde_json::to_value(&file.policy).unwrap();
    let plain = serde_json::to_value(Policy::default()).unwrap();
    for (key, value) in written.as_object().unwrap() {
        if key != "trusted_uids" {
            assert_ne!(value, &plain[key], "docs/policy.toml does not set {key}");
        }
    }
    let users: Vec<_> = file.trusted_users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(users, ["root", "1000"]);
}

#[test]
fn an_empty_file_allows_nothing() {
    assert_eq!(PolicyFile::parse("").unwrap(), PolicyFile::default());
}

#[test]
fn all_mistakes_are_told_with_their_lines() {
    let text = "\
swarm_expected = \"yes\"
trusted_userz = []
allowed_mounts = [
    \"/srv\",
    \"srv\",
]
allowed_caps = [\"NET_ADMIN\", \"FLY\"]
allowed_ports = [80, 99999]
trusted_users = [-1]
";
    check(
        text,
        &[
            (1, "expected a boolean"),
            (2, "there is no key `trusted_userz`"),
            (5, "`srv` is not an absolute path"),
            (7, "there is no capability `FLY`"),
            (8, "99999"),
            (9, "User"),
        ],
    );
}

#[test]
fn what_is_no_toml_is_told_too() {
    check(
        "swarm_expected = \nmax_ca_age_days = 1\nmax_ca_age_days = 2",
        &[(1, "string values must be quoted"), (3, "duplicate key")],
    );
}

fn attestation(rest: &str) -> String {
    format!("[attestations.ops-backup]\nstatement = \"restored\"\nby = \"ann\"\n{rest}")
}

#[test]
fn a_statement_holds_on_its_last_day() {
    let text = attestation("date = 2026-01-31\nexpires = 2026-07-31");
    let file = PolicyFile::parse(&text).unwrap();
    let made = &file.policy.attestations["ops-backup"];
    assert_eq!(made.date.to_string(), "2026-01-31T00:00:00.000000000Z");
    assert_eq!(made.expires.to_string(), "2026-08-01T00:00:00.000000000Z");
    assert_eq!(file.attestation_lines["ops-backup"], 1);
    let exact = attestation("date = 2026-01-31T12:00:00+01:00\nexpires = 2026-02-01T00:00:00");
    let made = PolicyFile::parse(&exact).unwrap().policy.attestations["ops-backup"].clone();
    assert_eq!(made.date.to_string(), "2026-01-31T11:00:00.000000000Z");
    assert_eq!(made.expires.to_string(), "2026-02-01T00:00:00.000000000Z");
}

#[test]
fn a_statement_without_sense_is_refused() {
    check(
        &attestation("date = 2026-01-31\nexpires = 2025-01-01"),
        &[(1, "before it was made")],
    );
    check(
        &attestation("date = 2026-01-31"),
        &[(1, "missing field `expires`")],
    );
    check(
        &attestation("date = 12:00:00\nexpires = 2025-01-01"),
        &[(1, "has no date")],
    );
    check(
        &attestation("date = 2026-01-31\nexpires = 2026-02-01\nsigned = true"),
        &[(6, "unknown field `signed`")],
    );
    check("attestations = 1", &[(1, "tables")]);
}
