//! Who can open a runtime's socket: who may write to its inode.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use rustix::fs::{FileType, getxattr, stat};
use rustix::io::Errno;

use super::account::{Accounts, User};
use super::acl::{self, Acl};
use crate::model::SocketAccess;

/// Number in entries for everybody, and for a member of a group whom no local account explains: no
/// account can have it.
const NO_UID: u32 = u32::MAX;

const OWNER_WRITES: u32 = 0o200;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;

/// Who can connect to a socket besides root, each with the first reason that holds: owner, access
/// control list, groups, everybody. `None` where the socket, its access control list or the local
/// accounts could not be read, and where the path is no socket.
///
/// A socket that everybody may write to has one entry `everyone` with uid `u32::MAX`; so has a
/// member of a local group who has no local account, under his name. Directories above the socket
/// can narrow this further and are not looked at, for whoever shares the socket by a mount passes
/// them by.
#[must_use]
pub fn socket_access(path: &Path) -> Option<Vec<SocketAccess>> {
    let status = stat(path).ok()?;
    if FileType::from_raw_mode(status.st_mode) != FileType::Socket {
        return None;
    }
    let owner = Ownership {
        uid: status.st_uid,
        gid: status.st_gid,
        mode: status.st_mode,
    };
    let acl = read_acl(path).ok()?;
    let accounts = Accounts::read().ok()?;
    Some(access(owner, acl.as_ref(), &accounts))
}

/// The socket's access control list; `None` where it has none.
fn read_acl(path: &Path) -> io::Result<Option<Acl>> {
    let mut bytes = vec![0; acl::MAX];
    match getxattr(path, acl::XATTR, bytes.as_mut_slice()) {
        Ok(len) => {
            let attribute = bytes.get(..len).unwrap_or_default();
            Acl::parse(attribute)
                .map(Some)
                .ok_or_else(|| io::ErrorKind::InvalidData.into())
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Owner and permissions of an inode.
#[derive(Clone, Copy, Debug)]
struct Ownership {
    uid: u32,
    gid: u32,
    mode: u32,
}

/// The decision of `acl_permission_check()` (`fs/namei.c`) for everybody at once.
fn access(owner: Ownership, acl: Option<&Acl>, accounts: &Accounts) -> Vec<SocketAccess> {
    let rules = Rules::new(owner, acl);
    let mut found = BTreeSet::new();
    if owner.mode & OTHERS_WRITE != 0 {
        found.insert(entry("everyone".to_owned(), NO_UID, "everyone"));
    }
    for user in accounts.users.iter().filter(|user| user.uid != 0) {
        if let Some(via) = rules.decide(user, accounts) {
            found.insert(entry(user.name.clone(), user.uid, &via));
        }
    }
    let known = |uid| accounts.users.iter().any(|user| user.uid == uid);
    for (&uid, &writes) in rules.users.iter().filter(|(uid, _)| **uid != 0 && !known(**uid)) {
        if writes {
            let via = if uid == owner.uid { "owner" } else { "acl" };
            found.insert(entry(accounts.user_name(uid), uid, via));
        }
    }
    found.extend(rules.strangers(accounts));
    found.into_iter().collect()
}

fn entry(user: String, uid: u32, via: &str) -> SocketAccess {
    let via = via.to_owned();
    SocketAccess { user, uid, via }
}

/// Whether each named user and group may write.
struct Rules {
    owner: u32,
    users: BTreeMap<u32, bool>,
    groups: BTreeMap<u32, bool>,
    owning_group: u32,
}

impl Rules {
    fn new(owner: Ownership, acl: Option<&Acl>) -> Self {
        let mut users = BTreeMap::new();
        let mut groups = BTreeMap::new();
        for (uid, writes) in acl.iter().flat_map(|acl| &acl.users) {
            users.insert(*uid, *writes);
        }
        for (gid, writes) in acl.iter().flat_map(|acl| &acl.groups) {
            groups.insert(*gid, *writes);
        }
        // With a list, the mode's group bits are its mask.
        let group = acl.map_or(owner.mode & GROUP_WRITES != 0, |acl| acl.owning_group);
        *groups.entry(owner.gid).or_default() |= group;
        users.insert(owner.uid, owner.mode & OWNER_WRITES != 0);
        Self {
            owner: owner.uid,
            users,
            groups,
            owning_group: owner.gid,
        }
    }

    /// Why an account may write; `None` where it may not, and where it only may as everybody.
    fn decide(&self, user: &User, accounts: &Accounts) -> Option<String> {
        if let Some(writes) = self.users.get(&user.uid) {
            let via = if user.uid == self.owner { "owner" } else { "acl" };
            return writes.then(|| via.to_owned());
        }
        let member = accounts
            .groups
            .iter()
            .filter(|group| self.group_writes(group.gid) && group.members.contains(&user.name))
            .map(|group| self.via_group(group.gid, &group.name));
        let primary = self.group_writes(user.gid).then(|| {
            let group = accounts.groups.iter().find(|group| group.gid == user.gid);
            let name = group.map_or_else(|| user.gid.to_string(), |group| group.name.clone());
            format!("primary group {name}")
        });
        member.into_iter().next().or(primary)
    }

    fn group_writes(&self, gid: u32) -> bool {
        self.groups.get(&gid).copied().unwrap_or_default()
    }

    fn via_group(&self, gid: u32, name: &str) -> String {
        if gid == self.owning_group {
            format!("group {name}")
        } else {
            "acl".to_owned()
        }
    }

    /// Members of groups that may write whom no local account explains.
    fn strangers<'a>(&'a self, accounts: &'a Accounts) -> impl Iterator<Item = SocketAccess> + 'a {
        let groups = accounts
            .groups
            .iter()
            .filter(|group| self.group_writes(group.gid));
        groups.flat_map(move |group| {
            let names = group.members.iter();
            let unknown = names.filter(|name| !accounts.users.iter().any(|user| user.name == **name));
            unknown.map(|name| entry(name.clone(), NO_UID, &self.via_group(group.gid, &group.name)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    const PASSWD: &str = "root:x:0:0::/:\ntoor:x:0:0::/:\nsync:x:4:0::/:\nana:x:1000:1000::/:\n\
        bob:x:1001:999::/:\ncyn:x:1002:1002::/:\n";
    const GROUP: &str = "root:x:0:\ndocker:x:999:ana,root,ghost\ndocker2:x:999:cyn\nstaff:x:50:cyn\n";
    const USER: u16 = 2;
    const GROUP_OBJ: u16 = 4;
    const NAMED_GROUP: u16 = 8;
    const MASK: u16 = 16;

    #[track_caller]
    fn check(uid: u32, gid: u32, mode: u32, acl: &[(u16, u16, u32)], expect: &[&str]) {
        let acl = (!acl.is_empty()).then(|| Acl::parse(&acl::tests::encode(acl)).unwrap());
        let accounts = Accounts::parse(PASSWD, GROUP);
        let found = access(Ownership { uid, gid, mode }, acl.as_ref(), &accounts);
        let shown: Vec<_> = found.iter().map(|a| format!("{} {}", a.user, a.via)).collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn members_of_the_sockets_own_group_can_connect() {
        let expect = [
            "ana group docker",
            "bob primary group docker",
            "cyn group docker2",
            "ghost group docker",
        ];
        check(0, 999, 0o660, &[], &expect);
        check(0, 999, 0o640, &[], &[]);
        check(0, 0, 0o660, &[], &["sync primary group root"]);
        check(0, 77, 0o660, &[], &[]);
    }

    #[test]
    fn the_owners_own_bits_decide_for_him() {
        check(1000, 77, 0o600, &[], &["ana owner"]);
        check(4242, 77, 0o600, &[], &["4242 owner"]);
        check(
            1000,
            999,
            0o460,
            &[],
            &[
                "bob primary group docker",
                "cyn group docker2",
                "ghost group docker",
            ],
        );
    }

    #[test]
    fn everybody_is_one_entry() {
        check(0, 77, 0o666, &[], &["everyone everyone"]);
    }

    #[test]
    fn access_control_lists_add_and_take_away() {
        check(
            0,
            77,
            0o660,
            &[(USER, 6, 1002), (USER, 6, 5), (MASK, 6, 0)],
            &["5 acl", "cyn acl"],
        );
        check(0, 77, 0o660, &[(NAMED_GROUP, 2, 50), (MASK, 7, 0)], &["cyn acl"]);
        check(0, 77, 0o640, &[(USER, 6, 1002), (MASK, 4, 0)], &[]);
        // A named user's entry is all he gets, whatever his groups may.
        let acl = [(USER, 4, 1000), (GROUP_OBJ, 6, 0), (MASK, 6, 0)];
        let expect = [
            "bob primary group docker",
            "cyn group docker2",
            "ghost group docker",
        ];
        check(0, 999, 0o660, &acl, &expect);
        // The mode's group bits are the mask, not the group's own.
        check(0, 999, 0o660, &[(GROUP_OBJ, 4, 0), (MASK, 6, 0)], &[]);
    }

    #[test]
    fn only_a_socket_has_answers() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        assert_eq!(socket_access(&path), None);
        assert_eq!(socket_access(dir.path()), None);
        let _listener = UnixListener::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        let found = socket_access(&path).unwrap();
        assert!(
            found
                .iter()
                .any(|access| access.user == "everyone" && access.uid == NO_UID)
        );
    }

    #[test]
    fn the_kernels_own_access_control_list_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(read_acl(&path).unwrap(), None);
        let (owner, others, none) = (0x01, 0x20, u32::MAX);
        let list = acl::tests::encode(&[
            (owner, 6, none),
            (USER, 6, 3_000_000_000),
            (GROUP_OBJ, 4, none),
            (MASK, 6, none),
            (others, 0, none),
        ]);
        let flags = rustix::fs::XattrFlags::empty();
        if let Err(error) = rustix::fs::setxattr(&path, acl::XATTR, &list, flags) {
            println!("skipped: no access control lists here: {error}");
            return;
        }
        let found = socket_access(&path).unwrap();
        let named = found.iter().find(|access| access.uid == 3_000_000_000).unwrap();
        assert_eq!((named.user.as_str(), named.via.as_str()), ("3000000000", "acl"));
    }
}
