//! Questions to the servers, each within one deadline.

use std::{sync::Arc, time::Duration};

use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::time;

use super::{
    connection::{Client, Connection},
    failure::Failure,
    link::Link,
};

/// Where questions are sent, and how long an answer may take.
pub(super) struct Servers {
    link: Arc<Link>,
    deadline: Duration,
}

impl Servers {
    /// `buffer` questions may wait to be written.
    pub(super) fn new(client: Client, deadline: Duration, buffer: usize) -> Self {
        let link = Link::new(client, deadline, buffer);
        Self { link, deadline }
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The time on a clock that measures how long a question takes.
    pub(super) fn now(&self) -> Duration {
        self.link.now()
    }

    pub(super) async fn ping(&self) -> Result<(), Failure> {
        let ping = redis::cmd("PING");
        self.ask(async |connection| connection.send(&ping).await)
            .await
            .map(drop)
    }

    /// Has a script run, by its hash, or `whole` where the server does not have it.
    pub(super) async fn evaluate<T: redis::FromRedisValue>(
        &self,
        by_hash: &Cmd,
        whole: impl FnOnce() -> Cmd,
    ) -> Result<T, Failure> {
        let reply = self.ask(async |connection| match connection.send(by_hash).await {
            // It was not carried out: the server was started again, or told to forget scripts.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                connection.send(&whole()).await
            }
            reply => reply,
        });
        let reply = T::from_redis_value(reply.await?);
        reply.map_err(|error| RedisError::from(error).into())
    }

    /// Has something sent within the deadline, and takes note of what that says of the connection.
    async fn ask(
        &self,
        send: impl AsyncFnOnce(&mut Connection) -> RedisResult<Value>,
    ) -> Result<Value, Failure> {
        let asked = self.now();
        let mut asked_on = None;
        let reply = time::timeout(self.deadline, async {
            let connected = self.link.connected().await?;
            let mut connection = connected.connection.clone();
            asked_on = Some(connected);
            send(&mut connection).await.map_err(Failure::from)
        });
        let reply = reply.await.unwrap_or(Err(Failure::TimedOut));
        let Some(connected) = asked_on else {
            return reply;
        };
        match &reply {
            Err(Failure::TimedOut) => self.link.timed_out(&connected, asked),
            Err(failure) if failure.breaks_connection() => self.link.lost(&connected),
            _ => Link::answered(&connected),
        }
        reply
    }
}
