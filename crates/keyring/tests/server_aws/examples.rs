//! The example runs.

#[path = "../../examples/aws_kms/two_keys.rs"]
mod two_keys;

use super::moto::Moto;

#[tokio::test]
async fn the_example_goes_from_one_key_to_the_next() {
    let moto = Moto::start();
    let (former, next) = (moto.key(), moto.key());
    let connection = moto.connection().await;
    two_keys::run(&connection, &former, &next).await.unwrap();
    two_keys::run(&connection, &next, &next).await.unwrap();
}
