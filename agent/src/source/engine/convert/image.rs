//! Images, their history, and where their layers are.

use serde_json::Value;

use super::{Malformed, json};
use crate::model::{GraphDriver, HistoryEntry, Image, SecretHint, Time, secret};

/// Longest step of a history that is told, in characters.
const STEP_LEN: usize = 16_384;

/// From `GET /images/NAME/json`.
///
/// # Errors
///
/// An answer without an id is none.
pub(in super::super) fn image(answer: &Value) -> Result<Image, Malformed> {
    let id = json::text(answer, "/Id").ok_or(Malformed("Id"))?;
    let config = answer.pointer("/Config").filter(|config| config.is_object());
    Ok(Image {
        id,
        tags: json::texts(answer, "/RepoTags").unwrap_or_default(),
        digests: json::texts(answer, "/RepoDigests").unwrap_or_default(),
        created: json::time(answer, "/Created"),
        size: answer.pointer("/Size").and_then(Value::as_i64),
        // Newer engines leave what is empty out of a configuration that is there.
        user: config.map(|config| json::text(config, "/User").unwrap_or_default()),
        healthcheck: config.map(|config| json::texts(config, "/Healthcheck/Test").unwrap_or_default()),
        exposed: config.map(|config| {
            let ports = json::entries(config, "/ExposedPorts");
            ports.map(|(port, _)| port.clone()).collect()
        }),
        layers: json::texts(answer, "/RootFS/Layers"),
        secrets: config.map(secrets),
        ..Image::default()
    })
}

/// Traces of secrets in the configuration of an image.
fn secrets(config: &Value) -> Vec<SecretHint> {
    let mut hints = secret::in_env(&json::texts(config, "/Env").unwrap_or_default());
    let labels = json::table(config, "/Labels");
    hints.extend(secret::in_labels(
        labels.iter().map(|(name, value)| (name.as_str(), value.as_str())),
    ));
    for field in ["/Entrypoint", "/Cmd"] {
        let words = json::texts(config, field).unwrap_or_default();
        hints.extend(secret::in_command(&words.join(" ")));
    }
    hints.sort();
    hints
}

/// Adds the answer to `GET /images/NAME/history`, which has the latest step first.
pub(in super::super) fn add_history(image: &mut Image, answer: &Value) {
    let Some(steps) = json::list(answer, "") else {
        return;
    };
    let mut history: Vec<_> = steps.collect();
    history.reverse();
    let created_by = |step: &Value| json::text(step, "/CreatedBy").unwrap_or_default();
    let hints = history
        .iter()
        .flat_map(|step| secret::in_history(&created_by(step)));
    let secrets = image.secrets.get_or_insert_default();
    secrets.extend(hints);
    secrets.sort();
    secrets.dedup();
    let entry = |step: &&Value| HistoryEntry {
        created_by: secret::redact(&created_by(step)).chars().take(STEP_LEN).collect(),
        // The API does not say; a layer that adds nothing is none to speak of.
        empty_layer: json::count(step, "/Size").is_none_or(|size| size == 0),
        created: step.pointer("/Created").and_then(Value::as_i64).and_then(seconds),
    };
    image.history = Some(history.iter().map(entry).collect());
}

fn seconds(since_epoch: i64) -> Option<Time> {
    let nanos = i128::from(since_epoch).saturating_mul(1_000_000_000);
    (since_epoch > 0).then(|| Time::from_unix_nanos(nanos))
}

/// Where the layers of an image are; none where the engine does not say.
pub(in super::super) fn graph_driver(answer: &Value) -> Option<GraphDriver> {
    let upper = json::text(answer, "/GraphDriver/Data/UpperDir");
    let lower = json::text(answer, "/GraphDriver/Data/LowerDir").unwrap_or_default();
    let lower = lower
        .split(':')
        .filter(|path| !path.is_empty())
        .map(str::to_owned);
    Some(GraphDriver {
        image: json::text(answer, "/Id")?,
        name: json::text(answer, "/GraphDriver/Name")?,
        directories: upper.into_iter().chain(lower).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    fn recorded() -> Image {
        let mut image = image(&read(include_str!("../fixtures/image-layers.json"))).unwrap();
        add_history(&mut image, &read(include_str!("../fixtures/history.json")));
        image
    }

    #[test]
    fn an_image_as_dockerd_20_10_describes_it() {
        let image = recorded();
        assert_eq!(image.tags, ["hull:1", "hull:latest"]);
        assert!(image.created.is_some() && image.size.is_some_and(|size| size > 1_000_000));
        assert_eq!(image.user.as_deref(), Some("1000"));
        assert_eq!(image.healthcheck.unwrap(), ["CMD", "/bin/busybox", "true"]);
        assert_eq!(image.exposed.unwrap(), ["53/udp", "80/tcp"]);
        assert_eq!(image.layers.unwrap().len(), 3);
        assert_eq!((image.contents, image.setuid_files), (None, None));
    }

    #[test]
    fn its_history_is_oldest_first_and_without_secrets() {
        let image = recorded();
        let history = image.history.clone().unwrap();
        let made: Vec<_> = history.iter().map(|step| !step.empty_layer).collect();
        assert_eq!(made, [true, true, false, false, true, false, false, false, false]);
        assert!(history.iter().all(|step| step.created.is_some()));
        assert_eq!(
            history[2].created_by,
            "/bin/sh -c #(nop)  ENV DB_PASSWORD=<redacted>"
        );
        assert_eq!(
            history[4].created_by,
            "|1 BUILD_TOKEN=<redacted> /bin/busybox chmod 4755 /bin/busybox"
        );
        let hints: Vec<_> = image
            .secrets
            .iter()
            .flatten()
            .map(|hint| (hint.place.as_str(), hint.name.as_str()))
            .collect();
        let expected = [
            ("env", "DB_PASSWORD"),
            ("history", "BUILD_TOKEN"),
            ("history", "DB_PASSWORD"),
        ];
        assert_eq!(hints, expected);
        assert!(!serde_json::to_string(&image).unwrap().contains("fixture-"));
    }

    #[test]
    fn its_layers_are_told_topmost_first() {
        let driver = graph_driver(&read(include_str!("../fixtures/image-layers.json"))).unwrap();
        assert_eq!((driver.name.as_str(), driver.directories.len()), ("overlay2", 3));
        assert!(
            driver
                .directories
                .iter()
                .all(|path| path.starts_with("/var/lib/docker/overlay2/") && path.ends_with("/diff"))
        );
        assert_eq!(graph_driver(&read(r#"{"Id":"sha256:1"}"#)), None);
    }

    #[track_caller]
    fn check_user(json: &str, expected: Option<&str>) {
        assert_eq!(image(&read(json)).unwrap().user.as_deref(), expected);
    }

    #[test]
    fn an_image_has_the_user_of_its_configuration() {
        check_user(include_str!("../fixtures/image.json"), Some("1000"));
        check_user(r#"{"Id":"sha256:1","Config":{}}"#, Some(""));
        check_user(r#"{"Id":"sha256:1","RepoTags":null}"#, None);
        assert_eq!(image(&read("{}")), Err(Malformed("Id")));
    }

    #[test]
    fn an_image_says_no_more_than_it_was_told() {
        let silent = image(&read(r#"{"Id":"sha256:1","Created":"0001-01-01T00:00:00Z"}"#)).unwrap();
        let expected = Image {
            id: "sha256:1".into(),
            ..Image::default()
        };
        assert_eq!(silent, expected);
        let slim = image(&read(
            r#"{"Id":"sha256:1","Created":null,"Config":{"Cmd":["x"]}}"#,
        ))
        .unwrap();
        assert_eq!(
            (slim.created, slim.healthcheck, slim.exposed),
            (None, Some(Vec::new()), Some(Vec::new()))
        );
    }
}
