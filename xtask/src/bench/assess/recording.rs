//! A recording of a larger host, made from one of a small one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// Writes a recording beside a given one, with so many containers: its own, over and over under new names and ids.
pub(super) fn multiplied(recorded: &Path, containers: usize) -> Result<PathBuf> {
    let mut host: Value = serde_json::from_slice(&fs::read(recorded)?)?;
    let list = host
        .get_mut("containers")
        .and_then(Value::as_array_mut)
        .context("the recording lists no containers: did the engine answer?")?;
    let originals = std::mem::take(list);
    list.extend(originals.into_iter().cycle().take(containers));
    for (number, container) in list.iter_mut().enumerate() {
        let fields = container.as_object_mut().context("a container is no object")?;
        fields.insert("id".to_owned(), format!("{number:064x}").into());
        fields.insert("name".to_owned(), format!("recorded-{number}").into());
    }
    let path = recorded.with_extension(format!("{containers}.json"));
    fs::write(&path, serde_json::to_vec(&host)?)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_repeated_under_ids_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let recorded = directory.path().join("recorded.json");
        let host = serde_json::json!({"containers": [{"id": "a", "image": "x"}, {"id": "b"}], "images": []});
        fs::write(&recorded, host.to_string()).unwrap();
        let path = multiplied(&recorded, 5).unwrap();
        let host: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let containers = host["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 5);
        assert_eq!(containers[2]["image"], "x");
        assert_eq!(containers[4]["id"], format!("{:064x}", 4));
        fs::write(&recorded, "{\"containers\": null}").unwrap();
        assert!(multiplied(&recorded, 1).is_err());
    }
}
