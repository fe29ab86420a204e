//! Facts of a host, recorded: to be assessed elsewhere, later, or by a newer version.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::cli::Fault;
use crate::model::Host;

/// Longest recording that is read: some hundred kilobytes for each of some thousand containers.
const LONGEST: u64 = 1 << 30;

/// Reads recorded facts.
///
/// # Errors
/// The file cannot be read, is too long, or holds something else.
pub(super) fn read(path: &Path) -> Result<Host, Fault> {
    let wrong = |what: String| Fault::usage_text(format!("--snapshot {}: {what}", path.display()));
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut text = Vec::new();
    let read = BufReader::new(file).take(LONGEST + 1).read_to_end(&mut text);
    let length = read.map_err(|error| wrong(error.to_string()))?;
    if u64::try_from(length).is_ok_and(|length| length > LONGEST) {
        return Err(wrong(format!("it is longer than {LONGEST} bytes")));
    }
    serde_json::from_slice(&text).map_err(|error| wrong(format!("it is no recording of a host: {error}")))
}

/// Records facts. Only their owner may read them: they name all that is weak about a host, though no secret's value.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(path: &Path, host: &Host) -> Result<(), Fault> {
    let written = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        let mut out = BufWriter::new(file);
        serde_json::to_writer(&mut out, host)?;
        out.write_all(b"\n")?;
        out.flush()
    };
    written().map_err(|error| Fault::usage_text(format!("--record {}: {error}", path.display())))
}
