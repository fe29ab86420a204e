//! What enforces image signatures on this host.

use std::io;

use serde_json::Value;

use super::super::process_root::ProcessRoot;
use super::files;
use crate::model::Fact;

const CONTAINERD: &str = "/etc/containerd/config.toml";
const PLUGIN: &str = "io.containerd.image-verifier.v1.bindir";
/// Where containerd looks for verifiers unless told otherwise.
const DEFAULT_DIRECTORY: &str = "/opt/containerd/image-verifier/bin";
const POLICY: &str = "/etc/containers/policy.json";

/// Each in words. containerd's verifiers hold for what is pulled through its transfer service; the policy for podman,
/// CRI-O and skopeo: neither holds for `dockerd` pulling into its own store.
pub(super) fn verifiers(root: &ProcessRoot) -> Fact<Vec<String>> {
    match (containerd(root), policy(root)) {
        (Ok(one), Ok(other)) => Fact::Known(one.into_iter().chain(other).collect()),
        (Err(why), _) | (_, Err(why)) => Fact::Unknown(why),
    }
}

fn containerd(root: &ProcessRoot) -> Result<Option<String>, String> {
    let config = files::text_if_any(root, CONTAINERD).map_err(|error| cannot_read(CONTAINERD, &error))?;
    let Some(directory) = directory(config.as_deref().unwrap_or_default())? else {
        return Ok(None);
    };
    let programs = files::list(root, &directory).len();
    Ok((programs > 0).then(|| format!("containerd runs {programs} image verifier programs in {directory}")))
}

fn cannot_read(path: &str, error: &io::Error) -> String {
    format!("cannot read {path}: {error}")
}

/// The directory of verifiers; `None` where the plugin is disabled.
fn directory(config: &str) -> Result<Option<String>, String> {
    let config: toml::Table =
        toml::from_str(config).map_err(|error| format!("{CONTAINERD} is no TOML: {}", error.message()))?;
    let disabled = config.get("disabled_plugins").and_then(toml::Value::as_array);
    if disabled.is_some_and(|list| list.iter().any(|plugin| plugin.as_str() == Some(PLUGIN))) {
        return Ok(None);
    }
    let plugin = config.get("plugins").and_then(|plugins| plugins.get(PLUGIN));
    let given = plugin
        .and_then(|plugin| plugin.get("bin_dir"))
        .and_then(toml::Value::as_str);
    Ok(Some(given.unwrap_or(DEFAULT_DIRECTORY).to_owned()).filter(|path| path.starts_with('/')))
}

fn policy(root: &ProcessRoot) -> Result<Option<String>, String> {
    let Some(text) = files::text_if_any(root, POLICY).map_err(|error| cannot_read(POLICY, &error))? else {
        return Ok(None);
    };
    let policy: Value =
        serde_json::from_str(&text).map_err(|error| format!("{POLICY} is no JSON: {error}"))?;
    Ok(default_of(&policy).map(|rules| format!("{POLICY} requires {rules} by default")))
}

/// The requirements of the default, if they refuse anything: all of the list have to hold.
fn default_of(policy: &Value) -> Option<String> {
    let rules = policy.get("default")?.as_array()?.iter();
    let kinds: Vec<&str> = rules
        .filter_map(|rule| rule.get("type")?.as_str())
        .filter(|kind| *kind != "insecureAcceptAnything")
        .collect();
    (!kinds.is_empty()).then(|| kinds.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::super::files::testing::Tree;
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expect: Result<&[&str], &str>) {
        match (verifiers(&Tree::new(files).root()), expect) {
            (Fact::Known(found), Ok(expect)) => assert_eq!(found, expect, "{files:?}"),
            (Fact::Unknown(why), Err(words)) => assert!(why.contains(words), "{why}"),
            (found, _) => panic!("{found:?}: {files:?}"),
        }
    }

    #[test]
    fn verifiers_count_where_there_are_programs() {
        let config = |text| ("etc/containerd/config.toml", text);
        let other = "[plugins.\"io.containerd.image-verifier.v1.bindir\"]\nbin_dir = \"/v\"\n";
        check(&[], Ok(&[]));
        check(&[config(other)], Ok(&[]));
        check(
            &[config(other), ("v/a", ""), ("v/b", "")],
            Ok(&["containerd runs 2 image verifier programs in /v"]),
        );
        let usual = ("opt/containerd/image-verifier/bin/a", "");
        check(
            &[usual],
            Ok(&["containerd runs 1 image verifier programs in /opt/containerd/image-verifier/bin"]),
        );
        check(
            &[
                usual,
                config("disabled_plugins = [\"io.containerd.image-verifier.v1.bindir\"]"),
            ],
            Ok(&[]),
        );
        check(&[config("a = [")], Err("no TOML"));
    }

    #[test]
    fn a_policy_counts_where_its_default_refuses() {
        let policy = |text| ("etc/containers/policy.json", text);
        check(
            &[policy("{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}")],
            Ok(&[]),
        );
        check(
            &[policy("{\"default\":[{\"type\":\"reject\"}]}")],
            Ok(&["/etc/containers/policy.json requires reject by default"]),
        );
        check(&[policy("{}")], Ok(&[]));
        check(&[policy("{")], Err("no JSON"));
    }
}
