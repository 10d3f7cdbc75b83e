//! What is shared of an attempt, and with whom.

use super::super::flight::Flight;
use crate::store::StoreError;

#[tokio::test]
async fn a_failure_is_no_answer_for_who_comes_later() {
    let flight = Flight::<StoreError>::default();
    let fails = async { Err(StoreError::Unavailable("told to be".into())) };
    let failed = flight.run(|| None::<u8>, fails).await;
    assert!(failed.is_err(), "{failed:?}");
    let later = flight.run(|| None, async { Ok(7_u8) }).await;
    assert_eq!(later.expect("it has made an attempt"), 7);
}
