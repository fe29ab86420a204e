//! POSIX access control lists in the form of the `system.posix_acl_access` attribute
//! (`include/uapi/linux/posix_acl_xattr.h`).

/// The attribute's name.
pub(super) const XATTR: &str = "system.posix_acl_access";

/// Largest attribute the kernel keeps (`XATTR_SIZE_MAX`).
pub(super) const MAX: usize = 65_536;

const VERSION: u32 = 2;
const TAG_USER: u16 = 0x02;
const TAG_GROUP_OBJ: u16 = 0x04;
const TAG_GROUP: u16 = 0x08;
const TAG_MASK: u16 = 0x10;
const WRITE: u16 = 2;
const ALL: u16 = 7;

/// Who an access control list lets write, apart from the owner and others, whose bits the mode has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acl {
    /// Named users, and whether each may write.
    pub(super) users: Vec<(u32, bool)>,
    /// Named groups, and whether each may write.
    pub(super) groups: Vec<(u32, bool)>,
    /// Whether the owning group may write.
    pub(super) owning_group: bool,
    /// Permission bits (`0`–`07`) of the named users and groups together.
    pub(super) named: u32,
}

impl Acl {
    /// Decodes the attribute; `None` where it is malformed.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (version, entries) = bytes.split_first_chunk()?;
        let (entries, rest) = entries.as_chunks::<8>();
        if u32::from_le_bytes(*version) != VERSION || !rest.is_empty() {
            return None;
        }
        let entries = entries.iter().map(|[t0, t1, p0, p1, id @ ..]| {
            let bits = u16::from_le_bytes([*p0, *p1]);
            (u16::from_le_bytes([*t0, *t1]), bits, u32::from_le_bytes(*id))
        });
        // The mask bounds everybody but the owner and others.
        let masks = entries.clone().filter(|(tag, ..)| *tag == TAG_MASK);
        let mask = masks.fold(ALL, |mask, (_, bits, _)| mask & bits);
        let mut acl = Self::default();
        for (tag, bits, id) in entries {
            let given = bits & mask;
            let writes = given & WRITE != 0;
            match tag {
                TAG_USER => acl.users.push((id, writes)),
                TAG_GROUP => acl.groups.push((id, writes)),
                TAG_GROUP_OBJ => acl.owning_group = writes,
                _ => {}
            }
            if matches!(tag, TAG_USER | TAG_GROUP) {
                acl.named |= u32::from(given);
            }
        }
        Some(acl)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The attribute with these entries (tag, permissions, id).
    pub(in super::super) fn encode(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            bytes.extend_from_slice(&tag.to_le_bytes());
            bytes.extend_from_slice(&permissions.to_le_bytes());
            bytes.extend_from_slice(&id.to_le_bytes());
        }
        bytes
    }

    const NOBODY: u32 = u32::MAX;

    #[test]
    fn entries_are_bounded_by_the_mask() {
        let entries = |mask| {
            encode(&[
                (0x01, 6, NOBODY),
                (TAG_USER, 6, 1000),
                (TAG_USER, 4, 1001),
                (TAG_GROUP_OBJ, 6, NOBODY),
                (TAG_GROUP, 7, 50),
                (TAG_MASK, mask, NOBODY),
                (0x20, 0, NOBODY),
            ])
        };
        let open = Acl::parse(&entries(6)).unwrap();
        assert_eq!(open.users, [(1000, true), (1001, false)]);
        assert_eq!(
            (open.groups.as_slice(), open.owning_group),
            ([(50, true)].as_slice(), true)
        );
        assert_eq!(open.named, 6);
        let masked = Acl::parse(&entries(5)).unwrap();
        assert_eq!(masked.named, 5);
        assert_eq!(masked.users, [(1000, false), (1001, false)]);
        assert_eq!(
            (masked.groups.as_slice(), masked.owning_group),
            ([(50, false)].as_slice(), false)
        );
    }

    #[test]
    fn malformed_lists_are_refused() {
        for bad in [&[][..], &[2, 0, 0], &[1, 0, 0, 0], &[2, 0, 0, 0, 1]] {
            assert_eq!(Acl::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Acl::parse(&[2, 0, 0, 0]), Some(Acl::default()));
    }
}
