//! The cases of every check of a namespace shared with the host.

use super::super::Check;
use super::super::support::HostNamespace;
use super::{HOST_NAMESPACES, Scene, assert_fails, assert_passes, container, exec_in, judge, setns_in};
use crate::model::{Class, Container, ContainerState, Identity, Namespaces, Verdict};

/// A check, and how to vary what it looks at.
pub(in crate::check) struct Cases {
    pub(in crate::check) check: &'static Check,
    pub(in crate::check) namespace: &'static HostNamespace,
    pub(in crate::check) set_mode: fn(&mut Container, Option<String>),
    pub(in crate::check) set_inode: fn(&mut Namespaces, u32),
}

impl Cases {
    fn hosts(&self) -> u32 {
        (self.namespace.inode)(&HOST_NAMESPACES)
    }

    #[track_caller]
    fn judge(&self, mode: Option<&str>, inode: Option<u32>) -> Verdict {
        let mut other = container("db");
        other.id = "cd".repeat(32).parse().unwrap();
        (self.set_mode)(&mut other, Some("host".into()));
        judge(self.check, |container, host| {
            (self.set_mode)(container, mode.map(Into::into));
            match (inode, &mut container.truth) {
                (Some(inode), Some(truth)) => (self.set_inode)(&mut truth.namespaces, inode),
                _ => container.truth = None,
            }
            host.containers = Some(vec![container.clone(), other]);
        })
    }

    #[track_caller]
    pub(in crate::check) fn pass_a_namespace_of_its_own(&self) {
        assert_passes(&self.judge(Some("private"), Some(99)));
        assert_passes(&self.judge(Some(""), None));
        assert_passes(&self.judge(None, Some(99)));
        // The other container is gone, and the kernel shows what became of its namespace.
        assert_passes(&self.judge(Some("container:gone"), Some(99)));
    }

    #[track_caller]
    pub(in crate::check) fn fail_the_hosts_namespace(&self) {
        let severity = self.namespace.severity;
        let shares = format!(
            "container web shares the host's {} namespace",
            self.namespace.words
        );
        assert_fails(&self.judge(Some("host"), Some(self.hosts())), severity, &shares);
        assert_fails(&self.judge(Some("host"), None), severity, &shares);
        assert_fails(&self.judge(Some("container:db"), None), severity, &shares);
        let by_id = format!("container:{}", "cd".repeat(32));
        assert_fails(&self.judge(Some(&by_id), None), severity, &shares);
        let otherwise = "although its configuration says otherwise";
        assert_fails(
            &self.judge(Some("private"), Some(self.hosts())),
            severity,
            otherwise,
        );
        let not_shown = "although the kernel does not show it";
        assert_fails(
            &self.judge(Some("host"), Some(99)),
            crate::model::Severity::Low,
            not_shown,
        );
        let resting = judge(self.check, |container, _| {
            (self.set_mode)(container, Some("host".into()));
            (container.state, container.truth) = (ContainerState::Exited, None);
        });
        assert_fails(&resting, crate::model::Severity::Medium, &shares);
    }

    #[track_caller]
    pub(in crate::check) fn unknown_where_nobody_says(&self) {
        assert_eq!(self.judge(None, None).kind(), crate::model::VerdictKind::Unknown);
        assert_eq!(
            self.judge(Some("container:gone"), None).kind(),
            crate::model::VerdictKind::Unknown
        );
        assert!(
            (self.judge(Some("container:web"), None)).kind() == crate::model::VerdictKind::Unknown,
            "a loop ends"
        );
        assert_eq!(
            self.judge(None, Some(0)).kind(),
            crate::model::VerdictKind::Unknown
        );
    }

    #[track_caller]
    pub(in crate::check) fn live(&self) {
        let (severity, words) = (self.namespace.severity, self.namespace.words);
        let entry = Scene::new(self.check, setns_in("web", self.namespace.name));
        let summary = format!("/usr/bin/app in container web entered the host's {words} namespace by setns");
        entry.finds(Class::Drift, severity, &summary);
        Scene::new(self.check, setns_in("web", self.namespace.name))
            .on_host()
            .silent();
        Scene::new(self.check, setns_in("web", "cgroup")).silent();

        let mut stray = Scene::new(self.check, exec_in("web", "/bin/ip"));
        stray.silent();
        (self.set_inode)(&mut stray.process().namespaces, self.hosts());
        let summary = format!(
            "/bin/ip of container web runs in the host's {words} namespace, which its configuration does not share"
        );
        stray.finds(Class::Drift, severity, &summary);
        let identity = |scene: &mut Scene, identity| {
            if let Some(container) = &mut scene.observation.container {
                container.identity = identity;
            }
        };
        // `nsenter --mount` from the host.
        identity(&mut stray, Identity::Inferred);
        stray.silent();
        identity(&mut stray, Identity::Confirmed);
        (self.set_mode)(stray.facts(), Some("host".into()));
        stray.silent();
        stray.container = None;
        stray.silent();
    }
}
