//! Where the data keys of a request came from. The keyring tells its observer, on the task that asks.

use std::cell::Cell;

use tokio::task_local;

/// How many data keys were in memory, and how many the key-encryption key was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeyLookups {
    pub(crate) cached: u32,
    pub(crate) unwrapped: u32,
}

task_local! {
    static LOOKUPS: Cell<KeyLookups>;
}

impl KeyLookups {
    /// Does some work, and tells which keys it looked for.
    pub(super) async fn during<T>(work: impl Future<Output = T>) -> (T, Self) {
        let counted = async {
            let outcome = work.await;
            (outcome, LOOKUPS.with(Cell::get))
        };
        LOOKUPS.scope(Cell::default(), counted).await
    }

    /// Notes that a key was in memory; outside such work it changes nothing.
    pub(crate) fn note_cached() {
        Self::note(|lookups| lookups.cached += 1);
    }

    /// Notes that the key-encryption key is asked for a key.
    pub(crate) fn note_unwrapped() {
        Self::note(|lookups| lookups.unwrapped += 1);
    }

    fn note(count: impl FnOnce(&mut Self)) {
        // Outside, nobody wants to know.
        let _ = LOOKUPS.try_with(|noted| {
            let mut lookups = noted.get();
            count(&mut lookups);
            noted.set(lookups);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_work_is_told_of_its_own_lookups() {
        KeyLookups::note_cached();
        let work = KeyLookups::during(async {
            KeyLookups::note_cached();
            let inner = KeyLookups::during(async { KeyLookups::note_unwrapped() });
            let ((), inner) = inner.await;
            KeyLookups::note_cached();
            inner
        });
        let (inner, outer) = work.await;
        assert_eq!((inner.cached, inner.unwrapped), (0, 1));
        assert_eq!((outer.cached, outer.unwrapped), (2, 0));
    }
}
