//! Which containers and images: by name, label or expression. What is left out is said in the report.

mod pattern;

use std::collections::BTreeMap;

use pattern::{Pattern, Subject};

use crate::cli::Fault;
use crate::model::{Container, Excluded, Host, Image};

/// What the command line says about containers and images.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Containers of interest; all where none is named.
    pub(super) only_containers: Vec<String>,
    /// Containers to leave out.
    pub(super) skip_containers: Vec<String>,
    /// Images of interest; all where none is named.
    pub(super) only_images: Vec<String>,
    /// Images to leave out.
    pub(super) skip_images: Vec<String>,
}

/// Patterns of one sort of thing.
#[derive(Debug)]
struct Filter {
    only: Vec<Pattern>,
    skip: Vec<Pattern>,
    options: [&'static str; 2],
}

impl Scope {
    /// Takes what is out of scope out of the facts, and says what that was.
    ///
    /// # Errors
    /// A pattern that cannot be read, or an expression that gives no yes or no.
    pub(super) fn narrow(&self, host: &mut Host) -> Result<Vec<Excluded>, Fault> {
        let containers = Filter::new(
            &self.only_containers,
            &self.skip_containers,
            ["--only-container", "--skip-container"],
        )?;
        let images = Filter::new(
            &self.only_images,
            &self.skip_images,
            ["--only-image", "--skip-image"],
        )?;
        let mut excluded = Vec::new();
        containers.apply(&mut host.containers, &mut excluded, of_container)?;
        images.apply(&mut host.images, &mut excluded, of_image)?;
        Ok(excluded)
    }
}

fn of_container(container: &Container) -> Result<Subject, String> {
    let value = cel::to_value(container).map_err(|error| error.to_string())?;
    Ok(Subject {
        kind: "container",
        names: vec![container.name.clone()],
        id: container.id.as_str().to_owned(),
        labels: container.labels.iter().cloned().collect(),
        value,
    })
}

fn of_image(image: &Image) -> Result<Subject, String> {
    let value = cel::to_value(image).map_err(|error| error.to_string())?;
    Ok(Subject {
        kind: "image",
        names: image.tags.clone(),
        id: image.id.clone(),
        labels: BTreeMap::new(),
        value,
    })
}

impl Filter {
    fn new(only: &[String], skip: &[String], options: [&'static str; 2]) -> Result<Self, Fault> {
        let [only_option, skip_option] = options;
        let parse = |given: &[String], option: &str| -> Result<Vec<Pattern>, Fault> {
            let patterns = given.iter().map(|text| Pattern::parse(text));
            let patterns: Result<_, String> = patterns.collect();
            patterns.map_err(|error| Fault::usage_text(format!("{option}: {error}")))
        };
        Ok(Self {
            only: parse(only, only_option)?,
            skip: parse(skip, skip_option)?,
            options,
        })
    }

    fn apply<T>(
        &self,
        all: &mut Option<Vec<T>>,
        excluded: &mut Vec<Excluded>,
        subject: fn(&T) -> Result<Subject, String>,
    ) -> Result<(), Fault> {
        if self.only.is_empty() && self.skip.is_empty() {
            return Ok(());
        }
        let Some(listed) = all.take() else { return Ok(()) };
        let mut kept = Vec::with_capacity(listed.len());
        for one in listed {
            let subject = subject(&one).map_err(Fault::usage_text)?;
            match self.why_not(&subject).map_err(Fault::usage_text)? {
                None => kept.push(one),
                Some(why) => excluded.push(Excluded {
                    item: subject.names.first().unwrap_or(&subject.id).clone(),
                    of: subject.kind.to_owned(),
                    id: subject.id,
                    why,
                }),
            }
        }
        *all = Some(kept);
        Ok(())
    }

    /// Why a subject is out of scope; none where it is within.
    fn why_not(&self, subject: &Subject) -> Result<Option<String>, String> {
        let [only, skip] = self.options;
        for pattern in &self.skip {
            if pattern.matches(subject)? {
                return Ok(Some(format!("{skip} {}", pattern.text())));
            }
        }
        for pattern in &self.only {
            if pattern.matches(subject)? {
                return Ok(None);
            }
        }
        Ok((!self.only.is_empty()).then(|| format!("not named by {only}")))
    }
}

#[cfg(test)]
mod tests;
