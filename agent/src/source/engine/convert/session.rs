//! Inspections of exec sessions and images.

use bollard::models::{ExecInspectResponse, ImageInspect};

use super::{Malformed, container::pid};
use crate::model::{ContainerId, ExecSession, Image};

/// From `GET /exec/ID/json`; an answer that does not name session or container is about those asked for.
pub(in super::super) fn exec_session(
    answer: ExecInspectResponse,
    asked: &str,
    container: &ContainerId,
) -> ExecSession {
    let named = answer.container_id.and_then(|id| id.parse().ok());
    let process = answer.process_config;
    // The API leaves an empty user out.
    let user = process
        .as_ref()
        .map(|process| process.user.clone().unwrap_or_default());
    let privileged = process.as_ref().and_then(|process| process.privileged);
    let command = process.map(|process| {
        let arguments = process.arguments.unwrap_or_default();
        process.entrypoint.into_iter().chain(arguments).collect()
    });
    ExecSession {
        id: answer.id.unwrap_or_else(|| asked.to_owned()),
        container: named.unwrap_or_else(|| container.clone()),
        privileged,
        user,
        command: command.unwrap_or_default(),
        pid: pid(answer.pid),
    }
}

/// From `GET /images/NAME/json`.
///
/// # Errors
///
/// An answer without an id is none.
pub(in super::super) fn image(answer: ImageInspect) -> Result<Image, Malformed> {
    Ok(Image {
        id: answer.id.ok_or(Malformed("Id"))?,
        tags: answer.repo_tags.unwrap_or_default(),
        // Newer engines leave an empty user out of a configuration that is there.
        user: answer.config.map(|config| config.user.unwrap_or_default()),
        ..Image::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> ContainerId {
        "cd".repeat(32).parse().unwrap()
    }

    #[test]
    fn an_exec_session_as_dockerd_20_10_describes_it_before_its_start() {
        let answer: ExecInspectResponse =
            serde_json::from_str(include_str!("../fixtures/exec.json")).unwrap();
        let id = answer.id.clone().unwrap();
        let session = exec_session(answer, "asked", &asked());
        assert_eq!(session.id, id);
        assert_ne!(session.container, asked());
        assert_eq!(
            (session.privileged, session.user.as_deref()),
            (Some(true), Some("0"))
        );
        assert_eq!(session.command, ["sleep", "5"]);
        assert_eq!(session.pid, None);
    }

    #[track_caller]
    fn check_session(json: &str, expected: &ExecSession) {
        assert_eq!(
            &exec_session(serde_json::from_str(json).unwrap(), "asked", &asked()),
            expected
        );
    }

    #[test]
    fn a_session_says_no_more_than_it_was_told() {
        let silent = ExecSession {
            id: "asked".into(),
            container: asked(),
            privileged: None,
            user: None,
            command: Vec::new(),
            pid: None,
        };
        check_session("{}", &silent);
        check_session(
            r#"{"ProcessConfig":{"entrypoint":"id","arguments":null},"Pid":77}"#,
            &ExecSession {
                user: Some(String::new()),
                command: vec!["id".into()],
                pid: Some(77),
                ..silent
            },
        );
    }

    #[track_caller]
    fn check_user(json: &str, expected: Option<&str>) {
        let image = image(serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!(image.user.as_deref(), expected);
        assert_eq!(image.setuid_files, None);
    }

    #[test]
    fn an_image_has_the_user_of_its_configuration() {
        let recorded = include_str!("../fixtures/image.json");
        check_user(recorded, Some("1000"));
        let tags = image(serde_json::from_str(recorded).unwrap()).unwrap().tags;
        assert_eq!(tags, ["hull:1", "hull:latest"]);
        check_user(r#"{"Id":"sha256:1","Config":{}}"#, Some(""));
        check_user(r#"{"Id":"sha256:1","RepoTags":null}"#, None);
        assert_eq!(image(ImageInspect::default()), Err(Malformed("Id")));
    }
}
