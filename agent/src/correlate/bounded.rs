//! A map that cannot grow without end.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A map of at most `capacity` entries, which remembers the order in which they were last touched.
///
/// Iteration goes by that order and never by hash: the same calls give the same results in every run.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, (u64, V)>,
    order: BTreeMap<u64, K>,
    next: u64,
    capacity: usize,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    /// An empty map; a capacity of zero counts as one.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            capacity: capacity.max(1),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The entry to be changed, where it stands.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// The entry to be changed, which is now the last touched.
    pub(super) fn touch(&mut self, key: &K) -> Option<&mut V> {
        let (place, value) = self.entries.get_mut(key)?;
        let owned = self.order.remove(place)?;
        *place = self.next;
        self.order.insert(self.next, owned);
        self.next += 1;
        Some(value)
    }

    /// Adds an entry, or replaces it; gives back the one that was touched least recently if there was
    /// no room.
    #[must_use = "what is pushed out is a loss, to be reported"]
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some(present) = self.touch(&key) {
            *present = value;
            return None;
        }
        let pushed_out = (self.entries.len() >= self.capacity)
            .then(|| self.pop_oldest())
            .flatten();
        self.order.insert(self.next, key.clone());
        self.entries.insert(key, (self.next, value));
        self.next += 1;
        pushed_out
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let (place, value) = self.entries.remove(key)?;
        self.order.remove(&place);
        Some(value)
    }

    /// The entry touched least recently.
    pub(super) fn oldest(&self) -> Option<(&K, &V)> {
        let key = self.order.values().next()?;
        self.get(key).map(|value| (key, value))
    }

    pub(super) fn pop_oldest(&mut self) -> Option<(K, V)> {
        let (_, key) = self.order.pop_first()?;
        let (_, value) = self.entries.remove(&key)?;
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_touched_entry_makes_room() {
        let mut map = Bounded::new(2);
        assert_eq!(map.insert("a", 1), None);
        assert_eq!(map.insert("b", 2), None);
        *map.touch(&"a").unwrap() += 10;
        assert_eq!(map.insert("b", 3), None, "a replacement needs no room");
        assert_eq!(map.insert("c", 4), Some(("a", 11)));
        assert_eq!(map.oldest(), Some((&"b", &3)));
        assert_eq!(map.remove(&"b"), Some(3));
        assert_eq!(map.pop_oldest(), Some(("c", 4)));
        assert_eq!(map.pop_oldest(), None);
    }
}
