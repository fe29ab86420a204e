//! `hullwatch watch`: attach here and now, stream to standard output.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::{Fault, duration, policy};
use crate::check::{self, Benchmark};
use crate::format::{Format, Human};
use crate::model::{CapSet, Policy};
use crate::pipeline::{self, Style, WatchConfig};
use crate::source::engine::Endpoint;
use crate::source::kernel::{CgroupModeChoice, KernelConfig, PROBES};

/// Watch this host: needs root, and a kernel with BTF or audit rules that record what happens. An engine that is down,
/// or comes later, is followed when it is there.
#[derive(Debug, clap::Args)]
pub struct WatchCommand {
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
    /// Shape of the JSON lines; implies --json.
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write everything seen, not violations alone.
    #[arg(long)]
    observations: bool,
    /// Stop after this long: 500ms, 30s, 5m, 2h, 1d.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    lasting: Option<Duration>,
    /// Engine to follow: unix:///PATH, /PATH, or tcp://HOST:PORT [default: $DOCKER_HOST, else the usual sockets].
    #[arg(long, value_name = "URI")]
    engine: Option<String>,
    /// Follow each line by its evidence.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Benchmark whose numbers violations carry.
    #[arg(long, value_name = "ID", default_value_t)]
    benchmark: Benchmark,
    /// What is allowed on this host, in TOML; the options below add to it.
    #[arg(long = "policy", value_name = "FILE")]
    policy_file: Option<PathBuf>,
    /// A user who may drive the engine's socket, by name or number. May be repeated.
    #[arg(long = "trusted-user", value_name = "NAME|UID")]
    trusted_users: Vec<String>,
    /// A capability that containers may have beyond the default set. May be repeated.
    #[arg(long = "allow-cap", value_name = "CAP")]
    allowed_caps: Vec<String>,
    /// A host path that may be mounted into containers. May be repeated.
    #[arg(long = "allow-mount", value_name = "PATH")]
    allowed_mounts: Vec<String>,
    /// A host device that may be passed to containers. May be repeated.
    #[arg(long = "allow-device", value_name = "PATH")]
    allowed_devices: Vec<String>,
    /// A setuid, setgid or file-capability program that images may ship. May be repeated.
    #[arg(long = "allow-setuid", value_name = "PATH")]
    allowed_setuid: Vec<String>,
    /// A further socket through which containers are controlled. May be repeated.
    #[arg(long = "runtime-socket", value_name = "[NAME=]PATH")]
    sockets: Vec<String>,
    /// Do without a probe: exec, connect, mount, namespace or cgroup. May be repeated.
    #[arg(long = "without", value_name = "PROBE")]
    without: Vec<String>,
    /// Skip a rung of a probe, so that the next is tried. May be repeated.
    #[arg(long = "skip-rung", value_name = "PROBE:RUNG", hide_short_help = true)]
    skip_rungs: Vec<String>,
    /// Cgroup hierarchy that tells containers apart: auto, v2 or v1:CONTROLLER.
    #[arg(
        long,
        value_name = "HIERARCHY",
        default_value = "auto",
        hide_short_help = true
    )]
    cgroups: CgroupModeChoice,
}

impl WatchCommand {
    /// Watches.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn run(self) -> Result<ExitCode, Fault> {
        let config = self.into_config()?;
        super::doctor::require_root()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(2)
            .build()
            .map_err(pipeline::PipelineError::Runtime)?;
        let outcome = runtime.block_on(pipeline::watch(config));
        // A request to an engine that hangs is not waited for.
        runtime.shutdown_background();
        outcome?;
        Ok(ExitCode::SUCCESS)
    }

    fn into_config(self) -> Result<WatchConfig, Fault> {
        let engine = match &self.engine {
            Some(uri) => Endpoint::parse(uri),
            None => Endpoint::from_environment(),
        };
        let json = self.json || self.format.is_some();
        let style = if json {
            Style::Json
        } else {
            let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            Style::Human(Human {
                color,
                verbose: self.verbose,
                remedy,
            })
        };
        Ok(WatchConfig {
            engine: engine.map_err(|error| Fault::usage(&error))?,
            style,
            observations: self.observations,
            lasting: self.lasting,
            benchmark: self.benchmark,
            policy: self.policy()?,
            sockets: self
                .sockets
                .iter()
                .map(|text| socket(text))
                .collect::<Result<_, _>>()?,
            kernel: self.kernel()?,
        })
    }

    fn policy(&self) -> Result<Policy, Fault> {
        let mut trusted_uids = Vec::new();
        for user in &self.trusted_users {
            trusted_uids.push(policy::uid("--trusted-user", user)?);
        }
        let mut allowed_caps = CapSet::EMPTY;
        for name in &self.allowed_caps {
            let cap = CapSet::named(name)
                .ok_or_else(|| Fault::usage_text(format!("--allow-cap: there is no capability `{name}`")))?;
            allowed_caps = allowed_caps.or(cap);
        }
        let flags = Policy {
            trusted_uids,
            allowed_caps,
            allowed_devices: self.allowed_devices.clone(),
            allowed_setuid: self.allowed_setuid.clone(),
            allowed_mounts: self.allowed_mounts.clone(),
            ..Policy::default()
        };
        let mut all = self
            .policy_file
            .as_deref()
            .map_or_else(|| Ok(Policy::default()), policy::load)?;
        policy::add(&mut all, flags);
        Ok(all)
    }

    fn kernel(&self) -> Result<KernelConfig, Fault> {
        let known = |name: &str| PROBES.iter().any(|probe| probe.name == name);
        if let Some(unknown) = self.without.iter().find(|name| !known(name)) {
            let names: Vec<_> = PROBES.iter().map(|probe| probe.name).collect();
            return Err(Fault::usage_text(format!(
                "--without: no probe `{unknown}`; there are {}",
                names.join(", ")
            )));
        }
        Ok(KernelConfig {
            cgroups: self.cgroups.clone(),
            without: self.without.clone(),
            skip_rungs: self.skip_rungs.clone(),
            ..KernelConfig::default()
        })
    }
}

fn remedy(key: &str) -> Option<&'static str> {
    check::find(key, Benchmark::default()).map(|check| check.remedy)
}

/// `NAME=PATH`, or a path alone, which then is named after its file.
fn socket(text: &str) -> Result<(String, PathBuf), Fault> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) if !name.contains('/') => (name.to_owned(), PathBuf::from(path)),
        _ => {
            let path = PathBuf::from(text);
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            (stem.unwrap_or_default(), path)
        }
    };
    if name.is_empty() || !path.is_absolute() {
        let wrong = format!("--runtime-socket: `{text}` is not [NAME=]/ABSOLUTE/PATH");
        return Err(Fault::usage_text(wrong));
    }
    Ok((name, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_named_or_named_after_its_file() {
        assert_eq!(
            socket("demo=/tmp/x.sock").unwrap(),
            ("demo".into(), "/tmp/x.sock".into())
        );
        assert_eq!(
            socket("/tmp/a=b/x.sock").unwrap(),
            ("x".into(), "/tmp/a=b/x.sock".into())
        );
        assert!(socket("x.sock").is_err() && socket("=/x").is_err() && socket("").is_err());
    }
}
