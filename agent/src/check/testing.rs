//! Builders for the tests of checks: an ordinary container on an ordinary host, to be varied.

pub(super) mod daemon;
pub(super) mod files;
mod image;
pub(super) mod namespace;
pub(super) mod storage;

pub(super) use image::{history, image, judge_image};
pub(super) mod withdrawn;

use std::collections::BTreeMap;

use super::{Assess, Check, Finding, View};
use crate::model::{
    AncestorRef, AppArmor, CapSet, CgroupId, Class, ConfigFile, Connect, ConnectOp, Container, ContainerId,
    ContainerMount, ContainerRef, Credentials, DEFAULT_CONTAINER_CAPS, Daemon, Engine, EngineKind,
    EnteredNamespace, Event, Exec, ExecFile, ExecSession, Fact, Gained, Host, HostFacts, Identity, Life,
    Limits, Mount, MountEffect, MountPoint, MountRequest, NamespaceChange, NamespaceOwner, Namespaces,
    Observation, Process, PublishedPort, Reach, Registries, RunningTruth, RuntimeSocket, Seccomp, Severity,
    Source, Swarm, System, Time, Ulimit, Verdict, VerdictKind,
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
            engine: Fact::Known(engine()),
            daemon: Fact::Known(daemon()),
            objects: Fact::Known(Vec::new()),
            system: Fact::Known(System::default()),
            ..HostFacts::default()
        },
        containers: Some(Vec::new()),
        images: Some(Vec::new()),
        ..Host::default()
    }
}

/// An engine as recommended, with a bridge without traffic between containers.
pub(super) fn engine() -> Engine {
    Engine {
        version: "28.5.0".into(),
        address: "unix:///run/docker.sock".into(),
        data_root: Some("/var/lib/docker".into()),
        storage_driver: Some("overlay2".into()),
        logging_driver: Some("gelf".into()),
        cgroup_driver: Some("systemd".into()),
        cgroup_version: Some("2".into()),
        security_options: Some(vec![
            "name=apparmor".into(),
            "name=seccomp,profile=builtin".into(),
        ]),
        live_restore: Some(true),
        experimental: Some(false),
        debug: Some(false),
        registries: Some(Registries::default()),
        authorization_plugins: Some(Vec::new()),
        swarm: Swarm {
            state: "inactive".into(),
            ..Swarm::default()
        },
        networks: Fact::Known(Vec::new()),
        volumes: Fact::Known(Vec::new()),
        plugins: Fact::Known(BTreeMap::new()),
        ..Engine::default()
    }
}

/// A daemon without any option.
pub(super) fn daemon() -> Daemon {
    Daemon {
        pid: 1000,
        exe: "/usr/bin/dockerd".into(),
        argv: vec!["/usr/bin/dockerd".into()],
        config_file: ConfigFile {
            path: "/etc/docker/daemon.json".into(),
            content: Fact::Known(None),
            ..ConfigFile::default()
        },
        listeners: Fact::Known(Vec::new()),
        userland_proxies: Fact::Known(Vec::new()),
        ..Daemon::default()
    }
}

/// What the kernel shows of an ordinary container's first process.
pub(super) fn truth() -> RunningTruth {
    RunningTruth {
        pid: 4242,
        uid: 1000,
        root_uid: Some(0),
        caps_effective: CapSet::EMPTY,
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
        cgroup: Some(format!("/docker/{}", id().as_str())),
        cgroup_limits: Some(BTreeMap::from([
            ("memory".into(), 1 << 28),
            ("pids".into(), 100),
            ("cpu-quota".into(), 50_000),
        ])),
        ulimits: Some(vec![Ulimit {
            name: "nofile".into(),
            soft: 1024,
            hard: 4096,
        }]),
        rootfs_read_only: Some(true),
        listeners: Some(Vec::new()),
    }
}

/// Ports 80/tcp, published at these addresses and ports of the host.
pub(super) fn publish(ports: &[(&str, u16)]) -> Vec<PublishedPort> {
    ports
        .iter()
        .map(|(address, port)| PublishedPort {
            container: "80/tcp".into(),
            address: (*address).into(),
            port: *port,
        })
        .collect()
}

/// A running container that breaks nothing.
pub(super) fn container(name: &str) -> Container {
    Container {
        id: id(),
        image: format!("app:1@sha256:{}", "cd".repeat(32)),
        security_opt: Some(vec!["no-new-privileges".into()]),
        network_mode: Some("apps".into()),
        limits: Limits {
            memory: Some(1 << 28),
            memory_swap: Some(1 << 28),
            cpu_shares: Some(0),
            cpu_quota: Some(0),
            nano_cpus: Some(500_000_000),
            cpuset: Some(String::new()),
            pids: Some(100),
            ulimits: Some(Vec::new()),
            cgroup_parent: Some(String::new()),
            cgroupns_mode: Some("private".into()),
        },
        reach: Reach {
            published: Some(Vec::new()),
            publish_all: Some(false),
            exposed: Some(Vec::new()),
            networks: Some(vec!["apps".into()]),
        },
        life: Life {
            readonly_rootfs: Some(true),
            restart: Some(("on-failure".into(), 5)),
            log_driver: Some("syslog".into()),
            healthcheck: Some(vec!["CMD".into(), "/usr/bin/app".into(), "ping".into()]),
            health: Some("healthy".into()),
            finished: None,
            unmasked: Some(false),
            docker_host: None,
        },
        secrets: Some(Vec::new()),
        truth: Some(truth()),
        ..crate::model::testing::container(name)
    }
}

/// A running container of which neither the engine nor the kernel tells anything.
pub(super) fn unknown_container(name: &str) -> Container {
    Container {
        name: name.into(),
        image: container(name).image,
        ..Container::unknown(id(), EngineKind::Docker)
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
        caps_effective: CapSet::EMPTY,
        caps_permitted: CapSet::EMPTY,
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
        caps_permitted: CapSet::EMPTY,
        caps_effective: CapSet::EMPTY,
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

/// A connection to the docker socket from the named container.
pub(super) fn connect_in(name: &str) -> Observation {
    let socket = RuntimeSocket {
        runtime: "docker".into(),
        path: "/run/docker.sock".into(),
        ino: 77,
        dev: "0:24".into(),
    };
    let connect = Connect {
        op: ConnectOp::Connect,
        socket,
        bound: "/var/run/docker.sock".into(),
    };
    seen_in(name, Event::Connect(connect))
}

/// A private, writable mount of a filesystem of memory.
pub(super) fn mount_point(path: &str) -> MountPoint {
    MountPoint {
        path: path.into(),
        root: "/".into(),
        source: "tmpfs".into(),
        fstype: "tmpfs".into(),
        dev: "0:99".into(),
        propagation: "private".into(),
        read_only: false,
        host_path: None,
    }
}

/// A successful mount call in the named container.
pub(super) fn mount_in(name: &str, effect: MountEffect) -> Observation {
    let mount = Mount {
        call: "mount".into(),
        errno: 0,
        requested: MountRequest::default(),
        effect,
    };
    seen_in(name, Event::Mount(mount))
}

/// The effect of a mount call that made these.
pub(super) fn made(mounts: Vec<MountPoint>) -> MountEffect {
    MountEffect::Verified {
        mounts,
        removed: Vec::new(),
    }
}

/// Entry by `setns` into the host's namespace of this kind from the named container.
pub(super) fn setns_in(name: &str, namespace: &str) -> Observation {
    let entered = EnteredNamespace {
        namespace: namespace.into(),
        inum: 1,
        owner: NamespaceOwner::Host,
    };
    let change = NamespaceChange {
        call: "setns".into(),
        entered: vec![entered],
    };
    seen_in(name, Event::Namespace(change))
}

/// An exec session of the test container.
pub(super) fn session(privileged: bool, user: &str) -> ExecSession {
    ExecSession {
        id: "5e55".into(),
        container: id(),
        privileged: Some(privileged),
        user: Some(user.into()),
        command: vec!["sh".into()],
        pid: Some(5000),
    }
}

/// The verdict on the ordinary container on the ordinary host, both varied.
#[track_caller]
pub(super) fn judge(check: &Check, vary: impl FnOnce(&mut Container, &mut Host)) -> Verdict {
    let (mut container, mut host) = (container("web"), host());
    vary(&mut container, &mut host);
    match check.assess {
        Assess::Container(assess) => assess(&container, &host),
        _ => panic!("{} does not judge containers", check.key),
    }
}

/// The verdict passes, and says why.
#[track_caller]
pub(super) fn assert_passes(verdict: &Verdict) {
    assert_eq!(verdict.kind(), VerdictKind::Pass, "{verdict:?}");
    assert!(
        !verdict.reason.is_empty() && !verdict.reason.ends_with('.'),
        "{verdict:?}"
    );
}

/// The verdict could not be reached, for a reason that says this.
#[track_caller]
pub(super) fn assert_unknown(verdict: &Verdict, words: &str) {
    assert_eq!(verdict.kind(), VerdictKind::Unknown, "{verdict:?}");
    let reason = &verdict.reason;
    assert!(reason.contains(words), "`{words}` is not in `{reason}`");
}

/// The verdict fails with this severity, and its reason says this.
#[track_caller]
pub(super) fn assert_fails(verdict: &Verdict, expect: Severity, words: &str) {
    assert_eq!(verdict.kind(), VerdictKind::Fail, "{verdict:?}");
    let reason = &verdict.reason;
    assert_eq!(verdict.severity, Some(expect), "{reason}");
    assert!(reason.contains(words), "`{words}` is not in `{reason}`");
    assert!(!reason.ends_with('.'), "{reason}");
}

/// An observation and all that surrounds it, to be varied and shown to a check.
pub(super) struct Scene {
    pub(super) check: &'static Check,
    pub(super) observation: Observation,
    pub(super) host: Host,
    /// None where no engine told of the container.
    pub(super) container: Option<Container>,
    pub(super) session: Option<ExecSession>,
    pub(super) first_bounding: Option<CapSet>,
}

impl Scene {
    /// In an ordinary container, whose first program had the default bounding set; no exec session.
    pub(super) fn new(check: &'static Check, observation: Observation) -> Self {
        Self {
            check,
            observation,
            host: host(),
            container: Some(container("web")),
            session: None,
            first_bounding: Some(DEFAULT_CONTAINER_CAPS),
        }
    }

    /// The facts of the container.
    pub(super) fn facts(&mut self) -> &mut Container {
        self.container.as_mut().unwrap()
    }

    /// The process that did it.
    pub(super) fn process(&mut self) -> &mut Process {
        self.observation.process.as_mut().unwrap()
    }

    /// The exec.
    pub(super) fn exec(&mut self) -> &mut Exec {
        match &mut self.observation.event {
            Event::Exec(exec) => exec,
            other => panic!("{other:?}"),
        }
    }

    /// Moves it to the host itself.
    pub(super) fn on_host(mut self) -> Self {
        self.observation.container = None;
        self.container = None;
        self.first_bounding = None;
        self.process().namespaces = HOST_NAMESPACES;
        self
    }

    /// Makes the container privileged, with the capabilities that go with it.
    pub(super) fn privileged(mut self) -> Self {
        self.facts().privileged = Some(true);
        self.first_bounding = Some(CapSet::ALL);
        let process = self.process();
        (process.caps_effective, process.caps_bounding) = (CapSet::ALL, CapSet::ALL);
        self
    }

    /// What the check makes of it.
    pub(super) fn observe(&self) -> Option<Finding> {
        let view = View {
            observation: &self.observation,
            host: &self.host,
            container: self.container.as_ref(),
            session: self.session.as_ref(),
            first_bounding: self.first_bounding,
        };
        (self.check.observe)(&view)
    }

    /// The check says nothing.
    #[track_caller]
    pub(super) fn silent(&self) {
        assert_eq!(self.observe(), None);
    }

    /// The check says this, and declares that it listens.
    #[track_caller]
    pub(super) fn finds(&self, class: Class, severity: Severity, summary: &str) {
        let finding = self.observe().expect("a finding");
        assert_eq!(finding.summary, summary);
        assert_eq!(
            (finding.class, finding.severity.unwrap_or(self.check.severity)),
            (class, severity)
        );
        assert!(!finding.subject.is_empty());
        assert!(self.check.listens_to(&self.observation.event));
    }
}

/// A writable bind mount whose source is no symlink.
pub(super) fn bind(source: &str, destination: &str) -> ContainerMount {
    ContainerMount {
        kind: "bind".into(),
        source: source.into(),
        resolved: Some(source.into()),
        sockets: Vec::new(),
        destination: destination.into(),
        writable: true,
        propagation: "rprivate".into(),
    }
}
