//! Changing the mode of a file: of one that an audit rule is on, and of one beside it.

use std::fs::{File, Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;

/// The file that a rule is on.
pub(super) const RECORDED: &str = "recorded";
const UNRECORDED: &str = "unrecorded";

pub(super) fn recorded(operations: u32, scratch: &Path) -> Result<()> {
    run(operations, &scratch.join(RECORDED))
}

pub(super) fn unrecorded(operations: u32, scratch: &Path) -> Result<()> {
    run(operations, &scratch.join(UNRECORDED))
}

fn run(operations: u32, path: &Path) -> Result<()> {
    File::create(path)?;
    for operation in 0..operations {
        let mode = if operation % 2 == 0 { 0o600 } else { 0o640 };
        set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}
