//! x
use anyhow::Result;
/// x
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
/// x
#[derive(Debug, clap::Args)]
pub(crate) struct WorkerArgs {}
pub(crate) fn run(_: &Args) -> Result<bool> {
    Ok(true)
}
pub(crate) fn work(_: &WorkerArgs) -> Result<bool> {
    Ok(true)
}
