//! Names that move between images, and images that go.

use crate::check::{Benchmark, find};
use crate::correlate::{Correlator, Settings};
use crate::model::testing::{at, container, told};
use crate::model::{Container, ContainerAction, Event, Host, Image, Observation, Source};

fn said(event: Event) -> Observation {
    Observation {
        time: at(2),
        source: Source::Engine,
        process: None,
        container: None,
        plumbing: false,
        event,
    }
}

fn image(id: &str, tags: &[&str]) -> Event {
    Event::Image(Image {
        id: id.into(),
        tags: tags.iter().map(ToString::to_string).collect(),
        ..Image::default()
    })
}

fn removed(id: &str) -> Event {
    Event::ImageRemoved { id: id.into() }
}

/// Feeds events to the check of stale containers, with a container of image 1 named `app:1`; what turned, step by step.
#[track_caller]
fn check(steps: &[(Event, &[&str])]) -> Host {
    let freshness = find("runtime-image-freshness", Benchmark::V1_6_0).unwrap();
    let checks = vec![freshness].leak();
    let mut correlator = Correlator::new(Settings::default(), checks);
    correlator.on(&said(image("sha256:1", &["app:1"])));
    let facts = Container {
        image: "docker.io/library/app:1".into(),
        image_id: Some("sha256:1".into()),
        ..container("web")
    };
    correlator.on(&told(1, ContainerAction::Listed, facts));
    for (number, (event, expected)) in steps.iter().enumerate() {
        correlator.on(&said(event.clone()));
        let turned: Vec<_> = correlator
            .take_changes()
            .iter()
            .map(|one| format!("{} {:?}", one.item, one.verdict))
            .collect();
        assert_eq!(turned, *expected, "step {number}");
    }
    correlator.world.host
}

fn ids(host: &Host) -> Vec<&str> {
    let images = host.images.iter().flatten();
    images.map(|image| image.id.as_str()).collect()
}

#[test]
fn a_name_that_moves_makes_its_containers_stale_and_back() {
    let host = check(&[
        (image("sha256:2", &["other:1"]), &[]),
        (image("sha256:2", &["other:1", "app:1"]), &["web Fail"]),
        (image("sha256:1", &["app:1"]), &["web Pass"]),
        (image("sha256:1", &["app:1"]), &[]),
    ]);
    let tags: Vec<_> = host
        .images
        .iter()
        .flatten()
        .map(|image| image.tags.join(" "))
        .collect();
    assert_eq!(tags, ["app:1", "other:1"]);
}

#[test]
fn an_image_that_is_removed_is_none_of_the_host_any_more() {
    let host = check(&[
        (image("sha256:2", &["other:1"]), &[]),
        (image("sha256:3", &["app:1"]), &["web Fail"]),
        (removed("sha256:1"), &[]),
        (removed("sha256:9"), &[]),
        (removed("sha256:3"), &["web Unknown"]),
        (image("sha256:2", &["other:2"]), &[]),
    ]);
    assert_eq!(ids(&host), ["sha256:2"]);
}
