//! What was erased stands nowhere in the files.

use std::{collections::HashSet, fs, path::Path};

use aho_corasick::AhoCorasick;
use portcullis_keyring::{KeyId, TenantId};
use rusqlite::{Connection, params};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    clock::SystemClock,
    lead::{LeadColumn, LeadId},
    store::{
        Asked, EventRow, Group, IndexRow, LeadChange, LeadWrite, Receipt, SealedColumn,
        Sweeping as _, Write,
        sqlite::{SqliteStore, connection, log},
    },
};

const LEADS: u32 = 600;

/// Bytes that stand nowhere else: a lead's value in a column, or its index value.
fn bytes(lead: u32, what: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(lead) << 8 | u64::from(what);
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn sealed_text(lead: u32) -> String {
    use portcullis_pii_crypto::{AnyPii, Sealed};
    let mut sealed = vec![0xf9, 1, 0, 0, 0, 7];
    sealed.extend(bytes(lead, 9, 90));
    Sealed::<AnyPii>::from_bytes(sealed).unwrap().to_text()
}

fn write(lead: u32) -> Write {
    let columns = LeadColumn::searchable().zip(0..).map(|(column, what)| {
        let index = bytes(lead, 10 + what, 18);
        SealedColumn {
            column,
            sealed: bytes(lead, what, 120),
            key_id: KeyId::new(7),
            index: vec![IndexRow {
                version: 1,
                value: index,
            }],
        }
    });
    let now = OffsetDateTime::UNIX_EPOCH;
    let id = LeadId(Uuid::from_u128(u128::from(lead)));
    Write {
        tenant: TenantId::new("acme").unwrap(),
        event: Some(EventRow {
            source: "test".to_owned(),
            id: lead.to_string(),
            content_fp: bytes(lead, 20, 18),
            other_fps: Vec::new(),
            lead: Some(id),
            event_type: "lead.created".to_owned(),
            schema_version: 1,
            time: now,
            received_at: now,
            payload: format!(r#"{{"email":"{}","page":"/{lead}"}}"#, sealed_text(lead)),
            key_ids: vec![KeyId::new(7)],
        }),
        lead: Some(Box::new(LeadWrite {
            id,
            change: LeadChange::Create,
            expected: None,
            columns: columns.collect(),
            cleared: Vec::new(),
            at: now,
        })),
        asked: Asked::Store,
        decided_at: None,
    }
}

fn erase(lead: u32) -> Write {
    let mut write = write(lead);
    write.event = None;
    let erased = write.lead.as_mut().unwrap();
    erased.change = LeadChange::Erase;
    erased.columns.clear();
    write
}

/// Everything of a lead that tells of its values.
fn traces(lead: u32) -> Vec<Vec<u8>> {
    let sealed = (0..3).map(|what| bytes(lead, what, 120));
    let index = (10..13).map(|what| bytes(lead, what, 18));
    let event = [bytes(lead, 20, 18), sealed_text(lead).into_bytes()];
    // A part that a page boundary does not cut: the first and the last bytes of each.
    let whole = sealed.chain(index).chain(event);
    whole
        .flat_map(|whole| [whole[..16].to_vec(), whole[whole.len() - 16..].to_vec()])
        .collect()
}

fn count(path: &Path, traces: &[Vec<u8>]) -> usize {
    let searcher = AhoCorasick::new(traces).unwrap();
    let mut found = HashSet::new();
    for suffix in ["", "-wal"] {
        let mut path = path.as_os_str().to_owned();
        path.push(suffix);
        let file = fs::read(path).unwrap_or_default();
        found.extend(searcher.find_overlapping_iter(&file).map(|it| it.pattern()));
    }
    found.len()
}

async fn commit(store: &SqliteStore, writes: Vec<Write>) -> Vec<Receipt> {
    use crate::store::Store as _;
    let (sender, receipts) = tokio::sync::oneshot::channel();
    let groups = |mut sink: Box<dyn crate::store::GroupSink>| {
        Box::pin(async move {
            let group = Group { writes };
            let committed = sink.commit(&group, &SystemClock).await.unwrap();
            sender.send(committed.receipts).unwrap();
        }) as _
    };
    store.write_groups(Box::new(groups)).await;
    receipts.await.unwrap()
}

#[tokio::test]
async fn nothing_of_erased_leads_is_left_in_the_bytes_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    // Pages are split and filled while leads come, and some go in between.
    let erased: Vec<u32> = (0..LEADS).filter(|lead| lead % 7 == 3).collect();
    let of_erased: Vec<Vec<u8>> = erased.iter().flat_map(|lead| traces(*lead)).collect();
    for some in 0..6 {
        let new = (some * 100..(some + 1) * 100).map(write).collect();
        commit(&store, new).await;
        store.shred().await.unwrap();
    }
    assert_eq!(count(&path, &of_erased), of_erased.len(), "they were there");
    for some in erased.chunks(20) {
        let receipts = commit(&store, some.iter().map(|lead| erase(*lead)).collect()).await;
        assert!(receipts.iter().all(|it| *it == Receipt::Stored));
    }
    assert!(store.shred().await.unwrap(), "nobody reads");
    assert_eq!(count(&path, &of_erased), 0);
    let kept = traces(0);
    assert_eq!(count(&path, &kept), kept.len());
    store.close().await;
    assert_eq!(count(&path, &of_erased), 0);
    assert_eq!(count(&path, &kept), kept.len());
}

/// Makes rows of leads and payloads of events longer, as changes do, so that SQLite moves rows between pages.
fn lengthen(path: &Path) {
    let connection = connection::open_writing(path).unwrap();
    for seed in 0..LEADS {
        // In no order of the pages, and each by another length.
        let lead = (seed * 389) % LEADS;
        let id = LeadId(Uuid::from_u128(u128::from(lead))).to_string();
        let longer = vec![0x5a_u8; usize::try_from(seed % 97).unwrap() * 8];
        let address = "UPDATE lead SET address_enc = ? WHERE id = ?";
        connection.execute(address, params![longer, id]).unwrap();
        let longer = format!(r#"{{"email":"{}","page":"{longer:?}"}}"#, sealed_text(lead));
        let payload = "UPDATE event SET payload = ? WHERE lead = ?";
        connection.execute(payload, params![longer, id]).unwrap();
    }
}

/// SQLite zeroes rows that it deletes, and leaves copies of those that it has moved: where they were.
#[tokio::test]
async fn nothing_of_erased_leads_is_left_where_their_rows_were_moved_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for some in 0..6 {
        commit(&store, (some * 100..(some + 1) * 100).map(write).collect()).await;
    }
    lengthen(&path);
    let erased: Vec<u32> = (0..LEADS).filter(|lead| lead % 7 == 3).collect();
    let of_erased: Vec<Vec<u8>> = erased.iter().flat_map(|lead| traces(*lead)).collect();
    commit(&store, erased.iter().map(|lead| erase(*lead)).collect()).await;
    assert!(store.sweeps.read(log::empty).await.unwrap());
    let left = count(&path, &of_erased);
    assert!(
        left > 0,
        "SQLite alone leaves nothing any more: nothing is to be shredded"
    );
    assert!(store.owes_shredding().await.unwrap());
    assert!(store.shred().await.unwrap());
    assert_eq!(count(&path, &of_erased), 0, "of {left}");
    assert!(!store.owes_shredding().await.unwrap());
    let kept = traces(0);
    assert_eq!(count(&path, &kept), kept.len());
    let check = |connection: &Connection| {
        Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?)
    };
    let checked: String = store.sweeps.read(check).await.unwrap();
    assert_eq!(checked, "ok");
}

/// Who reads keeps what the log had: the erasure is done, and the log is emptied when the reading ends.
#[tokio::test]
async fn a_log_that_is_read_is_emptied_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path).await.unwrap();
    commit(&store, vec![write(1)]).await;
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let leads = "SELECT count(*) FROM lead";
    let before: i64 = reader.query_row(leads, [], |row| row.get(0)).unwrap();
    assert_eq!(before, 1);
    commit(&store, vec![erase(1)]).await;
    assert!(!store.shred().await.unwrap());
    assert!(store.owes_shredding().await.unwrap());
    reader.execute_batch("COMMIT").unwrap();
    assert!(store.shred().await.unwrap());
    assert_eq!(count(&path, &traces(1)), 0);
}
