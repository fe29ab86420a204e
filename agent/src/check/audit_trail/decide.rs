//! One decision per object.

use super::call::{ATTRIBUTES, Arch, EXECUTE, Machine, READ, WRITE};
use super::required::Required;
use super::survey::{Lens, Survey, WANTED};
use super::{field, globals, inside, reason};
use crate::model::{AuditDecision, AuditFacts, AuditRule, Role};

/// What becomes of changes to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The decision.
    pub(crate) kind: AuditDecision,
    /// One sentence without a full stop.
    pub(crate) reason: String,
    /// The rule that decides it: its number in the kernel's list, from 0.
    pub(crate) rule: Option<usize>,
    /// Bits of `perm` that are not wholly recorded.
    pub(crate) missing: u32,
    /// What else is to be known.
    pub(crate) notes: Vec<String>,
    /// The benchmark's own example, which watches a directory's inode and nothing in it.
    pub(crate) letter_only: bool,
    /// False for a partial one that would be covered if mounts were older than the rule, which cannot be told.
    pub(crate) certain: bool,
    /// Rules that have to go before it can be covered, by their number.
    pub(crate) obstacles: Vec<usize>,
    /// Whether a further rule has to stand before those that are loaded.
    pub(crate) prepend: bool,
}

impl Decision {
    pub(super) fn new(kind: AuditDecision, reason: impl Into<String>, rule: Option<usize>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            rule,
            missing: 0,
            notes: Vec::new(),
            letter_only: false,
            certain: true,
            obstacles: Vec::new(),
            prepend: false,
        }
    }

    /// The permissions that are not wholly recorded, as `auditctl` writes them.
    pub(crate) fn missing_letters(&self) -> String {
        [(READ, 'r'), (WRITE, 'w'), (EXECUTE, 'x'), (ATTRIBUTES, 'a')]
            .iter()
            .filter(|(bit, _)| self.missing & bit != 0)
            .map(|(_, letter)| *letter)
            .collect()
    }
}

/// What becomes of changes to an object under these rules on this machine.
pub(crate) fn decide(required: &Required<'_>, facts: &AuditFacts) -> Decision {
    decide_on(required, facts, Machine::NATIVE)
}

pub(super) fn decide_on(required: &Required<'_>, facts: &AuditFacts, machine: Machine) -> Decision {
    let rules = &facts.rules;
    let survey = Survey::new(rules, required.state, Arch::native(machine), Lens::All);
    let mut decision = by_rules(required, rules, &survey, machine);
    decision.missing = survey.missing();
    // A rule kept under an inode can come before any other: it depends on the order of a call's names.
    let by_inode = |index: &usize| rules.get(*index).is_some_and(field::is_kept_by_inode);
    (decision.obstacles, decision.prepend) = {
        let (kept, listed): (Vec<_>, Vec<_>) = survey.suppressors(WANTED).into_iter().partition(by_inode);
        (kept, !listed.is_empty())
    };
    if decision.kind == AuditDecision::Covered {
        decision.notes = notes(required, rules, &survey, machine);
        let last = survey.recorders(WANTED).last().copied().unwrap_or_default();
        inside::limit(&mut decision, required, rules, last);
    }
    globals::limit(&mut decision, facts);
    decision
}

/// By the exit list alone.
fn by_rules(required: &Required<'_>, rules: &[AuditRule], survey: &Survey, machine: Machine) -> Decision {
    use AuditDecision::{Absent, Covered, Partial, Shadowed};
    let native = Arch::native(machine);
    let look = |lens| Survey::new(rules, required.state, native, lens);
    if survey.is_complete(WANTED) {
        let recorders = survey.recorders(WANTED);
        return Decision::new(
            Covered,
            reason::covered(rules, &recorders),
            recorders.first().copied(),
        );
    }
    if !survey.is_empty(WANTED) {
        let first = survey.recorders(WANTED).first().copied();
        let trusting = look(Lens::MountsAreOld);
        if trusting.is_complete(WANTED) {
            let mut decision = Decision::new(Partial, reason::mount(rules, &trusting), first);
            decision.certain = false;
            return decision;
        }
        let mut decision = Decision::new(Partial, reason::partial(rules, survey), first);
        decision.letter_only =
            matches!(required.role, Role::DataRoot | Role::RunContainerd) && survey.is_own_only();
        return decision;
    }
    let unhindered = look(Lens::AlwaysOnly);
    if !unhindered.is_empty(WANTED) {
        let by = survey.suppressors(WANTED);
        let reason = reason::shadowed(rules, &by, &unhindered.recorders(WANTED));
        return Decision::new(Shadowed, reason, by.first().copied());
    }
    if !survey.is_empty(READ | EXECUTE) {
        let recorders = survey.recorders(READ | EXECUTE);
        return Decision::new(
            Partial,
            reason::reads_only(rules, &recorders),
            recorders.first().copied(),
        );
    }
    let compat = Arch::compat(machine).map(|arch| Survey::new(rules, required.state, arch, Lens::All));
    if let Some(compat) = compat.filter(|compat| !compat.is_empty(WANTED)) {
        let recorders = compat.recorders(WANTED);
        return Decision::new(
            Partial,
            reason::other_arch(rules, &recorders),
            recorders.first().copied(),
        );
    }
    if let Some((index, rule, path)) = inside::only(required, rules) {
        let reason = format!("{} watches only {path} in it", super::describe(index, rule));
        return Decision::new(Partial, reason, Some(index));
    }
    Decision::new(Absent, reason::absent(rules, required.state), None)
}

/// What is worth knowing of what is covered.
fn notes(required: &Required<'_>, rules: &[AuditRule], survey: &Survey, machine: Machine) -> Vec<String> {
    let mut notes = Vec::new();
    if !survey.is_complete(READ) {
        notes.push("reading it is not recorded (r)".to_owned());
    }
    if required.is_executable() && !survey.is_complete(EXECUTE) {
        notes.push("running it is not recorded (x)".to_owned());
    }
    let compat = Arch::compat(machine).map(|arch| Survey::new(rules, required.state, arch, Lens::All));
    if compat.is_some_and(|compat| !compat.is_complete(WANTED)) {
        notes.push("changes by 32-bit programs are not recorded (arch=b32)".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::super::field::{EQUAL, KEY};
    use super::super::testing::{facts, rule, state};
    use super::*;
    use crate::model::{AuditField, ObjectKind, ObjectState};

    const FILE: &str = "/etc/docker/daemon.json";

    fn required(role: Role, state: &ObjectState) -> Required<'_> {
        Required {
            path: &state.resolved,
            role,
            state,
            older: false,
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut AuditFacts), machine: Machine, kind: AuditDecision, words: &str) {
        let state = state(FILE, ObjectKind::File);
        let mut facts = facts(vec![rule(FILE, false)]);
        change(&mut facts);
        let found = decide_on(&required(Role::ConfigFile, &state), &facts, machine);
        let said = [vec![found.reason.clone()], found.notes.clone()]
            .concat()
            .join("; ");
        assert!(found.kind == kind && said.contains(words), "{found:?}");
    }

    fn field(field: u32) -> AuditField {
        AuditField {
            field,
            op: EQUAL,
            ..AuditField::default()
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_never_covered() {
        for code in (0..256).filter(|code| !matches!(code, 11 | 102 | 105..=107 | 210)) {
            let add = |facts: &mut AuditFacts| facts.rules[0].fields.push(field(code));
            check(add, Machine::X86_64, AuditDecision::Partial, "records only where");
        }
        let key = |facts: &mut AuditFacts| facts.rules[0].fields.push(field(KEY));
        check(key, Machine::X86_64, AuditDecision::Covered, "");
    }

    #[test]
    fn an_obsolete_or_unknown_action_records_nothing() {
        for action in [1, 3, 9] {
            let act = |facts: &mut AuditFacts| facts.rules[0].action = action;
            check(act, Machine::X86_64, AuditDecision::Absent, "does not match");
        }
    }

    #[test]
    fn other_lists_do_not_count() {
        for list in [0, 1, 2, 3, 5, 6, 7] {
            let move_to = |facts: &mut AuditFacts| facts.rules[0].list = list;
            check(move_to, Machine::X86_64, AuditDecision::Absent, "does not match");
        }
    }

    #[test]
    fn each_machine_has_its_own_numbers() {
        let arch = |facts: &mut AuditFacts| {
            facts.rules[0].fields.push(AuditField {
                value: Arch::Aarch64.code(),
                ..field(field::ARCH)
            });
        };
        check(arch, Machine::Aarch64, AuditDecision::Covered, "");
        check(arch, Machine::X86_64, AuditDecision::Absent, "");
        let opens = |facts: &mut AuditFacts| {
            facts.rules[0].mask = vec![0; 64];
            facts.rules[0].mask[56 / 32] = 1 << (56 % 32);
        };
        check(opens, Machine::Aarch64, AuditDecision::Partial, "openat2");
        check(opens, Machine::X86_64, AuditDecision::Absent, "");
    }

    #[test]
    fn who_runs_without_an_audit_context_is_named() {
        let left_out = |facts: &mut AuditFacts| {
            facts.unaudited_processes = crate::model::Fact::Known(vec!["7 dockerd".into()]);
        };
        check(left_out, Machine::X86_64, AuditDecision::Partial, "7 dockerd");
        let unknown =
            |facts: &mut AuditFacts| facts.unaudited_processes = crate::model::Fact::unknown("no telling");
        check(unknown, Machine::X86_64, AuditDecision::Covered, "no telling");
    }

    #[test]
    fn a_remapped_root_exempts_its_layers_and_a_mount_of_another_sort_leaves_it_open() {
        let mut state = state("/var/lib/docker", ObjectKind::Directory);
        let mut never = rule("/var/lib/docker/1000.1000/overlay2", true);
        never.action = 0;
        let facts = facts(vec![never, rule("/var/lib/docker", true)]);
        let decided = |state: &ObjectState| decide(&required(Role::DataRoot, state), &facts);
        assert_eq!(decided(&state).kind, AuditDecision::Covered);
        state.mounts_below = vec!["/var/lib/docker/overlay2/1/merged".into()];
        assert_eq!(decided(&state).kind, AuditDecision::Covered);
        state.mounts_below.push("/var/lib/docker/swarm".into());
        let open = decided(&state);
        assert_eq!((open.kind, open.certain), (AuditDecision::Partial, false));
    }

    #[test]
    fn of_many_rules_of_one_sort_the_first_are_told() {
        let many = |facts: &mut AuditFacts| {
            facts.rules = vec![rule(FILE, false); 250];
            let narrow = |rule: &mut AuditRule| rule.fields.push(field(1));
            facts.rules.iter_mut().for_each(narrow);
        };
        check(
            many,
            Machine::X86_64,
            AuditDecision::Partial,
            "; 247 more rules likewise",
        );
    }

    #[test]
    fn many_rules_are_decided_at_once() {
        let state = state(FILE, ObjectKind::File);
        let mut rules: Vec<_> = (0..500).map(|n| rule(&format!("/srv/{n}"), n % 2 == 0)).collect();
        rules.push(rule(FILE, false));
        let found = decide(&required(Role::ConfigFile, &state), &facts(rules));
        assert_eq!((found.kind, found.rule), (AuditDecision::Covered, Some(500)));
    }
}
