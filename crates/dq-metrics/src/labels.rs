//! A bounded set of names: the first to come get an entry, all later ones share `__other__`.

use std::{
    hash::BuildHasher,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

use foldhash::fast::RandomState;

/// Name of the entry that all names beyond the bound share.
pub(crate) const OTHER: &str = "__other__";

/// Name of the entry for what is not known (yet).
pub(crate) const UNKNOWN: &str = "__unknown__";

/// Whether this is the name of an entry that many share, and of nobody.
pub(crate) fn is_shared(name: &str) -> bool {
    [OTHER, UNKNOWN].contains(&name)
}

/// Longest name that gets an entry of its own, in bytes.
const LONGEST: usize = 255;

/// Marks a place of the hash table that no name has taken.
const VACANT: u16 = u16::MAX;

/// Names to small numbers, bounded, and never forgetting.
///
/// Reading takes no lock: a name, once there, never moves. Entries are numbered `0..capacity` in the
/// order they came, then `__other__`, then `__unknown__`.
#[derive(Debug)]
pub(crate) struct Labels {
    /// Names that are made to collide cost no more than a comparison with each name of the table.
    hasher: RandomState,
    /// Open addressing with linear probing, at most half full; holds indices into `names`.
    table: Box<[AtomicU16]>,
    names: Box<[OnceLock<Box<str>>]>,
    /// How many of `names` are taken; held while one is added.
    taken: Mutex<u16>,
}

/// The number of a name in its [`Labels`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label(u16);

impl Labels {
    pub(crate) fn new(capacity: u16) -> Self {
        let places = (usize::from(capacity) * 2).next_power_of_two();
        Self {
            hasher: RandomState::default(),
            table: (0..places).map(|_| AtomicU16::new(VACANT)).collect(),
            names: (0..capacity).map(|_| OnceLock::new()).collect(),
            taken: Mutex::new(0),
        }
    }

    /// How many numbers there are: the names, `__other__` and `__unknown__`.
    pub(crate) const fn numbers(capacity: u16) -> usize {
        capacity as usize + 2
    }

    /// The number of `name`; a new name gets one if there is room and `admit` says yes.
    pub(crate) fn resolve(&self, name: Option<&str>, admit: impl FnOnce(&str) -> bool) -> Label {
        let Some(name) = name else {
            return self.unknown();
        };
        match self.probe(name) {
            Ok(label) => label,
            Err(_) if !self.has_room_for(name) || !admit(name) => self.other(),
            Err(_) => self.claim(name),
        }
    }

    /// The number of a name that has one; `__other__` and `__unknown__` have.
    pub(crate) fn find(&self, name: &str) -> Option<Label> {
        match name {
            OTHER => Some(self.other()),
            UNKNOWN => Some(self.unknown()),
            name => self.probe(name).ok(),
        }
    }

    /// Whether this name would get an entry if it came now.
    pub(crate) fn has_room_for(&self, name: &str) -> bool {
        !self.is_full() && is_identifier(name)
    }

    pub(crate) fn name(&self, label: Label) -> &str {
        match self.names.get(label.index()) {
            Some(name) => name.get().map_or(OTHER, |name| name),
            None if label == self.other() => OTHER,
            None => UNKNOWN,
        }
    }

    /// Every number in use, `__other__` and `__unknown__` at the end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Label> {
        let names = (0..)
            .zip(&self.names)
            .take_while(|(_, name)| name.get().is_some());
        names
            .map(|(index, _)| Label(index))
            .chain([self.other(), self.unknown()])
    }

    /// The number of a known name, or the vacant place where it would stand.
    fn probe(&self, name: &str) -> Result<Label, usize> {
        let mask = self.table.len() - 1;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "any bits of the hash will do"
        )]
        let mut place = self.hasher.hash_one(name) as usize & mask;
        loop {
            // Acquire pairs with the release in `claim`: a number seen here has its name set.
            let index = self.table[place].load(Ordering::Acquire);
            if index == VACANT {
                return Err(place);
            }
            if self.names[usize::from(index)]
                .get()
                .is_some_and(|known| **known == *name)
            {
                return Ok(Label(index));
            }
            place = (place + 1) & mask;
        }
    }

    fn claim(&self, name: &str) -> Label {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have added this name, or the last one, since the first look.
        let place = match self.probe(name) {
            Ok(label) => return label,
            Err(place) => place,
        };
        let Some(entry) = self.names.get(usize::from(*taken)) else {
            return self.other();
        };
        entry.get_or_init(|| name.into());
        self.table[place].store(*taken, Ordering::Release);
        let label = Label(*taken);
        *taken += 1;
        label
    }

    fn is_full(&self) -> bool {
        self.names.last().is_none_or(|last| last.get().is_some())
    }

    fn other(&self) -> Label {
        Label(self.capacity())
    }

    fn unknown(&self) -> Label {
        Label(self.capacity() + 1)
    }

    fn capacity(&self) -> u16 {
        u16::try_from(self.names.len()).expect("made from a u16")
    }
}

impl Label {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Whether a name may become a label: an identifier of at most [`LONGEST`] bytes.
///
/// Blanks, quotes, `@`, `+` and line breaks are out, so that a sender can neither write an e-mail
/// address into a label nor break an exposition format, and `__…` is kept for our own entries.
fn is_identifier(name: &str) -> bool {
    name.len() <= LONGEST
        && name
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:-/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(_: &str) -> bool {
        true
    }

    #[test]
    fn the_first_names_get_entries_and_the_rest_share_one() {
        let labels = Labels::new(2);
        let seen: Vec<_> = ["a", "b", "c", "a", "d"]
            .map(|name| labels.name(labels.resolve(Some(name), any)).to_owned())
            .into();
        assert_eq!(seen, ["a", "b", OTHER, "a", OTHER]);
        let all: Vec<_> = labels.iter().map(|label| labels.name(label)).collect();
        assert_eq!(all, ["a", "b", OTHER, UNKNOWN]);
    }

    #[test]
    fn nothing_known_has_an_entry_of_its_own() {
        let labels = Labels::new(2);
        assert_eq!(labels.name(labels.resolve(None, any)), UNKNOWN);
    }

    #[test]
    fn finding_adds_nothing() {
        let labels = Labels::new(2);
        assert_eq!(labels.find("a"), None);
        let label = labels.resolve(Some("a"), any);
        assert_eq!(labels.find("a"), Some(label));
        assert_eq!(
            labels.find(OTHER).map(|label| labels.name(label)),
            Some(OTHER)
        );
        assert_eq!(
            labels.find(UNKNOWN).map(|label| labels.name(label)),
            Some(UNKNOWN)
        );
    }

    #[test]
    fn what_is_no_identifier_never_becomes_a_label() {
        let labels = Labels::new(8);
        let long = "x".repeat(LONGEST + 1);
        for name in [
            "",
            "john@example.com",
            "+4915112345678",
            "a b",
            "a\"",
            "a\n",
            "__other__",
        ] {
            assert_eq!(
                labels.name(labels.resolve(Some(name), any)),
                OTHER,
                "{name:?}"
            );
        }
        assert_eq!(labels.name(labels.resolve(Some(&long), any)), OTHER);
        assert_eq!(
            labels.name(labels.resolve(Some(&long[1..]), any)),
            &long[1..]
        );
        assert_eq!(labels.iter().count(), 3);
    }

    #[test]
    fn a_name_that_is_not_admitted_shares_the_overflow() {
        let labels = Labels::new(2);
        assert_eq!(labels.name(labels.resolve(Some("a"), |_| false)), OTHER);
        assert_eq!(labels.find("a"), None);
    }

    #[test]
    fn threads_that_race_for_a_name_get_the_same_entry() {
        const THREADS: usize = 4;
        for _ in 0..200 {
            let labels = Labels::new(64);
            let start = std::sync::Barrier::new(THREADS);
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        start.wait();
                        for n in 0..100 {
                            let name = format!("n{n}");
                            let label = labels.resolve(Some(&name), any);
                            let known = labels.name(label);
                            assert!(known == name || known == OTHER);
                        }
                    });
                }
            });
            let names: std::collections::BTreeSet<_> =
                labels.iter().map(|label| labels.name(label)).collect();
            assert_eq!(names.len(), 64 + 2, "none has two entries");
        }
    }
}
