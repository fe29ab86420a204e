//! Builds that fetch and unpack with ADD.

use serde_json::json;

use super::support::{Step, excerpt, image_failed, image_passed, step, told};
use super::{Assess, Basis, Benchmark, Check, Signal, no_live_signal};
use crate::model::{Evidence, HistoryEntry, Host, Image, Severity, Source, Verdict};

/// Endings of archives that ADD unpacks.
const ARCHIVES: [&str; 8] = [
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst",
];

pub(super) static CHECK: Check = Check {
    key: "image-copy-not-add",
    title: "Builds use COPY rather than ADD",
    section: "images",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Facts,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "4.9"),
        (Benchmark::V1_1_0, "4.9"),
        (Benchmark::V1_2_0, "4.9"),
        (Benchmark::V1_3_1, "4.9"),
        (Benchmark::V1_4_0, "4.9"),
        (Benchmark::V1_5_0, "4.9"),
        (Benchmark::V1_6_0, "4.9"),
        (Benchmark::V1_7_0, "4.9"),
        (Benchmark::V1_8_0, "4.9"),
    ],
    about: "ADD fetches from the network and unpacks archives, both without a look at what comes; COPY \
            does neither. The instruction of each step of the history is read, not its text. The root \
            filesystem that an image starts with can only be added: what is added before anything else, \
            and what the image has of an approved base, is exempt. Fetching from an address without a \
            checksum is worse, and so is unpacking.",
    remedy: "Replace ADD with COPY; give a checksum for what is fetched",
    assess: Assess::Image(assess),
    signals: &[Signal {
        kind: "image",
        when: "an image is pulled, built or loaded",
    }],
    observe: no_live_signal,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let Some(history) = told(image) else {
        return Verdict::unknown("the history of the image tells nothing");
    };
    let exempt = of_base(image, host);
    let mut layers = 0_usize;
    let mut only_base = true;
    let mut found: Vec<(Severity, usize, &HistoryEntry)> = Vec::new();
    for (place, entry) in history {
        let added = added(entry);
        let layer = makes_layer(entry);
        only_base &= !layer || added.is_some_and(|source| !is_fetched(source));
        layers = layers.saturating_add(usize::from(layer));
        let Some(source) = added.filter(|_| !only_base && layers > exempt) else {
            continue;
        };
        found.push((graveness(source), place, entry));
    }
    let Some((severity, place, entry)) = found
        .iter()
        .max_by_key(|(severity, place, _)| (*severity, std::cmp::Reverse(*place)))
    else {
        return image_passed(image, "adds nothing beyond its root filesystem");
    };
    let clause = format!("uses ADD in step {place}: {}", excerpt(&entry.created_by));
    let evidence = found
        .iter()
        .take(8)
        .map(|(_, place, entry)| {
            let shown = json!({ "step": place, "created_by": excerpt(&entry.created_by) });
            Evidence::new(Source::Engine, "history", shown)
        })
        .collect();
    image_failed(image, host, *severity, &clause, evidence)
}

/// Whether a step changed files.
fn makes_layer(entry: &HistoryEntry) -> bool {
    let changes = matches!(
        step(&entry.created_by),
        Step::Run(_) | Step::Instruction("ADD" | "COPY" | "WORKDIR", _)
    );
    changes && !entry.empty_layer
}

/// The arguments of a step that is an ADD.
fn added(entry: &HistoryEntry) -> Option<&str> {
    match step(&entry.created_by) {
        Step::Instruction("ADD", arguments) => Some(arguments),
        _ => None,
    }
}

/// What is added: every argument but options, and but the last, which says where to.
fn sources(arguments: &str) -> Vec<&str> {
    let words: Vec<_> = arguments
        .split_whitespace()
        .filter(|word| !word.starts_with("--") && *word != "in")
        .collect();
    let count = words.len().saturating_sub(1).max(1);
    words.into_iter().take(count).collect()
}

fn is_fetched(arguments: &str) -> bool {
    let remote = |source: &&str| source.contains("://") || source.starts_with("git@");
    sources(arguments).iter().any(remote)
}

fn graveness(arguments: &str) -> Severity {
    let fetched = is_fetched(arguments)
        && !arguments
            .split_whitespace()
            .any(|word| word.starts_with("--checksum="));
    let unpacks = sources(arguments)
        .iter()
        .any(|source| ARCHIVES.iter().any(|ending| source.ends_with(ending)));
    if fetched || unpacks {
        Severity::Medium
    } else {
        CHECK.severity
    }
}

/// How many of the image's layers are those of a base that the policy approves by a digest of its layers.
fn of_base(image: &Image, host: &Host) -> usize {
    let layers = image.layers.iter().flatten().enumerate();
    layers
        .filter(|(_, digest)| host.policy.allowed_digests.contains(digest))
        .map(|(place, _)| place.saturating_add(1))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        assert_fails, assert_passes, assert_unknown, container, history, judge_image,
    };
    use super::*;

    const BASE: &str = "/bin/sh -c #(nop) ADD file:ab in / ";

    #[track_caller]
    fn check(steps: &[&str]) -> Verdict {
        judge_image(&CHECK, |image, host| {
            image.history = Some(history(steps));
            host.containers = Some(vec![container("web")]);
        })
    }

    #[test]
    fn pass_copies_and_what_only_looks_like_add() {
        for step in [
            "COPY a /a # buildkit",
            "/bin/sh -c useradd ADD",
            "RUN /bin/sh -c apk add curl # buildkit",
            "/bin/sh -c #(nop) CMD [\"run\" \"--cap-add\" \"ADD\"]",
            "# debian.sh --arch amd64 out/ bookworm ADD",
        ] {
            assert_passes(&check(&[BASE, step]));
        }
    }

    #[test]
    fn pass_root_filesystems_of_one_and_of_several_steps() {
        assert_passes(&check(&[BASE]));
        assert_passes(&check(&[
            BASE,
            "/bin/sh -c #(nop) ADD multi:1 in /etc/ ",
            "/bin/sh -c #(nop) ADD dir:2 in / ",
        ]));
        assert_passes(&check(&["ADD rootfs.tar.xz / # buildkit", "CMD [\"sh\"]"]));
        let approved = judge_image(&CHECK, |image, host| {
            image.history = Some(history(&[
                BASE,
                "RUN /bin/sh -c a # buildkit",
                "ADD b /b # buildkit",
            ]));
            image.layers = Some(vec!["sha256:x".into(), "sha256:y".into(), "sha256:z".into()]);
            host.policy.allowed_digests = vec!["sha256:z".into()];
        });
        assert_passes(&approved);
    }

    #[test]
    fn fail_later_additions() {
        let run = "RUN /bin/sh -c a # buildkit";
        for (step, severity) in [
            ("ADD a /a # buildkit", Severity::Low),
            ("/bin/sh -c #(nop) ADD file:cd in /a ", Severity::Low),
            (
                "ADD --chown=1 https://x.example/a /a # buildkit",
                Severity::Medium,
            ),
            (
                "ADD --checksum=sha256:ff https://x.example/a /a # buildkit",
                Severity::Low,
            ),
            ("ADD a.tar.gz /a # buildkit", Severity::Medium),
            ("ADD git@x.example:a.git /a # buildkit", Severity::Medium),
        ] {
            let verdict = check(&[BASE, run, step]);
            assert_fails(&verdict, severity, "image app:1 uses ADD in step 2: ");
        }
        let fetched = check(&["ADD https://x.example/rootfs.tar / # buildkit"]);
        assert_fails(&fetched, Severity::Medium, "in step 0");
    }

    #[test]
    fn unknown_where_the_history_tells_nothing() {
        assert_unknown(&check(&[""]), "history");
    }
}
