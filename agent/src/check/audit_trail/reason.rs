//! Decisions in words.

use super::call::{ATTRIBUTES, Call, WRITE, on};
use super::field::{INODE, WATCH, describe, filters, is_filtered};
use super::survey::{self, Seen, Survey, WANTED};
use crate::check::support::few;
use crate::model::{AuditRule, ObjectState};

/// Rules that are told in full, of those of which the same is to be said.
const IN_FULL: usize = 3;

/// Some rules by number, the first of them in full.
pub(super) fn named(rules: &[AuditRule], indices: &[usize]) -> String {
    let shown = indices.iter().take(IN_FULL);
    let shown: Vec<_> = shown
        .filter_map(|index| Some(describe(*index, rules.get(*index)?)))
        .collect();
    match indices.len().saturating_sub(IN_FULL) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

pub(super) fn covered(rules: &[AuditRule], by: &[usize]) -> String {
    match by {
        [_] => format!("{} records every change", named(rules, by)),
        _ => format!("{} record every change between them", named(rules, by)),
    }
}

pub(super) fn mount(rules: &[AuditRule], trusting: &Survey) -> String {
    format!(
        "{} reaches it only if every mount on the way is older than the rule, which cannot be told: a proof shows it",
        named(rules, &trusting.recorders(WANTED))
    )
}

pub(super) fn shadowed(rules: &[AuditRule], by: &[usize], hidden: &[usize]) -> String {
    format!(
        "{} stands in the way of {} and keeps changes from being recorded",
        named(rules, by),
        named(rules, hidden)
    )
}

pub(super) fn reads_only(rules: &[AuditRule], by: &[usize]) -> String {
    format!(
        "{} records neither changes of content (w) nor of mode, owner and attributes (a)",
        named(rules, by)
    )
}

pub(super) fn other_arch(rules: &[AuditRule], by: &[usize]) -> String {
    format!("{} records only calls of 32-bit programs", named(rules, by))
}

/// Why no rule is about it, where one seems to be.
pub(super) fn absent(rules: &[AuditRule], state: &ObjectState) -> String {
    let near = rules.iter().enumerate().find_map(|(index, rule)| {
        let target = rule.target.as_ref()?;
        if target.resolved.as_deref() != Some(&state.resolved) {
            return None;
        }
        let why = if target.symlink {
            "watches a symlink to it, and not the object"
        } else if rule.fields.iter().any(|field| field.field == WATCH)
            && target.ino == Some(state.ino)
            && state.mount_point == state.resolved
        {
            "watches what is hidden below the mount on it"
        } else {
            "does not match any change of it"
        };
        Some(format!("{} {why}", describe(index, rule)))
    });
    near.unwrap_or_else(|| "no rule watches it".to_owned())
}

/// What is recorded only in part: first what hinders, then what is left out.
pub(super) fn partial(rules: &[AuditRule], survey: &Survey) -> String {
    let mut clauses = Vec::new();
    if survey.is_own_only() {
        let by = named(rules, &survey.recorders(WANTED));
        clauses.push(format!("{by} watches the directory itself and nothing in it"));
    } else {
        clauses.extend(narrowed(rules, survey));
        clauses.extend(hindered(rules, survey));
        clauses.extend(left_out(survey));
    }
    if clauses.is_empty() {
        clauses.push("not every change is recorded".to_owned());
    }
    clauses.join("; ")
}

/// Rules that record only what their fields let through.
fn narrowed(rules: &[AuditRule], survey: &Survey) -> Vec<String> {
    let open = survey.of(WANTED).filter(|seen| !seen.is_recorded());
    let is_hindered = survey.of(WANTED).any(|seen| seen.suppressors().next().is_some());
    let by_number = |rule: &AuditRule| rule.fields.iter().any(|field| field.field == INODE);
    let mut found = of(rules, survey::distinct(open.flat_map(Seen::recorders)));
    found.retain(|(_, rule)| is_filtered(rule) || by_number(rule) || !is_hindered);
    each(&found, |index, rule| {
        let name = describe(index, rule);
        if is_filtered(rule) {
            format!("{name} records only where {}", filters(rule).join(" and "))
        } else if by_number(rule) {
            format!("{name} holds on to an inode: what is put in its place is not watched")
        } else {
            format!("{name} holds on to another name or mount of it, and loses it once that changes")
        }
    })
}

/// Rules that keep some changes from being recorded.
fn hindered(rules: &[AuditRule], survey: &Survey) -> Vec<String> {
    each(&of(rules, survey.suppressors(WANTED)), |index, rule| {
        let name = describe(index, rule);
        if is_filtered(rule) {
            let who = filters(rule).join(" and ");
            return format!("{name} keeps from being recorded what {who} does");
        }
        let hit = survey
            .of(WANTED)
            .filter(|seen| seen.suppressors().any(|by| by == index));
        let calls = distinct(hit.map(|seen| seen.call));
        format!("{name} keeps from being recorded: {}", few(&calls))
    })
}

fn of(rules: &[AuditRule], indices: Vec<usize>) -> Vec<(usize, &AuditRule)> {
    let indices = indices.into_iter();
    indices
        .filter_map(|index| Some((index, rules.get(index)?)))
        .collect()
}

/// What is said of each rule: of the first of them, and how many more there are.
fn each(found: &[(usize, &AuditRule)], say: impl Fn(usize, &AuditRule) -> String) -> Vec<String> {
    let mut said: Vec<_> = found
        .iter()
        .take(IN_FULL)
        .map(|(index, rule)| say(*index, rule))
        .collect();
    match found.len().saturating_sub(said.len()) {
        0 => {}
        1 => said.push("one more rule likewise".to_owned()),
        more => said.push(format!("{more} more rules likewise")),
    }
    said
}

/// Calls that no rule matches.
fn left_out(survey: &Survey) -> Vec<String> {
    let lost = |seen: &&Seen| !seen.may_be_recorded() && seen.suppressors().next().is_none();
    let mut clauses = Vec::new();
    for (kind, words) in [
        (WRITE, "changes of content (w)"),
        (ATTRIBUTES, "changes of mode, owner and attributes (a)"),
    ] {
        let calls = distinct(survey.of(kind).filter(lost).map(|seen| seen.call));
        if calls.is_empty() {
            continue;
        }
        if survey.of(kind).all(|seen| lost(&seen)) {
            clauses.push(format!("no rule records {words}"));
        } else if survey.of(kind).filter(lost).all(|seen| seen.on == on::WITHIN) {
            clauses.push(format!("no rule records, of what lies in it, {words}"));
        } else {
            clauses.push(format!("of {words}, no rule records {}", few(&calls)));
        }
    }
    clauses
}

/// Names of calls, each once.
fn distinct(calls: impl Iterator<Item = &'static Call>) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for name in calls.map(|call| call.name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
