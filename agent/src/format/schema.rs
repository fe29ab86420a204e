//! JSON Schemas of the lines, made from the model itself and checked in under `docs/schema`.

use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};

use crate::model::{AuditReport, DoctorReport, Gap, Observation, PostureChange, Report, Status, Violation};

/// The schema of every line type, by the value of its field `type`, and of the reports by their command.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("violation", of::<Violation>("violation")),
        ("posture", of::<PostureChange>("posture")),
        ("observation", of::<Observation>("observation")),
        ("gap", of::<Gap>("gap")),
        ("status", of::<Status>("status")),
        ("bench", schema_for!(Report).to_value()),
        ("audit", schema_for!(AuditReport).to_value()),
        ("doctor", schema_for!(DoctorReport).to_value()),
    ]
}

/// The schema of one type, with the field `type` that a line has beside its own.
fn of<T: JsonSchema>(name: &str) -> Value {
    let mut schema = schema_for!(T).to_value();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            "type".to_owned(),
            json!({"type": "string", "const": name, "description": "Type of the line."}),
        );
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.insert(0, "type".into());
    }
    schema
}
