//! Which cgroups are containers, by name: one rule for the probes and the agent.

/// Length of a container id in hexadecimal digits.
pub const CONTAINER_ID_LEN: usize = 64;

/// Longest cgroup name that is looked at; a longer one is no container's.
pub const NAME_MAX: usize = 128;

/// Monitor processes of podman and CRI-O live on the host in a scope that bears their container's id.
const MONITOR: &[u8; 7] = b"-conmon";

/// Where the container id starts in the last component of a cgroup's path.
///
/// Accepts the bare id (cgroupfs driver) and `PREFIX-ID.scope` (systemd driver). `name` is the
/// component padded with zeroes; a name that fills it is refused as too long.
#[must_use]
pub fn container_id_at(name: &[u8; NAME_MAX]) -> Option<usize> {
    let mut run = 0usize;
    let mut at = 0usize;
    let mut found = false;
    let mut monitor = 0usize;
    for (i, &byte) in name.iter().enumerate() {
        if byte == 0 {
            break;
        }
        if !found {
            monitor = match MONITOR.get(monitor) {
                None => return None,
                Some(&want) if want == byte => monitor + 1,
                Some(_) => usize::from(byte == b'-'),
            };
        }
        if byte.is_ascii_digit() || matches!(byte, b'a'..=b'f') {
            run += 1;
            if run == CONTAINER_ID_LEN {
                at = i + 1 - CONTAINER_ID_LEN;
                found = true;
            } else if run > CONTAINER_ID_LEN {
                return None;
            }
        } else {
            run = 0;
        }
    }
    if found { Some(at) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[track_caller]
    fn check(name: &str, expect: Option<usize>) {
        let mut padded = [0u8; NAME_MAX];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        assert_eq!(container_id_at(&padded), expect, "{name}");
    }

    #[test]
    fn names_of_the_two_cgroup_drivers_are_containers() {
        check(ID, Some(0));
        check(&format!("docker-{ID}.scope"), Some(7));
        check(&format!("libpod-{ID}.scope"), Some(7));
        check(&format!("cri-containerd-{ID}.scope"), Some(15));
    }

    #[test]
    fn monitors_and_lookalikes_are_not() {
        check(&format!("libpod-conmon-{ID}.scope"), None);
        check(&format!("crio-conmon-{ID}.scope"), None);
        check("system.slice", None);
        check("", None);
        check(ID.get(1..).unwrap(), None);
        check(&format!("{ID}0"), None);
        check(&ID.to_uppercase(), None);
    }
}
