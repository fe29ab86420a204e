//! How the probes are compiled. Every flag that shapes the object's bytes is here.

use std::path::Path;

/// Little-endian BPF; the probes are built for machines of that byte order.
pub(super) const TARGET: &str = "bpfel-unknown-none";

/// Name of the binary that cargo builds.
pub(super) const BINARY: &str = "probes";

/// Flags of cargo, besides the target. The target has no precompiled library: it is built along.
pub(super) const CARGO: &[&str] = &["build", "--release", "-Zbuild-std=core"];

/// Flags of the compiler. One unit, in one order; no debug information, and with it no paths and lines.
const RUSTC: &[&str] = &[
    "-Clinker=bpf-linker",
    "-Ccodegen-units=1",
    "-Cdebuginfo=0",
    "-Csymbol-mangling-version=v0",
];

/// Flags of the compiler with directories of this machine renamed: what remains of them in the object
/// (places of panics) is the same everywhere.
pub(super) fn rustc(renamed: &[(&Path, &str)]) -> Vec<String> {
    let remaps = renamed
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    RUSTC
        .iter()
        .map(|flag| (*flag).to_owned())
        .chain(remaps)
        .collect()
}
