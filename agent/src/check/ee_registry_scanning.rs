//! Trusted registry scans images.

use super::support::enterprise;
use super::{Assess, Basis, Benchmark, Check, no_live_signal};
use crate::model::Severity;

pub(super) static CHECK: Check = Check {
    key: "ee-registry-scanning",
    title: "Trusted registry scans images",
    section: "enterprise",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_2_0, Benchmark::V1_2_0),
    basis: Basis::Withdrawn,
    severity: Severity::Low,
    numbers: &[(Benchmark::V1_2_0, "8.2.1")],
    about: "The registry of Docker Enterprise was to scan its images. The product is withdrawn and later \
            benchmarks have dropped it: the recommendation does not apply unless containers of it are found, \
            and its settings are then for the operator to look at.",
    remedy: "Move to a product that is still maintained, and follow its vendor's guidance",
    assess: Assess::Host(enterprise),
    signals: &[],
    observe: no_live_signal,
};

#[cfg(test)]
mod tests {
    use super::super::testing::withdrawn;
    use super::*;

    #[test]
    fn not_applicable_without_it() {
        withdrawn::not_applicable_without_it(&CHECK);
    }

    #[test]
    fn unknown_where_it_runs() {
        withdrawn::unknown_where_it_runs(&CHECK);
    }
}
