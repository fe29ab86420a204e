//! Containers whose health nobody asks for.

use super::support::{config, failed, passed};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Container, ContainerState, Host, Severity, Verdict};

pub(super) static CHECK: Check = Check {
    key: "runtime-healthcheck",
    title: "Running containers are health-checked",
    section: "runtime",
    level: 1,
    early_level: 1,
    scored: Benchmark::range(Benchmark::V1_13_0, Benchmark::V1_5_0),
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "5.26"),
        (Benchmark::V1_1_0, "5.26"),
        (Benchmark::V1_2_0, "5.26"),
        (Benchmark::V1_3_1, "5.26"),
        (Benchmark::V1_4_0, "5.26"),
        (Benchmark::V1_5_0, "5.26"),
        (Benchmark::V1_6_0, "5.27"),
        (Benchmark::V1_7_0, "5.27"),
        (Benchmark::V1_8_0, "5.27"),
    ],
    about: "A process that runs need not work: only a health check tells. The engine's state of health \
            decides while the container runs, else the check that it is configured with or has from its \
            image. A check that was switched off is none, and a container that is unhealthy by its own \
            check fails.",
    remedy: "Add HEALTHCHECK to the image, or --health-cmd to the container",
    assess: Assess::Container(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container starts without a health check, or its health changes",
    }],
    observe: no_live_signal,
};

fn assess(container: &Container, _: &Host) -> Verdict {
    let life = &container.life;
    let test = life.healthcheck.as_deref();
    let off = test
        .and_then(<[String]>::first)
        .is_some_and(|word| word == "NONE");
    let has_test = test.is_some_and(|test| !test.is_empty()) && !off;
    let runs = container.state == ContainerState::Running;
    let fail = |clause: &str| {
        let shown = serde_json::json!({ "Test": test, "Status": life.health });
        failed(
            container,
            CHECK.severity,
            clause,
            vec![config("State.Health", shown)],
        )
    };
    match life.health.as_deref().filter(|_| runs) {
        Some("healthy") => passed(container, "is healthy by its health check"),
        Some("starting") => passed(
            container,
            "has a health check, which has not come to a result yet",
        ),
        Some("unhealthy") => fail("is unhealthy by its own health check"),
        _ if off => fail("has its health check switched off"),
        Some("none") => fail("runs without a health check"),
        _ if has_test => passed(container, "has a health check"),
        _ if test.is_some() => fail("has no health check"),
        _ => Verdict::unknown("the engine does not say whether the container has a health check"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_fails, assert_passes, assert_unknown, judge};
    use super::*;

    #[track_caller]
    fn check(test: Option<&[&str]>, health: Option<&str>, state: ContainerState) -> Verdict {
        judge(&CHECK, |container, _| {
            container.state = state;
            container.life.healthcheck = test.map(|test| test.iter().map(|&word| word.into()).collect());
            container.life.health = health.map(Into::into);
        })
    }

    const TEST: Option<&[&str]> = Some(&["CMD", "true"]);
    use ContainerState::{Created, Running};

    #[test]
    fn pass_a_check_that_runs_or_will() {
        assert_passes(&check(TEST, Some("healthy"), Running));
        assert_passes(&check(TEST, Some("starting"), Running));
        assert_passes(&check(TEST, Some("none"), Created));
        assert_passes(&check(TEST, None, Running));
    }

    #[test]
    fn fail_none_one_switched_off_and_an_unhealthy_container() {
        let low = Severity::Low;
        assert_fails(
            &check(Some(&[]), Some("none"), Running),
            low,
            "runs without a health check",
        );
        assert_fails(&check(Some(&[]), None, Created), low, "has no health check");
        for state in [Created, Running] {
            let off = check(Some(&["NONE"]), Some("none"), state);
            assert_fails(&off, low, "has its health check switched off");
        }
        assert_fails(&check(TEST, Some("unhealthy"), Running), low, "is unhealthy");
        assert_fails(&check(TEST, Some("none"), Running), low, "runs without");
    }

    #[test]
    fn unknown_where_nobody_says() {
        assert_unknown(
            &check(None, None, Running),
            "whether the container has a health check",
        );
    }
}
