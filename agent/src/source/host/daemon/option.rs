//! The options of `dockerd`, from engine 1.13 to 29: how each is given, and its name in the configuration file.

/// What a flag's value is, and what it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `--name`, `--name=false`.
    Switch,
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// Each use adds one text.
    List,
    /// Each use adds `key=value` to a map.
    Map,
    /// Each use adds `group=key=value` to a map of maps.
    Nested,
    /// `name=soft[:hard]`, to what the file calls `default-ulimits`.
    Ulimit,
    /// `name=path`, to what the file calls `runtimes`.
    Runtime,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// Name after `--`.
    pub(super) flag: &'static str,
    /// Letter after `-`.
    pub(super) short: Option<char>,
    /// Name in the configuration file.
    pub(super) key: &'static str,
    pub(super) kind: Kind,
}

/// By the name after `--`.
pub(super) fn by_flag(flag: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|spec| spec.flag == flag)
}

/// By the letter after `-`.
pub(super) fn by_letter(letter: char) -> Option<&'static Spec> {
    OPTIONS.iter().find(|spec| spec.short == Some(letter))
}

/// Whether the daemon takes up the file's value on SIGHUP.
pub(super) fn is_reloadable(key: &str) -> bool {
    RELOADABLE.contains(&key)
}

/// The name that an option has by now.
pub(super) fn current_name(key: &str) -> &str {
    if key == "graph" { "data-root" } else { key }
}

const RELOADABLE: &[&str] = &[
    "allow-nondistributable-artifacts",
    "authorization-plugins",
    "debug",
    "default-cgroupns-mode",
    "default-ipc-mode",
    "default-runtime",
    "default-shm-size",
    "features",
    "insecure-registries",
    "labels",
    "live-restore",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "network-diagnostic-port",
    "registry-mirrors",
    "runtimes",
    "shutdown-timeout",
];

const fn same(flag: &'static str, kind: Kind) -> Spec {
    named(flag, flag, kind)
}

const fn named(flag: &'static str, key: &'static str, kind: Kind) -> Spec {
    let short = None;
    Spec {
        flag,
        short,
        key,
        kind,
    }
}

const fn letter(short: char, spec: Spec) -> Spec {
    let short = Some(short);
    Spec { short, ..spec }
}

const OPTIONS: &[Spec] = &[
    letter('D', same("debug", Kind::Switch)),
    letter('G', same("group", Kind::Text)),
    letter('H', named("host", "hosts", Kind::List)),
    letter('b', same("bridge", Kind::Text)),
    letter('g', named("graph", "data-root", Kind::Text)),
    letter('h', same("help", Kind::Switch)),
    letter('l', same("log-level", Kind::Text)),
    letter('p', same("pidfile", Kind::Text)),
    letter('s', same("storage-driver", Kind::Text)),
    letter('v', same("version", Kind::Switch)),
    named("add-runtime", "runtimes", Kind::Runtime),
    same("allow-direct-routing", Kind::Switch),
    same("allow-nondistributable-artifacts", Kind::List),
    same("api-cors-header", Kind::Text),
    named("authorization-plugin", "authorization-plugins", Kind::List),
    same("bip", Kind::Text),
    same("bip6", Kind::Text),
    same("bridge-accept-fwmark", Kind::Text),
    named("cdi-spec-dir", "cdi-spec-dirs", Kind::List),
    same("cgroup-parent", Kind::Text),
    same("cluster-advertise", Kind::Text),
    same("cluster-store", Kind::Text),
    named("cluster-store-opt", "cluster-store-opts", Kind::Map),
    same("config-file", Kind::Text),
    same("containerd", Kind::Text),
    same("containerd-namespace", Kind::Text),
    same("containerd-plugins-namespace", Kind::Text),
    same("cpu-rt-period", Kind::Number),
    same("cpu-rt-runtime", Kind::Number),
    same("cri-containerd", Kind::Switch),
    same("data-root", Kind::Text),
    named("default-address-pool", "default-address-pools", Kind::List),
    same("default-cgroupns-mode", Kind::Text),
    same("default-gateway", Kind::Text),
    same("default-gateway-v6", Kind::Text),
    same("default-ipc-mode", Kind::Text),
    named("default-network-opt", "default-network-opts", Kind::Nested),
    same("default-runtime", Kind::Text),
    same("default-shm-size", Kind::Text),
    named("default-ulimit", "default-ulimits", Kind::Ulimit),
    same("disable-legacy-registry", Kind::Switch),
    same("dns", Kind::List),
    named("dns-opt", "dns-opts", Kind::List),
    same("dns-search", Kind::List),
    named("exec-opt", "exec-opts", Kind::List),
    same("exec-root", Kind::Text),
    same("experimental", Kind::Switch),
    named("feature", "features", Kind::Map),
    same("firewall-backend", Kind::Text),
    same("fixed-cidr", Kind::Text),
    same("fixed-cidr-v6", Kind::Text),
    same("host-gateway-ip", Kind::List),
    same("http-proxy", Kind::Text),
    same("https-proxy", Kind::Text),
    same("icc", Kind::Switch),
    same("init", Kind::Switch),
    same("init-path", Kind::Text),
    named("insecure-registry", "insecure-registries", Kind::List),
    same("ip", Kind::Text),
    same("ip-forward", Kind::Switch),
    same("ip-forward-no-drop", Kind::Switch),
    same("ip-masq", Kind::Switch),
    same("ip6tables", Kind::Switch),
    same("iptables", Kind::Switch),
    same("ipv6", Kind::Switch),
    named("label", "labels", Kind::List),
    same("live-restore", Kind::Switch),
    same("log-driver", Kind::Text),
    same("log-format", Kind::Text),
    named("log-opt", "log-opts", Kind::Map),
    same("max-concurrent-downloads", Kind::Number),
    same("max-concurrent-uploads", Kind::Number),
    same("max-download-attempts", Kind::Number),
    same("metrics-addr", Kind::Text),
    same("min-api-version", Kind::Text),
    same("mtu", Kind::Number),
    same("network-control-plane-mtu", Kind::Number),
    same("network-diagnostic-port", Kind::Number),
    same("no-new-privileges", Kind::Switch),
    same("no-proxy", Kind::Text),
    named("node-generic-resource", "node-generic-resources", Kind::List),
    same("oom-score-adjust", Kind::Number),
    same("raw-logs", Kind::Switch),
    named("registry-mirror", "registry-mirrors", Kind::List),
    same("rootless", Kind::Switch),
    same("seccomp-profile", Kind::Text),
    same("selinux-enabled", Kind::Switch),
    same("shutdown-timeout", Kind::Number),
    named("storage-opt", "storage-opts", Kind::List),
    same("swarm-default-advertise-addr", Kind::Text),
    same("tls", Kind::Switch),
    same("tlscacert", Kind::Text),
    same("tlscert", Kind::Text),
    same("tlskey", Kind::Text),
    same("tlsverify", Kind::Switch),
    same("userland-proxy", Kind::Switch),
    same("userland-proxy-path", Kind::Text),
    same("userns-remap", Kind::Text),
    same("validate", Kind::Switch),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_letters_are_given_once() {
        let flags: BTreeSet<_> = OPTIONS.iter().map(|spec| spec.flag).collect();
        let letters: BTreeSet<_> = OPTIONS.iter().filter_map(|spec| spec.short).collect();
        assert_eq!(flags.len(), OPTIONS.len());
        assert_eq!(letters.into_iter().collect::<String>(), "DGHbghlpsv");
    }

    #[test]
    fn every_reloadable_option_is_one() {
        for key in RELOADABLE {
            assert!(OPTIONS.iter().any(|spec| spec.key == *key), "{key}");
        }
    }
}
