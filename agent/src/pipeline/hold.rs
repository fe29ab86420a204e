//! Events of containers that the engine has not told of yet.
//!
//! A container's first program can run before the engine's answer about it has arrived. Its events wait
//! for that answer, in order, and not for long: an event without a name is better than none.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::model::{CgroupId, Observation, Time};

/// Longest wait, from the event on.
const PATIENCE: Duration = Duration::from_millis(400);
/// Events that may wait, over all containers.
const CAPACITY: usize = 8192;

/// An enriched event whose container is still to be named.
#[derive(Debug)]
pub(super) struct Held {
    /// The event; its container is filled in when it leaves.
    pub(super) observation: Observation,
    /// Outermost cgroup of its container.
    pub(super) root: CgroupId,
    /// Whether only a namespace ties it to that container.
    pub(super) weak: bool,
}

/// The waiting room.
#[derive(Debug, Default)]
pub(super) struct Hold {
    waiting: HashMap<CgroupId, VecDeque<Held>>,
    count: usize,
}

impl Hold {
    /// Whether events of this container wait: later ones then must too.
    pub(super) fn has(&self, root: CgroupId) -> bool {
        self.waiting.contains_key(&root)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Lets an event wait; gives it back where there is no room.
    pub(super) fn push(&mut self, held: Held) -> Result<(), Box<Held>> {
        if self.count >= CAPACITY {
            return Err(Box::new(held));
        }
        self.count += 1;
        self.waiting.entry(held.root).or_default().push_back(held);
        Ok(())
    }

    /// Events of one container, oldest first.
    pub(super) fn release(&mut self, root: CgroupId) -> VecDeque<Held> {
        let out = self.waiting.remove(&root).unwrap_or_default();
        self.count -= out.len();
        out
    }

    /// Events of containers whose oldest has waited long enough, and all others of theirs; in the order
    /// in which they happened.
    pub(super) fn expired(&mut self, now: Time) -> Vec<Held> {
        let due = |queue: &VecDeque<Held>| {
            queue
                .front()
                .is_some_and(|oldest| now.since(oldest.observation.time) >= PATIENCE)
        };
        let roots: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, queue)| due(queue))
            .map(|(root, _)| *root)
            .collect();
        let mut out: Vec<_> = roots.into_iter().flat_map(|root| self.release(root)).collect();
        out.sort_by_key(|held| held.observation.time);
        out
    }

    /// Everything, in the order in which it happened.
    pub(super) fn drain(&mut self) -> Vec<Held> {
        self.count = 0;
        let mut out: Vec<_> = std::mem::take(&mut self.waiting)
            .into_values()
            .flatten()
            .collect();
        out.sort_by_key(|held| held.observation.time);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{at, exec};

    fn held(root: u64, millis: u64) -> Held {
        let observation = exec(millis, "web", 42, &["/bin/true"]);
        Held {
            observation,
            root: CgroupId(root),
            weak: false,
        }
    }

    #[test]
    fn a_container_leaves_whole_and_in_order() {
        let mut hold = Hold::default();
        for (root, millis) in [(1, 0), (2, 10), (1, 20), (1, 390)] {
            hold.push(held(root, millis)).unwrap();
        }
        assert!(hold.expired(at(399)).is_empty());
        let out = hold.expired(at(400));
        assert_eq!(
            out.iter().map(|held| held.observation.time).collect::<Vec<_>>(),
            [at(0), at(20), at(390)]
        );
        assert!(hold.has(CgroupId(2)) && !hold.has(CgroupId(1)));
        assert_eq!(hold.release(CgroupId(2)).len(), 1);
        assert!(hold.is_empty());
    }

    #[test]
    fn a_full_room_gives_the_event_back() {
        let mut hold = Hold::default();
        for _ in 0..CAPACITY {
            hold.push(held(1, 0)).unwrap();
        }
        assert_eq!(hold.push(held(1, 5)).unwrap_err().observation.time, at(5));
        assert_eq!(hold.drain().len(), CAPACITY);
        assert!(hold.is_empty());
    }
}
