//! What is told of an engine that behaves.

use std::time::Duration;

use serde_json::{Value, json};

use super::fake::Fake;
use super::world::{World, line, patient};
use super::{Answer, container_event, id, inspection};
use crate::source::engine::Wanted;
use crate::source::engine::timing::Timing;

fn session(privileged: bool, pid: u32) -> Value {
    json!({ "ID": "e1", "ContainerID": id(1).as_str(), "Running": pid > 0, "ExitCode": null, "Pid": pid,
            "ProcessConfig": { "entrypoint": "id", "arguments": ["-u"], "privileged": privileged, "user": "0" } })
}

#[tokio::test]
async fn everything_that_is_there_is_told_at_the_start() {
    let (mut world, _fake) =
        World::with_engine(patient(), |fake| {
            let mut web = inspection(&id(1), "web");
            web["ExecIDs"] = json!(["e1"]);
            fake.container(web);
            fake.answer("/exec/e1/json", Answer::Json(session(true, 77)));
            fake.answer("/images/json", Answer::Json(json!([{
            "Id": "sha256:1", "ParentId": "", "RepoTags": [], "RepoDigests": [], "Created": 1, "Size": 1,
            "SharedSize": -1, "Labels": {}, "Containers": -1
        }])));
            fake.answer(
                "/images/sha256:1/json",
                Answer::Json(
                    json!({ "Id": "sha256:1", "Config": { "User": "7" }, "GraphDriver": {
                    "Name": "overlay2", "Data": { "LowerDir": "/1", "UpperDir": "/2" } } }),
                ),
            );
        });
    let mut lines = Vec::new();
    for _ in 0..5 {
        lines.push(line(&world.next().await));
    }
    lines.sort();
    let expected = [
        "engine docker 20.10 Some([\"name=seccomp\"]) Some(0)",
        "image sha256:1 Some(\"7\")",
        "layers sha256:1 \"overlay2\" /2:/1",
        "listed web running Some(false)",
        "session web e1 Some(true) Some(\"0\") [\"id\", \"-u\"] Some(77)",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_session_is_inspected_at_once_however_long_a_list_takes() {
    let (mut world, fake) = World::with_engine(patient(), |fake| {
        for number in 0..40 {
            fake.container(inspection(&id(number), "slow"));
            fake.answer(&format!("/containers/{}/json", id(number)), Answer::Hang);
        }
        fake.answer("/images/json", Answer::Hang);
        fake.answer("/exec/e1/json", Answer::Json(session(true, 0)));
    });
    fake.followed(1).await;
    fake.asked(&format!("/containers/{}/json", id(0))).await;
    let made = |session: &str| container_event(&id(1), "exec_create: id -u", &json!({ "execID": session }));
    fake.event(&made("e1"));
    let lines = world.until("session").await;
    let expected = "session short e1 Some(true) Some(\"0\") [\"id\", \"-u\"] None";
    assert_eq!(lines.last().unwrap(), expected);
    // Its record is gone: what the event said is all there is.
    fake.event(&made("e2"));
    let expected = "session short e2 None None [\"id\", \"-u\"] None";
    assert_eq!(world.until("session").await, [expected]);
}

#[tokio::test]
async fn an_image_is_not_looked_at_while_it_is_looked_at() {
    let timing = Timing {
        inspect: Duration::from_secs(2),
        ..patient()
    };
    let path = "/images/sha256:1/json";
    let (mut world, fake) = World::with_engine(timing, |fake| {
        fake.container(inspection(&id(1), "web"));
        fake.answer(path, Answer::Hang);
    });
    world.until("engine").await;
    fake.followed(1).await;
    let event = |action: &str| json!({ "Type": "image", "Action": action, "Actor": { "ID": "sha256:1" } });
    fake.event(&event("untag"));
    fake.asked(path).await;
    fake.answer(path, Answer::Text(404, "{}".into()));
    fake.event(&event("delete"));
    fake.event(&container_event(&id(1), "start", &json!({})));
    world.until("started").await;
    let asked = |fake: &Fake| {
        fake.all_asked()
            .iter()
            .filter(|asked| asked.contains(path))
            .count()
    };
    assert_eq!(asked(&fake), 1);
    // The answer to the first is not told after that to the second.
    let told = world.until("image sha256:1 removed").await;
    assert_eq!(asked(&fake), 2, "{told:?}");
}

#[tokio::test]
async fn a_session_under_way_does_not_stand_for_its_container() {
    let timing = Timing {
        inspect: Duration::from_millis(100),
        ..patient()
    };
    let (mut world, fake) = World::with_engine(timing, |fake| fake.answer("/exec/e1/json", Answer::Hang));
    world.until("engine").await;
    fake.followed(1).await;
    fake.container(inspection(&id(1), "web"));
    fake.event(&container_event(
        &id(1),
        "exec_create: id -u",
        &json!({ "execID": "e1" }),
    ));
    fake.asked("/exec/e1/json").await;
    world.wanted.send(Wanted::Container(id(1))).await.unwrap();
    let lines = world.until("listed").await;
    assert_eq!(lines.last().unwrap(), "listed web running Some(false)");
    let told = "session short e1 None None [\"id\", \"-u\"] None";
    assert!(lines.iter().any(|line| line == told), "{lines:?}");
}

#[tokio::test]
async fn a_session_is_told_when_made_and_again_when_it_has_a_process() {
    let (mut world, fake) = World::with_engine(patient(), |fake| {
        fake.container(inspection(&id(1), "web"));
        fake.answer("/exec/e1/json", Answer::Json(session(false, 0)));
    });
    world.until("listed web").await;
    fake.followed(1).await;
    let event = |action: &str| container_event(&id(1), action, &json!({ "execID": "e1" }));
    fake.event(&event("exec_create: id -u"));
    let made = world.until("session").await;
    assert_eq!(
        made.last().unwrap(),
        "session web e1 Some(false) Some(\"0\") [\"id\", \"-u\"] None"
    );
    fake.answer("/exec/e1/json", Answer::Json(session(false, 77)));
    fake.event(&event("exec_start: id -u"));
    let started = world.until("session").await;
    assert_eq!(
        started,
        ["session web e1 Some(false) Some(\"0\") [\"id\", \"-u\"] Some(77)"]
    );
}

#[tokio::test]
async fn sessions_that_podman_does_not_name_are_found_once() {
    let mut web = inspection(&id(1), "web");
    let (mut world, fake) = World::with_engine(patient(), |fake| fake.container(web.clone()));
    world.until("listed web").await;
    fake.followed(1).await;
    let mut running = session(true, 77);
    running["ExitCode"] = json!(0);
    fake.answer("/exec/e1/json", Answer::Json(running));
    web["ExecIDs"] = json!(["e1"]);
    fake.container(web);
    for action in ["exec", "exec", "pause"] {
        fake.event(&container_event(&id(1), action, &json!({})));
    }
    let lines = world.until("updated").await;
    let told = lines
        .iter()
        .filter(|line| line.starts_with("session web e1 Some(true)"));
    assert_eq!(told.count(), 1, "{lines:?}");
}

#[tokio::test]
async fn a_container_gone_before_it_could_be_inspected_is_told_from_its_events() {
    let (mut world, fake) = World::with_engine(patient(), |_| {});
    world.until("engine").await;
    fake.followed(1).await;
    for action in ["create", "start", "die", "destroy", "destroy"] {
        fake.event(&container_event(&id(1), action, &json!({})));
    }
    let lines = world.until("removed").await;
    let expected = [
        "created short created None",
        "started short running None",
        "stopped short exited None",
        "removed short exited None",
    ];
    assert_eq!(lines, expected);
    fake.event(&container_event(&id(2), "create", &json!({ "name": "next" })));
    assert_eq!(world.until("created").await, ["created next created None"]);
}

#[tokio::test]
async fn a_new_container_that_cannot_be_inspected_yet_is_told_by_name_and_later_in_full() {
    let timing = Timing {
        inspect: Duration::from_millis(100),
        patience: Duration::from_millis(5),
        compare_every: Duration::from_millis(20),
        ..patient()
    };
    let (mut world, fake) = World::with_engine(timing, |_| {});
    world.until("engine").await;
    fake.followed(1).await;
    let path = format!("/containers/{}/json", id(1));
    fake.container(inspection(&id(1), "locked"));
    fake.answer(&path, Answer::Hang);
    fake.event(&container_event(&id(1), "create", &json!({ "name": "locked" })));
    assert_eq!(world.until("created").await, ["created locked created None"]);
    let gap = format!("gap fault Some(1) Some({})", id(1).short());
    assert_eq!(world.until("gap").await, [gap]);
    fake.answer(&path, Answer::Json(inspection(&id(1), "locked")));
    let lines = world.until("listed").await;
    assert_eq!(lines.last().unwrap(), "listed locked running Some(false)");
}

#[tokio::test]
async fn a_network_changes_only_a_container_that_runs() {
    let (mut world, fake) = World::with_engine(patient(), |fake| {
        fake.container(inspection(&id(1), "web"));
    });
    world.until("listed web").await;
    fake.followed(1).await;
    let connect = || {
        let mut event = container_event(&id(1), "connect", &json!({ "container": id(1).as_str() }));
        event["Type"] = json!("network");
        event
    };
    fake.event(&connect());
    let lines = world.until("updated").await;
    assert_eq!(lines.last().unwrap(), "updated web running Some(false)");
    fake.event(&container_event(&id(1), "die", &json!({})));
    fake.event(&connect());
    fake.event(&container_event(&id(1), "destroy", &json!({})));
    let lines = world.until("removed").await;
    let expected = ["stopped web exited Some(false)", "removed web exited Some(false)"];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn what_the_kernel_saw_is_told_where_it_exists_and_not_where_it_does_not() {
    let (mut world, fake) = World::with_engine(patient(), |_| {});
    world.until("engine").await;
    fake.container(inspection(&id(1), "seen"));
    for number in [404, 1] {
        world.wanted.send(Wanted::Container(id(number))).await.unwrap();
    }
    assert_eq!(world.until("listed").await, ["listed seen running Some(false)"]);
    fake.asked(&format!("/containers/{}/json", id(404))).await;
    world.wanted.send(Wanted::Container(id(1))).await.unwrap();
    assert_eq!(world.until("updated").await, ["updated seen running Some(false)"]);
}
