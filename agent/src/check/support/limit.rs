//! Limits of resources: what the engine was asked for against what the container's cgroups hold.

use serde_json::json;

use super::{Word, failed, proc, weigh};
use crate::model::{Container, Host, Severity, Verdict};

/// What the container's cgroups say of limits by these names: `Good` where one is in force.
///
/// `in_words` says a limit as a clause that can follow the container's name, `none` that there is no limit.
pub(in crate::check) fn in_force(
    container: &Container,
    names: &[&str],
    in_words: impl Fn(&str, i64) -> String,
    none: &str,
) -> Word {
    let truth = container.truth.as_ref();
    let Some((truth, limits)) = truth.and_then(|truth| Some((truth, truth.cgroup_limits.as_ref()?))) else {
        return Word::Silent("the limits of its cgroup could not be read");
    };
    let found = names.iter().find_map(|name| Some((*name, *limits.get(*name)?)));
    match found {
        Some((name, limit)) => Word::Good(in_words(name, limit)),
        None => Word::Bad(
            none.to_owned(),
            proc(json!({ "cgroup": truth.cgroup, "limits": limits })),
        ),
    }
}

/// Joins the two as [`weigh`] does, but a limit that only the cgroups show is as good: it is an enclosing cgroup's.
pub(in crate::check) fn weigh_limit(
    container: &Container,
    severity: Severity,
    asked: Word,
    kernel: Word,
) -> Verdict {
    match (asked, kernel) {
        (Word::Bad(..), Word::Good(clause)) => {
            let clause = format!("{clause} by its cgroups, although it was not asked for");
            super::passed(container, &clause)
        }
        (asked, kernel) => weigh(container, severity, asked, kernel),
    }
}

/// The failure of a limit that the host's kernel cannot keep, by its name in the engine's information.
pub(in crate::check) fn cannot_limit(container: &Container, host: &Host, name: &str) -> Option<Verdict> {
    let engine = host.facts.engine.get()?;
    if engine.can_limit.get(name) != Some(&false) {
        return None;
    }
    let clause = format!("cannot be limited: the kernel does not support it, says its engine by {name}");
    let told = super::config(name, false);
    Some(failed(container, Severity::Medium, &clause, vec![told]))
}

/// Bytes for people.
pub(in crate::check) fn bytes(count: i64) -> String {
    const MIB: i64 = 1 << 20;
    if count >= MIB && count % MIB == 0 {
        format!("{} MiB", count / MIB)
    } else {
        format!("{count} bytes")
    }
}
