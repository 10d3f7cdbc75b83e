//! Servers as they are configured, and connections to them.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Pipeline, RedisError, RedisResult, Value,
    aio::{ConnectionLike as _, MultiplexedConnection},
};
use tokio::time::timeout;

use super::failure::Failure;

/// From name resolution to the server's greeting.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Where the servers are and how connections to them are made.
#[derive(Clone)]
pub(super) enum Client {
    Single(Box<redis::Client>),
    #[cfg(feature = "redis-cluster")]
    Cluster(Box<redis::cluster::ClusterClient>),
}

#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    #[cfg(feature = "redis-cluster")]
    Cluster(redis::cluster_async::ClusterConnection),
}

impl Client {
    /// A connection on which every answer takes at most `response_timeout`.
    pub(super) async fn connect(&self, response_timeout: Duration) -> Result<Connection, Failure> {
        let made = timeout(CONNECT_TIMEOUT, self.open(response_timeout)).await;
        Ok(made.map_err(|_| Failure::TimedOut)??)
    }

    async fn open(&self, response_timeout: Duration) -> RedisResult<Connection> {
        match self {
            Self::Single(client) => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(None)
                    .set_response_timeout(Some(response_timeout));
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                connection.await.map(Connection::Single)
            }
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(client) => {
                let config = redis::cluster::ClusterConfig::new()
                    .set_connection_timeout(CONNECT_TIMEOUT)
                    .set_response_timeout(response_timeout);
                let connection = client.get_async_connection_with_config(config);
                connection.await.map(Connection::Cluster)
            }
        }
    }
}

impl Connection {
    /// One round trip; the replies may be errors.
    pub(super) async fn send(&mut self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let count = commands.len();
        match self {
            Self::Single(connection) => connection.req_packed_commands(commands, 0, count).await,
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(connection) => connection.req_packed_commands(commands, 0, count).await,
        }
    }
}

pub(super) fn first_error(replies: Vec<Value>) -> Option<RedisError> {
    let mut replies = replies.into_iter();
    replies.find_map(|reply| reply.extract_error().err())
}
