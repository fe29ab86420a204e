//! The catalogue as a page of the documentation.

use std::io::{self, Write};

use crate::check::{ALL, Assess, Basis, Benchmark, Check, SECTIONS};

/// Writes the page.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "# Checks\n\n\
         Made by `hullwatch checks list --markdown`; a test holds this page to the catalogue, and \
         `UPDATE_GOLDEN=1 cargo test -p hullwatch --lib checks::` rewrites it.\n\n\
         What decides a check:\n\n\
         | word | meaning |\n|---|---|\n\
         | facts | facts of the host, its engine, containers and images |\n\
         | live | only what is observed while Hullwatch watches |\n\
         | heuristic | signs, which may mislead: the verdict says how sure it is |\n\
         | attested | a dated statement in the policy file |\n\
         | withdrawn | nothing any more: its product is gone |\n\n\
         *Scored* are the versions that score a recommendation, or call its assessment automated. A check with a \
         signal is also decided, or assessed anew, when that is observed.\n"
    )?;
    counts(out)?;
    for section in SECTIONS {
        let checks: Vec<_> = ALL.iter().filter(|check| check.section == section).collect();
        if checks.is_empty() {
            continue;
        }
        writeln!(out, "\n## {section}\n\n{HEAD}")?;
        for check in &checks {
            row(check, out)?;
        }
        for check in &checks {
            detail(check, out)?;
        }
    }
    Ok(())
}

const HEAD: &str = "\
| check | 1.13.0 | 1.1.0 | 1.2.0 | 1.3.1 | 1.4.0 | 1.5.0 | 1.6.0 | 1.7.0 | 1.8.0 | level | decided by | judged per | signals |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

fn counts(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "## Counts\n\n\
         | benchmark | checks | by facts or live | heuristic | attested | withdrawn | with a signal | scored |\n\
         |---|---|---|---|---|---|---|---|"
    )?;
    for benchmark in Benchmark::ALL {
        let all: Vec<_> = ALL
            .iter()
            .filter(|check| check.number(benchmark).is_some())
            .collect();
        let by = |wanted: &[Basis]| all.iter().filter(|check| wanted.contains(&check.basis)).count();
        writeln!(
            out,
            "| {benchmark} | {} | {} | {} | {} | {} | {} | {} |",
            all.len(),
            by(&[Basis::Facts, Basis::Live]),
            by(&[Basis::Heuristic]),
            by(&[Basis::Attested]),
            by(&[Basis::Withdrawn]),
            all.iter().filter(|check| !check.signals.is_empty()).count(),
            all.iter()
                .filter(|check| check.scored.contains(&benchmark))
                .count(),
        )?;
    }
    Ok(())
}

fn row(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let numbers = Benchmark::ALL.map(|benchmark| check.number(benchmark).unwrap_or("-"));
    let mut signals: Vec<_> = check.signals.iter().map(|signal| signal.kind).collect();
    signals.dedup();
    let level = if check.level == check.early_level {
        check.level.to_string()
    } else {
        format!("{}, until 1.1.0 {}", check.level, check.early_level)
    };
    writeln!(
        out,
        "| [{key}](#{key}) | {} | {level} | {} | {} | {} |",
        numbers.join(" | "),
        basis(check.basis),
        judged(check),
        if signals.is_empty() {
            "-".to_owned()
        } else {
            signals.join(", ")
        },
        key = check.key,
    )
}

fn detail(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    let scored: Vec<_> = check
        .scored
        .iter()
        .map(|of| of.name().trim_start_matches("cis-"))
        .collect();
    writeln!(
        out,
        "\n### {}\n\n**{}** ({} severity{})\n\n{}\n",
        check.key,
        check.title,
        check.severity.name(),
        if scored.is_empty() {
            String::new()
        } else {
            format!("; scored in {}", scored.join(", "))
        },
        check.about,
    )?;
    for signal in check.signals {
        writeln!(out, "- live, `{}`: {}", signal.kind, signal.when)?;
    }
    writeln!(out, "- remedy: {}", check.remedy)
}

const fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Facts => "facts",
        Basis::Live => "live",
        Basis::Heuristic => "heuristic",
        Basis::Attested => "attested",
        Basis::Withdrawn => "withdrawn",
    }
}

const fn judged(check: &Check) -> &'static str {
    match check.assess {
        Assess::Container(_) => "container",
        Assess::Image(_) => "image",
        Assess::Host(_) => "item of the host",
        Assess::Live => "-",
    }
}
