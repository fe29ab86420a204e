//! The figures of a run, as a table or as JSON.

use std::fmt;

use anyhow::{Context, Result};
use serde::Serialize;

use super::latency::Latency;
use super::round::Round;
use super::statistics::{median, percentile};
use super::workload::Workload;
use super::{exec, proc};

/// The figures of a run. Times are in nanoseconds, unless the name says otherwise.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    kernel: String,
    processors: usize,
    executed: &'static str,
    rounds: usize,
    workloads: Vec<Figures>,
    without: Vec<String>,
    agent_resident_kib: u64,
    agent_peak_resident_kib: u64,
    /// Microseconds of processor time per second in which nothing happens.
    agent_idle_us_per_s: f64,
    /// Null where it was not measured.
    latency: Option<Told>,
}

/// One workload. The ratio is the median of the rounds' own ratios; low and high are its 10th and 90th percentile.
#[derive(Debug, Serialize)]
struct Figures {
    name: &'static str,
    bare_ns: f64,
    watched_ns: f64,
    ratio: f64,
    ratio_low: f64,
    ratio_high: f64,
    /// The agent's own processor time per operation.
    agent_cpu_ns: f64,
}

/// Violations, from the return of the call to the line. Times are null where none was told.
#[derive(Debug, Serialize)]
struct Told {
    made: usize,
    told: usize,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
}

impl Report {
    pub(super) fn new(
        workloads: &[Workload],
        rounds: &[Round],
        latency: Option<&Latency>,
        without: &[String],
    ) -> Result<Self> {
        let figures = workloads
            .iter()
            .enumerate()
            .map(|(at, workload)| Figures::new(workload.name, rounds, at));
        Ok(Self {
            kernel: proc::kernel()?,
            processors: std::thread::available_parallelism()?.get(),
            executed: exec::program(),
            rounds: rounds.len(),
            workloads: figures
                .collect::<Option<_>>()
                .context("a round lacks a workload")?,
            without: without.to_vec(),
            agent_resident_kib: largest(rounds, |round| round.resident.now),
            agent_peak_resident_kib: largest(rounds, |round| round.resident.peak),
            agent_idle_us_per_s: median(
                &rounds
                    .iter()
                    .map(|round| round.idle_cpu / 1e3)
                    .collect::<Vec<_>>(),
            )
            .context("there are no rounds")?,
            latency: latency.map(Told::new),
        })
    }
}

fn largest(rounds: &[Round], of: fn(&Round) -> u64) -> u64 {
    rounds.iter().map(of).max().unwrap_or_default()
}

impl Told {
    fn new(latency: &Latency) -> Self {
        let millis = |percent| percentile(&latency.nanos, percent).map(|nanos| nanos / 1e6);
        Self {
            made: latency.made,
            told: latency.nanos.len(),
            p50_ms: millis(50),
            p99_ms: millis(99),
            max_ms: millis(100),
        }
    }
}

impl Figures {
    fn new(name: &'static str, rounds: &[Round], at: usize) -> Option<Self> {
        let column = |of: fn(&Round) -> &Vec<f64>| -> Option<Vec<f64>> {
            rounds.iter().map(|round| of(round).get(at).copied()).collect()
        };
        let (bare, watched) = (column(|round| &round.bare)?, column(|round| &round.watched)?);
        let ratios: Vec<f64> = bare
            .iter()
            .zip(&watched)
            .map(|(bare, watched)| watched / bare)
            .collect();
        Some(Self {
            name,
            bare_ns: median(&bare)?,
            watched_ns: median(&watched)?,
            ratio: median(&ratios)?,
            ratio_low: percentile(&ratios, 10)?,
            ratio_high: percentile(&ratios, 90)?,
            agent_cpu_ns: median(&column(|round| &round.agent_cpu)?)?,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kernel,
            processors,
            executed,
            rounds,
            ..
        } = self;
        writeln!(
            f,
            "Linux {kernel}, {processors} processors, {rounds} rounds, exec of {executed}\n"
        )?;
        let (bare, watched, agent) = ("bare ns", "watched ns", "agent CPU ns");
        writeln!(
            f,
            "{:<9} {bare:>12} {watched:>12} {:>7} {:>15} {agent:>13}",
            "", "ratio", "p10..p90"
        )?;
        for row in &self.workloads {
            let Figures {
                name,
                bare_ns,
                watched_ns,
                ratio,
                ratio_low,
                ratio_high,
                agent_cpu_ns,
            } = row;
            let spread = format!("{ratio_low:.3}..{ratio_high:.3}");
            writeln!(
                f,
                "{name:<9} {bare_ns:>12.1} {watched_ns:>12.1} {ratio:>7.3} {spread:>15} {agent_cpu_ns:>13.1}"
            )?;
        }
        let mib = |kib: u64| kib as f64 / 1024.0;
        let (now, peak) = (mib(self.agent_resident_kib), mib(self.agent_peak_resident_kib));
        let idle = self.agent_idle_us_per_s;
        writeln!(
            f,
            "\nagent: resident {now:.1} MiB, at the start up to {peak:.1} MiB; idle {idle:.0} µs of CPU per second"
        )?;
        if !self.without.is_empty() {
            writeln!(f, "without: {}", self.without.join(", "))?;
        }
        match &self.latency {
            Some(told) => write!(f, "{told}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            made,
            told,
            p50_ms,
            p99_ms,
            max_ms,
        } = self;
        let shown = |time: &Option<f64>| time.map_or_else(|| "none".to_owned(), |ms| format!("{ms:.2} ms"));
        write!(
            f,
            "violations: {told} of {made} told; after the call returned p50 {}, p99 {}, max {}",
            shown(p50_ms),
            shown(p99_ms),
            shown(max_ms)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::proc::Resident;
    use super::super::workload::WORKLOADS;
    use super::*;

    fn round(bare: f64, watched: f64) -> Round {
        let all = |value| vec![value; WORKLOADS.len()];
        Round {
            bare: all(bare),
            watched: all(watched),
            agent_cpu: all(1.0),
            idle_cpu: 1000.0,
            resident: Resident {
                now: 1024,
                peak: 2048,
            },
        }
    }

    #[test]
    fn ratios_are_those_of_the_rounds() {
        let rounds = [round(100.0, 110.0), round(200.0, 200.0), round(100.0, 150.0)];
        let latency = Latency {
            made: 2,
            nanos: vec![3e6],
        };
        let report = Report::new(WORKLOADS, &rounds, Some(&latency), &[]).unwrap();
        let first = report.workloads.first().unwrap();
        assert_eq!((first.bare_ns, first.watched_ns), (100.0, 150.0));
        assert!((first.ratio - 1.1).abs() < 1e-9);
        let table = report.to_string();
        assert!(table.contains("1 of 2 told"), "{table}");
        assert!(table.contains("p99 3.00 ms"), "{table}");
        assert!(table.contains("2.0 MiB"), "{table}");
    }

    #[test]
    fn nothing_told_is_null_and_not_zero() {
        let latency = Latency {
            made: 1,
            nanos: Vec::new(),
        };
        let report = Report::new(WORKLOADS, &[round(1.0, 1.0)], Some(&latency), &[]).unwrap();
        let json = serde_json::to_value(&report).unwrap();
        assert!(json["latency"]["p99_ms"].is_null());
        assert_eq!(json["latency"]["told"], 0);
    }
}
