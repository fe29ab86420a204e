//! Options of `hullwatch bench`: ours, and those of docker-bench and docker-bench-security.

use std::path::PathBuf;

use super::old_names;
use super::scope::Scope;
use super::select::Selection;
use crate::check::Benchmark;
use crate::cli::{Fault, policy};
use crate::format::ReportFormat;
use crate::model::{Policy, Severity};
use crate::source::engine::Endpoint;

/// Assess this host, or a recorded one, and report. Nothing is changed, started or written to the host; what
/// cannot be looked at, without root or an engine, is unknown with the reason.
#[derive(Debug, clap::Args)]
#[command(disable_version_flag = true)]
pub struct BenchCommand {
    /// Benchmark to assess by [default: the one for the engine's version, else cis-1.6.0].
    #[arg(long, value_name = "ID", value_parser = old_names::benchmark)]
    pub(super) benchmark: Option<Benchmark>,
    /// Engine version whose benchmark to assess by.
    #[arg(long, value_name = "ENGINE", value_parser = old_names::engine_version, conflicts_with = "benchmark")]
    pub(super) version: Option<Benchmark>,
    /// Only these checks: numbers, keys, sections, level:1, level:2, or patterns like 5.* and runtime-*.
    #[arg(short, long = "check", value_name = "ID,..")]
    check: Vec<String>,
    /// Not these checks, named in the same ways.
    #[arg(short, long = "exclude", value_name = "ID,..")]
    exclude: Vec<String>,
    /// Only checks of this level of the benchmark's profile or below.
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=2))]
    level: Option<u8>,
    /// Only checks that the benchmark scores, or calls automated.
    #[arg(long)]
    scored: bool,
    /// Only these containers: a name with * and ?, label=KEY[=VALUE], or an expression in CEL.
    #[arg(long = "only-container", value_name = "PATTERN")]
    only_containers: Vec<String>,
    /// Not these containers.
    #[arg(long = "skip-container", value_name = "PATTERN")]
    skip_containers: Vec<String>,
    /// Only these images.
    #[arg(long = "only-image", value_name = "PATTERN")]
    only_images: Vec<String>,
    /// Not these images.
    #[arg(long = "skip-image", value_name = "PATTERN")]
    skip_images: Vec<String>,
    /// One JSON object: ours, or in the shape that --format names.
    #[arg(long)]
    pub(super) json: bool,
    /// Shape of the report: human, json, docker-bench-security, docker-bench, junit, sarif or html.
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<ReportFormat>,
    /// Write the report to this file instead of standard output.
    #[arg(long = "outputfile", visible_alias = "output", value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Exit with 1 where a check fails this badly or worse: info, low, medium, high or critical.
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    pub(super) fail_on: Option<Severity>,
    /// Engine to ask: unix:///PATH, /PATH, or tcp://HOST:PORT [default: $DOCKER_HOST, else the usual sockets].
    #[arg(long, value_name = "URI")]
    engine: Option<String>,
    /// What is allowed on this host, in TOML.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Assess recorded facts instead of this host.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["engine", "record"])]
    pub(super) snapshot: Option<PathBuf>,
    /// Record the facts that were assessed, for --snapshot.
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// Write every item, not only the first few that fail.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Write what to do about failures.
    #[arg(short = 'p', long)]
    pub(super) remedies: bool,
    /// Write no remedies.
    #[arg(long = "noremediations", conflicts_with = "remedies")]
    pub(super) no_remedies: bool,
    /// Write no rows.
    #[arg(long = "noresults")]
    pub(super) no_results: bool,
    /// Write no summary.
    #[arg(long = "nosummary")]
    pub(super) no_summary: bool,
    /// Write what was found (docker-bench's text).
    #[arg(long)]
    pub(super) include_test_output: bool,
    /// Use no colours.
    #[arg(short = 'b', long)]
    pub(super) no_color: bool,
    /// Write the text to this file as well, and JSON to FILE.json.
    #[arg(short = 'l', long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// List this many items of a check in docker-bench-security's shape; 0 is all.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 0)]
    pub(super) limit: usize,
    /// Users who may drive the engine's socket, by name or number.
    #[arg(
        short = 'u',
        long = "trusted-user",
        value_name = "USER,..",
        value_delimiter = ','
    )]
    trusted_users: Vec<String>,
    /// Only containers and images whose names contain one of these.
    #[arg(short = 'i', long, value_name = "TEXT,..", value_delimiter = ',')]
    include: Vec<String>,
    /// Not containers and images whose names contain one of these.
    #[arg(short = 'x', long, value_name = "TEXT,..", value_delimiter = ',')]
    omit: Vec<String>,
    /// Only containers with one of these labels.
    #[arg(short = 't', long, value_name = "KEY[=VALUE],..", value_delimiter = ',')]
    label: Vec<String>,
}

impl BenchCommand {
    pub(super) fn selection(&self) -> Selection {
        Selection {
            only: self.check.clone(),
            without: self.exclude.clone(),
            level: self.level,
            scored: self.scored,
        }
    }

    /// Ours and those of docker-bench-security, whose patterns are parts of names.
    pub(super) fn scope(&self) -> Scope {
        let parts = |texts: &[String]| texts.iter().map(|text| format!("*{text}*")).collect::<Vec<_>>();
        let labels = self.label.iter().map(|label| format!("label={label}"));
        let with = |own: &[String], more: Vec<String>| [own.to_vec(), more].concat();
        let mut only_containers = with(&self.only_containers, parts(&self.include));
        only_containers.extend(labels);
        Scope {
            only_containers,
            skip_containers: with(&self.skip_containers, parts(&self.omit)),
            only_images: with(&self.only_images, parts(&self.include)),
            skip_images: with(&self.skip_images, parts(&self.omit)),
        }
    }

    /// The policy, where one is given by file or flag.
    pub(super) fn policy(&self) -> Result<Option<Policy>, Fault> {
        let file = self.policy.as_deref().map(policy::load).transpose()?;
        if self.trusted_users.is_empty() {
            return Ok(file);
        }
        let users = self.trusted_users.iter();
        let trusted_uids = users
            .map(|user| policy::uid("--trusted-user", user))
            .collect::<Result<_, _>>()?;
        let mut all = file.unwrap_or_default();
        policy::add(
            &mut all,
            Policy {
                trusted_uids,
                ..Policy::default()
            },
        );
        Ok(Some(all))
    }

    pub(super) fn endpoint(&self) -> Result<Endpoint, Fault> {
        let endpoint = match &self.engine {
            Some(uri) => Endpoint::parse(uri),
            None => Endpoint::from_environment(),
        };
        endpoint.map_err(|error| Fault::usage(&error))
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    const ALL: [Severity; 5] = [
        Severity::Info,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];
    ALL.into_iter()
        .find(|severity| severity.name() == text)
        .ok_or_else(|| format!("levels are {}", ALL.map(Severity::name).join(", ")))
}
