//! What watching begins with.

use std::path::PathBuf;
use std::time::Duration;

use super::stand_in::{StandIn, component, trail};
use super::{PipelineError, Style};
use crate::check::Benchmark;
use crate::model::{Policy, Status, StatusState, Time};
use crate::source::audit;
use crate::source::engine::Endpoint;
use crate::source::host::{CgroupError, CgroupVersion, Hierarchy};
use crate::source::kernel::{CgroupModeChoice, Kernel, KernelConfig, ProbeReport, ProbeState, Probes};

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

/// Attaches the probes, and looks for records in the place of those that are missing.
///
/// # Errors
/// [`PipelineError::Kernel`], and [`PipelineError::Blind`] where neither would show anything.
pub(super) fn attach(config: &KernelConfig) -> Result<(Probes, StandIn), PipelineError> {
    let probes = Kernel::start(config).map_err(PipelineError::Kernel)?;
    if probes.reports().iter().all(ProbeReport::is_attached) {
        return Ok((probes, StandIn::default()));
    }
    let look = audit::look();
    let trail = trail(&look);
    let stand_in = StandIn::new(probes.reports(), &trail);
    let probes = stand_in.refuse_blindness(probes, &trail)?;
    Ok((probes, stand_in))
}

/// What is said at the start: of each probe that is not on its first rung, and that watching has begun.
pub(super) fn first_statuses(probes: &Probes, stand_in: &StandIn, time: Time) -> Vec<Status> {
    let absence = match probes {
        Probes::Attached(_) => None,
        Probes::Absent(absence) => Some(Status {
            time,
            state: StatusState::Degraded,
            component: "probes".to_owned(),
            reason: format!("none is attached: {}", absence.reason),
        }),
    };
    let each = probes.reports().iter();
    let each = each.filter_map(|report| probe_status(report, stand_in, time));
    let started = started(probes.reports(), stand_in, time);
    absence.into_iter().chain(each).chain([started]).collect()
}

fn probe_status(report: &ProbeReport, stand_in: &StandIn, time: Time) -> Option<Status> {
    let list = |refused: &[(&str, String)]| {
        refused
            .iter()
            .map(|(rung, reason)| format!("{rung} ({reason})"))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let sees = report.probe.sees;
    let instead = || {
        let worth = stand_in.worth(report.probe.name);
        worth.map_or_else(String::new, |worth| format!("; audit: {worth}"))
    };
    let reason = match &report.state {
        ProbeState::Attached { refused, .. } if refused.is_empty() => return None,
        ProbeState::Attached { rung, refused } => {
            format!(
                "{sees}: seen by {} only, since {} did not attach; see `hullwatch doctor`",
                rung.name,
                list(refused)
            )
        }
        ProbeState::Declined => format!("{sees}: not seen by a probe, as asked{}", instead()),
        ProbeState::Failed(refused) => format!(
            "{sees}: not seen by a probe, since {} did not attach{}",
            list(refused),
            instead()
        ),
        // Why is said once, of all.
        ProbeState::NotLoaded(_) => format!("{sees}: not seen by a probe{}", instead()),
    };
    Some(Status {
        time,
        state: StatusState::Degraded,
        component: component(report.probe),
        reason,
    })
}

/// The line that says that watching has begun.
fn started(reports: &[ProbeReport], stand_in: &StandIn, time: Time) -> Status {
    let attached = reports.iter().filter(|report| report.is_attached());
    let attached: Vec<_> = attached.map(|report| report.probe.name).collect();
    let by_records = stand_in.told().join(", ");
    let what = match (attached.is_empty(), by_records.is_empty()) {
        (false, true) => attached.join(", "),
        (false, false) => format!("{}; by audit records {by_records}", attached.join(", ")),
        (true, _) => format!("by audit records alone: {by_records}"),
    };
    Status {
        time,
        state: StatusState::Started,
        component: "hullwatch".to_owned(),
        reason: format!("watching {what}"),
    }
}
