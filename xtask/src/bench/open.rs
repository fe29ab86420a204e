//! Opening and closing a file.

use std::fs::File;
use std::path::Path;

use anyhow::Result;

pub(super) fn run(operations: u32, _: &Path) -> Result<()> {
    for _ in 0..operations {
        drop(File::open("/dev/null")?);
    }
    Ok(())
}
