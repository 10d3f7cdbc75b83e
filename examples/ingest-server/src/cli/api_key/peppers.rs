//! `api-key peppers|tag-key`: what to know before a pepper is dropped, and what to keep of it.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use portcullis_apikey_cache::{PepperVersion, Peppers};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{CommandError, is_discarded};
use crate::{
    admin::{Actor, ApiKeys, PepperDescription},
    cli::{CliError, columns::Columns, print},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Print JSON, one version a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TagKey {
    /// The version, as `peppers` shows it.
    #[arg(value_parser = version)]
    version: PepperVersion,
}

fn version(text: &str) -> Result<PepperVersion, String> {
    let number: Option<u32> = text.parse().ok();
    let version = number.and_then(|number| PepperVersion::try_from(number).ok());
    version.ok_or_else(|| "a version is a number from 1 to 65535".to_owned())
}

pub(super) async fn list(keys: &ApiKeys, actor: &Actor, arguments: &List) -> Result<(), CliError> {
    let versions = keys.peppers(actor).await.map_err(CommandError::from)?;
    let mut columns = Columns::new(["VERSION", "ROLE", "HASHED", "ISSUED", "NEXT"]);
    for description in versions {
        if arguments.json {
            print(&serde_json::to_string(&description).expect("texts are JSON"))?;
        } else {
            let PepperDescription {
                version,
                role,
                hashed,
                tagged,
                next,
            } = description;
            let numbers = [version.into(), hashed, tagged].map(|number: u64| number.to_string());
            let [version, hashed, tagged] = numbers;
            columns.add([version, role.to_owned(), hashed, tagged, next]);
        }
    }
    if arguments.json {
        Ok(())
    } else {
        print(&columns.to_string())
    }
}

pub(super) async fn tag_key(
    keys: &ApiKeys,
    actor: &Actor,
    peppers: &Peppers,
    arguments: &TagKey,
) -> Result<(), CliError> {
    if is_discarded(&io::stdout()) {
        return Err(CommandError::TagKeyUnseen.into());
    }
    let version = arguments.version;
    let key = keys.tag_key(actor, peppers, version).await;
    let key = key.map_err(CommandError::from)?;
    // EXPOSE: the operator has to keep it, in the form of its setting.
    let text = Zeroizing::new(STANDARD.encode(key.expose_secret()));
    print(&Zeroizing::new(format!("{version}:{}", *text)))
}
