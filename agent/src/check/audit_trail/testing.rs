//! A host with one object, and rules about it.

use super::super::testing::host;
use super::super::{Assess, Check, Item};
use super::call::{ATTRIBUTES, EXECUTE, READ, WRITE};
use super::field::{DIR, EQUAL, KEY, PERM, WATCH};
use crate::model::{
    AuditFacts, AuditField, AuditRule, AuditStatus, DirEntry, Fact, Host, Object, ObjectKind, ObjectState,
    Role, Verdict, VerdictKind, WatchTarget,
};

/// One check, and the object that it is about.
pub(in crate::check) struct Scene {
    check: &'static Check,
    object: Object,
    host: Host,
}

/// Entry of a name in a directory of the first disk; inodes follow from the path.
pub(super) fn entry(path: &str) -> DirEntry {
    let (directory, name) = path.rsplit_once('/').unwrap();
    let directory = if directory.is_empty() { "/" } else { directory };
    DirEntry {
        ino: ino(directory),
        dev: "8:1".into(),
        name: name.into(),
        directory: directory.into(),
        uid: 0,
        gid: 0,
        mode: 0o755,
    }
}

/// An inode number for a path.
pub(super) fn ino(path: &str) -> u64 {
    path.bytes()
        .fold(17, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_003)
}

/// What is at a path of the first disk.
pub(super) fn state(path: &str, kind: ObjectKind) -> ObjectState {
    ObjectState {
        resolved: path.into(),
        kind,
        ino: ino(path),
        dev: "8:1".into(),
        parents: vec![entry(path)],
        mount_point: "/".into(),
        ..ObjectState::default()
    }
}

/// What a rule's path of the first disk stands for.
pub(super) fn target(path: &str, directory: bool) -> WatchTarget {
    WatchTarget {
        resolved: Some(path.into()),
        entry: Some(entry(path)),
        ino: Some(ino(path)),
        dev: Some("8:1".into()),
        directory,
        symlink: false,
    }
}

/// A watch of a path, for everything.
pub(super) fn rule(path: &str, directory: bool) -> AuditRule {
    let field = |field: u32, value: u32, text: Option<&str>| AuditField {
        field,
        op: EQUAL,
        value,
        text: text.map(str::to_owned),
    };
    AuditRule {
        list: 4,
        action: 2,
        mask: vec![u32::MAX; 64],
        fields: vec![
            field(if directory { DIR } else { WATCH }, 0, Some(path)),
            field(PERM, READ | WRITE | EXECUTE | ATTRIBUTES, None),
            field(KEY, 0, Some("docker")),
        ],
        target: Some(target(path, directory)),
    }
}

/// Audit that is on, with these rules and no rule file.
pub(super) fn facts(rules: Vec<AuditRule>) -> AuditFacts {
    AuditFacts {
        status: AuditStatus {
            enabled: 1,
            pid: 7,
            daemon: Some("auditd".to_owned()),
            ..AuditStatus::default()
        },
        files: Fact::Known(Vec::new()),
        unaudited_processes: Fact::Known(Vec::new()),
        listeners: Fact::Known(Vec::new()),
        rules,
    }
}

impl Scene {
    pub(in crate::check) fn new(check: &'static Check, role: Role) -> Self {
        let (path, kind) = match role {
            Role::DataRoot | Role::ConfigDir | Role::RunContainerd => ("/srv/engine", ObjectKind::Directory),
            Role::EngineSocket | Role::ContainerdSocket => ("/srv/engine.sock", ObjectKind::Socket),
            _ => ("/srv/containerd-shim", ObjectKind::File),
        };
        let object = Object {
            role,
            path: path.into(),
            state: Fact::Known(Some(state(path, kind))),
        };
        let mut host = host();
        host.facts.audit = Fact::Known(facts(Vec::new()));
        Self { check, object, host }
    }

    fn items(&self) -> Vec<Item> {
        let mut host = self.host.clone();
        if let Fact::Known(objects) = &mut host.facts.objects {
            objects.push(self.object.clone());
        }
        let Assess::Host(assess) = self.check.assess else {
            panic!("not judged per host");
        };
        assess(&host)
    }

    #[track_caller]
    fn gives(&self, kind: VerdictKind, words: &str) -> Verdict {
        let items = self.items();
        assert_eq!(items.len(), 1, "{items:?}");
        let verdict = items.into_iter().next().unwrap().verdict;
        assert_eq!(verdict.kind, kind, "{}", verdict.reason);
        assert!(verdict.reason.contains(words), "{}", verdict.reason);
        verdict
    }

    fn load(&mut self, path: &str) {
        let directory =
            matches!(&self.object.state, Fact::Known(Some(state)) if state.kind == ObjectKind::Directory);
        let facts = self.host.facts.audit.get_mut().unwrap();
        facts.rules.push(rule(path, directory));
    }

    #[track_caller]
    pub(in crate::check) fn passes_when_watched(mut self) {
        let path = self.object.path.clone();
        self.load(&path);
        self.gives(VerdictKind::Pass, "loaded only");
        let facts = self.host.facts.audit.get_mut().unwrap();
        facts.status.daemon = None;
        facts.listeners = Fact::Known(vec!["systemd-journald".to_owned()]);
        self.gives(VerdictKind::Pass, "the journal takes the records");
    }

    /// What the kernel records and nobody writes down is no trail.
    #[track_caller]
    pub(in crate::check) fn fails_unkept(mut self) {
        let path = self.object.path.clone();
        self.load(&path);
        self.host.facts.audit.get_mut().unwrap().status.daemon = None;
        let verdict = self.gives(VerdictKind::Fail, "no audit daemon runs");
        assert_eq!(verdict.remedy.as_deref(), Some(super::remedy::START_DAEMON));
        assert!(!verdict.evidence.is_empty());
        let facts = self.host.facts.audit.get_mut().unwrap();
        facts.listeners = Fact::Known(vec!["auditbeat".to_owned()]);
        self.gives(VerdictKind::Unknown, "auditbeat");
    }

    #[track_caller]
    pub(in crate::check) fn fails_unwatched(self) {
        let verdict = self.gives(VerdictKind::Fail, "no rule watches it");
        let remedy = verdict.remedy.unwrap();
        assert!(
            remedy.contains(&self.object.path) && remedy.contains("arch=b32"),
            "{remedy}"
        );
        assert!(!verdict.evidence.is_empty());
    }

    #[track_caller]
    pub(in crate::check) fn fails_with_a_look_alike(mut self) {
        for path in [
            "/srv/engine.sock.d",
            "/srv/engine-root",
            "/srv/containerd-shim-runc-v2",
            "/srv/contain",
        ] {
            self.load(path);
        }
        self.gives(VerdictKind::Fail, "no rule watches it");
    }

    #[track_caller]
    pub(in crate::check) fn stays_unknown_unseen(mut self) {
        let object = std::mem::replace(&mut self.object.state, Fact::unknown("permission denied"));
        self.gives(VerdictKind::Unknown, "permission denied");
        self.object.state = object;
        self.host.facts.audit = Fact::unknown("audit needs root");
        self.gives(VerdictKind::Unknown, "audit needs root");
        self.host.facts.objects = Fact::unknown("no /proc");
        self.gives(VerdictKind::Unknown, "no /proc");
    }

    #[track_caller]
    pub(in crate::check) fn does_not_apply_when_absent(mut self) {
        self.object.state = Fact::Known(None);
        self.gives(VerdictKind::NotApplicable, "this host has no");
    }
}
