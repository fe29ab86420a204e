//! Versions of the CIS Docker Benchmark.

use std::fmt;
use std::str::FromStr;

/// A benchmark version. A recommendation's number means nothing without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the versions")]
pub enum Benchmark {
    V1_13_0,
    V1_1_0,
    V1_2_0,
    V1_3_1,
    V1_4_0,
    V1_5_0,
    V1_6_0,
    V1_7_0,
    V1_8_0,
}

impl Benchmark {
    /// Every version, oldest first.
    pub const ALL: [Self; 9] = [
        Self::V1_13_0,
        Self::V1_1_0,
        Self::V1_2_0,
        Self::V1_3_1,
        Self::V1_4_0,
        Self::V1_5_0,
        Self::V1_6_0,
        Self::V1_7_0,
        Self::V1_8_0,
    ];

    /// The versions from one to another, both included.
    #[must_use]
    pub const fn range(first: Self, last: Self) -> &'static [Self] {
        const ALL: &[Benchmark] = &Benchmark::ALL;
        let (upto, _) = ALL.split_at(last as usize + 1);
        upto.split_at(first as usize).1
    }

    /// The version that suits an engine (`20.10.24`): the newest that was written for it or before. None for one older
    /// than 1.13, or that is no version.
    #[must_use]
    pub fn of_engine(version: &str) -> Option<Self> {
        let mut numbers = version.split(['.', '-', '+']).map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            return None;
        };
        match (major, minor) {
            (0, _) | (1, ..13) => None,
            (1, _) | (17, ..6) => Some(Self::V1_13_0),
            (17, _) | (18, ..9) => Some(Self::V1_1_0),
            (18 | 19, _) => Some(Self::V1_2_0),
            (20, _) => Some(Self::V1_6_0),
            (2..17, _) => None,
            _ => Some(Self::V1_8_0),
        }
    }

    /// Name in options and JSON, `cis-1.6.0`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_13_0 => "cis-1.13.0",
            Self::V1_1_0 => "cis-1.1.0",
            Self::V1_2_0 => "cis-1.2.0",
            Self::V1_3_1 => "cis-1.3.1",
            Self::V1_4_0 => "cis-1.4.0",
            Self::V1_5_0 => "cis-1.5.0",
            Self::V1_6_0 => "cis-1.6.0",
            Self::V1_7_0 => "cis-1.7.0",
            Self::V1_8_0 => "cis-1.8.0",
        }
    }
}

impl fmt::Display for Benchmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Default for Benchmark {
    /// The version whose numbers violations carry unless told otherwise.
    fn default() -> Self {
        Self::V1_6_0
    }
}

impl FromStr for Benchmark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|version| version.name() == text || version.name().strip_prefix("cis-") == Some(text))
            .ok_or_else(|| {
                let known: Vec<_> = Self::ALL.iter().map(|version| version.name()).collect();
                format!("unknown benchmark `{text}`; known are {}", known.join(", "))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_has_its_benchmark() {
        for (version, expect) in [
            ("1.12.6", None),
            ("1.13.0", Some(Benchmark::V1_13_0)),
            ("17.03.2-ce", Some(Benchmark::V1_13_0)),
            ("17.06.0", Some(Benchmark::V1_1_0)),
            ("18.09.1", Some(Benchmark::V1_2_0)),
            ("19.03.15", Some(Benchmark::V1_2_0)),
            ("20.10.24+dfsg1", Some(Benchmark::V1_6_0)),
            ("28.5.2", Some(Benchmark::V1_8_0)),
            ("dev", None),
        ] {
            assert_eq!(Benchmark::of_engine(version), expect, "{version}");
        }
    }

    #[test]
    fn a_range_has_both_its_ends() {
        use Benchmark::{V1_1_0, V1_2_0, V1_3_1};
        assert_eq!(Benchmark::range(V1_1_0, V1_3_1), [V1_1_0, V1_2_0, V1_3_1]);
        assert_eq!(Benchmark::range(V1_2_0, V1_2_0), [V1_2_0]);
    }

    #[test]
    fn names_are_read_back_and_others_refused() {
        for version in Benchmark::ALL {
            assert_eq!(version.name().parse(), Ok(version));
            let bare = version.name().trim_start_matches("cis-");
            assert_eq!(bare.parse(), Ok(version));
        }
        assert!("cis-2.0".parse::<Benchmark>().unwrap_err().contains("cis-1.6.0"));
    }
}
