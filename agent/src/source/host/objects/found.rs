//! The list of objects in the making.

use super::state::Looker;
use crate::model::{Fact, Object, ObjectState, Role};

/// Objects of one host that are kept.
const MAX_OBJECTS: usize = 8192;

/// What was found so far.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) looker: &'a Looker<'a>,
    objects: Vec<Object>,
}

impl<'a> Found<'a> {
    pub(super) const fn new(looker: &'a Looker<'a>) -> Self {
        let objects = Vec::new();
        Self { looker, objects }
    }

    /// The object at an absolute path, there or not; one that is known under another spelling is not listed again.
    pub(super) fn add(&mut self, role: Role, path: &str) {
        self.add_asked(role, path, None);
    }

    /// As [`Found::add`], for one that a unit makes for a group.
    pub(super) fn add_asked(&mut self, role: Role, path: &str, group: Option<&str>) {
        if !path.starts_with('/') {
            return;
        }
        let mut state = self.looker.state(path);
        if let Fact::Known(Some(there)) = &mut state {
            there.asked_group = group.map(str::to_owned);
        }
        self.keep(role, path, state);
    }

    /// The object at an absolute path, if it is there.
    pub(super) fn add_existing(&mut self, role: Role, path: &str) {
        if self.looker.root.has(path) {
            self.add(role, path);
        }
    }

    /// An object that is not there, at the path where it would be.
    pub(super) fn add_absent(&mut self, role: Role, path: &str) {
        self.keep(role, path, Fact::Known(None));
    }

    /// An object that nothing can be said of, and why.
    pub(super) fn add_unknown(&mut self, role: Role, path: &str, why: impl Into<String>) {
        self.keep(role, path, Fact::unknown(why));
    }

    fn keep(&mut self, role: Role, path: &str, state: Fact<Option<ObjectState>>) {
        let known = |other: &Object| other.role == role && is_same(other, path, &state);
        if self.objects.len() < MAX_OBJECTS && !self.objects.iter().any(known) {
            let path = path.to_owned();
            self.objects.push(Object { role, path, state });
        }
    }

    /// Everything found. What is not there is left out where its role has something else, and else said once.
    pub(super) fn finish(self) -> Vec<Object> {
        let mut kept: Vec<Object> = Vec::new();
        for object in &self.objects {
            let of_role = |other: &&Object| other.role == object.role;
            let is_absent = |other: &Object| matches!(other.state, Fact::Known(None));
            if is_absent(object) {
                let otherwise = self.objects.iter().filter(of_role).any(|other| !is_absent(other));
                if otherwise || kept.iter().any(|other| of_role(&other)) {
                    continue;
                }
            }
            kept.push(object.clone());
        }
        kept
    }
}

/// Whether two paths lead by the same directory entries to the same thing: `/var/run/x` and `/run/x`.
fn is_same(known: &Object, path: &str, state: &Fact<Option<ObjectState>>) -> bool {
    match (&known.state, state) {
        (Fact::Known(Some(a)), Fact::Known(Some(b))) => a.resolved == b.resolved && a.parents == b.parents,
        _ => known.path == path,
    }
}
