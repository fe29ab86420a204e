//! What is told of the engine itself and of images, as they change.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{World, patient};
use super::{Answer, Fake, container_event, id, inspection};
use crate::source::engine::Wanted;
use crate::source::engine::timing::Timing;

fn event(kind: &str, action: &str, actor: &str) -> Value {
    let mut event = container_event(&id(1), action, &json!({}));
    event["Type"] = json!(kind);
    event["Actor"] = json!({ "ID": actor });
    event
}

fn has_network(fake: &Fake) {
    fake.answer("/networks", Answer::Json(json!([{ "Id": "n1", "Name": "new" }])));
    fake.answer("/networks/n1", Answer::Json(json!({ "Id": "n1", "Name": "new" })));
}

#[tokio::test]
async fn the_engine_is_told_again_when_what_it_manages_changes() {
    let (mut world, fake) = World::with_engine(patient(), |_| {});
    world
        .until("engine docker 20.10 Some([\"name=seccomp\"]) Some(0)")
        .await;
    fake.followed(1).await;
    has_network(&fake);
    fake.event(&event("network", "create", "n1"));
    let lines = world.until("engine").await;
    assert_eq!(lines, ["engine docker 20.10 Some([\"name=seccomp\"]) Some(1)"]);
}

#[tokio::test]
async fn many_events_are_one_look_and_what_did_not_change_is_not_told() {
    let timing = Timing {
        engine_after: Duration::from_millis(50),
        ..patient()
    };
    let (mut world, fake) = World::with_engine(timing, |_| {});
    world.until("engine").await;
    fake.followed(1).await;
    for _ in 0..20 {
        fake.event(&event("volume", "create", "v"));
    }
    has_network(&fake);
    fake.event(&event("network", "connect", "n1"));
    fake.event(&container_event(&id(1), "die", &json!({})));
    let lines = world.until("engine").await;
    let told = lines.iter().filter(|line| line.starts_with("engine"));
    assert_eq!(told.count(), 1, "{lines:?}");
    let looks = fake.all_asked().iter().filter(|path| *path == "/info").count();
    assert_eq!(looks, 2);
}

#[tokio::test]
async fn a_change_without_an_event_is_seen_by_the_clock() {
    let timing = Timing {
        engine_every: Duration::from_millis(5),
        ..patient()
    };
    let (mut world, fake) = World::with_engine(timing, |_| {});
    world.until("engine").await;
    let info =
        |index| json!({ "SecurityOptions": [], "Swarm": { "Cluster": { "Version": { "Index": index } } } });
    fake.answer("/info", Answer::Json(info(1)));
    assert_eq!(
        world.until("engine").await,
        ["engine docker 20.10 Some([]) Some(0)"]
    );
    // Nothing of `/info` that is told changes; the cluster does.
    has_network(&fake);
    fake.answer("/info", Answer::Json(info(2)));
    assert_eq!(
        world.until("engine").await,
        ["engine docker 20.10 Some([]) Some(1)"]
    );
}

#[tokio::test]
async fn a_change_without_an_event_is_seen_where_it_is_asked_for() {
    let (mut world, fake) = World::with_engine(patient(), |_| {});
    world.until("engine").await;
    fake.followed(1).await;
    has_network(&fake);
    world.wanted.send(Wanted::Engine).await.unwrap();
    let lines = world.until("engine").await;
    assert_eq!(lines, ["engine docker 20.10 Some([\"name=seccomp\"]) Some(1)"]);
}

#[tokio::test]
async fn images_are_told_as_they_come_change_and_go() {
    let (mut world, fake) = World::with_engine(patient(), |_| {});
    world.until("engine").await;
    fake.followed(1).await;
    let image = |user: &str| Answer::Json(json!({ "Id": "sha256:1", "Config": { "User": user } }));
    fake.answer("/images/hull:1/json", image("1"));
    fake.event(&event("image", "pull", "hull:1"));
    let layers = "layers sha256:1 \"\" ";
    assert_eq!(
        world.until("layers").await,
        ["new image sha256:1 Some(\"1\")", layers]
    );
    fake.answer("/images/sha256:1/json", image("2"));
    fake.event(&event("image", "untag", "sha256:1"));
    assert_eq!(
        world.until("layers").await,
        ["new image sha256:1 Some(\"2\")", layers]
    );
    fake.answer("/images/sha256:1/json", Answer::Text(404, String::new()));
    fake.event(&event("image", "delete", "sha256:1"));
    assert_eq!(world.until("image").await, ["image sha256:1 removed"]);
}

#[tokio::test]
async fn a_container_is_looked_at_again_when_its_health_changes() {
    let mut web = inspection(&id(1), "web");
    let (mut world, fake) = World::with_engine(patient(), |fake| fake.container(web.clone()));
    world.until("listed web").await;
    fake.followed(1).await;
    web["HostConfig"]["Privileged"] = json!(true);
    fake.container(web);
    fake.event(&container_event(&id(1), "health_status: unhealthy", &json!({})));
    let lines = world.until("updated").await;
    assert_eq!(lines.last().unwrap(), "updated web running Some(true)");
}
