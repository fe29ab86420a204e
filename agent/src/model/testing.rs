//! Observations for the tests of the rooms behind the sources: an ordinary container, to be varied.

use super::{
    AncestorRef, CapSet, CgroupId, Container, ContainerAction, ContainerId, ContainerRef, ContainerState,
    DEFAULT_CONTAINER_CAPS, EngineKind, Event, Exec, ExecFile, ExecSession, Gained, HostFacts, HostRef,
    Identity, Namespaces, Observation, Process, Seccomp, Source, Time,
};

/// The time all tests start at, plus milliseconds.
pub(crate) fn at(millis: u64) -> Time {
    Time::from_unix_nanos(1_700_000_000_000_000_000).after(std::time::Duration::from_millis(millis))
}

/// A container id that is the same for the same name.
pub(crate) fn id(name: &str) -> ContainerId {
    let sum: u64 = name
        .bytes()
        .fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("{sum:064x}").parse().unwrap()
}

/// A running container as Docker describes it.
pub(crate) fn container(name: &str) -> Container {
    Container {
        id: id(name),
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
        security_opt: Some(Vec::new()),
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
        limits: crate::model::Limits::default(),
        reach: crate::model::Reach::default(),
        life: crate::model::Life::default(),
        secrets: None,
        truth: None,
    }
}

/// The same, privileged.
pub(crate) fn privileged(name: &str) -> Container {
    Container {
        privileged: Some(true),
        ..container(name)
    }
}

fn seen(millis: u64, source: Source, container: Option<ContainerRef>, event: Event) -> Observation {
    Observation {
        time: at(millis),
        source,
        process: None,
        container,
        plumbing: false,
        event,
    }
}

fn container_ref(name: &str) -> ContainerRef {
    ContainerRef {
        id: Some(id(name)),
        name: Some(name.into()),
        image: Some("app:1".into()),
        privileged: Some(false),
        engine: EngineKind::Docker,
        identity: Identity::Confirmed,
    }
}

/// The host makes itself known.
pub(crate) fn host(millis: u64) -> Observation {
    let host = HostRef {
        name: "node".into(),
        id: "m1".into(),
        boot_id: "b1".into(),
    };
    let facts = HostFacts {
        host,
        ..HostFacts::default()
    };
    seen(millis, Source::Assessment, None, Event::Host(Box::new(facts)))
}

/// The engine tells of a container.
pub(crate) fn told(millis: u64, action: ContainerAction, facts: Container) -> Observation {
    let container = ContainerRef {
        privileged: facts.privileged,
        ..container_ref(&facts.name)
    };
    let facts = Box::new(facts);
    seen(
        millis,
        Source::Engine,
        Some(container),
        Event::Container { action, facts },
    )
}

/// The engine tells of an exec session.
pub(crate) fn session(millis: u64, name: &str, command: &[&str]) -> Observation {
    let session = ExecSession {
        id: format!("s{millis}"),
        container: id(name),
        privileged: Some(true),
        user: Some(String::new()),
        command: command.iter().map(|arg| (*arg).to_owned()).collect(),
        pid: None,
    };
    seen(
        millis,
        Source::Engine,
        Some(container_ref(name)),
        Event::ExecSession(session),
    )
}

/// A process of uid 0 in an ordinary container.
pub(crate) fn process(pid: u32, args: &[&str]) -> Process {
    let exe = args.first().copied().unwrap_or_default();
    Process {
        pid,
        tid: pid,
        exe: exe.into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        args_truncated: false,
        comm: exe.rsplit('/').next().unwrap_or(exe).into(),
        uid: 0,
        euid: 0,
        gid: 0,
        egid: 0,
        login_uid: None,
        caps_effective: DEFAULT_CONTAINER_CAPS,
        caps_permitted: DEFAULT_CONTAINER_CAPS,
        caps_bounding: DEFAULT_CONTAINER_CAPS,
        no_new_privs: false,
        seccomp: Seccomp::Filter,
        namespaces: Namespaces::default(),
        cgroup: CgroupId(900),
        start_time: u64::from(pid),
        ancestors: vec![
            AncestorRef {
                pid: 12,
                comm: "sh".into(),
                exe: "/bin/sh".into(),
                start_time: 5,
            },
            AncestorRef {
                pid: 11,
                comm: "containerd-shim".into(),
                exe: "/usr/bin/containerd-shim-runc-v2".into(),
                start_time: 4,
            },
        ],
    }
}

/// A program runs in the named container.
pub(crate) fn exec(millis: u64, name: &str, pid: u32, args: &[&str]) -> Observation {
    let process = process(pid, args);
    let exec = Exec {
        file: ExecFile {
            path: process.exe.clone(),
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
        requested: process.exe.clone(),
        before: None,
        secure: false,
        gained: Gained {
            caps: CapSet::EMPTY,
            ..Gained::default()
        },
        entry: false,
    };
    Observation {
        process: Some(process),
        ..seen(
            millis,
            Source::Kernel,
            Some(container_ref(name)),
            Event::Exec(exec),
        )
    }
}

/// The same, started from outside the container.
pub(crate) fn entry(millis: u64, name: &str, pid: u32, args: &[&str]) -> Observation {
    let mut observation = exec(millis, name, pid, args);
    if let Event::Exec(exec) = &mut observation.event {
        exec.entry = true;
    }
    observation
}

#[test]
fn every_event_survives_the_way_through_json() {
    use super::{CgroupChange, CgroupOp, Connect, ConnectOp, Image, Line, Mount, MountEffect};
    use super::{Fact, MountRequest, NamespaceChange, Policy, RuntimeSocket};
    let connect = Event::Connect(Connect {
        op: ConnectOp::Use,
        socket: RuntimeSocket {
            runtime: "docker".into(),
            path: "/run/docker.sock".into(),
            ino: 3,
            dev: "0:20".into(),
        },
        bound: "/run/docker.sock".into(),
    });
    let mount = Event::Mount(Mount {
        call: "mount".into(),
        errno: 0,
        requested: MountRequest::default(),
        effect: MountEffect::Unverified {
            reason: "gone".into(),
        },
    });
    let namespace = Event::Namespace(NamespaceChange {
        call: "setns".into(),
        entered: Vec::new(),
    });
    let cgroup = Event::Cgroup(CgroupChange {
        op: CgroupOp::Removed,
        cgroup: CgroupId(4),
        path: "/".into(),
    });
    let id = || "sha256:1".to_owned();
    let image = Event::Image(Image {
        id: id(),
        ..Image::default()
    });
    let mut all = vec![
        host(0),
        told(1, ContainerAction::Started, container("web")),
        session(2, "web", &["id"]),
        entry(3, "web", 77, &["/bin/id", "-u"]),
    ];
    for event in [
        connect,
        mount,
        namespace,
        cgroup,
        image,
        Event::ImageRemoved { id: id() },
        Event::ImageFiles {
            id: id(),
            files: Fact::Known(Box::default()),
        },
        Event::Policy(Policy::default()),
    ] {
        all.push(seen(4, Source::Kernel, Some(container_ref("web")), event));
    }
    for observation in all {
        let line = Line::Observation(Box::new(observation));
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), line, "{json}");
    }
}
