//! A report by chapter: the first component of the numbers.

use crate::model::{Report, ReportRow};

/// Rows whose numbers begin alike.
#[derive(Debug)]
pub(super) struct Chapter<'a> {
    /// `5`.
    pub(super) number: &'a str,
    /// What it is about, in our words.
    pub(super) title: &'static str,
    /// Its rows, in order.
    pub(super) rows: &'a [ReportRow],
}

/// The report's chapters, in its order.
pub(super) fn chapters(report: &Report) -> impl Iterator<Item = Chapter<'_>> {
    let together = report
        .checks
        .chunk_by(|one, next| first(&one.number) == first(&next.number));
    together.map(|rows| {
        let number = rows.first().map_or("", |row| first(&row.number));
        Chapter {
            number,
            title: title(number),
            rows,
        }
    })
}

fn first(number: &str) -> &str {
    number.split('.').next().unwrap_or(number)
}

/// The same in every version of the benchmark.
fn title(number: &str) -> &'static str {
    match number {
        "1" => "Host",
        "2" => "Engine daemon",
        "3" => "Files of the engine daemon",
        "4" => "Images and build files",
        "5" => "Containers at run time",
        "6" => "Operations",
        "7" => "Swarm",
        "8" => "Enterprise",
        _ => "Further checks",
    }
}
