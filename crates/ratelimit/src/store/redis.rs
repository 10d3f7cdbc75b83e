//! Buckets on a Redis or Valkey server, one for all processes.

mod builder;
mod connection;
mod error;
mod failure;
mod key;
mod link;
#[cfg(feature = "redis-cluster")]
mod redirect;
mod script;

use std::{fmt, sync::Arc, time::Duration};

use redis::{Cmd, ErrorKind, FromRedisValue as _, ServerErrorKind, Value};
use tokio::{sync::Semaphore, time};

use self::{connection::Client, failure::Failure, link::Link, script::ChargeScript};
use crate::{
    observer::{Event, Observer, RoundTripEnd},
    store::{Charge, ChargeFuture, ChargeOutcome, Store, StoreError},
};

pub use self::{
    builder::{RedisMode, RedisStoreBuilder},
    error::RedisConfigError,
};

/// Buckets on a Redis (6.2 or later) or Valkey server, or a cluster of them, shared by all processes.
///
/// Each charge is one script on the server, which reads all its buckets, decides by the server's time, and
/// writes all of them or none. The process's clock decides nothing.
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
    link: Arc<Link>,
    script: ChargeScript,
    in_flight: Semaphore,
    deadline: Duration,
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
        Self {
            link: Link::new(client, builder.deadline, most_in_flight),
            script: ChargeScript::new(script::SOURCE, builder.key_prefix),
            in_flight: Semaphore::new(most_in_flight),
            deadline: builder.deadline,
            observer: builder.observer,
        }
    }

    /// Whether the server answers, and in what time; in a cluster, whether all of its primary nodes do.
    ///
    /// # Errors
    /// It does not answer within the deadline of a charge, or there is no connection.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let asked = self.link.now();
        let pong = self.ask(async |exchange| exchange.send(&redis::cmd("PING")).await);
        pong.await?;
        Ok(self.link.now().saturating_sub(asked))
    }

    async fn decide(&self, charge: &Charge<'_>) -> Result<ChargeOutcome, Failure> {
        let Ok(_permit) = self.in_flight.try_acquire() else {
            return Err(Failure::Crowded);
        };
        let reply = self.ask(async |exchange| {
            let reply = exchange.send(&self.script.by_hash(charge)).await;
            match reply {
                // It was not carried out: the server was started again, or told to forget scripts.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    exchange.send(&self.script.whole(charge)).await
                }
                reply => reply,
            }
        });
        let reply: Vec<u64> =
            Vec::from_redis_value(reply.await?).map_err(redis::RedisError::from)?;
        let outcome = self.script.outcome(charge, &reply);
        outcome.ok_or(Failure::WrongReply)
    }

    /// Has something sent within the deadline, and takes note of what that says of the connection.
    async fn ask(
        &self,
        send: impl AsyncFnOnce(&mut Exchange) -> Result<Value, redis::RedisError>,
    ) -> Result<Value, Failure> {
        let asked = self.link.now();
        let mut on = None;
        let reply = time::timeout(self.deadline, async {
            let connected = self.link.connected().await?;
            let mut exchange = Exchange(connected.connection.clone());
            on = Some(connected);
            send(&mut exchange).await.map_err(Failure::from)
        });
        let reply = reply.await.unwrap_or(Err(Failure::TimedOut));
        let Some(connected) = on else {
            return reply;
        };
        match &reply {
            Err(Failure::TimedOut) => self.link.timed_out(&connected, asked),
            Err(failure) if failure.breaks_connection() => self.link.lost(&connected),
            _ => Link::answered(&connected),
        }
        reply
    }

    fn report(&self, elapsed: Duration, end: RoundTripEnd) {
        if let Some(observer) = &self.observer {
            observer.observe(&Event::RoundTrip { elapsed, end });
        }
    }
}

/// A connection that commands of one charge are sent on.
struct Exchange(connection::Connection);

impl Exchange {
    async fn send(&mut self, command: &Cmd) -> Result<Value, redis::RedisError> {
        self.0.send(command).await
    }
}

impl Store for RedisStore {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        ChargeFuture::boxed(async move {
            let asked = self.link.now();
            let decided = self.decide(charge).await;
            let end = match &decided {
                Ok(_) => RoundTripEnd::Answered,
                Err(failure) => failure.end(),
            };
            self.report(self.link.now().saturating_sub(asked), end);
            Ok(decided?)
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("deadline", &self.deadline)
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
