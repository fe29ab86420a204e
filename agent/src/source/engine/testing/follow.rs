//! The engine source against an engine that misbehaves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{Answer, Fake, container_event, id, inspection};
use crate::model::{ContainerId, Event, Observation};
use crate::source::engine::endpoint::Endpoint;
use crate::source::engine::run::run_timed;
use crate::source::engine::timing::Timing;
use crate::source::engine::{EngineFacts, EngineItem};

/// Nothing that happens by the clock happens in a test that does not ask for it.
fn patient() -> Timing {
    let never = Duration::from_secs(600);
    Timing {
        inspect: never,
        patience: never,
        list: never,
        ping: never,
        ping_every: never,
        compare_every: never,
        compare_again: never,
        report_every: Duration::from_millis(5),
        session_start: Duration::from_millis(1),
        back_off_min: Duration::from_millis(1),
        back_off_max: Duration::from_millis(10),
        look_every: Duration::from_millis(2),
    }
}

/// A follower of an engine, and where it listens.
struct World {
    _dir: TempDir,
    path: PathBuf,
    items: mpsc::Receiver<EngineItem>,
    wanted: mpsc::Sender<ContainerId>,
}

impl World {
    fn new(timing: Timing, prepare: impl FnOnce(&Path) -> Option<Fake>) -> (Self, Option<Fake>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let fake = prepare(&path);
        let (out, items) = mpsc::channel(64);
        let (wanted, wanted_rx) = mpsc::channel(16);
        let endpoint = Endpoint::first_of(vec![path.clone()]);
        tokio::spawn(run_timed(endpoint, timing, out, wanted_rx));
        let world = Self {
            _dir: dir,
            path,
            items,
            wanted,
        };
        (world, fake)
    }

    fn with_engine(timing: Timing, prepare: impl FnOnce(&Fake)) -> (Self, Fake) {
        let (world, fake) = Self::new(timing, |path| {
            let fake = Fake::start(path);
            prepare(&fake);
            Some(fake)
        });
        (world, fake.unwrap())
    }

    async fn next(&mut self) -> EngineItem {
        let item = tokio::time::timeout(Duration::from_secs(20), self.items.recv()).await;
        item.expect("nothing more is told").expect("the source has ended")
    }

    /// Everything up to the first line that starts so.
    #[track_caller]
    fn until(&mut self, end: &str) -> impl Future<Output = Vec<String>> {
        let end = end.to_owned();
        async move {
            let mut lines = Vec::new();
            loop {
                let line = line(&self.next().await);
                let found = line.starts_with(&end);
                lines.push(line);
                if found {
                    return lines;
                }
            }
        }
    }
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// An item in few words.
fn line(item: &EngineItem) -> String {
    match item {
        EngineItem::Engine(EngineFacts {
            kind,
            version,
            security_options,
            ..
        }) => {
            format!("engine {} {version} {security_options:?}", word(kind))
        }
        EngineItem::Status(status) => format!("{}: {}", word(&status.state), status.reason),
        EngineItem::Gap(gap) => {
            assert!(gap.from <= gap.to);
            let container = gap.container.as_ref().and_then(|container| container.id.as_ref());
            format!("gap {} {:?} {container:?}", gap.reason, gap.lost)
        }
        EngineItem::Observation(observation) => observation_line(observation),
    }
}

fn observation_line(observation: &Observation) -> String {
    let container = observation.container.as_ref();
    let name = container
        .and_then(|container| container.name.as_deref())
        .unwrap_or("-");
    match &observation.event {
        Event::Container { action, facts } => {
            assert_eq!(
                Some(&facts.id),
                container.and_then(|container| container.id.as_ref())
            );
            format!(
                "{} {name} {} {:?}",
                word(action),
                word(&facts.state),
                facts.privileged
            )
        }
        Event::ExecSession(session) => {
            let (privileged, user) = (session.privileged, session.user.as_deref());
            format!(
                "session {name} {} {privileged:?} {user:?} {:?} {:?}",
                session.id, session.command, session.pid
            )
        }
        Event::Image(image) => format!("image {} {:?}", image.id, image.user),
        other => panic!("{other:?}"),
    }
}

fn session(privileged: bool, pid: u32) -> Value {
    json!({ "ID": "e1", "ContainerID": id(1).as_str(), "Running": pid > 0, "ExitCode": null, "Pid": pid,
            "ProcessConfig": { "entrypoint": "id", "arguments": ["-u"], "privileged": privileged, "user": "0" } })
}

#[tokio::test]
async fn everything_that_is_there_is_told_at_the_start() {
    let (mut world, _fake) =
        World::with_engine(patient(), |fake| {
            let mut web = inspection(&id(1), "web");
            web["ExecIDs"] = json!(["e1", "../x"]);
            fake.container(web);
            fake.answer("/exec/e1/json", Answer::Json(session(true, 77)));
            fake.answer("/images/json", Answer::Json(json!([{
            "Id": "sha256:1", "ParentId": "", "RepoTags": [], "RepoDigests": [], "Created": 1, "Size": 1,
            "SharedSize": -1, "Labels": {}, "Containers": -1
        }])));
            fake.answer(
                "/images/sha256:1/json",
                Answer::Json(json!({ "Id": "sha256:1", "Config": { "User": "7" } })),
            );
        });
    let mut lines = Vec::new();
    for _ in 0..4 {
        lines.push(line(&world.next().await));
    }
    lines.sort();
    let expected = [
        "engine docker 20.10 Some([\"name=seccomp\"])",
        "image sha256:1 Some(\"7\")",
        "listed web running Some(false)",
        "session web e1 Some(true) Some(\"0\") [\"id\", \"-u\"] Some(77)",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn an_absent_engine_is_said_once_and_met_as_soon_as_its_socket_appears() {
    let timing = Timing {
        back_off_min: Duration::from_secs(600),
        back_off_max: Duration::from_secs(600),
        ..patient()
    };
    let (mut world, _) = World::new(timing, |_| None);
    let degraded = line(&world.next().await);
    assert!(
        degraded.starts_with("degraded: ") && degraded.contains("its socket does not exist"),
        "{degraded}"
    );
    let fake = Fake::start(&world.path);
    fake.container(inspection(&id(1), "web"));
    let lines = world.until("recovered").await;
    assert!(
        lines.iter().any(|line| line == "listed web running Some(false)"),
        "{lines:?}"
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("gap") || line.starts_with("degraded")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn an_engine_that_holds_the_stream_of_events_back_is_listed_all_the_same() {
    let (mut world, _fake) = World::with_engine(patient(), |fake| {
        fake.answer("/events", Answer::Hang);
        fake.container(inspection(&id(1), "web"));
    });
    world.until("listed web").await;
}

#[tokio::test]
async fn a_hanging_engine_is_said_to_hang_and_its_return_to_be_one() {
    let timing = Timing {
        ping: Duration::from_millis(100),
        ping_every: Duration::from_millis(20),
        ..patient()
    };
    let (mut world, fake) = World::with_engine(timing, |fake| fake.answer("/_ping", Answer::Hang));
    let lines = world.until("degraded").await;
    assert!(lines.last().unwrap().contains("silent"), "{lines:?}");
    fake.answer("/_ping", Answer::Text(200, "OK".into()));
    let lines = world.until("recovered").await;
    assert!(
        lines.iter().any(|line| line == "gap disconnected None None"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn a_stream_of_events_that_is_open_and_says_nothing_is_found_out() {
    let timing = Timing {
        compare_every: Duration::from_millis(20),
        compare_again: Duration::from_millis(20),
        ..patient()
    };
    let (mut world, fake) = World::with_engine(timing, |_| {});
    world.until("engine").await;
    fake.container(inspection(&id(1), "secret"));
    let lines = world.until("recovered").await;
    assert!(
        lines.iter().any(|line| line.contains("says nothing")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("gap disconnected")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("listed secret")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn after_a_lost_connection_everything_is_listed_and_what_vanished_is_removed() {
    let (mut world, fake) = World::with_engine(patient(), |fake| {
        fake.container(inspection(&id(1), "old"));
    });
    world.until("listed old").await;
    fake.followed(1).await;
    fake.event(&container_event(&id(1), "kill", &json!({})));
    drop(fake);
    world.until("degraded").await;
    let fake = Fake::start(&world.path);
    fake.container(inspection(&id(2), "new"));
    let lines = world.until("recovered").await;
    let position = |start: &str| lines.iter().position(|line| line.starts_with(start));
    assert_eq!(position("gap disconnected None"), Some(0), "{lines:?}");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("removed old exited"))
            .count(),
        1,
        "{lines:?}"
    );
    assert!(position("listed new").is_some(), "{lines:?}");
    assert!(fake.asked("/events").await.contains("since="));
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
        world.wanted.send(id(number)).await.unwrap();
    }
    assert_eq!(world.until("listed").await, ["listed seen running Some(false)"]);
    fake.asked(&format!("/containers/{}/json", id(404))).await;
    world.wanted.send(id(1)).await.unwrap();
    assert_eq!(world.until("updated").await, ["updated seen running Some(false)"]);
}

#[track_caller]
fn check_unreadable(answer: Answer) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut world, _fake) = World::with_engine(patient(), |fake| {
            fake.container(inspection(&id(1), "bad"));
            fake.container(inspection(&id(2), "good"));
            fake.answer(&format!("/containers/{}/json", id(1)), answer);
        });
        let mut lines = world.until("gap").await;
        assert_eq!(
            lines.pop().unwrap(),
            format!("gap decode Some(1) Some({})", id(1).short())
        );
        if !lines.iter().any(|line| line.starts_with("listed good")) {
            lines = world.until("listed good").await;
        }
        assert!(!lines.iter().any(|line| line.contains("bad")), "{lines:?}");
    });
}

#[test]
fn an_answer_that_cannot_be_read_is_a_gap_of_that_container_alone() {
    check_unreadable(Answer::Text(200, "{".into()));
    check_unreadable(Answer::Text(200, r#"{"Id":7}"#.into()));
    check_unreadable(Answer::Json(inspection(&id(3), "another")));
    check_unreadable(Answer::Text(200, " ".repeat(9 << 20)));
}

#[track_caller]
fn check_broken(path: &str, answer: Answer, expected: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut world, fake) = World::with_engine(patient(), |fake| fake.answer(path, answer));
        let lines = world.until("degraded").await;
        assert!(lines.last().unwrap().contains(expected), "{lines:?}");
        drop(fake);
        let _fake = Fake::start(&world.path);
        let lines = world.until("recovered").await;
        assert!(
            !lines.iter().any(|line| line.starts_with("degraded")),
            "{lines:?}"
        );
    });
}

#[test]
fn an_engine_that_talks_nonsense_is_degraded_once_and_recovers() {
    check_broken("/version", Answer::Text(200, "<html>".into()), "cannot be read");
    check_broken(
        "/version",
        Answer::Text(500, r#"{"message":"no disk"}"#.into()),
        "500: no disk",
    );
    check_broken(
        "/events",
        Answer::Text(200, "{\"Type\":\"unheard\"}\n".into()),
        "cannot be read",
    );
    check_broken(
        "/events",
        Answer::Text(200, format!("{{\"Type\":\"{}", "x".repeat(2 << 20))),
        "too long",
    );
    check_broken("/events", Answer::Text(400, "{}".into()), "400");
}

#[tokio::test]
async fn events_beyond_what_can_be_held_are_counted_to_the_last() {
    const SENT: usize = 6_000;
    let (mut world, fake) = World::with_engine(patient(), |_| {});
    world.until("engine").await;
    fake.followed(1).await;
    for number in 0..SENT {
        fake.event(&container_event(&id(number), "die", &json!({})));
    }
    let (mut told, mut lost) = (0, 0);
    while told + lost < SENT {
        match world.next().await {
            EngineItem::Gap(gap) if gap.reason == "queue-full" => {
                lost += usize::try_from(gap.lost.unwrap()).unwrap();
            }
            EngineItem::Observation(_) => told += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told + lost, SENT);
}
