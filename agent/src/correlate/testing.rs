//! Checks for tests that must not depend on the catalogue: one of each sort.

use crate::check::{Assess, Check, Finding, View, find, no_live_signal};
use crate::check::{Basis, Benchmark, Signal};
use crate::model::{Class, Container, Event, Host, Severity, Verdict};

const EXEC: Signal = Signal {
    kind: "exec",
    when: "a program of the session runs",
};
const SESSION: Signal = Signal {
    kind: "exec-session",
    when: "a session was made of which no program was seen",
};

const fn check(key: &'static str, severity: Severity, assess: Assess) -> Check {
    Check {
        key,
        title: "A test",
        section: "runtime",
        level: 1,
        early_level: 1,
        scored: &[],
        basis: Basis::Facts,
        severity,
        numbers: &[(Benchmark::V1_6_0, "9.1")],
        about: "",
        remedy: "",
        assess,
        signals: &[],
        observe: no_live_signal,
    }
}

fn fail_if(broken: Option<bool>, reason: &str) -> Verdict {
    match broken {
        Some(true) => Verdict::fail(reason, Vec::new()),
        Some(false) => Verdict::pass(),
        None => Verdict::unknown("not told"),
    }
}

fn capabilities(facts: &Container, _: &Host) -> Verdict {
    fail_if(facts.privileged, "has every capability")
}

fn devices(facts: &Container, _: &Host) -> Verdict {
    fail_if(facts.privileged, "has every device")
}

fn network(facts: &Container, _: &Host) -> Verdict {
    let mode = facts.network_mode.as_deref();
    fail_if(mode.map(|mode| mode == "host"), "uses the host's network")
}

fn user(facts: &Container, _: &Host) -> Verdict {
    fail_if(facts.user.as_deref().map(str::is_empty), "runs as root")
}

fn privileged_session(view: &View<'_>) -> Option<Finding> {
    let session = view.session?;
    let (class, how) = match view.observation.event {
        Event::Exec(_) => (Class::Drift, "ran"),
        _ => (Class::BlindSpot, "was made"),
    };
    let subject = session.command.join(" ");
    (session.privileged == Some(true)).then(|| Finding::new(class, subject, format!("a session {how}")))
}

static CAPABILITIES: Check = check(
    "runtime-capabilities",
    Severity::Medium,
    Assess::Container(capabilities),
);
static DEVICES: Check = check(
    "runtime-no-host-devices",
    Severity::Medium,
    Assess::Container(devices),
);
static NETWORK: Check = check(
    "runtime-no-host-network",
    Severity::High,
    Assess::Container(network),
);
static USER: Check = check("image-non-root-user", Severity::Medium, Assess::Container(user));
static SESSIONS: Check = Check {
    signals: &[EXEC, SESSION],
    observe: privileged_session,
    ..check("exec-not-privileged", Severity::Critical, Assess::Live)
};

/// All of them, the real check of privileged containers first.
pub(crate) fn checks() -> &'static [&'static Check] {
    static ALL: std::sync::OnceLock<[&Check; 6]> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let real = find("runtime-not-privileged", Benchmark::V1_6_0).unwrap();
        [real, &CAPABILITIES, &DEVICES, &NETWORK, &USER, &SESSIONS]
    })
}
