//! A rule file with what is missing.

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
        let mut lines = self.head(host, facts);
        self.obstacles.sort_unstable();
        self.obstacles.dedup();
        let rule = |index: &usize| Some((*index, facts.rules.get(*index)?));
        let deletions: Vec<_> = self.obstacles.iter().filter_map(rule).collect();
        if !deletions.is_empty() {
            lines.push(comment(
                "These rules keep changes from being recorded. Take them out of the other rule files as well.",
            ));
            // At the next start they may not be there any more, which is no reason to stop.
            lines.push("-i".to_owned());
        }
        for (index, rule) in deletions {
            lines.push(comment(&describe(index, rule)));
            lines.push(deletion(rule));
        }
        for (head, rules) in self.directories.into_iter().chain(self.others) {
            lines.push(comment(&head));
            lines.extend(rules);
        }
        if facts.status.enabled == 0 {
            lines.push("-e 1".to_owned());
        }
        lines.join("\n")
    }

    /// What is to be known before it is loaded.
    fn head(&self, host: &HostFacts, facts: &AuditFacts) -> Vec<String> {
        let name = &host.host.name;
        let mut lines = vec![
            comment(&format!(
                "What audit does not yet record of the container engine's files on {name}."
            )),
            comment("Put it into /etc/audit/rules.d/50-hullwatch.rules and run augenrules --load."),
        ];
        if facts.status.enabled == 2 {
            lines.push(comment(
                "Reboot needed: the rules are locked until the host is restarted.",
            ));
        }
        if let Fact::Known(left_out) = &facts.unaudited_processes
            && !left_out.is_empty()
        {
            let who = left_out.join(", ");
            lines.push(comment(&format!(
                "Restart needed, for they were started before auditing was: {who}."
            )));
        }
        lines.extend(self.remarks.iter().map(|remark| comment(remark)));
        lines
    }
}

/// Whether only other rules, or the state of audit, keep it from being covered.
fn is_sound_by_itself(decision: &Decision) -> bool {
    decision.kind == AuditDecision::Dead && decision.missing & 0b1010 == 0
}

/// A comment, whatever is in it.
fn comment(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("# {text}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AuditStatus, Object, ObjectState, Role};

    fn host(path: &str) -> HostFacts {
        let state = ObjectState {
            resolved: path.into(),
            ino: 7,
            dev: "8:1".into(),
            ..ObjectState::default()
        };
        HostFacts {
            objects: Fact::Known(vec![Object {
                role: Role::ConfigFile,
                path: path.into(),
                state: Fact::Known(Some(state)),
            }]),
            ..HostFacts::default()
        }
    }

    #[track_caller]
    fn check(path: &str, enabled: u32, rules: &[&str], expect: &[&str]) {
        let facts = AuditFacts {
            status: AuditStatus {
                enabled,
                ..AuditStatus::default()
            },
            rules: rules.iter().map(|rule| parse_rule(rule).unwrap()).collect(),
            ..AuditFacts::default()
        };
        let text = rule_file(&host(path), &facts);
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines, expect, "{text}");
        assert_eq!(text.contains("Reboot needed"), enabled == 2);
    }

    const B64: &str = "-a always,exit -F arch=b64 -F path=/etc/d.json -F perm=rwa -F key=docker";
    const B32: &str = "-a always,exit -F arch=b32 -F path=/etc/d.json -F perm=rwa -F key=docker";

    #[test]
    fn what_is_missing_is_there_for_both_architectures() {
        check("/etc/d.json", 1, &[], &[B64, B32]);
        check("/etc/d.json", 2, &[], &[B64, B32]);
        check("/etc/d.json", 0, &[], &[B64, B32, "-e 1"]);
    }

    #[test]
    fn what_hinders_is_deleted() {
        check(
            "/etc/d.json",
            1,
            &["-a never,task"],
            &["-i", "-d never,task", B64, B32],
        );
    }

    #[test]
    fn what_stands_in_the_way_is_overtaken() {
        let [b64, b32] = [B64, B32].map(|line| line.replacen("-a", "-A", 1));
        check("/etc/d.json", 1, &["-a never,exit -S all"], &[&b64, &b32]);
        let [again64, again32] = [B64, B32].map(|line| line.replacen("-a", "-d", 1));
        let loaded = ["-a never,exit -S all", B64, B32];
        check("/etc/d.json", 1, &loaded, &[&again64, &b64, &again32, &b32]);
    }

    #[test]
    fn a_path_that_no_rule_can_name_is_said() {
        check("/etc/d\n.json", 1, &[], &[]);
        let spaced = "-a always,exit -F arch=b64 -F path=/etc/d\\ e -F perm=rwa -F key=docker";
        check("/etc/d e", 1, &[], &[spaced, &spaced.replace("b64", "b32")]);
    }
}
