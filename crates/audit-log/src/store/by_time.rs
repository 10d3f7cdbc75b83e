//! Leaves by their time.

use std::num::NonZeroUsize;

use super::{Store, StoreError};
use crate::{
    event::{Leaf, Timestamp},
    search::Bisection,
};

/// The first leaf that is not before a time; the size of the log if there is none. Leaves stand in the order in which they
/// were written, which is that of their times but for the seconds that one may have waited. It reads about
/// log<sub>2</sub> of as many leaves as the log has.
///
/// # Errors
/// [`StoreError`].
pub async fn first_since(store: &dyn Store, time: Timestamp) -> Result<u64, StoreError> {
    let mut bisection = Bisection::of(store.first().await?..store.size().await?);
    while let Some(n) = bisection.asks() {
        let is_before = match time_of(store, n).await {
            // Taken away meanwhile, as what is too old is.
            Err(StoreError::Pruned { .. }) => true,
            found => found?.is_some_and(|of| of < time),
        };
        bisection.is_before(is_before);
    }
    Ok(bisection.first())
}

/// The time of a leaf, if there is one of that number.
pub(crate) async fn time_of(store: &dyn Store, n: u64) -> Result<Option<Timestamp>, StoreError> {
    let batch = store.entries(n, NonZeroUsize::MIN).await?;
    let leaf = batch.iter().next().map(|(_, leaf)| Leaf::parse(leaf));
    let leaf = leaf.transpose().map_err(StoreError::damaged)?;
    Ok(leaf.map(|leaf| leaf.time()))
}
