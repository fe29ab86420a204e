//! How many tests passed, from what the test runners print.

use std::fmt;

/// Tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

/// Whose output is read. The one prints what the other's summary looks like as part of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    /// The harness of `cargo test`, and those that print as it does.
    Harness,
    /// `cargo nextest`.
    Nextest,
}

impl Counts {
    /// Adds what a line of output tells, where it is a summary.
    pub(super) fn see(&mut self, runner: Runner, line: &str) {
        let line = line.trim();
        let summary = match runner {
            // test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
            Runner::Harness => line
                .strip_prefix("test result: ")
                .and_then(|rest| rest.split_once(". "))
                .map(|(_, counts)| counts.split(';')),
            // Summary [   0.012s] 4 tests run: 3 passed (1 slow), 1 failed, 2 skipped
            Runner::Nextest => line
                .strip_prefix("Summary [")
                .and_then(|rest| rest.split_once(" run: "))
                .map(|(_, counts)| counts.split(',')),
        };
        for count in summary.into_iter().flatten() {
            self.add(count.trim());
        }
    }

    /// One count: `3 passed`.
    fn add(&mut self, count: &str) {
        let Some((number, outcome)) = count.split_once(' ') else {
            return;
        };
        let Ok(number) = number.parse::<u64>() else { return };
        match outcome.split(" (").next().unwrap_or_default() {
            "passed" => self.passed += number,
            "failed" | "timed out" | "exec failed" => self.failed += number,
            "ignored" | "skipped" => self.skipped += number,
            _ => {}
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(runner: Runner, lines: &[&str], expect: &str) {
        let mut counts = Counts::default();
        for line in lines {
            counts.see(runner, line);
        }
        assert_eq!(counts.to_string(), expect);
    }

    #[test]
    fn the_harness_is_read() {
        let lines = [
            "running 4 tests",
            "test a ... ok",
            "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 7 filtered out; finished in 0.01s",
            "test result: ok. 10 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ];
        check(Runner::Harness, &lines, "13 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn nextest_is_read_and_what_it_quotes_is_not() {
        let lines = [
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out",
            "     Summary [   1.234s] 40 tests run: 37 passed (2 slow), 2 failed, 1 timed out, 5 skipped",
        ];
        check(Runner::Nextest, &lines, "37 passed, 3 failed, 5 skipped");
        check(
            Runner::Nextest,
            &["     Summary [   0.5s] 1 test run: 1 passed, 0 skipped"],
            "1 passed, 0 failed, 0 skipped",
        );
    }

    #[test]
    fn other_lines_tell_nothing() {
        check(
            Runner::Harness,
            &[
                "3 passed; 1 failed",
                "test result: ",
                "Summary [ 1s] 1 run: 1 passed",
            ],
            "0 passed, 0 failed, 0 skipped",
        );
    }
}
