//! A container's mounts: those it has, and for one that never ran those it will get.

use bollard::models::{HostConfig, Mount, MountPoint, MountType};

use crate::model::{ContainerMount, ContainerState};

/// The mounts that the engine lists; for a container that never ran also those that its configuration asks for, where
/// no listed one has their destination. None where the engine says neither.
pub(super) fn mounts(
    listed: Option<Vec<MountPoint>>,
    config: Option<&HostConfig>,
    state: ContainerState,
) -> Option<Vec<ContainerMount>> {
    if listed.is_none() && config.is_none() {
        return None;
    }
    let mut all: Vec<_> = listed.into_iter().flatten().map(mount_point).collect();
    if state == ContainerState::Created
        && let Some(config) = config
    {
        let binds = config.binds.iter().flatten().map(|text| bind(text));
        let mounts = config.mounts.iter().flatten().filter_map(bind_mount);
        for wanted in binds.chain(mounts) {
            if !all
                .iter()
                .any(|known| same_place(&known.destination, &wanted.destination))
            {
                all.push(wanted);
            }
        }
    }
    Some(all)
}

fn same_place(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

fn mount_point(point: MountPoint) -> ContainerMount {
    ContainerMount {
        kind: point.typ.unwrap_or_default(),
        source: point.source.unwrap_or_default(),
        resolved: None,
        sockets: Vec::new(),
        destination: point.destination.unwrap_or_default(),
        // What is not said to be read-only is not taken for it.
        writable: point.rw.unwrap_or(true),
        propagation: point.propagation.unwrap_or_default(),
    }
}

/// One of `HostConfig.Binds`: `SOURCE:DESTINATION[:OPTIONS]`, or a destination alone for a nameless volume. A source
/// that is no absolute path names a volume, whose place on the host is not known before it is made.
fn bind(text: &str) -> ContainerMount {
    let mut parts = text.splitn(3, ':');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let options = parts.next().unwrap_or_default();
    let (source, destination) = second.map_or(("", first), |second| (first, second));
    let on_host = source.starts_with('/');
    let propagation = options.split(',').find(|option| {
        matches!(
            *option,
            "private" | "rprivate" | "slave" | "rslave" | "shared" | "rshared"
        )
    });
    ContainerMount {
        kind: if on_host { "bind" } else { "volume" }.to_owned(),
        source: if on_host { source } else { "" }.to_owned(),
        resolved: None,
        sockets: Vec::new(),
        destination: destination.to_owned(),
        writable: !options.split(',').any(|option| option == "ro"),
        propagation: propagation.unwrap_or_default().to_owned(),
    }
}

/// One of `HostConfig.Mounts`, where it is a bind mount.
fn bind_mount(mount: &Mount) -> Option<ContainerMount> {
    if mount.typ != Some(MountType::BIND) {
        return None;
    }
    let propagation = mount
        .bind_options
        .as_ref()
        .and_then(|options| options.propagation);
    Some(ContainerMount {
        kind: "bind".to_owned(),
        source: mount.source.clone().unwrap_or_default(),
        resolved: None,
        sockets: Vec::new(),
        destination: mount.target.clone().unwrap_or_default(),
        writable: !mount.read_only.unwrap_or(false),
        propagation: propagation.map(|mode| mode.to_string()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::ContainerInspectResponse;

    /// Kind, source, destination, writable, propagation.
    type Row = (&'static str, &'static str, &'static str, bool, &'static str);

    #[track_caller]
    fn check(json: &str, expected: Option<&[Row]>) {
        let answer: ContainerInspectResponse = serde_json::from_str(json).unwrap();
        let state = match answer.state.and_then(|state| state.status) {
            Some(bollard::models::ContainerStateStatusEnum::CREATED) => ContainerState::Created,
            _ => ContainerState::Running,
        };
        let got = mounts(answer.mounts, answer.host_config.as_ref(), state);
        let rows = got.as_ref().map(|all| {
            all.iter()
                .map(|mount| {
                    (
                        mount.kind.as_str(),
                        mount.source.as_str(),
                        mount.destination.as_str(),
                        mount.writable,
                        mount.propagation.as_str(),
                    )
                })
                .collect::<Vec<_>>()
        });
        assert_eq!(rows.as_deref(), expected);
    }

    #[test]
    fn a_container_that_ran_has_the_mounts_it_has() {
        let volume = ("volume", "/var/lib/docker/volumes/data/_data", "/data", true, "");
        check(
            include_str!("../fixtures/container-running.json"),
            Some(&[("bind", "/etc/hostname", "/hn", false, "rprivate"), volume]),
        );
        check(
            r#"{"Mounts":[],"HostConfig":{"Binds":["/a:/b"]},"State":{"Status":"exited"}}"#,
            Some(&[]),
        );
    }

    #[test]
    fn podman_lists_its_mounts_as_docker_does() {
        check(
            include_str!("../fixtures/container-podman.json"),
            Some(&[("bind", "/etc", "/etc2", false, "rslave")]),
        );
    }

    #[test]
    fn what_a_new_container_lists_is_not_repeated_from_its_configuration() {
        check(
            include_str!("../fixtures/container-created.json"),
            Some(&[
                ("bind", "/run", "/host-run", false, "rslave"),
                ("volume", "/var/lib/docker/volumes/data/_data", "/named", true, ""),
                ("bind", "/etc", "/host-etc", false, "rshared"),
            ]),
        );
    }

    #[test]
    fn what_a_new_container_does_not_list_is_taken_from_its_configuration() {
        check(
            r#"{"State":{"Status":"created"},"Mounts":[{"Type":"bind","Source":"/s","Destination":"/d"}],
                "HostConfig":{"Binds":["/other:/d/","/run:/r:ro,rshared","cache:/c","/anonymous"],
                "Mounts":[{"Type":"bind","Source":"/etc","Target":"/e","BindOptions":{"Propagation":"rslave"}},
                          {"Type":"tmpfs","Target":"/t"}]}}"#,
            Some(&[
                ("bind", "/s", "/d", true, ""),
                ("bind", "/run", "/r", false, "rshared"),
                ("volume", "", "/c", true, ""),
                ("volume", "", "/anonymous", true, ""),
                ("bind", "/etc", "/e", true, "rslave"),
            ]),
        );
    }

    #[test]
    fn without_a_word_about_mounts_they_are_unknown() {
        check("{}", None);
        check(r#"{"HostConfig":{}}"#, Some(&[]));
    }
}
