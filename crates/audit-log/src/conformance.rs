//! The contract of [`Store`](crate::store::Store) as tests that every implementation runs.
//!
//! The suite is a function named after the trait. It panics at the first clause of the contract that does not hold:
//! "`Trait`: the clause: what was seen".
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use std::sync::Arc;
//!
//! use portcullis_audit_log::{conformance, store::MemoryStore};
//!
//! conformance::store(async || Arc::new(MemoryStore::new()) as _).await;
//! # }
//! ```

// A suite has one shape in every crate of this workspace: a file named after the trait, in it one
// function of that name, which runs the clauses in order, each on an instance of its own. A clause is
// a function named after the property; `clauses!` makes its words of that name, and `Clause` a panic.

mod records;
mod store;

use std::fmt::{Debug, Display};

pub use self::store::store;

/// Runs functions in order, each with the [`Clause`] of its name before its other arguments.
macro_rules! clauses {
    ($subject:literal; $($name:ident($($argument:expr),*);)+) => {
        $($name(Clause::new($subject, stringify!($name)), $($argument),*).await;)+
    };
}
use clauses;

/// A clause of a contract, as a panic names it.
#[derive(Clone, Copy, Debug)]
struct Clause {
    subject: &'static str,
    name: &'static str,
}

impl Clause {
    const fn new(subject: &'static str, name: &'static str) -> Self {
        Self { subject, name }
    }

    #[track_caller]
    fn holds(self, condition: bool, seen: impl Display) {
        if !condition {
            self.fails(seen);
        }
    }

    #[track_caller]
    fn same<T: Debug + PartialEq<U>, U: Debug>(self, what: &str, seen: T, expected: U) {
        if seen != expected {
            self.fails(format_args!("{what}: {seen:?}, not {expected:?}"));
        }
    }

    #[track_caller]
    fn done<T, E: Display>(self, what: &str, answer: Result<T, E>) -> T {
        answer.unwrap_or_else(|error| self.fails(format_args!("{what}: {error}")))
    }

    #[track_caller]
    fn fails(self, seen: impl Display) -> ! {
        let words = self.name.replace('_', " ");
        panic!("`{}`: {words}: {seen}", self.subject)
    }
}
