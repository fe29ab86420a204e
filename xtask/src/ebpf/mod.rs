//! `cargo xtask build-ebpf`: the probes, built to the same bytes wherever the checkout lies.

mod build;
mod flags;
mod record;
mod toolchain;
mod wrapper;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{console, host, process, workspace};
use record::Record;
use toolchain::Toolchain;
pub(crate) use wrapper::run as run_as_rustc_wrapper;

/// Where the agent takes the object from.
const OBJECT: &str = "agent/src/source/kernel/probes.o";
/// What rebuilds it.
const REBUILD: &str = "cargo xtask build-ebpf";

/// What to do with the object.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say whether the object in the tree is what the sources make
    #[arg(long)]
    check: bool,
}

/// Whether the object in the tree belongs to the sources in the tree.
#[derive(Debug)]
pub(crate) enum Freshness {
    /// A rebuild gave the same bytes.
    Fresh,
    /// It does not, and why.
    Stale(String),
    /// This machine cannot tell, and why.
    Unknown(String),
}

/// Builds or checks the object; false where a check finds it stale.
pub(crate) fn run(args: &Args) -> Result<bool> {
    if !args.check {
        return rebuild().map(|()| true);
    }
    let (good, verdict) = match check()? {
        Freshness::Fresh => (true, format!("{OBJECT} is what the sources make")),
        Freshness::Stale(why) => (false, format!("{OBJECT} is stale: {why}")),
        Freshness::Unknown(why) => (true, format!("skipped: {why}")),
    };
    console::say(&verdict);
    Ok(good)
}

fn rebuild() -> Result<()> {
    let root = workspace::root()?;
    let recorded = Record::read(&root)?;
    let wanted = recorded.as_ref().map(|record| record.tools.as_str());
    let Some(toolchain) = Toolchain::find(wanted) else {
        bail!(toolchain::HOW_TO_INSTALL)
    };
    console::say(&format!("building the probes with {}", toolchain.versions()));
    let target = workspace::target()?.join("ebpf");
    let object = build::build(&root, &toolchain, &target, build::Lock::Update)?;
    fs::copy(&object, root.join(OBJECT)).with_context(|| format!("cannot write {OBJECT}"))?;
    Record::new(&root, &toolchain)?.write(&root)?;
    let size = fs::metadata(root.join(OBJECT))?.len();
    console::say(&format!("{OBJECT}: {size} bytes"));
    Ok(())
}

/// Rebuilds the object elsewhere and compares. Where nobody watches, not being able to is a failure.
pub(crate) fn check() -> Result<Freshness> {
    let root = workspace::root()?;
    let freshness = compare(&root)?;
    Ok(match freshness {
        Freshness::Unknown(why) if host::is_ci() => Freshness::Stale(why),
        other => other,
    })
}

fn compare(root: &Path) -> Result<Freshness> {
    let (Some(record), Ok(tracked)) = (Record::read(root)?, fs::read(root.join(OBJECT))) else {
        return Ok(Freshness::Stale(format!("there is none; run `{REBUILD}`")));
    };
    let Some(toolchain) = find_or_install(&record.tools)? else {
        return without_rebuild(root, &record, "no toolchain for the probes was found here");
    };
    if toolchain.versions() != record.tools {
        let why = format!(
            "built with {}, this machine has {}",
            record.tools,
            toolchain.versions()
        );
        return without_rebuild(root, &record, &why);
    }
    let scratch = tempfile::tempdir_in(make(&workspace::target()?)?)?;
    let object = build::build(root, &toolchain, scratch.path(), build::Lock::Keep)?;
    if fs::read(&object)? == tracked {
        return Ok(Freshness::Fresh);
    }
    Ok(Freshness::Stale(format!(
        "a rebuild gave other bytes; run `{REBUILD}` and commit the result"
    )))
}

/// The next best thing to a rebuild: whether the sources are those that were recorded.
fn without_rebuild(root: &Path, record: &Record, why: &str) -> Result<Freshness> {
    if record::digest(root)? != record.sources {
        return Ok(Freshness::Stale(format!(
            "the sources changed since it was built; run `{REBUILD}`"
        )));
    }
    Ok(Freshness::Unknown(why.to_owned()))
}

fn find_or_install(wanted: &str) -> Result<Option<Toolchain>> {
    if let Some(found) = Toolchain::find(Some(wanted)) {
        return Ok(Some(found));
    }
    if !(host::is_ci() && host::is_root() && host::is_debian()) {
        console::say(toolchain::HOW_TO_INSTALL);
        return Ok(None);
    }
    host::install(toolchain::PACKAGES)?;
    if process::find(toolchain::LINKER).is_none() {
        process::run(&mut toolchain::install_linker())?;
    }
    Ok(Toolchain::find(Some(wanted)))
}

fn make(directory: &Path) -> Result<&Path> {
    fs::create_dir_all(directory)?;
    Ok(directory)
}
