//! Container data is backed up.

use serde_json::json;

use super::support::{attested, containers, few, head};
use super::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::model::{Container, Evidence, Host, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "ops-backup",
    title: "Container data is backed up",
    section: "operations",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Attested,
    severity: Severity::Low,
    numbers: &[(Benchmark::V1_13_0, "6.3")],
    about: "Data in volumes outlives containers, but not the disk. Whether it is backed up is no fact of the \
            host: a dated statement in the policy says so. Without any volume there is nothing to back up; \
            what is in bind mounts is the host's own to keep.",
    remedy: "Back up the volumes, try to restore them, and state it under attestations.ops-backup of the \
        policy",
    assess: Assess::Host(assess),
    signals: &[Signal {
        kind: "container",
        when: "a container with a volume is made or removed",
    }],
    observe: no_live_signal,
};

fn assess(host: &Host) -> Vec<Item> {
    let subject = "volumes".to_owned();
    let stated = attested(CHECK.key, host);
    let verdict = stated.unwrap_or_else(|| judge(host).unwrap_or_else(|verdict| verdict));
    vec![Item { subject, verdict }]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let names = volumes(host)?;
    if names.is_empty() {
        return Ok(Verdict::not_applicable("there are no volumes to back up"));
    }
    let facts = json!({ "number": names.len(), "volumes": head(&names) });
    let reason = format!(
        "whether {} are backed up, no fact of the host decides: a dated statement under attestations.{} of \
            the policy does",
        few(&names),
        CHECK.key
    );
    Ok(Verdict::unknown(reason).evidence(Evidence::new(Source::Engine, "volumes", facts)))
}

/// Names of the volumes, those of no container too.
fn volumes(host: &Host) -> Result<Vec<String>, Verdict> {
    let managed = host.facts.engine.look()?.volumes.look()?;
    let mut names: Vec<String> = managed.iter().map(|volume| volume.name.clone()).collect();
    // A volume of another driver may be mounted without being listed.
    let mounted = containers(host)?.iter().flat_map(mounted_volumes);
    names.extend(mounted);
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Volumes of a container by the last name of their place: the engine keeps `NAME/_data`.
fn mounted_volumes(container: &Container) -> impl Iterator<Item = String> {
    let mounts = container.mounts.iter().flatten();
    mounts.filter(|mount| mount.kind == "volume").filter_map(|mount| {
        let place = mount.source.strip_suffix("/_data").unwrap_or(&mount.source);
        let name = place.rsplit('/').next().unwrap_or_default();
        Some(name.to_owned()).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::host;
    use super::*;
    use crate::check::testing::{bind, container};
    use crate::model::{Attestation, Time, Verdict, VerdictKind};
    use crate::model::{ContainerMount, Fact, Volume};

    fn judged(vary: impl FnOnce(&mut Host)) -> Verdict {
        let mut host = host();
        vary(&mut host);
        let mut items = assess(&host);
        assert_eq!(items.len(), 1);
        items.remove(0).verdict
    }

    fn state(host: &mut Host) {
        let time = |nanos| Time::from_unix_nanos(nanos);
        host.taken = Some(time(2));
        let attestation = Attestation {
            statement: "Done and reviewed".into(),
            by: "ana".into(),
            date: time(1),
            expires: time(3),
        };
        host.policy.attestations.insert(CHECK.key.into(), attestation);
    }

    fn with_volumes(host: &mut Host) {
        let volume = Volume {
            name: "db".into(),
            ..Volume::default()
        };
        host.facts.engine.get_mut().unwrap().volumes = Fact::Known(vec![volume]);
        let mut web = container("web");
        let mounted = |source: &str| ContainerMount {
            kind: "volume".into(),
            ..bind(source, "/d")
        };
        let sources = ["/var/lib/docker/volumes/db/_data", "/mnt/nfs/files"];
        web.mounts = Some(
            sources
                .map(mounted)
                .into_iter()
                .chain([bind("/srv", "/s")])
                .collect(),
        );
        host.containers = Some(vec![web]);
    }

    #[test]
    fn pass_with_a_statement_that_holds() {
        let verdict = judged(|host| {
            with_volumes(host);
            state(host);
        });
        assert_eq!(verdict.kind(), VerdictKind::Pass);
    }

    #[test]
    fn not_applicable_without_volumes() {
        assert_eq!(
            judged(|_| ()),
            Verdict::not_applicable("there are no volumes to back up")
        );
    }

    #[test]
    fn unknown_without_a_statement_or_an_engine() {
        let verdict = judged(with_volumes);
        assert_eq!(verdict.kind(), VerdictKind::Unknown);
        assert!(
            verdict.reason.starts_with("whether db, files are backed up"),
            "{}",
            verdict.reason
        );
        let blind = judged(|host| host.facts.engine = Fact::unknown("no engine answers"));
        assert_eq!(
            (blind.kind(), blind.reason.as_str()),
            (VerdictKind::Unknown, "no engine answers")
        );
        let unlisted = judged(|host| host.containers = None);
        assert_eq!(unlisted.kind(), VerdictKind::Unknown);
    }
}
