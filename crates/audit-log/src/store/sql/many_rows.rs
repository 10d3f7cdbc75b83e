//! Many rows in few statements.

use sqlx::{Database, Executor, IntoArguments, QueryBuilder, query_builder::Separated};

/// The most rows of a statement. With the seven columns of a leaf they are 896 parameters, and every database takes 999.
const MOST: usize = 128;

/// Inserts rows, as `insert` begins and `conflict` ends it: a group of any size takes one statement for 128 rows, and
/// at most seven for the rest.
pub(in crate::store) async fn insert<'r, DB: Database, T>(
    connection: &mut DB::Connection,
    [insert, conflict]: [&'static str; 2],
    rows: &'r [T],
    mut bind: impl FnMut(&mut Separated<'_, DB, &'static str>, &'r T),
) -> Result<(), sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    for rows in parts(rows) {
        let mut statement = QueryBuilder::<DB>::new(insert);
        statement.push_values(rows, |mut row, values| bind(&mut row, values));
        statement.push(conflict);
        statement.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Parts of 128 rows, then of powers of two. There are eight lengths, so that a connection keeps each statement prepared.
fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let most = rows.len().min(MOST).checked_ilog2()?;
        let (part, left) = rows.split_at(1 << most);
        rows = left;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_of_any_number_are_in_statements_of_eight_lengths() {
        let all: Vec<_> = (0..1_000).collect();
        let mut lengths = BTreeSet::new();
        for count in 0..=all.len() {
            let rows = &all[..count];
            assert_eq!(parts(rows).flatten().copied().collect::<Vec<_>>(), rows);
            assert!(parts(rows).count() <= count / MOST + 7);
            lengths.extend(parts(rows).map(<[i32]>::len));
        }
        assert_eq!(Vec::from_iter(lengths), [1, 2, 4, 8, 16, 32, 64, MOST]);
    }
}
