//! The files that this program consists of, so that a copy of it runs where nothing else is.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{DT_SONAME, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};

use super::lookup;

/// The running executable, even where its file has been replaced.
const EXECUTABLE: &str = "/proc/self/exe";
/// Most bytes of one file; a build with all its debug information has some hundred million.
const MAX_FILE: u64 = 1 << 30;
/// Most bytes of the list of mappings.
const MAX_MAPS: u64 = 4 << 20;

/// The executable, its dynamic loader and its shared libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The executable's bytes.
    pub executable: Vec<u8>,
    /// What it needs, each under the path at which it is looked for; none for a static program.
    pub needs: Vec<ProgramFile>,
}

/// A file that a program needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Why the files could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A file cannot be read: it was replaced since the program started, or is too large.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is no ELF file of this machine's word size.
    #[error("{} is not as an executable or library should be", path.display())]
    Elf {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: object::Error,
    },
}

/// Collects the files of the running program: the executable, the loader that it names, and the libraries
/// that are mapped (`/proc/self/maps`), under their file names and under the names by which they are asked for.
///
/// # Errors
/// [`ProgramError`].
pub fn own_program() -> Result<Program, ProgramError> {
    let executable = read(Path::new(EXECUTABLE), MAX_FILE)?;
    let mut needs = Vec::new();
    if let Some(path) = elf(Path::new(EXECUTABLE), &executable, interpreter)? {
        let bytes = read(&path, MAX_FILE)?;
        needs.push(ProgramFile { path, bytes });
    }
    let maps = read(Path::new("/proc/self/maps"), MAX_MAPS)?;
    for path in libraries(&String::from_utf8_lossy(&maps), &executable_path()?) {
        let bytes = read(&path, MAX_FILE)?;
        // On older distributions `libc.so.6` is a link to the file that is mapped.
        let asked_for = elf(&path, &bytes, soname)?.map(|name| path.with_file_name(name));
        if let Some(path) = asked_for.filter(|name| *name != path) {
            let bytes = bytes.clone();
            needs.push(ProgramFile { path, bytes });
        }
        needs.push(ProgramFile { path, bytes });
    }
    needs.sort_by(|a, b| a.path.cmp(&b.path));
    needs.dedup_by(|a, b| a.path == b.path);
    Ok(Program { executable, needs })
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ProgramError> {
    lookup::read(path, limit).map_err(|source| ProgramError::Read {
        path: path.to_owned(),
        source,
    })
}

fn executable_path() -> Result<PathBuf, ProgramError> {
    std::fs::read_link(EXECUTABLE).map_err(|source| ProgramError::Read {
        path: EXECUTABLE.into(),
        source,
    })
}

/// Paths of the files that are mapped to be executed, without the executable's own.
fn libraries(maps: &str, executable: &Path) -> BTreeSet<PathBuf> {
    let mapped = maps.lines().filter_map(|line| {
        // Address, permissions, offset, device, inode; then spaces, and the path, which may have some itself.
        let mut fields = line.splitn(6, ' ');
        let permissions = fields.nth(1)?;
        let path = fields.nth(3)?.trim_start();
        (permissions.contains('x') && path.starts_with('/')).then(|| PathBuf::from(path))
    });
    mapped.filter(|path| path != executable).collect()
}

/// What `question` finds in an ELF file.
fn elf<'data, T>(
    path: &Path,
    bytes: &'data [u8],
    question: impl Fn(&'data FileHeader64<Endianness>, &'data [u8]) -> object::Result<T>,
) -> Result<T, ProgramError> {
    FileHeader64::parse(bytes)
        .and_then(|header| question(header, bytes))
        .map_err(|source| ProgramError::Elf {
            path: path.to_owned(),
            source,
        })
}

/// The loader that the kernel starts in the program's place (`PT_INTERP`); none for a static program.
fn interpreter(header: &FileHeader64<Endianness>, bytes: &[u8]) -> object::Result<Option<PathBuf>> {
    let endian = header.endian()?;
    for segment in header.program_headers(endian, bytes)? {
        if let Some(path) = segment.interpreter(endian, bytes)? {
            return Ok(Some(OsStr::from_bytes(path).into()));
        }
    }
    Ok(None)
}

/// The name by which programs ask for a library (`DT_SONAME`).
fn soname<'data>(
    header: &'data FileHeader64<Endianness>,
    bytes: &'data [u8],
) -> object::Result<Option<&'data OsStr>> {
    let endian = header.endian()?;
    let table = header.sections(endian, bytes)?.dynamic_table(endian, bytes)?;
    let name = table.iter().find(|entry| entry.tag == DT_SONAME);
    Ok(name
        .map(|entry| table.string(entry))
        .transpose()?
        .map(OsStr::from_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from a running agent, on a distribution whose `libc.so.6` is a link.
    const MAPS: &str = "\
55d0c5a00000-55d0c5c10000 r--p 00000000 08:01 1311                       /opt/hull watch/hullwatch
55d0c5c10000-55d0c6a10000 r-xp 00210000 08:01 1311                       /opt/hull watch/hullwatch
55d0c7e5f000-55d0c7e80000 rw-p 00000000 00:00 0                          [heap]
7f3a1c000000-7f3a1c021000 rw-p 00000000 00:00 0 \n\
7f3a2027f000-7f3a203f7000 r-xp 00025000 08:01 2622                       /usr/lib/x86_64-linux-gnu/libc-2.31.so
7f3a203f7000-7f3a20441000 r--p 0019d000 08:01 2622                       /usr/lib/x86_64-linux-gnu/libc-2.31.so
7f3a20450000-7f3a20453000 r--p 00000000 08:01 77                         /usr/share/locale/locale archive
7f3a20471000-7f3a20482000 r-xp 00003000 08:01 2650                       /usr/lib/x86_64-linux-gnu/libgcc_s.so.1
7f3a204a0000-7f3a204c3000 r-xp 00001000 08:01 2618                       /usr/lib/x86_64-linux-gnu/ld-2.31.so
7ffd0b1f6000-7ffd0b1f8000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
";

    #[track_caller]
    fn check(maps: &str, expected: &[&str]) {
        let expected = expected.iter().map(PathBuf::from).collect();
        let found = libraries(maps, Path::new("/opt/hull watch/hullwatch"));
        assert_eq!(found, expected);
    }

    #[test]
    fn libraries_are_the_files_mapped_to_be_executed() {
        let directory = "/usr/lib/x86_64-linux-gnu";
        let names = ["ld-2.31.so", "libc-2.31.so", "libgcc_s.so.1"];
        let paths = names.map(|name| format!("{directory}/{name}"));
        check(MAPS, &paths.each_ref().map(String::as_str));
        check("7f3a-7f3b r-xp 0 08:01 1 /with a space.so", &["/with a space.so"]);
    }

    #[test]
    fn lines_of_another_shape_name_nothing() {
        check("", &[]);
        check(
            "\n \nr-xp /x\n7f3a-7f3b r-xp 0 08:01 1\n7f3a-7f3b r-xp 0 08:01 1 ",
            &[],
        );
    }

    #[test]
    fn this_program_names_its_loader_and_its_libraries_their_names() {
        let program = own_program().unwrap();
        assert!(program.executable.starts_with(b"\x7fELF"));
        let loader = elf(Path::new(EXECUTABLE), &program.executable, interpreter).unwrap();
        let paths: BTreeSet<_> = program.needs.iter().map(|file| file.path.clone()).collect();
        assert_eq!(paths.len(), program.needs.len(), "a path twice");
        assert!(loader.is_none_or(|loader| paths.contains(&loader)));
        for file in &program.needs {
            let name = elf(&file.path, &file.bytes, soname).unwrap();
            let asked_for = name.map(|name| file.path.with_file_name(name));
            assert!(asked_for.is_none_or(|path| paths.contains(&path)), "{file:?}");
        }
    }

    #[test]
    fn what_is_not_elf_is_an_error() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &[0x7f; 64]] {
            let refused = elf(Path::new("/x"), bytes, interpreter);
            assert!(matches!(refused, Err(ProgramError::Elf { .. })), "{bytes:?}");
        }
    }
}
