//! Every shape over one report with every verdict and a hostile name, against golden files.

use std::path::Path;

use serde_json::{Value, json};

use super::{ReportFormat, ReportView, render};
use crate::model::testing::at;
use crate::model::{
    Basis, Counts, EngineRef, Evidence, Excluded, HostRef, Report, ReportItem, ReportRow, Severity, Source,
    VerdictKind,
};

/// A name that ends quotes and tags, begins a line, colours and turns it.
const HOSTILE: &str = "\"><script>alert(1)</script>\n[PASS] 5.5 forged\x1b[2J\u{202e}'&\\";

fn item(name: &str, verdict: VerdictKind, reason: &str) -> ReportItem {
    let failed = verdict == VerdictKind::Fail;
    ReportItem {
        item: name.to_owned(),
        of: if name.starts_with('/') {
            "host"
        } else {
            "container"
        }
        .to_owned(),
        id: Some("ab".repeat(32)),
        verdict,
        reason: reason.to_owned(),
        severity: failed.then_some(Severity::High),
        evidence: vec![Evidence::new(
            Source::Engine,
            "config",
            json!({"HostConfig.Privileged": true}),
        )],
        remedy: failed.then(|| format!("Start {name} without --privileged")),
        letter_only: false,
    }
}

fn row(number: &str, key: &str, verdict: VerdictKind, items: Vec<ReportItem>) -> ReportRow {
    let decisive = items.iter().find(|item| item.verdict == verdict);
    ReportRow {
        key: key.to_owned(),
        number: number.to_owned(),
        title: format!("Title of {key}"),
        section: "runtime".to_owned(),
        level: 1,
        scored: true,
        basis: Basis::Facts,
        verdict,
        reason: decisive.map_or_else(String::new, |item| item.reason.clone()),
        severity: decisive.and_then(|item| item.severity),
        letter_only: false,
        evaluated: u64::try_from(items.len()).unwrap(),
        items,
        remedy: format!("General remedy of {key}\nwith a second line"),
    }
}

fn rows() -> Vec<ReportRow> {
    use VerdictKind::{Fail, NotApplicable, Pass, Unknown};
    let many: Vec<_> = (1..=7)
        .map(|n| item(&format!("web-{n}"), Fail, "runs privileged"))
        .collect();
    let letter = vec![item("/var/lib/docker", Fail, "the rule watches one inode")];
    let attested = ReportRow {
        basis: Basis::Attested,
        scored: false,
        ..row(
            "1.2.1",
            "host-hardened",
            Unknown,
            vec![item("the host", Unknown, "no statement is given")],
        )
    };
    vec![
        ReportRow {
            letter_only: true,
            level: 2,
            ..row("1.1.5", "audit-docker-root", Fail, letter)
        },
        attested,
        row(
            "2.16",
            "userland-proxy-off",
            Pass,
            vec![item("the daemon", Pass, "userland-proxy is false")],
        ),
        row(
            "2.8",
            "userns-remap",
            Unknown,
            vec![item("the daemon", Unknown, "no engine answered")],
        ),
        row(
            "5.3",
            "runtime-selinux",
            NotApplicable,
            vec![item("web", NotApplicable, "SELinux is off")],
        ),
        row(
            "5.5",
            "runtime-not-privileged",
            Fail,
            vec![
                item(HOSTILE, Fail, &format!("{HOSTILE} runs privileged")),
                item("db", Pass, ""),
            ],
        ),
        row("5.6", "many", Fail, many),
        row("5.7", "idle", Pass, Vec::new()),
    ]
}

fn report() -> Report {
    Report {
        benchmark: "cis-1.6.0".to_owned(),
        version: "0.1.0".to_owned(),
        time: at(0),
        elapsed_ms: 12,
        host: HostRef {
            name: "node<1>".to_owned(),
            id: "0123".to_owned(),
            boot_id: "4567".to_owned(),
        },
        engine: Some(EngineRef {
            version: "28.5.2".to_owned(),
            address: "unix:///run/docker.sock".to_owned(),
            containers: 9,
            images: 3,
        }),
        excluded: vec![Excluded {
            item: "hull\nwatch".to_owned(),
            of: "container".to_owned(),
            id: "cd".repeat(32),
            why: "Hullwatch runs in it".to_owned(),
        }],
        counts: Counts {
            pass: 2,
            fail: 3,
            not_applicable: 1,
            unknown: 2,
            score: -1,
        },
        checks: rows(),
    }
}

fn rendered(format: ReportFormat, view: &ReportView) -> String {
    render(&report(), format, view).unwrap()
}

fn as_json(format: ReportFormat, view: &ReportView) -> Value {
    let text = rendered(format, view);
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(&text).unwrap()
}

const JSON: ReportView = ReportView {
    color: false,
    width: None,
    verbose: false,
    results: true,
    summary: true,
    remedies: true,
    test_output: true,
    limit: 0,
    json: true,
};
const TEXT: ReportView = ReportView { json: false, ..JSON };

#[track_caller]
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/format/report/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expect = std::fs::read_to_string(&path).unwrap_or_default();
    let same = expect == text;
    assert!(
        same,
        "{} differs; UPDATE_GOLDEN=1 rewrites it:\n{text}",
        path.display()
    );
}

#[test]
fn every_shape_is_as_recorded() {
    for (name, format, view) in [
        ("human.txt", ReportFormat::Human, ReportView::default()),
        ("human-remedies.txt", ReportFormat::Human, TEXT),
        (
            "docker-bench-security.txt",
            ReportFormat::DockerBenchSecurity,
            TEXT,
        ),
        ("docker-bench.txt", ReportFormat::DockerBench, TEXT),
        ("junit.xml", ReportFormat::Junit, TEXT),
        ("report.html", ReportFormat::Html, TEXT),
    ] {
        golden(name, &rendered(format, &view));
    }
    for (name, format) in [
        ("report.json", ReportFormat::Json),
        ("docker-bench-security.json", ReportFormat::DockerBenchSecurity),
        ("docker-bench.json", ReportFormat::DockerBench),
        ("sarif.json", ReportFormat::Sarif),
    ] {
        let value = as_json(format, &JSON);
        golden(name, &(serde_json::to_string_pretty(&value).unwrap() + "\n"));
    }
}

/// A report of a host whose engine does not answer: many reasons, two causes.
fn without_engine() -> Report {
    use VerdictKind::{NotApplicable, Unknown};
    let rows = [
        ("1.1.1", Unknown, "cannot look at the data root: no such file"),
        ("2.3", Unknown, "`debug` is not known: no dockerd runs here"),
        ("2.4", Unknown, "no dockerd runs here"),
        ("2.5", Unknown, HOSTILE),
        ("4.1", Unknown, "the images are not known: no answer"),
        ("5.4", Unknown, "the containers are not known: no answer"),
        ("5.5", Unknown, "no answer"),
        ("6.1", Unknown, HOSTILE),
        ("6.2", Unknown, HOSTILE),
        ("7.1", NotApplicable, "this node is in no swarm"),
        ("7.2", NotApplicable, "this node is in no swarm"),
        ("7.3", NotApplicable, "this node is in no swarm"),
    ];
    let row = |(number, verdict, reason): (&str, _, &str)| {
        let key = format!("key-{number}");
        row(number, &key, verdict, vec![item("the engine", verdict, reason)])
    };
    Report {
        engine: None,
        checks: rows.into_iter().map(row).collect(),
        ..report()
    }
}

#[test]
fn a_shared_reason_is_told_once() {
    let narrow = ReportView {
        width: Some(60),
        ..ReportView::default()
    };
    for (name, report, view) in [
        ("human-shared.txt", without_engine(), ReportView::default()),
        ("human-narrow.txt", without_engine(), narrow),
        (
            "human-narrow-remedies.txt",
            report(),
            ReportView {
                remedies: true,
                ..narrow
            },
        ),
    ] {
        golden(name, &render(&report, ReportFormat::Human, &view).unwrap());
    }
    let verbose = ReportView {
        verbose: true,
        ..ReportView::default()
    };
    let text = render(&without_engine(), ReportFormat::Human, &verbose).unwrap();
    for row in without_engine().checks {
        assert!(text.contains(&row.title), "{}", row.title);
    }
    assert!(!text.contains("One reason"), "{text}");
}

#[test]
fn our_json_is_what_the_schema_says() {
    let schemas = crate::format::schema::all();
    let (_, schema) = schemas.iter().find(|(name, _)| *name == "bench").unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    assert!(validator.is_valid(&as_json(ReportFormat::Json, &JSON)));
}

#[test]
fn a_hostile_name_forges_no_line_and_no_markup() {
    for format in ReportFormat::ALL {
        // JSON keeps names as they are; its own escapes keep control characters out.
        let exact = matches!(format, ReportFormat::Json | ReportFormat::Sarif);
        let hidden = |c: char| (c.is_control() && c != '\n') || (c == '\u{202e}' && !exact);
        let widths = (39..120).map(Some).chain([None]);
        for (width, verbose) in widths.flat_map(|width| [(width, false), (width, true)]) {
            let view = ReportView {
                width,
                verbose,
                ..TEXT
            };
            for report in [report(), without_engine()] {
                let text = render(&report, format, &view).unwrap();
                assert!(!text.contains(hidden), "{}", format.name());
                let forged = text.lines().filter(|line| line.starts_with("[PASS] 5.5"));
                assert_eq!(forged.count(), 0, "{}", format.name());
            }
        }
    }
    for format in [ReportFormat::Html, ReportFormat::Junit] {
        assert!(!rendered(format, &TEXT).contains("<script"), "{}", format.name());
    }
}

#[test]
fn states_of_older_tools_are_told_apart() {
    let states = |format, field: &str| -> Vec<String> {
        let value = as_json(format, &JSON);
        let groups = value["tests"].as_array().unwrap().iter();
        let rows = groups.flat_map(|group| group["results"].as_array().unwrap());
        rows.map(|row| row[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        states(ReportFormat::DockerBenchSecurity, "result"),
        ["PASS", "NOTE", "PASS", "INFO", "INFO", "WARN", "WARN", "PASS"]
    );
    assert_eq!(
        states(ReportFormat::DockerBench, "status"),
        ["PASS", "WARN", "PASS", "INFO", "INFO", "FAIL", "FAIL", "PASS"]
    );
    let value = as_json(ReportFormat::DockerBenchSecurity, &JSON);
    assert_eq!((&value["checks"], &value["score"]), (&json!(8), &json!(1)));
    let letter = value["tests"][0]["results"][0]["details"].as_str().unwrap();
    assert!(letter.starts_with("by the letter only: "), "{letter}");
    let value = as_json(ReportFormat::DockerBench, &JSON);
    let totals = ["total_pass", "total_fail", "total_warn", "total_info"].map(|name| value[name].as_u64());
    assert_eq!(totals, [3, 2, 1, 2].map(Some));
}

#[test]
fn items_are_limited_as_asked() {
    let view = ReportView { limit: 2, ..JSON };
    let value = as_json(ReportFormat::DockerBenchSecurity, &view);
    let many = &value["tests"][2]["results"][2];
    assert_eq!(many["items"], json!(["web-1", "web-2"]));
    assert_eq!(many["details"], "runs privileged (truncated)");
    assert!(rendered(ReportFormat::Human, &TEXT).contains("and 2 more; -v shows all"));
    let verbose = ReportView {
        verbose: true,
        ..TEXT
    };
    assert!(rendered(ReportFormat::Human, &verbose).contains("web-7"));
}

#[test]
fn parts_are_left_out_as_asked() {
    for format in [
        ReportFormat::Human,
        ReportFormat::DockerBench,
        ReportFormat::DockerBenchSecurity,
    ] {
        let bare = ReportView {
            results: false,
            remedies: false,
            ..TEXT
        };
        let text = rendered(format, &bare);
        assert!(
            !text.contains("Title of") && !text.contains("remedy"),
            "{}: {text}",
            format.name()
        );
        let summed = rendered(
            format,
            &ReportView {
                summary: false,
                ..TEXT
            },
        );
        assert_ne!(summed, rendered(format, &TEXT), "{}", format.name());
    }
}

#[test]
fn colours_come_by_the_flag_alone() {
    for format in ReportFormat::ALL {
        let colored = ReportView { color: true, ..TEXT };
        let has = rendered(format, &colored).contains('\x1b');
        let is_text = matches!(
            format,
            ReportFormat::Human | ReportFormat::DockerBench | ReportFormat::DockerBenchSecurity
        );
        assert_eq!(has, is_text, "{}", format.name());
    }
}

#[test]
fn junit_is_valid_xml_with_the_counts_of_its_cases() {
    use quick_xml::events::Event;
    let text = rendered(ReportFormat::Junit, &TEXT);
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut cases, mut failures, mut declared) = (0, 0, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes: Vec<_> = tag.attributes().map(Result::unwrap).collect();
                cases += u32::from(tag.name().as_ref() == "testcase");
                failures += u32::from(tag.name().as_ref() == "failure");
                if tag.name().as_ref() == "testsuite" {
                    let tests = attributes.iter().find(|one| one.key.as_ref() == "tests");
                    declared += tests.unwrap().value.parse::<u32>().unwrap();
                }
            }
            _ => {}
        }
    }
    assert_eq!((cases, failures), (14, 9));
    assert_eq!(declared, cases);
}

#[test]
fn fingerprints_tell_items_apart_and_stay() {
    let prints = || -> Vec<String> {
        let value = as_json(ReportFormat::Sarif, &JSON);
        let results = value["runs"][0]["results"].as_array().unwrap().clone();
        let print = |result: &Value| result["partialFingerprints"]["hullwatchItem/v1"].to_string();
        results.iter().map(print).collect()
    };
    let mut all = prints();
    assert_eq!(all, prints());
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), count), (11, 11));
}
