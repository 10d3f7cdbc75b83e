//! The log while it is taken.

use async_trait::async_trait;
use sqlx::Postgres;

use super::in_time;
use crate::store::{
    Appending, Group, LogState, StoreError,
    sql::{Prepared, Tables},
};

/// A log that is taken, with its connection.
#[derive(Debug)]
pub(super) struct Taken(pub(super) Prepared<Postgres>);

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
                in_time(Tables::give_back(prepared)).await?;
                return Err(error);
            }
        };
        // A task goes on when nobody waits for it any more. A connection that says nothing is given up: the next who
        // takes the log waits until the server has ended what was begun there.
        let appending = tokio::spawn(in_time(Tables::append(prepared, rows)));
        appending.await.map_err(StoreError::unavailable)?
    }
}
