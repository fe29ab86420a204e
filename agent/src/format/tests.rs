//! Lines of every type: to people against snapshots, to machines against the schemas.

use serde_json::{Value, json};

use super::{Format, Human, json, schema};
use crate::correlate::{Correlator, Settings};
use crate::model::testing::{at, entry, exec, host, id, privileged, session, told};
use crate::model::{
    ContainerAction, Event, Evidence, Gap, Line, Mount, MountEffect, MountRequest, Observation, Source,
    Status, StatusState, Violation,
};

/// A violation as the correlator makes it.
fn violation() -> Violation {
    let mut correlator = Correlator::new(Settings::default(), crate::check::ALL);
    correlator.on(&host(0));
    correlator.on(&told(1, ContainerAction::Listed, privileged("web")));
    let mut seen = exec(2, "web", 4300, &["/bin/sh", "-c", "id; ls"]);
    seen.process.as_mut().unwrap().euid = 1000;
    correlator.on(&seen).remove(0)
}

fn gap() -> Gap {
    Gap {
        time: at(5000),
        source: "exec".into(),
        reason: "ring-full".into(),
        lost: Some(120),
        from: at(4000),
        to: at(5000),
        container: None,
        detail: "programs started meanwhile are unknown".into(),
    }
}

fn status() -> Status {
    Status {
        time: at(0),
        state: StatusState::Degraded,
        component: "engine".into(),
        reason: "no answer within 5 s".into(),
    }
}

fn mount(errno: u32) -> Observation {
    let requested = MountRequest {
        source: "/dev/sda1".into(),
        target: "/mnt".into(),
        fstype: "ext4".into(),
        flags: 0,
    };
    Observation {
        event: Event::Mount(Mount {
            call: "mount".into(),
            errno,
            requested,
            effect: MountEffect::None,
        }),
        ..exec(7, "web", 4301, &["/bin/mount"])
    }
}

fn lines() -> Vec<Line> {
    let folded = Violation {
        count: 12,
        first: Some(at(3)),
        ..violation()
    };
    let mut lines = vec![
        Line::Violation(Box::new(violation())),
        Line::Violation(Box::new(folded)),
        Line::Gap(gap()),
        Line::Status(status()),
    ];
    let observations = [
        host(0),
        told(1, ContainerAction::Started, privileged("web")),
        session(2, "web", &["id"]),
        entry(3, "web", 4300, &["/bin/sh", "-c", "id; ls"]),
        mount(0),
        mount(1),
    ];
    lines.extend(observations.map(|observation| Line::Observation(Box::new(observation))));
    lines
}

fn human(verbose: u8) -> Human {
    Human {
        color: false,
        verbose,
        remedy: |key| (key == "runtime-not-privileged").then_some("Start it without --privileged"),
    }
}

/// The text without the times of day, which depend on where the test runs.
fn timeless(text: &str) -> String {
    text.lines()
        .map(|line| {
            let (clock, rest) = line.split_at_checked(12).unwrap_or(("", line));
            let is_clock = clock
                .char_indices()
                .all(|(place, c)| matches!((place, c), (2 | 5, ':') | (8, '.')) || c.is_ascii_digit());
            let line = if is_clock {
                format!("HH:MM:SS.mmm{rest}")
            } else {
                line.to_owned()
            };
            line.replace(&at(4000).clock(), "FROM")
                .replace(&at(5000).clock(), "TO")
                + "\n"
        })
        .collect()
}

#[test]
fn every_line_is_one_line_and_aligned() {
    let text: String = lines().iter().map(|line| human(0).line(line)).collect();
    assert_eq!(text.lines().count(), lines().len());
    insta::assert_snapshot!("lines", timeless(&text));
}

#[test]
fn verbose_lines_are_followed_by_their_evidence() {
    let text = human(1).line(&Line::Violation(Box::new(violation())));
    insta::assert_snapshot!("verbose", timeless(&text));
}

#[test]
fn colours_come_by_the_flag_alone() {
    for line in lines() {
        assert!(!human(1).line(&line).contains('\x1b'));
        let colored = Human {
            color: true,
            ..human(1)
        };
        assert!(colored.line(&line).contains("\x1b["));
    }
}

#[test]
fn hostile_names_reach_no_terminal() {
    let hostile = "x\x1b]0;owned\x07\n00:00:00.000  CRITICAL \u{202e}\u{9b}2J";
    let mut observed = exec(2, "web", 4300, &[hostile, hostile]);
    let process = observed.process.as_mut().unwrap();
    process.ancestors[0].comm = hostile.into();
    process.ancestors[0].exe = hostile.into();
    observed.container.as_mut().unwrap().name = Some(hostile.into());
    let mut shown = Violation {
        summary: format!("{hostile} ran"),
        process: observed.process.clone(),
        container: observed.container.clone(),
        ..violation()
    };
    shown.evidence = vec![Evidence::new(
        Source::Kernel,
        hostile,
        json!({ hostile: hostile }),
    )];
    let gap = Gap {
        detail: hostile.into(),
        container: observed.container.clone(),
        ..gap()
    };
    let status = Status {
        reason: hostile.into(),
        component: hostile.into(),
        ..status()
    };
    for line in [
        Line::Violation(Box::new(shown)),
        Line::Observation(Box::new(observed)),
        Line::Gap(gap),
        Line::Status(status),
    ] {
        assert_eq!(human(0).line(&line).lines().count(), 1);
        let text = human(1).line(&line);
        let hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}');
        assert!(!text.contains(hidden), "{text:?}");
        let forged = text.lines().filter(|line| line.starts_with("00:00:00"));
        assert_eq!(forged.count(), 0, "{text}");
    }
}

#[test]
fn only_formats_of_this_version_are_taken() {
    assert_eq!("native".parse(), Ok(Format::Native));
    let error = "ocsf".parse::<Format>().unwrap_err().to_string();
    assert_eq!(
        error,
        "format `ocsf` is not available in this version; available: native"
    );
}

#[test]
fn the_schemas_are_those_checked_in() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema");
    for (name, schema) in schema::all() {
        let path = folder.join(format!("{name}.schema.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        let same = golden == text;
        assert!(
            same,
            "{} is not what the model says; UPDATE_GOLDEN=1 rewrites it",
            path.display()
        );
    }
}

#[test]
fn every_line_is_valid_by_the_schema_of_its_type_alone() {
    let schemas: Vec<_> = schema::all()
        .into_iter()
        .map(|(name, schema)| (name, jsonschema::validator_for(&schema).unwrap()))
        .collect();
    for line in lines() {
        let bytes = json(&line);
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert!(bytes.ends_with(b"\n"));
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        for (name, schema) in &schemas {
            let errors: Vec<_> = schema
                .iter_errors(&value)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(value["type"] == **name, errors.is_empty(), "{name}: {errors:?}");
        }
    }
}

#[test]
fn a_schema_refuses_what_it_does_not_know() {
    let schema = schema::all().remove(0).1;
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = serde_json::to_value(Line::Violation(Box::new(violation()))).unwrap();
    assert!(validator.is_valid(&good));
    assert_eq!(good["container"]["id"], id("web").as_str());
    for (pointer, bad) in [
        ("/class", json!("sometimes")),
        ("/time", json!(0)),
        ("/process/caps_effective", json!("all")),
    ] {
        let mut value = good.clone();
        *value.pointer_mut(pointer).unwrap() = bad;
        assert!(!validator.is_valid(&value), "{pointer}");
    }
}
