//! The configuration file of `dockerd`, as the daemon sees it.

use std::collections::BTreeMap;
use std::io;

use rustix::fs::fstat;
use serde_json::Value;

use super::super::process_root::ProcessRoot;
use super::option::current_name;
use crate::model::{ConfigFile, Fact, Time};

/// Largest file that is read.
const MAX_FILE: u64 = 1 << 20;
/// Where it is unless a flag says otherwise.
pub(super) const DEFAULT_PATH: &str = "/etc/docker/daemon.json";
/// Sections whose members are options of their own.
const SECTIONS: [&str; 1] = ["proxies"];

/// Reads the file at an absolute path below the daemon's root.
pub(super) fn read(root: &ProcessRoot, path: String, asked_for: bool) -> ConfigFile {
    let content = match root.read(&path, MAX_FILE) {
        Ok(bytes) => match parse(&bytes) {
            Ok(content) => Fact::Known(Some(content)),
            Err(error) => Fact::unknown(format!("{path} is no valid configuration: {error}")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Fact::Known(None),
        Err(error) => Fact::unknown(format!("cannot read {path}: {error}")),
    };
    let changed = root
        .locate(&path)
        .ok()
        .and_then(|file| fstat(file).ok())
        .map(|status| {
            let nanos = i128::from(status.st_mtime) * 1_000_000_000;
            Time::from_unix_nanos(nanos.saturating_add(i128::from(status.st_mtime_nsec)))
        });
    ConfigFile {
        path,
        asked_for,
        content,
        changed,
    }
}

/// Decodes it as the daemon does: one JSON object, a byte order mark allowed, null as good as absent.
fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Value>, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // The daemon takes a file of blanks for an empty object.
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(BTreeMap::new());
    }
    let mut content = serde_json::from_slice::<BTreeMap<String, Value>>(bytes)?;
    content.retain(|_, value| !value.is_null());
    Ok(content)
}

/// The options that the file gives, by their present names.
pub(super) fn options(content: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut options = BTreeMap::new();
    for (key, value) in content {
        match value.as_object().filter(|_| SECTIONS.contains(&key.as_str())) {
            Some(section) => options.extend(section.clone()),
            None => {
                options.insert(current_name(key).to_owned(), value.clone());
            }
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &[u8], expect: Result<Value, &str>) {
        let found = parse(text).map(|content| json!(options(&content)));
        let found = found.map_err(|error| error.to_string());
        match (found, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(found), Err(expect)) => assert!(found.contains(expect), "{found}"),
            (found, expect) => panic!("{found:?}, not {expect:?}"),
        }
    }

    #[test]
    fn options_keep_their_shape() {
        check(b"{}", Ok(json!({})));
        check(b" \n", Ok(json!({})));
        check(
            b"\xef\xbb\xbf{\"icc\":false,\"graph\":\"/g\"}",
            Ok(json!({ "icc": false, "data-root": "/g" })),
        );
        let ulimits = json!({ "default-ulimits": { "nofile": { "Name": "nofile", "Hard": 5, "Soft": 4 } } });
        check(ulimits.to_string().as_bytes(), Ok(ulimits.clone()));
        check(
            b"{\"proxies\":{\"http-proxy\":\"http://p\"},\"icc\":null}",
            Ok(json!({ "http-proxy": "http://p" })),
        );
        check(b"{\"icc\":true,\"icc\":false}", Ok(json!({ "icc": false })));
    }

    #[test]
    fn what_is_no_configuration_says_where() {
        check(b"{\n  \"icc\": false,\n}", Err("line 3 column 1"));
        check(b"[]", Err("line 1 column 0"));
        check(b"{} x", Err("line 1 column 4"));
        check(b"{\"a\":\"\xff\"}", Err("line 1"));
        check("[".repeat(10_000).as_bytes(), Err("line 1"));
    }

    #[test]
    fn files_are_read_below_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| {
            dir.path()
                .canonicalize()
                .unwrap()
                .join(name)
                .to_string_lossy()
                .into_owned()
        };
        let root = ProcessRoot::own().unwrap();
        std::fs::write(path("good"), "{\"icc\":false}").unwrap();
        std::fs::write(path("bad"), "{\n").unwrap();
        std::fs::write(path("large"), " ".repeat((1 << 20) + 1)).unwrap();
        let good = read(&root, path("good"), true);
        assert_eq!(
            good.content,
            Fact::Known(Some([("icc".to_owned(), json!(false))].into()))
        );
        assert!(good.changed.is_some() && good.asked_for);
        let none = read(&root, path("none"), false);
        assert_eq!((none.content, none.changed), (Fact::Known(None), None));
        for (name, words) in [
            ("bad", "line 2 column 0"),
            ("large", "cannot read"),
            (".", "not a regular file"),
        ] {
            let Fact::Unknown(why) = read(&root, path(name), true).content else {
                panic!("{name}")
            };
            assert!(why.contains(words), "{why}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:a-z0-9 ]{0,80}") {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(content) = parse(bytes) {
                    drop(options(&content));
                }
            }
        }
    }
}
