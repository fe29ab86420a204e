//! Content trust of clients.

/// Whether a value of `DOCKER_CONTENT_TRUST` or of an option of the client switches content trust on, as the client reads
/// it: what it cannot read as false is true.
pub(in crate::check) fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0" | "f" | "F" | "false" | "FALSE" | "False")
}
