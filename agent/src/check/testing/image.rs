//! An ordinary image, to be varied.

use super::super::{Assess, Check};
use super::host;
use crate::model::{HistoryEntry, Host, Image, ImageContents, Time, Verdict};

/// An image as recommended, the one of [`container`].
pub(in crate::check) fn image() -> Image {
    Image {
        id: "sha256:1".into(),
        tags: vec!["app:1".into()],
        digests: Vec::new(),
        created: Some(Time::from_unix_nanos(1_700_000_000_000_000_000)),
        size: Some(1 << 20),
        user: Some("1000".into()),
        healthcheck: Some(vec!["CMD".into(), "/usr/bin/app".into(), "ping".into()]),
        exposed: Some(Vec::new()),
        layers: Some(vec!["sha256:base".into(), "sha256:app".into()]),
        history: Some(history(&[
            "ADD rootfs.tar / # buildkit",
            "COPY app /usr/bin/app # buildkit",
        ])),
        secrets: Some(Vec::new()),
        contents: Some(ImageContents::default()),
        setuid_files: Some(Vec::new()),
        unread: None,
        announced: false,
    }
}

/// A history of these steps, each of which made a layer.
pub(in crate::check) fn history(steps: &[&str]) -> Vec<HistoryEntry> {
    steps
        .iter()
        .map(|step| HistoryEntry {
            created_by: (*step).into(),
            ..HistoryEntry::default()
        })
        .collect()
}

/// The verdict on [`image`] on the ordinary host, both varied.
#[track_caller]
pub(in crate::check) fn judge_image(check: &Check, vary: impl FnOnce(&mut Image, &mut Host)) -> Verdict {
    let (mut image, mut host) = (image(), host());
    vary(&mut image, &mut host);
    match check.assess {
        Assess::Image(assess) => assess(&image, &host),
        _ => panic!("{} does not judge images", check.key),
    }
}
