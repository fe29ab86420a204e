//! The probes: offsets, attach ladder, rings, decoding. The only room that names aya.

pub mod btf;
mod calls;
mod cgroup_mode;
mod clock;
pub mod decode;
mod error;
mod ladder;
mod load;
mod losses;
mod maps;
mod probes;
mod ring;

pub use cgroup_mode::{CgroupMode, CgroupModeChoice};
pub use clock::BootClock;
pub use decode::RecentExec;
pub use error::KernelError;
pub use ladder::{Hook, PROBES, Probe, Rung};
pub use load::{Kernel, KernelConfig};
pub use losses::{Loss, LossCount, LossMeter};
pub use maps::KernelMaps;
pub use probes::{Absence, ProbeReport, ProbeState, Probes};
pub use ring::{Batch, Rings};
