//! The local accounts: `/etc/passwd` and `/etc/group` (`passwd(5)`, `group(5)`).

use std::io;
use std::path::Path;

use super::lookup::read;

/// Largest account file that is read.
const MAX_FILE: u64 = 16 << 20;

/// One line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
}

/// One line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) gid: u32,
    pub(super) members: Vec<String>,
}

/// Local accounts. Directory services (LDAP, SSSD) are not asked: their users show by number, or by
/// name where a local group lists them.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    pub(super) users: Vec<User>,
    pub(super) groups: Vec<Group>,
}

/// The uid of a local account, or the number that the text is.
#[must_use]
pub fn uid_of(user: &str) -> Option<u32> {
    user.parse().ok().or_else(|| {
        let accounts = Accounts::read().ok()?;
        accounts
            .users
            .iter()
            .find(|known| known.name == user)
            .map(|known| known.uid)
    })
}

impl Accounts {
    /// Reads both files.
    ///
    /// # Errors
    /// One of them cannot be read or is larger than 16 MiB.
    pub(super) fn read() -> io::Result<Self> {
        let text = |path| read(Path::new(path), MAX_FILE);
        Ok(Self::parse(
            &String::from_utf8_lossy(&text("/etc/passwd")?),
            &String::from_utf8_lossy(&text("/etc/group")?),
        ))
    }

    /// Decodes both files; lines that name no account are left out, as the C library does.
    pub(super) fn parse(passwd: &str, group: &str) -> Self {
        Self {
            users: passwd.lines().filter_map(parse_user).collect(),
            groups: group.lines().filter_map(parse_group).collect(),
        }
    }

    /// Name of an account; the number where it has none.
    pub(super) fn user_name(&self, uid: u32) -> String {
        let named = self.users.iter().find(|user| user.uid == uid);
        named.map_or_else(|| uid.to_string(), |user| user.name.clone())
    }
}

fn parse_user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| is_name(name))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User {
        name: name.to_owned(),
        uid,
        gid,
        home: fields.nth(1).unwrap_or_default().to_owned(),
    })
}

fn parse_group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| is_name(name))?;
    let gid = fields.nth(1)?.parse().ok()?;
    let members = fields.next().unwrap_or_default().split(',').map(str::trim);
    Some(Group {
        name: name.to_owned(),
        gid,
        members: members
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// `+` and `-` start the lines that refer to another service.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['#', '+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_decoded_and_other_lines_left_out() {
        let accounts = Accounts::parse(
            "root:x:0:0:root:/root:/bin/sh\n# note\n+::::::\nshort:x:1\nbad:x:one:1::/:\nana:x:1000:100::/:\n",
            "docker:x:999:ana, bob,\nempty:x:5:\nbare:x:6\n-nis\n:x:7:who\nbig:x:4294967296:ana\n",
        );
        let users: Vec<_> = accounts
            .users
            .iter()
            .map(|u| (u.name.as_str(), u.uid, u.gid))
            .collect();
        assert_eq!(users, [("root", 0, 0), ("ana", 1000, 100)]);
        let groups: Vec<_> = accounts
            .groups
            .iter()
            .map(|g| (g.name.as_str(), g.gid, g.members.join(" ")))
            .collect();
        let expect = [("docker", 999, "ana bob"), ("empty", 5, ""), ("bare", 6, "")];
        assert_eq!(
            groups,
            expect.map(|(name, gid, members)| (name, gid, members.to_owned()))
        );
        assert_eq!(accounts.user_name(1000), "ana");
        assert_eq!(accounts.user_name(4), "4");
    }
}
