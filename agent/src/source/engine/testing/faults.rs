//! What is told of an engine that does not.

use std::time::Duration;

use serde_json::json;

use super::world::{World, line, patient};
use super::{Answer, Fake, container_event, id, inspection};
use crate::source::engine::EngineItem;
use crate::source::engine::timing::Timing;

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

#[tokio::test]
async fn a_session_whose_id_would_lead_a_request_astray_is_counted_and_not_asked_for() {
    let (mut world, _fake) = World::with_engine(patient(), |fake| {
        let mut web = inspection(&id(1), "web");
        web["ExecIDs"] = json!(["../containers/json"]);
        fake.container(web);
    });
    let lines = world.until("gap").await;
    let gap = format!("gap fault Some(1) Some({})", id(1).short());
    assert_eq!(lines.last().unwrap(), &gap);
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
