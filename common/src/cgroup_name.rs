//! Which cgroups are containers, by name: one rule for the probes and the agent.

/// Length of a container id in hexadecimal digits.
pub const CONTAINER_ID_LEN: usize = 64;

/// Longest cgroup name that is looked at; a longer one is no container's.
pub const NAME_MAX: usize = 128;

/// What the systemd driver puts after the id.
pub const SCOPE: &[u8; 6] = b".scope";

/// What precedes the id in the scope of podman's and CRI-O's monitor processes, which live on the host.
pub const MONITOR: &[u8; 7] = b"conmon-";

/// Where an id would start in a cgroup name of this length: at once (cgroupfs driver), or behind a prefix
/// and before `.scope` (systemd driver). None for a length that no container's name has.
#[must_use]
pub const fn id_start(len: usize) -> Option<usize> {
    const SCOPED: usize = CONTAINER_ID_LEN + SCOPE.len();
    match len {
        CONTAINER_ID_LEN => Some(0),
        0..=SCOPED | NAME_MAX.. => None,
        _ => Some(len - SCOPED),
    }
}

/// Whether all bytes are lower-case hexadecimal digits. Without a branch per byte, for the verifier.
#[must_use]
pub fn is_id(bytes: &[u8; CONTAINER_ID_LEN]) -> bool {
    let mut bad = 0u32;
    for &byte in bytes {
        let digit = u32::from(byte).wrapping_sub(u32::from(b'0'));
        let letter = u32::from(byte).wrapping_sub(u32::from(b'a'));
        // The top bit of `(n - limit) & !n` is set just where n < limit.
        let good = digit.wrapping_sub(10) & !digit | letter.wrapping_sub(6) & !letter;
        bad |= !good & (1 << 31);
    }
    bad == 0
}

/// Where the container id starts in the last component of a cgroup's path: the bare id, or
/// `PREFIX-ID.scope`. `name` is the component padded with zeroes.
#[must_use]
pub fn container_id_at(name: &[u8; NAME_MAX]) -> Option<usize> {
    let len = name.iter().position(|byte| *byte == 0)?;
    let at = id_start(len)?;
    let id: &[u8; CONTAINER_ID_LEN] = name.get(at..at + CONTAINER_ID_LEN)?.try_into().ok()?;
    let before = name.get(..at)?;
    let scoped = at == 0 || (before.ends_with(b"-") && name.get(at + CONTAINER_ID_LEN..len)? == SCOPE);
    (is_id(id) && scoped && !before.ends_with(MONITOR)).then_some(at)
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
    fn only_lower_case_hexadecimal_digits_make_an_id() {
        for byte in 0..=u8::MAX {
            let mut id: [u8; CONTAINER_ID_LEN] = ID.as_bytes().try_into().unwrap();
            id[17] = byte;
            assert_eq!(is_id(&id), matches!(byte, b'0'..=b'9' | b'a'..=b'f'), "{byte}");
        }
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
        check(&format!("docker-{ID}.slice"), None);
        check(&format!("docker{ID}.scope"), None);
        check(&format!("{ID}.scope"), None);
    }
}
