//! One clause of a contract, which panics by its name.

use std::fmt::{Debug, Display};

/// A clause, by the words in which a panic names it.
#[derive(Clone, Copy)]
pub(super) struct Clause(pub(super) &'static str);

impl Clause {
    #[track_caller]
    pub(super) fn holds(self, condition: bool) {
        assert!(condition, "the contract is broken: {}", self.0);
    }

    #[track_caller]
    pub(super) fn same<T: Debug + PartialEq>(self, found: T, expected: T) {
        assert_eq!(found, expected, "the contract is broken: {}", self.0);
    }

    #[track_caller]
    pub(super) fn done<T, E: Display>(self, result: Result<T, E>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => panic!("the contract is broken: {}: {error}", self.0),
        }
    }

    #[track_caller]
    pub(super) fn some<T>(self, value: Option<T>) -> T {
        match value {
            Some(value) => value,
            None => panic!("the contract is broken: {}: nothing is there", self.0),
        }
    }
}
