//! A log as its store publishes it.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{CHECKPOINT_PATH, LogSource, SourceError};
use crate::store::{Store, StoreError};

/// What a [`Store`] publishes, so that a service verifies its own log by the code of third parties.
///
/// It waits for the store, on a thread that may: within [`tokio::task::spawn_blocking`], and never on one that runs
/// tasks.
#[derive(Debug, Clone)]
pub struct StoreSource {
    store: Arc<dyn Store>,
    runtime: Handle,
}

impl StoreSource {
    /// The log in that store, which is asked within that runtime.
    #[must_use]
    pub const fn new(store: Arc<dyn Store>, runtime: Handle) -> Self {
        Self { store, runtime }
    }

    async fn file(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if path == CHECKPOINT_PATH {
            let note = self.store.checkpoint().await?;
            return Ok(note.map(|note| note.to_string().into_bytes()));
        }
        match path.parse() {
            Ok(path) => self.store.tile(path).await,
            Err(_) => Ok(None),
        }
    }
}

impl LogSource for StoreSource {
    /// # Panics
    /// On a thread that runs tasks of a runtime.
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        match self.runtime.block_on(self.file(path)) {
            Ok(Some(bytes)) if bytes.len() > at_most => {
                let path = path.into();
                Err(SourceError::TooLong { path, at_most })
            }
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(SourceError::unreadable(path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretBox;
    use tokio::task;

    use super::*;
    use crate::{
        checkpoint::{Checkpoint, Policy},
        event::{
            Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp,
            Timestamp,
        },
        note::{KeyName, SigningKey},
        store::{Group, MemoryStore},
        tree::RightEdge,
        verify::{Outcome, Report, Verification},
    };

    const TENANT: Id = Id::SYSTEM_TENANT;

    fn key() -> SigningKey {
        let seed = SecretBox::new(Box::new([1; 32]));
        SigningKey::from_seed("log.example".parse().unwrap(), &seed).unwrap()
    }

    fn origin() -> KeyName {
        key().verifying_key().name().clone()
    }

    fn checkpoint(edge: &RightEdge) -> Checkpoint {
        Checkpoint::new(origin(), edge.size(), edge.root())
    }

    async fn append(store: &dyn Store, events: u64) -> RightEdge {
        let taken = store.lock(&[TENANT]).await.unwrap();
        let mut group = Group::new(taken.state());
        for n in 0..events {
            let actor = Actor::new(ActorType::System, Id::constant("writer"));
            let event = EventBuilder::new(TENANT, Action::new("a.b"), Activity::Other, actor);
            let time = Timestamp::from_unix_micros(1 + n).unwrap();
            let id = EventId::new(time, [1; 10]);
            let stamp = Stamp::new(id, time, Delivery::Must, Id::constant("a"));
            group.push(&event.build(stamp).unwrap(), None).unwrap();
        }
        let edge = group.edge_after().clone();
        taken.commit(&group).await.unwrap();
        edge
    }

    /// As a service does: on a thread of its own.
    async fn verify(store: &Arc<dyn Store>, minimum: u64, kept: Option<Checkpoint>) -> Report {
        let source = StoreSource::new(Arc::clone(store), Handle::current());
        let policy = Policy::new(vec![key().verifying_key().clone()]).unwrap();
        let verifying = move || {
            let mut verification = Verification::new(&source, &policy).pruned_below(minimum);
            if let Some(kept) = &kept {
                verification = verification.since(kept);
            }
            verification.run()
        };
        task::spawn_blocking(verifying).await.unwrap()
    }

    #[tokio::test]
    async fn a_service_verifies_its_own_store_as_third_parties_do() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        assert_eq!(verify(&store, 0, None).await.outcome(), Outcome::Unusable);
        let earlier = append(&*store, 300).await;
        let later = append(&*store, 400).await;
        let note = checkpoint(&later).sign(&[key()]).unwrap();
        store.publish(&note).await.unwrap();
        let kept = checkpoint(&earlier);
        let report = verify(&store, 0, Some(kept)).await;
        assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
        assert_eq!((report.entries, report.pruned), (700, 0));

        store.prune(300).await.unwrap();
        let first = store.first().await.unwrap();
        let report = verify(&store, first, None).await;
        assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
        assert_eq!((report.entries, report.pruned), (444, 256));
        assert_eq!(verify(&store, 0, None).await.outcome(), Outcome::Incomplete);

        let other = Checkpoint::new(origin(), 300, later.root());
        let report = verify(&store, first, Some(other)).await;
        assert_eq!(report.outcome(), Outcome::Tampered);
    }
}
