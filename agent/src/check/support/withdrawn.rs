//! Recommendations on Docker Enterprise, which is withdrawn: nothing of its settings is looked at, only whether it runs.

use serde_json::json;

use super::super::Item;
use crate::model::{Container, Evidence, Host, Source, Verdict};

/// How names of its containers and images begin.
const NAMES: [&str; 7] = [
    "ucp-agent",
    "ucp-auth",
    "ucp-controller",
    "ucp-proxy",
    "dtr-api",
    "dtr-nginx",
    "dtr-registry",
];

/// One item: not applicable without any of its containers, else unknown.
pub(in crate::check) fn enterprise(host: &Host) -> Vec<Item> {
    let subject = "Docker Enterprise".to_owned();
    vec![Item {
        subject,
        verdict: judge(host).unwrap_or_else(|verdict| verdict),
    }]
}

fn judge(host: &Host) -> Result<Verdict, Verdict> {
    let containers = super::containers(host)?;
    let Some(found) = containers.iter().find(|container| is_enterprise(container)) else {
        return Ok(Verdict::not_applicable(
            "nothing of Docker Enterprise, which is withdrawn, runs here",
        ));
    };
    let facts = json!({ "container": found.name, "image": found.image });
    let reason = format!(
        "container {} is part of Docker Enterprise, whose own settings are not looked at",
        found.name
    );
    Ok(Verdict::unknown(reason).evidence(Evidence::new(Source::Engine, "container", facts)))
}

fn is_enterprise(container: &Container) -> bool {
    let image = container.image.rsplit('/').next().unwrap_or_default();
    let begins = |name: &str| NAMES.iter().any(|known| begins_with_word(name, known));
    begins(&container.name) || begins(image)
}

/// Whether a name is this, or goes on after it with something else than a letter: `dtr-api-9f0b`.
fn begins_with_word(name: &str, word: &str) -> bool {
    name.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::container;
    use super::*;

    #[track_caller]
    fn check(name: &str, image: &str, expect: bool) {
        let container = Container {
            image: image.into(),
            ..container(name)
        };
        assert_eq!(is_enterprise(&container), expect, "{name} {image}");
    }

    #[test]
    fn its_containers_are_known_by_name_or_image() {
        check("ucp-controller", "x", true);
        check("dtr-api-9f0b1c", "x", true);
        check("web", "docker/ucp-auth:3.1.4", true);
        check("web", "registry:5000/mirantis/ucp-agent@sha256:ab", true);
        check("dtr-apiary", "dtr", false);
        check("web", "ucp-controller/web", false);
    }
}
