//! Which files matter, by their path.

use std::path::Path;

use super::secret_file::SecretKind;
use super::source_file::SourceKind;

/// Directories of programs.
const BIN: [&str; 6] = [
    "bin",
    "sbin",
    "usr/bin",
    "usr/sbin",
    "usr/local/bin",
    "usr/local/sbin",
];

/// Programs that an image need not ship; a version may follow (`gcc-12`).
const TOOLS: [&str; 50] = [
    // Compilers and what they need.
    "cc",
    "c89",
    "c99",
    "gcc",
    "g++",
    "c++",
    "cpp",
    "clang",
    "clang++",
    "tcc",
    "rustc",
    "go",
    "javac",
    "make",
    "gmake",
    "cmake",
    "ninja",
    "as",
    "ld",
    // Debuggers and tracers.
    "gdb",
    "gdbserver",
    "lldb",
    "strace",
    "ltrace",
    "perf",
    "bpftrace",
    "bpftool",
    // Servers of logins and files.
    "sshd",
    "dropbear",
    "telnetd",
    "in.telnetd",
    "ftpd",
    "in.ftpd",
    "vsftpd",
    "proftpd",
    "rlogind",
    "rshd",
    "tftpd",
    // Network tools.
    "nc",
    "nc.openbsd",
    "nc.traditional",
    "ncat",
    "netcat",
    "socat",
    "nmap",
    "masscan",
    "tcpdump",
    "tshark",
    "hping3",
    "ettercap",
];

/// Databases of rpm, in its different forms.
const RPM: [&str; 6] = [
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
];

/// Why a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// A package database of this kind.
    Packages(&'static str),
    /// A package database that is not read.
    Unlisted(&'static str),
    /// A text that may name sources of packages, or be a secret.
    Text {
        source: Option<SourceKind>,
        secret: Option<SecretKind>,
    },
}

/// Why the file at this path, from the root of a layer, matters.
pub(super) fn of(inner: &Path) -> Option<Interest> {
    let path = inner.to_str()?;
    match path {
        "var/lib/dpkg/status" => return Some(Interest::Packages("dpkg")),
        "lib/apk/db/installed" | "usr/lib/apk/db/installed" => return Some(Interest::Packages("apk")),
        _ if RPM.contains(&path) => return Some(Interest::Unlisted("rpm")),
        _ => {}
    }
    if path.starts_with("var/lib/dpkg/status.d/") && !path.ends_with(".md5sums") {
        return Some(Interest::Packages("dpkg"));
    }
    let (source, secret) = (SourceKind::of(path), SecretKind::of(path));
    (source.is_some() || secret.is_some()).then_some(Interest::Text { source, secret })
}

/// Whether it is a program that an image need not ship.
pub(super) fn is_tool(inner: &Path) -> bool {
    let (Some(directory), Some(name)) = (inner.parent(), inner.file_name().and_then(|name| name.to_str()))
    else {
        return false;
    };
    let is_version = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let plain = match name.rsplit_once('-') {
        Some((plain, rest)) if is_version(rest) => plain,
        _ => name,
    };
    BIN.iter().any(|bin| directory == Path::new(bin)) && TOOLS.contains(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_tools(expected: bool, paths: &[&str]) {
        for path in paths {
            assert_eq!(is_tool(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn tools_are_programs_in_the_usual_places() {
        check_tools(
            true,
            &[
                "usr/bin/gcc",
                "usr/bin/gcc-12",
                "bin/nc",
                "usr/sbin/sshd",
                "usr/local/bin/clang-17.0",
            ],
        );
        check_tools(
            false,
            &[
                "usr/share/doc/gcc",
                "usr/bin/gccgo-like",
                "gcc",
                "usr/bin/ssh",
                "usr/bin/nc-x",
                "",
            ],
        );
    }

    #[track_caller]
    fn check(path: &str, expected: Option<Interest>) {
        assert_eq!(of(Path::new(path)), expected, "{path}");
    }

    #[test]
    fn databases_have_their_places() {
        check("var/lib/dpkg/status", Some(Interest::Packages("dpkg")));
        check("var/lib/dpkg/status.d/base", Some(Interest::Packages("dpkg")));
        check("var/lib/dpkg/status.d/base.md5sums", None);
        check("lib/apk/db/installed", Some(Interest::Packages("apk")));
        check("var/lib/rpm/rpmdb.sqlite", Some(Interest::Unlisted("rpm")));
        check("home/var/lib/dpkg/status", None);
    }
}
