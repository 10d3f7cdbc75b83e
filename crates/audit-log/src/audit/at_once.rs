//! Several things at once, on the task of who waits for them.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// What comes of each, in their order, when all have ended. For a few: whenever one goes on, all are looked at.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = futures.into_iter().map(State::new).collect();
    poll_fn(|context| {
        // Each of them, also behind one that waits.
        let waiting = all.iter_mut().filter_map(|one| one.waits(context)).count();
        if waiting == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    all.into_iter().filter_map(State::ended).collect()
}

enum State<F: Future> {
    Waits(Pin<Box<F>>),
    Ended(F::Output),
}

impl<F: Future> State<F> {
    fn new(future: F) -> Self {
        Self::Waits(Box::pin(future))
    }

    /// Lets it go on. `None` once it has ended.
    fn waits(&mut self, context: &mut Context<'_>) -> Option<()> {
        if let Self::Waits(future) = self {
            match future.as_mut().poll(context) {
                Poll::Pending => return Some(()),
                Poll::Ready(output) => *self = Self::Ended(output),
            }
        }
        None
    }

    fn ended(self) -> Option<F::Output> {
        match self {
            Self::Waits(_) => None,
            Self::Ended(output) => Some(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_take_as_long_as_the_slowest_and_keep_their_order() {
        let began = crate::audit::tests::now();
        let each = [30, 10, 20].map(|millis| async move {
            sleep(Duration::from_millis(millis)).await;
            millis
        });
        assert_eq!(all(each).await, [30, 10, 20]);
        assert_eq!(began.elapsed(), Duration::from_millis(30));
        assert!(
            all(std::iter::empty::<std::future::Ready<()>>())
                .await
                .is_empty()
        );
    }
}
