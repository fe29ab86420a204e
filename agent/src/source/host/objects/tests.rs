//! Objects of made-up trees, and of this host.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::{Value, json};

use super::super::acl;
use super::context::tests::facts as daemon_of;
use super::running::Containerd;
use super::*;
use crate::model::{Engine, Listener, MountLine, ObjectKind, ObjectState, Role};

/// A tree of files; a content that starts with `->` is a link, a path that ends in a slash a directory.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let is_directory = path.ends_with('/');
        let path = dir.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content.strip_prefix("->") {
            Some(target) => symlink(target, path).unwrap(),
            None if is_directory => fs::create_dir_all(path).unwrap(),
            None => fs::write(path, content).unwrap(),
        }
    }
    dir
}

fn look(dir: &Path, facts: &HostFacts, running: &Running, environment: &[u8]) -> Vec<Object> {
    let root = Root::open(dir).unwrap();
    let context = Context::with_environment(&root, facts, environment);
    objects_in(&root, Vec::new(), &context, running)
}

/// Paths of a role: `!` before one that is not there, `?` before one of which nothing is known.
fn paths(objects: &[Object], role: Role) -> Vec<String> {
    let of_role = objects.iter().filter(|object| object.role == role);
    let shown = of_role.map(|object| match &object.state {
        Fact::Known(Some(_)) => object.path.clone(),
        Fact::Known(None) => format!("!{}", object.path),
        Fact::Unknown(_) => format!("?{}", object.path),
    });
    shown.collect()
}

#[track_caller]
fn check(files: &[(&str, &str)], facts: &HostFacts, role: Role, expect: &[&str]) {
    let dir = tree(files);
    let objects = look(dir.path(), facts, &Running::default(), b"HOME=/home/ana\0");
    assert_eq!(paths(&objects, role), expect);
}

fn root_daemon(options: &Value) -> HostFacts {
    daemon_of(0, options)
}

#[test]
fn what_is_not_there_is_said_once_per_role() {
    let dir = tree(&[]);
    let objects = look(dir.path(), &root_daemon(&json!({})), &Running::default(), b"");
    for (role, expect) in [
        (
            Role::ServiceUnit,
            &["!/usr/lib/systemd/system/docker.service"][..],
        ),
        (Role::SocketUnit, &["!/usr/lib/systemd/system/docker.socket"]),
        (Role::ConfigDir, &["!/etc/docker"]),
        (Role::RegistryCert, &["!/etc/docker/certs.d"]),
        (Role::EngineSocket, &["!/run/docker.sock"]),
        (Role::ContainerdSocket, &["!/run/containerd/containerd.sock"]),
        (Role::ContainerdConfig, &["!/etc/containerd/config.toml"]),
        (Role::DataRoot, &["!/var/lib/docker"]),
        (Role::RuncBinary, &["!/usr/bin/runc"]),
        (Role::ShimRuncV2, &["!/usr/bin/containerd-shim-runc-v2"]),
        (Role::TlsKey, &[]),
        (Role::SeccompProfile, &[]),
        (Role::AuditRules, &["!/etc/audit/audit.rules"]),
        (Role::Accounts, &["!/etc/group"]),
    ] {
        assert_eq!(paths(&objects, role), expect, "{role:?}");
    }
}

#[test]
fn units_and_their_environment_files() {
    let files = [
        (
            "/usr/lib/systemd/system/docker.service",
            "[Service]\nEnvironmentFile=-/etc/sysconfig/docker-*\nEnvironmentFile=/opt/env\nEnvironmentFile=%h/x\n",
        ),
        (
            "/etc/systemd/system/docker.service.d/a.conf",
            "[Service]\nUser=root\n",
        ),
        ("/etc/default/docker", ""),
        ("/etc/sysconfig/docker-storage", ""),
        ("/opt/env", ""),
    ];
    let facts = root_daemon(&json!({}));
    let units = [
        "/usr/lib/systemd/system/docker.service",
        "/etc/systemd/system/docker.service.d/a.conf",
    ];
    check(&files, &facts, Role::ServiceUnit, &units);
    check(
        &files,
        &facts,
        Role::DefaultFile,
        &["/etc/default/docker", "/opt/env", "?%h/x"],
    );
    check(
        &files,
        &facts,
        Role::SysconfigFile,
        &["/etc/sysconfig/docker-storage"],
    );
    let masked = [("/etc/systemd/system/docker.service", "->/dev/null"), files[0]];
    check(
        &masked,
        &facts,
        Role::ServiceUnit,
        &["!/usr/lib/systemd/system/docker.service"],
    );
    let own = [
        ("/home/ana/.config/systemd/user/docker.service", "[Service]\n"),
        files[0],
    ];
    check(&own, &daemon_of(1000, &json!({})), Role::ServiceUnit, &[own[0].0]);
}

#[test]
fn certificates_of_tls_are_the_effective_ones() {
    let ca = |options: Value| (root_daemon(&options), Role::TlsCa);
    let (named, role) = ca(json!({"tlscacert": "/pki/ca.pem"}));
    check(&[("/pki/ca.pem", "")], &named, role, &["/pki/ca.pem"]);
    let (on, role) = ca(json!({"tlsverify": true}));
    check(
        &[("/home/ana/.docker/ca.pem", "")],
        &on,
        role,
        &["/home/ana/.docker/ca.pem"],
    );
    let (off, role) = ca(json!({"tls": false}));
    check(&[("/home/ana/.docker/ca.pem", "")], &off, role, &[]);
    let (relative, role) = ca(json!({"tlscacert": "ca.pem"}));
    check(&[], &relative, role, &["?ca.pem"]);
    let blind = HostFacts {
        daemon: Fact::unknown("no permission"),
        ..HostFacts::default()
    };
    check(&[], &blind, Role::TlsKey, &["?/home/ana/.docker/key.pem"]);
}

#[test]
fn certificates_of_registries_are_found_through_links_without_end() {
    let files = [
        ("/etc/docker/certs.d/reg:5000/ca.crt", ""),
        ("/etc/docker/certs.d/reg:5000/deep/client.key", ""),
        ("/etc/docker/certs.d/reg:5000/link.crt", "->/pki/ca.pem"),
        ("/etc/docker/certs.d/reg:5000/lost.crt", "->/pki/none"),
        ("/etc/docker/certs.d/alias", "->reg:5000"),
        ("/etc/docker/certs.d/reg:5000/deep/loop", "->.."),
        ("/pki/ca.pem", ""),
    ];
    let certs = [
        "/etc/docker/certs.d/reg:5000/ca.crt",
        "/etc/docker/certs.d/reg:5000/deep/client.key",
        "/etc/docker/certs.d/reg:5000/link.crt",
    ];
    let facts = root_daemon(&json!({}));
    check(&files, &facts, Role::RegistryCert, &certs);
    let directories = [
        "/etc/docker/certs.d",
        "/etc/docker/certs.d/reg:5000",
        "/etc/docker/certs.d/reg:5000/deep",
    ];
    check(&files, &facts, Role::RegistryCertDir, &directories);
    let deep = [("/etc/docker/certs.d/1/2/3/4/ca.crt", "")];
    check(
        &deep,
        &facts,
        Role::RegistryCert,
        &["?/etc/docker/certs.d/1/2/3/4"],
    );
    check(&[("/etc/docker/certs.d/", "")], &facts, Role::RegistryCert, &[]);
}

#[test]
fn sockets_are_those_of_the_api() {
    let dir = tree(&[
        ("/run/docker/", ""),
        ("/srv/", ""),
        ("/var/run", "->/run"),
        (
            "/lib/systemd/system/docker.socket",
            "[Socket]\nListenStream=%t/docker.sock\nListenStream=2375\nSocketGroup=dev\n",
        ),
    ]);
    let bind = |path: &str| UnixListener::bind(dir.path().join(path)).unwrap();
    let _bound = [
        bind("run/docker.sock"),
        bind("run/docker/metrics.sock"),
        bind("srv/own.sock"),
    ];
    let mut facts = root_daemon(&json!({"hosts": ["unix:///srv/own.sock", "fd://", "tcp://0.0.0.0:2376"]}));
    let listener = |address: &str| Listener {
        protocol: "unix".into(),
        address: address.into(),
        port: 0,
    };
    let daemon = facts.daemon.get_mut().unwrap();
    let addresses = [
        "/var/run/docker.sock",
        "/var/run/docker/metrics.sock",
        "@x",
        "/srv/own.sock",
    ];
    daemon.listeners = Fact::Known(addresses.map(listener).to_vec());
    let objects = look(dir.path(), &facts, &Running::default(), b"");
    assert_eq!(
        paths(&objects, Role::EngineSocket),
        ["/run/docker.sock", "/srv/own.sock"]
    );
    let groups = objects.iter().filter(|object| object.role == Role::EngineSocket);
    let groups: Vec<_> = groups
        .map(|object| there(object).asked_group.as_deref())
        .collect();
    assert_eq!(groups, [Some("dev"), None]);
}

fn there(object: &Object) -> &ObjectState {
    object.state.get().unwrap().as_ref().unwrap()
}

#[test]
fn containerd_is_where_it_was_told_to_be() {
    let files = [
        (
            "/opt/c.toml",
            "imports = [\"conf.d/*.toml\"]\nstate = \"/run/own\"\n[grpc]\n# address = \"/x\"\naddress = \"/run/a.sock\"\n",
        ),
        (
            "/opt/conf.d/b.toml",
            "imports = [\"/opt/c.toml\"]\n[grpc]\naddress = \"/run/b.sock\"\n",
        ),
        ("/run/b.sock", ""),
        ("/run/b.sock.ttrpc", ""),
        ("/run/own/", ""),
        ("/opt/bin/containerd", ""),
        ("/opt/bin/containerd-shim-runc-v2", ""),
        ("/opt/kata/containerd-shim-kata-v2", ""),
        ("/run/docker/containerd/containerd.sock", ""),
        ("/run/docker/containerd/containerd.toml", "not toml"),
    ];
    let dir = tree(&files);
    let containerd = Containerd {
        exe: "/opt/bin/containerd".into(),
        argv: vec!["containerd".into(), "--config=/opt/c.toml".into()],
    };
    let running = Running {
        daemons: vec![containerd],
        shims: vec!["/opt/kata/containerd-shim-kata-v2".into()],
    };
    let objects = look(dir.path(), &root_daemon(&json!({})), &running, b"");
    for (role, expect) in [
        (
            Role::ContainerdConfig,
            &[
                "/opt/c.toml",
                "/opt/conf.d/b.toml",
                "/run/docker/containerd/containerd.toml",
            ][..],
        ),
        (
            Role::ContainerdSocket,
            &[
                "/run/b.sock",
                "/run/b.sock.ttrpc",
                "/run/docker/containerd/containerd.sock",
            ],
        ),
        (Role::RunContainerd, &["/run/own", "/run/docker/containerd"]),
        (Role::ContainerdBinary, &["/opt/bin/containerd"]),
        (
            Role::ShimRuncV2,
            &[
                "/opt/bin/containerd-shim-runc-v2",
                "/opt/kata/containerd-shim-kata-v2",
            ],
        ),
    ] {
        assert_eq!(paths(&objects, role), expect, "{role:?}");
    }
    let broken = [("/etc/containerd/config.toml", "a = = b")];
    check(
        &broken,
        &root_daemon(&json!({})),
        Role::ContainerdSocket,
        &["?/etc/containerd/config.toml"],
    );
}

#[test]
fn runtimes_and_data_are_the_engines() {
    let mut facts = root_daemon(&json!({"userns-remap": "default", "seccomp-profile": "/p.json"}));
    let runtimes = [
        ("runc", "runc"),
        ("gv", "/opt/runsc"),
        ("io.containerd.runc.v2", ""),
    ];
    facts.engine = Fact::Known(Engine {
        data_root: Some("/var/lib/docker/1.1".into()),
        runtimes: runtimes
            .map(|(name, path)| (name.to_owned(), path.to_owned()))
            .into(),
        ..Engine::default()
    });
    let files = [
        ("/var/lib/docker/1.1/", ""),
        ("/p.json", "{}"),
        ("/opt/runsc", ""),
        ("/usr/sbin/runc", ""),
        ("/usr/bin", "->sbin"),
    ];
    check(
        &files,
        &facts,
        Role::DataRoot,
        &["/var/lib/docker/1.1", "/var/lib/docker"],
    );
    check(&files, &facts, Role::SeccompProfile, &["/p.json"]);
    check(
        &files,
        &facts,
        Role::RuncBinary,
        &["/opt/runsc", "/usr/sbin/runc"],
    );
}

#[test]
fn a_state_shows_what_a_path_leads_to_and_through() {
    let dir = tree(&[
        ("/etc/real/file", "x"),
        ("/etc/alias", "->/etc/real"),
        ("/srv/link", "->/etc/alias/file"),
        ("/srv/dangling", "->/none"),
        ("/srv/loop", "->loop"),
        ("/etc/group", "x:x:4242:\ny:x:4242:\n"),
    ]);
    let file = dir.path().join("etc/real/file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o4646)).unwrap();
    let root = Root::open(dir.path()).unwrap();
    let mounts = ["/etc/real", "/etc/real/a", "/etc/realistic"].map(|path| {
        let line = format!("30 1 0:99 / {path} rw - tmpfs tmpfs rw");
        MountLine::parse(line.as_bytes()).unwrap()
    });
    let looker = Looker::new(&root, mounts.to_vec(), Vec::new());
    let state = |path: &str| looker.state(path);
    let found = state("/srv/link").get().unwrap().clone().unwrap();
    assert_eq!(
        (found.resolved.as_str(), found.kind),
        ("/etc/real/file", ObjectKind::File)
    );
    assert_eq!((found.mode, found.acl), (0o4646, 0));
    let status = fs::metadata(&file).unwrap();
    assert_eq!(
        (found.uid, found.gid, found.ino),
        (status.uid(), status.gid(), status.ino())
    );
    let parents: Vec<_> = found
        .parents
        .iter()
        .map(|p| (p.directory.as_str(), p.name.as_str()))
        .collect();
    assert_eq!(parents, [("/srv", "link"), ("/etc/real", "file")]);
    assert_eq!(
        found.parents[1].ino,
        fs::metadata(file.parent().unwrap()).unwrap().ino()
    );
    let through = state("/etc/alias/file").get().unwrap().clone().unwrap();
    assert_eq!(through.parents.len(), 1, "one entry under two spellings");
    let directory = state("/etc/alias").get().unwrap().clone().unwrap();
    assert_eq!(directory.mounts_below, ["/etc/real/a"]);
    for absent in ["/srv/dangling", "/srv/none", "/etc/real/file/below"] {
        assert_eq!(state(absent), Fact::Known(None), "{absent}");
    }
    assert!(
        matches!(state("/srv/loop"), Fact::Unknown(why) if why.contains("/srv/loop could not be looked at"))
    );
}

#[test]
fn an_access_list_shows_what_it_gives() {
    let dir = tree(&[("/file", "")]);
    let path = dir.path().join("file");
    let none = u32::MAX;
    let list = acl::tests::encode(&[
        (1, 6, none),
        (2, 7, 1000),
        (4, 4, none),
        (16, 6, none),
        (32, 4, none),
    ]);
    if let Err(error) = rustix::fs::setxattr(&path, acl::XATTR, &list, rustix::fs::XattrFlags::empty()) {
        println!("skipped: no access control lists here: {error}");
        return;
    }
    let root = Root::open(dir.path()).unwrap();
    let found = Looker::new(&root, Vec::new(), Vec::new()).state("/file");
    let found = found.get().unwrap().clone().unwrap();
    assert_eq!((found.acl, found.mode), (6, 0o664));
}

#[test]
fn this_host_has_accounts_and_a_root() {
    let objects = objects(&HostFacts::default());
    let objects = objects.get().unwrap();
    let passwd = objects
        .iter()
        .find(|object| object.path == "/etc/passwd")
        .unwrap();
    let status = fs::metadata("/etc/passwd").unwrap();
    let found = there(passwd);
    assert_eq!(
        (found.ino, found.uid, found.kind),
        (status.ino(), status.uid(), ObjectKind::File)
    );
    assert_eq!(found.mode, status.mode() & 0o7777);
}
