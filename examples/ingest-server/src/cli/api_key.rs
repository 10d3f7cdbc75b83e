//! `api-key issue|list|rotate|revoke|peppers|tag-key`: works on the database itself; running servers learn of it
//! from Redis, if one is configured, and from the outbox.

mod peppers;
mod rotate;

use std::{io, num::NonZeroU16, os::fd::AsFd, sync::Arc};

use clap::{Args, Subcommand};
use portcullis_apikey_cache::Kid;
use rustix::fs::FileType;
use serde_json::json;

use super::{
    CliError,
    columns::Columns,
    opened::{Opened, Unobserved},
    print,
    settings::Settings,
};
use crate::{
    admin::{
        Actor, ApiKeyDescription, ApiKeyError, ApiKeyRequest, ApiKeys, Effect, PageRequest,
        RevokedApiKey,
    },
    backend::MissingPeppers,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Issue a key and print it; it is shown only this once.
    Issue(Issue),
    /// List keys.
    List(List),
    /// Replace a key: print a new one that is allowed the same, and have the old one end.
    Rotate(rotate::Rotate),
    /// Revoke a key for good.
    Revoke(Revoke),
    /// Show which versions of the pepper keys need, and what can be done next.
    Peppers(peppers::List),
    /// Print what has to be kept of a pepper that is dropped: a secret, for PORTCULLIS_KID_TAG_KEYS.
    TagKey(peppers::TagKey),
}

#[derive(Debug, Args)]
pub(super) struct Issue {
    /// Whose key it is.
    #[arg(long)]
    tenant: String,
    /// What it may do: events:write, leads:write, leads:read, pii:read, audit:read.
    #[arg(long, value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// free, standard or enterprise.
    #[arg(long, default_value = "standard")]
    tier: String,
    /// When it begins to be accepted, RFC 3339.
    #[arg(long, value_name = "TIME")]
    not_before: Option<String>,
    /// When it ends, RFC 3339.
    #[arg(long, value_name = "TIME")]
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
    /// Only those that need this version of the pepper, until they are used.
    #[arg(long, value_name = "VERSION")]
    pepper: Option<NonZeroU16>,
    /// Print JSON, one key a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The key's id, as `list` shows it.
    kid: String,
    /// Wait until no running server accepts it any more: 3 seconds at most.
    #[arg(long)]
    wait: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Why a key command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("nobody would see the key: standard output is closed or /dev/null; none was issued")]
    Unseen,
    #[error(
        "nobody would see the tag key: standard output is closed or /dev/null; it was not printed"
    )]
    TagKeyUnseen,
    #[error("the key could not be shown ({kind}) and is revoked: {kid}")]
    NotShown { kid: String, kind: io::ErrorKind },
    #[error(
        "the key could not be shown ({kind}) and is active: revoke it with `api-key revoke {kid}`"
    )]
    NotRevoked { kid: String, kind: io::ErrorKind },
    #[error("{unseen}; the old key {old} is refused from {old_ends_at} on: issue another one")]
    RotatedUnseen {
        unseen: Box<Self>,
        old: String,
        old_ends_at: String,
    },
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
}

impl CommandError {
    /// Whether the caller has to set something right, rather than that something failed.
    pub(super) const fn is_usage_error(&self) -> bool {
        matches!(
            self,
            Self::Unseen
                | Self::TagKeyUnseen
                | Self::ApiKey(ApiKeyError::Invalid(_) | ApiKeyError::MalformedKid(_))
        )
    }
}

const PAGE: NonZeroU16 = NonZeroU16::new(500).expect("500 is not zero");

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CliError> {
    let missing_peppers = match command {
        Command::List(_) | Command::Revoke(_) | Command::Peppers(_) => MissingPeppers::Accept,
        Command::Issue(_) | Command::Rotate(_) | Command::TagKey(_) => MissingPeppers::Refuse,
    };
    let opened = Opened::open(settings, missing_peppers).await?;
    let Opened { backend, actor, .. } = &opened;
    let audit = opened.audit.clone();
    let keys = ApiKeys::new(
        backend.api_keys.clone(),
        Arc::clone(&backend.store),
        audit,
        Arc::new(Unobserved),
    );
    let outcome = match command {
        Command::Issue(arguments) => issue(&keys, actor, arguments).await,
        Command::List(arguments) => list(&keys, actor, arguments).await,
        Command::Rotate(arguments) => rotate::rotate(&keys, actor, arguments).await,
        Command::Revoke(arguments) => revoke(&keys, actor, &arguments).await,
        Command::Peppers(arguments) => peppers::list(&keys, actor, &arguments).await,
        Command::TagKey(arguments) => {
            peppers::tag_key(&keys, actor, &backend.peppers, &arguments).await
        }
    };
    // Writing ends when nobody can add to the audit log any more.
    drop(keys);
    opened.close().await;
    outcome
}

async fn issue(keys: &ApiKeys, actor: &Actor, arguments: Issue) -> Result<(), CliError> {
    let Issue {
        tenant,
        tier,
        scopes,
        not_before,
        expires_at,
        json,
    } = arguments;
    let request = ApiKeyRequest {
        tenant,
        tier,
        scopes,
        not_before,
        expires_at,
    };
    if is_discarded(&io::stdout()) {
        return Err(CommandError::Unseen.into());
    }
    let issued = keys.issue(actor, &request).await;
    let issued = issued.map_err(CommandError::from)?;
    // EXPOSE: the holder has to learn the key, once.
    let (kid, key) = (&issued.kid, issued.key.hazmat_expose());
    let printed = if json {
        print(&json!({ "kid": kid.as_str(), "key": key }).to_string())
    } else {
        print(&format!("kid {kid}\nkey {key}"))
    };
    let Err(CliError::Output(kind)) = printed else {
        return printed;
    };
    Err(revoke_unseen(keys, actor, kid, kind).await.into())
}

/// Nobody has seen the key, or all of it: it is not to be good for anything.
async fn revoke_unseen(
    keys: &ApiKeys,
    actor: &Actor,
    kid: &Kid,
    kind: io::ErrorKind,
) -> CommandError {
    let kid = kid.to_string();
    match keys.revoke(actor, &kid).await {
        Ok(_) => CommandError::NotShown { kid, kind },
        Err(_) => CommandError::NotRevoked { kid, kind },
    }
}

/// Whether what is written there is seen by nobody: the null device, in whose place nothing may
/// have been open when the process began.
fn is_discarded(output: &impl AsFd) -> bool {
    let null = rustix::fs::stat("/dev/null").map(|it| it.st_rdev);
    let output = rustix::fs::fstat(output);
    output.is_ok_and(|it| {
        FileType::from_raw_mode(it.st_mode) == FileType::CharacterDevice && Ok(it.st_rdev) == null
    })
}

async fn list(keys: &ApiKeys, actor: &Actor, arguments: List) -> Result<(), CliError> {
    let mut request = PageRequest {
        tenant: arguments.tenant,
        after: None,
        limit: Some(PAGE),
    };
    let mut columns = Columns::new([
        "KID",
        "STATUS",
        "EXPIRES",
        "LAST USED",
        "TIER",
        "TENANT",
        "SCOPES",
    ]);
    loop {
        let page = keys.list(actor, &request).await;
        let page = page.map_err(CommandError::from)?;
        let needs = |key: &&ApiKeyDescription| {
            let of = arguments.pepper;
            of.is_none_or(|of| key.status != "expired" && key.pepper_version == Some(of.get()))
        };
        for key in page.keys.iter().filter(needs) {
            if arguments.json {
                let line = serde_json::to_string(key).expect("texts are JSON");
                print(&line)?;
            } else {
                let ApiKeyDescription {
                    kid,
                    status,
                    tier,
                    tenant,
                    scopes,
                    expires_at,
                    last_used,
                    ..
                } = key;
                let [expires, used] =
                    [expires_at, last_used].map(|at| to_the_second(at.as_deref()));
                let [status, scopes] = [(*status).to_owned(), scopes.join(" ")];
                let [kid, tier, tenant] = [kid, tier, tenant].map(String::clone);
                columns.add([kid, status, expires, used, tier, tenant, scopes]);
            }
        }
        if page.next.is_none() {
            break;
        }
        request.after = page.next;
    }
    if arguments.json {
        Ok(())
    } else {
        print(&columns.to_string())
    }
}

/// A date of a list; the milliseconds are in the JSON.
fn to_the_second(date: Option<&str>) -> String {
    let seconds = date.map(|date| {
        date.split_once('.')
            .map_or_else(|| date.to_owned(), |(it, _)| format!("{it}Z"))
    });
    seconds.unwrap_or_else(|| "never".to_owned())
}

async fn revoke(keys: &ApiKeys, actor: &Actor, arguments: &Revoke) -> Result<(), CliError> {
    let revoked = keys.revoke(actor, &arguments.kid).await;
    let revoked = revoked.map_err(CommandError::from)?;
    let text = revoked_text(&revoked);
    if !arguments.wait {
        return print(&if arguments.json {
            serde_json::to_string(&revoked).expect("texts are JSON")
        } else {
            text
        });
    }
    let revoked = revoked.effective().await;
    let Effect { after_ms, by } = revoked.effective;
    print(&if arguments.json {
        serde_json::to_string(&revoked).expect("texts are JSON")
    } else {
        format!("{text}\nin effect everywhere {after_ms} ms after it was committed ({by})")
    })
}

fn revoked_text(revoked: &RevokedApiKey) -> String {
    let kid = &revoked.kid;
    match (revoked.was_active, revoked.published) {
        (false, _) => format!("{kid} was revoked before"),
        (true, None) => format!("{kid} is revoked; running servers refuse it within half a second"),
        (true, Some(true)) => format!("{kid} is revoked; running servers were told, and refuse it"),
        (true, Some(false)) => format!(
            "{kid} is revoked; Redis was not told, running servers refuse it within half a second"
        ),
    }
}
