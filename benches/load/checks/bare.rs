//! The peer: a fixed window, counted by the script that is passed around.

use std::fmt::Write as _;

use redis::{AsyncConnectionConfig, Client, Script, aio::MultiplexedConnection};

use crate::Failure;

const SCRIPT: &str = "\
local count = redis.call('INCR', KEYS[1])
if count == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return count";
const WINDOW_SECONDS: u32 = 60;
/// Above what one run counts to.
const LIMIT: u64 = 1 << 40;

/// The script and a connection that all checks share.
#[derive(Debug)]
pub(super) struct BareScript {
    script: Script,
    connection: MultiplexedConnection,
}

impl BareScript {
    pub(super) async fn connect(url: &str, at_once: usize) -> Result<Self, Failure> {
        let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(at_once);
        let client = Client::open(url)?;
        Ok(Self {
            script: Script::new(SCRIPT),
            connection: client
                .get_multiplexed_async_connection_with_config(&config)
                .await?,
        })
    }

    pub(super) async fn check(&self, tenant: &str) -> Result<(), Failure> {
        let mut key = String::with_capacity(64);
        write!(key, "bare:{tenant}")?;
        let mut call = self.script.prepare_invoke();
        call.key(key).arg(WINDOW_SECONDS);
        let count: u64 = call.invoke_async(&mut self.connection.clone()).await?;
        if count > LIMIT {
            return Err("the bare limit is used up".into());
        }
        Ok(())
    }
}
