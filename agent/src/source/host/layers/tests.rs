//! Layers as overlayfs leaves them, in a directory of our own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, makedev, mknodat, setxattr};
use tempfile::TempDir;

use super::{Budget, LayersError, Reader, contents};
use crate::model::{GraphDriver, Image, ImageFiles};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n";

/// Layers, lowest first.
struct Store {
    dir: TempDir,
}

impl Store {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, layer: &str, inner: &str) -> PathBuf {
        let path = self.dir.path().join(layer).join(inner);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn file(&self, layer: &str, inner: &str, mode: u32, text: &str) -> &Self {
        let path = self.path(layer, inner);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn image(&self, layers: &[&str]) -> GraphDriver {
        let path = |layer: &&str| self.dir.path().join(layer).display().to_string();
        GraphDriver {
            image: "sha256:1".into(),
            name: "overlay2".into(),
            directories: layers.iter().rev().map(path).collect(),
        }
    }

    fn read(&self, layers: &[&str]) -> ImageFiles {
        contents(&[self.image(layers)], Budget::default())
            .remove(0)
            .unwrap()
    }
}

fn whiteout(path: &Path) {
    mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), makedev(0, 0)).unwrap();
}

/// Making a whiteout takes root.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: whiteouts can be made by root only");
    }
    root
}

#[track_caller]
fn check(got: &[String], expected: &[&str]) {
    assert_eq!(got, expected);
}

#[test]
fn privileged_files_tools_and_packages_are_found_in_any_layer() {
    let store = Store::new();
    store
        .file("1", "usr/bin/su", 0o4755, "")
        .file("1", "usr/bin/wall", 0o2755, "")
        .file("1", "var/spool/lock", 0o2644, "")
        .file("1", "usr/bin/gcc-12", 0o755, "")
        .file(
            "1",
            "var/lib/dpkg/status",
            0o644,
            "Package: old\nStatus: install ok installed\n",
        )
        .file(
            "2",
            "var/lib/dpkg/status",
            0o644,
            "Package: new\nStatus: install ok installed\n",
        )
        .file("2", "etc/pip.conf", 0o644, "trusted-host = x\n");
    symlink("gcc-12", store.path("2", "usr/bin/gcc")).unwrap();
    let files = store.read(&["1", "2"]);
    check(&files.setuid_files, &["/usr/bin/su", "/usr/bin/wall"]);
    check(&files.contents.tools, &["/usr/bin/gcc", "/usr/bin/gcc-12"]);
    check(files.contents.packages.as_ref().unwrap(), &["new"]);
    check(&files.contents.databases, &["dpkg"]);
    check(
        &files.contents.unverified_sources,
        &["/etc/pip.conf: trusted-host=x"],
    );
}

#[test]
fn file_capabilities_are_privilege() {
    if !is_root() {
        return;
    }
    let store = Store::new();
    store
        .file("1", "bin/ping", 0o755, "")
        .file("1", "bin/data", 0o644, "");
    // Revision 2, effective, CAP_NET_RAW.
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for name in ["bin/ping", "bin/data"] {
        let path = store.path("1", name);
        setxattr(&path, "security.capability", &capability, XattrFlags::empty()).unwrap();
    }
    check(&store.read(&["1"]).setuid_files, &["/bin/ping"]);
}

#[test]
fn what_a_later_layer_replaces_is_hidden() {
    let store = Store::new();
    store
        .file("1", "bin/su", 0o4755, "")
        .file("1", "opt/tool", 0o4755, "")
        .file("2", "bin/su", 0o755, "")
        .file("2", "opt", 0o644, "");
    check(&store.read(&["1"]).setuid_files, &["/bin/su", "/opt/tool"]);
    check(&store.read(&["1", "2"]).setuid_files, &[]);
}

#[test]
fn whiteouts_and_opaque_directories_hide() {
    if !is_root() {
        return;
    }
    let store = Store::new();
    for path in ["bin/su", "opt/a/tool", "srv/b/tool", "srv/kept"] {
        store.file("1", path, 0o4755, "");
    }
    whiteout(&store.path("2", "bin/su"));
    whiteout(&store.path("2", "opt"));
    store.file("2", "srv/b/new", 0o4755, "");
    setxattr(
        store.path("2", "srv/b"),
        "trusted.overlay.opaque",
        b"y",
        XattrFlags::empty(),
    )
    .unwrap();
    check(
        &store.read(&["1", "2"]).setuid_files,
        &["/srv/b/new", "/srv/kept"],
    );
    // A layer on top brings it back.
    store.file("3", "bin/su", 0o4755, "");
    check(
        &store.read(&["1", "2", "3"]).setuid_files,
        &["/bin/su", "/srv/b/new", "/srv/kept"],
    );
}

#[test]
fn a_secret_that_was_deleted_is_still_in_its_layer() {
    if !is_root() {
        return;
    }
    let store = Store::new();
    store
        .file("1", "home/app/.ssh/id_rsa", 0o600, KEY)
        .file("1", "etc/tls.key", 0o600, KEY);
    whiteout(&store.path("2", "home/app/.ssh/id_rsa"));
    // Its mode alone was changed: it is there twice, and one secret.
    store.file("2", "etc/tls.key", 0o644, KEY);
    let secrets = store.read(&["1", "2"]).secrets;
    let got: Vec<_> = secrets
        .iter()
        .map(|hint| (hint.place.as_str(), hint.name.as_str()))
        .collect();
    assert_eq!(
        got,
        [
            ("deleted-file", "/home/app/.ssh/id_rsa"),
            ("file", "/etc/tls.key")
        ]
    );
}

#[test]
fn no_link_is_followed() {
    let store = Store::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("id_rsa"), KEY).unwrap();
    fs::create_dir_all(outside.path().join("dpkg")).unwrap();
    store.file("1", "kept", 0o4755, "");
    symlink(outside.path(), store.path("1", "root")).unwrap();
    symlink(outside.path().join("id_rsa"), store.path("1", "home/id_rsa")).unwrap();
    let files = store.read(&["1"]);
    assert_eq!(files.secrets, []);
    check(&files.setuid_files, &["/kept"]);
    // A layer that is a link is none.
    symlink(store.dir.path().join("1"), store.dir.path().join("link")).unwrap();
    let read = contents(&[store.image(&["link"])], Budget::default()).remove(0);
    assert!(matches!(read, Err(LayersError::Read { .. })), "{read:?}");
}

#[track_caller]
fn check_unknown(image: &GraphDriver, budget: Budget, part: &str) {
    let error = contents(std::slice::from_ref(image), budget)
        .remove(0)
        .unwrap_err();
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn what_cannot_be_read_to_its_end_is_unknown() {
    let store = Store::new();
    store
        .file("1", "a/b", 0o644, "")
        .file("1", "etc/pip.conf", 0o644, "0123456789");
    let image = store.image(&["1"]);
    let all = Budget::default();
    check_unknown(
        &image,
        Budget { entries: 3, ..all },
        "more files than may be read",
    );
    check_unknown(&image, Budget { bytes: 9, ..all }, "more files than may be read");
    check_unknown(&store.image(&["1", "gone"]), all, "cannot read");
    check_unknown(
        &GraphDriver {
            name: "btrfs".into(),
            ..image.clone()
        },
        all,
        "`btrfs`",
    );
    let untold = GraphDriver {
        image: "sha256:1".into(),
        ..GraphDriver::default()
    };
    check_unknown(&untold, all, "does not say where");
    let hasty = Budget {
        time: std::time::Duration::ZERO,
        ..all
    };
    check_unknown(&image, hasty, "too long");
    let small = Budget { largest: 9, ..all };
    store.file("2", "var/lib/dpkg/status", 0o644, "0123456789");
    check_unknown(&store.image(&["2"]), small, "is too long");
    check_unknown(
        &GraphDriver {
            directories: Vec::new(),
            ..image
        },
        all,
        "`overlay2`",
    );
}

#[test]
fn a_shared_layer_is_read_once() {
    let store = Store::new();
    store.file("1", "a/b", 0o4755, "").file("2", "c", 0o644, "");
    let images = [store.image(&["1"]), store.image(&["1", "2"]), store.image(&["1"])];
    let exact = Budget {
        entries: 3,
        bytes: 0,
        ..Budget::default()
    };
    let read = contents(&images, exact);
    assert!(read.iter().all(Result::is_ok), "{read:?}");
}

#[test]
fn an_image_is_filled_and_keeps_what_it_had() {
    let store = Store::new();
    store.file("1", "id_rsa", 0o600, KEY).file("1", "su", 0o4755, "");
    let mut image = Image::default();
    store.read(&["1"]).fill(&mut image);
    assert_eq!(image.setuid_files, Some(vec!["/su".into()]));
    assert_eq!(image.secrets.as_ref().map(Vec::len), Some(1));
    assert_eq!(image.contents.unwrap().packages, None);
}

#[test]
fn a_reader_reads_a_layer_once_and_what_failed_again() {
    let store = Store::new();
    store.file("1", "a/b", 0o4755, "").file("2", "c", 0o644, "");
    let mut reader = Reader::default();
    let of = |entries| Budget {
        entries,
        ..Budget::default()
    };
    let both = store.image(&["1", "2"]);
    assert_eq!(reader.read(&both, of(1)), Err(LayersError::Budget));
    assert!(reader.read(&store.image(&["1"]), of(2)).is_ok());
    let files = reader.read(&both, of(1)).unwrap();
    check(&files.setuid_files, &["/a/b"]);
    // Nothing is left to be read.
    assert!(reader.read(&both, of(0)).is_ok());
}

#[test]
fn a_reader_remembers_only_so_much() {
    let store = Store::new();
    let packages: String = (0..20_001).map(|number| format!("P:{number}\n\n")).collect();
    store
        .file("1", "lib/apk/db/installed", 0o644, &packages)
        .file("2", "c", 0o644, "");
    let mut reader = Reader::default();
    let none = Budget {
        entries: 0,
        ..Budget::default()
    };
    for (layer, expected) in [("1", Err(LayersError::Budget)), ("2", Ok(()))] {
        let image = store.image(&[layer]);
        assert!(reader.read(&image, Budget::default()).is_ok());
        assert_eq!(reader.read(&image, none).map(drop), expected, "{layer}");
    }
}
