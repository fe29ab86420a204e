//! Every end-to-end suite in one binary: one link, one engine, one thread. `cargo test -p hullwatch-tests --test
//! e2e [FILTER]`; it needs root, a Docker engine's programs and a built `hullwatch`. What cannot run here is
//! skipped, by name and with the reason.

mod arrivals;
mod audit_daemon;
mod audit_feed;
mod audit_live;
mod audit_proof;
mod audit_refusals;
mod audit_rules;
mod audited;
mod bench;
mod bench_cli;
mod bench_daemon;
mod bench_files;
mod bench_formats;
mod bench_host;
mod bench_images;
mod bench_runtime;
mod bench_swarm;
mod case;
mod commands;
mod configuration;
mod drift;
mod engine;
mod fixture;
mod flood;
mod fooled;
mod mounts;
mod own_stage;
mod plugin;
mod posture;
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
    posture::CASES,
    drift::CASES,
    arrivals::CASES,
    fooled::CASES,
    audit_feed::CASES,
    audit_rules::CASES,
    audit_proof::CASES,
    bench_images::CASES,
    bench_runtime::CASES,
    bench_cli::CASES,
    bench_formats::CASES,
    bench_daemon::CASES,
    bench_files::CASES,
    bench_host::CASES,
    bench_swarm::CASES,
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
    bench::strike();
    own_stage::strike();
    match case::tell_skips() {
        Ok(()) => conclusion.exit_code(),
        Err(_) => ExitCode::FAILURE,
    }
}
