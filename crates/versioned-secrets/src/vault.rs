//! HashiCorp Vault and OpenBao: a client, and secrets from version 2 of the KV engine.
//!
//! The client does what a service needs and no more: one address, one way to log in, calls that end in a
//! bounded time, and answers in which a refusal is never taken for an outage.

mod app_role;
mod builder;
mod client;
mod data;
mod environment;
mod error;
mod given_token;
mod kv;
mod path;
mod tokens;
mod transport;

pub use self::{
    app_role::AppRole,
    builder::VaultClientBuilder,
    client::VaultClient,
    data::VaultData,
    error::{VaultConfigError, VaultError, VaultOutage},
    given_token::TokenEnd,
    kv::VaultKv,
    path::{InvalidVaultPath, VaultPath},
};
