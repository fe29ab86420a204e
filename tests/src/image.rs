//! Images without a registry: a directory, packed and imported.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::docker::Docker;
use crate::skip::BUSYBOX;

/// Applets that tests call by name.
const APPLETS: [&str; 17] = [
    "sh", "true", "id", "cat", "cp", "ln", "ls", "mkdir", "mount", "umount", "nsenter", "unshare", "sleep",
    "chmod", "chown", "su", "echo",
];

/// A root file system with busybox, the actor, and programs that bear privilege.
pub(crate) fn make_root(root: &Path, actor: &Path) -> Result<()> {
    for directory in ["bin", "etc", "tmp", "proc", "sys", "dev", "mnt", "privileged"] {
        fs::create_dir_all(root.join(directory))?;
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::write(
        root.join("etc/passwd"),
        "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n",
    )?;
    fs::write(root.join("etc/group"), "root:x:0:\nuser:x:1000:\n")?;
    copy(Path::new(BUSYBOX), &root.join("bin/busybox"), 0o755)?;
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    copy(actor, &root.join("bin/actor"), 0o755)?;
    for library in libraries(actor)? {
        let target = root.join(library.strip_prefix("/").unwrap_or(&library));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        copy(&library, &target, 0o755)?;
    }
    // Busybox drops a privilege that its applet does not need; the actor does nothing with it.
    copy(actor, &root.join("privileged/setuid"), 0o4755)?;
    copy(actor, &root.join("privileged/setgid"), 0o2755)?;
    copy(actor, &root.join("privileged/capable"), 0o755)?;
    // Within every container's bounding set: beyond it exec would fail.
    give_capability(&root.join("privileged/capable"), "cap_net_bind_service+ep")
}

/// Imports a root file system under a name, with a Dockerfile instruction if one is given.
pub(crate) fn import(docker: &Docker, root: &Path, name: &str, change: Option<&str>) -> Result<()> {
    let mut pack = Command::new("tar")
        .args(["--xattrs", "--xattrs-include=*", "--numeric-owner", "-C"])
        .arg(root)
        .args(["-c", "."])
        .stdout(Stdio::piped())
        .spawn()
        .context("start tar")?;
    let archive = pack.stdout.take().context("tar's output")?;
    let mut command = docker.command();
    command.arg("import");
    if let Some(change) = change {
        command.args(["--change", change]);
    }
    let import = command
        .args(["-", name])
        .stdin(archive)
        .output()
        .context("docker import")?;
    ensure!(
        import.status.success(),
        "docker import: {}",
        String::from_utf8_lossy(&import.stderr)
    );
    ensure!(pack.wait()?.success(), "tar failed");
    Ok(())
}

/// Copies a file; the mode is set afterwards, because copying keeps no privilege bits.
pub(crate) fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
        .with_context(|| format!("chmod {}", to.display()))
}

/// Gives a file capabilities.
pub(crate) fn give_capability(file: &Path, capability: &str) -> Result<()> {
    let status = Command::new("setcap")
        .arg(capability)
        .arg(file)
        .status()
        .context("start setcap")?;
    ensure!(status.success(), "setcap {capability} {}", file.display());
    Ok(())
}

/// Shared libraries of a program, with its loader.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(program).output().context("start ldd")?;
    let text = String::from_utf8(output.stdout)?;
    let paths = text.lines().filter_map(|line| {
        let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
        Some(PathBuf::from(path))
    });
    Ok(paths.collect())
}
