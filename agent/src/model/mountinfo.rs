//! Lines of `/proc/PID/mountinfo` (`proc(5)`), decoded.

use procfs::process::{MountInfo, MountOptFields};

use super::MountPoint;

/// One mount, as its namespace shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountLine {
    /// Id; the kernel gives an id anew once its mount is gone.
    pub id: i32,
    /// Device of the filesystem, `major:minor`, in the kernel's own numbers: `s_dev`, which `stat`
    /// does not show for every filesystem.
    pub dev: String,
    /// Directory of the filesystem that forms the root of the mount.
    pub root: String,
    /// Where it is mounted, from the process's root.
    pub path: String,
    /// Whether the mount or its filesystem refuses writes.
    pub read_only: bool,
    /// Peer group, where it is shared. Numbers are the host's, in every namespace.
    pub shared: Option<u32>,
    /// Peer group whose mounts it receives.
    pub master: Option<u32>,
    /// Whether it cannot be bind-mounted.
    pub unbindable: bool,
    /// Filesystem type.
    pub fstype: String,
    /// Source as the filesystem shows it.
    pub source: String,
    /// Names of the filesystem's options, without values, sorted.
    pub super_options: Vec<String>,
}

impl MountLine {
    /// Decodes one line; `None` where it is no line of mountinfo. Names need not be UTF-8: what is
    /// not is replaced, for whoever can mount chooses them and may not hide behind one.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let info = MountInfo::from_line(&String::from_utf8_lossy(line)).ok()?;
        let mut super_options: Vec<String> = info.super_options.into_keys().collect();
        super_options.sort_unstable();
        let ro = |name: &String| name == "ro";
        let mut mount = Self {
            id: info.mnt_id,
            dev: info.majmin,
            root: unescape(&info.root),
            path: unescape(&info.mount_point.to_string_lossy()),
            read_only: info.mount_options.keys().any(ro) || super_options.iter().any(ro),
            shared: None,
            master: None,
            unbindable: false,
            fstype: unescape(&info.fs_type),
            source: unescape(info.mount_source.as_deref().unwrap_or("none")),
            super_options,
        };
        for field in info.opt_fields {
            match field {
                MountOptFields::Shared(group) => mount.shared = Some(group),
                MountOptFields::Master(group) => mount.master = Some(group),
                MountOptFields::PropagateFrom(_) => {}
                MountOptFields::Unbindable => mount.unbindable = true,
            }
        }
        Some(mount)
    }

    /// `shared`, `slave`, `unbindable` or `private`; a mount that is both slave and shared is shared.
    #[must_use]
    pub const fn propagation(&self) -> &'static str {
        match (self.shared, self.master, self.unbindable) {
            (Some(_), _, _) => "shared",
            (None, Some(_), _) => "slave",
            (None, None, true) => "unbindable",
            (None, None, false) => "private",
        }
    }

    /// The mount as observations show it.
    #[must_use]
    pub fn to_point(&self, host_path: Option<String>) -> MountPoint {
        MountPoint {
            path: self.path.clone(),
            root: self.root.clone(),
            source: self.source.clone(),
            fstype: self.fstype.clone(),
            dev: self.dev.clone(),
            propagation: self.propagation().to_owned(),
            read_only: self.read_only,
            host_path,
        }
    }
}

/// `path` relative to `ancestor`, both absolute and free of `.` and `..`: empty or starting with a
/// slash; `None` where it is not at or below it.
#[must_use]
pub fn path_below<'a>(path: &'a str, ancestor: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(ancestor.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_end_matches('/'))
}

/// Undoes the kernel's `\ooo` for blanks, backslashes and line ends.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let octal = tail.first_chunk::<3>().filter(|_| byte == b'\\').and_then(octal);
        if let (Some(byte), Some(after)) = (octal, tail.get(3..)) {
            plain.push(byte);
            rest = after;
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn octal(digits: &[u8; 3]) -> Option<u8> {
    let text = str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 8).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let shown = MountLine::parse(line.as_bytes()).map(|m| {
            format!(
                "{} {} {} {} {} {} {} {} {}",
                m.id,
                m.dev,
                m.root,
                m.path,
                m.propagation(),
                m.read_only,
                m.fstype,
                m.source,
                m.super_options.join(",")
            )
        });
        assert_eq!(shown.as_deref().unwrap_or("none"), expect, "{line}");
    }

    #[test]
    fn lines_are_decoded() {
        check(
            "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resuid=65534",
            "27 254:0 / / private false ext4 /dev/vda discard,resuid,rw",
        );
        check(
            "96 27 8:1 /srv /mnt/a ro shared:7 master:2 - xfs /dev/sda1 rw",
            "96 8:1 /srv /mnt/a shared true xfs /dev/sda1 rw",
        );
        check(
            "96 27 8:1 / /a rw master:2 propagate_from:9 future:1 - xfs x ro",
            "96 8:1 / /a slave true xfs x ro",
        );
        check(
            "96 27 8:1 / /a rw unbindable - tmpfs none rw",
            "96 8:1 / /a unbindable false tmpfs none rw",
        );
        check(
            r"96 27 8:1 /x\134y /a\040b\011c rw - t s\040s rw",
            "96 8:1 /x\\y /a b\tc private false t s s rw",
        );
        check(
            r"96 27 8:1 /\400 /\09z rw - t s\1 rw",
            "96 8:1 /\\400 /\\09z private false t s\\1 rw",
        );
    }

    #[test]
    fn what_is_no_line_is_none() {
        check("", "none");
        check("27 1 254:0 / / rw,relatime", "none");
        check("x 1 254:0 / / rw - ext4 /dev/vda rw", "none");
    }

    #[test]
    fn a_name_that_is_not_utf8_does_not_hide_its_mount() {
        let line = MountLine::parse(b"27 1 8:1 / /\xff rw - ext4 s rw").unwrap();
        assert_eq!(line.path, "/\u{fffd}");
    }

    #[test]
    fn paths_are_compared_by_component() {
        assert_eq!(path_below("/run/docker.sock", "/run"), Some("/docker.sock"));
        assert_eq!(path_below("/run", "/run"), Some(""));
        assert_eq!(path_below("/run", "/"), Some("/run"));
        assert_eq!(path_below("/", "/"), Some(""));
        assert_eq!(path_below("/running", "/run"), None);
        assert_eq!(path_below("/a", "/run"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_lines_never_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(MountLine::parse(&line));
        }
    }
}
