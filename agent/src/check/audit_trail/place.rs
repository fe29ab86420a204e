//! Where a rule looks, held against where an object is.
//!
//! The kernel keeps a `path` by the inode that the name has in the directory that held it when the rule was loaded, and
//! follows the name in it; it never looks through a mount on that name. It keeps a `dir` by the inode of the directory
//! and of what was mounted below at that moment, and matches whatever is below those inodes.

use super::call::{Names, on};
use super::field::{DIR, EQUAL, INODE, WATCH};
use super::simulate::ALWAYS;
use crate::model::{AuditRule, DirEntry, ObjectKind, ObjectState, WatchTarget, path_below};

/// Whether a rule's place is the object's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// By a mount, of which it cannot be told whether it is older than the rule: one that is crossed below the rule's
    /// path, one below which that path lies hidden once more, or one that shows the object elsewhere as well.
    Mount,
    /// By the inode alone: a file put in its place is not watched.
    Inode,
    Yes,
}

/// What of an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point<'a> {
    pub(super) state: &'a ObjectState,
    /// One of `call::on`.
    pub(super) on: u8,
}

impl<'a> Point<'a> {
    /// Everything about an object that has to be recorded.
    pub(super) fn all(state: &'a ObjectState) -> Vec<Self> {
        let on: &[u8] = match state.kind {
            ObjectKind::Directory => &[on::OWN, on::DIRECT, on::WITHIN],
            ObjectKind::Socket => &[on::SOCKET],
            ObjectKind::File | ObjectKind::Other => &[on::FILE],
        };
        on.iter().map(|on| Self { state, on: *on }).collect()
    }
}

/// Where in the kernel's lists a rule is found for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the list that every call goes through.
    List(Fit),
    /// Under the inode of a name.
    Inode { object: Fit, parent: Fit, watch: bool },
}

impl Place {
    pub(super) const fn is_elsewhere(self) -> bool {
        matches!(
            self,
            Self::List(Fit::No)
                | Self::Inode {
                    object: Fit::No,
                    parent: Fit::No,
                    ..
                }
        )
    }
}

/// A name that the kernel looks up rules for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Object,
    Parent,
}

/// The names of a call, in the kernel's order.
pub(super) const fn names(names: Names) -> &'static [Name] {
    match names {
        Names::Object => &[Name::Object],
        Names::ParentFirst => &[Name::Parent, Name::Object],
        Names::ParentLast => &[Name::Object, Name::Parent],
    }
}

/// Where a rule of the exit list stands to a point.
pub(super) fn place(rule: &AuditRule, point: Point<'_>) -> Place {
    let has = |code: u32| rule.fields.iter().find(|field| field.field == code);
    if has(WATCH).is_some() {
        // Where devices are not told alike (subvolumes), what hides a change counts all the same.
        let strict = rule.action == ALWAYS;
        let fit = |inode| {
            let target = rule.target.as_ref();
            target.map_or(Fit::No, |target| watch(target, inode, strict))
        };
        return under_inode(point, true, fit);
    }
    if let Some(field) = has(INODE).filter(|field| field.op & EQUAL == EQUAL) {
        let number = u64::from(field.value);
        // The kernel compares 32 bits of the number.
        let same = |ino: u64| ino & u64::from(u32::MAX) == number;
        let fit = |inode: Inode<'_>| if same(inode.ino) { Fit::Inode } else { Fit::No };
        return under_inode(point, false, fit);
    }
    if has(DIR).is_some() {
        let target = rule.target.as_ref();
        return Place::List(target.map_or(Fit::No, |target| tree(target, point)));
    }
    Place::List(Fit::Yes)
}

/// An inode with the names that it is known by.
#[derive(Clone, Copy)]
struct Inode<'a> {
    ino: u64,
    dev: &'a str,
    entries: &'a [DirEntry],
    mount_point: &'a str,
    hidden: &'a [String],
}

fn under_inode<'a>(point: Point<'a>, watch: bool, fit: impl Fn(Inode<'a>) -> Fit) -> Place {
    let state = point.state;
    let own = fit(Inode {
        ino: state.ino,
        dev: &state.dev,
        entries: &state.parents,
        mount_point: &state.mount_point,
        hidden: &state.hidden,
    });
    // The last entry is that of the object itself, after any symlink.
    let parent = state.parents.last().map_or(Fit::No, |parent| {
        fit(Inode {
            ino: parent.ino,
            dev: &parent.dev,
            entries: &[],
            mount_point: "",
            hidden: &state.hidden,
        })
    });
    let (object, parent) = match point.on {
        on::DIRECT => (Fit::No, own),
        on::WITHIN => (Fit::No, Fit::No),
        _ => (own, parent),
    };
    Place::Inode {
        object,
        parent,
        watch,
    }
}

/// A `path` and an inode.
fn watch(target: &WatchTarget, inode: Inode<'_>, strict: bool) -> Fit {
    if target.ino != Some(inode.ino) {
        return Fit::No;
    }
    if target.dev.as_deref() != Some(inode.dev) {
        return if strict { Fit::No } else { Fit::Inode };
    }
    let Some(entry) = &target.entry else {
        return Fit::Inode;
    };
    let covered = if inode.mount_point.is_empty() {
        entry.dev != inode.dev
    } else {
        target.resolved.as_deref() == Some(inode.mount_point)
    };
    if covered {
        // The name is a mount point: the kernel holds on to what is hidden below.
        return Fit::No;
    }
    let same =
        |other: &&DirEntry| (other.ino, &other.dev, &other.name) == (entry.ino, &entry.dev, &entry.name);
    // An inode without names stands for a directory on the way, whose name does not matter.
    let mut named = inode.entries.iter().filter(same).peekable();
    if !inode.entries.is_empty() && named.peek().is_none() {
        return Fit::Inode;
    }
    let elsewhere = named.peek().is_some() && named.all(|other| other.directory != entry.directory);
    if elsewhere || is_hidden(&entry.directory, inode.hidden) {
        Fit::Mount
    } else {
        Fit::Yes
    }
}

/// Whether a directory that a rule holds on to lies hidden below a mount, too.
fn is_hidden(directory: &str, hidden: &[String]) -> bool {
    hidden.iter().any(|part| is_within(part, directory))
}

/// A `dir` and a point.
fn tree(target: &WatchTarget, point: Point<'_>) -> Fit {
    let state = point.state;
    let Some(root) = target.resolved.as_deref() else {
        return Fit::No;
    };
    if target.symlink {
        // The kernel does not follow it: nothing is below a symlink.
        return Fit::No;
    }
    let is = |ino: u64, dev: &str| target.ino == Some(ino) && target.dev.as_deref() == Some(dev);
    let itself = is(state.ino, &state.dev);
    if itself && !target.directory {
        return Fit::Inode;
    }
    if !is_within(&state.resolved, root) {
        let elsewhere = itself || state.elsewhere.iter().any(|path| is_within(path, root));
        return if elsewhere { Fit::Mount } else { Fit::No };
    }
    let entered = target.entry.as_ref().map(|entry| &entry.dev) != target.dev.as_ref();
    let between = target.dev.as_deref() != Some(&state.dev)
        || (!state.mount_point.is_empty() && is_within(&state.mount_point, root));
    if (entered && target.entry.is_some()) || between || is_hidden(root, &state.hidden) {
        Fit::Mount
    } else {
        Fit::Yes
    }
}

/// Whether a path is a directory or below it. Both are as the kernel gives them, without dots and doubled slashes.
fn is_within(path: &str, directory: &str) -> bool {
    path_below(path, directory).is_some()
}

/// Path strictly below a directory that a rule is about; none where it is about none.
pub(super) fn below<'a>(rule: &'a AuditRule, state: &ObjectState) -> Option<&'a str> {
    let target = rule.target.as_ref()?;
    let path = target.resolved.as_deref()?;
    let by_path = rule.fields.iter().any(|field| matches!(field.field, WATCH | DIR));
    let is_strictly_in = |outer: &str| path != outer && is_within(path, outer);
    // A part is met from above too, and by the very mount point.
    let mut parts = state.parts_elsewhere.iter();
    let is_below = is_strictly_in(&state.resolved)
        || state.elsewhere.iter().any(|outer| is_strictly_in(outer))
        || parts.any(|part| is_within(path, part) || is_within(part, path));
    (by_path && is_below && !is_within(&state.resolved, path)).then_some(path)
}
