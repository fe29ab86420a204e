//! Which releases of the engine, containerd and runc are supported: a table as of a day, since nothing is asked over
//! the network. Each line's minimum is its first release without a publicly known vulnerability of at least medium
//! severity; its end is what its project announced.

use std::cmp::Ordering;

use crate::model::Time;

/// The day the table was made.
pub(in crate::check) const TABLE_DATE: &str = "2026-10-15";

/// Component, lowest release of a line that is good, day its support ends.
const TABLE: [(&str, &str, Option<&str>); 7] = [
    // The project fixes only the newest major line.
    ("docker", "29.3.1", None),
    ("containerd", "1.7.29", Some("2026-09-30")),
    ("containerd", "2.2.0", Some("2026-11-06")),
    ("containerd", "2.3.0", Some("2028-04-27")),
    ("runc", "1.3.3", Some("2026-10-31")),
    ("runc", "1.4.0", Some("2027-04-30")),
    ("runc", "1.5.0", Some("2027-10-31")),
];

/// A release: `20.10.24+dfsg1`, `v2.3.7`, `1.4.0-rc.1`, `17.12.1-ce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) struct Version {
    numbers: (u32, u32, u32),
    prerelease: bool,
    /// Whether a distribution built it, which may have taken over fixes without another number.
    pub(in crate::check) patched: bool,
}

impl Version {
    /// Reads a version; the third number may be missing. None for what is none.
    pub(in crate::check) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (numbers, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
        let mut numbers = numbers.split('.').map(str::parse);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            return None;
        };
        let patch = numbers.next().unwrap_or(Ok(0)).ok()?;
        let early = ["-rc", "-beta", "-alpha", "-dev", "~rc", "~beta"];
        Some(Self {
            numbers: (major, minor, patch),
            prerelease: early.iter().any(|mark| rest.starts_with(mark)),
            patched: rest.contains(['+', '~']),
        })
    }

    /// Whether it is of this line or a later one.
    pub(in crate::check) fn is_since(self, major: u32, minor: u32) -> bool {
        self.line() >= (major, minor)
    }

    const fn line(self) -> (u32, u32) {
        (self.numbers.0, self.numbers.1)
    }

    fn is_at_least(self, minimum: Self) -> bool {
        match self.numbers.cmp(&minimum.numbers) {
            Ordering::Greater => true,
            Ordering::Equal => minimum.prerelease || !self.prerelease,
            Ordering::Less => false,
        }
    }
}

/// A line of releases that is, or was, supported.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Line {
    minimum: Version,
    ends: Option<Time>,
}

impl Line {
    /// A line without an announced end. None for what is no version.
    pub(in crate::check) fn from(minimum: &str) -> Option<Self> {
        let minimum = Version::parse(minimum)?;
        Some(Self { minimum, ends: None })
    }
}

/// Lines of a component (`docker`, `containerd`, `runc`) in the table.
pub(in crate::check) fn shipped(component: &str) -> Vec<Line> {
    TABLE
        .iter()
        .filter(|(of, ..)| *of == component)
        .filter_map(|(_, minimum, ends)| {
            Some(Line {
                ends: ends.and_then(day),
                ..Line::from(minimum)?
            })
        })
        .collect()
}

/// Midnight, UTC, of a day of the table.
pub(in crate::check) fn day(date: &str) -> Option<Time> {
    format!("{date}T00:00:00Z").try_into().ok()
}

/// What the lines say of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) enum Support {
    /// It is good.
    Good,
    /// Its line has a better release.
    Below((u32, u32, u32)),
    /// Its line's support ended on that day.
    Ended(Time),
    /// Its line is not supported.
    Unlisted,
}

/// Judges a release at a moment. A line later than all that are listed is good: it is newer than the list.
pub(in crate::check) fn support(version: Version, lines: &[Line], now: Option<Time>) -> Support {
    let newest = lines.iter().map(|line| line.minimum.line()).max();
    if newest.is_some_and(|newest| version.line() > newest) {
        return Support::Good;
    }
    // The table names one release of each major line of the engine, whose minor releases follow each other.
    let same_line = |line: &&Line| line.minimum.line() == version.line();
    let same_major = |line: &&Line| line.minimum.numbers.0 == version.numbers.0;
    let is_only = lines.iter().filter(same_major).count() == 1;
    let own = lines.iter().find(same_line);
    let Some(line) = own.or_else(|| lines.iter().find(same_major).filter(|_| is_only)) else {
        return Support::Unlisted;
    };
    match (line.ends, now) {
        (Some(ends), Some(now)) if ends <= now => Support::Ended(ends),
        _ if version.is_at_least(line.minimum) => Support::Good,
        _ => Support::Below(line.minimum.numbers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::daemon::day as at;

    #[test]
    fn versions_as_projects_and_distributions_write_them() {
        for (text, numbers, prerelease, patched) in [
            ("20.10.24+dfsg1", (20, 10, 24), false, true),
            ("1.6.20~ds1", (1, 6, 20), false, true),
            ("v2.3.7", (2, 3, 7), false, false),
            ("17.12.1-ce", (17, 12, 1), false, false),
            ("1.4.0-rc.1", (1, 4, 0), true, false),
            ("28.5", (28, 5, 0), false, false),
        ] {
            let expect = Version {
                numbers,
                prerelease,
                patched,
            };
            assert_eq!(Version::parse(text), Some(expect), "{text}");
        }
        for text in ["", "dev", "28", "v", "1.x.2", "99999999999.1.1", "ü.1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_table_can_be_read() {
        assert!(day(TABLE_DATE).is_some());
        for (component, minimum, ends) in TABLE {
            assert!(Version::parse(minimum).is_some(), "{component} {minimum}");
            assert!(
                ends.is_none_or(|ends| day(ends).is_some()),
                "{component} {minimum}"
            );
        }
    }

    #[track_caller]
    fn check(component: &str, version: &str, now: &str, expect: Support) {
        let version = Version::parse(version).unwrap();
        assert_eq!(
            support(version, &shipped(component), Some(at(now))),
            expect,
            "{version:?}"
        );
    }

    #[test]
    fn a_line_is_good_from_its_minimum_until_its_end() {
        check("docker", "29.8.2", "2026-10-20", Support::Good);
        check("docker", "30.0.0", "2026-10-20", Support::Good);
        check("docker", "29.3.0", "2026-10-20", Support::Below((29, 3, 1)));
        check("docker", "29.1.5", "2026-10-20", Support::Below((29, 3, 1)));
        check("docker", "28.5.2", "2026-10-20", Support::Unlisted);
        check("docker", "20.10.24+dfsg1", "2026-10-20", Support::Unlisted);
        check("containerd", "2.2.1", "2026-11-05", Support::Good);
        check(
            "containerd",
            "2.2.1",
            "2026-11-06",
            Support::Ended(at("2026-11-06")),
        );
        check("containerd", "2.1.5", "2026-10-20", Support::Unlisted);
        check("containerd", "2.4.0", "2026-10-20", Support::Good);
        check("runc", "1.3.2", "2026-10-20", Support::Below((1, 3, 3)));
        check("runc", "1.4.0-rc.3", "2026-10-20", Support::Below((1, 4, 0)));
    }
}
