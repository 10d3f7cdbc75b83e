//! The contract of `KekProvider`.

use std::sync::Arc;

use portcullis_keyring::{
    conformance,
    kek::{AwsKms, KekProvider as _},
};

use super::moto::{Moto, context};

#[tokio::test]
async fn it_is_a_kek_provider() {
    let moto = Moto::start();
    let (kek, _) = moto.kek().await;
    conformance::kek_provider(async || Arc::new(kek.clone()) as _).await;
}

/// The same with a former key that is still listed.
#[tokio::test]
async fn it_is_one_with_two_keys() {
    let moto = Moto::start();
    let (kek, _) = moto.kek().await;
    let kek = kek.also_opens(&moto.key()).unwrap();
    conformance::kek_provider(async || Arc::new(kek.clone()) as _).await;
}

#[tokio::test]
async fn what_it_needs_of_a_database_is_little() {
    let moto = Moto::start();
    let (kek, key) = moto.kek().await;
    let made = kek.generate(&context("t", "email", 7)).await.unwrap();
    assert!(made.wrapped.as_bytes().len() < 512);
    assert_eq!(kek.version_of(&made.wrapped), Some(key.clone()));
    assert_eq!(kek.primary().await.unwrap(), Some(key));
}

#[tokio::test]
async fn the_id_of_a_key_is_no_arn_and_an_alias_names_no_former_key() {
    let moto = Moto::start();
    let connection = moto.connection().await;
    let key = moto.key();
    let id = key.rsplit('/').next().unwrap();
    assert!(AwsKms::new(&connection, id).is_err());
    let elsewhere = key.replace("us-east-1", "eu-west-1");
    let refused = AwsKms::new(&connection, &elsewhere).unwrap_err();
    assert!(refused.to_string().contains("eu-west-1"), "{refused}");
    let kek = AwsKms::new(&connection, &key).unwrap();
    let refused = kek.also_opens("alias/portcullis").unwrap_err();
    assert!(refused.to_string().contains("not the ARN"), "{refused}");
}
