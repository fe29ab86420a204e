//! A rule in the words of `auditctl`, as rule files hold them.

use std::path::Path;

use netlink_packet_audit::constants::{
    AUDIT_ARCH, AUDIT_DIR, AUDIT_EQUAL, AUDIT_FIELD_COMPARE, AUDIT_FILTERKEY, AUDIT_NOT_EQUAL, AUDIT_PERM,
    AUDIT_WATCH,
};

use super::accounts::Accounts;
use super::field::Kind;
use super::{KEY_SEPARATOR, MAX_FIELDS, calls, field, names};
use crate::model::{AuditField, AuditRule};

/// Longest line that is read; `auditctl` reads 8 KiB.
const MAX_LINE: usize = 8 << 10;
/// Every permission.
const ALL_PERMS: u32 = 15;
/// The list of a watch and of a rule that names none, and its action.
const EXIT: u32 = 4;
/// The list that knows no calls.
const TASK: u32 = 1;
const ALWAYS: u32 = 2;

/// The rule that a line of a rule file stands for, were it loaded now: users and groups by name, and whether a watch is
/// of a directory, are looked up on this host. `None` where the line is no rule (a comment, a setting, a deletion) or
/// `auditctl` would not load it.
///
/// `-A` gives the same rule as `-a`: that it is put first is not part of it. [`AuditRule::target`] is left out.
#[must_use]
pub fn parse_rule(text: &str) -> Option<AuditRule> {
    parse(text, &Accounts::below(Path::new("/")))
}

/// As [`parse_rule`], on another host.
pub(super) fn parse(text: &str, accounts: &Accounts) -> Option<AuditRule> {
    if text.len() > MAX_LINE || text.trim_start().starts_with('#') {
        return None;
    }
    let mut draft = Draft::default();
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        let (option, attached) = word.split_at_checked(2)?;
        let value = if attached.is_empty() {
            words.next()?
        } else {
            attached.to_owned()
        };
        draft.take(option, &value, accounts)?;
    }
    draft.finish()
}

/// Words of a line, separated by blanks; a backslash keeps a blank or a backslash in the word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.push(chars.next_if(|next| matches!(next, ' ' | '\\')).unwrap_or(c)),
            c if c.is_ascii_whitespace() => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What was read of a rule so far.
#[derive(Default)]
struct Draft {
    list_and_action: Option<(u32, u32)>,
    /// A watch: the only form that takes `-p`.
    is_watch: bool,
    /// None where no call was named, which is to say every.
    mask: Option<Vec<u32>>,
    arch: Option<u32>,
    fields: Vec<AuditField>,
    keys: Vec<String>,
}

impl Draft {
    fn take(&mut self, option: &str, value: &str, accounts: &Accounts) -> Option<()> {
        match option {
            "-w" => self.watch(value, accounts),
            "-p" => self.perms(value),
            "-k" => self.key(value),
            "-a" | "-A" => self.list(value),
            "-S" => self.calls(value),
            "-F" => self.field(value, accounts),
            "-C" => self.compare(value),
            _ => None,
        }
    }

    fn watch(&mut self, path: &str, accounts: &Accounts) -> Option<()> {
        if self.list_and_action.is_some() || !path.starts_with('/') {
            return None;
        }
        let path = path
            .strip_suffix('/')
            .filter(|rest| !rest.is_empty())
            .unwrap_or(path);
        let what = if accounts.is_directory(path) {
            AUDIT_DIR
        } else {
            AUDIT_WATCH
        };
        self.is_watch = true;
        self.list_and_action = Some((EXIT, ALWAYS));
        self.push_text(what, AUDIT_EQUAL, path)?;
        self.push(AUDIT_PERM, AUDIT_EQUAL, ALL_PERMS)
    }

    fn perms(&mut self, letters: &str) -> Option<()> {
        let value = names::value(Kind::Perm, letters)?;
        let perm = self.fields.iter_mut().find(|field| field.field == AUDIT_PERM);
        perm.filter(|_| self.is_watch)?.value = value;
        Some(())
    }

    fn key(&mut self, key: &str) -> Option<()> {
        self.keys
            .push(Some(key).filter(|key| !key.is_empty())?.to_owned());
        Some(())
    }

    fn list(&mut self, value: &str) -> Option<()> {
        let (one, other) = value.split_once(',')?;
        let in_order =
            |list: &str, action: &str| Some((field::list_named(list)?, field::action_named(action)?));
        let found = in_order(one, other).or_else(|| in_order(other, one))?;
        let is_first = self.list_and_action.replace(found).is_none();
        is_first.then_some(())
    }

    fn calls(&mut self, value: &str) -> Option<()> {
        let arch = self.arch.unwrap_or(calls::NATIVE);
        for name in value.split(',').filter(|name| !name.is_empty()) {
            let mask = self.mask.get_or_insert_with(calls::none);
            match name {
                "all" => *mask = calls::every(),
                name => {
                    let number = calls::call_number(arch, name).or_else(|| name.parse().ok())?;
                    calls::mark(mask, number).then_some(())?;
                }
            }
        }
        Some(())
    }

    fn field(&mut self, text: &str, accounts: &Accounts) -> Option<()> {
        let (name, operator, value) = field::split(text)?;
        let (number, kind) = field::numbered(name)?;
        match kind {
            Kind::Text if number == AUDIT_FILTERKEY => return self.key(value),
            Kind::Text => return self.push_text(number, operator, value),
            Kind::Comparison => return None,
            _ => {}
        }
        let looked_up = || match kind {
            Kind::User => accounts.user(value),
            Kind::Group => accounts.group(value),
            _ => None,
        };
        let value = names::value(kind, value).or_else(looked_up)?;
        if number == AUDIT_ARCH {
            self.arch = Some(value);
        }
        self.push(number, operator, value)
    }

    fn compare(&mut self, text: &str) -> Option<()> {
        let (one, operator, other) = field::split(text)?;
        let is_known = matches!(operator, AUDIT_EQUAL | AUDIT_NOT_EQUAL);
        let value = names::comparison(one, other).filter(|_| is_known)?;
        self.push(AUDIT_FIELD_COMPARE, operator, value)
    }

    fn push(&mut self, field: u32, op: u32, value: u32) -> Option<()> {
        let text = None;
        self.fields.push(AuditField {
            field,
            op,
            value,
            text,
        });
        (self.fields.len() <= MAX_FIELDS).then_some(())
    }

    fn push_text(&mut self, field: u32, op: u32, text: &str) -> Option<()> {
        self.push(field, op, u32::try_from(text.len()).ok()?)?;
        self.fields.last_mut()?.text = Some(text.to_owned());
        Some(())
    }

    fn finish(mut self) -> Option<AuditRule> {
        let (list, action) = self.list_and_action?;
        if !self.keys.is_empty() {
            let keys = self.keys.join(&KEY_SEPARATOR.to_string());
            self.push_text(AUDIT_FILTERKEY, AUDIT_EQUAL, &keys)?;
        }
        let mask = match self.mask {
            Some(named) => named,
            None if list == TASK => calls::none(),
            None => calls::every(),
        };
        Some(AuditRule {
            list,
            action,
            mask,
            fields: self.fields,
            target: None,
        })
    }
}
