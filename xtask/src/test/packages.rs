//! What the end-to-end tests need of the machine, and where Debian has it.

use std::path::Path;

use crate::process;

/// A package, and files or programs without which it counts as missing.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: &'static str,
    needs: &'static [&'static str],
}

/// The one list. The tests skip by themselves what is still missing.
const PACKAGES: &[Package] = &[
    Package {
        name: "docker.io",
        needs: &["dockerd", "docker", "containerd", "runc"],
    },
    Package {
        name: "iptables",
        needs: &["iptables"],
    },
    Package {
        name: "busybox-static",
        needs: &["/bin/busybox"],
    },
    Package {
        name: "libcap2-bin",
        needs: &["setcap", "getcap"],
    },
    Package {
        name: "util-linux",
        needs: &["unshare", "nsenter", "mount"],
    },
    Package {
        name: "passwd",
        needs: &["useradd", "usermod"],
    },
    Package {
        name: "libc-bin",
        needs: &["ldd"],
    },
    Package {
        name: "tar",
        needs: &["tar"],
    },
    Package {
        name: "gcc",
        needs: &["cc"],
    },
];

/// Packages of which something is missing.
pub(super) fn missing() -> Vec<&'static Package> {
    lacking(PACKAGES, |need| match need.starts_with('/') {
        true => Path::new(need).exists(),
        false => process::find(need).is_some(),
    })
}

fn lacking(packages: &'static [Package], has: impl Fn(&str) -> bool) -> Vec<&'static Package> {
    packages
        .iter()
        .filter(|package| !package.needs.iter().all(|need| has(need)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_missing_when_any_of_its_programs_is() {
        let names = |has: fn(&str) -> bool| -> Vec<_> {
            lacking(PACKAGES, has)
                .iter()
                .map(|package| package.name)
                .collect()
        };
        assert!(names(|_| true).is_empty());
        assert_eq!(names(|need| need != "runc"), ["docker.io"]);
        assert_eq!(names(|_| false).len(), PACKAGES.len());
    }
}
