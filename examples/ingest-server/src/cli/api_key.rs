//! `api-key issue|list|revoke`: works on the database itself; running servers learn of it from the
//! outbox.

use std::{num::NonZeroU16, path::PathBuf};

use clap::{Args, Subcommand};
use portcullis_apikey_cache::{
    ApiKeyCache, InvalidTenantId, Kid, MalformedKid, ManageError, Revocation, TenantId,
    store::KeyQuery,
};
use serde_json::json;

use super::{
    CliError, print,
    settings::{Missing, Settings},
};
use crate::{
    api_key_admin::{IssueError, KeyRequest, describe},
    config::{self, Database},
    vault::Vault,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Issue a key and print it; it is shown only this once.
    Issue(Issue),
    /// List keys.
    List(List),
    /// Revoke a key for good.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Issue {
    /// Whose key it is.
    #[arg(long)]
    tenant: String,
    /// free, standard or enterprise.
    #[arg(long, default_value = "standard")]
    tier: String,
    /// What it may do: events:write, leads:write, leads:read, pii:read.
    #[arg(long, value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// When it ends, RFC 3339.
    #[arg(long)]
    expires_at: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only this tenant's.
    #[arg(long)]
    tenant: Option<String>,
    /// Print JSON, one key a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key's id, as `list` shows it.
    kid: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Why a key command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiKeyError {
    #[error(
        "there is no database at {}: name its folder with --data-dir or the file with \
         --database-url; `serve` makes a new one",
        .0.display()
    )]
    NoDatabase(PathBuf),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Manage(#[from] ManageError),
    #[error(transparent)]
    Kid(#[from] MalformedKid),
    #[error(transparent)]
    Tenant(#[from] InvalidTenantId),
}

const PAGE: NonZeroU16 = NonZeroU16::new(500).expect("500 is not zero");

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CliError> {
    require_database(settings)?;
    let config = settings.load(Missing::Report)?.config;
    let vault = Vault::open(&config, None).await?;
    let outcome = match command {
        Command::Issue(arguments) => issue(&vault.keys, arguments).await,
        Command::List(arguments) => list(&vault.keys, arguments).await,
        Command::Revoke(arguments) => revoke(&vault.keys, &arguments).await,
    };
    vault.store.close().await;
    outcome
}

/// Opening a database that is not there would make one, and bind these secrets to it.
fn require_database(settings: &Settings) -> Result<(), ApiKeyError> {
    match config::database(&settings.sources()) {
        Some(Database::Sqlite(path)) if !path.exists() => Err(ApiKeyError::NoDatabase(path)),
        _ => Ok(()),
    }
}

async fn issue(keys: &ApiKeyCache, arguments: Issue) -> Result<(), CliError> {
    let Issue {
        tenant,
        tier,
        scopes,
        expires_at,
        json,
    } = arguments;
    let request = KeyRequest {
        tenant,
        tier,
        scopes,
        expires_at,
    };
    let issued = request.issue(keys).await.map_err(ApiKeyError::from)?;
    // EXPOSE: the holder has to learn the key, once.
    let key = issued.key().hazmat_expose();
    if json {
        print(&json!({ "kid": issued.kid().as_str(), "key": key }).to_string())
    } else {
        print(&format!("kid {}\nkey {key}", issued.kid()))
    }
}

async fn list(keys: &ApiKeyCache, arguments: List) -> Result<(), CliError> {
    let mut query = KeyQuery::first(PAGE);
    if let Some(tenant) = &arguments.tenant {
        query = query.of_tenant(TenantId::new(tenant).map_err(ApiKeyError::from)?);
    }
    loop {
        let page = keys.list(&query).await.map_err(ApiKeyError::from)?;
        for key in &page.keys {
            if arguments.json {
                print(&describe(key).to_string())?;
            } else {
                let (kid, tenant, tier) = (key.kid(), key.tenant(), key.tier());
                print(&format!(
                    "{kid}  {:<9}  {tier:<10}  {tenant}  {}",
                    key.status(),
                    key.scopes()
                ))?;
            }
        }
        match page.next {
            Some(kid) => query = query.after(kid),
            None => return Ok(()),
        }
    }
}

async fn revoke(keys: &ApiKeyCache, arguments: &Revoke) -> Result<(), CliError> {
    let kid: Kid = arguments.kid.parse().map_err(ApiKeyError::from)?;
    let revocation = keys.revoke(&kid).await.map_err(ApiKeyError::from)?;
    let was_active = revocation == Revocation::Revoked;
    if arguments.json {
        print(&json!({ "kid": kid.as_str(), "was_active": was_active }).to_string())
    } else if was_active {
        print(&format!(
            "{kid} is revoked; running servers refuse it within a second"
        ))
    } else {
        print(&format!("{kid} was revoked before"))
    }
}
