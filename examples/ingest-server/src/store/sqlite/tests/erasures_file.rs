//! What the database knows of the file of erasures.

use std::{fs, path::Path};

use portcullis_keyring::{TenantId, store::SqliteDekStore};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    lead::LeadId,
    store::{ErasureNoteError, Tombstone, Tombstones, TombstonesError, sqlite::SqliteStore},
};

fn tombstone(lead: u128) -> Tombstone {
    Tombstone {
        tenant: TenantId::new("acme").unwrap(),
        lead: Some(LeadId(Uuid::from_u128(lead))),
        at: OffsetDateTime::UNIX_EPOCH,
    }
}

async fn open(folder: &Path, name: &str) -> SqliteStore {
    let store = SqliteStore::open(&folder.join(name)).await.unwrap();
    // An earlier version knows of erasures by what its data keys say.
    let keys = SqliteDekStore::new(store.opening_pool());
    keys.migrate().await.unwrap();
    store
}

const fn is_another(error: &ErasureNoteError) -> bool {
    matches!(
        error,
        ErasureNoteError::File(TombstonesError::Another { .. })
    )
}

const fn is_lost(error: &ErasureNoteError) -> bool {
    matches!(
        error,
        ErasureNoteError::File(TombstonesError::Lost {
            found: 0,
            known: 1,
            ..
        })
    )
}

/// Two processes of one database that have a file each would each forget whom the other erased.
#[tokio::test]
async fn an_erasure_is_noted_in_the_file_that_the_database_knows_and_in_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = open(folder, "a.db").await;
    let tombstones = async |name: &str| Tombstones::open(&folder.join(name), &store).await;
    let (one, other) = (
        tombstones("one").await.unwrap(),
        tombstones("other").await.unwrap(),
    );
    assert!(one.is_usable(&store).await && other.is_usable(&store).await);
    one.note(&store, tombstone(1)).await.unwrap();
    let refused = other.note(&store, tombstone(2)).await.unwrap_err();
    assert!(is_lost(&refused), "{refused}");
    assert!(is_lost(&tombstones("other").await.unwrap_err()));
    assert!(one.is_usable(&store).await && !other.is_usable(&store).await);
    assert_eq!((one.unnoted(), other.unnoted()), (0, 1));
    // One that is as long, of another database.
    let elsewhere = open(folder, "b.db").await;
    other.note(&elsewhere, tombstone(2)).await.unwrap();
    let refused = other.note(&store, tombstone(3)).await.unwrap_err();
    assert!(is_another(&refused), "{refused}");
    assert!(is_another(&tombstones("other").await.unwrap_err()));
    assert_eq!(other.read().await.unwrap().len(), 1);
    one.note(&store, tombstone(3)).await.unwrap();
    assert!(tombstones("one").await.is_ok());
    // Accepted, it is the one from then on.
    fs::write(folder.join("other.lost"), "").unwrap();
    tombstones("other").await.unwrap();
    other.note(&store, tombstone(4)).await.unwrap();
    assert!(is_another(&tombstones("one").await.unwrap_err()));
}
