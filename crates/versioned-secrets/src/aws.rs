//! AWS: how it is reached, and Secrets Manager as a place that keeps secrets.

mod connection;
mod endpoints;
mod failure;
mod secrets_manager;

pub use self::{
    connection::{AwsConnection, AwsConnectionBuilder, ConnectionError},
    failure::AwsFailure,
    secrets_manager::SecretsManager,
};
