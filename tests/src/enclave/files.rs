//! Files of an enclave, before it stands.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

const SERVICE: &str =
    "[Service]\nExecStart=/usr/sbin/dockerd -H fd://\nEnvironmentFile=-/etc/default/docker\n";
const SOCKET: &str =
    "[Socket]\nListenStream=/run/docker.sock\nSocketMode=0660\nSocketUser=root\nSocketGroup=docker\n";

/// Files of the machine's own `/etc` that a test starts without.
const ABSENT: [&str; 6] = [
    "docker",
    "containerd",
    "sysconfig",
    "systemd",
    "default/docker",
    "environment",
];

/// Accounts, the same on every machine. The engine's group has no members.
const ACCOUNTS: [(&str, &str); 4] = [
    (
        "passwd",
        "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nana:x:1000:1000::/:/bin/sh\n\
         bob:x:1001:1001::/:/bin/sh\nmapped:x:900:900::/:/bin/false\n",
    ),
    (
        "group",
        "root:x:0:\nnogroup:x:65534:\ndocker:x:970:\ndocker-users:x:971:bob\nana:x:1000:\nbob:x:1001:\nmapped:x:900:\n",
    ),
    ("subuid", "mapped:500000:65536\n"),
    ("subgid", "mapped:500000:65536\n"),
];

/// Of an enclave with an engine that is watched: path and content.
pub(super) const WATCHED: [(&str, &str); 3] = [
    (
        "/etc/systemd/system/docker.service",
        "[Service]\nExecStart=/usr/sbin/dockerd\n",
    ),
    ("/etc/default/docker", ""),
    ("/etc/sysconfig/docker", ""),
];

/// The files that the enclave is to have.
pub(super) fn prepare(root: &Path) -> Result<()> {
    for directory in ["data", "units"] {
        fs::create_dir(root.join(directory))?;
    }
    let etc = root.join("etc");
    let copied = Command::new("cp").arg("-a").arg("/etc").arg(&etc).status()?;
    ensure!(copied.success(), "cp -a /etc: {copied}");
    for name in ABSENT {
        let path = etc.join(name);
        let gone = match path.symlink_metadata() {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(_) => Ok(()),
        };
        gone.with_context(|| format!("remove {}", path.display()))?;
    }
    fs::write(root.join("units/docker.service"), SERVICE)?;
    fs::write(root.join("units/docker.socket"), SOCKET)?;
    for (file, text) in ACCOUNTS {
        fs::write(etc.join(file), text)?;
    }
    Ok(())
}
