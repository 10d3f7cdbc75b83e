//! Work that takes long and waits for nothing lets others run in between: a worker of the runtime goes on
//! with one task until that waits.

use tokio::task::yield_now;

/// The work of one task since others could run.
#[derive(Debug)]
pub(super) struct Turns {
    most: usize,
    done: usize,
}

impl Turns {
    /// Others run whenever so many units of work are done.
    pub(super) const fn of(most: usize) -> Self {
        Self { most, done: 0 }
    }

    /// So many units were done.
    pub(super) async fn done(&mut self, units: usize) {
        self.done = self.done.saturating_add(units);
        if self.done >= self.most {
            self.done = 0;
            yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn others_run_once_so_much_is_done_and_not_before() {
        let ran = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&ran);
        tokio::spawn(async move { other.store(true, Ordering::SeqCst) });
        let mut turns = Turns::of(3);
        for (units, expected) in [(1, false), (1, false), (1, true)] {
            turns.done(units).await;
            assert_eq!(ran.load(Ordering::SeqCst), expected);
        }
        ran.store(false, Ordering::SeqCst);
        let other = Arc::clone(&ran);
        tokio::spawn(async move { other.store(true, Ordering::SeqCst) });
        turns.done(2).await;
        assert!(!ran.load(Ordering::SeqCst));
        turns.done(usize::MAX).await;
        assert!(ran.load(Ordering::SeqCst));
    }
}
