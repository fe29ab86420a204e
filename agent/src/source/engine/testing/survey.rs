//! What a survey brings.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::patient;
use super::{Answer, Fake, id, inspection};
use crate::model::{Container, ContainerState, EngineKind, Fact};
use crate::source::engine::endpoint::Endpoint;
use crate::source::engine::pool::CONNECTIONS;
use crate::source::engine::survey::survey_within;
use crate::source::engine::timing::Timing;
use crate::source::engine::{Survey, SurveyError};

async fn ask(timing: Timing, prepare: impl FnOnce(&Fake)) -> (Result<Survey, SurveyError>, TempDir, Fake) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    let fake = Fake::start(&path);
    prepare(&fake);
    // The fake removes its socket, so the directory goes last.
    (look(&path, timing).await, dir, fake)
}

async fn look(path: &Path, timing: Timing) -> Result<Survey, SurveyError> {
    let endpoint = Endpoint::first_of(vec![path.to_owned()]);
    survey_within(&endpoint, timing, Duration::from_secs(600)).await
}

fn read(json: &str) -> Answer {
    Answer::Json(serde_json::from_str(json).unwrap())
}

/// An engine as dockerd 20.10 is.
fn recorded(fake: &Fake) {
    fake.answer("/version", read(include_str!("../fixtures/version.json")));
    fake.answer("/info", read(include_str!("../fixtures/info.json")));
    fake.answer("/swarm", read(include_str!("../fixtures/swarm.json")));
    fake.answer("/services", read(include_str!("../fixtures/services.json")));
    fake.answer("/secrets", Answer::Json(json!([{ "ID": "x" }])));
    fake.answer("/volumes", read(include_str!("../fixtures/volumes.json")));
    let network: Value = serde_json::from_str(include_str!("../fixtures/network.json")).unwrap();
    let path = format!("/networks/{}", network["Id"].as_str().unwrap());
    fake.answer("/networks", Answer::Json(json!([network])));
    fake.answer(&path, Answer::Json(network));
    let image: Value = serde_json::from_str(include_str!("../fixtures/image-layers.json")).unwrap();
    let name = image["Id"].as_str().unwrap().to_owned();
    fake.answer("/images/json", Answer::Json(json!([{ "Id": name }])));
    fake.answer(&format!("/images/{name}/json"), Answer::Json(image));
    fake.answer(
        &format!("/images/{name}/history"),
        read(include_str!("../fixtures/history.json")),
    );
    fake.container(serde_json::from_str(include_str!("../fixtures/container-limited.json")).unwrap());
}

#[tokio::test]
async fn everything_is_asked_over_few_connections() {
    let (survey, _dir, fake) = ask(patient(), |fake| {
        recorded(fake);
        for number in 0..40 {
            fake.container(inspection(&id(number), "c"));
        }
    })
    .await;
    let survey = survey.unwrap();
    assert_eq!((survey.kind, survey.containers.len()), (EngineKind::Docker, 41));
    assert!(
        survey
            .containers
            .iter()
            .all(|container| container.state == ContainerState::Running)
    );
    let [image] = survey.images.as_slice() else {
        panic!("{:?}", survey.images)
    };
    assert_eq!(image.history.as_ref().map(Vec::len), Some(9));
    assert_eq!(survey.layers[0].directories.len(), 3);
    let engine = survey.engine;
    assert!(engine.address.starts_with("unix:///") && engine.version.starts_with("20.10"));
    assert_eq!(engine.networks.get().unwrap()[0].containers.len(), 1);
    assert_eq!(engine.volumes.get().map(Vec::len), Some(1));
    assert_eq!(engine.plugins.get().map(std::collections::BTreeMap::len), Some(0));
    assert_eq!(engine.swarm.secrets, Fact::Known(1));
    assert_eq!(engine.swarm.services.get().map(Vec::len), Some(1));
    assert_eq!(
        engine.swarm.cluster.get().map(|cluster| cluster.version),
        Some(16)
    );
    assert!(fake.accepted() <= CONNECTIONS, "{} connections", fake.accepted());
    let asked = fake.all_asked();
    assert!(asked.iter().all(|path| !path.contains("unlockkey")), "{asked:?}");
}

#[tokio::test]
async fn a_part_that_fails_is_unknown_and_the_rest_is_told() {
    let timing = Timing {
        inspect: Duration::from_millis(50),
        list: Duration::from_millis(50),
        ..patient()
    };
    let (survey, _dir, _fake) = ask(timing, |fake| {
        recorded(fake);
        fake.answer("/swarm", Answer::Hang);
        fake.answer(
            "/services",
            Answer::Text(503, r#"{"message":"no quorum"}"#.into()),
        );
        fake.answer("/volumes", Answer::Text(200, "nonsense".into()));
        fake.answer("/plugins", Answer::Text(404, String::new()));
        fake.container(inspection(&id(1), "slow"));
        fake.answer(&format!("/containers/{}/json", id(1)), Answer::Hang);
        fake.container(inspection(&id(2), "gone"));
        fake.answer(
            &format!("/containers/{}/json", id(2)),
            Answer::Text(404, String::new()),
        );
    })
    .await;
    let survey = survey.unwrap();
    let why = |fact: &Fact<_>| match fact {
        Fact::Unknown(why) => why.clone(),
        Fact::Known(()) => panic!("known"),
    };
    let swarm = survey.engine.swarm;
    assert!(why(&erased(swarm.cluster)).contains("did not answer /swarm within 50ms"));
    assert!(why(&erased(swarm.services)).ends_with("it answered 503: no quorum"));
    assert!(why(&erased(survey.engine.volumes)).contains("cannot be read"));
    assert_eq!(
        survey.engine.plugins.get().map(std::collections::BTreeMap::len),
        Some(0)
    );
    assert_eq!(survey.containers.len(), 2);
    let slow = survey
        .containers
        .into_iter()
        .find(|container| container.id == id(1));
    assert_eq!(slow, Some(Container::unknown(id(1), EngineKind::Docker)));
}

fn erased<T>(fact: Fact<T>) -> Fact<()> {
    match fact {
        Fact::Known(_) => Fact::Known(()),
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

#[tokio::test]
async fn without_swarm_the_reason_says_so() {
    let (survey, _dir, fake) = ask(patient(), |fake| {
        fake.answer(
            "/info",
            Answer::Json(json!({ "Swarm": { "LocalNodeState": "inactive" } })),
        );
    })
    .await;
    let survey = survey.unwrap();
    assert_eq!(survey.engine.swarm.cluster, Fact::unknown("swarm mode is off"));
    assert_eq!(survey.containers, []);
    assert!(fake.all_asked().iter().all(|path| path != "/swarm"));
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_an_error_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let error = look(&dir.path().join("x.sock"), patient())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/x.sock was asked and its socket does not exist"),
        "{error}"
    );
    let timing = Timing {
        inspect: Duration::from_millis(20),
        ..patient()
    };
    let (hung, _dir, _fake) = ask(timing, |fake| fake.answer("/version", Answer::Hang)).await;
    let error = hung.unwrap_err().to_string();
    assert!(error.contains("did not answer /version"), "{error}");
    let (unlisted, _dir, _fake) = ask(patient(), |fake| {
        fake.answer(
            "/containers/json",
            Answer::Text(500, r#"{"message":"broken"}"#.into()),
        );
    })
    .await;
    let error = unlisted.unwrap_err().to_string();
    assert!(
        error.ends_with("it answered 500: broken") && !error.contains('\n'),
        "{error}"
    );
}
