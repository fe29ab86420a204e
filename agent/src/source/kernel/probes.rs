//! What became of the probes.

use super::ladder::{PROBES, Probe, Rung};
use super::{Kernel, KernelConfig, KernelError};

/// How one probe fared.
#[derive(Clone, Debug)]
pub struct ProbeReport {
    /// The probe.
    pub probe: &'static Probe,
    /// How it went.
    pub state: ProbeState,
}

impl ProbeReport {
    /// Whether the probe sees something.
    #[must_use]
    pub const fn is_attached(&self) -> bool {
        matches!(self.state, ProbeState::Attached { .. })
    }
}

/// State of a probe.
#[derive(Clone, Debug)]
pub enum ProbeState {
    /// Attached by this rung; the rungs above it and why they did not attach.
    Attached {
        /// The rung.
        rung: &'static Rung,
        /// Rungs tried before.
        refused: Vec<(&'static str, String)>,
    },
    /// Declined by the operator.
    Declined,
    /// No rung attached: each with its reason.
    Failed(Vec<(&'static str, String)>),
    /// The probes could not be loaded, any of them: why, and the remedy.
    NotLoaded(String),
}

/// What became of the probes.
#[derive(Debug)]
pub enum Probes {
    /// At least one is attached.
    Attached(Box<Kernel>),
    /// None is.
    Absent(Absence),
}

/// Why no probe is attached.
#[derive(Debug)]
pub struct Absence {
    /// Each probe, in the order of [`PROBES`].
    pub reports: Vec<ProbeReport>,
    /// What it comes down to, with the remedy.
    pub reason: KernelError,
}

impl Probes {
    /// None could be loaded, or none is asked for.
    pub(super) fn not_loaded(config: &KernelConfig, reason: KernelError) -> Self {
        let state = |probe| match config.declines(probe) {
            true => ProbeState::Declined,
            false => ProbeState::NotLoaded(reason.to_string()),
        };
        let report = |probe| ProbeReport {
            probe,
            state: state(probe),
        };
        let reports = PROBES.iter().map(report).collect();
        Self::Absent(Absence { reports, reason })
    }

    /// How each probe fared, in the order of [`PROBES`].
    #[must_use]
    pub fn reports(&self) -> &[ProbeReport] {
        match self {
            Self::Attached(kernel) => &kernel.reports,
            Self::Absent(absence) => &absence.reports,
        }
    }

    /// Whether the probe of this name is attached.
    #[must_use]
    pub fn sees(&self, name: &str) -> bool {
        let mut reports = self.reports().iter();
        reports.any(|report| report.probe.name == name && report.is_attached())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_that_nobody_wants_are_not_loaded() {
        let without = PROBES.iter().map(|probe| probe.name.to_owned()).collect();
        let config = KernelConfig {
            without,
            ..KernelConfig::default()
        };
        let probes = Kernel::start(&config).unwrap();
        let Probes::Absent(Absence { reports, reason }) = probes else {
            panic!("{probes:?}")
        };
        assert!(matches!(reason, KernelError::Declined));
        assert_eq!(reports.len(), PROBES.len());
        let declined = |report: &ProbeReport| matches!(report.state, ProbeState::Declined);
        assert!(reports.iter().all(declined));
    }

    #[test]
    fn what_keeps_all_probes_from_loading_is_told_of_each_that_was_wanted() {
        let config = KernelConfig {
            without: vec!["mount".to_owned()],
            ..KernelConfig::default()
        };
        let reason = KernelError::Cgroup("none".to_owned());
        let probes = Probes::not_loaded(&config, reason);
        for report in probes.reports() {
            match &report.state {
                ProbeState::Declined => assert_eq!(report.probe.name, "mount"),
                ProbeState::NotLoaded(why) => assert!(why.ends_with(": none"), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
