//! The engine's events, as what we make of them.

use bollard::models::{EventMessage, EventMessageTypeEnum as Type};

use super::convert::Malformed;
use crate::model::{ContainerAction, ContainerId, EngineKind, Time};

/// Kinds of events that are asked for: an unknown kind ends the stream.
const KINDS: [&str; 9] = [
    "container",
    "image",
    "network",
    "volume",
    "plugin",
    "node",
    "service",
    "secret",
    "daemon",
];
/// Of those, what every engine has: Podman refuses to tell any where one of another kind is asked for.
const COMMON_KINDS: usize = 4;

/// Kinds of events that are asked for of an engine.
pub(super) fn kinds(engine: EngineKind) -> &'static [&'static str] {
    match engine {
        EngineKind::Docker => &KINDS,
        EngineKind::Podman | EngineKind::Unknown => KINDS.split_at(COMMON_KINDS).0,
    }
}

/// Longest session id or image name that is believed.
const NAME_LEN: usize = 512;

/// What an event itself says of a container, for when it is gone before it can be inspected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints {
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
}

/// An event that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Something became of a container.
    Container {
        id: ContainerId,
        action: ContainerAction,
        hints: Hints,
    },
    /// Something was attached to a network, or detached: a container, where it is named.
    Network { container: Option<ContainerId> },
    /// What the engine is or manages beside containers and images changed.
    Engine,
    /// A session was made, or started.
    Exec {
        container: ContainerId,
        session: String,
        command: Vec<String>,
        started: bool,
        hints: Hints,
    },
    /// A session is over.
    ExecEnded { session: String },
    /// A container has a session that the event does not name (Podman).
    Sessions { container: ContainerId },
    /// An image is new, has other names, or is gone.
    Image { name: String },
}

/// Reads an event: nothing where it does not matter.
///
/// # Errors
///
/// The event matters and does not say of what it is.
pub(super) fn notice(event: EventMessage) -> Result<Option<Notice>, Malformed> {
    let actor = event.actor.unwrap_or_default();
    let mut attributes = actor.attributes.unwrap_or_default();
    let action = event.action.unwrap_or_default();
    let id = actor.id.unwrap_or_default();
    match event.typ {
        Some(Type::CONTAINER) => {
            let session = attributes.remove("execID");
            let hints = Hints {
                name: attributes.remove("name"),
                image: attributes.remove("image"),
            };
            container_notice(id, &action, session, hints)
        }
        Some(Type::NETWORK) if matches!(action.as_str(), "connect" | "disconnect") => {
            // Load balancers of a swarm are connected too, and are no containers.
            let id = attributes.remove("container").unwrap_or_default();
            let container = container_id(id).ok();
            Ok(Some(Notice::Network { container }))
        }
        // Every start and stop of a container does; it changes nothing that is told.
        Some(Type::VOLUME) if matches!(action.as_str(), "mount" | "unmount") => Ok(None),
        Some(
            Type::NETWORK
            | Type::VOLUME
            | Type::PLUGIN
            | Type::NODE
            | Type::SERVICE
            | Type::SECRET
            | Type::DAEMON,
        ) => Ok(Some(Notice::Engine)),
        Some(Type::IMAGE) if changes_image(&action) => match is_name(&id) {
            true => Ok(Some(Notice::Image { name: id })),
            false => Err(Malformed("Actor.ID")),
        },
        _ => Ok(None),
    }
}

/// When it happened; now, where the event does not say.
pub(super) fn time(event: &EventMessage) -> Time {
    let seconds = event
        .time
        .map(|time| i128::from(time).saturating_mul(1_000_000_000));
    event
        .time_nano
        .map(i128::from)
        .or(seconds)
        .filter(|nanos| *nanos > 0)
        .map_or_else(Time::now, Time::from_unix_nanos)
}

fn container_notice(
    id: String,
    action: &str,
    session: Option<String>,
    hints: Hints,
) -> Result<Option<Notice>, Malformed> {
    let (verb, command) = action.split_once(':').unwrap_or((action, ""));
    let action = match verb {
        "create" => ContainerAction::Created,
        "start" | "restore" => ContainerAction::Started,
        "update" | "rename" | "pause" | "unpause" | "health_status" => ContainerAction::Updated,
        "die" | "died" => ContainerAction::Stopped,
        "destroy" | "remove" => ContainerAction::Removed,
        "exec_create" | "exec_start" => {
            return Ok(Some(Notice::Exec {
                container: container_id(id)?,
                session: session_id(session)?,
                command: command.split_whitespace().map(str::to_owned).collect(),
                started: verb == "exec_start",
                hints,
            }));
        }
        "exec_die" | "exec_died" => {
            // Podman does not say which.
            let session = session.map(|session| session_id(Some(session))).transpose()?;
            return Ok(session.map(|session| Notice::ExecEnded { session }));
        }
        "exec" => {
            let container = container_id(id)?;
            return Ok(Some(Notice::Sessions { container }));
        }
        _ => return Ok(None),
    };
    Ok(Some(change(container_id(id)?, action, hints)))
}

fn change(id: ContainerId, action: ContainerAction, hints: Hints) -> Notice {
    Notice::Container { id, action, hints }
}

fn container_id(text: String) -> Result<ContainerId, Malformed> {
    ContainerId::try_from(text).map_err(|_error| Malformed("Actor.ID"))
}

fn session_id(text: Option<String>) -> Result<String, Malformed> {
    text.filter(|id| is_session(id)).ok_or(Malformed("execID"))
}

/// Whether this can name a session in a request's path, and nothing else.
pub(super) fn is_session(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_LEN && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether this can name an image in a request's path, and nothing else.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    !text.is_empty() && text.len() <= NAME_LEN && text.bytes().all(plain) && !text.contains("..")
}

fn changes_image(action: &str) -> bool {
    matches!(
        action,
        "pull" | "load" | "loadfromarchive" | "tag" | "untag" | "import" | "build" | "delete" | "remove"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn id() -> ContainerId {
        "ab".repeat(32).parse().unwrap()
    }

    fn hints() -> Hints {
        Hints {
            name: Some("web".into()),
            image: Some("hull:1".into()),
        }
    }

    fn read(json: Value) -> Result<Option<Notice>, Malformed> {
        notice(serde_json::from_value(json).unwrap())
    }

    fn of_container(action: &str) -> Value {
        let attributes = json!({ "name": "web", "image": "hull:1", "execID": "e1" });
        json!({ "Type": "container", "Action": action, "Actor": { "ID": "ab".repeat(32), "Attributes": attributes } })
    }

    #[track_caller]
    fn check(action: &str, expected: Option<ContainerAction>) {
        let expected = expected.map(|action| change(id(), action, hints()));
        assert_eq!(read(of_container(action)), Ok(expected), "{action}");
    }

    #[test]
    fn what_becomes_of_a_container_is_read_from_its_events() {
        check("create", Some(ContainerAction::Created));
        check("start", Some(ContainerAction::Started));
        for action in ["update", "rename", "pause", "unpause", "health_status: healthy"] {
            check(action, Some(ContainerAction::Updated));
        }
        check("die", Some(ContainerAction::Stopped));
        check("destroy", Some(ContainerAction::Removed));
        for action in ["kill", "attach", "top", ""] {
            check(action, None);
        }
    }

    #[test]
    fn exec_events_name_their_session_and_command() {
        let expected = |started| Notice::Exec {
            container: id(),
            session: "e1".into(),
            command: vec!["sleep".into(), "100".into()],
            started,
            hints: hints(),
        };
        assert_eq!(
            read(of_container("exec_create: sleep 100")),
            Ok(Some(expected(false)))
        );
        assert_eq!(
            read(of_container("exec_start: sleep 100")),
            Ok(Some(expected(true)))
        );
        let ended = Notice::ExecEnded { session: "e1".into() };
        assert_eq!(read(of_container("exec_die")), Ok(Some(ended)));
        assert_eq!(
            read(of_container("exec")),
            Ok(Some(Notice::Sessions { container: id() }))
        );
    }

    #[test]
    fn podman_does_not_name_sessions() {
        let event = |action: &str| json!({ "Type": "container", "Action": action, "Actor": { "ID": "ab".repeat(32) } });
        assert_eq!(
            read(event("exec")),
            Ok(Some(Notice::Sessions { container: id() }))
        );
        assert_eq!(read(event("exec_died")), Ok(None));
        let removed = change(id(), ContainerAction::Removed, Hints::default());
        assert_eq!(read(event("remove")), Ok(Some(removed)));
    }

    #[test]
    fn networks_change_containers_and_images_come() {
        let attributes = json!({ "container": "ab".repeat(32), "name": "none" });
        let network = |action: &str| json!({ "Type": "network", "Action": action, "Actor": { "ID": "n", "Attributes": attributes } });
        let connected = Notice::Network {
            container: Some(id()),
        };
        assert_eq!(read(network("connect")), Ok(Some(connected)));
        let image =
            |action: &str, id: &str| json!({ "Type": "image", "Action": action, "Actor": { "ID": id } });
        let name = "reg:5000/a/b@sha256:1";
        assert_eq!(
            read(image("pull", name)),
            Ok(Some(Notice::Image { name: name.into() }))
        );
        let deleted = Notice::Image {
            name: "sha256:1".into(),
        };
        assert_eq!(read(image("delete", "sha256:1")), Ok(Some(deleted)));
        assert_eq!(read(image("save", "sha256:1")), Ok(None));
    }

    #[track_caller]
    fn check_engine(kind: &str, action: &str, expected: Option<Notice>) {
        let event = json!({ "Type": kind, "Action": action, "Actor": { "ID": "x" } });
        assert_eq!(read(event), Ok(expected), "{kind} {action}");
    }

    #[test]
    fn the_engine_changes_by_what_it_manages() {
        for (kind, action) in [
            ("network", "create"),
            ("network", "destroy"),
            ("volume", "create"),
            ("plugin", "enable"),
            ("node", "update"),
            ("service", "create"),
            ("secret", "remove"),
            ("daemon", "reload"),
        ] {
            check_engine(kind, action, Some(Notice::Engine));
        }
        let balancer = Notice::Network { container: None };
        check_engine("network", "connect", Some(balancer));
        check_engine("volume", "mount", None);
        check_engine("config", "create", None);
    }

    #[test]
    fn podman_is_asked_only_for_what_it_has() {
        assert!(kinds(EngineKind::Docker).contains(&"daemon"));
        for engine in [EngineKind::Podman, EngineKind::Unknown] {
            assert_eq!(kinds(engine), ["container", "image", "network", "volume"]);
        }
    }

    #[track_caller]
    fn check_malformed(json: Value, field: &'static str) {
        assert_eq!(read(json), Err(Malformed(field)));
    }

    #[test]
    fn what_could_lead_a_request_astray_is_malformed() {
        check_malformed(
            json!({ "Type": "container", "Action": "start", "Actor": { "ID": "../x" } }),
            "Actor.ID",
        );
        for name in ["", "../containers/x", "a?b", "a b", &"a".repeat(513)] {
            check_malformed(
                json!({ "Type": "image", "Action": "pull", "Actor": { "ID": name } }),
                "Actor.ID",
            );
        }
        let exec = |session: &str| {
            let attributes = json!({ "execID": session });
            json!({ "Type": "container", "Action": "exec_create: x",
                    "Actor": { "ID": "ab".repeat(32), "Attributes": attributes } })
        };
        check_malformed(exec("a/../b"), "execID");
        check_malformed(exec(""), "execID");
    }

    #[test]
    fn the_time_is_the_engines_to_the_nanosecond() {
        let at = |json: Value| time(&serde_json::from_value(json).unwrap()).unix_nanos();
        assert_eq!(
            at(json!({ "time": 5, "timeNano": 5_000_000_001_i64 })),
            5_000_000_001
        );
        assert_eq!(at(json!({ "time": 5 })), 5_000_000_000);
        let before = Time::now();
        assert!(at(json!({})) >= before.unix_nanos());
    }
}
