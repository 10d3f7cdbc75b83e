//! The configured limiters: where limits are counted, and what stands in for it.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

use portcullis_ratelimit::{
    BuildError, RateLimiter,
    observer::Observer,
    policy::{Limit, Policies, PolicyError, Rule},
    store::{
        DenialCache, FallbackStore, LeaseStore, MemoryStore, NodeCount, RedisConfigError,
        RedisMode, RedisStore, Store, WhenFull,
    },
};
use portcullis_telemetry::DatabaseDurations;
use secrecy::ExposeSecret as _;

use super::{
    limit_stores::{
        FAILED_ADMIN_TOKENS, FAILED_API_KEYS, LimitStores, OPERATORS, SharedStores, Stores,
    },
    redis_client::{self, RedisClient},
    upkeep::Upkeep,
};
use crate::{
    config::{Counting, ExpectedNodes, LimitStore, SharedLimits, Topology},
    limits,
};

/// Buckets that are kept at once; keys beyond it share one, so that none escapes its limit.
const MAX_BUCKETS: NonZeroUsize = NonZeroUsize::new(200_000).expect("200,000 is not zero");

/// Keys whose refusals are remembered.
const MAX_DENIALS: NonZeroUsize = NonZeroUsize::new(100_000).expect("100,000 is not zero");

/// Keys that tokens are taken ahead for.
const MAX_LEASES: NonZeroUsize = NonZeroUsize::new(50_000).expect("50,000 is not zero");

/// Client networks that are counted apart; those beyond share one bucket.
const MAX_NETWORKS: NonZeroUsize = NonZeroUsize::new(10_000).expect("10,000 is not zero");

/// The limiter cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LimiterError {
    #[error("the rate limiter cannot be built")]
    Build(#[from] BuildError),
    #[error("the default limits cannot be used")]
    Policies(#[from] PolicyError),
    #[error("Redis cannot be used as it is configured")]
    Redis(#[from] RedisConfigError),
}

/// Every limiter of the service, and what can be told of the stores behind.
pub(super) struct Limiters {
    pub(super) limiter: RateLimiter,
    pub(super) operators: RateLimiter,
    pub(super) failed_admin_tokens: RateLimiter,
    pub(super) failed_api_keys: RateLimiter,
    pub(super) stores: LimitStores,
    pub(super) upkeep: Upkeep,
}

impl Limiters {
    /// Makes them over the stores that are configured. Nothing is asked of Redis yet: the service starts
    /// while it is down.
    pub(super) fn configured(
        store: &LimitStore,
        observer: Option<Arc<dyn Observer>>,
        durations: Option<&DatabaseDurations>,
    ) -> Result<Self, LimiterError> {
        let (counted_on, stores): (Arc<dyn Store>, _) = match store {
            LimitStore::Memory => {
                let memory = Arc::new(MemoryStore::new(MAX_BUCKETS, WhenFull::SharedOverflow));
                (Arc::clone(&memory) as _, Stores::Memory(memory))
            }
            LimitStore::Redis(shared) => {
                let stores = on_redis(shared, observer.as_ref(), durations)?;
                (Arc::clone(&stores.fallback) as _, Stores::Shared(stores))
            }
        };
        let limiter = observed(counted_on, observer.clone())?;
        let of_operators = own_store();
        let operators = observed(Arc::clone(&of_operators) as _, observer)?;
        let (failed_admin_tokens, of_tokens) = of_failures(limits::failed_admin_tokens())?;
        let (failed_api_keys, of_keys) = of_failures(limits::failed_api_keys())?;
        Ok(Self {
            upkeep: Upkeep::of(&stores, &limiter),
            limiter,
            operators,
            failed_admin_tokens,
            failed_api_keys,
            stores: LimitStores::new(
                stores,
                [
                    (OPERATORS, of_operators),
                    (FAILED_ADMIN_TOKENS, of_tokens),
                    (FAILED_API_KEYS, of_keys),
                ],
            ),
        })
    }
}

/// Redis, and before it what spares it questions, and before that what stands in for it.
fn on_redis(
    shared: &SharedLimits,
    observer: Option<&Arc<dyn Observer>>,
    durations: Option<&DatabaseDurations>,
) -> Result<SharedStores, LimiterError> {
    // Another provider that somebody has chosen before is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    // EXPOSE: the client logs in with it.
    let urls = shared.urls.iter().map(|url| url.expose_secret());
    let mut redis = RedisStore::builder(urls)?.mode(match shared.topology {
        Topology::Single => RedisMode::Single,
        Topology::Cluster => RedisMode::Cluster,
    });
    if let Some(observer) = observer {
        redis = redis.observer(Arc::clone(observer));
    }
    let redis = Arc::new(redis.build()?);
    let nodes = match shared.nodes {
        ExpectedNodes::Counted => NodeCount::starting_at(NonZeroU32::MIN),
        ExpectedNodes::Fixed(nodes) => NodeCount::fixed(nodes),
    };
    let database = redis_client::database(&shared.endpoint, durations);
    let client = RedisClient::new(Arc::clone(&redis) as _, database.clone());
    let denials = Arc::new(DenialCache::new(Arc::new(client), MAX_DENIALS));
    let leases = match shared.counting {
        Counting::Exact => None,
        Counting::Lease => {
            let leases = LeaseStore::builder(Arc::clone(&denials) as _).capacity(MAX_LEASES);
            Some(Arc::new(leases.build()))
        }
    };
    let primary: Arc<dyn Store> = match &leases {
        Some(leases) => Arc::clone(leases) as _,
        None => Arc::clone(&denials) as _,
    };
    let mut fallback = FallbackStore::builder(primary)
        .nodes(nodes.clone())
        .capacity(MAX_BUCKETS);
    if let Some(observer) = observer {
        fallback = fallback.observer(Arc::clone(observer));
    }
    Ok(SharedStores {
        redis,
        denials,
        leases,
        fallback: Arc::new(fallback.build()),
        nodes,
        database,
        missed_beats: Arc::default(),
    })
}

/// Makes a limiter by the default limits, until others are set.
fn observed(
    store: Arc<dyn Store>,
    observer: Option<Arc<dyn Observer>>,
) -> Result<RateLimiter, LimiterError> {
    let mut limiter = RateLimiter::builder()
        .policies(limits::complete(Policies::builder())?)
        .store(store);
    if let Some(observer) = observer {
        limiter = limiter.observer(observer);
    }
    Ok(limiter.build()?)
}

/// Makes a limiter of attempts that failed, by client network.
fn of_failures(limit: Limit) -> Result<(RateLimiter, Arc<MemoryStore>), LimiterError> {
    let policies = Policies::builder().client_address(Rule::new(limit));
    let store = own_store();
    let limiter = RateLimiter::builder()
        .policies(policies.build()?)
        .store(Arc::clone(&store) as _);
    Ok((limiter.build()?, store))
}

/// A store by client network that is this process's own whatever is configured: it guards against noise, or
/// stands before what operators need when Redis is down, and must work then.
fn own_store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(MAX_NETWORKS, WhenFull::SharedOverflow))
}
