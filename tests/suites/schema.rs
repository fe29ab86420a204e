//! The published JSON Schemas, and lines held against them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::Line;
use jsonschema::Validator;
use serde_json::Value;

/// Validators by name: the file's name up to its first dot.
#[derive(Debug)]
pub(crate) struct Schemas(HashMap<String, Validator>);

impl Schemas {
    /// Everything in `docs/schema`; none where nothing is published.
    pub(crate) fn published() -> Result<Option<Self>> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema");
        let Ok(entries) = fs::read_dir(&directory) else {
            return Ok(None);
        };
        let mut schemas = HashMap::new();
        for entry in entries {
            let path = entry?.path();
            let file = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let Some((name, "schema.json" | "json")) = file.split_once('.') else {
                continue;
            };
            let schema: Value = serde_json::from_slice(&fs::read(&path)?).with_context(|| file.clone())?;
            schemas.insert(
                name.to_owned(),
                jsonschema::validator_for(&schema).with_context(|| file.clone())?,
            );
        }
        Ok((!schemas.is_empty()).then_some(Self(schemas)))
    }

    /// Holds a line of the stream against the schema of its type, or of every line.
    pub(crate) fn check(&self, line: &Line) -> Result<()> {
        let kind = line.text("/type");
        let name = [kind, "line", "stream"]
            .into_iter()
            .find(|name| self.0.contains_key(*name));
        let name = name.with_context(|| format!("no schema for lines of type {kind}"))?;
        self.check_value(name, &line.value)
    }

    /// Holds a value against the schema with this name.
    pub(crate) fn check_value(&self, name: &str, value: &Value) -> Result<()> {
        let validator = self.0.get(name).with_context(|| format!("no schema `{name}`"))?;
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        ensure!(
            errors.is_empty(),
            "against schema {name}: {}\n{value}",
            errors.join("; ")
        );
        Ok(())
    }
}
