//! How often each name came.

use std::collections::BTreeMap;

/// The most names that are told apart. They are constants of a program, which has fewer.
pub const MAX_NAMES: usize = 1_024;

/// Numbers by name, and one for all names that were too many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    names: BTreeMap<String, u64>,
    others: u64,
}

impl Tally {
    /// The names with their numbers, the largest first.
    #[must_use]
    pub fn by_number(&self) -> Vec<(&str, u64)> {
        let mut names: Vec<_> = self.iter().collect();
        names.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        names
    }

    /// The names with their numbers, in the order of the alphabet.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.names
            .iter()
            .map(|(name, number)| (name.as_str(), *number))
    }

    /// The number of a name.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.names.get(name).copied().unwrap_or(0)
    }

    /// The number of those whose names were too many.
    #[must_use]
    pub const fn others(&self) -> u64 {
        self.others
    }

    /// All of them.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.names
            .values()
            .fold(self.others, |sum, number| sum.saturating_add(*number))
    }

    pub(super) fn add(&mut self, name: &str, number: u64) {
        let counted = if let Some(counted) = self.names.get_mut(name) {
            counted
        } else if self.names.len() < MAX_NAMES {
            self.names.entry(name.to_owned()).or_default()
        } else {
            &mut self.others
        };
        *counted = counted.saturating_add(number);
    }
}
