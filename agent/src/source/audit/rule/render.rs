//! A rule in the words of `auditctl`.

use netlink_packet_audit::constants::{
    AUDIT_ARCH, AUDIT_DIR, AUDIT_FIELD_COMPARE, AUDIT_FILTERKEY, AUDIT_PERM, AUDIT_WATCH,
};

use super::{KEY_SEPARATOR, calls, field, names};
use crate::model::{AuditField, AuditRule};

/// The list of rules on system calls.
const EXIT: u32 = 4;

/// A rule as a line of a rule file. What has no word there is shown by its number: such a line does not load.
#[must_use]
pub fn render(rule: &AuditRule) -> String {
    let action = field::action(rule.action).map_or_else(|| rule.action.to_string(), str::to_owned);
    let list = field::list(rule.list).map_or_else(|| rule.list.to_string(), str::to_owned);
    let mut words = vec![format!("-a {action},{list}")];
    // Names of calls are those of the architecture before them.
    let (first, rest): (Vec<_>, Vec<_>) = rule.fields.iter().partition(|field| field.field == AUDIT_ARCH);
    words.extend(first.iter().map(|field| show(field)));
    words.extend(show_calls(rule, first.first().map(|field| field.value)));
    for field in rest {
        match &field.text {
            Some(keys) if field.field == AUDIT_FILTERKEY => {
                words.extend(
                    keys.split(KEY_SEPARATOR)
                        .map(|key| format!("-F key={}", escape(key))),
                );
            }
            _ => words.push(show(field)),
        }
    }
    words.join(" ")
}

fn show(field: &AuditField) -> String {
    let sign = field::operator(field.op).unwrap_or("?");
    if field.field == AUDIT_FIELD_COMPARE
        && let Some((one, other)) = names::compared(field.value)
    {
        return format!("-C {one}{sign}{other}");
    }
    let Some((name, kind)) = field::named(field.field) else {
        return format!("-F {}{sign}{}", field.field, field.value);
    };
    match &field.text {
        Some(text) => format!("-F {name}{sign}{}", escape(text)),
        None => format!("-F {name}{sign}{}", names::show(kind, field.value)),
    }
}

/// The calls; none where every call is meant and need not be said.
fn show_calls(rule: &AuditRule, arch: Option<u32>) -> Option<String> {
    if rule.list != EXIT {
        return None;
    }
    if rule.mask == calls::every() {
        let watches = |field: &AuditField| matches!(field.field, AUDIT_WATCH | AUDIT_DIR | AUDIT_PERM);
        return (!rule.fields.iter().any(watches)).then(|| "-S all".to_owned());
    }
    let arch = arch.unwrap_or(calls::NATIVE);
    let name = |number| calls::call_name(arch, number).map_or_else(|| number.to_string(), str::to_owned);
    let names: Vec<String> = calls::marked(&rule.mask).map(name).collect();
    match names.is_empty() {
        true => Some("-S none".to_owned()),
        false => Some(format!("-S {}", names.join(","))),
    }
}

/// With the backslashes that keep a word together in a rule file.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace(' ', "\\ ")
}
