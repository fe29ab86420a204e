//! The standing verdicts: what every check last said of every container, image and item of the host.

use std::collections::BTreeMap;

use super::bounded::Bounded;
use crate::check::{Assess, Check, worst};
use crate::model::{Container, ContainerId, Host, Image, PostureRef, Time, Verdict, VerdictKind};

/// Containers, and images, whose verdicts are remembered.
const CAPACITY: usize = 4096;
/// Items of the host that failed and are gone, and are no news when they are there again.
const DEPARTED: usize = 4096;
/// What the keys of checks of the audit trail begin with.
pub(super) const TRAIL: &str = "audit-";
/// Keys of the checks that want whole directories audited. Files and sockets come and go: their watch is on the name.
const TREES: [&str; 3] = ["audit-etc-docker", "audit-docker-root", "audit-run-containerd"];
/// Items of the host, over all checks, whose verdicts are remembered.
const HOST_ITEMS: usize = 16_384;

/// One verdict that stands.
#[derive(Clone, Copy, Debug)]
struct Stand {
    kind: VerdictKind,
    since: Time,
    /// The last one that was not `unknown`.
    known: Option<VerdictKind>,
    /// Which standing this is: another number after every mending.
    round: u64,
}

/// One verdict, beside the one it replaces.
#[derive(Debug)]
pub(super) struct Assessed {
    pub(super) check: &'static Check,
    /// What was judged, as people call it.
    pub(super) subject: String,
    /// None where this is the first.
    pub(super) before: Option<VerdictKind>,
    /// The last one that was not `unknown`; none where it was never known.
    pub(super) known: Option<VerdictKind>,
    pub(super) verdict: Verdict,
    /// Whether it is of something that was not there before: then its first failure is news.
    pub(super) arrived: bool,
    /// What tells a failure from the one before the item was mended; 0 for what never was.
    pub(super) round: u64,
}

impl Assessed {
    /// Whether a verdict that was known is another now, or something that arrived fails. One that merely ceases or begins
    /// to apply is not told: it comes and goes with every stop and start.
    pub(super) fn is_change(&self) -> bool {
        let now = self.verdict.kind();
        let applies = |kind| matches!(kind, VerdictKind::Pass | VerdictKind::NotApplicable);
        let differs = match self.before {
            Some(before) => before != now && !(applies(before) && applies(now)),
            None => {
                now == VerdictKind::Fail || (self.known, now) == (Some(VerdictKind::Fail), VerdictKind::Pass)
            }
        };
        let can_differ = self.known.is_some() || (self.arrived && now == VerdictKind::Fail);
        can_differ && differs
    }

    /// Whether what passed, or did not apply, fails now.
    pub(super) fn is_drift(&self) -> bool {
        self.verdict.kind() == VerdictKind::Fail
            && matches!(self.known, Some(VerdictKind::Pass | VerdictKind::NotApplicable))
    }
}

type Standing = BTreeMap<&'static str, Stand>;

#[derive(Debug)]
pub(super) struct Posture {
    checks: &'static [&'static Check],
    /// By check, then by item.
    host: BTreeMap<&'static str, BTreeMap<String, Stand>>,
    /// The worst of each check's items.
    overall: Standing,
    images: Bounded<String, Standing>,
    containers: Bounded<ContainerId, Standing>,
    /// By check and item.
    departed: Bounded<(&'static str, String), ()>,
    /// How many failures were mended so far.
    mendings: u64,
}

impl Posture {
    pub(super) fn new(checks: &'static [&'static Check]) -> Self {
        Self {
            checks,
            host: BTreeMap::new(),
            overall: Standing::new(),
            images: Bounded::new(CAPACITY),
            containers: Bounded::new(CAPACITY),
            departed: Bounded::new(DEPARTED),
            mendings: 0,
        }
    }

    /// Judges a container by its facts.
    pub(super) fn assess_container(&mut self, facts: &Container, host: &Host, at: Time) -> Vec<Assessed> {
        let mut standing = self.containers.remove(&facts.id).unwrap_or_default();
        let mut assessed = Vec::new();
        for check in self.checks {
            if let Assess::Container(assess) = check.assess {
                let verdict = assess(facts, host);
                let noted = note(&mut standing, check.key, verdict.kind(), (at, &mut self.mendings));
                assessed.push(stand(noted, check, &facts.name, verdict));
            }
        }
        // One that is pushed out is assessed anew when its facts come again, and unknown until then.
        drop(self.containers.insert(facts.id.clone(), standing));
        assessed
    }

    /// Judges an image by its facts.
    pub(super) fn assess_image(&mut self, facts: &Image, host: &Host, at: Time) -> Vec<Assessed> {
        let mut standing = self.images.remove(&facts.id).unwrap_or_default();
        let name = crate::check::image_name(facts);
        let mut assessed = Vec::new();
        for check in self.checks {
            if let Assess::Image(assess) = check.assess {
                let verdict = assess(facts, host);
                let noted = note(&mut standing, check.key, verdict.kind(), (at, &mut self.mendings));
                let one = stand(noted, check, name, verdict);
                assessed.push(Assessed {
                    arrived: facts.announced,
                    ..one
                });
            }
        }
        drop(self.images.insert(facts.id.clone(), standing));
        assessed
    }

    /// Judges the host, item by item. An item that is new to a check whose verdict was known is held against that: a
    /// check that passed is broken by one more item that fails.
    pub(super) fn assess_host(&mut self, host: &Host, at: Time) -> Vec<Assessed> {
        let mut assessed = Vec::new();
        for check in self.checks {
            if let Assess::Host(assess) = check.assess {
                let items = assess(host);
                let settled = self.overall.get(check.key).and_then(|stand| stand.known);
                let kind = worst(items.iter().map(|item| item.verdict.kind()));
                note(&mut self.overall, check.key, kind, (at, &mut 0));
                let before = self.host.remove(check.key).unwrap_or_default();
                let mut now = BTreeMap::new();
                for item in items.into_iter().take(HOST_ITEMS) {
                    let old = before.get(&item.subject).copied();
                    let kind = item.verdict.kind();
                    let mut stand = next(old, kind, (at, &mut self.mendings));
                    if old.is_none() {
                        // It may have been there before, and mended before it went.
                        stand.round = self.mendings;
                    }
                    now.insert(item.subject.clone(), stand);
                    let mut departed = || self.departed.remove(&(check.key, item.subject.clone()));
                    let known = match old {
                        Some(old) => old.known,
                        // It failed when it was last there: with an engine come back, a directory moved back.
                        None if departed().is_some() => Some(VerdictKind::Fail),
                        // Another object that is to be audited: no rule was broken by its coming.
                        None if check.key.starts_with(TRAIL) => settled.map(|_| kind),
                        // A check that failed already: the new item breaks what was not broken by it.
                        None => settled.map(|_| VerdictKind::Pass),
                    };
                    assessed.push(Assessed {
                        check,
                        known,
                        before: old.map(|old| old.kind),
                        subject: item.subject,
                        verdict: item.verdict,
                        arrived: false,
                        round: stand.round,
                    });
                }
                for one in gone(check, before, &now) {
                    // One that is pushed out would be told again when it returns.
                    drop(self.departed.insert((check.key, one.subject.clone()), ()));
                    assessed.push(one);
                }
                self.host.insert(check.key, now);
            }
        }
        assessed
    }

    pub(super) fn forget_container(&mut self, id: &ContainerId) {
        self.containers.remove(id);
    }

    pub(super) fn forget_image(&mut self, id: &String) {
        self.images.remove(id);
    }

    /// The standing verdict of a check of the host, over all its items.
    pub(super) fn of_host(&self, key: &str) -> Option<VerdictKind> {
        self.overall.get(key).map(|stand| stand.kind)
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
            Assess::Host(_) => Some(&self.overall),
            Assess::Live => None,
        };
        match standing.and_then(|standing| standing.get(check.key)) {
            Some(stand) => PostureRef {
                verdict: stand.kind,
                since: Some(stand.since),
            },
            None => PostureRef {
                verdict: VerdictKind::Unknown,
                since: None,
            },
        }
    }
}

/// Items that failed and are there no more; and trees that were audited, for their rule went with them and not to what
/// comes in their place.
fn gone(
    check: &'static Check,
    before: BTreeMap<String, Stand>,
    now: &BTreeMap<String, Stand>,
) -> Vec<Assessed> {
    before
        .into_iter()
        .filter(|(subject, _)| !now.contains_key(subject))
        .filter_map(|(subject, old)| {
            let verdict = match old.kind {
                VerdictKind::Fail => Verdict::not_applicable("it is no longer there"),
                VerdictKind::Pass if TREES.contains(&check.key) => Verdict::fail(
                    format!("{subject} is no longer there, and its audit rule does not watch what comes in its place"),
                    Vec::new(),
                ),
                _ => return None,
            };
            Some(Assessed {
                check,
                subject,
                before: Some(old.kind),
                known: old.known,
                verdict,
                arrived: false,
                round: old.round,
            })
        })
        .collect()
}

/// A verdict beside the one before it.
fn stand(
    (old, now): (Option<Stand>, Stand),
    check: &'static Check,
    subject: &str,
    verdict: Verdict,
) -> Assessed {
    Assessed {
        check,
        subject: subject.to_owned(),
        before: old.map(|old| old.kind),
        known: old.and_then(|old| old.known),
        verdict,
        arrived: false,
        round: now.round,
    }
}

/// Notes an outcome; gives what stood before, and what stands now.
fn note(
    standing: &mut Standing,
    key: &'static str,
    kind: VerdictKind,
    when: (Time, &mut u64),
) -> (Option<Stand>, Stand) {
    let old = standing.get(key).copied();
    let now = next(old, kind, when);
    standing.insert(key, now);
    (old, now)
}

/// What stands after an assessment at this time, the mendings counted. The time stands for as long as the verdict does.
fn next(old: Option<Stand>, kind: VerdictKind, (at, mendings): (Time, &mut u64)) -> Stand {
    let since = old.filter(|old| old.kind == kind).map_or(at, |old| old.since);
    let before = old.and_then(|old| old.known);
    let known = match kind {
        VerdictKind::Unknown => before,
        kind => Some(kind),
    };
    let mut round = old.map_or(0, |old| old.round);
    if (before, kind) == (Some(VerdictKind::Fail), VerdictKind::Pass) {
        *mendings += 1;
        round = *mendings;
    }
    Stand {
        kind,
        since,
        known,
        round,
    }
}
