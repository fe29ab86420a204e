//! A check over everything known: item by item, and in one word.

use super::support::{containers, images};
use super::{Assess, Check};
use crate::model::{ContainerId, Host, Image, Verdict, VerdictKind};

/// What was judged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What people call it: a container's name, an image's tag, a path, an account.
    pub subject: String,
    /// What it is.
    pub of: Of,
    /// Outcome.
    pub verdict: Verdict,
}

/// What sort of thing was judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    /// A container.
    Container(ContainerId),
    /// An image, by its id.
    Image(String),
    /// Something of the host.
    Host,
}

impl Of {
    /// Name in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Container(_) => "container",
            Self::Image(_) => "image",
            Self::Host => "host",
        }
    }
}

/// How people call an image: its first tag, else its id.
#[must_use]
pub fn image_name(image: &Image) -> &str {
    image.tags.first().unwrap_or(&image.id)
}

impl Check {
    /// Judges everything it is about. Where the engine did not list what is to be judged, one item says so.
    #[must_use]
    pub fn evaluate(&self, host: &Host) -> Vec<Judged> {
        match self.assess {
            Assess::Container(assess) => match containers(host) {
                Err(verdict) => unlisted(verdict),
                Ok(all) => all
                    .iter()
                    .map(|container| Judged {
                        subject: container.name.clone(),
                        of: Of::Container(container.id.clone()),
                        verdict: assess(container, host),
                    })
                    .collect(),
            },
            Assess::Image(assess) => match images(host) {
                Err(verdict) => unlisted(verdict),
                Ok(all) => all
                    .iter()
                    .map(|image| Judged {
                        subject: image_name(image).to_owned(),
                        of: Of::Image(image.id.clone()),
                        verdict: assess(image, host),
                    })
                    .collect(),
            },
            Assess::Host(assess) => assess(host)
                .into_iter()
                .map(|item| of_host(item.subject, item.verdict))
                .collect(),
            Assess::Live => vec![of_host(
                "the host".to_owned(),
                Verdict::unknown("only watching decides it: run `hullwatch watch`"),
            )],
        }
    }
}

const fn of_host(subject: String, verdict: Verdict) -> Judged {
    Judged {
        subject,
        of: Of::Host,
        verdict,
    }
}

fn unlisted(verdict: Verdict) -> Vec<Judged> {
    vec![of_host("the engine".to_owned(), verdict)]
}

/// The verdict on all items: one failure fails it, one item that could not be judged leaves it open. Nothing to judge is
/// a pass, for nothing breaks it.
#[must_use]
pub fn worst(verdicts: impl IntoIterator<Item = VerdictKind>) -> VerdictKind {
    const ORDER: [VerdictKind; 4] = [
        VerdictKind::Fail,
        VerdictKind::Unknown,
        VerdictKind::Pass,
        VerdictKind::NotApplicable,
    ];
    let rank = |kind: &VerdictKind| ORDER.iter().position(|other| other == kind);
    verdicts.into_iter().min_by_key(rank).unwrap_or(VerdictKind::Pass)
}

#[cfg(test)]
mod tests {
    use super::super::{Benchmark, find};
    use super::*;

    #[test]
    fn nothing_to_judge_is_a_pass_and_nothing_known_is_not() {
        use VerdictKind::{Fail, NotApplicable, Pass, Unknown};
        assert_eq!(worst([]), Pass);
        assert_eq!(worst([NotApplicable]), NotApplicable);
        assert_eq!(worst([NotApplicable, Pass, Unknown]), Unknown);
        assert_eq!(worst([Pass, Fail, Unknown]), Fail);
    }

    #[test]
    fn an_engine_that_lists_nothing_is_not_one_without_containers() {
        let check = find("runtime-not-privileged", Benchmark::V1_6_0).unwrap();
        let judged = check.evaluate(&Host::default());
        assert_eq!(judged.len(), 1);
        assert_eq!(judged[0].verdict.kind(), VerdictKind::Unknown);
        let idle = Host {
            containers: Some(Vec::new()),
            ..Host::default()
        };
        assert!(check.evaluate(&idle).is_empty());
    }
}
