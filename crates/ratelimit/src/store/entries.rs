//! A fixed number of entries by fingerprint, none of which has to be swept away.

use std::num::NonZeroUsize;

use super::fingerprint::Fingerprint;

/// The entries that a key may take the place of.
const GROUP: usize = 8;

/// At most a fixed number of values by fingerprint. A key has eight places, which it shares with
/// others; where none is free, the value that is needed least gives way. So every operation looks at
/// eight entries, and nobody can make one look at more.
pub(super) struct Entries<T> {
    places: Box<[Option<(Fingerprint, T)>]>,
}

impl<T> Entries<T> {
    /// Room for `capacity` values, rounded up to whole groups.
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        let groups = capacity.get().div_ceil(GROUP);
        let places = std::iter::repeat_with(|| None).take(groups * GROUP);
        Self {
            places: places.collect(),
        }
    }

    #[inline]
    pub(super) fn find(&self, key: Fingerprint) -> Option<&T> {
        let group = self.group(key);
        let mut taken = self.places[group..group + GROUP].iter().flatten();
        taken.find_map(|(held, value)| (*held == key).then_some(value))
    }

    #[inline]
    pub(super) fn find_mut(&mut self, key: Fingerprint) -> Option<&mut T> {
        let group = self.group(key);
        let mut taken = self.places[group..group + GROUP].iter_mut().flatten();
        taken.find_map(|(held, value)| (*held == key).then_some(value))
    }

    /// Puts `value` in a free place, or in that of the entry with the lowest `need`; not at all if
    /// each has none. Gives back what it replaced. The key must not be there yet.
    pub(super) fn put<Need: Ord>(
        &mut self,
        key: Fingerprint,
        value: T,
        need: impl Fn(&T) -> Option<Need>,
    ) -> Result<Option<T>, T> {
        let group = self.group(key);
        let places = &mut self.places[group..group + GROUP];
        let least = places
            .iter_mut()
            .filter_map(|place| {
                let rank = match place {
                    None => None,
                    Some((_, held)) => Some(need(held)?),
                };
                Some((rank, place))
            })
            .min_by(|(one, _), (other, _)| one.cmp(other));
        match least {
            Some((_, place)) => Ok(place.replace((key, value)).map(|(_, replaced)| replaced)),
            None => Err(value),
        }
    }

    /// Removes the value of `key`, and says whether there was one.
    pub(super) fn remove(&mut self, key: Fingerprint) -> bool {
        let group = self.group(key);
        let places = &mut self.places[group..group + GROUP];
        let mut held = places
            .iter_mut()
            .filter(|place| place.as_ref().is_some_and(|(held, _)| *held == key));
        held.next().is_some_and(|place| place.take().is_some())
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten().map(|(_, value)| value)
    }

    fn group(&self, key: Fingerprint) -> usize {
        key.place_below(self.places.len() / GROUP) * GROUP
    }
}

#[cfg(test)]
mod tests;
