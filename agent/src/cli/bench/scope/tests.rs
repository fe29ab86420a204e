//! What is left out, and what is said of it.

use super::*;
use crate::model::{ContainerId, EngineKind};

fn host() -> Host {
    let container = |name: &str, digit: &str, labels: &[(&str, &str)]| {
        let id: ContainerId = digit.repeat(64).parse().unwrap();
        let labels = labels.iter().map(|&(key, value)| (key.into(), value.into()));
        Container {
            name: name.into(),
            privileged: Some(name == "db-1"),
            labels: labels.collect(),
            ..Container::unknown(id, EngineKind::Docker)
        }
    };
    let image = |id: &str, tags: &[&str]| Image {
        id: format!("sha256:{id}"),
        tags: tags.iter().map(|&tag| tag.into()).collect(),
        ..Image::default()
    };
    Host {
        containers: Some(vec![
            container("web", "a", &[("tier", "front")]),
            container("db-1", "b", &[("tier", "back"), ("critical", "")]),
            container("db-2", "c", &[]),
        ]),
        images: Some(vec![image("11", &["web:1", "web:latest"]), image("22", &[])]),
        ..Host::default()
    }
}

fn narrowed(scope: &Scope) -> Result<(Vec<String>, Vec<Excluded>), Fault> {
    let mut host = host();
    let excluded = scope.narrow(&mut host)?;
    let containers = host.containers.into_iter().flatten().map(|one| one.name);
    let images = host.images.into_iter().flatten().map(|one| one.id);
    Ok((containers.chain(images).collect(), excluded))
}

#[track_caller]
fn check(option: &str, pattern: &str, left: &[&str]) {
    let mut scope = Scope::default();
    let list = match option {
        "skip" => &mut scope.skip_containers,
        "only" => &mut scope.only_containers,
        "skip-image" => &mut scope.skip_images,
        _ => &mut scope.only_images,
    };
    list.push(pattern.to_owned());
    let (kept, excluded) = narrowed(&scope).unwrap();
    assert_eq!(kept, left, "{option} {pattern}");
    assert_eq!(kept.len() + excluded.len(), 5);
}

#[test]
fn containers_and_images_are_named_in_every_way() {
    let images = ["sha256:11", "sha256:22"];
    let with = |containers: &[&'static str]| [containers, &images].concat();
    check("skip", "db-*", &with(&["web"]));
    check("only", "db-?", &with(&["db-1", "db-2"]));
    check("skip", &"a".repeat(64), &with(&["db-1", "db-2"]));
    check("skip", &"a".repeat(12), &with(&["db-1", "db-2"]));
    // Ids are no names: `aaa…`, `bbb…` and `ccc…` are not meant.
    check("only", "a*", &with(&[]));
    check("skip", "*bb*", &with(&["web", "db-1", "db-2"]));
    check("skip", "label=tier", &with(&["db-2"]));
    check("skip", "label=tier=back", &with(&["web", "db-2"]));
    check("only", "label=tier=none", &with(&[]));
    check("skip", "container.name.startsWith(\"db\")", &with(&["web"]));
    check("skip", "container.privileged", &with(&["web", "db-2"]));
    check("only", "\"critical\" in labels", &with(&["db-1"]));
    let containers = |images: &[&'static str]| [&["web", "db-1", "db-2"], images].concat();
    check("skip-image", "web:*", &containers(&["sha256:22"]));
    check("skip-image", "*2*", &containers(&["sha256:11", "sha256:22"]));
    check("only-image", "sha256:22", &containers(&["sha256:22"]));
    check("only-image", "22", &containers(&["sha256:22"]));
    check(
        "skip-image",
        "image.tags.exists(tag, tag.endsWith(\":latest\"))",
        &containers(&["sha256:22"]),
    );
}

#[test]
fn what_is_left_out_says_why() {
    let scope = Scope {
        only_containers: vec!["db-*".into()],
        skip_containers: vec!["db-2".into()],
        ..Scope::default()
    };
    let (_, excluded) = narrowed(&scope).unwrap();
    let why: Vec<_> = excluded
        .iter()
        .map(|one| (one.item.as_str(), one.why.as_str()))
        .collect();
    assert_eq!(
        why,
        [
            ("web", "not named by --only-container"),
            ("db-2", "--skip-container db-2")
        ]
    );
    assert_eq!(excluded[0].id, "a".repeat(64));
}

#[test]
fn an_expression_that_is_none_is_refused() {
    for (pattern, words) in [
        ("container.name ==", "is no expression"),
        ("host.name == 'x'", "cannot be decided for container web"),
        ("container.name", "neither true nor false"),
        ("container.nope == 1", "cannot be decided for container web"),
    ] {
        let scope = Scope {
            skip_containers: vec![pattern.into()],
            ..Scope::default()
        };
        let fault = format!("{:?}", narrowed(&scope).unwrap_err());
        assert!(fault.contains(words) && fault.contains("code: 2"), "{fault}");
    }
}

#[test]
fn unknown_containers_stay_unknown() {
    let scope = Scope {
        skip_containers: vec!["*".into()],
        ..Scope::default()
    };
    let mut host = Host::default();
    assert_eq!(scope.narrow(&mut host).unwrap(), []);
    assert_eq!(host.containers, None);
}
