//! One attempt at a time, for all who want the same.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync;

use super::PrepareError;
use crate::{kek::KekError, store::StoreError};

/// An error that everybody gets who waited for one attempt.
pub(super) trait Share: Sized {
    /// The error for one of them.
    fn share(this: &Arc<Self>) -> Self;
}

/// One attempt at a time. Who waits for one that fails gets its failure: with an attempt of their own each,
/// the last of many would wait for all of them.
#[derive(Debug)]
pub(super) struct Flight<E> {
    turn: sync::Mutex<()>,
    failures: Mutex<Failures<E>>,
}

#[derive(Debug)]
struct Failures<E> {
    number: u64,
    last: Option<Arc<E>>,
}

impl<E: Share> Flight<E> {
    /// What `done` finds, at once or after the attempt of somebody else; or else what `attempt` makes.
    pub(super) async fn run<T>(
        &self,
        done: impl Fn() -> Option<T>,
        attempt: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let before = self.failures().number;
        if let Some(found) = done() {
            return Ok(found);
        }
        let _turn = self.turn.lock().await;
        if let Some(found) = done() {
            return Ok(found);
        }
        if let Some(failure) = self.failure_since(before) {
            return Err(failure);
        }
        attempt.await.map_err(|error| self.note(error))
    }

    fn failure_since(&self, before: u64) -> Option<E> {
        let failures = self.failures();
        let later = failures.number > before;
        failures.last.as_ref().filter(|_| later).map(E::share)
    }

    fn note(&self, error: E) -> E {
        let error = Arc::new(error);
        let shared = E::share(&error);
        let mut failures = self.failures();
        failures.number += 1;
        failures.last = Some(error);
        shared
    }

    fn failures(&self) -> MutexGuard<'_, Failures<E>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Default for Flight<E> {
    fn default() -> Self {
        Self {
            turn: sync::Mutex::default(),
            failures: Mutex::new(Failures {
                number: 0,
                last: None,
            }),
        }
    }
}

impl Share for StoreError {
    fn share(this: &Arc<Self>) -> Self {
        shared_store(this, Arc::clone(this).into())
    }
}

impl Share for KekError {
    fn share(this: &Arc<Self>) -> Self {
        shared_kek(this, Arc::clone(this).into())
    }
}

impl Share for PrepareError {
    fn share(this: &Arc<Self>) -> Self {
        let cause = Arc::clone(this).into();
        match &**this {
            Self::TenantErased => Self::TenantErased,
            Self::Contended => Self::Contended,
            Self::Store(error) => Self::Store(shared_store(error, cause)),
            Self::Kek(error) => Self::Kek(shared_kek(error, cause)),
            Self::Entropy(error) => Self::Entropy(*error),
        }
    }
}

type Cause = Box<dyn Error + Send + Sync>;

fn shared_store(error: &StoreError, cause: Cause) -> StoreError {
    match error {
        StoreError::Unavailable(_) => StoreError::Unavailable(cause),
        StoreError::Corrupt(_) => StoreError::Corrupt(cause),
        StoreError::Damaged(id) => StoreError::Damaged(*id),
        StoreError::Migration(_) => StoreError::Migration(cause),
    }
}

fn shared_kek(error: &KekError, cause: Cause) -> KekError {
    match error {
        KekError::Rejected => KekError::Rejected,
        KekError::UnknownVersion(version) => KekError::UnknownVersion(*version),
        KekError::Unavailable(_) => KekError::Unavailable(cause),
        KekError::UnknownKey(key) => KekError::UnknownKey(key.clone()),
        KekError::Entropy(error) => KekError::Entropy(*error),
    }
}
