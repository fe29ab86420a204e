//! Decisions as verdicts of the checks.

use serde_json::json;

use super::keeper::{Keeper, keeper};
use super::remedy::START_DAEMON;
use super::required::{ASKED, Asked, Found, Required, required};
use super::{AtBoot, Decision, decide, describe, persistence, rule_lines};
use crate::check::{Item, Signal};
use crate::model::{AuditDecision, AuditFacts, AuditPersistence, Evidence, Host, Source, Verdict};

/// What bears on every one of these checks.
pub(in crate::check) const SIGNALS: &[Signal] = &[
    Signal {
        kind: "audit-change",
        when: "a rule on it is removed, one that exempts it is added, or auditing is switched off",
    },
    Signal {
        kind: "file",
        when: "what a rule holds on to is moved away, replaced or created",
    },
];

/// The verdicts of the check with this key.
pub(in crate::check) fn assess(host: &Host, key: &str) -> Vec<Item> {
    let Some(asked) = ASKED.iter().find(|asked| asked.key == key) else {
        return Vec::new();
    };
    let items = required(asked, &host.facts).map(|found| judge_all(asked, &found, host));
    items.unwrap_or_else(|verdict| vec![item(asked.what, verdict)])
}

fn item(subject: &str, verdict: Verdict) -> Item {
    Item {
        subject: subject.to_owned(),
        verdict,
    }
}

fn judge_all(asked: &Asked, found: &[Found<'_>], host: &Host) -> Vec<Item> {
    if found.is_empty() {
        let why = format!("this host has no {}", asked.what);
        return vec![item(asked.what, Verdict::not_applicable(why))];
    }
    let at_boot = host.facts.audit.get().and_then(AtBoot::of);
    let judged = found.iter().map(|found| match found {
        Found::Unseen { path, why } if why.contains(path) => item(path, Verdict::unknown(*why)),
        Found::Unseen { path, why } => item(path, Verdict::unknown(format!("{path}: {why}"))),
        Found::Here(required) => {
            let verdict = host
                .facts
                .audit
                .look()
                .map(|facts| judge(required, facts, at_boot.as_ref()));
            item(required.path, verdict.unwrap_or_else(|verdict| verdict))
        }
    });
    judged.collect()
}

fn judge(required: &Required<'_>, facts: &AuditFacts, at_boot: Option<&AtBoot>) -> Verdict {
    let decision = decide(required, facts);
    let persistence = persistence(required, at_boot, &decision);
    let path = required.path;
    if decision.kind == AuditDecision::Covered {
        let keeper = keeper(facts);
        let mut words = vec![decision.reason.clone()];
        words.extend(decision.notes.iter().cloned());
        if persistence != AuditPersistence::LoadedAndPersistent {
            words.push(persistence.words().to_owned());
        }
        // Before the rest, which is right as it is.
        words.splice(0..0, keeper.words().map(str::to_owned));
        let evidence = evidence(required, facts, &decision, persistence);
        return judge_kept(path, required.older, &keeper, words.join("; "), evidence);
    }
    let reason = format!("changes to {path} are not all recorded: {}", decision.reason);
    if required.older {
        let why = format!("only the oldest benchmarks ask for it; {reason}");
        return Verdict::not_applicable(why);
    }
    if !decision.certain {
        return Verdict::unknown(reason);
    }
    let mut verdict = Verdict::fail(reason, vec![evidence(required, facts, &decision, persistence)])
        .remedy(remedy(required, facts, &decision, persistence));
    verdict.letter_only = decision.letter_only;
    verdict
}

/// What the rules have recorded, by who writes it down.
fn judge_kept(path: &str, older: bool, keeper: &Keeper, words: String, evidence: Evidence) -> Verdict {
    match keeper {
        Keeper::Daemon | Keeper::Journal => Verdict::pass().because(words).evidence(evidence),
        Keeper::Unsure(_) => Verdict::unknown(words),
        Keeper::Nobody if older => {
            Verdict::not_applicable(format!("only the oldest benchmarks ask for it; {words}"))
        }
        Keeper::Nobody => {
            let reason = format!("records of changes to {path} are not kept: {words}");
            Verdict::fail(reason, vec![evidence]).remedy(START_DAEMON)
        }
    }
}

fn evidence(
    required: &Required<'_>,
    facts: &AuditFacts,
    decision: &Decision,
    persistence: AuditPersistence,
) -> Evidence {
    let rule = decision
        .rule
        .and_then(|index| Some(describe(index, facts.rules.get(index)?)));
    let facts = json!({
        "path": required.path,
        "resolved": required.state.resolved,
        "decision": decision.kind.name(),
        "rule": rule,
        "missing": decision.missing_letters(),
        "persistence": persistence.words(),
        "enabled": facts.status.enabled,
        "daemon": facts.status.daemon,
        "notes": decision.notes,
    });
    Evidence::new(Source::Assessment, "audit-rule", facts)
}

/// What makes it recorded on this host.
fn remedy(
    required: &Required<'_>,
    facts: &AuditFacts,
    decision: &Decision,
    persistence: AuditPersistence,
) -> String {
    let lines = rule_lines(required, decision.kind == AuditDecision::Shadowed);
    let name = decision
        .rule
        .and_then(|index| Some(describe(index, facts.rules.get(index)?)));
    let mut remedy = match (decision.kind, name) {
        (AuditDecision::Dead, None) => "Enable auditing: auditctl -e 1, and -e 1 in a rule file".to_owned(),
        (AuditDecision::Dead, Some(rule)) => {
            format!("Delete {rule} from the rule files and the kernel, then restart the engine")
        }
        _ if persistence == AuditPersistence::FileOnly => {
            "Load the rules that /etc/audit/rules.d has for it: augenrules --load".to_owned()
        }
        _ if lines.is_empty() => "Rename it: no rule can name such a path".to_owned(),
        _ => format!(
            "Put into a file of /etc/audit/rules.d, and load with augenrules --load: {}",
            lines.join(" and ")
        ),
    };
    if facts.status.enabled == 2 {
        remedy.push_str("; the rules are locked until the host is restarted");
    }
    remedy
}
