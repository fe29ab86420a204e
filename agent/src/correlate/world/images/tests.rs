//! Names that move between images, and images that go.

use crate::check::{Benchmark, find};
use crate::correlate::{Correlator, Settings};
use crate::model::testing::{at, container, told};
use crate::model::{Container, ContainerAction, Event, Fact, Host, Image, ImageFiles, Observation, Source};

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

fn read(files: Fact<Box<ImageFiles>>) -> Event {
    let id = "sha256:1".into();
    Event::ImageFiles { id, files }
}

fn setuid(files: &[&str]) -> Event {
    let setuid_files = files.iter().map(ToString::to_string).collect();
    read(Fact::Known(Box::new(ImageFiles {
        setuid_files,
        ..ImageFiles::default()
    })))
}

fn came(tag: &str) -> Event {
    match image("sha256:1", &[tag]) {
        Event::Image(image) => Event::Image(Image {
            announced: true,
            ..image
        }),
        other => other,
    }
}

/// What turns of the check of setuid files, step by step.
#[track_caller]
fn check_files(steps: &[(Event, &[&str])]) {
    let check = find("image-no-setuid-files", Benchmark::V1_6_0).unwrap();
    let mut correlator = Correlator::new(Settings::default(), vec![check].leak());
    for (number, (event, expected)) in steps.iter().enumerate() {
        assert_eq!(correlator.on(&said(event.clone())), [], "step {number}");
        let turned: Vec<_> = correlator
            .take_changes()
            .iter()
            .map(|one| format!("{} {:?}->{:?}: {}", one.item, one.before, one.verdict, one.reason))
            .collect();
        assert_eq!(turned, *expected, "step {number}");
    }
}

const SHIPS: &str = "app:1 Some(Unknown)->Fail: image app:1 ships /su";

#[test]
fn an_image_that_comes_is_told_once_its_files_were_read() {
    check_files(&[
        (came("app:1"), &[]),
        (setuid(&["/su"]), &[SHIPS]),
        // Told again by the engine, which knows nothing of its files.
        (came("app:2"), &[]),
        (setuid(&["/su"]), &[]),
    ]);
    check_files(&[(came("app:1"), &[]), (setuid(&[]), &[])]);
}

#[test]
fn an_image_that_was_there_before_is_no_news_whatever_it_is_named() {
    check_files(&[
        (image("sha256:1", &["app:1"]), &[]),
        (came("app:2"), &[]),
        (setuid(&["/su"]), &[]),
        (removed("sha256:1"), &[]),
        (setuid(&["/su"]), &[]),
        (came("app:1"), &[]),
        (setuid(&["/su"]), &[SHIPS]),
    ]);
}

#[test]
fn files_that_cannot_be_read_stay_unknown_with_the_reason() {
    check_files(&[
        (came("app:1"), &[]),
        (read(Fact::unknown("the disk is gone")), &[]),
        (setuid(&["/su"]), &[SHIPS]),
    ]);
    let image = Image {
        unread: Some("the disk is gone".into()),
        ..Image::default()
    };
    let check = find("image-no-setuid-files", Benchmark::V1_6_0).unwrap();
    let crate::check::Assess::Image(assess) = check.assess else {
        panic!("a check of images");
    };
    let verdict = assess(&image, &Host::default());
    assert_eq!(verdict.reason, "its files could not be read: the disk is gone");
}
