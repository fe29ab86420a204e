//! What others may do with a file.

use super::super::super::Item;
use super::{Files, octal, quoted, readable, shown, shown_directory};
use crate::model::{DirEntry, Host, Object, ObjectKind, ObjectState, Severity, Verdict, VerdictKind};

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;
const OWNERS_OWN: u32 = 0o700;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const OTHERS: u32 = 0o007;
/// What a private key needs.
const KEY: u32 = 0o400;

/// Permissions by their bits, in words.
const WORDS: [(u32, &str); 12] = [
    (SETUID, "setuid"),
    (SETGID, "setgid"),
    (STICKY, "sticky"),
    (0o400, "its owner read"),
    (0o200, "its owner write"),
    (0o100, "its owner execute"),
    (0o040, "its group read"),
    (GROUP_WRITES, "its group write"),
    (0o010, "its group execute"),
    (0o004, "others read"),
    (OTHERS_WRITE, "others write"),
    (0o001, "others execute"),
];

impl Files {
    /// None has a permission that `most` does not have, bit by bit, and no access list gives those it names more than
    /// `most` gives to others.
    pub(in crate::check) fn have_at_most(&self, most: u32, host: &Host) -> Vec<Item> {
        self.judge(host, |object, state| judge(most, object, state), directory)
    }

    /// As [`Files::have_at_most`]; private keys are moreover for their owner alone, beyond the letter.
    pub(in crate::check) fn have_at_most_and_keep_keys(&self, most: u32, host: &Host) -> Vec<Item> {
        let object = |object: &Object, state: &ObjectState| {
            let by_letter = judge(most, object, state);
            if !object.path.ends_with(".key") {
                return by_letter;
            }
            let as_key = judge(KEY, object, state);
            match (by_letter.kind(), as_key.kind()) {
                (VerdictKind::Pass, VerdictKind::Fail) => as_key.letter_only().severity(Severity::Low),
                // Where the letter is broken, too, it decides how bad that is; the remedy is still that of a key.
                _ => Verdict {
                    severity: by_letter.severity,
                    ..as_key
                },
            }
        };
        self.judge(host, object, directory)
    }
}

/// The verdict on one object that is there.
fn judge(most: u32, object: &Object, state: &ObjectState) -> Verdict {
    let beyond = state.mode & !most;
    let named = state.acl & !(most & OTHERS);
    let path = readable(&object.path);
    let mode = octal(state.mode);
    let allowed = octal(most);
    if beyond == 0 && named == 0 {
        return Verdict::pass().because(format!("{path} has mode {mode}, within {allowed}"));
    }
    let mut reason = format!("{path} has mode {mode}");
    if beyond != 0 {
        reason.push_str(&format!(", beyond {allowed}: {}", words(beyond)));
    }
    if named != 0 {
        reason.push_str(&format!(
            ", and its access list lets others {}",
            named_words(named)
        ));
    }
    let verdict = Verdict::fail(reason, vec![shown(object, state)]).remedy(remedy(most, named, state));
    // The owner is judged by himself, and root may do it whatever the mode says.
    if named == 0 && beyond & !OWNERS_OWN == 0 {
        verdict.severity(Severity::Low)
    } else {
        verdict
    }
}

fn words(bits: u32) -> String {
    let said = WORDS
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, word)| *word);
    said.collect::<Vec<_>>().join(", ")
}

fn named_words(bits: u32) -> String {
    let said = [(4, "read"), (2, "write"), (1, "execute")];
    let said = said
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, word)| *word);
    said.collect::<Vec<_>>().join(", ")
}

/// Takes away what is too much, and gives nothing.
fn remedy(most: u32, named: u32, state: &ObjectState) -> String {
    let path = quoted(&state.resolved);
    let mode = state.mode & most;
    // A number of up to four digits leaves these bits of a directory alone.
    let is_stubborn = state.kind == ObjectKind::Directory && state.mode & (SETUID | SETGID) != 0;
    let chmod = if is_stubborn {
        format!("chmod {mode:05o} {path}")
    } else {
        format!("chmod {mode:03o} {path}")
    };
    if named == 0 {
        chmod
    } else {
        format!("setfacl -b {path} && {chmod}")
    }
}

/// A directory in which somebody else than its owner can put another object in the place of this one. In a sticky one only
/// the object's owner can.
fn directory(entry: &DirEntry, object: &Object) -> Option<Verdict> {
    let group = entry.mode & GROUP_WRITES != 0 && entry.gid != 0;
    let others = entry.mode & OTHERS_WRITE != 0;
    if !(group || others) || entry.mode & STICKY != 0 {
        return None;
    }
    let (directory, path) = (readable(&entry.directory), readable(&object.path));
    let who = if others { "everybody" } else { "its group" };
    let mode = octal(entry.mode);
    let reason = format!("the directory {directory} has mode {mode}: {who} can replace {path}");
    let remedy = format!("chmod go-w {}", quoted(&entry.directory));
    Some(Verdict::fail(reason, vec![shown_directory(entry, object)]).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use super::super::super::super::testing::files::object;
    use super::*;
    use crate::model::Role;

    fn verdict(most: u32, mode: u32, acl: u32) -> Verdict {
        let mut object = object(Role::ConfigDir, "/etc/docker");
        let state = object.state.get_mut().unwrap().as_mut().unwrap();
        (state.mode, state.acl) = (mode, acl);
        let state = state.clone();
        judge(most, &object, &state)
    }

    #[test]
    fn modes_are_compared_bit_by_bit() {
        for most in [0o400, 0o444, 0o644, 0o660, 0o755] {
            for mode in 0..=0o7777 {
                let passes = (0..12).all(|bit| mode >> bit & 1 <= most >> bit & 1);
                let verdict = verdict(most, mode, 0);
                assert_eq!(
                    verdict.kind() == VerdictKind::Pass,
                    passes,
                    "{mode:o} within {most:o}"
                );
            }
        }
    }

    #[track_caller]
    fn check(most: u32, mode: u32, acl: u32, severity: Option<Severity>, reason: &str, remedy: &str) {
        let verdict = verdict(most, mode, acl);
        assert_eq!(verdict.kind(), VerdictKind::Fail);
        assert_eq!(
            (verdict.reason.as_str(), verdict.remedy.as_deref()),
            (reason, Some(remedy))
        );
        assert_eq!(verdict.severity, severity);
    }

    #[test]
    fn failures_name_what_is_too_much_and_remedies_take_only_that() {
        check(
            0o755,
            0o747,
            0,
            None,
            "/etc/docker has mode 0747, beyond 0755: others write",
            "chmod 745 /etc/docker",
        );
        check(
            0o755,
            0o2755,
            0,
            None,
            "/etc/docker has mode 2755, beyond 0755: setgid",
            "chmod 00755 /etc/docker",
        );
        check(
            0o400,
            0o600,
            0,
            Some(Severity::Low),
            "/etc/docker has mode 0600, beyond 0400: its owner write",
            "chmod 400 /etc/docker",
        );
        check(
            0o660,
            0o660,
            6,
            None,
            "/etc/docker has mode 0660, and its access list lets others read, write",
            "setfacl -b /etc/docker && chmod 660 /etc/docker",
        );
        assert_eq!(verdict(0o755, 0o755, 5).kind(), VerdictKind::Pass);
    }
}
