//! Connecting to a Unix socket that is no container runtime's.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use anyhow::{Result, bail};

pub(super) fn run(operations: u32, scratch: &Path) -> Result<()> {
    let path = scratch.join("socket");
    let listener = UnixListener::bind(&path)?;
    let server = std::thread::spawn(move || -> std::io::Result<()> {
        for _ in 0..operations {
            drop(listener.accept()?);
        }
        Ok(())
    });
    for _ in 0..operations {
        drop(UnixStream::connect(&path)?);
    }
    match server.join() {
        Ok(accepted) => accepted?,
        Err(_) => bail!("the server panicked"),
    }
    Ok(std::fs::remove_file(path)?)
}
