//! The report, from facts.

use crate::check::audit_trail::{
    ASKED, Asked, AtBoot, Found, Required, decide, keeper, persistence, required,
};
use crate::check::{Benchmark, find};
use crate::model::{AuditFacts, AuditPathRow, AuditPersistence, AuditReport, AuditState, Host, Time};
use crate::source::audit::render;

/// Decides every object of the host.
pub(super) fn report(host: &Host, facts: &AuditFacts) -> AuditReport {
    let at_boot = AtBoot::of(facts);
    AuditReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: host.taken.unwrap_or_else(Time::now),
        host: host.facts.host.clone(),
        status: state(facts),
        rules: u64::try_from(facts.rules.len()).unwrap_or(u64::MAX),
        paths: ASKED
            .iter()
            .flat_map(|asked| rows(asked, host, facts, at_boot.as_ref()))
            .collect(),
    }
}

fn rows(asked: &Asked, host: &Host, facts: &AuditFacts, at_boot: Option<&AtBoot>) -> Vec<AuditPathRow> {
    let blank = |path: Option<&str>, reason: String| blank(asked, path, reason);
    match required(asked, &host.facts) {
        Err(verdict) => vec![blank(None, verdict.reason)],
        Ok(found) if found.is_empty() => vec![blank(None, format!("this host has no {}", asked.what))],
        Ok(found) => found
            .iter()
            .map(|found| match found {
                Found::Unseen { path, why } => blank(Some(path), (*why).to_owned()),
                Found::Here(required) => row(asked, required, facts, at_boot),
            })
            .collect(),
    }
}

fn blank(asked: &Asked, path: Option<&str>, reason: String) -> AuditPathRow {
    let benchmark = Benchmark::default();
    let number = find(asked.key, benchmark).and_then(|check| check.number(benchmark));
    AuditPathRow {
        key: asked.key.to_owned(),
        number: number.unwrap_or_default().to_owned(),
        required: true,
        path: path.map(str::to_owned),
        decision: None,
        reason,
        rule: None,
        missing: String::new(),
        persistent: None,
        persistence: AuditPersistence::Unknown,
        notes: Vec::new(),
        proof: None,
    }
}

fn row(asked: &Asked, required: &Required<'_>, facts: &AuditFacts, at_boot: Option<&AtBoot>) -> AuditPathRow {
    let decision = decide(required, facts);
    let persistence = persistence(required, at_boot, &decision);
    let rule = decision.rule.and_then(|index| facts.rules.get(index));
    AuditPathRow {
        required: !required.older,
        decision: Some(decision.kind),
        rule: rule.map(render),
        missing: decision.missing_letters(),
        persistent: match persistence {
            AuditPersistence::Unknown => None,
            AuditPersistence::LoadedAndPersistent | AuditPersistence::FileOnly => Some(true),
            AuditPersistence::LoadedOnly | AuditPersistence::Neither => Some(false),
        },
        persistence,
        notes: decision.notes,
        ..blank(asked, Some(required.path), decision.reason)
    }
}

/// The state, and what is to be said of it.
fn state(facts: &AuditFacts) -> AuditState {
    let kernel = &facts.status;
    let mut notes = Vec::new();
    let mut note = |text: &str| notes.push(text.to_owned());
    match kernel.enabled {
        0 => note("auditing is disabled: no rule has anything recorded"),
        2 => note("the rules are locked: they can be changed only by a restart of the host"),
        _ => {}
    }
    if let Some(words) = keeper(facts).words() {
        note(words);
    }
    if kernel.lost > 0 {
        note("records were lost since the host was started");
    }
    if kernel.rate_limit > 0 {
        note("records beyond the rate limit are dropped");
    }
    if kernel.failure == 0 {
        note("a failure to record is silent");
    }
    AuditState {
        kernel: kernel.clone(),
        immutable: kernel.enabled == 2,
        notes,
    }
}
