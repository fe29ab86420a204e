//! A throw-away container in an engine that refuses, hangs, or has something of an earlier one.

use std::error::Error;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::{Answer, Fake, id};
use crate::model::EngineKind;
use crate::source::engine::Endpoint;
use crate::source::engine::stage::{ContainerSpec, Limits, Stage, StageError};

/// A stage in an engine, neither of which is ever in a hurry.
async fn stage() -> (TempDir, Fake, Stage) {
    stage_within(Duration::from_secs(600)).await
}

/// As [`stage`], with this limit to every request but the first.
async fn stage_within(limit: Duration) -> (TempDir, Fake, Stage) {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::start(&dir.path().join("engine.sock"));
    let limits = Limits {
        hello: Duration::from_secs(600),
        import: limit,
        request: limit,
        settle: Duration::from_millis(1),
    };
    let endpoint = Endpoint::first_of(vec![dir.path().join("engine.sock")]);
    let stage = Stage::connect_within(&endpoint, "t1", limits).await.unwrap();
    assert_eq!(stage.kind(), EngineKind::Docker);
    (dir, fake, stage)
}

#[track_caller]
fn check_failure<T: std::fmt::Debug>(outcome: Result<T, StageError>, what: &str, why: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.to_string(), what);
    let source = error.source().unwrap().to_string();
    assert!(source.contains(why), "{source}");
}

#[tokio::test]
async fn image_and_container_are_made_and_removed_under_names_of_their_own() {
    let (_dir, fake, mut stage) = stage().await;
    fake.answer("/images/create", Answer::Json(json!({ "status": "sha256:1" })));
    let made = json!({ "Id": id(7), "Warnings": [] });
    fake.answer("/containers/create", Answer::Json(made));
    fake.answer(
        "/containers/hullwatch-demo-t1/start",
        Answer::Text(204, String::new()),
    );
    fake.answer(
        "/containers/hullwatch-demo-t1/exec",
        Answer::Json(json!({ "Id": "e1" })),
    );
    fake.answer("/exec/e1/start", Answer::Text(200, String::new()));
    fake.answer("/containers/hullwatch-demo-t1", Answer::Text(204, String::new()));
    fake.answer("/images/hullwatch-demo:t1", Answer::Json(json!([])));

    stage.import(b"archive".to_vec()).await.unwrap();
    assert_eq!(stage.create(ContainerSpec::default()).await.unwrap(), id(7));
    stage.start().await.unwrap();
    stage.exec_privileged(&["/x"]).await.unwrap();
    stage.clear().await.unwrap();

    let asked = fake.asked("/images/create").await;
    for part in [
        "fromSrc=-",
        "repo=hullwatch-demo",
        "tag=t1",
        "changes=LABEL+hullwatch.demo%3D1",
    ] {
        assert!(asked.contains(part), "{asked}");
    }
    fake.asked("/containers/create?name=hullwatch-demo-t1").await;
    let removed = fake.asked("/containers/hullwatch-demo-t1?").await;
    assert!(removed.contains("force=true"), "{removed}");
    fake.asked("/images/hullwatch-demo:t1?").await;
}

#[tokio::test]
async fn a_refusal_says_what_was_refused_and_why() {
    let (_dir, fake, mut stage) = stage().await;
    let refusal = |text: &str| Answer::Text(500, json!({ "message": text }).to_string());
    fake.answer("/images/create", refusal("no space left"));
    fake.answer(
        "/containers/hullwatch-demo-t1/exec",
        Answer::Json(json!({ "Id": "e1" })),
    );
    fake.answer("/exec/e1/start", refusal("unable to apply caps"));
    check_failure(
        stage.import(Vec::new()).await,
        "cannot import an image",
        "500: no space left",
    );
    check_failure(
        stage.create(ContainerSpec::default()).await,
        "cannot make a container",
        "no such object",
    );
    check_failure(
        stage.exec_privileged(&["/x"]).await,
        "cannot start a privileged exec session",
        "500: unable to apply caps",
    );
}

#[tokio::test]
async fn an_engine_that_hangs_is_given_up() {
    let (_dir, fake, mut stage) = stage_within(Duration::from_millis(1)).await;
    fake.answer("/images/create", Answer::Hang);
    fake.answer("/containers/json", Answer::Hang);
    fake.answer("/containers/hullwatch-demo-t1", Answer::Hang);
    check_failure(
        stage.sweep().await,
        "cannot look for leftovers",
        "did not answer /containers/json",
    );
    check_failure(
        stage.import(Vec::new()).await,
        "cannot import an image",
        "did not answer /images/create",
    );
    check_failure(
        stage.clear().await,
        "cannot remove the container",
        "did not answer /containers/ID",
    );
}

#[tokio::test]
async fn what_a_cancelled_request_may_have_made_is_removed() {
    let (_dir, fake, mut stage) = stage().await;
    stage.clear().await.unwrap();
    fake.answer("/images/create", Answer::Hang);
    tokio::select! {
        _ = stage.import(Vec::new()) => panic!("it answered"),
        _ = fake.asked("/images/create") => {}
    }
    stage.clear().await.unwrap();
    let asked = fake.all_asked();
    let removed: Vec<_> = asked.iter().filter(|path| path.contains("force=true")).collect();
    assert!(
        removed[0].starts_with("/containers/hullwatch-demo-t1?"),
        "{asked:?}"
    );
    assert!(removed[1].starts_with("/images/hullwatch-demo:t1?"), "{asked:?}");
    assert_eq!(removed.len(), 2, "{asked:?}");
}

#[tokio::test]
async fn leftovers_are_found_by_their_label_and_removed() {
    let (_dir, fake, stage) = stage().await;
    assert_eq!(stage.sweep().await.unwrap(), 0);
    let labels = json!({ "hullwatch.demo": "1" });
    let container = json!({ "Id": id(9), "Names": ["/hullwatch-demo-t0"], "Labels": labels });
    let others = json!({ "Id": id(8), "Names": ["/web"], "Labels": {} });
    fake.answer("/containers/json", Answer::Json(json!([others, container])));
    let image = json!({ "Id": "sha256:9", "ParentId": "", "RepoTags": [], "RepoDigests": [], "Created": 0,
        "Size": 0, "SharedSize": 0, "Labels": labels, "Containers": 0 });
    fake.answer("/images/json", Answer::Json(json!([image])));
    assert_eq!(stage.sweep().await.unwrap(), 2);
    for list in ["/containers/json", "/images/json"] {
        let asked = fake.asked(list).await;
        assert!(asked.contains("hullwatch.demo%3D1"), "{asked}");
    }
    fake.asked(&format!("/containers/{}?", id(9).as_str())).await;
    fake.asked("/images/sha256:9?").await;
    let asked = fake.all_asked();
    assert!(
        !asked.iter().any(|path| path.contains(id(8).as_str())),
        "{asked:?}"
    );
}
