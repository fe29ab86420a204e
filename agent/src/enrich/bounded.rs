//! A map that forgets its oldest entries.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// At most so many entries; the one inserted first goes first.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    capacity: usize,
}

impl<K: Eq + Hash + Clone, V> Bounded<K, V> {
    /// An empty map for `capacity` entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    /// The entry.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// Adds or replaces an entry. A replaced entry keeps its age.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        while self.entries.len() > self.capacity {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_makes_room() {
        let mut map = Bounded::new(2);
        for key in 1..=3 {
            map.insert(key, key * 10);
        }
        map.insert(2, 99);
        map.insert(4, 40);
        assert_eq!(
            (map.get(&1), map.get(&2), map.get(&3), map.get(&4)),
            (None, None, Some(&30), Some(&40))
        );
    }
}
