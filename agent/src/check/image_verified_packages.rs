//! Builds that install what nobody verified.

mod pattern;

use serde_json::json;

use super::support::{
    Command, Step, container_name, excerpt, few, files_unread, head, image_failed, step, told,
};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::check::image_name;
use crate::model::{Class, Event, Evidence, HistoryEntry, Host, Image, Process, Severity, Source, Verdict};

pub(super) static CHECK: Check = Check {
    key: "image-verified-packages",
    title: "Build installs only verified packages",
    section: "images",
    level: 2,
    early_level: 2,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::Medium,
    numbers: &[
        (Benchmark::V1_13_0, "4.11"),
        (Benchmark::V1_1_0, "4.11"),
        (Benchmark::V1_2_0, "4.11"),
        (Benchmark::V1_3_1, "4.11"),
        (Benchmark::V1_4_0, "4.11"),
        (Benchmark::V1_5_0, "4.11"),
        (Benchmark::V1_6_0, "4.11"),
        (Benchmark::V1_7_0, "4.11"),
        (Benchmark::V1_8_0, "4.11"),
    ],
    about: "A package without a verified signature, or a download that is run at once, is whatever its \
            sender or anybody between made of it. The steps of the image's history are split into \
            commands and searched for what switches verification off, for downloads that are piped to a \
            shell, and for ADD from an address without a checksum; so are the package sources that the \
            image ships. That none is found proves nothing. Live, such commands in containers are \
            reported.",
    remedy: "Leave verification on, and check signatures or checksums of everything that is fetched",
    assess: Assess::Image(assess),
    signals: &[
        Signal {
            kind: "image",
            when: "an image is pulled, built or loaded",
        },
        Signal {
            kind: "exec",
            when: "a package manager runs in a container with verification switched off",
        },
    ],
    observe,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let history = told(image);
    let found: Vec<_> = history
        .iter()
        .flatten()
        .filter_map(|(place, entry)| Some((*place, unverified(entry)?, excerpt(&entry.created_by))))
        .collect();
    let sources = image
        .contents
        .as_ref()
        .map(|contents| contents.unverified_sources.as_slice());
    let shipped = sources.unwrap_or_default();
    let steps = found
        .iter()
        .map(|(place, what, _)| format!("in step {place} {what}"));
    let all: Vec<_> = steps
        .chain(shipped.iter().map(|source| format!("in its files {source}")))
        .collect();
    if all.is_empty() {
        let why = match (&history, sources) {
            (None, _) => "cannot be judged: its history tells nothing".to_owned(),
            (Some(_), None) => format!("shows no unverified installation, but {}", files_unread(image)),
            (Some(_), Some(_)) => {
                "shows no unverified installation; that all was verified, no fact can show".to_owned()
            }
        };
        return Verdict::unknown(format!("image {} {why}", image_name(image)));
    }
    let mut evidence: Vec<_> = found
        .iter()
        .take(8)
        .map(|(place, what, text)| {
            let shown = json!({ "step": place, "found": what, "created_by": text });
            Evidence::new(Source::Engine, "history", shown)
        })
        .collect();
    if !shipped.is_empty() {
        let shown = json!({ "unverified_sources": head(shipped) });
        evidence.push(Evidence::new(Source::Assessment, "files", shown));
    }
    let clause = format!("installs without verification: {}", few(&all));
    image_failed(image, host, CHECK.severity, &clause, evidence)
}

/// What a step leaves unverified, in words.
fn unverified(entry: &HistoryEntry) -> Option<String> {
    match step(&entry.created_by) {
        Step::Run(script) => pattern::in_script(script),
        Step::Instruction("ADD", arguments) => {
            let words = || arguments.split_whitespace();
            let fetched = words().any(|word| word.starts_with("http://") || word.starts_with("https://"));
            let checked = words().any(|word| word.starts_with("--checksum="));
            (fetched && !checked).then(|| "ADD from an address without a checksum".to_owned())
        }
        Step::Instruction(..) => None,
    }
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Exec(exec) = &view.observation.event else {
        return None;
    };
    let process = view.observation.process.as_ref()?;
    view.observation.container.as_ref()?;
    let command = Command {
        words: words(process, &exec.file.path),
        piped: false,
    };
    if command.is_shell() {
        return None;
    }
    let what = pattern::in_command(&command)?;
    let summary = format!("{what} ran in {}", container_name(view.observation));
    Some(Finding::new(Class::Drift, &what, summary))
}

/// The program, by its file, and its arguments. An interpreter is told its program as the first argument; busybox is the
/// program that it is called by.
fn words(process: &Process, path: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let interprets = ["node", "perl", "python", "ruby"]
        .iter()
        .any(|interpreter| name.starts_with(interpreter));
    let mut words = process.args.clone();
    if interprets {
        words.drain(..words.len().min(1));
    } else if let Some(first) = words.first_mut().filter(|_| name != "busybox") {
        path.clone_into(first);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Scene, assert_fails, assert_unknown, container, exec_in, history, judge_image,
    };
    use super::*;

    #[track_caller]
    fn check(steps: &[&str], sources: Option<&[&str]>) -> Verdict {
        judge_image(&CHECK, |image, host| {
            image.history = Some(history(steps));
            match (sources, &mut image.contents) {
                (Some(sources), Some(contents)) => {
                    contents.unverified_sources = sources.iter().map(|&source| source.into()).collect();
                }
                _ => image.contents = None,
            }
            host.containers = Some(vec![container("web")]);
        })
    }

    #[test]
    fn pass_is_never_reached_for_no_fact_shows_it() {
        let verdict = check(&["RUN /bin/sh -c apt-get install -y curl # buildkit"], Some(&[]));
        assert_unknown(&verdict, "that all was verified, no fact can show");
    }

    #[test]
    fn fail_unverified_steps_and_sources() {
        let words = "image app:1 installs without verification: in step 1 apk --allow-untrusted";
        let steps = [
            "COPY a /a # buildkit",
            "/bin/sh -c apk add --allow-untrusted /x.apk",
        ];
        assert_fails(&check(&steps, None), Severity::Medium, words);
        let add = check(&["ADD https://x.example/a /a # buildkit"], Some(&[]));
        assert_fails(
            &add,
            Severity::Medium,
            "in step 0 ADD from an address without a checksum",
        );
        let source = check(&["COPY a /a"], Some(&["/etc/yum.repos.d/x.repo: gpgcheck=0"]));
        assert_fails(
            &source,
            Severity::Medium,
            "in its files /etc/yum.repos.d/x.repo: gpgcheck=0",
        );
    }

    #[test]
    fn unknown_where_nothing_is_found_or_could_be_read() {
        assert_unknown(&check(&[""], Some(&[])), "its history tells nothing");
        assert_unknown(&check(&["COPY a /a"], None), "its files have not been read");
        let checked = ["ADD --checksum=sha256:ff https://x.example/a /a # buildkit"];
        assert_unknown(&check(&checked, Some(&[])), "no fact can show");
    }

    fn ran(path: &str, args: &[&str]) -> Scene {
        let mut scene = Scene::new(&CHECK, exec_in("web", path));
        scene.process().args = args.iter().map(|&arg| arg.into()).collect();
        scene
    }

    #[test]
    fn an_unverified_installation_is_drift() {
        let apk = ran("/sbin/apk", &["apk", "add", "--allow-untrusted", "x"]);
        apk.finds(
            Class::Drift,
            Severity::Medium,
            "apk --allow-untrusted ran in container web",
        );
        let python = "/usr/bin/python3.11";
        let pip = ran(
            python,
            &["python3", "/usr/bin/pip", "install", "--trusted-host", "x", "y"],
        );
        pip.finds(
            Class::Drift,
            Severity::Medium,
            "pip --trusted-host ran in container web",
        );
        let wget = ran("/bin/busybox", &["wget", "--no-check-certificate", "https://x"]);
        wget.finds(
            Class::Drift,
            Severity::Medium,
            "wget --no-check-certificate ran in container web",
        );
    }

    #[test]
    fn silent_for_verified_ones_shells_and_the_host() {
        ran("/sbin/apk", &["apk", "add", "x"]).silent();
        ran("/bin/sh", &["sh", "-c", "$(curl x)"]).silent();
        ran("/sbin/apk", &["apk", "add", "--allow-untrusted"])
            .on_host()
            .silent();
    }
}
