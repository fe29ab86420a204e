//! Leaving an engine as it was.

use std::collections::HashMap;

use bollard::models::{ContainerSummary, ImageSummary};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};

use super::super::client::within;
use super::super::error::RequestError;
use super::super::event;
use super::{LABEL, NAME, Stage, StageError};
use crate::model::ContainerId;

/// Containers, and images, of earlier stages that are removed at once; there is one where there is any.
const LEFTOVERS: usize = 16;

impl Stage {
    /// Removes container and image, if they were made; also where a request was cancelled on the way.
    ///
    /// # Errors
    /// One of them is still there, or may be.
    pub async fn clear(&mut self) -> Result<(), StageError> {
        if !self.begun {
            return Ok(());
        }
        self.requests.settle(self.limits.settle).await;
        self.remove_container(&self.container()).await?;
        self.remove_image(&self.image()).await?;
        self.begun = false;
        Ok(())
    }

    /// Removes what stages left behind that could not be cleared; says how many things that were.
    ///
    /// # Errors
    /// One of them is still there, or may be.
    pub async fn sweep(&self) -> Result<usize, StageError> {
        let failed = |error| StageError::new("look for leftovers", error);
        let labelled = HashMap::from([("label".to_owned(), vec![LABEL.to_owned()])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&labelled);
        let list = self.docker.list_containers(Some(options.build()));
        let containers = within("/containers/json", self.limits.request, list)
            .await
            .map_err(failed)?;
        let options = ListImagesOptionsBuilder::new().filters(&labelled);
        let list = self.docker.list_images(Some(options.build()));
        let images = within("/images/json", self.limits.request, list)
            .await
            .map_err(failed)?;
        let mut removed = 0;
        for id in containers.iter().filter_map(our_container).take(LEFTOVERS) {
            self.remove_container(id.as_str()).await?;
            removed += 1;
        }
        for id in images.iter().filter_map(our_image).take(LEFTOVERS) {
            self.remove_image(id).await?;
            removed += 1;
        }
        Ok(removed)
    }

    async fn remove_container(&self, name: &str) -> Result<(), StageError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let remove = self.docker.remove_container(name, Some(options));
        absent(within("/containers/ID", self.limits.request, remove).await)
            .map_err(|error| StageError::new("remove the container", error))
    }

    async fn remove_image(&self, name: &str) -> Result<(), StageError> {
        let options = RemoveImageOptionsBuilder::new().force(true).build();
        let remove = self.docker.remove_image(name, Some(options), None);
        absent(
            within("/images/NAME", self.limits.request, remove)
                .await
                .map(|_layers| ()),
        )
        .map_err(|error| StageError::new("remove the image", error))
    }
}

/// Id of a container that a stage made. The engine was asked for no others; that it listened is not taken on trust.
fn our_container(container: &ContainerSummary) -> Option<ContainerId> {
    let prefix = format!("/{NAME}-");
    let named = container
        .names
        .iter()
        .flatten()
        .any(|name| name.starts_with(&prefix));
    let labelled = container.labels.as_ref().is_some_and(is_labelled);
    let id = container.id.as_ref().filter(|_| named && labelled)?;
    id.parse().ok()
}

/// As [`our_container`], of an image, which has no other name.
fn our_image(image: &ImageSummary) -> Option<&str> {
    let prefix = format!("{NAME}:");
    // Podman puts its name for "here" before.
    let is_ours = |tag: &String| tag.trim_start_matches("localhost/").starts_with(&prefix);
    let ours = is_labelled(&image.labels) && image.repo_tags.iter().all(is_ours);
    Some(image.id.as_str()).filter(|id| ours && event::is_name(id))
}

fn is_labelled(labels: &HashMap<String, String>) -> bool {
    labels
        .iter()
        .any(|(name, value)| format!("{name}={value}") == LABEL)
}

/// What is not there need not be removed.
fn absent(removed: Result<(), RequestError>) -> Result<(), RequestError> {
    match removed {
        Err(RequestError::NotFound) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(label: &str, container: &str, tags: &[&str], ours: [bool; 2]) {
        let id = "ab".repeat(32);
        let summary = json!({ "Id": id, "Names": [container], "Labels": { "hullwatch.demo": label } });
        let found = our_container(&serde_json::from_value(summary).unwrap());
        assert_eq!(found.map(String::from), ours[0].then_some(id), "{container}");
        let summary = json!({ "Id": "sha256:1", "ParentId": "", "RepoTags": tags, "RepoDigests": [], "Created": 0,
            "Size": 0, "SharedSize": 0, "Labels": { "hullwatch.demo": label }, "Containers": 0 });
        let found = serde_json::from_value(summary).unwrap();
        assert_eq!(our_image(&found), ours[1].then_some("sha256:1"), "{tags:?}");
    }

    #[test]
    fn only_what_bears_label_and_name_is_a_leftover() {
        check("1", "/hullwatch-demo-t1", &["hullwatch-demo:t1"], [true, true]);
        check(
            "1",
            "/hullwatch-demo-t1",
            &["localhost/hullwatch-demo:t1"],
            [true, true],
        );
        check("1", "/hullwatch-demo-t1", &[], [true, true]);
        check("2", "/hullwatch-demo-t1", &["hullwatch-demo:t1"], [false, false]);
        check("1", "/web", &["hullwatch-demo:t1", "web:1"], [false, false]);
        check(
            "1",
            "/web-hullwatch-demo-t1",
            &["web/hullwatch-demo:t1"],
            [false, false],
        );
    }
}
