//! What watching begins with.

use std::path::PathBuf;
use std::time::Duration;

use super::{Style, stand_in};
use crate::check::Benchmark;
use crate::model::{Policy, Status, StatusState, Time};
use crate::source::engine::Endpoint;
use crate::source::host::{CgroupError, CgroupVersion, Hierarchy};
use crate::source::kernel::{CgroupModeChoice, KernelConfig, ProbeReport, ProbeState};

/// How to watch.
#[derive(Debug)]
pub struct WatchConfig {
    /// The engine to follow.
    pub engine: Endpoint,
    /// How lines look.
    pub style: Style,
    /// Whether observations are written too.
    pub observations: bool,
    /// How long; forever where none is given.
    pub lasting: Option<Duration>,
    /// Whose numbers violations carry.
    pub benchmark: Benchmark,
    /// What the operator allows.
    pub policy: Policy,
    /// Further runtime sockets: name, path.
    pub sockets: Vec<(String, PathBuf)>,
    /// What the loader is told; the host's namespaces are filled in.
    pub kernel: KernelConfig,
}

/// The hierarchy that the probes look at.
pub(super) fn hierarchy(choice: &CgroupModeChoice) -> Result<Hierarchy, CgroupError> {
    let is_chosen = |hierarchy: &Hierarchy| match (choice, hierarchy.version) {
        (CgroupModeChoice::Auto, _) | (CgroupModeChoice::V2, CgroupVersion::V2) => true,
        (CgroupModeChoice::V1(asked), CgroupVersion::V1(controller)) => asked == controller,
        _ => false,
    };
    Hierarchy::all()?
        .into_iter()
        .find(is_chosen)
        .ok_or(CgroupError::NotMounted)
}

impl WatchConfig {
    /// The operator's sockets and the engine's own, which need be none of the usual ones.
    pub(super) fn all_sockets(&self) -> Vec<(String, PathBuf)> {
        let of_engine = self.engine.socket_path().map(|path| {
            // Only a name for people: usual places are named by what listens there.
            let podman = path.file_name().is_some_and(|name| name == "podman.sock");
            let runtime = if podman { "podman" } else { "docker" };
            (runtime.to_owned(), path.to_owned())
        });
        self.sockets.iter().cloned().chain(of_engine).collect()
    }
}

/// What is said of a probe at the start: nothing of one on its first rung.
pub(super) fn probe_status(report: &ProbeReport, time: Time) -> Option<Status> {
    let list = |refused: &[(&str, String)]| {
        refused
            .iter()
            .map(|(rung, reason)| format!("{rung} ({reason})"))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let sees = report.probe.sees;
    let reason = match &report.state {
        ProbeState::Attached { refused, .. } if refused.is_empty() => return None,
        ProbeState::Attached { rung, refused } => {
            format!(
                "{sees}: seen by {} only, since {} did not attach; see `hullwatch doctor`",
                rung.name,
                list(refused)
            )
        }
        ProbeState::Declined => format!(
            "{sees}: not seen, as asked{}",
            stand_in::instead(report.probe.name)
        ),
        ProbeState::Failed(refused) => format!(
            "{sees}: not seen, since {} did not attach{}",
            list(refused),
            stand_in::instead(report.probe.name)
        ),
    };
    Some(Status {
        time,
        state: StatusState::Degraded,
        component: format!("probe {}", report.probe.name),
        reason,
    })
}

/// The line that says that watching has begun.
pub(super) fn started(reports: &[ProbeReport], time: Time) -> Status {
    let attached: Vec<_> = reports
        .iter()
        .filter(|report| matches!(report.state, ProbeState::Attached { .. }))
        .map(|report| report.probe.name)
        .collect();
    Status {
        time,
        state: StatusState::Started,
        component: "hullwatch".to_owned(),
        reason: format!("watching {}", attached.join(", ")),
    }
}
