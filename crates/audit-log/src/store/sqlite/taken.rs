//! The log while it is taken.

use async_trait::async_trait;
use sqlx::Sqlite;

use crate::store::{
    Appending, Group, LogState, StoreError,
    sql::{Prepared, Tables},
};

/// A log that is taken, with its connection.
#[derive(Debug)]
pub(super) struct Taken(pub(super) Prepared<Sqlite>);

#[async_trait]
impl Appending for Taken {
    fn state(&self) -> LogState {
        self.0.state()
    }

    async fn commit(self: Box<Self>, group: &Group) -> Result<(), StoreError> {
        let Self(prepared) = *self;
        let rows = match Tables::rows_of(&prepared, group) {
            Ok(rows) => rows,
            Err(error) => {
                Tables::give_back(prepared).await?;
                return Err(error);
            }
        };
        // A task goes on when nobody waits for it any more.
        let appending = tokio::spawn(Tables::append(prepared, rows));
        appending.await.map_err(StoreError::unavailable)?
    }
}
