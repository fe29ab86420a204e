//! Network bridges of a world: one for its engine's default network, one for a network besides it. Their names
//! are made of the world's, so that they are found again when the world was left behind.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Name of the network besides the default one.
pub(crate) const NETWORK: &str = "besides";

/// Makes the bridge of the default network; gives its name.
pub(crate) fn make(root: &Path) -> Result<String> {
    let name = name(root, "d");
    // One of the networks that are set aside for benchmarks of devices: nobody is reached by it. Each process has
    // its own.
    let address = format!("198.18.{}.1/24", std::process::id() % 256);
    ip(&["link", "add", &name, "type", "bridge"])?;
    ip(&["address", "add", &address, "dev", &name])?;
    ip(&["link", "set", &name, "up"])?;
    Ok(name)
}

/// Name of the bridge besides the default one.
pub(crate) fn second(root: &Path) -> String {
    name(root, "b")
}

/// Removes whatever there is of a world.
pub(crate) fn remove(root: &Path) {
    for bridge in [name(root, "d"), second(root)] {
        if !Path::new("/sys/class/net").join(&bridge).exists() {
            continue;
        }
        if let Err(error) = ip(&["link", "delete", &bridge]) {
            crate::world::say(&format!("cleanup: {error:#}"));
        }
    }
}

/// Within the 15 bytes that the kernel allows: the part of the directory's name that is the world's own.
fn name(root: &Path, which: &str) -> String {
    let own = root.to_string_lossy();
    let own: String = own.rsplit('-').take(1).flat_map(str::chars).take(12).collect();
    format!("hw{which}{own}")
}

fn ip(args: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(args).output().context("start ip")?;
    ensure!(
        output.status.success(),
        "ip {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
