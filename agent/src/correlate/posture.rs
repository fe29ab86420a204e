//! The standing verdicts: what every check last said of every container, image and of the host.

use std::collections::BTreeMap;

use super::bounded::Bounded;
use crate::check::{Assess, Check, worst};
use crate::model::{Container, ContainerId, Host, Image, PostureRef, Time, Verdict, VerdictKind};

/// Containers, and images, whose verdicts are remembered.
const CAPACITY: usize = 4096;

/// Verdict per check, and since when.
type Standing = BTreeMap<&'static str, (VerdictKind, Time)>;

/// One verdict of a container, beside the one it replaces.
#[derive(Debug)]
pub(super) struct Assessed {
    pub(super) check: &'static Check,
    /// None where this is the first.
    pub(super) before: Option<VerdictKind>,
    pub(super) verdict: Verdict,
}

#[derive(Debug)]
pub(super) struct Posture {
    checks: &'static [&'static Check],
    host: Standing,
    images: Bounded<String, Standing>,
    containers: Bounded<ContainerId, Standing>,
}

impl Posture {
    pub(super) fn new(checks: &'static [&'static Check]) -> Self {
        Self {
            checks,
            host: Standing::new(),
            images: Bounded::new(CAPACITY),
            containers: Bounded::new(CAPACITY),
        }
    }

    /// Judges a container by its facts.
    pub(super) fn assess_container(&mut self, facts: &Container, host: &Host, at: Time) -> Vec<Assessed> {
        let mut standing = self.containers.remove(&facts.id).unwrap_or_default();
        let mut assessed = Vec::new();
        for check in self.checks {
            if let Assess::Container(assess) = check.assess {
                let verdict = assess(facts, host);
                let before = stand(&mut standing, check.key, verdict.kind(), at);
                assessed.push(Assessed {
                    check,
                    before,
                    verdict,
                });
            }
        }
        // One that is pushed out is assessed anew when its facts come again, and unknown until then.
        drop(self.containers.insert(facts.id.clone(), standing));
        assessed
    }

    /// Judges an image by its facts.
    pub(super) fn assess_image(&mut self, facts: &Image, host: &Host, at: Time) {
        let mut standing = self.images.remove(&facts.id).unwrap_or_default();
        for check in self.checks {
            if let Assess::Image(assess) = check.assess {
                stand(&mut standing, check.key, assess(facts, host).kind(), at);
            }
        }
        drop(self.images.insert(facts.id.clone(), standing));
    }

    /// Judges the host.
    pub(super) fn assess_host(&mut self, host: &Host, at: Time) {
        for check in self.checks {
            if let Assess::Host(assess) = check.assess {
                stand(
                    &mut self.host,
                    check.key,
                    worst(assess(host).iter().map(|item| item.verdict.kind())),
                    at,
                );
            }
        }
    }

    pub(super) fn forget_container(&mut self, id: &ContainerId) {
        self.containers.remove(id);
    }

    /// The standing verdict on what a violation concerns.
    pub(super) fn of(
        &self,
        check: &Check,
        container: Option<&ContainerId>,
        image: Option<&String>,
    ) -> PostureRef {
        let standing = match check.assess {
            Assess::Container(_) => container.and_then(|id| self.containers.get(id)),
            Assess::Image(_) => image.and_then(|id| self.images.get(id)),
            Assess::Host(_) => Some(&self.host),
            Assess::Live => None,
        };
        match standing.and_then(|standing| standing.get(check.key)) {
            Some(&(verdict, since)) => PostureRef {
                verdict,
                since: Some(since),
            },
            None => PostureRef {
                verdict: VerdictKind::Unknown,
                since: None,
            },
        }
    }
}

/// Notes a verdict; gives the one before it. The time stands for as long as the verdict does.
fn stand(
    standing: &mut Standing,
    check: &'static str,
    verdict: VerdictKind,
    at: Time,
) -> Option<VerdictKind> {
    let before = standing.get(check).map(|(kind, _)| *kind);
    if before != Some(verdict) {
        standing.insert(check, (verdict, at));
    }
    before
}
