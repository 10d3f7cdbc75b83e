//! A checkpoint is published.

use sqlx::{Encode, Executor, IntoArguments, Type};

use super::{Dialect, Tables, row::SqlRow as _, signed, tiles};
use crate::{checkpoint::Checkpoint, note::SignedNote, store::StoreError};

impl<DB: Dialect> Tables<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::store) async fn publish(&self, note: &SignedNote) -> Result<(), StoreError> {
        let checkpoint =
            Checkpoint::parse(note.unverified_text()).map_err(|_| StoreError::OtherTree)?;
        let mut transaction = DB::begin(&self.pool).await?;
        let taken = sqlx::query::<DB>(DB::TAKE_CHECKPOINT).fetch_one(&mut *transaction);
        let published = taken.await.map_err(DB::failed)?.number("size")?;
        if !is_ours::<DB>(&checkpoint, published, &mut transaction).await? {
            DB::rollback(transaction).await?;
            return Err(StoreError::OtherTree);
        }
        let put = sqlx::query::<DB>("UPDATE audit_checkpoint SET size = $1, note = $2")
            .bind(signed(checkpoint.size()))
            .bind(note.to_string());
        put.execute(&mut *transaction).await.map_err(DB::failed)?;
        DB::commit(transaction).await
    }
}

/// Whether the log has had that tree, and has published none that is larger.
async fn is_ours<DB: Dialect>(
    checkpoint: &Checkpoint,
    published: u64,
    connection: &mut DB::Connection,
) -> Result<bool, StoreError>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    let select = sqlx::query::<DB>("SELECT size FROM audit_log");
    let row = select.fetch_one(&mut *connection).await;
    let size = checkpoint.size();
    if size > row.map_err(DB::failed)?.number("size")? || size < published {
        return Ok(false);
    }
    let tiles = tiles::of_edge::<DB>(size, connection).await?;
    Ok(tiles::edge(size, &tiles)?.root() == checkpoint.root())
}
