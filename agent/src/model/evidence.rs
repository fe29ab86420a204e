//! What shows a verdict or a violation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Source;

/// Names in JSON that are not a fact's.
const OWN: [&str; 2] = ["source", "kind"];

/// One piece of evidence. Further fields depend on `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Who says so.
    pub source: Source,
    /// Kind of the observation, or `config`, `process`, `session`.
    pub kind: String,
    /// The facts. Beside the fields above in JSON, hence made by [`Evidence::new`] alone.
    #[serde(flatten)]
    facts: Map<String, Value>,
}

impl Evidence {
    /// Evidence with the fields of a JSON object. A value that is none, or that has a field of a name that evidence
    /// itself uses, is kept whole under `value`.
    #[must_use]
    pub fn new(source: Source, kind: &str, facts: Value) -> Self {
        let facts = match facts {
            Value::Object(map) if !OWN.iter().any(|name| map.contains_key(*name)) => map,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        Self {
            source,
            kind: kind.to_owned(),
            facts,
        }
    }

    /// The facts, by name; none is called `source` or `kind`.
    #[must_use]
    pub const fn facts(&self) -> &Map<String, Value> {
        &self.facts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(facts: &Value, expect: &Value) {
        let evidence = Evidence::new(Source::Engine, "config", facts.clone());
        let text = serde_json::to_string(&evidence).unwrap();
        // A name that stood twice would be an error here, and only one of the two would be in the value.
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), *expect);
    }

    #[test]
    fn facts_stand_beside_the_fields_of_evidence() {
        check(
            &json!({"field": "User", "value": null}),
            &json!({"source": "engine", "kind": "config", "field": "User", "value": null}),
        );
        check(&json!({}), &json!({"source": "engine", "kind": "config"}));
        check(
            &json!(7),
            &json!({"source": "engine", "kind": "config", "value": 7}),
        );
    }

    #[test]
    fn no_fact_takes_the_place_of_a_field() {
        for facts in [
            json!({"source": "kernel"}),
            json!({"kind": "exec", "value": 1}),
            json!({"kind": null, "source": 0, "path": "/"}),
        ] {
            check(
                &facts,
                &json!({"source": "engine", "kind": "config", "value": facts}),
            );
        }
    }
}
