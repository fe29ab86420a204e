//! Images: what uses them, and their verdicts.

use crate::check::image_name;
use crate::model::{Container, Evidence, Host, Image, Severity, Verdict};

/// The containers that were made of an image.
pub(in crate::check) fn users<'a>(image: &'a Image, host: &'a Host) -> impl Iterator<Item = &'a Container> {
    host.containers
        .iter()
        .flatten()
        .filter(|container| container.image_id.as_deref() == Some(image.id.as_str()))
}

/// Whether any container was made of an image. Where the containers are not known, one may have been.
pub(in crate::check) fn is_used(image: &Image, host: &Host) -> bool {
    host.containers.is_none() || users(image, host).next().is_some()
}

/// An image's failure: of low severity at most while no container uses it.
pub(in crate::check) fn image_failed(
    image: &Image,
    host: &Host,
    severity: Severity,
    clause: &str,
    evidence: Vec<Evidence>,
) -> Verdict {
    let severity = match severity {
        severity if is_used(image, host) => severity,
        Severity::High | Severity::Critical => Severity::Low,
        _ => Severity::Info,
    };
    Verdict::fail(format!("image {} {clause}", image_name(image)), evidence).severity(severity)
}

/// Why the files of an image say nothing.
pub(in crate::check) fn files_unread(image: &Image) -> String {
    image.unread.as_ref().map_or_else(
        || "its files have not been read".to_owned(),
        |why| format!("its files could not be read: {why}"),
    )
}

/// An image's pass, for this reason.
pub(in crate::check) fn image_passed(image: &Image, clause: &str) -> Verdict {
    Verdict::pass().because(format!("image {} {clause}", image_name(image)))
}
