//! Why a log is followed no more.

use crate::{event::LeafError, sink::DeliveryError, store::StoreError};

/// What has ended a [`Follower`](super::Follower). Its cursor stays: the next one goes on there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowEnd {
    /// The receiver wants no more.
    #[error("the receiver is gone; take it out of the configuration")]
    Gone,
    /// The last attempt that the schedule has was made.
    #[error("the receiver did not take entry {next} in all attempts; start again when it does")]
    Exhausted {
        /// The leaf that was not delivered.
        next: u64,
        /// What the last attempt failed with.
        #[source]
        last: DeliveryError,
    },
    /// The store has something wrong that trying again does not change.
    #[error("the audit log cannot be followed")]
    Store(#[from] StoreError),
    /// An entry of the log is no leaf.
    #[error("entry {n} of the audit log is no leaf")]
    NoLeaf {
        /// Which one.
        n: u64,
        /// Where it stops to be one.
        #[source]
        source: LeafError,
    },
}
