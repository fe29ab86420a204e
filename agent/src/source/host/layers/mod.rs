//! Files of images, read from the directories of their layers on the host: nothing is run, and nothing is mounted.
//!
//! A layer is what one step changed. From the topmost down, what a layer removes (a whiteout) or replaces hides what is
//! below it. Each directory is read once, however many images share it, and no link in it is followed.

mod budget;
mod database;
mod directory;
mod error;
mod interest;
mod layer;
mod reader;
mod secret_file;
mod source_file;
#[cfg(test)]
mod tests;
mod union;

pub use budget::Budget;
pub use error::LayersError;
pub use reader::{Reader, contents};
