//! What `hullwatch bench` writes for other programs: the shapes that scripts of older tools read, JUnit, SARIF
//! and HTML, of a host whose names and labels try to break them.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Skip, text};
use serde_json::Value;

use crate::bench::{self, Bench, SOUND};
use crate::bench_cli::listed;
use crate::case::cases;

cases! {
    alone:
        docker_bench_security_json,
        docker_bench_security_text,
        docker_bench_json,
        docker_bench_text,
        junit,
        sarif,
        html,
        a_page_for_phones;
}

/// Text that means something in XML, HTML, JSON and to terminals.
const HOSTILE: &str = "\"</script><img src=x onerror=alert(1)>&amp;'\u{1b}[31m\u{202e}\u{0}]]>";
/// What must never come out as it is.
const RAW: [&str; 4] = ["<img src=x", "\u{1b}", "\u{202e}", "</script><img"];

/// A host with a container that fails much, and whose image has hostile labels and history.
fn with_hostile(test: impl FnOnce(&Bench) -> Result<()>) -> Result<()> {
    bench::perform(|bench| {
        bench.doctor(SOUND, "hostile:1", |config| {
            let label = HOSTILE.replace('\u{0}', "");
            let own = config.get_mut("config").context("config")?;
            own["Labels"] = serde_json::json!({ label.clone(): label, "PASSWORD": label });
            own["Env"] = serde_json::json!([format!("API_TOKEN={label}")]);
            let steps = config["history"].as_array_mut().context("history")?;
            for step in steps.iter_mut() {
                step["created_by"] = serde_json::json!(format!("ADD https://h/{label} /x # buildkit"));
            }
            Ok(())
        })?;
        let run = [
            "create", "--name", "hostile", "--user", "0", "--label", "x=\"<b>'", "--volume",
        ];
        let volume = "/etc:/<script>alert('1')&\"";
        let made = bench
            .world
            .docker
            .run(&[&run[..], &[volume, "hostile:1", "true"]].concat());
        let outcome = made.and_then(|_| test(bench));
        bench.world.docker.attempt(&["rm", "--force", "hostile"])?;
        bench.world.docker.attempt(&["rmi", "hostile:1"])?;
        outcome
    })
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| format!("no JSON: {text}"))
}

/// Every key of an object, in any order.
fn has_keys(object: &Value, keys: &[&str]) -> Result<()> {
    for key in keys {
        ensure!(object.get(key).is_some(), "no `{key}` in {object}");
    }
    Ok(())
}

fn list<'a>(object: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    object[key].as_array().with_context(|| format!("no list `{key}`"))
}

/// Verdicts by number, in our own report.
fn verdicts(bench: &Bench) -> Result<BTreeMap<String, Value>> {
    let report = bench.report(&["--benchmark", "cis-1.6.0"])?;
    let rows = report.checks().iter();
    Ok(rows
        .map(|row| (text(row, "number").to_owned(), row.clone()))
        .collect())
}

fn docker_bench_security_json() -> Result<()> {
    with_hostile(|bench| {
        let ours = verdicts(bench)?;
        let args = ["--benchmark", "cis-1.6.0", "--format", "docker-bench-security"];
        let theirs = &json(&bench.text(&[&args[..], &["--json"]].concat())?)?;
        has_keys(
            theirs,
            &["dockerbenchsecurity", "start", "tests", "checks", "score", "end"],
        )?;
        ensure!(theirs["start"].is_u64() && theirs["end"].as_u64() >= theirs["start"].as_u64());
        let mut rows = 0;
        for group in list(theirs, "tests")? {
            has_keys(group, &["id", "desc", "results"])?;
            for row in list(group, "results")? {
                has_keys(row, &["id", "desc", "result", "key"])?;
                rows += 1;
                let own = ours.get(text(row, "id")).context("a number of ours")?;
                let expected: &[&str] = match text(own, "verdict") {
                    "pass" => &["PASS"],
                    "fail" => &["WARN", "NOTE", "PASS"],
                    "not-applicable" => &["INFO"],
                    _ => &["INFO", "NOTE"],
                };
                ensure!(expected.contains(&text(row, "result")), "{row}");
                ensure!(
                    text(row, "id").starts_with(text(group, "id")),
                    "{row} in {}",
                    group["id"]
                );
            }
        }
        ensure!(theirs["checks"] == rows && rows == ours.len(), "{rows} rows");
        let limited = [&args[..], &["--json", "-n", "1", "--check", "image-trusted-base"]].concat();
        let limited = json(&bench.text(&limited)?)?;
        let row = limited.pointer("/tests/0/results/0").context("a row")?;
        ensure!(list(row, "items")?.len() == 1, "{row}");
        ensure!(text(row, "details").ends_with("(truncated)"), "{row}");
        Ok(())
    })
}

fn docker_bench_security_text() -> Result<()> {
    with_hostile(|bench| {
        let log = bench.world.path("dbs.log");
        let path = log.to_str().context("path")?;
        let args = ["--format", "docker-bench-security", "-b", "-p", "-l", path];
        let page = bench.text(&args)?;
        for raw in ["\u{1b}", "\u{202e}"] {
            ensure!(!page.contains(raw), "{raw:?} comes through");
        }
        let rows = |word: &str| page.lines().filter(|line| line.starts_with(word)).count();
        ensure!(
            rows("[PASS] ") > 5 && rows("[WARN] ") > 5 && rows("[INFO] ") > 5,
            "{page}"
        );
        for heading in [
            "Section A",
            "Section B",
            "Section C",
            "[INFO] Checks: ",
            "[INFO] Score: ",
        ] {
            ensure!(page.contains(heading), "no `{heading}`: {page}");
        }
        for line in page.lines().filter(|line| line.starts_with('[')) {
            let (word, rest) = line.split_at(7);
            ensure!(
                ["[PASS] ", "[WARN] ", "[INFO] ", "[NOTE] "].contains(&word),
                "{line}"
            );
            let known = rest.contains(" - ") || rest.starts_with("     * ") || rest.contains(": ");
            ensure!(known, "{line}");
        }
        ensure!(
            std::fs::read_to_string(&log)?.lines().count() == page.lines().count(),
            "the log differs"
        );
        let beside = std::fs::read_to_string(bench.world.path("dbs.log.json"))?;
        has_keys(&json(&beside)?, &["dockerbenchsecurity", "tests"])
    })
}

fn docker_bench_json() -> Result<()> {
    with_hostile(|bench| {
        let args = ["--benchmark", "cis-1.6.0", "--format", "docker-bench", "--json"];
        let theirs = &json(&bench.text(&args)?)?;
        let totals = ["total_pass", "total_fail", "total_warn", "total_info"];
        has_keys(theirs, &["id", "text", "tests"])?;
        has_keys(theirs, &totals)?;
        let (mut sums, mut rows) = ([0; 4], 0);
        for group in list(theirs, "tests")? {
            has_keys(
                group,
                &["section", "desc", "pass", "fail", "warn", "info", "results"],
            )?;
            let results = list(group, "results")?;
            rows += results.len();
            for (sum, (count, state)) in sums.iter_mut().zip(STATES) {
                let counted = results.iter().filter(|row| row["status"] == state).count();
                ensure!(group[count] == counted, "{count} of {}", group["section"]);
                *sum += counted;
            }
            for row in results {
                let keys = [
                    "test_number",
                    "test_desc",
                    "test_info",
                    "status",
                    "actual_value",
                    "scored",
                ];
                has_keys(row, &keys)?;
                ensure!(row["test_info"].is_array() && row["scored"].is_boolean(), "{row}");
            }
        }
        for (total, sum) in totals.into_iter().zip(sums) {
            ensure!(theirs[total] == sum, "{total}: {} is not {sum}", theirs[total]);
        }
        ensure!(
            rows == listed(bench, "cis-1.6.0")? && sums.iter().sum::<usize>() == rows,
            "{rows} rows, {sums:?}"
        );
        Ok(())
    })
}

const STATES: [(&str, &str); 4] = [
    ("pass", "PASS"),
    ("fail", "FAIL"),
    ("warn", "WARN"),
    ("info", "INFO"),
];

fn docker_bench_text() -> Result<()> {
    with_hostile(|bench| {
        let page = bench.text(&["--format", "docker-bench", "--include-test-output"])?;
        for raw in ["\u{1b}", "\u{202e}"] {
            ensure!(!page.contains(raw), "{raw:?} comes through");
        }
        let (rows, rest) = page.split_once("== Remediations ==").context("remediations")?;
        let (_, summary) = rest.split_once("== Summary ==").context("summary")?;
        let lines: Vec<&str> = summary.lines().filter(|line| !line.trim().is_empty()).collect();
        ensure!(lines.len() == 4, "{summary}");
        for (line, (_, state)) in lines.iter().zip(STATES) {
            let count = line
                .strip_suffix(&format!(" checks {state}"))
                .context("a count")?;
            let marked = rows
                .lines()
                .filter(|row| row.starts_with(&format!("[{state}] ")))
                .filter(|row| row.split(' ').nth(1).is_some_and(|number| number.contains('.')));
            // Numbers of groups, `1.1`, look like those of checks.
            ensure!(marked.count() >= count.parse::<usize>()?, "{line}: {rows}");
        }
        let short = ["--format", "docker-bench", "--noresults", "--noremediations"];
        let short = bench.text(&short)?;
        ensure!(
            !short.contains("[PASS]") && !short.contains("Remediations"),
            "{short}"
        );
        let none = ["--format", "docker-bench", "--nosummary"];
        ensure!(!bench.text(&none)?.contains("== Summary =="));
        Ok(())
    })
}

/// Reads XML with another parser than the one that wrote it.
fn parse_xml(bench: &Bench, text: &str, script: &str) -> Result<String> {
    let file = bench.world.path(&bench.world.unique("xml"));
    std::fs::write(&file, text)?;
    let output = Command::new("python3").args(["-c", script]).arg(&file).output();
    let output = output.map_err(|_absent| Skip::because("needs python3"))?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

const SUMS: &str = "import sys, xml.etree.ElementTree as t
root = t.parse(sys.argv[1]).getroot()
assert root.tag == 'testsuites', root.tag
for suite in root:
    cases = suite.findall('testcase')
    assert int(suite.get('tests')) == len(cases)
    assert int(suite.get('failures')) == sum(c.find('failure') is not None for c in cases)
    assert int(suite.get('skipped')) == sum(c.find('skipped') is not None for c in cases)
    assert all(c.get('classname') and c.get('name') for c in cases)
print(len(set(c.get('classname') for c in root.iter('testcase'))))";

fn junit() -> Result<()> {
    with_hostile(|bench| {
        let page = bench.text(&["--benchmark", "cis-1.6.0", "--format", "junit"])?;
        for raw in RAW {
            ensure!(!page.contains(raw), "{raw:?} comes through");
        }
        let classes = parse_xml(bench, &page, SUMS)?;
        ensure!(
            classes == listed(bench, "cis-1.6.0")?.to_string(),
            "{classes} checks"
        );
        Ok(())
    })
}

fn sarif() -> Result<()> {
    with_hostile(|bench| {
        let log = &json(&bench.text(&["--benchmark", "cis-1.6.0", "--format", "sarif"])?)?;
        ensure!(log["version"] == "2.1.0", "{}", log["version"]);
        has_keys(log, &["$schema", "runs"])?;
        let run = log.pointer("/runs/0").context("a run")?;
        let rules = list(run.pointer("/tool/driver").context("driver")?, "rules")?;
        let ids: Vec<&str> = rules.iter().map(|rule| text(rule, "id")).collect();
        let results = list(run, "results")?;
        ensure!(results.len() > 10, "{} results", results.len());
        for result in results {
            let index = result["ruleIndex"]
                .as_u64()
                .and_then(|index| usize::try_from(index).ok());
            let rule = text(result, "ruleId");
            ensure!(ids.contains(&rule), "no rule {rule}");
            ensure!(
                index.is_none_or(|index| ids.get(index) == Some(&rule)),
                "{result}"
            );
            ensure!(
                ["none", "note", "warning", "error"].contains(&text(result, "level")),
                "{result}"
            );
            ensure!(
                result.pointer("/message/text").is_some_and(Value::is_string),
                "{result}"
            );
        }
        let found = results.iter().any(|result| {
            let message = result.pointer("/message/text").and_then(Value::as_str);
            message.is_some_and(|message| message.contains("hostile"))
        });
        ensure!(found, "nothing of the container");
        Ok(())
    })
}

fn html() -> Result<()> {
    with_hostile(|bench| {
        let page = bench.text(&["--format", "html"])?;
        for raw in RAW {
            ensure!(!page.contains(raw), "{raw:?} comes through");
        }
        for outside in [
            "src=\"http",
            "href=\"http",
            "url(http",
            "@import",
            "<script src",
            "<link",
        ] {
            ensure!(!page.contains(outside), "it asks for {outside}");
        }
        ensure!(page.contains("hostile") && page.trim_end().ends_with("</html>"));
        Ok(())
    })
}

/// No line is wider than a phone, whatever the names: the browser says so.
fn a_page_for_phones() -> Result<()> {
    with_hostile(|bench| {
        let page = bench.text(&["--format", "html"])?;
        let framed = format!(
            "<!DOCTYPE html><body style=\"margin:0\"><iframe id=f style=\"border:0;width:360px;height:800px\"></iframe><script>\
             const f = document.getElementById('f'); f.onload = () => {{ const d = f.contentDocument.documentElement; \
             document.title = 'wide ' + d.scrollWidth; }}; f.srcdoc = {};</script>",
            script_text(&page)?
        );
        let file = bench.world.path("phone.html");
        std::fs::write(&file, framed)?;
        let profile = bench.world.path("profile");
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--virtual-time-budget=5000",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("file://{}", file.display()))
            .output();
        let output = output.map_err(|_absent| Skip::because("needs chromium (apt-get install chromium)"))?;
        let dom = String::from_utf8_lossy(&output.stdout);
        let width = dom
            .split_once("<title>wide ")
            .and_then(|(_, rest)| rest.split_once('<'))
            .and_then(|(width, _)| width.parse::<u32>().ok());
        let width =
            width.with_context(|| format!("no answer: {}", String::from_utf8_lossy(&output.stderr)))?;
        ensure!(width <= 360, "the page is {width} pixels wide on a screen of 360");
        Ok(())
    })
}

/// A text as a literal of JavaScript within a page.
fn script_text(text: &str) -> Result<String> {
    Ok(serde_json::to_string(text)?.replace('<', "\\u003c"))
}
