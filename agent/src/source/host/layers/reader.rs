//! Image by image, with a memory of layers.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::LayersError;
use super::budget::{Budget, Left};
use super::directory::Directory;
use super::layer::{Finding, Layer};
use super::union::Union;
use crate::model::{GraphDriver, ImageFiles};

/// Storage drivers that keep each layer in a directory of its own.
const DRIVERS: [&str; 2] = ["overlay2", "overlay"];
/// Most layers of an image; the drivers themselves allow 128.
const MAX_LAYERS: usize = 256;
/// Findings that a reader remembers from one image to the next, each name of a package among them: about 2 MB.
const REMEMBERED: usize = 20_000;

/// What the files of these images tell, in their order; `budget` is for all of them together. Blocks on many small
/// reads.
#[must_use]
pub fn contents(images: &[GraphDriver], budget: Budget) -> Vec<Result<ImageFiles, LayersError>> {
    let mut work = Work::new(budget);
    let mut layers = Layers::new();
    images
        .iter()
        .map(|image| work.image(image, &mut layers))
        .collect()
}

/// Layers that were read, by their directory: the driver never uses the name of one again, nor changes it.
type Layers = BTreeMap<String, Result<Layer, LayersError>>;

/// Reads images as they come. Layers that they share are read once, as far as it remembers them.
#[derive(Debug, Default)]
pub struct Reader {
    layers: Layers,
}

impl Reader {
    /// What the files of an image tell; `budget` is for this one. Blocks on many small reads.
    ///
    /// # Errors
    /// [`LayersError`].
    pub fn read(&mut self, image: &GraphDriver, budget: Budget) -> Result<ImageFiles, LayersError> {
        let files = Work::new(budget).image(image, &mut self.layers);
        // What failed may succeed another time.
        self.layers.retain(|_, layer| layer.is_ok());
        if self.layers.values().flatten().map(Layer::weight).sum::<usize>() > REMEMBERED {
            self.layers.clear();
        }
        files
    }
}

/// The reading of one image, or of several in one go.
struct Work {
    left: Left,
    /// Whether a layer hides a path.
    hidden: HashMap<(String, String), bool>,
}

impl Work {
    fn new(budget: Budget) -> Self {
        Self {
            left: Left::of(budget),
            hidden: HashMap::new(),
        }
    }

    fn image(&mut self, image: &GraphDriver, layers: &mut Layers) -> Result<ImageFiles, LayersError> {
        if image.name.is_empty() {
            return Err(LayersError::Untold);
        }
        if !DRIVERS.contains(&image.name.as_str()) || image.directories.is_empty() {
            return Err(LayersError::Driver(image.name.clone()));
        }
        if image.directories.len() > MAX_LAYERS {
            return Err(LayersError::Budget);
        }
        let mut union = Union::default();
        for (place, directory) in image.directories.iter().enumerate() {
            let layer = layers
                .entry(directory.clone())
                .or_insert_with(|| Layer::read(Path::new(directory), &mut self.left));
            let layer = layer.as_ref().map_err(Clone::clone)?;
            let above = image.directories.get(..place).unwrap_or_default();
            for finding in &layer.findings {
                let hidden = self.is_hidden(finding, above)?;
                union.add(finding, hidden);
            }
        }
        Ok(union.finish())
    }

    fn is_hidden(&mut self, finding: &Finding, above: &[String]) -> Result<bool, LayersError> {
        for upper in above {
            let key = (upper.clone(), finding.path.clone());
            let hidden = match self.hidden.get(&key) {
                Some(hidden) => *hidden,
                None => {
                    let hidden = Directory::open(Path::new(upper))?.hides(&finding.inner)?;
                    self.hidden.insert(key, hidden);
                    hidden
                }
            };
            if hidden {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
