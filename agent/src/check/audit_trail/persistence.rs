//! Whether the rule files make the same so after a restart.

use std::collections::{HashSet, VecDeque};

use super::decide::{Decision, decide};
use super::field::{DIR, WATCH};
use super::required::Required;
use crate::model::{
    AuditDecision, AuditFacts, AuditField, AuditPersistence, AuditRule, AuditStatus, Fact, RuleLine,
};

/// The audit as the rule files will make it.
#[derive(Clone, Debug)]
pub(crate) struct AtBoot(AuditFacts);

impl AtBoot {
    /// `None` where the files could not be read.
    pub(crate) fn of(facts: &AuditFacts) -> Option<Self> {
        let Fact::Known(files) = &facts.files else {
            return None;
        };
        Some(Self(AuditFacts {
            status: AuditStatus {
                enabled: 1,
                ..AuditStatus::default()
            },
            rules: rules(files),
            files: Fact::default(),
            unaudited_processes: Fact::default(),
            listeners: Fact::default(),
        }))
    }
}

/// What the files would make of an object, beside what is loaded.
pub(crate) fn persistence(
    required: &Required<'_>,
    at_boot: Option<&AtBoot>,
    loaded: &Decision,
) -> AuditPersistence {
    use AuditPersistence::{FileOnly, LoadedAndPersistent, LoadedOnly, Neither, Unknown};
    let Some(AtBoot(booted)) = at_boot else {
        return Unknown;
    };
    let on_disk = is_some(&decide(required, booted));
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
    let mut rules: VecDeque<AuditRule> = VecDeque::new();
    let mut loaded = HashSet::new();
    let mut tolerant = false;
    for line in files.iter().filter(|line| line.merged == merged) {
        let option = line.text.split_whitespace().next().unwrap_or_default();
        match (&line.rule, option) {
            (None, "-D") => {
                rules.clear();
                loaded.clear();
            }
            (None, "-i" | "-c") => tolerant = true,
            (None, _) => {}
            (Some(rule), _) if is_refused(rule) || !loaded.insert(identity(rule)) => {
                // The rest of the file is not read any more.
                if !tolerant {
                    break;
                }
            }
            (Some(rule), "-A") => rules.push_front(rule.clone()),
            (Some(rule), _) => rules.push_back(rule.clone()),
        }
    }
    rules.into()
}

/// By what the kernel knows a rule again: it refuses to load one twice.
fn identity(rule: &AuditRule) -> (u32, u32, &[u32], &[AuditField]) {
    (rule.list, rule.action, &rule.mask, &rule.fields)
}

/// Whether the kernel refuses to load a rule, there being no such directory.
fn is_refused(rule: &AuditRule) -> bool {
    rule.target.as_ref().is_some_and(|target| {
        let watches = |code: u32| rule.fields.iter().any(|field| field.field == code);
        (watches(WATCH) && target.entry.is_none()) || (watches(DIR) && target.ino.is_none())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{facts, rule, state};
    use super::*;
    use crate::model::{ObjectKind, Role};

    const FILE: &str = "/etc/docker/daemon.json";

    fn line(text: &str, merged: bool, rule: Option<AuditRule>) -> RuleLine {
        RuleLine {
            text: text.into(),
            merged,
            rule,
            ..RuleLine::default()
        }
    }

    fn watch(merged: bool) -> RuleLine {
        line("-w", merged, Some(rule(FILE, false)))
    }

    #[track_caller]
    fn check(loaded: bool, files: Option<Vec<RuleLine>>, expect: AuditPersistence) {
        let state = state(FILE, ObjectKind::File);
        let required = Required {
            path: FILE,
            role: Role::ConfigFile,
            state: &state,
            older: false,
        };
        let mut facts = facts(if loaded {
            vec![rule(FILE, false)]
        } else {
            Vec::new()
        });
        facts.files = files.map_or_else(|| Fact::unknown("no"), Fact::Known);
        let decision = decide(&required, &facts);
        assert_eq!(
            persistence(&required, AtBoot::of(&facts).as_ref(), &decision),
            expect
        );
    }

    #[test]
    fn what_is_loaded_and_what_will_be_are_four_states() {
        use AuditPersistence::{FileOnly, LoadedAndPersistent, LoadedOnly, Neither, Unknown};
        check(true, Some(vec![watch(false)]), LoadedAndPersistent);
        check(true, Some(Vec::new()), LoadedOnly);
        check(false, Some(vec![watch(true)]), FileOnly);
        check(false, Some(Vec::new()), Neither);
        check(true, None, Unknown);
    }

    #[test]
    fn the_directory_decides_over_the_merged_file() {
        let other = line("-w", false, Some(rule("/etc/passwd", false)));
        check(true, Some(vec![other, watch(true)]), AuditPersistence::LoadedOnly);
    }

    #[test]
    fn a_rule_that_is_refused_stops_the_loading_of_the_rest() {
        let twice = || vec![line("-w", false, Some(rule("/x/y", false))); 2];
        let files = |more: RuleLine| [vec![more], twice(), vec![watch(false)]].concat();
        check(
            true,
            Some(files(line("-b 64", false, None))),
            AuditPersistence::LoadedOnly,
        );
        check(
            true,
            Some(files(line("-c", false, None))),
            AuditPersistence::LoadedAndPersistent,
        );
    }

    #[test]
    fn order_and_deletion_count() {
        let mut never = rule("/etc/docker", true);
        never.action = 0;
        let never = |text: &str| line(text, false, Some(never.clone()));
        check(
            true,
            Some(vec![watch(false), never("-a")]),
            AuditPersistence::LoadedAndPersistent,
        );
        check(
            true,
            Some(vec![watch(false), never("-A")]),
            AuditPersistence::LoadedOnly,
        );
        check(
            true,
            Some(vec![watch(false), line("-D", false, None)]),
            AuditPersistence::LoadedOnly,
        );
    }
}
