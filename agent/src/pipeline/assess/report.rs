//! Facts and checks become a report.

use crate::check::{Benchmark, Check, Judged, Of, worst};
use crate::model::{
    Counts, EngineRef, Excluded, Fact, Host, Report, ReportItem, ReportRow, Severity, Time, VerdictKind,
};

/// What is to be assessed.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Whose numbers the report bears.
    pub benchmark: Benchmark,
    /// Checks; those without a number in the benchmark are left out.
    pub checks: &'a [&'static Check],
    /// What was taken out of the facts before.
    pub excluded: Vec<Excluded>,
    /// When the run began; the report tells how long it took until now.
    pub began: Time,
}

/// Assesses the checks over everything known, in the order of the benchmark's numbers.
#[must_use]
pub fn report(host: &Host, plan: Plan<'_>) -> Report {
    let mut checks: Vec<_> = plan
        .checks
        .iter()
        .filter_map(|check| Some((check.number(plan.benchmark)?, *check)))
        .collect();
    checks.sort_by_key(|(number, _)| place(number));
    let checks: Vec<_> = checks
        .into_iter()
        .map(|(number, check)| row(check, number, plan.benchmark, host))
        .collect();
    let now = Time::now();
    Report {
        benchmark: plan.benchmark.name().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: host.taken.unwrap_or(now),
        elapsed_ms: u64::try_from(now.since(plan.began).as_millis()).unwrap_or(u64::MAX),
        host: host.facts.host.clone(),
        engine: engine(host),
        excluded: plan.excluded,
        counts: counts(&checks),
        checks,
    }
}

/// Where a number comes in its benchmark: 1.2.10 after 1.2.9.
fn place(number: &str) -> Vec<u32> {
    number
        .split('.')
        .map(|part| part.parse().unwrap_or(u32::MAX))
        .collect()
}

fn engine(host: &Host) -> Option<EngineRef> {
    let Fact::Known(engine) = &host.facts.engine else {
        return None;
    };
    let count = |len: Option<usize>| len.and_then(|len| u64::try_from(len).ok()).unwrap_or_default();
    Some(EngineRef {
        version: engine.version.clone(),
        address: engine.address.clone(),
        containers: count(host.containers.as_ref().map(Vec::len)),
        images: count(host.images.as_ref().map(Vec::len)),
    })
}

fn counts(rows: &[ReportRow]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        let (count, score) = match row.verdict {
            VerdictKind::Pass => (&mut counts.pass, 1),
            VerdictKind::Fail => (&mut counts.fail, -1),
            VerdictKind::NotApplicable => (&mut counts.not_applicable, 0),
            VerdictKind::Unknown => (&mut counts.unknown, 0),
        };
        *count += 1;
        counts.score += if row.scored { score } else { 0 };
    }
    counts
}

fn row(check: &'static Check, number: &str, benchmark: Benchmark, host: &Host) -> ReportRow {
    let items: Vec<_> = check
        .evaluate(host)
        .into_iter()
        .map(|judged| item(check, judged))
        .collect();
    let verdict = worst(items.iter().map(|item| item.verdict));
    let decisive = || items.iter().filter(|item| item.verdict == verdict);
    let failed = verdict == VerdictKind::Fail;
    let remedy = decisive().filter(|_| failed).find_map(|item| item.remedy.clone());
    ReportRow {
        key: check.key.to_owned(),
        number: number.to_owned(),
        title: check.title.to_owned(),
        section: check.section.to_owned(),
        level: check.level_in(benchmark),
        scored: check.scored.contains(&benchmark),
        basis: check.basis,
        verdict,
        reason: reason(verdict, &items),
        severity: decisive().filter_map(|item| item.severity).max(),
        letter_only: failed && decisive().all(|item| item.letter_only),
        evaluated: u64::try_from(items.len()).unwrap_or(u64::MAX),
        remedy: remedy.unwrap_or_else(|| check.remedy.to_owned()),
        items,
    }
}

fn item(check: &Check, judged: Judged) -> ReportItem {
    let of = judged.of.name().to_owned();
    let id = match judged.of {
        Of::Container(id) => Some(id.into()),
        Of::Image(id) => Some(id),
        Of::Host => None,
    };
    let verdict = judged.verdict;
    let failed = verdict.kind == VerdictKind::Fail;
    let severity: Option<Severity> = failed.then(|| verdict.severity.unwrap_or(check.severity));
    ReportItem {
        item: judged.subject,
        of,
        id,
        verdict: verdict.kind,
        reason: verdict.reason,
        severity,
        evidence: verdict.evidence,
        remedy: verdict.remedy.filter(|_| failed),
        letter_only: failed && verdict.letter_only,
    }
}

/// The one decisive item's reason; of several, how many they are and the first's.
fn reason(verdict: VerdictKind, items: &[ReportItem]) -> String {
    let mut decisive = items.iter().filter(|item| item.verdict == verdict);
    let count = decisive.clone().count();
    let Some(first) = decisive.next() else {
        return "there is nothing to judge: 0 evaluated".to_owned();
    };
    let said = if first.reason.is_empty() {
        &first.item
    } else {
        &first.reason
    };
    match (verdict, items.len()) {
        (_, 1) => said.clone(),
        (VerdictKind::Pass, _) if first.reason.is_empty() => format!("{count} evaluated"),
        (_, all) => format!("{count} of {all}: {said}"),
    }
}

#[cfg(test)]
mod tests;
