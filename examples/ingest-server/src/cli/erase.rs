//! `erase`: a tenant or a lead, for good.

use std::sync::Arc;

use clap::Args;

use super::{
    CliError,
    keys::to_json,
    opened::{Opened, Unobserved},
    print,
    settings::Settings,
};
use crate::{
    admin::{Erased, ErasureRequest, Erasures, TenantKeys},
    app::PrepareError,
    backend::MissingPeppers,
    store::Tombstones,
};

#[derive(Debug, Args)]
pub(super) struct Erase {
    /// Whose: all of the tenant, unless one lead is named. The tenant's name is free for nobody else after that.
    #[arg(long)]
    tenant: String,
    /// Only this lead.
    #[arg(long, value_name = "ID")]
    lead: Option<String>,
    /// Say that all of a tenant is meant.
    #[arg(long, conflicts_with = "lead", required_unless_present = "lead")]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, arguments: Erase) -> Result<(), CliError> {
    let opened = Opened::open(settings, MissingPeppers::Accept).await?;
    let outcome = erase(&opened, arguments).await;
    opened.close().await;
    outcome
}

async fn erase(opened: &Opened, arguments: Erase) -> Result<(), CliError> {
    let Erase {
        tenant,
        lead,
        all,
        json,
    } = arguments;
    let tombstones = Tombstones::open(&opened.erasures, &*opened.backend.store).await;
    let tombstones = tombstones.map_err(PrepareError::from)?;
    let erasures = Erasures::standalone(
        opened.backend.keyring.clone(),
        Arc::clone(&opened.backend.store),
        TenantKeys {
            data_keys: Arc::clone(&opened.backend.data_keys),
            api_keys: opened.backend.api_keys.clone(),
        },
        Arc::clone(&opened.backend.quality_history),
        tombstones,
        Arc::clone(&opened.clock),
        (opened.audit.clone(), Arc::new(Unobserved)),
    );
    let request = ErasureRequest { tenant, lead, all };
    let erased = erasures.erase(&opened.actor, &request).await?;
    if json {
        return print(&to_json(&erased));
    }
    let Erased {
        tenant,
        lead,
        rows,
        log_emptied,
    } = erased;
    let what = lead.map_or_else(|| "all".to_owned(), |lead| format!("the lead {lead}"));
    print(&format!("{what} of {tenant} is erased, in {rows} rows"))?;
    if log_emptied {
        return Ok(());
    }
    print(
        "somebody reads the database, and its files keep what was there until nobody does: the service overwrites it \
         then, or its next start does",
    )
}
