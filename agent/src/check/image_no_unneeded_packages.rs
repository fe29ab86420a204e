//! Packages and programs that an image need not ship.

use serde_json::json;

use super::support::{container_name, few, files_unread, head, image_failed, image_passed};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::check::image_name;
use crate::model::{Class, Event, Evidence, Host, Image, ImageContents, Policy, Severity, Source, Verdict};

/// Packages whose programs have other names, and those names.
const PROGRAMS: [(&str, &[&str]); 6] = [
    ("build-essential", &["cc", "g++", "gcc", "make"]),
    ("nc", &["nc", "nc.openbsd", "nc.traditional", "ncat", "netcat"]),
    (
        "netcat",
        &["nc", "nc.openbsd", "nc.traditional", "ncat", "netcat"],
    ),
    ("netcat-openbsd", &["nc", "nc.openbsd"]),
    ("openssh-client", &["scp", "sftp", "ssh"]),
    ("openssh-server", &["sshd"]),
];

pub(super) static CHECK: Check = Check {
    key: "image-no-unneeded-packages",
    title: "Images carry no needless packages",
    section: "images",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Low,
    numbers: &[
        (Benchmark::V1_13_0, "4.3"),
        (Benchmark::V1_1_0, "4.3"),
        (Benchmark::V1_2_0, "4.3"),
        (Benchmark::V1_3_1, "4.3"),
        (Benchmark::V1_4_0, "4.3"),
        (Benchmark::V1_5_0, "4.3"),
        (Benchmark::V1_6_0, "4.3"),
        (Benchmark::V1_7_0, "4.3"),
        (Benchmark::V1_8_0, "4.3"),
    ],
    about: "Compilers, debuggers, package managers and network tools serve an intruder more than the \
            application. The package databases and program directories of the image's layers are read; \
            what the policy denies fails, other tools are told and left to the policy. Live, a denied \
            program that runs in a container is reported.",
    remedy: "Use a minimal base image and build in several stages",
    assess: Assess::Image(assess),
    signals: &[
        Signal {
            kind: "image",
            when: "an image is pulled, built or loaded",
        },
        Signal {
            kind: "exec",
            when: "a program that the policy denies runs in a container",
        },
    ],
    observe,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let Some(contents) = &image.contents else {
        return Verdict::unknown(files_unread(image));
    };
    let denied = denied_of(contents, &host.policy);
    if !denied.is_empty() {
        let clause = format!("ships {}, which the policy denies", few(&denied));
        let shown = json!({ "image": image.id, "denied": head(&denied), "count": denied.len() });
        let shown = Evidence::new(Source::Assessment, "packages", shown);
        return image_failed(image, host, CHECK.severity, &clause, vec![shown]);
    }
    // The database of rpm is not read.
    if !host.policy.denied_packages.is_empty() && contents.databases.iter().any(|name| name == "rpm") {
        return Verdict::unknown("the packages of its rpm database could not be read");
    }
    if contents.tools.is_empty() || !host.policy.denied_packages.is_empty() {
        let count = contents.packages.as_ref().map_or(0, Vec::len);
        return image_passed(
            image,
            &format!("ships nothing that is denied, {count} packages in all"),
        );
    }
    Verdict::unknown(format!(
        "image {} ships {}: whether it needs to, the policy does not say (denied_packages)",
        image_name(image),
        few(&contents.tools)
    ))
}

/// Packages and programs that the policy denies.
fn denied_of<'a>(contents: &'a ImageContents, policy: &Policy) -> Vec<&'a str> {
    let packages = contents.packages.iter().flatten().map(String::as_str);
    let packages = packages.filter(|name| policy.denied_packages.iter().any(|denied| denied == name));
    let tools = contents.tools.iter().map(String::as_str);
    packages
        .chain(tools.filter(|path| is_denied(path, policy)))
        .collect()
}

/// Whether a program is one that the policy denies, or of a package that it denies.
fn is_denied(path: &str, policy: &Policy) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    policy.denied_packages.iter().any(|denied| {
        let programs = PROGRAMS.iter().find(|(package, _)| package == denied);
        denied == name || programs.is_some_and(|(_, programs)| programs.contains(&name))
    })
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    view.observation.container.as_ref()?;
    let policy = &view.host.policy;
    // One file can be many programs: busybox is what it is called by.
    let path = [&exec.file.path, &exec.requested]
        .into_iter()
        .find(|path| is_denied(path, policy))?;
    let shipped = view.container.and_then(|container| {
        let images = view.host.images.iter().flatten();
        let mut own = images.filter(|image| Some(&image.id) == container.image_id.as_ref());
        own.next()?.contents.as_ref()
    });
    let class = match shipped {
        Some(contents) if !denied_of(contents, policy).is_empty() => Class::Exercised,
        _ => Class::Drift,
    };
    let summary = format!(
        "{path}, which the policy denies, ran in {}",
        container_name(view.observation)
    );
    Some(Finding::new(class, path, summary))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Scene, assert_fails, assert_passes, assert_unknown, container, exec_in, image, judge_image,
    };
    use super::*;

    fn contents(packages: &[&str], tools: &[&str]) -> ImageContents {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        ImageContents {
            packages: Some(owned(packages)),
            tools: owned(tools),
            ..ImageContents::default()
        }
    }

    #[track_caller]
    fn check(packages: &[&str], tools: &[&str], denied: &[&str]) -> Verdict {
        judge_image(&CHECK, |image, host| {
            image.contents = Some(contents(packages, tools));
            host.policy.denied_packages = denied.iter().map(|&name| name.into()).collect();
            host.containers = Some(vec![container("web")]);
        })
    }

    #[test]
    fn pass_nothing_denied() {
        assert_passes(&check(&["musl"], &[], &[]));
        assert_passes(&check(&["gcc-base"], &["/usr/bin/strace"], &["gcc"]));
    }

    #[test]
    fn fail_what_the_policy_denies() {
        let words = "image app:1 ships gcc, /usr/bin/gcc, which the policy denies";
        assert_fails(
            &check(&["gcc", "musl"], &["/usr/bin/gcc"], &["gcc"]),
            Severity::Low,
            words,
        );
        assert_fails(
            &check(&[], &["/bin/nc.openbsd"], &["netcat"]),
            Severity::Low,
            "/bin/nc.openbsd",
        );
    }

    #[test]
    fn unknown_without_a_policy_or_layers() {
        assert_unknown(&check(&[], &["/usr/bin/gcc"], &[]), "denied_packages");
        assert_unknown(
            &judge_image(&CHECK, |image, _| image.contents = None),
            "files have not been read",
        );
    }

    /// A program runs in a container where netcat is denied, and the image ships these tools.
    fn ran(path: &str, tools: &[&str]) -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", path));
        scene.host.policy.denied_packages = vec!["netcat".into()];
        scene.host.images = Some(vec![Image {
            contents: Some(contents(&[], tools)),
            ..image()
        }]);
        scene
    }

    #[test]
    fn a_denied_program_is_told() {
        let summary = "/bin/nc, which the policy denies, ran in container web";
        ran("/bin/nc", &[]).finds(Class::Drift, Severity::Low, summary);
        ran("/bin/nc", &["/bin/nc"]).finds(Class::Exercised, Severity::Low, summary);
        let mut busybox = ran("/bin/busybox", &[]);
        busybox.exec().requested = "/bin/nc".into();
        busybox.finds(Class::Drift, Severity::Low, summary);
    }

    #[test]
    fn silent_for_others_without_a_policy_and_on_the_host() {
        ran("/bin/rsync", &[]).silent();
        let mut unlisted = ran("/bin/nc", &[]);
        unlisted.host.policy.denied_packages.clear();
        unlisted.silent();
        ran("/bin/nc", &[]).on_host().silent();
    }
}
