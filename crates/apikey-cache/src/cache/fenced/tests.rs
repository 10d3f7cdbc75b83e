//! The memory and its fence among threads, in every order that loom finds: a load beside what takes it back,
//! and a request that comes after. Fences that are built wrong are found.

use std::{collections::BTreeMap, sync::LazyLock};

use loom::{
    sync::{
        Mutex, RwLock,
        atomic::{self, AtomicBool},
    },
    thread,
};
use portcullis_versioned_secrets::VersionedSecrets;
use secrecy::SecretBox;

use super::*;
use crate::{
    cache::{
        entry::{Freshness, NegativeEntry},
        refresh::RefreshDue,
    },
    entropy::SystemEntropy,
    key::ApiKey,
    key_format::KeyFormat,
    pepper::Peppers,
    store::{KeyRecord, RecordState, UnixMillis},
    tier::Tier,
    verifier::Verifier,
};

/// loom's locks and numbers.
struct Modelled;

impl Parts for Modelled {
    type Stripe = Mutex<Stripe<Launched>>;
    type Epoch = atomic::AtomicU64;
    type Keys = RwLock<BTreeMap<Kid, Arc<Entry>>>;
    type Negative = RwLock<BTreeMap<Kid, NegativeEntry>>;
}

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, step: impl FnOnce(&mut T) -> R) -> R {
        step(&mut self.lock().unwrap())
    }
}

impl Atomic for atomic::AtomicU64 {
    fn load(&self) -> u64 {
        self.load(Ordering::SeqCst)
    }

    fn count(&self) {
        self.fetch_add(1, Ordering::SeqCst);
    }
}

impl<V: Clone> KidMap<V> for RwLock<BTreeMap<Kid, V>> {
    fn find(&self, kid: &Kid) -> Option<V> {
        self.read().unwrap().get(kid).cloned()
    }

    fn put(&self, kid: Kid, value: V) {
        self.write().unwrap().insert(kid, value);
    }

    fn take_out(&self, kid: &Kid) {
        self.write().unwrap().remove(kid);
    }

    fn keep_those(&self, is_kept: impl Fn(&V) -> bool) {
        self.write().unwrap().retain(|_, value| is_kept(value));
    }
}

const OLD: RecordVersion = RecordVersion::FIRST;
const NEW: RecordVersion = RecordVersion::new(2);
const NOW: Duration = Duration::from_secs(1);
const UNTIL: Duration = Duration::from_secs(60);
/// How often everything is dropped in one history, at most.
const EPOCHS: u64 = 2;

static TENANT: LazyLock<TenantId> = LazyLock::new(|| "tenant-7".parse().unwrap());

/// What a load makes of the record, by its version and the epoch of the load. Made once: each takes a few
/// hashes, and there are many histories.
static ENTRIES: LazyLock<Vec<Arc<Entry>>> = LazyLock::new(|| {
    let secret = SecretBox::new(Box::new([7; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret)).unwrap();
    let kid = Kid::make(&SystemEntropy::new(), &peppers).unwrap();
    let key = ApiKey::make(&SystemEntropy::new(), &KeyFormat::default(), kid).unwrap();
    let versions = [OLD, NEW];
    let all = versions
        .into_iter()
        .flat_map(|version| (0..EPOCHS).map(move |epoch| (version, epoch)));
    let entry = |(version, epoch)| {
        let mut record = KeyRecord {
            kid,
            tenant: TENANT.clone(),
            tier: Tier::STANDARD,
            scopes: "events:write".parse().unwrap(),
            version,
            not_before: None,
            expires_at: None,
            created_at: UnixMillis::new(0),
            last_used: None,
            state: RecordState::Revoked,
        };
        let verifier = Verifier::derive(peppers.primary(), &record, &key);
        record.state = RecordState::Active(verifier);
        let secret = verifier.authenticate(&record, &peppers).unwrap();
        let freshness = Freshness {
            epoch: Epoch(epoch),
            until: UNTIL,
        };
        let refresh = RefreshDue::never();
        Arc::new(Entry::new(
            record,
            verifier.pepper,
            secret,
            freshness,
            refresh,
        ))
    };
    all.map(entry).collect()
});

fn kid() -> Kid {
    ENTRIES[0].record.kid
}

fn loaded(version: RecordVersion, ticket: Ticket) -> Loaded {
    let is_it = |entry: &&Arc<Entry>| {
        entry.record.version == version && entry.freshness.epoch == ticket.epoch
    };
    Loaded::Key(Arc::clone(ENTRIES.iter().find(is_it).unwrap()))
}

/// A process, the store, and whether the change has been applied here.
struct World {
    fenced: Fenced<Modelled>,
    stored: atomic::AtomicU64,
    is_applied: AtomicBool,
}

impl World {
    /// The old record is stored and cached.
    fn new() -> Self {
        let (keys, negative) = (RwLock::default(), RwLock::default());
        let world = Self {
            fenced: Fenced::of(keys, negative, atomic::AtomicU64::new(0), 1),
            stored: atomic::AtomicU64::new(OLD.value()),
            is_applied: AtomicBool::new(false),
        };
        load(&world);
        world
    }

    fn read(&self) -> RecordVersion {
        RecordVersion::new(self.stored.load(Ordering::SeqCst))
    }

    fn used(&self) -> Option<RecordVersion> {
        let entry = self.fenced.key(&kid(), NOW)?;
        Some(entry.record.version)
    }

    fn request(&self) {
        if self.is_applied.load(Ordering::SeqCst) {
            assert_ne!(self.used(), Some(OLD), "used after the change was applied");
        }
    }
}

/// As the cache loads.
fn load(world: &World) {
    let ticket = world.fenced.begin(&kid());
    let read = loaded(world.read(), ticket);
    // One that is refused is begun again, which is another history.
    let _ = world.fenced.keep(&kid(), ticket, &read, NOW);
}

fn invalidate(world: &World) {
    world.fenced.invalidate(&kid(), NEW, NOW);
}

/// A load, the change with what is done about it, and a request, all at once; then one request more.
fn explore(load: fn(&World), apply: fn(&World)) {
    LazyLock::force(&ENTRIES);
    let mut model = loom::model::Builder::new();
    // All orders of three threads would take hours.
    model.preemption_bound = Some(3);
    model.check(move || {
        let world = loom::sync::Arc::new(World::new());
        let loading = {
            let world = loom::sync::Arc::clone(&world);
            thread::spawn(move || load(&world))
        };
        let changing = {
            let world = loom::sync::Arc::clone(&world);
            thread::spawn(move || {
                world.stored.store(NEW.value(), Ordering::SeqCst);
                apply(&world);
                world.is_applied.store(true, Ordering::SeqCst);
            })
        };
        world.request();
        for thread in [loading, changing] {
            thread.join().unwrap();
        }
        world.request();
    });
}

#[test]
fn a_load_beside_an_invalidation_and_a_request() {
    explore(load, invalidate);
}

#[test]
fn a_load_beside_an_invalidation_of_everything_and_a_request() {
    explore(load, |world| world.fenced.invalidate_all());
}

#[test]
fn a_load_beside_a_tenant_that_is_forgotten_and_a_request() {
    explore(load, |world| {
        world.fenced.forget_tenant(&TENANT);
    });
}

#[test]
fn a_load_beside_a_kid_that_is_forgotten_and_a_request() {
    explore(load, |world| {
        world.fenced.forget(&kid());
    });
}

#[test]
fn a_load_beside_a_store_that_was_replaced_and_a_request() {
    explore(load, |world| world.fenced.reset());
}

#[test]
fn a_load_that_hands_over_what_it_read_beside_a_kid_that_is_forgotten() {
    explore(
        |world| {
            let ticket = world.fenced.begin(&kid());
            let read = loaded(world.read(), ticket);
            let is_applied = world.is_applied.load(Ordering::SeqCst);
            let admitted = world.fenced.admit(&kid(), ticket, &read, NOW);
            let is_stale = is_applied && admitted.is_ok() && read.version() == OLD;
            assert!(!is_stale, "handed over after the change was applied");
        },
        |world| {
            world.fenced.forget(&kid());
        },
    );
}

/// What is found of a fence that is built wrong.
mod built_wrong {
    use super::*;

    #[test]
    #[should_panic(expected = "used after the change was applied")]
    fn a_record_is_put_in_after_the_lock_was_let_go() {
        let load = |world: &World| {
            let ticket = world.fenced.begin(&kid());
            let read = loaded(world.read(), ticket);
            if world.fenced.admit(&kid(), ticket, &read, NOW).is_ok()
                && let Loaded::Key(entry) = read
            {
                world.fenced.keys.put(kid(), entry);
            }
        };
        explore(load, invalidate);
    }

    #[test]
    #[should_panic(expected = "used after the change was applied")]
    fn the_fence_is_looked_at_after_the_store_was_read() {
        let load = |world: &World| {
            let version = world.read();
            let ticket = world.fenced.begin(&kid());
            let _ = world
                .fenced
                .keep(&kid(), ticket, &loaded(version, ticket), NOW);
        };
        // Where a version is known, that alone would do.
        explore(load, |world| {
            world.fenced.forget(&kid());
        });
    }

    #[test]
    #[should_panic(expected = "used after the change was applied")]
    fn the_epoch_is_read_after_the_store_was() {
        let load = |world: &World| {
            let mut ticket = world.fenced.begin(&kid());
            let version = world.read();
            ticket.epoch = world.fenced.epoch();
            let _ = world
                .fenced
                .keep(&kid(), ticket, &loaded(version, ticket), NOW);
        };
        explore(load, |world| world.fenced.invalidate_all());
    }

    #[test]
    #[should_panic(expected = "used after the change was applied")]
    fn a_record_is_removed_before_the_fence_is_moved() {
        explore(load, |world| {
            world.fenced.remove(&kid());
            let stripe = world.fenced.stripe(&kid());
            stripe.with(|stripe| stripe.invalidate(kid(), NEW, NOW, UNTIL));
        });
    }

    #[test]
    #[should_panic(expected = "used after the change was applied")]
    fn records_of_a_tenant_are_removed_before_the_fence_is_moved() {
        explore(load, |world| {
            world
                .fenced
                .keys
                .keep_those(|entry| entry.record.tenant != *TENANT);
            world.fenced.stripe(&kid()).with(Stripe::cut_off_all);
        });
    }

    #[test]
    #[should_panic(expected = "used after the change was applied")]
    fn an_invalidation_of_everything_removes_what_is_there_and_counts_no_epoch() {
        explore(load, |world| world.fenced.keys.keep_those(|_| false));
    }
}
