//! Programs that send logs to another host, and run.

use super::super::process_root::ProcessRoot;
use super::super::processes::Processes;
use super::files;
use crate::model::Fact;

/// Programs whose purpose it is: that one runs is taken for sending, its configuration is not read.
const SHIPPERS: &[&str] = &[
    "alloy",
    "fluent-bit",
    "fluentd",
    "filebeat",
    "grafana-agent",
    "journalbeat",
    "logstash-agent",
    "nxlog",
    "otelcol",
    "otelcol-contrib",
    "promtail",
    "splunkd",
    "systemd-journal-upload",
    "vector",
];
/// Local syslog as well as a forwarder: which, its configuration says. Of the two, only this one's is read; that
/// syslog-ng runs says nothing.
const RSYSLOG: &str = "rsyslogd";
const RSYSLOG_MAIN: &str = "/etc/rsyslog.conf";
const RSYSLOG_MORE: &str = "/etc/rsyslog.d";

/// Their names, each once.
pub(super) fn forwarders(root: &ProcessRoot, processes: &Processes) -> Fact<Vec<String>> {
    let mut found: Vec<String> = SHIPPERS
        .iter()
        .filter(|name| processes.named(name).next().is_some())
        .map(|name| (*name).to_owned())
        .collect();
    if processes.named(RSYSLOG).next().is_some() && rsyslog_forwards(root) {
        found.push(RSYSLOG.to_owned());
    }
    if found.is_empty()
        && SHIPPERS
            .iter()
            .chain([&RSYSLOG])
            .any(|name| processes.may_hide(name))
    {
        return Fact::unknown("a forwarder may run that this user may not look at: run as root");
    }
    found.sort_unstable();
    Fact::Known(found)
}

fn rsyslog_forwards(root: &ProcessRoot) -> bool {
    let more = files::list(root, RSYSLOG_MORE)
        .into_iter()
        .filter(|path| path.ends_with(".conf"));
    let mut all = [RSYSLOG_MAIN.to_owned()].into_iter().chain(more);
    all.any(|path| files::text(root, &path).is_ok_and(|text| text.lines().any(forwards)))
}

/// `*.* @host`, `*.* @@host`, `action(type="omfwd" …)` and the like of other protocols.
fn forwards(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let by_module = ["omfwd", "omrelp", "omkafka", "omelasticsearch"];
    let by_action = || {
        let quoted = by_module.map(|module| format!("type=\"{module}\""));
        quoted
            .iter()
            .any(|action| line.replace(' ', "").contains(action.as_str()))
    };
    let by_selector = || {
        let mut words = line.split_ascii_whitespace();
        let selects = words.next().is_some_and(|selector| selector.contains('.'));
        selects
            && words
                .next()
                .is_some_and(|action| action.starts_with('@') || action.starts_with(":omrelp:"))
    };
    by_selector() || by_action()
}

#[cfg(test)]
mod tests {
    use super::super::super::processes::Running;
    use super::super::files::testing::Tree;
    use super::*;

    #[track_caller]
    fn check(names: &[&str], rsyslog: &str, truncated: bool, expect: Option<&[&str]>) {
        let running = names.iter().map(|name| Running {
            pid: 1,
            exe: format!("/usr/sbin/{name}"),
            deleted: false,
        });
        let processes = Processes {
            running: running.collect(),
            truncated,
            ..Processes::default()
        };
        let tree = Tree::new(&[
            ("etc/rsyslog.conf", "module(load=\"imuxsock\")\n"),
            ("etc/rsyslog.d/a.conf", rsyslog),
        ]);
        let found = forwarders(&tree.root(), &processes);
        assert_eq!(
            found.get().map(Vec::as_slice).map(<[String]>::to_vec),
            expect.map(|names| names.iter().map(|n| (*n).to_owned()).collect()),
            "{names:?}"
        );
    }

    #[test]
    fn a_forwarder_counts_while_it_runs() {
        check(
            &["dockerd", "vector", "fluent-bit", "vector"],
            "",
            false,
            Some(&["fluent-bit", "vector"]),
        );
        check(&["dockerd", "vectors"], "", false, Some(&[]));
        check(&["vector"], "", true, Some(&["vector"]));
        check(&["dockerd"], "", true, None);
    }

    #[test]
    fn rsyslog_counts_where_it_sends() {
        for line in [
            "*.* @@logs:514",
            "auth.*\t@10.0.0.1",
            "*.* action(type=\"omfwd\" target=\"x\")",
            "action( type = \"omrelp\"",
        ] {
            check(&["rsyslogd"], line, false, Some(&["rsyslogd"]));
        }
        for line in [
            "#*.* @@logs:514",
            "*.* /var/log/x@y",
            "module(load=\"omfwd\")",
            "@x",
        ] {
            check(&["rsyslogd"], line, false, Some(&[]));
        }
        check(&["init"], "*.* @@logs:514", false, Some(&[]));
    }
}
