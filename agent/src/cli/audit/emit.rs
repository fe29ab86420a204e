//! A rule file with what is missing.

use std::fmt::Write as _;

use crate::check::audit_trail::{ASKED, Decision, Found, Required, decide, describe, required, rule_lines};
use crate::model::{AuditDecision, AuditFacts, AuditRule, Fact, HostFacts, ObjectKind};
use crate::source::audit::{parse_rule, render};

/// What the file is made of.
#[derive(Debug, Default)]
struct Draft {
    /// Rules to delete.
    obstacles: Vec<usize>,
    /// Rules for directories, then for the rest: what, and lines.
    directories: Vec<(String, Vec<String>)>,
    others: Vec<(String, Vec<String>)>,
    remarks: Vec<String>,
}

/// The rule file. Loading it has everything recorded that can be.
pub(super) fn rule_file(host: &HostFacts, facts: &AuditFacts) -> String {
    let mut draft = Draft::default();
    for asked in &ASKED {
        match required(asked, host) {
            Err(verdict) => draft.remarks.push(format!("{}: {}", asked.key, verdict.reason)),
            Ok(found) => {
                for found in &found {
                    draft.take(asked.key, found, facts);
                }
            }
        }
    }
    draft.text(host, facts)
}

impl Draft {
    fn take(&mut self, key: &str, found: &Found<'_>, facts: &AuditFacts) {
        let required = match found {
            Found::Unseen { path, why } => return self.remarks.push(format!("{key}: {path}: {why}")),
            Found::Here(required) => required,
        };
        let decision = decide(required, facts);
        if required.older || decision.kind == AuditDecision::Covered {
            return;
        }
        self.obstacles.extend(&decision.obstacles);
        if !decision.certain {
            self.remarks
                .push(format!("{key}: {}: {}", required.path, decision.reason));
            return;
        }
        if is_sound_by_itself(&decision) {
            return;
        }
        let lines = lines(required, &decision, &facts.rules);
        if lines.is_empty() {
            self.remarks.push(format!(
                "{key}: {}: no rule file can hold such a path",
                required.path
            ));
            return;
        }
        let head = format!("{key}: {}", decision.reason);
        let list = if required.state.kind == ObjectKind::Directory {
            &mut self.directories
        } else {
            &mut self.others
        };
        list.push((head, lines));
    }

    fn text(mut self, host: &HostFacts, facts: &AuditFacts) -> String {
        self.obstacles.sort_unstable();
        self.obstacles.dedup();
        let deletions: Vec<_> = self
            .obstacles
            .iter()
            .filter_map(|index| Some((*index, facts.rules.get(*index)?)))
            .collect();
        let mut text = String::new();
        let mut line = |line: &str| {
            // A String takes whatever is written to it.
            writeln!(text, "{line}").unwrap_or_default();
        };
        comment(
            &mut line,
            &format!(
                "What audit does not yet record of the container engine's files on {}.",
                host.host.name
            ),
        );
        comment(
            &mut line,
            "Put it into /etc/audit/rules.d/50-hullwatch.rules and run augenrules --load.",
        );
        if facts.status.enabled == 2 {
            comment(
                &mut line,
                "Reboot needed: the rules are locked until the host is restarted.",
            );
        }
        if let Fact::Known(left_out) = &facts.unaudited_processes
            && !left_out.is_empty()
        {
            comment(
                &mut line,
                &format!(
                    "Restart needed: started before auditing was: {}.",
                    left_out.join(", ")
                ),
            );
        }
        for remark in &self.remarks {
            comment(&mut line, remark);
        }
        if !deletions.is_empty() {
            comment(
                &mut line,
                "These rules keep changes from being recorded. Take them out of the other rule files as well.",
            );
            // At the next start they may not be there any more, which is no reason to stop.
            line("-i");
            for (index, rule) in deletions {
                comment(&mut line, &describe(index, rule));
                line(&deletion(rule));
            }
        }
        for (head, lines) in self.directories.iter().chain(&self.others) {
            comment(&mut line, head);
            lines.iter().for_each(|rule| line(rule));
        }
        if facts.status.enabled == 0 {
            line("-e 1");
        }
        text
    }
}

/// Whether only other rules, or the state of audit, keep it from being covered.
fn is_sound_by_itself(decision: &Decision) -> bool {
    decision.kind == AuditDecision::Dead && decision.missing & 0b1010 == 0
}

/// A comment, whatever is in it.
fn comment(line: &mut impl FnMut(&str), text: &str) {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line(&format!("# {text}"));
}

/// The rules for one object. One that is loaded already has to be deleted first, to stand elsewhere.
fn lines(required: &Required<'_>, decision: &Decision, loaded: &[AuditRule]) -> Vec<String> {
    let mut lines = Vec::new();
    for line in rule_lines(required, decision.prepend) {
        let again = parse_rule(&line).is_some_and(|made| loaded.iter().any(|rule| is_same(rule, &made)));
        if again && decision.prepend {
            lines.push(line.replacen("-A", "-d", 1));
        }
        if !again || decision.prepend {
            lines.push(line);
        }
    }
    lines
}

/// Whether the kernel takes one rule for the other.
fn is_same(left: &AuditRule, right: &AuditRule) -> bool {
    let key = |rule: &AuditRule| (rule.list, rule.action, rule.mask.clone(), rule.fields.clone());
    key(left) == key(right)
}

/// The line that deletes a rule.
fn deletion(rule: &AuditRule) -> String {
    let text = render(rule);
    match text.strip_prefix("-w ") {
        Some(rest) => format!("-W {rest}"),
        None => text.replacen("-a ", "-d ", 1),
    }
}
