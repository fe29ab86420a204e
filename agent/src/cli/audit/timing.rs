//! For those who work on Hullwatch: how long it takes to read the rules and to decide by them.

use std::time::Instant;

use serde_json::json;

use super::{Fault, report, write};
use crate::model::Host;
use crate::source::audit;

/// Reads and decides so many times; prints how long each took, in milliseconds, as one JSON object.
pub(super) fn print(mut host: Host, times: u32) -> Result<(), Fault> {
    let mut taken = Vec::new();
    let mut rules = 0;
    for _ in 0..times {
        let facts = host.facts.audit.get_mut();
        let facts = facts.ok_or_else(|| Fault::other("the audit cannot be read".to_owned()))?;
        let start = Instant::now();
        let look = audit::look().map_err(|error| Fault::host(&error))?;
        facts.status = look.status;
        facts.rules = look.rules;
        let facts = host.facts.audit.get();
        let facts = facts.ok_or_else(|| Fault::other("the audit cannot be read".to_owned()))?;
        let report = report::report(&host, facts);
        taken.push(start.elapsed().as_secs_f64() * 1e3);
        rules = report.rules;
    }
    write(&json!({ "rules": rules, "milliseconds": taken }).to_string())
}
