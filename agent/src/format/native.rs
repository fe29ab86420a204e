//! The native format: the model's own JSON.

use serde_json::json;

use crate::model::{Line, Time};

/// One line, with its line feed.
#[must_use]
pub fn json(line: &Line) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).unwrap_or_else(|error| unwritable(line, &error));
    bytes.push(b'\n');
    bytes
}

/// No value of the model fails to become JSON today. Should one ever, it is told, not dropped.
fn unwritable(line: &Line, error: &serde_json::Error) -> Vec<u8> {
    let (what, time): (_, Time) = match line {
        Line::Violation(violation) => ("violation", violation.time),
        Line::Posture(change) => ("posture", change.time),
        Line::Observation(observation) => ("observation", observation.time),
        Line::Gap(gap) => ("gap", gap.time),
        Line::Status(status) => ("status", status.time),
    };
    let reason = format!("a {what} could not be written as JSON: {error}");
    json!({"type": "status", "time": time, "state": "degraded", "component": "format", "reason": reason})
        .to_string()
        .into_bytes()
}
