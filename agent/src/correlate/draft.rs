//! From a check's finding to a violation, not yet folded.

use serde_json::Value;

use super::fold::{FoldKey, Scope};
use super::world::World;
use crate::check::{Benchmark, Check, Finding};
use crate::model::{
    AuditTrail, CheckRef, Container, ContainerRef, Event, Evidence, Identity, Observation, Severity,
    Violation,
};

/// Keys of the checks that nearly every container fails unless somebody took care. Such a failure belongs to
/// the image, as a little one does, and is not repeated for each of its containers.
pub(super) const COMMONPLACE: [&str; 2] = ["image-non-root-user", "runtime-no-new-privileges"];

/// A finding about an observation, before it is known whether it is the first of its kind.
pub(super) fn live(
    world: &World,
    benchmark: Benchmark,
    check: &'static Check,
    finding: Finding,
    observation: &Observation,
) -> (FoldKey, Violation) {
    let key = FoldKey {
        check: check.key,
        class: finding.class,
        severity: finding.severity.unwrap_or(check.severity),
        scope: scope(observation),
        subject: finding.subject.clone(),
    };
    let mut violation = violation(world, benchmark, check, finding, observation);
    violation.evidence.splice(..0, seen(observation));
    (key, violation)
}

/// A failure that a container started with.
pub(super) fn start(
    world: &World,
    benchmark: Benchmark,
    check: &'static Check,
    finding: Finding,
    (observation, facts): (&Observation, &Container),
) -> (FoldKey, Violation) {
    let severity = finding.severity.unwrap_or(check.severity);
    let key = FoldKey {
        check: check.key,
        class: finding.class,
        severity,
        scope: if severity <= Severity::Low || COMMONPLACE.contains(&check.key) {
            Scope::Image(facts.image.clone())
        } else {
            Scope::Container(facts.id.clone())
        },
        subject: finding.subject.clone(),
    };
    let mut violation = violation(world, benchmark, check, finding, observation);
    violation.process = world.first_program(Some(&facts.id)).cloned();
    violation.container.get_or_insert_with(|| reference(facts));
    (key, violation)
}

/// The subject of a failure whose item was mended before, which makes it none of the failures before that.
pub(super) fn again(subject: String, round: u64) -> String {
    match round {
        0 => subject,
        round => format!("{subject} #{round}"),
    }
}

/// How lines name a check.
pub(super) fn reference_of(check: &Check, benchmark: Benchmark) -> CheckRef {
    CheckRef {
        key: check.key.to_owned(),
        benchmark: benchmark.name().to_owned(),
        number: check.number(benchmark).map(str::to_owned),
        title: check.title.to_owned(),
    }
}

fn violation(
    world: &World,
    benchmark: Benchmark,
    check: &'static Check,
    finding: Finding,
    observation: &Observation,
) -> Violation {
    let container = observation
        .container
        .as_ref()
        .and_then(|container| container.id.as_ref());
    let image = world
        .container(container)
        .and_then(|facts| facts.image_id.as_ref());
    Violation {
        // Given when it is reported: the time and the count are part of it.
        id: String::new(),
        time: observation.time,
        class: finding.class,
        severity: finding.severity.unwrap_or(check.severity),
        check: reference_of(check, benchmark),
        summary: finding.summary,
        process: observation.process.clone(),
        container: observation.container.clone(),
        evidence: finding.evidence,
        // Only a change of a watched object is expected in the trail: see `turn`.
        audit: AuditTrail {
            expected: false,
            confirmed: None,
            key: None,
            serial: None,
        },
        posture: world.posture.of(check, container, image),
        host: world.host.facts.host.clone(),
        count: 1,
        first: None,
    }
}

/// Where repetitions of what is found in an observation are looked for.
fn scope(observation: &Observation) -> Scope {
    match (&observation.container, &observation.process) {
        (None, _) => Scope::Host,
        (Some(ContainerRef { id: Some(id), .. }), _) => Scope::Container(id.clone()),
        (Some(_), process) => {
            Scope::Unidentified(process.as_ref().map(|process| process.cgroup).unwrap_or_default())
        }
    }
}

/// The observation as evidence; facts that a source tells at length are not repeated in every violation.
fn seen(observation: &Observation) -> Option<Evidence> {
    let event = match &observation.event {
        Event::Exec(_)
        | Event::Connect(_)
        | Event::Mount(_)
        | Event::Namespace(_)
        | Event::Cgroup(_)
        | Event::ExecSession(_)
        | Event::File(_)
        | Event::AuditChange(_)
        | Event::AuditRecord(_) => serde_json::to_value(&observation.event).ok()?,
        Event::Container { .. }
        | Event::Image(_)
        | Event::ImageRemoved { .. }
        | Event::ImageFiles { .. }
        | Event::Host(_)
        | Event::Policy(_) => return None,
    };
    let Value::Object(mut facts) = event else {
        return None;
    };
    facts.remove("kind");
    Some(Evidence::new(
        observation.source,
        observation.event.kind(),
        facts.into(),
    ))
}

fn reference(facts: &Container) -> ContainerRef {
    ContainerRef {
        id: Some(facts.id.clone()),
        name: Some(facts.name.clone()),
        image: Some(facts.image.clone()),
        privileged: facts.privileged,
        engine: facts.engine,
        identity: Identity::Confirmed,
    }
}
