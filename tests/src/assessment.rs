//! What `hullwatch bench --json` says, as a stranger reads it.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A report.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What was printed.
    pub value: Value,
}

/// What is expected of one item of one check.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Key of the check.
    pub key: &'static str,
    /// The item.
    pub item: &'static str,
    /// Its verdict.
    pub verdict: &'static str,
    /// Words of its reason.
    pub reason: &'static str,
}

/// The verdict of an item, and words of its reason.
#[must_use]
pub const fn item(
    key: &'static str,
    item: &'static str,
    verdict: &'static str,
    reason: &'static str,
) -> Expected {
    Expected {
        key,
        item,
        verdict,
        reason,
    }
}

impl Assessment {
    /// Has a command print a report, which must succeed.
    ///
    /// # Errors
    /// It does not, or prints no report.
    pub fn by(command: &mut Command) -> Result<Self> {
        let output = command.output().context("start hullwatch bench")?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "hullwatch bench: {}: {stderr}",
            output.status
        );
        let value = serde_json::from_slice(&output.stdout).context("no JSON")?;
        Ok(Self { value })
    }

    /// A check.
    ///
    /// # Errors
    /// There is none with this key.
    pub fn check(&self, key: &str) -> Result<&Value> {
        let checks = self.list("/checks");
        let found = checks.iter().find(|check| text(check, "key") == key);
        found.with_context(|| format!("the report has no {key}"))
    }

    /// An item of a check; `*` is the only one.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn item(&self, key: &str, name: &str) -> Result<&Value> {
        let check = self.check(key)?;
        let items = check.get("items").and_then(Value::as_array);
        let mut items = items.into_iter().flatten();
        let found = items.find(|item| text(item, "item") == name);
        found.with_context(|| format!("{key} has no item {name}: {check}"))
    }

    /// Holds the report against all that is expected, and tells every difference at once.
    ///
    /// # Errors
    /// An item is not as expected; or its check has a better verdict; or a failure has no evidence or no remedy.
    pub fn expect(&self, all: &[Expected]) -> Result<()> {
        let mut wrong = String::new();
        for expected in all {
            if let Err(error) = self.expect_one(expected) {
                writeln!(wrong, "{error:#}")?;
            }
        }
        ensure!(wrong.is_empty(), "{wrong}");
        Ok(())
    }

    fn expect_one(&self, expected: &Expected) -> Result<()> {
        let Expected {
            key,
            item,
            verdict,
            reason,
        } = *expected;
        let (check, found) = (self.check(key)?, self.item(key, item)?);
        ensure!(
            text(found, "verdict") == verdict && text(found, "reason").contains(reason),
            "{key}, {item}: expected {verdict} ({reason}), found {} ({})",
            text(found, "verdict"),
            text(found, "reason")
        );
        let rank = |verdict: &str| {
            ["not-applicable", "pass", "unknown", "fail"]
                .iter()
                .position(|one| *one == verdict)
        };
        ensure!(
            rank(text(check, "verdict")) >= rank(verdict),
            "{key} is {} although {item} is {verdict}",
            text(check, "verdict")
        );
        if verdict == "fail" {
            let evidence = found.get("evidence").and_then(Value::as_array);
            ensure!(
                evidence.is_some_and(|all| !all.is_empty()),
                "{key}, {item}: no evidence: {found}"
            );
            ensure!(!text(check, "remedy").is_empty(), "{key}: no remedy");
        }
        Ok(())
    }

    /// The list at a JSON pointer; empty where there is none.
    #[must_use]
    pub fn list(&self, pointer: &str) -> &[Value] {
        let list = self.value.pointer(pointer).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    }
}

/// The text under a name; empty where there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
