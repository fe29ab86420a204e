//! The only room that knows all the others: what flows where.
//!
//! Kernel events and the engine's word meet in one loop. An event is enriched at once, while its
//! process lives; it waits a moment if its container is so new that the engine has not spoken yet; then
//! it goes through correlation to the stream. Every task is supervised, every queue bounded.

pub mod assess;
mod audit;
mod changes;
mod engine;
mod error;
mod hold;
mod layers;
mod losses;
mod outlet;
mod reader;
mod recorded;
mod scene;
mod sight;
mod signals;
pub(crate) mod stand_in;
mod startup;
mod survey;
mod watch;

pub use error::PipelineError;
pub use outlet::{Outlet, Style};
pub(crate) use signals::Stop;
pub use startup::WatchConfig;
pub use watch::watch;
