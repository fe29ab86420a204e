//! A recording comes out of a replay as it went in.

use super::*;
use crate::correlate::testing::checks;
use crate::model::testing::{at, entry, exec, host, privileged, session, told as container_told};
use crate::model::{ContainerAction, Gap, Observation};
use proptest::prelude::*;

fn command(observations: bool, json: bool) -> ReplayCommand {
    ReplayCommand {
        file: "recorded.json".into(),
        json,
        observations,
        verbose: 0,
        benchmark: Benchmark::default(),
    }
}

/// What `watch` does with observations, its clock and its end.
struct Live {
    correlator: Correlator,
    lines: Vec<Line>,
}

impl Live {
    fn new(checks: &'static [&'static check::Check]) -> Self {
        Self {
            correlator: Correlator::new(Settings::default(), checks),
            lines: Vec::new(),
        }
    }

    fn see(&mut self, observation: Observation) {
        let violations = self.correlator.on(&observation);
        self.lines.push(Line::Observation(Box::new(observation)));
        self.lines.extend(told(violations));
    }

    fn tick(&mut self, now: Time) {
        let violations = self.correlator.advance(now);
        self.lines.extend(told(violations));
    }

    /// Ends the stream; `says_so` with the status of it, as a stream that is not torn off does.
    fn end(mut self, now: Time, says_so: bool) -> Vec<Line> {
        let violations = self.correlator.finish(now);
        self.lines.extend(told(violations));
        if says_so {
            self.lines.push(Line::Status(status(now, StatusState::Stopped)));
        }
        self.lines
    }
}

fn status(time: Time, state: StatusState) -> Status {
    Status {
        time,
        state,
        component: "hullwatch".into(),
        reason: String::new(),
    }
}

fn gap(time: Time) -> Line {
    Line::Gap(Gap {
        time,
        source: "exec".into(),
        reason: "ring-full".into(),
        lost: Some(3),
        from: at(0),
        to: time,
        container: None,
        detail: String::new(),
    })
}

fn text(lines: &[Line]) -> String {
    lines
        .iter()
        .map(|line| String::from_utf8(json(line)).unwrap())
        .collect()
}

fn replayed(lines: &[Line]) -> Vec<Line> {
    let mut player = Player {
        correlator: Correlator::new(Settings::default(), checks()),
        observations: true,
        last: None,
    };
    let mut out = Vec::new();
    for line in Recording::new(text(lines).as_bytes()) {
        out.extend(player.play(line.unwrap()));
    }
    out.extend(player.end());
    out
}

/// A small stream with every line type and a folded report that the clock brought.
fn recording() -> Vec<Line> {
    let mut live = Live::new(check::ALL);
    live.lines.push(Line::Status(status(at(0), StatusState::Started)));
    live.see(host(0));
    live.see(container_told(1, ContainerAction::Listed, privileged("web")));
    for second in 1..5 {
        live.see(exec(second * 1000, "web", 60, &["/bin/id"]));
    }
    live.lines.push(gap(at(5000)));
    live.tick(at(11_500));
    live.see(exec(10_900, "web", 61, &["/bin/id"]));
    live.end(at(20_000), true)
}

#[track_caller]
fn run(command: &ReplayCommand, input: &str) -> (String, Result<(), ReplayCommandError>) {
    let mut out = Vec::new();
    let result = command.replay(input.as_bytes(), &mut out, false);
    (String::from_utf8(out).unwrap(), result)
}

#[test]
fn what_was_recorded_comes_out_again() {
    let recorded = text(&recording());
    assert_eq!(
        recorded.matches("\"type\":\"violation\"").count(),
        3,
        "{recorded}"
    );
    let (out, result) = run(&command(true, true), &recorded);
    assert!(result.is_ok());
    assert_eq!(out, recorded);
}

#[test]
fn observations_are_written_on_demand() {
    let recorded = recording();
    let (out, result) = run(&command(false, true), &text(&recorded));
    assert!(result.is_ok());
    let others = recorded
        .into_iter()
        .filter(|line| !matches!(line, Line::Observation(_)));
    assert_eq!(out, text(&others.collect::<Vec<_>>()));
}

#[test]
fn violations_are_found_anew_and_not_believed() {
    let recorded = recording();
    let mut doctored = recorded.clone();
    for line in &mut doctored {
        if let Line::Violation(violation) = line {
            violation.summary = "all is well".into();
            violation.count = 7;
        }
    }
    assert_eq!(replayed(&doctored), replayed(&recorded));
    let torn: Vec<_> = recorded
        .iter()
        .filter(|line| !matches!(line, Line::Violation(_)))
        .cloned()
        .collect();
    let count = |line: &Line| match line {
        Line::Violation(violation) => violation.count,
        _ => 0,
    };
    let sum: u64 = replayed(&torn).iter().map(count).sum();
    assert_eq!(
        sum, 5,
        "every exec is in a count, with or without the recorded lines"
    );
}

#[test]
fn people_get_one_line_each() {
    let (out, result) = run(&command(false, false), &text(&recording()));
    assert!(result.is_ok());
    assert_eq!(out.lines().count(), 6, "{out}");
    assert_eq!(out.matches("/bin/id ran in privileged container web").count(), 3);
}

#[test]
fn a_line_that_is_none_is_named_after_all_before_it_was_written() {
    let recorded = text(&recording());
    let (out, result) = run(
        &command(true, true),
        &format!("{recorded}{{\"type\":\"violation\"}}\n"),
    );
    let error = result.unwrap_err();
    let line = recorded.lines().count() + 1;
    assert_eq!(error.to_string(), format!("recorded.json:{line}"));
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "not a line of a recorded stream");
    assert!(std::error::Error::source(source).is_some());
    assert_eq!(out, recorded);
}

#[test]
fn a_missing_file_is_named() {
    let command = ReplayCommand {
        file: "/nonexistent/recorded.json".into(),
        ..command(true, true)
    };
    let error = command.open().err().unwrap();
    assert_eq!(error.to_string(), "cannot open /nonexistent/recorded.json");
}

#[derive(Clone, Debug)]
enum Step {
    Exec(u8, u8),
    Entry(u8, u8),
    Session(u8, u8),
    Start(u8),
    Tick,
    Gap,
    /// An observation from a clock gone wrong, by so many minutes.
    Jump(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let pair = (0_u8..2, 0_u8..3);
    prop_oneof![
        3 => pair.clone().prop_map(|(container, program)| Step::Exec(container, program)),
        3 => pair.clone().prop_map(|(container, program)| Step::Entry(container, program)),
        3 => pair.prop_map(|(container, program)| Step::Session(container, program)),
        1 => (0_u8..2).prop_map(Step::Start),
        4 => Just(Step::Tick),
        1 => Just(Step::Gap),
        1 => (0_u64..100).prop_map(Step::Jump),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Observations arrive late and out of order, sessions find their programs or do not, and the clock
    /// moves whenever it likes.
    #[test]
    fn every_recording_comes_out_again(
        steps in prop::collection::vec((step(), 0_u64..4000, 0_u64..8000), 1..80),
        says_so in any::<bool>(),
    ) {
        let mut live = Live::new(checks());
        live.see(host(0));
        let mut now = 10_000;
        for (number, (step, passed, late)) in (100_u32..).zip(steps) {
            now += passed;
            let seen = now - late;
            let name = |container: u8| if container == 0 { "web" } else { "db" };
            let program = |program: u8| [["id"], ["sh"], ["ls"]][usize::from(program)];
            match step {
                Step::Exec(c, p) => live.see(exec(seen, name(c), number, &program(p))),
                Step::Entry(c, p) => live.see(entry(seen, name(c), number, &program(p))),
                Step::Session(c, p) => {
                    let mut told = session(seen, name(c), &program(p));
                    if let crate::model::Event::ExecSession(session) = &mut told.event {
                        session.id = number.to_string();
                    }
                    live.see(told);
                }
                Step::Start(c) => live.see(container_told(seen, ContainerAction::Started, privileged(name(c)))),
                Step::Tick => live.tick(at(now)),
                Step::Jump(minutes) => live.see(host(now + minutes * 60_000)),
                Step::Gap => live.lines.push(gap(at(now))),
            }
        }
        let recorded = live.end(at(now), says_so);
        prop_assert_eq!(text(&replayed(&recorded)), text(&recorded));
    }
}
