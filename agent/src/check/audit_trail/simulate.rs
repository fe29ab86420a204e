//! What the kernel does with one call on one object, rule by rule (`audit_filter_syscall`, then
//! `audit_filter_inodes`, of `kernel/auditsc.c`).
//!
//! First the exit list, in order, up to the first rule that matches. Then, for each name of the call in turn, the rules
//! kept under its inode: the first of them that matches and stands before the one found so far takes its place, and ends
//! the search. Rules stand in the order in which the kernel lists them; one that was prepended is listed first.
//!
//! One thing is not in the list: when a watched file is replaced, the kernel files the rules of its name anew and in
//! reverse. A `never` on the very name that an `always` is on wins from then on, wherever it stands.

use super::call::{Arch, Call};
use super::field::{self, PERM, Tri};
use super::place::{Fit, Name, Place, Point, names, place};
use crate::model::AuditRule;

pub(super) const EXIT: u32 = 4;
pub(super) const ALWAYS: u32 = 2;

/// A rule of the exit list that may bear on a point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    /// Number in the kernel's list, from 0.
    pub(super) index: usize,
    pub(super) rule: &'a AuditRule,
    pub(super) place: Place,
    /// Whether its fields hold, but for `perm`, which is another for each call.
    fields: Tri,
}

/// How a call may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// No rule matches.
    Silent,
    /// This rule has it recorded.
    Recorded(usize),
    /// This rule keeps it from being recorded.
    Suppressed(usize),
}

/// The rules that may bear on a point.
pub(super) fn standing<'a>(rules: &'a [AuditRule], point: Point<'_>, arch: Arch) -> Vec<Standing<'a>> {
    let others = |rule: &AuditRule| {
        let fields = rule.fields.iter().filter(|field| field.field != PERM);
        fields
            .map(|field| field::holds(field, arch, 0))
            .fold(Tri::Yes, Tri::and)
    };
    rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.list == EXIT)
        .map(|(index, rule)| Standing {
            index,
            rule,
            place: place(rule, point),
            fields: Tri::Maybe,
        })
        .filter(|standing| !standing.place.is_elsewhere())
        .map(|standing| Standing {
            fields: others(standing.rule),
            ..standing
        })
        .collect()
}

/// Every way in which a call may end; one where nothing is left open.
pub(super) fn ends(rules: &[Standing<'_>], call: &Call, arch: Arch) -> Vec<End> {
    let mut ends = Vec::new();
    let by_inode: Vec<_> = rules
        .iter()
        .filter(|rule| matches!(rule.place, Place::Inode { .. }))
        .collect();
    for first in first_round(rules, call, arch) {
        second_round(&by_inode, call, arch, first, &mut ends);
    }
    ends.dedup();
    ends
}

/// The rules of the exit list that may be the first to match; `None` where it may be that none does.
fn first_round<'a>(rules: &'a [Standing<'a>], call: &Call, arch: Arch) -> Vec<Option<&'a Standing<'a>>> {
    let mut found = Vec::new();
    for rule in rules {
        let Place::List(fit) = rule.place else { continue };
        match matches(rule, call, arch, fit) {
            Tri::No => {}
            Tri::Maybe => found.push(Some(rule)),
            Tri::Yes => {
                found.push(Some(rule));
                return found;
            }
        }
    }
    found.push(None);
    found
}

fn second_round<'a>(
    rules: &[&'a Standing<'a>],
    call: &Call,
    arch: Arch,
    first: Option<&Standing<'_>>,
    ends: &mut Vec<End>,
) {
    let before = first.map_or(usize::MAX, |rule| rule.index);
    for name in names(call.names) {
        let kept: Vec<_> = rules
            .iter()
            .filter(|rule| rule.index < before)
            .filter_map(|rule| {
                let (fit, watch) = under(rule.place, *name)?;
                let tri = matches(rule, call, arch, fit);
                (tri != Tri::No).then_some((rule, tri, watch))
            })
            .collect();
        let sure = kept.iter().position(|(_, tri, _)| *tri == Tri::Yes);
        let reached = kept
            .get(..sure.map_or(kept.len(), |sure| sure + 1))
            .unwrap_or_default();
        ends.extend(reached.iter().map(|(rule, ..)| end(rule)));
        if reached
            .iter()
            .any(|(rule, _, watch)| *watch && rule.rule.action == ALWAYS)
        {
            let later = kept.iter().skip(reached.len());
            let turned = later.filter(|(rule, _, watch)| *watch && rule.rule.action != ALWAYS);
            ends.extend(turned.map(|(rule, ..)| end(rule)));
        }
        if sure.is_some() {
            return;
        }
    }
    ends.push(first.map_or(End::Silent, end));
}

/// How a rule kept under an inode fits this name; none for any other rule.
const fn under(place: Place, name: Name) -> Option<(Fit, bool)> {
    match (place, name) {
        (Place::Inode { object, watch, .. }, Name::Object) => Some((object, watch)),
        (Place::Inode { parent, watch, .. }, Name::Parent) => Some((parent, watch)),
        (Place::List(_), _) => None,
    }
}

fn end(rule: &Standing<'_>) -> End {
    if rule.rule.action == ALWAYS {
        End::Recorded(rule.index)
    } else {
        // `possible` is obsolete: it ends the search and has nothing recorded.
        End::Suppressed(rule.index)
    }
}

/// Whether a rule whose place fits so matches a call.
fn matches(standing: &Standing<'_>, call: &Call, arch: Arch, fit: Fit) -> Tri {
    let rule = standing.rule;
    let fits = match fit {
        Fit::No => return Tri::No,
        Fit::Yes => Tri::Yes,
        // What is kept from being recorded by the inode alone is kept from it now.
        Fit::Inode if rule.action != ALWAYS => Tri::Yes,
        Fit::Inode | Fit::Mount => Tri::Maybe,
    };
    let Some(number) = call.number(arch) else {
        return Tri::No;
    };
    let listed = Tri::of(in_mask(&rule.mask, number));
    let perms = rule.fields.iter().filter(|field| field.field == PERM);
    perms
        .map(|field| field::holds(field, arch, call.perms))
        .fold(fits.and(listed).and(standing.fields), Tri::and)
}

/// Whether a call is one of a rule's (`audit_in_mask`).
pub(super) fn in_mask(mask: &[u32], number: u32) -> bool {
    let word = usize::try_from(number / 32).ok().and_then(|word| mask.get(word));
    word.is_some_and(|word| word & (1 << (number % 32)) != 0)
}
