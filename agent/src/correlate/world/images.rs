//! Images of the host, and whose names they bear.

use super::{CAPACITY, Learnt, Reassessed, World, reassessed};
use crate::check::{Of, is_same_image};
use crate::model::{Fact, Image, ImageFiles, Time};

impl World {
    /// Forgets an image; gives the names that it bore.
    pub(super) fn drop_image(&mut self, id: &String) -> Vec<String> {
        self.posture.forget_image(id);
        let Some(place) = self.images.remove(id) else {
            return Vec::new();
        };
        let all = self.host.images.get_or_insert_default();
        let mut names = Vec::new();
        if place < all.len() {
            names = all.swap_remove(place).tags;
        }
        if let Some(moved) = all.get(place) {
            self.images.insert(moved.id.clone(), place);
        }
        names
    }

    /// An image, and the containers that were made of what its names stood for: a name that moves makes them stale.
    pub(super) fn learn_image(&mut self, image: &Image, at: Time) -> Learnt {
        let image = &self.completed(image);
        let assessed = self.posture.assess_image(image, &self.host, at);
        let mut all = reassessed(&Of::Image(image.id.clone()), assessed);
        let mut moved = self.take_names(image);
        let before = self.image(&image.id);
        let before = before.map(|before| before.tags.clone()).unwrap_or_default();
        let differs = |name: &&String| before.contains(name) != image.tags.contains(name);
        moved.extend(before.iter().chain(&image.tags).filter(differs).cloned());
        self.keep_image(image);
        all.extend(self.reassess_users(&moved, at));
        Learnt::again(all)
    }

    /// What was read of the files of an image, or why nothing was.
    pub(super) fn learn_files(&mut self, id: &str, files: &Fact<Box<ImageFiles>>, at: Time) -> Learnt {
        let Some(mut image) = self.image(id).cloned() else {
            return Learnt::default();
        };
        match files {
            Fact::Known(files) => files.as_ref().clone().fill(&mut image),
            Fact::Unknown(why) => image.unread = Some(why.clone()),
        }
        let assessed = self.posture.assess_image(&image, &self.host, at);
        self.keep_image(&image);
        Learnt::again(reassessed(&Of::Image(image.id), assessed))
    }

    fn image(&self, id: &str) -> Option<&Image> {
        self.host.images.as_ref()?.get(*self.images.get(id)?)
    }

    /// An image as the engine tells it, with what is known of it beyond that.
    fn completed(&self, told: &Image) -> Image {
        let mut image = told.clone();
        if let Some(known) = self.image(&told.id) {
            // Another name makes none new that was there before.
            image.announced &= known.announced;
            if image.contents.is_none() {
                image.keep_files(known);
            }
        }
        image
    }

    /// A name stands for one image: takes it from those that bore it before. Gives what was taken.
    fn take_names(&mut self, image: &Image) -> Vec<String> {
        let mut taken = Vec::new();
        let others = self.host.images.iter_mut().flatten();
        for other in others.filter(|other| other.id != image.id) {
            taken.extend(other.tags.extract_if(.., |name| image.tags.contains(name)));
        }
        taken
    }

    /// Judges anew the containers that were made by one of these names.
    pub(super) fn reassess_users(&mut self, names: &[String], at: Time) -> Vec<Reassessed> {
        if names.is_empty() {
            return Vec::new();
        }
        let mut all = Vec::new();
        let containers = self.host.containers.iter().flatten();
        for facts in containers.filter(|facts| names.iter().any(|name| is_same_image(name, &facts.image))) {
            let assessed = self.posture.assess_container(facts, &self.host, at);
            all.extend(reassessed(&Of::Container(facts.id.clone()), assessed));
        }
        all
    }

    fn keep_image(&mut self, image: &Image) {
        let all = self.host.images.get_or_insert_default();
        if let Some(known) = self.images.get(&image.id).and_then(|place| all.get_mut(*place)) {
            *known = image.clone();
        } else if all.len() < CAPACITY {
            self.images.insert(image.id.clone(), all.len());
            all.push(image.clone());
        } else {
            self.lost += 1;
        }
    }
}

#[cfg(test)]
mod tests;
