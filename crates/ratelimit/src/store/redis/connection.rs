//! Servers as they are configured, and connections to them.

use redis::{
    AsyncConnectionConfig, Cmd, RedisResult, Value,
    aio::{ConnectionLike as _, MultiplexedConnection},
};

/// Where the servers are and how connections to them are made.
#[derive(Clone)]
pub(super) enum Client {
    Single(Box<redis::Client>),
    #[cfg(feature = "redis-cluster")]
    Cluster(Box<redis::cluster::ClusterClient>),
}

/// A connection that many requests share.
#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    #[cfg(feature = "redis-cluster")]
    Cluster(redis::cluster_async::ClusterConnection),
}

impl Client {
    /// `buffer` requests may wait to be written.
    pub(super) async fn connect(&self, buffer: usize) -> RedisResult<Connection> {
        match self {
            Self::Single(client) => {
                // The caller has a deadline for all of it.
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(None)
                    .set_response_timeout(None)
                    .set_pipeline_buffer_size(buffer);
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                connection.await.map(Connection::Single)
            }
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
        }
    }
}

impl Connection {
    /// Sends a command once, and once more only where a node has said that it did not carry it out.
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Single(connection) => connection
                .req_packed_command(command)
                .await?
                .extract_error(),
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(connection) => super::redirect::send(connection, command).await,
        }
    }
}
