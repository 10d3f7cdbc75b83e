//! What a disk does to a store.

use super::{records::signed, *};
use crate::{disk::faulty::Fault, journal::SEGMENT_BYTES};

#[tokio::test]
async fn after_a_failed_write_or_sync_the_next_group_finds_what_the_disk_has() {
    for fault in [
        Fault::Sync,
        Fault::Full { after: 0 },
        Fault::Full { after: 100 },
    ] {
        let folder = Folder::new();
        let store = folder.open().await;
        append(&store, 3).await.unwrap();
        folder.disk.fail(fault);
        let error = append(&store, 2).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(folder.told.has("JournalFailed"));
        // Refused while opening fails too: it writes and syncs the last frame.
        folder.disk.fail(Fault::Sync);
        let error = append(&store, 2).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        append(&store, 4).await.unwrap();
        assert!(folder.told.has("JournalReopened { restored: 0 }"));
        // A frame that was written and not synced is there, though nobody was told so.
        let size = if fault == Fault::Sync { 9 } else { 7 };
        assert_has(&store, size).await;
        folder.disk.lose_power();
        drop(store);
        let again = Folder {
            disk: Arc::default(),
            ..folder
        };
        let store = again.reopened().await;
        assert_has(&store, size).await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_kept_whatever_fails() {
    for seed in 1..40_usize {
        let folder = Folder::new();
        let store = folder.open().await;
        let (mut acknowledged, mut random) = (0, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..12 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let faults = [
                None,
                Some(Fault::Sync),
                Some(Fault::Full {
                    after: random >> 40 & 0x7ff,
                }),
            ];
            if let Some(fault) = faults[(random >> 33) % 3] {
                folder.disk.fail_later((random >> 35) % 4, fault);
            }
            if append(&store, (random >> 37) as u64 % 90 + 1).await.is_ok() {
                acknowledged = store.size().await.unwrap();
            }
        }
        folder.disk.heal();
        folder.disk.lose_power();
        drop(store);
        let again = Folder {
            disk: Arc::default(),
            ..folder
        };
        let store = again.reopened().await;
        let size = store.size().await.unwrap();
        assert!(size >= acknowledged, "{size} of {acknowledged} with {seed}");
        assert_has(&store, size).await;
    }
}

#[tokio::test]
async fn a_full_disk_and_then_room_again_need_no_restart() {
    let folder = Folder::new();
    let store = folder.open().await;
    let edge = append(&store, 10).await.unwrap();
    folder.disk.fill(true);
    // What is in memory is in the journal too, which has room for 16 MiB.
    let mut size = 10;
    let refused = loop {
        match append(&store, 2_048).await {
            Ok(_) => size += 2_048,
            Err(error) => break error,
        }
        assert!(size * 400 < 2 * u64::from(SEGMENT_BYTES), "nothing is full");
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(
        size * 450 > u64::from(SEGMENT_BYTES),
        "{size} were accepted"
    );
    assert!(folder.told.has("UpkeepFailed"));
    append(&store, 2_048).await.unwrap_err();
    store.publish(&signed(&edge)).await.unwrap_err();
    store.erase(&[2]).await.unwrap_err();
    assert_has(&store, size).await;

    folder.disk.fill(false);
    append(&store, 2_048).await.unwrap();
    let edge = append(&store, 1).await.unwrap();
    store.publish(&signed(&edge)).await.unwrap();
    assert_has(&store, size + 2_049).await;
    assert_eq!(store.erase(&[2]).await.unwrap(), 1);
    store.close().await.unwrap();
    assert_has(&folder.open_plainly().await, size + 2_049).await;
}

#[tokio::test]
async fn a_torn_frame_is_cut_and_told_and_damage_is_refused() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 3).await.unwrap();
    store.close().await.unwrap();
    let acknowledged = fs::read(folder.path("acknowledged")).unwrap();
    let store = folder.open_plainly().await;
    append(&store, 3).await.unwrap();
    store.close().await.unwrap();
    // As a process leaves it that ends while it writes the last frame.
    fs::write(folder.path("acknowledged"), acknowledged).unwrap();
    let segment = folder.path("journal/0000000000.paj");
    let sound = fs::read(&segment).unwrap();
    let end = sound.iter().rposition(|byte| *byte != 0).unwrap();
    let mut torn = sound.clone();
    torn[end] ^= 1;
    fs::write(&segment, &torn).unwrap();
    let store = folder.open_plainly().await;
    assert!(folder.told.has("TornTailCut"));
    assert_has(&store, 3).await;
    store.close().await.unwrap();
    let mut damaged = sound;
    damaged[70] ^= 1;
    fs::write(&segment, &damaged).unwrap();
    let error = folder.try_open().await.unwrap_err();
    assert!(matches!(error, FileStoreError::Journal(_)), "{error}");
}

#[tokio::test]
async fn a_group_that_nobody_waits_for_is_appended_whole() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    for _ in 0..20 {
        let taken = store.lock(&[tenant(0)]).await.unwrap();
        let group = group(taken.state(), 3);
        let waiting = Duration::from_micros(50);
        let _ = tokio::time::timeout(waiting, taken.commit(&group)).await;
    }
    let taken = store.lock(&[]).await.unwrap();
    let size = taken.state().edge().size();
    drop(taken);
    assert!(size.is_multiple_of(3) && size <= 60, "{size}");
    let edge = append(&store, 1).await.unwrap();
    assert_eq!(edge.size(), size + 1);
}
