//! Whether the rule files make the same so after a restart.

use super::decide::{Decision, decide};
use super::field::{DIR, WATCH};
use super::required::Required;
use crate::model::{AuditDecision, AuditFacts, AuditPersistence, AuditRule, AuditStatus, Fact, RuleLine};

/// What the files would make of an object, beside what is loaded.
pub(crate) fn persistence(
    required: &Required<'_>,
    facts: &AuditFacts,
    loaded: &Decision,
) -> AuditPersistence {
    use AuditPersistence::{FileOnly, LoadedAndPersistent, LoadedOnly, Neither, Unknown};
    let Fact::Known(files) = &facts.files else {
        return Unknown;
    };
    let booted = AuditFacts {
        status: AuditStatus {
            enabled: 1,
            ..AuditStatus::default()
        },
        rules: rules(files),
        files: Fact::default(),
        unaudited_processes: Fact::default(),
    };
    let on_disk = is_some(&decide(required, &booted));
    match (is_some(loaded), on_disk) {
        (true, true) => LoadedAndPersistent,
        (true, false) => LoadedOnly,
        (false, true) => FileOnly,
        (false, false) => Neither,
    }
}

/// Whether something is recorded, as far as can be told.
fn is_some(decision: &Decision) -> bool {
    matches!(decision.kind, AuditDecision::Covered | AuditDecision::Partial)
}

/// The rules that are loaded at boot: those of the directory, from which the merged file is made anew; the merged file
/// where the directory has none.
fn rules(files: &[RuleLine]) -> Vec<AuditRule> {
    let merged = files.iter().all(|line| line.merged);
    let mut rules: Vec<AuditRule> = Vec::new();
    let mut tolerant = false;
    for line in files.iter().filter(|line| line.merged == merged) {
        let option = line.text.split_whitespace().next().unwrap_or_default();
        match (&line.rule, option) {
            (None, "-D") => rules.clear(),
            (None, "-i" | "-c") => tolerant = true,
            (None, _) => {}
            (Some(rule), _) if is_refused(rule, &rules) => {
                // The rest of the file is not read any more.
                if !tolerant {
                    break;
                }
            }
            (Some(rule), "-A") => rules.insert(0, rule.clone()),
            (Some(rule), _) => rules.push(rule.clone()),
        }
    }
    rules
}

/// Whether the kernel refuses to load a rule: it has the same one, or there is no such directory.
fn is_refused(rule: &AuditRule, loaded: &[AuditRule]) -> bool {
    let key = |rule: &AuditRule| (rule.list, rule.action, rule.mask.clone(), rule.fields.clone());
    let gone = rule.target.as_ref().is_some_and(|target| {
        let watches = |code: u32| rule.fields.iter().any(|field| field.field == code);
        (watches(WATCH) && target.entry.is_none()) || (watches(DIR) && target.ino.is_none())
    });
    gone || loaded.iter().any(|other| key(other) == key(rule))
}
