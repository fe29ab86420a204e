//! What the command prints.

use clap::{Args, FromArgMatches};

use super::{ChecksCommand, ChecksError};
use crate::check::{ALL, Benchmark};

/// Standard output of `hullwatch checks …`, or the error.
fn run(args: &[&str]) -> Result<String, ChecksError> {
    let command = ChecksCommand::augment_args(clap::Command::new("checks"));
    let matches = command
        .try_get_matches_from([&["checks"], args].concat())
        .unwrap();
    let mut out = Vec::new();
    ChecksCommand::from_arg_matches(&matches).unwrap().run(&mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_list_has_one_aligned_line_per_check() {
    let text = run(&["list"]).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), ALL.len() + 1);
    let column = lines[0].find("KEY").unwrap();
    for (line, check) in lines.iter().skip(1).zip(ALL) {
        assert!(line.get(column..).unwrap().starts_with(check.key), "{line}");
        assert!(
            line.starts_with(check.number(Benchmark::default()).unwrap()),
            "{line}"
        );
        assert!(!line.ends_with(' '), "{line}");
    }
}

#[test]
fn numbers_are_those_of_the_benchmark_asked_for() {
    let number = |benchmark: &str| {
        let text = run(&["list", "--json", "--benchmark", benchmark]).unwrap();
        assert_eq!(text.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["benchmark"], benchmark);
        let checks = value["checks"].as_array().unwrap();
        let found = checks
            .iter()
            .find(|check| check["key"] == "runtime-not-privileged")
            .unwrap();
        assert_eq!(
            (&found["level"], &found["assessed"]),
            (&1.into(), &"container".into())
        );
        assert_eq!(found["signals"][0]["kind"], "exec");
        found["number"].as_str().unwrap().to_owned()
    };
    assert_eq!(number("cis-1.5.0"), "5.4");
    assert_eq!(number("cis-1.6.0"), "5.5");
}

#[test]
fn every_check_is_explained_in_lines_of_moderate_length() {
    for check in ALL {
        let text = run(&["explain", check.key]).unwrap();
        assert!(text.starts_with(check.title), "{text}");
        assert!(text.lines().all(|line| line.len() <= super::WIDTH), "{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [check.key, check.about, check.remedy] {
            assert!(
                flat.contains(&part.split_whitespace().collect::<Vec<_>>().join(" ")),
                "{text}"
            );
        }
    }
}

#[test]
fn a_check_is_found_by_key_and_by_number() {
    let by_key = run(&["explain", "runtime-not-privileged"]).unwrap();
    assert!(
        by_key.contains("5.4 in cis-1.13.0 to cis-1.5.0, 5.5 in cis-1.6.0 to cis-1.8.0"),
        "{by_key}"
    );
    assert_eq!(run(&["explain", "5.5"]).unwrap(), by_key);
    assert_eq!(
        run(&["explain", "5.4", "--benchmark", "cis-1.1.0"]).unwrap(),
        by_key
    );
}

#[test]
fn an_unknown_check_is_one_line_with_the_closest_keys_and_exit_code_2() {
    let error = run(&["explain", "runtime-privileged"]).unwrap_err();
    let text = error.to_string();
    let start = "no check `runtime-privileged` in cis-1.6.0; closest are runtime-not-privileged, ";
    assert!(text.starts_with(start), "{text}");
    assert_eq!(text.lines().count(), 1);
    assert_eq!(
        format!("{:?}", error.exit_code()),
        format!("{:?}", std::process::ExitCode::from(2))
    );
}

#[test]
fn the_page_of_the_documentation_is_the_catalogue() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/checks.md");
    let page = run(&["list", "--markdown"]).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    for check in ALL {
        assert!(page.contains(&format!("\n### {}\n", check.key)), "{}", check.key);
    }
    let same = std::fs::read_to_string(&path).unwrap_or_default() == page;
    assert!(
        same,
        "docs/checks.md is not what the catalogue says; UPDATE_GOLDEN=1 rewrites it"
    );
}
