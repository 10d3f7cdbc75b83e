//! Buckets on a Redis or Valkey server, one for all processes.

mod ask;
mod builder;
mod calls;
mod connection;
mod error;
mod failure;
mod group;
mod heartbeat;
mod key;
mod link;
#[cfg(feature = "redis-cluster")]
mod redirect;
mod script;
mod servers;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::timeout};

use self::{
    calls::{Calls, Most},
    connection::Client,
    failure::Failure,
    group::NotABucket,
    servers::Servers,
};
use crate::{
    observer::{Event, Observer, RoundTripEnd},
    store::{Charge, ChargeFuture, ChargeOutcome, Source, Store, StoreError},
};

pub use self::{
    builder::{RedisMode, RedisStoreBuilder},
    error::RedisConfigError,
    heartbeat::RedisHeartbeat,
};

/// Buckets on a Redis (6.2 or later) or Valkey server, or a cluster of them, shared by all processes.
///
/// A script on the server reads all buckets of a charge, decides by the server's time, and writes all of them
/// or none. The process's clock decides nothing. Charges that come while others are under way go together, up
/// to 32 in one call of the script, which decides them one after the other; in a cluster each goes by itself.
///
/// # When the server does not answer
/// A charge fails with [`StoreError::Unavailable`] after its [deadline](RedisStoreBuilder::deadline), and at
/// once where there is no connection or too many wait already. It is never sent again, for it may have been
/// carried out. Connections are made again in the background. What to do meanwhile is the caller's: a
/// fallback, or an answer that says so.
///
/// # Where it runs
/// `charge` and `ping` run on a Tokio runtime with I/O and time, where they also spawn the task that connects.
///
/// # What the server must keep
/// Keys expire by themselves. A server that evicts others when memory is short (any `maxmemory-policy` but
/// `noeviction`) forgets what tenants have used, and so does a replica that takes over before it has seen the
/// latest writes.
pub struct RedisStore {
    calls: Arc<Calls>,
    in_flight: Semaphore,
    observer: Option<Arc<dyn Observer>>,
}

impl RedisStore {
    /// A store on the server that a URL names (`redis://`, `rediss://` with the feature `redis-tls`), or on
    /// the cluster that some of its nodes are given of.
    ///
    /// # Errors
    /// A URL cannot be read. The error never repeats it.
    pub fn builder(
        urls: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<RedisStoreBuilder, RedisConfigError> {
        RedisStoreBuilder::new(urls)
    }

    fn with_client(builder: RedisStoreBuilder, client: Client) -> Self {
        let most_in_flight = builder.most_in_flight.get().min(Semaphore::MAX_PERMITS);
        let most = match client {
            Client::Single(_) => Most::in_groups(most_in_flight),
            #[cfg(feature = "redis-cluster")]
            Client::Cluster(_) => Most::one_by_one(most_in_flight),
        };
        let servers = Servers::new(client, builder.deadline, most_in_flight);
        Self {
            calls: Calls::new(servers, builder.key_prefix, most),
            in_flight: Semaphore::new(most_in_flight),
            observer: builder.observer,
        }
    }

    /// Whether the server answers, and in what time; in a cluster, whether all of its primary nodes do.
    ///
    /// # Errors
    /// It does not answer within the deadline of a charge, or there is no connection.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let asked = self.servers().now();
        self.servers().ping().await?;
        Ok(self.servers().now().saturating_sub(asked))
    }

    async fn decide(&self, charge: &Charge<'_>) -> Result<ChargeOutcome, Failure> {
        let Ok(_permit) = self.in_flight.try_acquire() else {
            return Err(Failure::Crowded);
        };
        let sent = self.calls.send(charge)?;
        let reply = timeout(self.servers().deadline(), sent.reply).await;
        // What took the group is dropped without a reply where its runtime has ended.
        let reply = reply.ok().and_then(Result::ok);
        let reply = reply.ok_or(Failure::TimedOut)??;
        let decided = sent.position.outcome(charge, &reply);
        let outcome = decided.ok_or(Failure::WrongReply)?;
        outcome.map_err(|NotABucket| Failure::NotABucket)
    }

    fn servers(&self) -> &Servers {
        self.calls.servers()
    }

    fn key_prefix(&self) -> &str {
        self.calls.key_prefix()
    }

    fn report(&self, elapsed: Duration, end: RoundTripEnd) {
        if let Some(observer) = &self.observer {
            observer.observe(&Event::RoundTrip { elapsed, end });
        }
    }
}

impl Store for RedisStore {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        if charge.targets().next().is_none() {
            // No limit applies, so there is nothing to ask.
            let outcome = ChargeOutcome::new(charge, charge.now());
            return outcome.with_source(Source::Redis).into();
        }
        ChargeFuture::boxed(async move {
            let asked = self.servers().now();
            let decided = self.decide(charge).await;
            let end = match &decided {
                Ok(_) => RoundTripEnd::Answered,
                Err(failure) => failure.end(),
            };
            self.report(self.servers().now().saturating_sub(asked), end);
            Ok(decided?)
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("deadline", &self.servers().deadline())
            .field("free", &self.in_flight.available_permits())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("deadline", &self.deadline)
            .field("most_in_flight", &self.most_in_flight)
            .field("key_prefix", &self.key_prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
