//! Fields of an answer, one by one: one that is absent or of another type is not told, and spoils no other.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Time;

/// Entries of a list that are read; the rest of what only a hostile engine sends is dropped.
const MAX_ENTRIES: usize = 65_536;

pub(in super::super) fn text(value: &Value, field: &str) -> Option<String> {
    value.pointer(field)?.as_str().map(str::to_owned)
}

pub(in super::super) fn flag(value: &Value, field: &str) -> Option<bool> {
    value.pointer(field)?.as_bool()
}

pub(in super::super) fn count(value: &Value, field: &str) -> Option<u64> {
    value.pointer(field)?.as_u64()
}

/// A list; empty where it is null, as the API writes an empty one.
pub(in super::super) fn list<'a>(
    value: &'a Value,
    field: &str,
) -> Option<impl Iterator<Item = &'a Value> + use<'a>> {
    let entries: &[Value] = match value.pointer(field)? {
        Value::Array(entries) => entries,
        Value::Null => &[],
        _ => return None,
    };
    Some(entries.iter().take(MAX_ENTRIES))
}

/// A list of texts.
pub(in super::super) fn texts(value: &Value, field: &str) -> Option<Vec<String>> {
    list(value, field).map(|entries| entries.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The entries of an object.
pub(in super::super) fn entries<'a>(
    value: &'a Value,
    field: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    let object = value.pointer(field).and_then(Value::as_object);
    object.into_iter().flatten().take(MAX_ENTRIES)
}

/// An object of texts.
pub(in super::super) fn table(value: &Value, field: &str) -> BTreeMap<String, String> {
    entries(value, field)
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// An instant; none where it is the epoch or before, which engines write for "never".
pub(in super::super) fn instant(text: &str) -> Option<Time> {
    let time = Time::try_from(text.to_owned()).ok()?;
    (time.unix_nanos() > 0).then_some(time)
}

/// As [`instant`], of a field.
pub(in super::super) fn time(value: &Value, field: &str) -> Option<Time> {
    instant(value.pointer(field)?.as_str()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_of_another_type_is_not_told() {
        let value = json!({ "a": 1, "b": { "c": "x" }, "l": ["x", 2], "n": null });
        assert_eq!(
            (text(&value, "/a"), text(&value, "/b/c")),
            (None, Some("x".into()))
        );
        assert_eq!(
            (flag(&value, "/a"), count(&value, "/a"), count(&value, "/b")),
            (None, Some(1), None)
        );
        assert_eq!(texts(&value, "/l"), Some(vec!["x".into()]));
        assert_eq!(
            (texts(&value, "/n"), texts(&value, "/a"), texts(&value, "/z")),
            (Some(Vec::new()), None, None)
        );
        assert_eq!(table(&value, "/b"), [("c".into(), "x".into())].into());
    }

    #[track_caller]
    fn check(text: &str, is_known: bool) {
        assert_eq!(instant(text).is_some(), is_known, "{text}");
    }

    #[test]
    fn never_is_no_instant() {
        check("2026-01-02T03:04:05.678+01:00", true);
        for never in ["", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "yesterday"] {
            check(never, false);
        }
    }
}
