//! One line for a person who is tired: when, how bad, which recommendation, what, who.

use super::describe::{actor, event, place};
use super::escape::{command_line, visible, visible_json};
use crate::model::{
    ContainerRef, Event, Gap, Line, Observation, PostureChange, Process, Severity, Status, StatusState,
    VerdictKind, Violation,
};

/// Where the second and further lines of `-v` begin: under the severity.
const INDENT: &str = "              ";
const DIM: &str = "2";

/// Lines for people.
#[derive(Clone, Copy, Debug)]
pub struct Human {
    /// Whether to colour; for terminals only.
    pub color: bool,
    /// From 1 on, violations are followed by their evidence, indented.
    pub verbose: u8,
    /// What to do about a check, by its key: the catalogue is another room's.
    pub remedy: fn(&str) -> Option<&'static str>,
}

impl Human {
    /// The text of a line, with its line feed; more than one line only with `verbose`.
    #[must_use]
    pub fn line(&self, line: &Line) -> String {
        let text = match line {
            Line::Violation(violation) => self.violation(violation),
            Line::Posture(change) => self.posture(change),
            Line::Observation(observation) => self.paint(DIM, &seen(observation)),
            Line::Gap(gap) => self.paint(DIM, &lost(gap)),
            Line::Status(status) => self.paint(DIM, &state(status)),
        };
        text + "\n"
    }

    fn violation(&self, violation: &Violation) -> String {
        let severity = format!("{:<8}", violation.severity.name().to_uppercase());
        let number = violation.check.number.as_deref().unwrap_or("-");
        let mut text = format!(
            "{}  {} {:<10} {:<5} {}",
            violation.time.clock(),
            self.paint(color(violation.severity), &severity),
            violation.class.name(),
            visible(number),
            visible(&violation.summary),
        );
        if violation.count > 1 {
            text += &format!(" ×{}", violation.count);
        }
        if let Some(process) = &violation.process {
            text += &self.paint(DIM, &format!("  {}", actor(process)));
        }
        if self.verbose > 0 {
            for (name, value) in self.details(violation) {
                text += &self.paint(DIM, &format!("\n{INDENT}{name:<10} {value}"));
            }
        }
        text
    }

    /// A change of a verdict: `pass -> fail`.
    fn posture(&self, change: &PostureChange) -> String {
        let severity = change.severity.map_or("", Severity::name).to_uppercase();
        let number = change.check.number.as_deref().unwrap_or("-");
        let mut text = format!(
            "{}  {} {:<10} {:<5} {} {}",
            change.time.clock(),
            self.paint(change.severity.map_or(DIM, color), &format!("{severity:<8}")),
            "posture",
            visible(number),
            visible(&change.item),
            turned(change.before, change.verdict),
        );
        if !change.reason.is_empty() {
            text += &format!(": {}", visible(&change.reason));
        }
        if let Some(process) = &change.process {
            text += &self.paint(DIM, &format!("  {}", actor(process)));
        }
        text
    }

    /// The evidence, line by line.
    fn details(&self, violation: &Violation) -> Vec<(&'static str, String)> {
        let mut details = vec![(
            "check",
            format!(
                "{} ({} {}): {}",
                visible(&violation.check.key),
                visible(&violation.check.benchmark),
                visible(violation.check.number.as_deref().unwrap_or("without a number")),
                visible(&violation.check.title)
            ),
        )];
        details.extend(violation.process.as_ref().into_iter().flat_map(whose));
        details.extend(
            violation
                .container
                .as_ref()
                .map(|container| ("container", which(container))),
        );
        for evidence in &violation.evidence {
            let source = serde_json::to_value(evidence.source).unwrap_or_default();
            let facts = serde_json::Value::Object(evidence.facts().clone()).to_string();
            let value = format!(
                "{} {} {}",
                source.as_str().unwrap_or_default(),
                visible(&evidence.kind),
                visible_json(&facts)
            );
            details.push(("evidence", value));
        }
        if let Some(first) = violation.first {
            details.push(("first", first.to_string()));
        }
        if let Some(since) = violation.posture.since {
            let verdict = serde_json::to_value(violation.posture.verdict).unwrap_or_default();
            details.push((
                "posture",
                format!("{} since {since}", verdict.as_str().unwrap_or_default()),
            ));
        }
        details.push(("id", visible(&violation.id).into_owned()));
        details.extend((self.remedy)(&violation.check.key).map(|remedy| ("remedy", remedy.to_owned())));
        details
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

const fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low => "36",
        Severity::Info => DIM,
    }
}

fn whose(process: &Process) -> Vec<(&'static str, String)> {
    let more = if process.args_truncated { " …" } else { "" };
    let ids = format!(
        "uid {} euid {} gid {} egid {} pid {} tid {} caps {:?} no_new_privs {}{}",
        process.uid,
        process.euid,
        process.gid,
        process.egid,
        process.pid,
        process.tid,
        process.caps_effective,
        process.no_new_privs,
        process
            .login_uid
            .map_or_else(String::new, |uid| format!(" login {uid}")),
    );
    let mut details = vec![
        (
            "process",
            format!("{}: {}{more}", visible(&process.exe), command_line(&process.args)),
        ),
        ("ids", ids),
    ];
    let ancestors: Vec<_> = process
        .ancestors
        .iter()
        .map(|one| format!("{} {} {}", one.pid, visible(&one.comm), visible(&one.exe)))
        .collect();
    if !ancestors.is_empty() {
        details.push(("ancestors", ancestors.join(" ← ")));
    }
    details
}

fn which(container: &ContainerRef) -> String {
    let id = container.id.as_ref().map_or("unknown id", |id| id.as_str());
    let image = container.image.as_deref().unwrap_or("unknown image");
    let name = container.name.as_deref().unwrap_or("unknown name");
    format!(
        "{} {id} {} identity {}",
        visible(name),
        visible(image),
        serde_json::to_value(container.identity)
            .unwrap_or_default()
            .as_str()
            .unwrap_or_default()
    )
}

fn seen(observation: &Observation) -> String {
    let mut text = format!(
        "{}  {:<8} {:<16} {}",
        observation.time.clock(),
        if observation.plumbing { "plumbing" } else { "seen" },
        observation.event.kind(),
        event(observation),
    );
    let named = matches!(observation.event, Event::Container { .. });
    if let Some(container) = observation.container.as_ref().filter(|_| !named) {
        text += &format!("  {}", place(container));
    }
    if let Some(process) = &observation.process {
        text += &format!("  {}", actor(process));
    }
    text
}

/// How a verdict changed.
fn turned(before: Option<VerdictKind>, now: VerdictKind) -> String {
    let word = |kind| match kind {
        VerdictKind::Pass => "pass",
        VerdictKind::Fail => "fail",
        VerdictKind::NotApplicable => "not applicable",
        VerdictKind::Unknown => "unknown",
    };
    match before {
        Some(before) => format!("{} -> {}", word(before), word(now)),
        None => word(now).to_owned(),
    }
}

fn lost(gap: &Gap) -> String {
    let count = gap
        .lost
        .map_or_else(|| "unknown number".to_owned(), |lost| lost.to_string());
    let container = gap
        .container
        .as_ref()
        .map_or_else(String::new, |container| format!(" of {}", place(container)));
    format!(
        "{}  {:<8} {:<16} {count} lost{container} from {} to {} ({}): {}",
        gap.time.clock(),
        "GAP",
        visible(&gap.source),
        gap.from.clock(),
        gap.to.clock(),
        visible(&gap.reason),
        visible(&gap.detail),
    )
}

fn state(status: &Status) -> String {
    let state = match status.state {
        StatusState::Started => "STARTED",
        StatusState::Degraded => "DEGRADED",
        StatusState::Recovered => "RECOVERED",
        StatusState::Stopped => "STOPPED",
    };
    format!(
        "{}  {state:<9} {:<15} {}",
        status.time.clock(),
        visible(&status.component),
        visible(&status.reason),
    )
}
