//! The catalogue: one file per recommendation, with its numbers, its text, how to assess it and which
//! live observations bear on it. Pure: no I/O, no clock.

mod benchmark;
mod context;
mod support;
#[cfg(test)]
mod testing;

pub use benchmark::Benchmark;
pub use context::{Finding, View};

use crate::model::{Container, Event, Host, Image, Severity, Verdict};

/// One recommendation.
#[derive(Debug)]
pub struct Check {
    /// Stable identity, equal to the file's name with dashes.
    pub key: &'static str,
    /// Title in our words.
    pub title: &'static str,
    /// Section of the benchmark: `host`, `images`, `runtime`, …
    pub section: &'static str,
    /// Level of the benchmark's profile, 1 or 2.
    pub level: u8,
    /// Usual severity of a violation.
    pub severity: Severity,
    /// Number per benchmark version; a version without the recommendation is left out.
    pub numbers: &'static [(Benchmark, &'static str)],
    /// Why it matters and what is looked at, in our words.
    pub about: &'static str,
    /// What to do about a failure.
    pub remedy: &'static str,
    /// How it is assessed from facts.
    pub assess: Assess,
    /// Which live observations bear on it, for people.
    pub signals: &'static [Signal],
    /// Whether an observation breaks it.
    pub observe: fn(&View<'_>) -> Option<Finding>,
}

/// How a recommendation is assessed from facts; the function says what it is judged per.
#[derive(Clone, Copy, Debug)]
pub enum Assess {
    /// Each container.
    Container(fn(&Container, &Host) -> Verdict),
    /// Each image.
    Image(fn(&Image, &Host) -> Verdict),
    /// Items of the host: what each is called, and its verdict.
    Host(fn(&Host) -> Vec<Item>),
    /// Only live observations decide it.
    Live,
}

/// One assessed item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What was judged: a container's name, an account, a path.
    pub subject: String,
    /// Outcome.
    pub verdict: Verdict,
}

/// A live signal, described.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// Kind of the observation ([`Event::kind`]).
    pub kind: &'static str,
    /// What about it breaks the recommendation.
    pub when: &'static str,
}

impl Check {
    /// Number in one benchmark.
    #[must_use]
    pub fn number(&self, benchmark: Benchmark) -> Option<&'static str> {
        self.numbers
            .iter()
            .find(|(of, _)| *of == benchmark)
            .map(|(_, number)| *number)
    }

    /// Whether every privileged container fails it for being privileged. Where one starts or runs
    /// something, `runtime-not-privileged` speaks for all of these.
    #[must_use]
    pub fn is_implied_by_privileged(&self) -> bool {
        runtime_not_privileged::IMPLIES.contains(&self.key)
    }

    /// Whether an observation of this kind may break it.
    #[must_use]
    pub fn listens_to(&self, event: &Event) -> bool {
        self.signals.iter().any(|signal| signal.kind == event.kind())
    }
}

/// Never broken by an observation: the check has only an assessment.
#[must_use]
pub fn no_live_signal(_: &View<'_>) -> Option<Finding> {
    None
}

macro_rules! checks {
    ($($name:ident,)*) => {
        $(mod $name;)*

        /// Every check, in the order of the catalogue.
        pub static ALL: &[&Check] = &[$(&$name::CHECK),*];
    };
}

// One line per check. `cargo xtask tidy` fails on a file that is not listed.
checks! {
    docker_group_trusted_members,
    image_no_setuid_files,
    runtime_not_privileged,
    exec_not_privileged,
    exec_not_root,
    runtime_no_new_privileges,
    runtime_no_docker_socket,
}

/// The check with this key, or this number in this benchmark.
#[must_use]
pub fn find(key_or_number: &str, benchmark: Benchmark) -> Option<&'static Check> {
    ALL.iter()
        .copied()
        .find(|check| check.key == key_or_number || check.number(benchmark) == Some(key_or_number))
}
