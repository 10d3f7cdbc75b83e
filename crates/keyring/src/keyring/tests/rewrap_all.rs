//! All keys are wrapped again, whatever comes in between.

use std::{collections::BTreeMap, pin::pin, time::SystemTime};

use futures_util::future::{join, poll_immediate};

use super::{budget::RuntimeClock, observer::Recorder, rewrap::kek, *};
use crate::{
    RewrapError, Rewrapped,
    conformance::key,
    kek::LocalKek,
    store::{ChangeError, KeyQuery},
    sweep::{Pace, Progress},
};

/// A key-encryption key that lets everybody else go first.
#[derive(Debug)]
struct Yielding(Arc<LocalKek>);

#[async_trait]
impl KekProvider for Yielding {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        self.0.generate(context).await
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        self.0.wrap(context, key).await
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        self.0.unwrap_key(context, key).await
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        tokio::task::yield_now().await;
        self.0.rewrap(context, key).await
    }

    fn version_of(&self, key: &WrappedKey) -> Option<String> {
        self.0.version_of(key)
    }

    async fn primary(&self) -> Result<Option<String>, KekError> {
        self.0.primary().await
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// A store with so many keys under version 1, one of which is destroyed.
async fn with_keys(number: usize) -> Arc<MemoryDekStore> {
    let store = Arc::new(MemoryDekStore::new());
    let old = Keyring::builder(kek(1, &[1]), store.clone()).build();
    for at in 0..number {
        old.primary(&format!("tenant-{at}"), "email").await;
    }
    old.primary("gone", "email").await;
    old.erase_tenant(&tenant("gone")).await.expect("it answers");
    store
}

fn both(store: &Arc<MemoryDekStore>) -> KeyringBuilder {
    Keyring::builder(Arc::new(Yielding(kek(2, &[1, 2]))), store.clone())
}

/// All keys again, in pages of 10, and what was told meanwhile.
async fn rewrap_all(keyring: &Keyring) -> (Result<Rewrapped, RewrapError>, Vec<Progress>) {
    let mut told = Vec::new();
    let ten = NonZeroU32::new(10).expect("not zero");
    let mut tell = |progress: &Progress| told.push(*progress);
    let answer = keyring.rewrap_all(Pace::batches_of(ten), &mut tell).await;
    (answer, told)
}

async fn versions(keyring: &Keyring) -> BTreeMap<Option<String>, u64> {
    keyring.key_states().await.expect("it counts").kek_versions
}

fn version(name: &str, keys: u64) -> BTreeMap<Option<String>, u64> {
    [(Some(name.to_owned()), keys)].into()
}

#[tokio::test]
async fn every_key_is_wrapped_under_the_primary_version_once() {
    let store = with_keys(25).await;
    let recorder = Arc::new(Recorder::default());
    let keyring = both(&store).observer(recorder.clone()).build();
    assert_eq!(versions(&keyring).await, version("1", 25));

    let (done, told) = rewrap_all(&keyring).await;
    let done = done.expect("it ends");
    let Progress {
        done: looked_at,
        total,
        changed,
        skipped,
        failed,
        ..
    } = done.progress;
    assert_eq!(
        (looked_at, total, changed, skipped, failed),
        (25, 25, 25, 0, 0)
    );
    assert!(done.failed.is_empty());
    let after_each_page: Vec<_> = told.iter().map(|told| told.done).collect();
    assert_eq!(after_each_page, [10, 20, 25]);
    assert_eq!(versions(&keyring).await, version("2", 25));
    let calls = recorder
        .names()
        .iter()
        .filter(|name| *name == "KekCalled")
        .count();
    assert_eq!(calls, 25);

    let (again, _) = rewrap_all(&keyring).await;
    let again = again.expect("it ends").progress;
    assert_eq!((again.done, again.changed, again.skipped), (25, 0, 0));
    assert!(!recorder.names().contains(&"KekCalled".to_owned()));
    // Without the old version all keys still open.
    let new = Keyring::builder(kek(2, &[2]), store).build();
    for at in 0..25 {
        new.primary(&format!("tenant-{at}"), "email").await;
    }
}

#[tokio::test]
async fn stopped_anywhere_and_run_again_it_ends_the_same() {
    for polls in 0..60 {
        let store = with_keys(25).await;
        let keyring = both(&store).build();
        {
            let mut run = pin!(rewrap_all(&keyring));
            for _ in 0..polls {
                // Dropped with everything in it, as a process that is killed.
                if poll_immediate(run.as_mut()).await.is_some() {
                    break;
                }
            }
        }
        let left = versions(&keyring).await;
        let old = left.get(&Some("1".to_owned())).copied().unwrap_or_default();
        let (done, _) = rewrap_all(&keyring).await;
        let done = done.expect("it ends").progress;
        assert_eq!((done.changed, done.failed), (old, 0), "after {polls}");
        assert_eq!(versions(&keyring).await, version("2", 25));
    }
}

#[tokio::test]
async fn two_at_once_change_each_key_once_and_neither_fails() {
    let store = with_keys(25).await;
    let (one, other) = (both(&store).build(), both(&store).build());
    let ((one, _), (other, _)) = join(rewrap_all(&one), rewrap_all(&other)).await;
    let (one, other) = (
        one.expect("it ends").progress,
        other.expect("it ends").progress,
    );
    assert_eq!((one.done, other.done), (25, 25));
    assert_eq!((one.failed, other.failed), (0, 0));
    assert_eq!(one.changed + other.changed, 25);
    assert!(one.skipped + other.skipped > 0, "they never met");
}

#[tokio::test]
async fn a_key_that_fails_is_listed_and_stops_no_other() {
    let store = with_keys(25).await;
    let context = KekContext::new(tenant("bad"), purpose("email"), KeyId::new(7));
    let damaged = WrappedKey::from_bytes(vec![7; 66]);
    let damaged = StoredKey::new(context, KeyState::Primary, damaged, SystemTime::UNIX_EPOCH);
    store.insert(&damaged).await.expect("there is room");
    let keyring = both(&store).build();
    let (done, _) = rewrap_all(&keyring).await;
    let done = done.expect("it ends");
    assert_eq!((done.progress.changed, done.progress.failed), (25, 1));
    assert!(
        matches!(done.failed[..], [(id, RewrapError::Kek(KekError::Rejected))] if id == damaged.id()),
        "{:?}",
        done.failed
    );
    let mut expected = version("2", 25);
    expected.insert(None, 1);
    assert_eq!(versions(&keyring).await, expected);
}

#[tokio::test]
async fn an_outage_ends_it_and_the_next_run_goes_on() {
    let world = World::new();
    let keyring = world.keyring();
    for at in 0..25 {
        keyring.primary(&format!("tenant-{at}"), "email").await;
    }
    world.kek.set_unreachable(true);
    let (ended, told) = rewrap_all(&keyring).await;
    assert!(matches!(
        ended,
        Err(RewrapError::Kek(KekError::Unavailable(_)))
    ));
    assert!(told.is_empty(), "ten in a row, and the tenth ends the page");
    world.kek.set_unreachable(false);
    let (done, _) = rewrap_all(&keyring).await;
    assert_eq!(done.expect("it ends").progress.changed, 25);
}

#[tokio::test]
async fn outages_that_pass_do_not_end_it() {
    let world = World::new();
    let keyring = world.keyring();
    for at in 0..27 {
        keyring.primary(&format!("tenant-{at}"), "email").await;
    }
    world.kek.set_unreachable(true);
    let mut pages = 0;
    let mut every_other_page = |_: &Progress| {
        pages += 1;
        world.kek.set_unreachable(pages % 2 == 0);
    };
    let nine = Pace::batches_of(NonZeroU32::new(9).expect("not zero"));
    let done = keyring.rewrap_all(nine, &mut every_other_page).await;
    let done = done.expect("never ten in a row").progress;
    assert_eq!((done.changed, done.failed), (9, 18));
}

#[tokio::test(start_paused = true)]
async fn it_goes_as_fast_as_it_may() {
    let store = with_keys(30).await;
    let clock = RuntimeClock::new();
    let keyring = both(&store).clock(Arc::new(clock)).build();
    let ten = NonZeroU32::new(10).expect("not zero");
    let pace = Pace::batches_of(ten).at_most(ten);
    let mut told = Vec::new();
    let mut tell = |progress: &Progress| told.push(*progress);
    let done = keyring.rewrap_all(pace, &mut tell).await.expect("it ends");
    assert!(clock.monotonic() >= 3 * SECOND && clock.monotonic() < 4 * SECOND);
    assert!(done.progress.rate() > 9.0 && done.progress.rate() <= 10.0);
    let left = told[0].eta().expect("it is known");
    assert!(left >= 2 * SECOND && left < 3 * SECOND, "{left:?}");
    // What is in order costs no time.
    keyring
        .rewrap_all(pace, &mut |_| {})
        .await
        .expect("it ends");
    assert!(clock.monotonic() < 4 * SECOND);
}

/// Somebody who changes what is read, each time.
#[tokio::test]
async fn a_key_that_others_keep_changing_is_listed() {
    let store = with_keys(1).await;
    let keyring = both(&store).build();
    let every = KeyQuery::all(NonZeroU32::MAX);
    let listed = store.list(&every).await.expect("it reads");
    let id = listed.keys.iter().find(|key| key.wrapped().is_some());
    let id = id.expect("it is there").id();
    let old = kek(1, &[1]);
    let mut run = pin!(rewrap_all(&keyring));
    let done = loop {
        if let Some((done, _)) = poll_immediate(run.as_mut()).await {
            break done.expect("it ends");
        }
        // Between a reading and the change that rests on it.
        let key = store
            .load(id)
            .await
            .expect("it reads")
            .expect("it is there");
        let wrapped = key.wrapped().expect("it is not destroyed");
        let again = old.rewrap(key.context(), wrapped).await.expect("it wraps");
        store
            .rewrap(id, wrapped, &again)
            .await
            .expect("nobody else does");
    };
    assert!(
        matches!(
            done.failed[..],
            [(failed, RewrapError::Change(ChangeError::Conflict))] if failed == id
        ),
        "{done:?}"
    );
}

#[tokio::test]
async fn of_keys_that_fail_1_000_are_listed_and_all_are_counted() {
    let world = World::new();
    for id in 0..1_001 {
        // Nothing that anybody has wrapped.
        let key = key(id, "t", "email", KeyState::DecryptOnly);
        world.store.insert(&key).await.expect("there is room");
    }
    let (done, _) = rewrap_all(&world.keyring()).await;
    let done = done.expect("no key stops the others");
    assert_eq!((done.progress.failed, done.failed.len()), (1_001, 1_000));
}
