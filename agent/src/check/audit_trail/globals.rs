//! What decides for every object at once: whether audit is on, which tasks it is on for, and which records are dropped.

use super::decide::Decision;
use super::field::{self, FSTYPE, KEY, MSGTYPE, Tri, describe};
use super::simulate::ALWAYS;
use crate::check::support::few;
use crate::model::{AuditDecision, AuditFacts, AuditField, AuditRule, Fact};

const TASK: u32 = 1;
const EXCLUDE: u32 = 5;
const FILESYSTEM: u32 = 6;
const SYSCALL: u32 = 1300;
const PATH: u32 = 1302;
/// Filesystems that nothing of an engine lies on: debugfs and tracefs.
const PSEUDO: [u32; 2] = [0x6462_6720, 0x7472_6163];

/// Takes from a decision what the state of audit as a whole takes from it.
pub(super) fn limit(decision: &mut Decision, facts: &AuditFacts) {
    if facts.status.enabled == 0 {
        kill(decision, "auditing is disabled".to_owned(), None);
    }
    tasks(decision, &facts.rules);
    records(decision, &facts.rules);
    filesystems(decision, &facts.rules);
    if let (Fact::Unknown(why), AuditDecision::Covered) = (&facts.unaudited_processes, decision.kind) {
        decision.notes.push(format!(
            "whether the engine's own changes are recorded is not known: {why}"
        ));
    }
    if let Fact::Known(left_out) = &facts.unaudited_processes
        && !left_out.is_empty()
    {
        let who = few(left_out);
        narrow(
            decision,
            format!("changes by {who} are not recorded, started before auditing was"),
            None,
        );
    }
}

fn kill(decision: &mut Decision, why: String, rule: Option<usize>) {
    decision.obstacles.extend(rule);
    match decision.kind {
        AuditDecision::Dead => {}
        // There is nothing to lose, but a rule that is added would be as dead.
        AuditDecision::Absent => decision.notes.push(why),
        _ => {
            decision.kind = AuditDecision::Dead;
            decision.reason = why;
            decision.rule = rule;
            decision.certain = true;
            decision.letter_only = false;
        }
    }
}

fn narrow(decision: &mut Decision, why: String, rule: Option<usize>) {
    decision.obstacles.extend(rule);
    match decision.kind {
        AuditDecision::Covered => {
            decision.kind = AuditDecision::Partial;
            decision.reason = why;
        }
        AuditDecision::Partial => {
            decision.certain = true;
            decision.reason = format!("{}; {why}", decision.reason);
        }
        AuditDecision::Shadowed | AuditDecision::Dead | AuditDecision::Absent => {}
    }
}

fn of_list(rules: &[AuditRule], list: u32) -> impl Iterator<Item = (usize, &AuditRule)> {
    rules
        .iter()
        .enumerate()
        .filter(move |(_, rule)| rule.list == list)
}

/// Whether all fields hold; none at all do not.
fn all(rule: &AuditRule, holds: impl Fn(&AuditField) -> Tri) -> Tri {
    if rule.fields.is_empty() {
        return Tri::No;
    }
    rule.fields.iter().map(holds).fold(Tri::Yes, Tri::and)
}

fn filters(rule: &AuditRule) -> String {
    let fields = rule
        .fields
        .iter()
        .filter(|field| !matches!(field.field, KEY | MSGTYPE));
    fields.map(field::words).collect::<Vec<_>>().join(" and ")
}

/// The task list: the first rule that matches when a task starts decides for all that it will do.
fn tasks(decision: &mut Decision, rules: &[AuditRule]) {
    for (index, rule) in of_list(rules, TASK) {
        let everyone = rule.fields.iter().all(|field| field.field == KEY);
        match (rule.action == ALWAYS, everyone) {
            (true, true) => return,
            (true, false) => {}
            (false, true) => {
                let why = format!(
                    "{} exempts every process started since it was loaded",
                    describe(index, rule)
                );
                return kill(decision, why, Some(index));
            }
            (false, false) => {
                let who = filters(rule);
                narrow(
                    decision,
                    format!("{} exempts processes started with {who}", describe(index, rule)),
                    Some(index),
                );
            }
        }
    }
}

/// The exclude list, where every action drops the record.
fn records(decision: &mut Decision, rules: &[AuditRule]) {
    for (index, rule) in of_list(rules, EXCLUDE) {
        let drops = |record: u32| {
            all(rule, |field| match field.field {
                MSGTYPE => field::compare(record, field.op, field.value),
                KEY => Tri::Yes,
                _ => Tri::Maybe,
            })
        };
        let name = describe(index, rule);
        match (drops(SYSCALL), drops(PATH)) {
            (Tri::Yes, _) => {
                return kill(
                    decision,
                    format!("{name} drops every record of a system call"),
                    Some(index),
                );
            }
            (Tri::Maybe, _) | (_, Tri::Maybe) => {
                narrow(
                    decision,
                    format!("{name} drops records where {}", filters(rule)),
                    Some(index),
                );
            }
            (Tri::No, Tri::Yes) => narrow(
                decision,
                format!("{name} drops from records what was changed (PATH)"),
                Some(index),
            ),
            (Tri::No, Tri::No) => {}
        }
    }
}

/// The filesystem list: names on such filesystems are not noted down, so that no rule matches them.
fn filesystems(decision: &mut Decision, rules: &[AuditRule]) {
    for (index, rule) in of_list(rules, FILESYSTEM) {
        let pseudo = |field: &AuditField| {
            let exactly = field.op & field::EQUAL == field::EQUAL && field.op.count_ones() == 1;
            field.field != FSTYPE || (exactly && PSEUDO.contains(&field.value))
        };
        if rule.action != ALWAYS && !rule.fields.iter().all(pseudo) {
            narrow(
                decision,
                format!("{} exempts whole filesystems", describe(index, rule)),
                Some(index),
            );
        }
    }
}
