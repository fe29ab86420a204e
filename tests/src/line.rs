//! One line of the stream, as a stranger reads it: JSON, nothing else known.

use std::fmt;

use anyhow::{Context, Result};
use serde_json::Value;

/// A line that `hullwatch` wrote to stdout.
#[derive(Clone, Debug)]
pub struct Line {
    /// The text.
    pub text: String,
    /// What it says.
    pub value: Value,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// It is no JSON object with a `type`.
    pub fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).with_context(|| format!("no JSON: {text}"))?;
        let line = Self {
            text: text.to_owned(),
            value,
        };
        anyhow::ensure!(!line.text("/type").is_empty(), "no type: {text}");
        Ok(line)
    }

    /// The value at a JSON pointer; null where there is none.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer; empty where there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The number at a JSON pointer.
    #[must_use]
    pub fn number(&self, pointer: &str) -> Option<u64> {
        self.at(pointer).as_u64()
    }

    /// Whether there is `true` at a JSON pointer.
    #[must_use]
    pub fn is(&self, pointer: &str) -> bool {
        self.at(pointer) == &Value::Bool(true)
    }

    /// Whether this is a violation of the check with this key.
    #[must_use]
    pub fn is_violation(&self, key: &str) -> bool {
        self.text("/type") == "violation" && self.text("/check/key") == key
    }

    /// Whether this is an observation of this kind.
    #[must_use]
    pub fn is_observation(&self, kind: &str) -> bool {
        self.text("/type") == "observation" && self.text("/kind") == kind
    }

    /// Whether this is a status of this component.
    #[must_use]
    pub fn is_status(&self, state: &str, component: &str) -> bool {
        self.text("/type") == "status" && self.text("/state") == state && self.text("/component") == component
    }

    /// Whether its process or container is in the container with this id.
    #[must_use]
    pub fn is_in(&self, container: &str) -> bool {
        self.text("/container/id") == container
    }

    /// Whether the host's process with this id did it.
    #[must_use]
    pub fn is_by(&self, pid: u32) -> bool {
        self.number("/process/pid") == Some(u64::from(pid))
    }

    /// Whether any argument of its process is this.
    #[must_use]
    pub fn has_arg(&self, arg: &str) -> bool {
        self.at("/process/args")
            .as_array()
            .is_some_and(|args| args.iter().any(|given| given == arg))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
