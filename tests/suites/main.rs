//! Every end-to-end suite in one binary: one link, one engine, one thread. `cargo test -p hullwatch-tests --test
//! e2e [FILTER]`; it needs root, a Docker engine's programs and a built `hullwatch`. What cannot run here is
//! skipped, by name and with the reason.

mod audit_daemon;
mod audit_live;
mod audit_refusals;
mod audit_rules;
mod case;
mod commands;
mod configuration;
mod engine;
mod fixture;
mod flood;
mod mounts;
mod privileged;
mod refusals;
mod replay;
mod rungs;
mod schema;
mod setuid;
mod sockets;
mod stage;
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, run};

use case::Case;

const SUITES: &[&[Case]] = &[
    world::CASES,
    commands::CASES,
    privileged::CASES,
    setuid::CASES,
    sockets::CASES,
    mounts::CASES,
    configuration::CASES,
    engine::CASES,
    refusals::CASES,
    replay::CASES,
    rungs::CASES,
    flood::CASES,
    audit_rules::CASES,
    audit_refusals::CASES,
    audit_daemon::CASES,
    audit_live::CASES,
];

fn main() -> ExitCode {
    let arguments = Arguments {
        // They share the host.
        test_threads: Some(1),
        ..Arguments::from_args()
    };
    let trials = SUITES.iter().copied().flatten().map(Case::trial).collect();
    let conclusion = run(&arguments, trials);
    stage::strike();
    match case::tell_skips() {
        Ok(()) => conclusion.exit_code(),
        Err(_) => ExitCode::FAILURE,
    }
}
