//! Inspections of exec sessions.

use bollard::models::ExecInspectResponse;

use super::container::pid;
use crate::model::{ContainerId, ExecSession};

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
}
