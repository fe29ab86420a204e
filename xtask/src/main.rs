//! Tasks of the project: `cargo xtask tidy | test | build-ebpf | bench`.

mod bench;
mod console;
mod ebpf;
mod host;
mod process;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check what the compiler does not: layout, registration, sizes, manners
    Tidy,
    /// Run every check and test, in stages; stops at the first stage that fails
    Test(test::Args),
    /// Build the probes and put the object in the tree
    BuildEbpf(ebpf::Args),
    /// Measure what a running `hullwatch watch` costs its host, against the bare machine
    Bench(bench::Args),
    /// One workload of `bench`, in a process of its own
    #[command(hide = true)]
    BenchWorker(bench::WorkerArgs),
}

fn main() -> ExitCode {
    if let Some(code) = ebpf::run_as_rustc_wrapper() {
        return code;
    }
    let done = match Args::parse().task {
        Task::Tidy => tidy::run(),
        Task::Test(args) => test::run(&args),
        Task::BuildEbpf(args) => ebpf::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::BenchWorker(args) => bench::work(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            console::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
