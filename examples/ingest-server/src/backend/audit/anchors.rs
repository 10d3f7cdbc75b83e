//! Who keeps checkpoints of the audit log beside it.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use portcullis_audit_log::{
    anchor::{Anchor, AnchorError, FileAnchor},
    note::{KeyName, NoteSignature, SignedNote},
};
use portcullis_telemetry::BackgroundTask;

use crate::{config::AnchorPlace, store::Store};

const TASK: BackgroundTask = BackgroundTask::new("audit_anchor");

/// The one that keeps checkpoints of the log of that name at a place.
pub(super) fn at(place: &AnchorPlace, origin: &KeyName, store: &Arc<dyn Store>) -> Arc<dyn Anchor> {
    match place {
        AnchorPlace::Database => Arc::new(DatabaseAnchor {
            store: Arc::clone(store),
            origin: origin.clone(),
        }),
        AnchorPlace::Folder(folder) => Arc::new(in_folder(place, folder, origin)),
    }
}

fn in_folder(place: &AnchorPlace, folder: &Path, origin: &KeyName) -> FileAnchor {
    let path = folder.join(AnchorPlace::file_name(origin));
    FileAnchor::new(place.to_string(), path)
}

/// A row in the database of the service.
#[derive(Debug)]
struct DatabaseAnchor {
    store: Arc<dyn Store>,
    origin: KeyName,
}

#[async_trait]
impl Anchor for DatabaseAnchor {
    fn name(&self) -> &str {
        "database"
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        let kept = TASK
            .run(self.store.audit_anchor(self.origin.as_str()))
            .await;
        let kept = kept.map_err(AnchorError::new)?;
        kept.map(|text| SignedNote::parse(text.as_bytes()).map_err(AnchorError::new))
            .transpose()
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        let (origin, text) = (self.origin.as_str(), checkpoint.to_string());
        let kept = TASK.run(self.store.keep_audit_anchor(origin, &text)).await;
        kept.map(|()| Vec::new()).map_err(AnchorError::new)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::{
        audit::{Audit, OpenError},
        event::Id,
        note::SigningKey,
        store::MemoryStore,
    };
    use secrecy::SecretBox;

    use super::*;
    use crate::backend::empty_store;

    /// Opens an empty log of that name, and gives its size once it is closed.
    async fn opened(origin: &str, anchor: Arc<dyn Anchor>) -> Result<u64, OpenError> {
        let origin: KeyName = origin.parse().unwrap();
        let seed = SecretBox::new(Box::new([7; 32]));
        let key = SigningKey::from_seed(origin.clone(), &seed).unwrap();
        let log = Arc::new(MemoryStore::new());
        let builder = Audit::builder(log, origin, Id::constant("a"));
        let (audit, writing) = builder.key(key).anchor(anchor).open().await?;
        audit.close();
        writing.await;
        Ok(audit.status().size)
    }

    #[tokio::test]
    async fn a_log_that_is_gone_is_missed_by_each_place_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = empty_store(folder.path()).await;
        let elsewhere = tempfile::tempdir().unwrap();
        let places = [
            AnchorPlace::Database,
            AnchorPlace::Folder(elsewhere.path().to_owned()),
        ];
        for place in places {
            let anchor = |origin: &str| at(&place, &origin.parse().unwrap(), &store);
            let size = opened("one", anchor("one")).await.unwrap();
            let error = opened("one", anchor("one")).await.unwrap_err();
            let OpenError::RolledBack(found) = error else {
                panic!("{error}");
            };
            assert_eq!(found.anchor, place.to_string());
            assert_eq!((found.had, found.have), (size, 0));
            opened("one/other", anchor("one/other")).await.unwrap();
        }
    }
}
