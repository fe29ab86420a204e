//! Cases of checks on files.

use super::host;
use crate::check::{Assess, Check, Item};
use crate::model::{
    Daemon, DaemonOption, DirEntry, Fact, Host, Object, ObjectKind, ObjectState, OptionSource, Role,
    Severity, VerdictKind,
};

/// An object of root that only he can do anything with, in a directory of root.
pub(in crate::check) fn object(role: Role, path: &str) -> Object {
    let (directory, name) = path.rsplit_once('/').unwrap();
    let kind = match role {
        Role::EngineSocket | Role::ContainerdSocket => ObjectKind::Socket,
        Role::ConfigDir | Role::RegistryCertDir => ObjectKind::Directory,
        _ => ObjectKind::File,
    };
    let parent = DirEntry {
        name: name.into(),
        directory: directory.into(),
        mode: 0o755,
        ..DirEntry::default()
    };
    let state = ObjectState {
        resolved: path.into(),
        kind,
        group: Some("root".into()),
        parents: vec![parent],
        ..ObjectState::default()
    };
    Object {
        role,
        path: path.into(),
        state: Fact::Known(Some(state)),
    }
}

/// The state of [`object`].
pub(in crate::check) fn state(object: &mut Object) -> &mut ObjectState {
    object.state.get_mut().unwrap().as_mut().unwrap()
}

/// A check on one object.
pub(in crate::check) struct Cases {
    pub(in crate::check) check: &'static Check,
    pub(in crate::check) role: Role,
    pub(in crate::check) path: &'static str,
}

impl Cases {
    /// Items of the check on a host with the object, both varied.
    pub(in crate::check) fn items(&self, vary: impl FnOnce(&mut Object, &mut Host)) -> Vec<Item> {
        let (mut object, mut host) = (object(self.role, self.path), host());
        vary(&mut object, &mut host);
        if let Fact::Known(objects) = &mut host.facts.objects {
            objects.push(object);
        }
        match self.check.assess {
            Assess::Host(assess) => assess(&host),
            _ => panic!("{} does not judge the host", self.check.key),
        }
    }

    /// The one item.
    #[track_caller]
    pub(in crate::check) fn item(&self, vary: impl FnOnce(&mut Object, &mut Host)) -> Item {
        let mut items = self.items(vary);
        assert_eq!(items.len(), 1, "{items:?}");
        items.remove(0)
    }

    #[track_caller]
    fn owned(&self, uid: u32, gid: u32, kind: VerdictKind) -> Item {
        let item = self.item(|object, _| {
            (state(object).uid, state(object).gid) = (uid, gid);
            state(object).group = (gid == 0).then(|| "root".into());
        });
        assert_eq!(item.verdict.kind(), kind, "{uid}:{gid} {}", item.verdict.reason);
        item
    }

    #[track_caller]
    pub(in crate::check) fn pass_what_root_owns(&self) {
        let item = self.owned(0, 0, VerdictKind::Pass);
        assert_eq!(item.verdict.reason, format!("{} belongs to root:root", self.path));
        let rootless = self.item(|object, host| {
            (state(object).uid, state(object).gid) = (1000, 100);
            host.facts.daemon.get_mut().unwrap().uid = 1000;
        });
        assert_eq!(
            rootless.verdict.kind(),
            VerdictKind::Pass,
            "{}",
            rootless.verdict.reason
        );
    }

    #[track_caller]
    pub(in crate::check) fn fail_what_others_own(&self) {
        for (uid, gid) in [(1, 0), (0, 1), (1000, 1000), (10, 0), (0, 100)] {
            let item = self.owned(uid, gid, VerdictKind::Fail);
            let remedy = item.verdict.remedy.unwrap();
            assert!(
                remedy.starts_with("chown root:") && remedy.ends_with(self.path),
                "{remedy}"
            );
            assert_eq!(item.subject, self.path);
            assert_eq!(item.verdict.evidence.len(), 1);
        }
        let items = self.items(|object, _| state(object).parents[0].uid = 1000);
        let [own, directory] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(own.verdict.kind(), VerdictKind::Pass);
        let expect = format!("belongs to 1000, who can replace {}", self.path);
        assert!(directory.verdict.reason.ends_with(&expect), "{directory:?}");
        assert_eq!(directory.verdict.kind(), VerdictKind::Fail);
    }

    #[track_caller]
    fn with_mode(&self, mode: u32, kind: VerdictKind) -> Item {
        let item = self.item(|object, _| state(object).mode = mode);
        assert_eq!(item.verdict.kind(), kind, "{mode:o}: {}", item.verdict.reason);
        item
    }

    /// These modes pass, whoever they keep out.
    #[track_caller]
    pub(in crate::check) fn pass_modes(&self, modes: &[u32]) {
        for mode in modes {
            let item = self.with_mode(*mode, VerdictKind::Pass);
            let expect = format!("{} has mode {mode:04o}, within ", self.path);
            assert!(
                item.verdict.reason.starts_with(&expect),
                "{}",
                item.verdict.reason
            );
        }
    }

    /// These modes fail at the check's severity, and so does a writable directory around the object.
    #[track_caller]
    pub(in crate::check) fn fail_modes(&self, modes: &[u32]) {
        for mode in modes {
            let item = self.with_mode(*mode, VerdictKind::Fail);
            assert_eq!(item.verdict.severity, None, "{mode:o}");
            assert!(item.verdict.remedy.unwrap().ends_with(self.path));
            assert_eq!(item.verdict.evidence.len(), 1);
        }
        let items = self.items(|object, _| state(object).parents[0].mode = 0o777);
        let [own, directory] = items.as_slice() else {
            panic!("{items:?}")
        };
        assert_eq!(own.verdict.kind(), VerdictKind::Pass);
        let expect = format!("everybody can replace {}", self.path);
        assert!(directory.verdict.reason.ends_with(&expect), "{directory:?}");
        for harmless in [0o1777, 0o775] {
            let items = self.items(|object, _| state(object).parents[0].mode = harmless);
            assert_eq!(items.len(), 1, "{harmless:o}");
        }
    }

    /// This mode fails at low severity: only its owner has more than he needs.
    #[track_caller]
    pub(in crate::check) fn fail_lightly(&self, mode: u32) {
        let item = self.with_mode(mode, VerdictKind::Fail);
        assert_eq!(item.verdict.severity, Some(Severity::Low));
    }

    /// What was not looked at is unknown, and what is not there has no verdict.
    #[track_caller]
    pub(in crate::check) fn unknown_where_nobody_could_look(&self) {
        let blind = self.item(|object, _| object.state = Fact::unknown("no permission"));
        assert_eq!(
            (blind.verdict.kind(), blind.verdict.reason.as_str()),
            (VerdictKind::Unknown, "no permission")
        );
        let none = self.item(|_, host| host.facts.objects = Fact::unknown("no /proc"));
        assert_eq!(
            (none.verdict.kind(), none.verdict.reason.as_str()),
            (VerdictKind::Unknown, "no /proc")
        );
        let absent = self.item(|object, _| object.state = Fact::Known(None));
        assert_eq!(absent.verdict.kind(), VerdictKind::NotApplicable);
        assert!(
            absent.verdict.reason.contains(self.path),
            "{}",
            absent.verdict.reason
        );
    }
}

/// Gives the daemon an option.
pub(in crate::check) fn set(daemon: &mut Daemon, name: &str, value: &str) {
    let option = DaemonOption {
        value: value.into(),
        source: OptionSource::File,
        pending: None,
    };
    daemon.options.insert(name.into(), option);
}
