//! Builders for the tests of checks: an ordinary container on an ordinary host, to be varied.

use super::View;
use crate::model::{
    AncestorRef, AppArmor, CgroupId, Container, ContainerId, ContainerRef, ContainerState, Credentials,
    DEFAULT_CONTAINER_CAPS, EngineKind, Event, Exec, ExecFile, Gained, Host, HostFacts, Identity, Namespaces,
    Observation, Process, RunningTruth, Seccomp, Source, Time,
};

/// Namespaces of the host.
pub(super) const HOST_NAMESPACES: Namespaces = Namespaces {
    mnt: 11,
    pid: 12,
    net: 13,
    ipc: 14,
    uts: 15,
    user: 16,
    cgroup: 17,
};

/// Namespaces of an ordinary container: all its own but the user namespace.
pub(super) const OWN_NAMESPACES: Namespaces = Namespaces {
    mnt: 21,
    pid: 22,
    net: 23,
    ipc: 24,
    uts: 25,
    user: 16,
    cgroup: 27,
};

/// The id of the test container.
pub(super) fn id() -> ContainerId {
    "ab".repeat(32).parse().unwrap()
}

/// A host with AppArmor, without SELinux, whose engine answers.
pub(super) fn host() -> Host {
    Host {
        facts: HostFacts {
            namespaces: Some(HOST_NAMESPACES),
            apparmor: Some(true),
            selinux_enforcing: Some(false),
            security_options: Some(vec![
                "name=apparmor".into(),
                "name=seccomp,profile=default".into(),
            ]),
            engine_version: Some("28.5.0".into()),
            engine_socket: Some("/run/docker.sock".into()),
            socket_access: Some(Vec::new()),
            ..HostFacts::default()
        },
        containers: Some(Vec::new()),
        images: Some(Vec::new()),
        ..Host::default()
    }
}

/// What the kernel shows of an ordinary container's first process.
pub(super) fn truth() -> RunningTruth {
    RunningTruth {
        pid: 4242,
        uid: 1000,
        root_uid: Some(0),
        caps_effective: crate::model::CapSet::EMPTY,
        caps_bounding: DEFAULT_CONTAINER_CAPS,
        no_new_privs: Some(true),
        seccomp: Seccomp::Filter,
        namespaces: OWN_NAMESPACES,
        apparmor: Some(AppArmor {
            profile: "docker-default".into(),
            mode: "enforce".into(),
        }),
        selinux: None,
        shared_mounts: Vec::new(),
        executables: vec!["/usr/bin/app".into()],
        executables_truncated: false,
    }
}

/// A running container that breaks nothing.
pub(super) fn container(name: &str) -> Container {
    Container {
        id: id(),
        name: name.into(),
        image: "app:1".into(),
        image_id: Some("sha256:1".into()),
        engine: EngineKind::Docker,
        state: ContainerState::Running,
        pid: Some(4242),
        created: None,
        runtime: Some("runc".into()),
        user: Some("1000:1000".into()),
        privileged: Some(false),
        cap_add: Some(Vec::new()),
        cap_drop: Some(Vec::new()),
        security_opt: Some(vec!["no-new-privileges".into()]),
        network_mode: Some("bridge".into()),
        pid_mode: Some(String::new()),
        ipc_mode: Some("private".into()),
        uts_mode: Some(String::new()),
        userns_mode: Some(String::new()),
        devices: Some(Vec::new()),
        device_requests: Some(Vec::new()),
        device_cgroup_rules: Some(Vec::new()),
        mounts: Some(Vec::new()),
        apparmor_profile: Some("docker-default".into()),
        process_label: Some(String::new()),
        labels: Vec::new(),
        truth: Some(truth()),
    }
}

/// A process of uid 1000 in an ordinary container.
pub(super) fn process(exe: &str) -> Process {
    Process {
        pid: 5000,
        tid: 5000,
        exe: exe.into(),
        args: vec![exe.into()],
        args_truncated: false,
        comm: exe.rsplit('/').next().unwrap_or(exe).into(),
        uid: 1000,
        euid: 1000,
        gid: 1000,
        egid: 1000,
        login_uid: None,
        caps_effective: crate::model::CapSet::EMPTY,
        caps_permitted: crate::model::CapSet::EMPTY,
        caps_bounding: DEFAULT_CONTAINER_CAPS,
        no_new_privs: true,
        seccomp: Seccomp::Filter,
        namespaces: OWN_NAMESPACES,
        cgroup: CgroupId(900),
        start_time: 77,
        ancestors: vec![AncestorRef {
            pid: 4242,
            comm: "app".into(),
            exe: "/usr/bin/app".into(),
            start_time: 70,
        }],
    }
}

/// The named container of [`container`], as an observation carries it.
pub(super) fn container_ref(name: &str) -> ContainerRef {
    ContainerRef {
        id: Some(id()),
        name: Some(name.into()),
        image: Some("app:1".into()),
        privileged: Some(false),
        engine: EngineKind::Docker,
        identity: Identity::Confirmed,
    }
}

/// An observation of [`process`] in the named container.
pub(super) fn seen_in(name: &str, event: Event) -> Observation {
    Observation {
        time: Time::from_unix_nanos(1_700_000_000_000_000_000),
        source: Source::Kernel,
        process: Some(process("/usr/bin/app")),
        container: Some(container_ref(name)),
        plumbing: false,
        event,
    }
}

/// An ordinary file executed by uid 1000 in the named container, to no gain.
pub(super) fn exec_in(name: &str, path: &str) -> Observation {
    let before = Credentials {
        uid: 1000,
        gid: 1000,
        euid: 1000,
        egid: 1000,
        caps_permitted: crate::model::CapSet::EMPTY,
        caps_effective: crate::model::CapSet::EMPTY,
    };
    let exec = Exec {
        file: ExecFile {
            path: path.into(),
            dev: "0:50".into(),
            ino: 9,
            mode: 0o100_755,
            uid: 0,
            gid: 0,
            unlinked: false,
            nosuid: false,
            setuid: false,
            setgid: false,
            file_caps: Some(false),
        },
        requested: path.into(),
        before: Some(before),
        secure: false,
        gained: Gained::default(),
        entry: false,
    };
    Observation {
        process: Some(process(path)),
        ..seen_in(name, Event::Exec(exec))
    }
}

/// A view without an exec session, in a container whose first program had the default bounding set.
pub(super) fn view<'a>(
    observation: &'a Observation,
    host: &'a Host,
    container: Option<&'a Container>,
) -> View<'a> {
    View {
        observation,
        host,
        container,
        session: None,
        first_bounding: Some(DEFAULT_CONTAINER_CAPS),
    }
}
