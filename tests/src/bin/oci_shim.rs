//! An OCI runtime that lets `runc` run privileged containers on a machine that lacks `CAP_SYS_RESOURCE`:
//! it takes that one capability out of what is asked for, and becomes `runc`. Test plumbing only.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

const LACKING: &str = "CAP_SYS_RESOURCE";

fn main() -> Result<()> {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(bundle) = option(&args, "--bundle").or_else(|| option(&args, "-b")) {
        edit(&bundle.join("config.json"), "/process/capabilities")?;
    }
    if let Some(process) = option(&args, "--process").or_else(|| option(&args, "-p")) {
        edit(&process, "/capabilities")?;
    }
    Err(Command::new("runc").args(&args).exec()).context("exec runc")
}

/// Value of `--name VALUE` or `--name=VALUE`.
fn option(args: &[OsString], name: &str) -> Option<PathBuf> {
    args.iter().enumerate().find_map(|(index, arg)| {
        if arg == name {
            return args.get(index + 1).map(PathBuf::from);
        }
        let value = arg.to_str()?.strip_prefix(name)?.strip_prefix('=')?;
        Some(PathBuf::from(value))
    })
}

/// Removes the capability from every set of the object at `pointer`.
fn edit(path: &Path, pointer: &str) -> Result<()> {
    let text = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let mut spec: Value =
        serde_json::from_slice(&text).with_context(|| format!("parse {}", path.display()))?;
    if let Some(Value::Object(sets)) = spec.pointer_mut(pointer) {
        for set in sets.values_mut().filter_map(Value::as_array_mut) {
            set.retain(|name| name != LACKING);
        }
        fs::write(path, serde_json::to_vec(&spec)?).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &[&str], expected: Option<&str>) {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        assert_eq!(option(&args, "--bundle"), expected.map(PathBuf::from), "{args:?}");
    }

    #[test]
    fn options_are_found_in_both_spellings() {
        check(&["create", "--bundle", "/b", "id"], Some("/b"));
        check(&["create", "--bundle=/b", "id"], Some("/b"));
        check(&["create", "--bundled=/b"], None);
        check(&["create", "--bundle"], None);
    }

    #[test]
    fn one_capability_is_taken_from_every_set() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let spec = r#"{"process":{"args":["sh"],"capabilities":{"bounding":["CAP_SYS_RESOURCE","CAP_CHOWN"],"effective":["CAP_SYS_RESOURCE"]}}}"#;
        fs::write(&file, spec).unwrap();
        edit(file.path(), "/process/capabilities").unwrap();
        let edited: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let expected =
            r#"{"process":{"args":["sh"],"capabilities":{"bounding":["CAP_CHOWN"],"effective":[]}}}"#;
        assert_eq!(edited, serde_json::from_str::<Value>(expected).unwrap());
    }

    #[test]
    fn a_file_without_capabilities_is_left_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "{ }").unwrap();
        edit(file.path(), "/process/capabilities").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "{ }");
    }
}
