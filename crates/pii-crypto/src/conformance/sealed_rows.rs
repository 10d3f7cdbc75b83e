//! What every [`SealedRows`](crate::reencrypt::SealedRows) has to do.

mod changes;
mod pages;
mod steps;

use std::sync::Arc;

use self::{
    changes::{
        a_change_is_written_with_the_keys_it_needs, a_change_without_values_keeps_them,
        a_row_is_indexed_when_its_values_are_written, a_row_that_is_gone_stays_gone,
        a_writer_that_came_first_wins, outcomes_follow_the_changes,
        plaintext_gives_way_to_what_is_sealed, plaintext_that_was_written_meanwhile_stays,
    },
    pages::{
        a_field_is_read_as_it_was_sealed, a_page_goes_on_behind_rows_that_are_gone,
        cursors_are_kept_by_name, pages_are_complete_and_in_one_order,
        the_rows_of_a_key_are_those_that_need_it,
    },
};
use super::{Clause, TestTable, clauses};

/// Checks a table against the contract of [`SealedRows`](crate::reencrypt::SealedRows); `make` makes an empty one for each clause.
///
/// # Panics
/// The table breaks the contract, or fails. The message names the clause.
pub async fn sealed_rows(make: impl AsyncFn() -> Arc<dyn TestTable>) {
    clauses! { "SealedRows";
        pages_are_complete_and_in_one_order(&*make().await);
        a_page_goes_on_behind_rows_that_are_gone(&*make().await);
        the_rows_of_a_key_are_those_that_need_it(&*make().await);
        a_field_is_read_as_it_was_sealed(&*make().await);
        a_change_is_written_with_the_keys_it_needs(&*make().await);
        a_change_without_values_keeps_them(&*make().await);
        a_writer_that_came_first_wins(&*make().await);
        outcomes_follow_the_changes(&*make().await);
        a_row_that_is_gone_stays_gone(&*make().await);
        plaintext_gives_way_to_what_is_sealed(&*make().await);
        plaintext_that_was_written_meanwhile_stays(&*make().await);
        a_row_is_indexed_when_its_values_are_written(&*make().await);
        cursors_are_kept_by_name(&*make().await);
    }
}
