//! Where an engine keeps the layers of an image.

/// The directories of an image's layers on the host (`GraphDriver` of `GET /images/ID/json`). It serves to read them, and
/// is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphDriver {
    /// Id of the image.
    pub image: String,
    /// Storage driver: `overlay2`, `overlay`, …
    pub name: String,
    /// Absolute paths, topmost layer first; empty where the driver keeps no directories.
    pub directories: Vec<String>,
}
