//! The root file system of the demonstration's container: this program and what it needs to run.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::source::host::Program;

/// Where the program lies in the image.
pub(super) const PROGRAM: &str = "/hullwatch";
/// Directories and programs: everybody may look and execute, nobody may write.
const MODE: u32 = 0o755;

/// Packs it as a tar archive, in memory.
///
/// # Errors
/// A path that no archive can hold.
pub(super) fn pack(program: Program) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for directory in directories(&program) {
        append(&mut archive, EntryType::Directory, &directory, &[])?;
    }
    append(
        &mut archive,
        EntryType::Regular,
        Path::new(PROGRAM),
        &program.executable,
    )?;
    drop(program.executable);
    for file in program.needs {
        append(&mut archive, EntryType::Regular, &file.path, &file.bytes)?;
    }
    archive.into_inner()
}

/// `LD_LIBRARY_PATH=…` for loaders that do not look for libraries where this host has them; none for a static
/// program.
pub(super) fn library_path(program: &Program) -> Option<String> {
    let parents: BTreeSet<_> = program
        .needs
        .iter()
        .filter_map(|file| file.path.parent()?.to_str())
        .collect();
    let joined = parents.into_iter().collect::<Vec<_>>().join(":");
    (!joined.is_empty()).then(|| format!("LD_LIBRARY_PATH={joined}"))
}

/// Every directory above a file, outermost first: what an engine makes by itself need not be open to all.
fn directories(program: &Program) -> BTreeSet<PathBuf> {
    let above = program
        .needs
        .iter()
        .flat_map(|file| file.path.ancestors().skip(1));
    above
        .filter(|directory| directory.parent().is_some())
        .map(Path::to_owned)
        .collect()
}

fn append(archive: &mut Builder<Vec<u8>>, kind: EntryType, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(MODE);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(u64::try_from(bytes.len()).map_err(io::Error::other)?);
    // Paths in an archive are relative to its root.
    let path = path.strip_prefix("/").map_err(io::Error::other)?;
    archive.append_data(&mut header, path, bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::source::host::ProgramFile;

    fn program(needs: &[(&str, &str)]) -> Program {
        let file = |(path, text): &(&str, &str)| ProgramFile {
            path: path.into(),
            bytes: text.as_bytes().to_vec(),
        };
        Program {
            executable: b"program".to_vec(),
            needs: needs.iter().map(file).collect(),
        }
    }

    /// Every entry as `type mode owner path content`.
    fn listed(archive: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header();
            let kind = if header.entry_type().is_dir() { "d" } else { "f" };
            let (mode, owner) = (header.mode().unwrap(), header.uid().unwrap());
            let path = entry.path().unwrap().display().to_string();
            format!("{kind} {mode:o} {owner} {path} {text}")
                .trim_end()
                .to_owned()
        });
        entries.collect()
    }

    #[track_caller]
    fn check(needs: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(listed(&pack(program(needs)).unwrap()), expected);
    }

    #[test]
    fn a_static_program_stands_alone() {
        check(&[], &["f 755 0 hullwatch program"]);
        assert_eq!(library_path(&program(&[])), None);
    }

    #[test]
    fn what_it_needs_lies_at_its_path_below_directories_open_to_all() {
        let needs = [("/lib64/ld.so", "loader"), ("/usr/lib/libc.so.6", "library")];
        check(
            &needs,
            &[
                "d 755 0 lib64",
                "d 755 0 usr",
                "d 755 0 usr/lib",
                "f 755 0 hullwatch program",
                "f 755 0 lib64/ld.so loader",
                "f 755 0 usr/lib/libc.so.6 library",
            ],
        );
        let expected = "LD_LIBRARY_PATH=/lib64:/usr/lib";
        assert_eq!(library_path(&program(&needs)).as_deref(), Some(expected));
    }

    #[test]
    fn a_path_longer_than_a_header_holds_is_kept_whole() {
        let long = format!("{}/lib.so", "d".repeat(300));
        let packed = listed(&pack(program(&[(&format!("/{long}"), "x")])).unwrap());
        let file = format!("f 755 0 {long} x");
        assert_eq!(packed.last(), Some(&file));
    }

    #[test]
    fn a_relative_path_is_refused() {
        assert!(pack(program(&[("lib.so", "x")])).is_err());
    }
}
