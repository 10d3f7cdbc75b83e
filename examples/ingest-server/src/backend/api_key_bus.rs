//! What carries changes of API keys from process to process, faster than each reads the database.

use std::sync::Arc;

use portcullis_apikey_cache::{
    Peppers,
    bus::{InvalidationBus, RedisBus, RedisBusConfigError, RedisMode},
};
use portcullis_telemetry::DatabaseDurations;
use secrecy::ExposeSecret as _;

use super::{redis_client, watched_bus::WatchedBus};
use crate::config::{LimitStore, Topology};

/// The bus on the Redis that limits are counted on, if there is one. Nothing is asked of it yet: the service
/// starts while it is down.
pub(super) fn configured(
    store: &LimitStore,
    peppers: &Peppers,
    durations: Option<&DatabaseDurations>,
) -> Result<Option<Arc<dyn InvalidationBus>>, RedisBusConfigError> {
    let LimitStore::Redis(shared) = store else {
        return Ok(None);
    };
    // Another provider that somebody has chosen before is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    // EXPOSE: the client logs in with it.
    let urls = shared.urls.iter().map(|url| url.expose_secret());
    let bus = RedisBus::builder(urls)?.mode(match shared.topology {
        Topology::Single => RedisMode::Single,
        Topology::Cluster => RedisMode::Cluster,
    });
    let redis = redis_client::database(&shared.endpoint, durations);
    Ok(Some(Arc::new(WatchedBus::new(bus.build(peppers)?, redis))))
}
