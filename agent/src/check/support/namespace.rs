//! Namespaces that a container shares with the host: one question, asked for four of them.

use serde_json::json;

use super::{Word, config, container_name, proc, program, weigh};
use crate::check::{Finding, View};
use crate::model::{Class, Container, Event, Host, Identity, NamespaceOwner, Namespaces, Severity, Verdict};

/// Containers that a chain of `container:` modes may run through; engines refuse loops, files need not.
const CHAIN: usize = 8;

/// A kind of namespace, and where to read of it.
#[derive(Debug)]
pub(in crate::check) struct HostNamespace {
    /// Name in `/proc/PID/ns`.
    pub(in crate::check) name: &'static str,
    /// Name in sentences.
    pub(in crate::check) words: &'static str,
    /// Field of the engine's description.
    pub(in crate::check) field: &'static str,
    /// Value of that field.
    pub(in crate::check) mode: fn(&Container) -> Option<&str>,
    /// Inode number.
    pub(in crate::check) inode: fn(&Namespaces) -> u32,
    /// Usual severity.
    pub(in crate::check) severity: Severity,
}

/// The network namespace.
pub(in crate::check) static NETWORK: HostNamespace = HostNamespace {
    name: "net",
    words: "network",
    field: "HostConfig.NetworkMode",
    mode: |container| container.network_mode.as_deref(),
    inode: |namespaces| namespaces.net,
    severity: Severity::High,
};

impl HostNamespace {
    /// Whether the container is configured to share the host's, or its first process is in it.
    pub(in crate::check) fn is_shared(&self, container: &Container, host: &Host) -> bool {
        matches!(self.configured(container, host), Word::Bad(..))
            || matches!(self.shown(container, host), Word::Bad(..))
    }

    /// Judges the configured mode and the namespace that the first process is in.
    pub(in crate::check) fn assess(&self, container: &Container, host: &Host) -> Verdict {
        weigh(
            container,
            self.severity,
            self.configured(container, host),
            self.shown(container, host),
        )
    }

    /// A program in the host's namespace against the container's configuration, or one that entered it.
    pub(in crate::check) fn observe(&self, view: &View<'_>) -> Option<Finding> {
        view.observation.container.as_ref()?;
        match &view.observation.event {
            Event::Namespace(_) => enters_host(view, self.name, self.words),
            Event::Exec(_) => self.strays(view),
            _ => None,
        }
    }

    fn configured(&self, container: &Container, host: &Host) -> Word {
        let Some(mode) = self.final_mode(container, host) else {
            return Word::Silent("the engine does not say which namespaces the container uses");
        };
        if mode != "host" {
            return Word::Good(format!("does not ask for the host's {} namespace", self.words));
        }
        let asked = (self.mode)(container).unwrap_or_default();
        Word::Bad(
            format!("shares the host's {} namespace", self.words),
            config(self.field, asked),
        )
    }

    fn shown(&self, container: &Container, host: &Host) -> Word {
        let truth = container
            .truth
            .as_ref()
            .map(|truth| (self.inode)(&truth.namespaces));
        match (truth, self.of_host(host)) {
            (Some(own), Some(hosts)) if own == hosts => Word::Bad(
                format!("is in the host's {} namespace", self.words),
                proc(json!({ "namespace": self.name, "inum": own })),
            ),
            (Some(own), Some(_)) if own != 0 => {
                Word::Good(format!("is not in the host's {} namespace", self.words))
            }
            _ => Word::Silent("the namespaces of its first process could not be read"),
        }
    }

    /// The mode at the end of a chain of `container:` modes; none where the chain cannot be followed.
    fn final_mode<'a>(&self, container: &'a Container, host: &'a Host) -> Option<&'a str> {
        let mut mode = (self.mode)(container)?;
        for _ in 0..CHAIN {
            let Some(named) = mode.strip_prefix("container:") else {
                return Some(mode);
            };
            let next = host
                .containers
                .as_ref()?
                .iter()
                .find(|other| is_called(other, named))?;
            mode = (self.mode)(next)?;
        }
        None
    }

    fn of_host(&self, host: &Host) -> Option<u32> {
        host.facts
            .namespaces
            .as_ref()
            .map(self.inode)
            .filter(|inode| *inode != 0)
    }

    fn strays(&self, view: &View<'_>) -> Option<Finding> {
        let process = view.observation.process.as_ref()?;
        // One that came from the host and entered some of the container's namespaces is still in the host's
        // others: that it came is `exec-not-privileged`.
        if view.observation.container.as_ref()?.identity != Identity::Confirmed {
            return None;
        }
        let inode = (self.inode)(&process.namespaces);
        if self.of_host(view.host) != Some(inode)
            || !matches!(self.configured(view.container?, view.host), Word::Good(_))
        {
            return None;
        }
        let summary = format!(
            "{} of {} runs in the host's {} namespace, which its configuration does not share",
            program(view.observation),
            container_name(view.observation),
            self.words,
        );
        let seen = proc(json!({ "namespace": self.name, "inum": inode }));
        Some(Finding::new(Class::Drift, self.name, summary).evidence(seen))
    }
}

fn is_called(container: &Container, named: &str) -> bool {
    container.name == named || (named.len() >= 12 && container.id.as_str().starts_with(named))
}

/// The observation's container entered the host's namespace of this name.
pub(in crate::check) fn enters_host(view: &View<'_>, namespace: &str, words: &str) -> Option<Finding> {
    let Event::Namespace(change) = &view.observation.event else {
        return None;
    };
    view.observation.container.as_ref()?;
    change
        .entered
        .iter()
        .find(|entered| entered.owner == NamespaceOwner::Host && entered.namespace == namespace)?;
    let summary = format!(
        "{} in {} entered the host's {words} namespace by {}",
        program(view.observation),
        container_name(view.observation),
        change.call,
    );
    Some(Finding::new(Class::Drift, namespace, summary))
}
