//! Which roots are indexed with, as the database and the clock go on.

use std::{
    num::{NonZeroU8, NonZeroU16, NonZeroU32},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use portcullis_keyring::secrets::{SecretVersion, VersionedSecrets};
use portcullis_pii_crypto::{IndexRoots, IndexVersion};
use time::OffsetDateTime;

use crate::{
    clock::Clock,
    store::{
        LiveIndexRoots, SecretCheck, Store as _, UnusableState, index_roots::ConfiguredRoots,
        sqlite::SqliteStore,
    },
};

const SECRET: &str = "ROOTS";

#[derive(Debug, Default)]
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn wall(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

struct Setup {
    _folder: tempfile::TempDir,
    store: SqliteStore,
    clock: Arc<SetClock>,
    configured: ConfiguredRoots,
    roots: LiveIndexRoots,
}

impl Setup {
    async fn with(versions: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.db")).await;
        let store = store.unwrap();
        let clock = Arc::new(SetClock::default());
        let configured = Arc::new(ArcSwap::from_pointee(roots(versions)));
        let live = LiveIndexRoots::new(
            SECRET,
            Arc::clone(&configured),
            Arc::new(store.clone()),
            Arc::clone(&clock) as _,
        );
        Self {
            _folder: folder,
            store,
            clock,
            configured,
            roots: live,
        }
    }

    async fn has(&self, phases: &[(u16, &str)]) {
        let delete = sqlx::query("DELETE FROM index_state");
        delete.execute(&self.store.opening).await.unwrap();
        for (version, phase) in phases {
            sqlx::query("INSERT INTO index_state (version, phase) VALUES (?, ?)")
                .bind(version)
                .bind(phase)
                .execute(&self.store.opening)
                .await
                .unwrap();
        }
        self.roots.read().await.unwrap();
    }

    fn enforced(&self) -> Result<u16, UnusableState> {
        let roots = self.roots.present();
        roots.map(|roots| roots.enforced_version().value())
    }
}

/// Roots of 32 equal bytes, the first version being the primary one.
fn roots(versions: &[u8]) -> IndexRoots {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let root = |version: &u8| format!("{version}:{}", STANDARD.encode([*version; 32]));
    let text: Vec<String> = versions.iter().map(root).collect();
    let primary = SecretVersion::new(NonZeroU32::from(NonZeroU8::new(versions[0]).unwrap()));
    let secrets = VersionedSecrets::parse(&text.join(",").into(), Some(primary));
    IndexRoots::new(secrets.unwrap()).unwrap()
}

fn version(number: u16) -> IndexVersion {
    IndexVersion::new(NonZeroU16::new(number).unwrap())
}

#[tokio::test]
async fn the_database_says_which_version_is_looked_up() {
    let setup = Setup::with(&[2, 1]).await;
    assert_eq!(setup.enforced(), Err(UnusableState::Stale));
    setup.has(&[(1, "enforced")]).await;
    assert_eq!(setup.enforced(), Ok(1));
    setup.has(&[(1, "enforced"), (2, "written")]).await;
    assert_eq!(setup.enforced(), Ok(1));
    setup.has(&[(1, "retiring"), (2, "enforced")]).await;
    assert_eq!(setup.enforced(), Ok(2));
}

#[tokio::test]
async fn what_was_read_ten_seconds_ago_is_gone_by_no_more() {
    let setup = Setup::with(&[1]).await;
    setup.has(&[(1, "enforced")]).await;
    setup.clock.0.store(9, Ordering::Relaxed);
    assert_eq!(setup.enforced(), Ok(1));
    setup.clock.0.store(10, Ordering::Relaxed);
    assert_eq!(setup.enforced(), Err(UnusableState::Stale));
    setup.roots.read().await.unwrap();
    assert_eq!(setup.enforced(), Ok(1));
}

#[tokio::test]
async fn a_live_version_that_is_missing_or_another_one_stops_all_until_it_is_right() {
    let setup = Setup::with(&[1]).await;
    setup.has(&[(1, "enforced"), (2, "written")]).await;
    assert_eq!(
        setup.enforced(),
        Err(UnusableState::NotConfigured(version(2)))
    );
    setup.configured.store(Arc::new(roots(&[1, 2])));
    assert_eq!(setup.enforced(), Ok(1));
    let other = SecretCheck {
        secret: SECRET.to_owned(),
        version: 2,
        value: vec![7; 16],
    };
    setup.store.remember_secrets(&[other]).await.unwrap();
    setup.roots.read().await.unwrap();
    assert_eq!(setup.enforced(), Err(UnusableState::Different(version(2))));
    setup.has(&[(1, "enforced")]).await;
    assert_eq!(setup.enforced(), Ok(1));
}
