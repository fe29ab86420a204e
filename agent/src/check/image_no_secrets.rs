//! Secrets that lie in images.

use super::support::{config, few, files_unread, head, image_failed, image_passed};
use super::{Assess, Basis, Benchmark, Check, Finding, Signal, View};
use crate::model::{
    Class, ContainerAction, Event, Evidence, Host, Image, SecretHint, Severity, Source, Verdict,
};

pub(super) static CHECK: Check = Check {
    key: "image-no-secrets",
    title: "Images hold no secrets in history, environment or files",
    section: "images",
    level: 1,
    early_level: 1,
    scored: &[],
    basis: Basis::Heuristic,
    severity: Severity::High,
    numbers: &[
        (Benchmark::V1_13_0, "4.10"),
        (Benchmark::V1_1_0, "4.10"),
        (Benchmark::V1_2_0, "4.10"),
        (Benchmark::V1_3_1, "4.10"),
        (Benchmark::V1_4_0, "4.10"),
        (Benchmark::V1_5_0, "4.10"),
        (Benchmark::V1_6_0, "4.10"),
        (Benchmark::V1_7_0, "4.10"),
        (Benchmark::V1_8_0, "4.10"),
    ],
    about: "Whoever can pull an image can read all of it: its environment, labels, commands, build \
            arguments, and every file of every layer, also those that a later layer deletes. Names, \
            known forms of tokens and keys, and randomness tell a secret; its value is never shown, only \
            the start of its digest. The signs may mislead both ways. Live, a container that is created \
            with a secret in its environment is told too.",
    remedy: "Use build secret mounts and secret files, and replace what was exposed",
    assess: Assess::Image(assess),
    signals: &[
        Signal {
            kind: "image",
            when: "an image is pulled, built or loaded",
        },
        Signal {
            kind: "container",
            when: "a container is created with what looks like a secret in its environment",
        },
    ],
    observe,
};

fn assess(image: &Image, host: &Host) -> Verdict {
    let Some(hints) = &image.secrets else {
        return Verdict::unknown("the image was not searched for secrets");
    };
    if !hints.is_empty() {
        let clause = format!("holds what looks like {}", few(&in_words(hints)));
        let shown = serde_json::json!({ "image": image.id, "hints": head(hints), "count": hints.len() });
        let shown = Evidence::new(Source::Assessment, "secrets", shown);
        return image_failed(image, host, CHECK.severity, &clause, vec![shown]);
    }
    if image.contents.is_none() {
        return Verdict::unknown(format!(
            "the image's configuration and history show no secret, but {}",
            files_unread(image)
        ));
    }
    image_passed(image, "shows no secret in its configuration, history and files")
}

fn in_words(hints: &[SecretHint]) -> Vec<String> {
    let word = |hint: &SecretHint| format!("a {} in its {}: {}", hint.kind, hint.place, hint.name);
    hints.iter().map(word).collect()
}

fn observe(view: &View<'_>) -> Option<Finding> {
    let Event::Container {
        action: ContainerAction::Created,
        facts,
    } = &view.observation.event
    else {
        return None;
    };
    let images = view.host.images.iter().flatten();
    let image = images
        .into_iter()
        .find(|image| Some(&image.id) == facts.image_id.as_ref());
    let inherited = |hint: &SecretHint| {
        let own = image.and_then(|image| image.secrets.as_ref());
        own.into_iter()
            .flatten()
            .any(|other| other.name == hint.name && other.digest == hint.digest)
    };
    let hints: Vec<_> = facts
        .secrets
        .iter()
        .flatten()
        .filter(|hint| hint.place == "env" && !inherited(hint))
        .cloned()
        .collect();
    let names: Vec<_> = hints.iter().map(|hint| hint.name.as_str()).collect();
    let first = names.first()?;
    let summary = format!(
        "container {} was created with what looks like a secret in its environment: {}",
        facts.name,
        few(&names)
    );
    let shown = config("Config.Env", head(&hints));
    Some(
        Finding::new(Class::Drift, *first, summary)
            .severity(Severity::Medium)
            .evidence(shown),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Scene, assert_fails, assert_passes, assert_unknown, container, image, judge_image, seen_in,
    };
    use super::*;

    fn hint(place: &str) -> SecretHint {
        SecretHint {
            place: place.into(),
            name: "API_TOKEN".into(),
            kind: "token".into(),
            digest: "0a1b2c3d".into(),
        }
    }

    #[track_caller]
    fn check(hints: Option<Vec<SecretHint>>, files_read: bool) -> Verdict {
        judge_image(&CHECK, |image, host| {
            image.secrets = hints;
            image.contents = image.contents.take().filter(|_| files_read);
            host.containers = Some(vec![container("web")]);
        })
    }

    #[test]
    fn pass_one_that_was_searched_through() {
        assert_passes(&check(Some(Vec::new()), true));
    }

    #[test]
    fn fail_a_sign_of_a_secret() {
        let words = "image app:1 holds what looks like a token in its deleted-file: API_TOKEN";
        assert_fails(
            &check(Some(vec![hint("deleted-file")]), false),
            Severity::High,
            words,
        );
        let unused = judge_image(&CHECK, |image, _| image.secrets = Some(vec![hint("history")]));
        assert_fails(&unused, Severity::Low, "in its history");
    }

    #[test]
    fn unknown_where_files_or_all_could_not_be_read() {
        assert_unknown(&check(Some(Vec::new()), false), "its files have not been read");
        assert_unknown(&check(None, true), "was not searched");
    }

    /// A container is created with a secret in its environment.
    fn created(place: &str) -> Scene {
        let mut facts = container("web");
        facts.secrets = Some(vec![hint(place)]);
        let facts = Box::new(facts);
        let event = Event::Container {
            action: ContainerAction::Created,
            facts,
        };
        let mut scene = Scene::new(&CHECK, seen_in("web", event));
        scene.host.images = Some(vec![image()]);
        scene
    }

    #[test]
    fn a_container_with_a_secret_is_drift_unless_it_is_the_images() {
        let summary = "container web was created with what looks like a secret in its environment: API_TOKEN";
        created("env").finds(Class::Drift, Severity::Medium, summary);
        created("label").silent();
        let mut inherited = created("env");
        inherited.host.images.as_mut().unwrap()[0].secrets = Some(vec![hint("env")]);
        inherited.silent();
    }
}
