//! Reports of an assessment: for people, for machines, and in the shapes of older tools. Pure.

mod chapter;
mod docker_bench;
mod docker_bench_security;
mod html;
mod human;
mod junit;
mod old;
mod sarif;
mod shared;
mod wrap;

use std::str::FromStr;

use crate::model::Report;

/// A shape of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportFormat {
    /// For people.
    #[default]
    Human,
    /// Our own: one JSON object, as `docs/schema/bench.schema.json` describes.
    Json,
    /// As docker-bench-security writes it.
    DockerBenchSecurity,
    /// As docker-bench writes it.
    DockerBench,
    /// JUnit XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
    /// One HTML file.
    Html,
}

/// What of a report is written, and how.
#[derive(Clone, Copy, Debug)]
pub struct ReportView {
    /// Whether to colour; for terminals only.
    pub color: bool,
    /// Columns at which lines for people are broken; `None` where a program may read them line by line.
    pub width: Option<usize>,
    /// Whether every item is written, not only the first few failing ones, and every row with its reason.
    pub verbose: bool,
    /// Whether rows are written.
    pub results: bool,
    /// Whether the summary is written.
    pub summary: bool,
    /// Whether remedies are written.
    pub remedies: bool,
    /// Whether docker-bench's text shows what was found.
    pub test_output: bool,
    /// Items of a row that docker-bench-security's shapes list; 0 is all.
    pub limit: usize,
    /// Whether the shapes of older tools are JSON rather than text.
    pub json: bool,
}

impl Default for ReportView {
    fn default() -> Self {
        Self {
            color: false,
            width: None,
            verbose: false,
            results: true,
            summary: true,
            remedies: false,
            test_output: false,
            limit: 0,
            json: false,
        }
    }
}

/// The report in a shape, with a line feed at its end.
///
/// # Errors
/// A value that does not become JSON or XML; no value of the model is one today.
pub fn render(report: &Report, format: ReportFormat, view: &ReportView) -> Result<String, RenderError> {
    Ok(match format {
        ReportFormat::Human => human::text(report, view),
        ReportFormat::Json => serde_json::to_string(report)? + "\n",
        ReportFormat::DockerBenchSecurity if view.json => docker_bench_security::json(report, view)? + "\n",
        ReportFormat::DockerBenchSecurity => docker_bench_security::text(report, view),
        ReportFormat::DockerBench if view.json => docker_bench::json(report, view)? + "\n",
        ReportFormat::DockerBench => docker_bench::text(report, view),
        ReportFormat::Junit => junit::xml(report)?,
        ReportFormat::Sarif => sarif::json(report)? + "\n",
        ReportFormat::Html => html::page(report),
    })
}

/// A report could not be written in a shape.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// As JSON.
    #[error("the report could not be written as JSON")]
    Json(#[from] serde_json::Error),
    /// As XML.
    #[error("the report could not be written as XML")]
    Xml(#[from] std::io::Error),
}

impl ReportFormat {
    /// Every shape.
    pub const ALL: [Self; 7] = [
        Self::Human,
        Self::Json,
        Self::DockerBenchSecurity,
        Self::DockerBench,
        Self::Junit,
        Self::Sarif,
        Self::Html,
    ];

    /// Name in options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::DockerBenchSecurity => "docker-bench-security",
            Self::DockerBench => "docker-bench",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Html => "html",
        }
    }
}

impl FromStr for ReportFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| {
                format!(
                    "there is no format `{text}`; there are {}",
                    Self::ALL.map(Self::name).join(", ")
                )
            })
    }
}

#[cfg(test)]
mod tests;
