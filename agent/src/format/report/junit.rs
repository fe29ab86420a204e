//! JUnit XML: one test case per check, one per failing item.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::super::visible;
use super::chapter::{Chapter, chapters};
use super::old::visible_lines;
use crate::model::{Report, ReportRow, Severity, VerdictKind};

type Xml = Writer<Vec<u8>>;

/// What a test case says beside its name.
enum Outcome<'a> {
    Passed,
    Failed {
        severity: Option<Severity>,
        reason: &'a str,
        remedy: &'a str,
    },
    Skipped(String),
}

/// One `testcase`.
struct Case<'a> {
    name: String,
    outcome: Outcome<'a>,
}

/// The document.
pub(super) fn xml(report: &Report) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let name = format!("{} on {}", report.benchmark, visible(&report.host.name));
    let time = report.time.to_string();
    xml.create_element("testsuites")
        .with_attributes([("name", name.as_str()), ("timestamp", &time)])
        .write_inner_content(|xml| chapters(report).try_for_each(|one| suite(report, &one, xml)))?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

fn suite(report: &Report, chapter: &Chapter<'_>, xml: &mut Xml) -> io::Result<()> {
    let rows: Vec<_> = chapter.rows.iter().map(|row| (row, cases(row))).collect();
    let count = |which: fn(&Outcome<'_>) -> bool| {
        let all = rows.iter().flat_map(|(_, cases)| cases);
        all.filter(|case| which(&case.outcome)).count().to_string()
    };
    let name = format!("{} {}", chapter.number, chapter.title);
    let (tests, failures, skipped) = (
        count(|_| true),
        count(|outcome| matches!(outcome, Outcome::Failed { .. })),
        count(|outcome| matches!(outcome, Outcome::Skipped(_))),
    );
    xml.create_element("testsuite")
        .with_attributes([
            ("name", name.as_str()),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", "0"),
            ("skipped", &skipped),
        ])
        .write_inner_content(|xml| {
            for (row, cases) in &rows {
                let class = format!("{}.{}", report.benchmark, row.key);
                for one in cases {
                    case(&class, one, xml)?;
                }
            }
            Ok(())
        })?;
    Ok(())
}

fn cases(row: &ReportRow) -> Vec<Case<'_>> {
    let name = format!("{} {}", row.number, row.title);
    let outcome = match row.verdict {
        VerdictKind::Pass => Outcome::Passed,
        VerdictKind::NotApplicable => Outcome::Skipped(format!("not applicable: {}", visible(&row.reason))),
        VerdictKind::Unknown => Outcome::Skipped(format!("unknown: {}", visible(&row.reason))),
        VerdictKind::Fail => {
            let failing = row.items.iter().filter(|item| item.verdict == VerdictKind::Fail);
            return failing
                .map(|item| Case {
                    name: format!("{name}: {}", visible(&item.item)),
                    outcome: Outcome::Failed {
                        severity: item.severity,
                        reason: &item.reason,
                        remedy: item.remedy.as_ref().unwrap_or(&row.remedy),
                    },
                })
                .collect();
        }
    };
    vec![Case { name, outcome }]
}

fn case(class: &str, case: &Case<'_>, xml: &mut Xml) -> io::Result<()> {
    let element = xml
        .create_element("testcase")
        .with_attributes([("classname", class), ("name", &case.name)]);
    match &case.outcome {
        Outcome::Passed => element.write_empty()?,
        Outcome::Skipped(why) => element.write_inner_content(|xml| {
            xml.create_element("skipped")
                .with_attribute(("message", why.as_str()))
                .write_empty()?;
            Ok(())
        })?,
        Outcome::Failed {
            severity,
            reason,
            remedy,
        } => element.write_inner_content(|xml| {
            let reason = visible(reason);
            let kind = severity.map_or("", Severity::name);
            xml.create_element("failure")
                .with_attributes([("type", kind), ("message", &reason)])
                .write_text_content(BytesText::new(&visible_lines(remedy, "  ")))?;
            Ok(())
        })?,
    };
    Ok(())
}
