//! SARIF 2.1.0: a rule for each check, a result for each item that fails or could not be judged.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::visible;
use crate::model::{Report, ReportItem, ReportRow, Severity, VerdictKind};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The log.
pub(super) fn json(report: &Report) -> serde_json::Result<String> {
    let rules: Vec<_> = report.checks.iter().map(|row| rule(report, row)).collect();
    let results: Vec<_> = report
        .checks
        .iter()
        .enumerate()
        .flat_map(|(index, row)| row.items.iter().filter_map(move |item| result(index, row, item)))
        .collect();
    serde_json::to_string(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Hullwatch",
                "version": report.version,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "automationDetails": { "id": format!("hullwatch/{}/{}", report.benchmark, report.host.name) },
            "invocations": [{ "executionSuccessful": true, "endTimeUtc": report.time }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(report: &Report, row: &ReportRow) -> Value {
    json!({
        "id": row.key,
        "name": row.key,
        "shortDescription": { "text": row.title },
        "help": { "text": row.remedy },
        "defaultConfiguration": { "level": level(row.severity) },
        "properties": {
            "benchmark": report.benchmark,
            "number": row.number,
            "level": row.level,
            "scored": row.scored,
            "tags": ["security", row.section],
        },
    })
}

fn result(index: usize, row: &ReportRow, item: &ReportItem) -> Option<Value> {
    let (kind, level) = match item.verdict {
        VerdictKind::Fail => ("fail", level(item.severity)),
        VerdictKind::Unknown => ("open", "none"),
        VerdictKind::Pass | VerdictKind::NotApplicable => return None,
    };
    let name = visible(&item.item);
    Some(json!({
        "ruleId": row.key,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": { "text": format!("{} {}: {name}: {}", row.number, row.title, visible(&item.reason)) },
        "locations": [location(item, &name)],
        "partialFingerprints": { "hullwatchItem/v1": fingerprint(row, item) },
        "properties": { "severity": item.severity, "id": item.id, "letterOnly": item.letter_only,
            "remedy": item.remedy.as_ref().unwrap_or(&row.remedy) },
    }))
}

/// A file of the host is an artifact; anything else has a name.
fn location(item: &ReportItem, name: &str) -> Value {
    let logical = json!([{
        "name": name,
        "fullyQualifiedName": format!("{}/{name}", item.of),
        "kind": "resource",
    }]);
    if item.of == "host" && item.item.starts_with('/') {
        json!({
            "logicalLocations": logical,
            "physicalLocation": { "artifactLocation": { "uri": file_uri(&item.item) } },
        })
    } else {
        json!({ "logicalLocations": logical })
    }
}

/// RFC 8089, RFC 3986.
fn file_uri(path: &str) -> String {
    let mut uri = String::from("file://");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri += &format!("%{other:02X}"),
        }
    }
    uri
}

/// The same from run to run for the same check and item: a name outlives an id.
fn fingerprint(row: &ReportRow, item: &ReportItem) -> String {
    let what = format!("{}\0{}\0{}", row.key, item.of, item.item);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, what.as_bytes()).to_string()
}

const fn level(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical | Severity::High) => "error",
        Some(Severity::Medium) => "warning",
        _ => "note",
    }
}
