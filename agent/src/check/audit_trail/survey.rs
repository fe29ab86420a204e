//! What becomes of every call on an object.

use super::call::{ATTRIBUTES, Arch, CALLS, Call, EXECUTE, READ, WRITE, on};
use super::place::{Fit, Place, Point};
use super::simulate::{ALWAYS, End, Standing, ends, standing};
use crate::model::{AuditRule, ObjectState};

/// What the benchmark asks for at least: changes of content and of attributes.
pub(super) const WANTED: u32 = WRITE | ATTRIBUTES;

/// A call, where it acts, and how it ends.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) call: &'static Call,
    pub(super) on: u8,
    pub(super) ends: Vec<End>,
}

impl Seen {
    pub(super) fn is_recorded(&self) -> bool {
        self.ends.iter().all(|end| matches!(end, End::Recorded(_)))
    }

    pub(super) fn may_be_recorded(&self) -> bool {
        self.recorders().next().is_some()
    }

    pub(super) fn recorders(&self) -> impl Iterator<Item = usize> {
        self.ends.iter().filter_map(|end| match end {
            End::Recorded(index) => Some(*index),
            End::Silent | End::Suppressed(_) => None,
        })
    }

    pub(super) fn suppressors(&self) -> impl Iterator<Item = usize> {
        self.ends.iter().filter_map(|end| match end {
            End::Suppressed(index) => Some(*index),
            End::Silent | End::Recorded(_) => None,
        })
    }
}

/// Which rules are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lens {
    /// All of them.
    All,
    /// All, as if every mount were older than every rule.
    MountsAreOld,
    /// Only those that have something recorded.
    AlwaysOnly,
}

/// How every call on an object ends.
#[derive(Clone, Debug)]
pub(super) struct Survey(pub(super) Vec<Seen>);

impl Survey {
    pub(super) fn new(rules: &[AuditRule], state: &ObjectState, arch: Arch, lens: Lens) -> Self {
        let mut all = Vec::new();
        for point in Point::all(state) {
            let mut rules = standing(rules, point, arch);
            match lens {
                Lens::All => {}
                Lens::MountsAreOld => rules.iter_mut().for_each(trust),
                Lens::AlwaysOnly => rules.retain(|rule| rule.rule.action == ALWAYS),
            }
            for call in CALLS {
                if call.on & point.on != 0 && call.number(arch).is_some() {
                    all.push(Seen {
                        call,
                        on: point.on,
                        ends: ends(&rules, call, arch),
                    });
                }
            }
        }
        Self(all)
    }

    /// The calls of some permissions.
    pub(super) fn of(&self, kinds: u32) -> impl Iterator<Item = &Seen> {
        self.0.iter().filter(move |seen| seen.call.kind & kinds != 0)
    }

    pub(super) fn is_complete(&self, kinds: u32) -> bool {
        self.of(kinds).all(Seen::is_recorded)
    }

    pub(super) fn is_empty(&self, kinds: u32) -> bool {
        !self.of(kinds).any(Seen::may_be_recorded)
    }

    /// Whether a directory itself is watched and nothing below it.
    pub(super) fn is_own_only(&self) -> bool {
        let at = |on: u8| self.of(WANTED).filter(move |seen| seen.on == on);
        at(on::OWN).count() > 0
            && at(on::OWN).all(Seen::is_recorded)
            && !at(on::WITHIN).any(Seen::may_be_recorded)
    }

    /// Permissions that are not wholly recorded.
    pub(super) fn missing(&self) -> u32 {
        [READ, WRITE, EXECUTE, ATTRIBUTES]
            .into_iter()
            .filter(|kind| !self.is_complete(*kind))
            .sum()
    }

    /// Rules that have calls of some permissions recorded, each once, in order.
    pub(super) fn recorders(&self, kinds: u32) -> Vec<usize> {
        distinct(self.of(kinds).flat_map(Seen::recorders))
    }

    /// Rules that keep calls of some permissions from being recorded.
    pub(super) fn suppressors(&self, kinds: u32) -> Vec<usize> {
        distinct(self.of(kinds).flat_map(Seen::suppressors))
    }
}

/// Each once, in order. Many calls find the same rules.
pub(super) fn distinct(found: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut is_there = Vec::new();
    for index in found {
        if index >= is_there.len() {
            is_there.resize(index + 1, false);
        }
        if let Some(there) = is_there.get_mut(index) {
            *there = true;
        }
    }
    let indices = is_there.iter().enumerate().filter(|(_, there)| **there);
    indices.map(|(index, _)| index).collect()
}

fn trust(standing: &mut Standing<'_>) {
    let old = |fit| if fit == Fit::Mount { Fit::Yes } else { fit };
    if standing.rule.action == ALWAYS {
        standing.place = match standing.place {
            Place::List(fit) => Place::List(old(fit)),
            Place::Inode {
                object,
                parent,
                watch,
            } => Place::Inode {
                object: old(object),
                parent: old(parent),
                watch,
            },
        };
    }
}
