//! What `hullwatch bench --json` says, as a stranger reads it.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Verdicts, the worst last.
const RANKS: [&str; 4] = ["not-applicable", "pass", "unknown", "fail"];

/// A report.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What was printed.
    pub value: Value,
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
        Self::read(&output.stdout)
    }

    /// Reads what was printed.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn read(printed: &[u8]) -> Result<Self> {
        let value = serde_json::from_slice(printed).context("no JSON")?;
        Ok(Self { value })
    }

    /// The checks, in the report's order.
    #[must_use]
    pub fn checks(&self) -> &[Value] {
        self.list("/checks")
    }

    /// Their keys.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.checks().iter().map(|check| text(check, "key")).collect()
    }

    /// A check.
    ///
    /// # Errors
    /// There is none with this key.
    pub fn check(&self, key: &str) -> Result<&Value> {
        let found = self.checks().iter().find(|check| text(check, "key") == key);
        found.with_context(|| format!("the report has no {key}"))
    }

    /// An item of a check.
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

    /// Keys of the checks that say this of an item.
    #[must_use]
    pub fn where_said(&self, item: &str, verdict: &str) -> Vec<&str> {
        let said = |key: &&str| {
            self.item(key, item)
                .is_ok_and(|item| text(item, "verdict") == verdict)
        };
        self.keys().into_iter().filter(said).collect()
    }

    /// Holds what is said of an item against what is expected; the reason need only contain its words.
    ///
    /// # Errors
    /// It is not as expected.
    pub fn expect_item(&self, key: &str, item: &str, verdict: &str, words: &str) -> Result<()> {
        let found = self.item(key, item)?;
        ensure!(
            text(found, "verdict") == verdict && text(found, "reason").contains(words),
            "{key} of {item}: expected {verdict} ({words}), found {} ({})",
            text(found, "verdict"),
            text(found, "reason")
        );
        Ok(())
    }

    /// Holds the report against a table and tells every difference at once. A line is `KEY | ITEM | VERDICT | REASON`: the
    /// item's verdict, and words of its reason.
    ///
    /// # Errors
    /// An item is not as expected; or its check has a better verdict; or a failure has no evidence or no remedy.
    pub fn expect(&self, table: &str) -> Result<()> {
        let mut wrong = String::new();
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            if let Err(error) = self.expect_one(line) {
                writeln!(wrong, "{error:#}")?;
            }
        }
        ensure!(wrong.is_empty(), "{wrong}");
        Ok(())
    }

    fn expect_one(&self, line: &str) -> Result<()> {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let &[key, item, verdict, reason] = cells.as_slice() else {
            bail!("not of four cells: {line}");
        };
        let (check, found) = (self.check(key)?, self.item(key, item)?);
        self.expect_item(key, item, verdict, reason)?;
        // The check is as bad as its worst item.
        let rank = |verdict: &str| RANKS.iter().position(|one| *one == verdict);
        ensure!(
            rank(verdict).is_some() && rank(text(check, "verdict")) >= rank(verdict),
            "{key} is {} although {item} is {verdict}",
            text(check, "verdict")
        );
        let evidence = found.get("evidence").and_then(Value::as_array);
        let is_shown = evidence.is_some_and(|all| !all.is_empty()) && !text(check, "remedy").is_empty();
        ensure!(
            verdict != "fail" || is_shown,
            "{key}, {item}: no evidence, or no remedy: {found}"
        );
        Ok(())
    }

    /// A field of the report; null where it is not there.
    #[must_use]
    pub fn at(&self, field: &str) -> &Value {
        self.value.get(field).unwrap_or(&Value::Null)
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
