//! What makes one command enough on a fresh machine: generated secrets, a demo key, and a banner.

pub(crate) mod demo_key;
pub(crate) mod secrets;

use std::{io, path::PathBuf};

use portcullis_apikey_cache::ApiKey;

use crate::{
    admin::ApiKeyError, app::Addresses, backend::Location, config::Config, files::Unreadable,
};

/// The dev profile could not prepare itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevError {
    #[error(
        "{} holds data, and its secrets are gone: restore {}, set the secrets in the environment, \
         or remove the data to start again",
        database,
        secrets.display()
    )]
    DataWithoutSecrets { database: String, secrets: PathBuf },
    #[error("{} cannot be read or written: {kind}", path.display())]
    File { path: PathBuf, kind: io::ErrorKind },
    #[error("{} {reason}", path.display())]
    Unreadable { path: PathBuf, reason: Unreadable },
    #[error("{} is not of the form NAME=value in line {line}", path.display())]
    Form { path: PathBuf, line: usize },
    #[error("the system's random source failed")]
    Random,
    #[error("no demo key was issued")]
    DemoKey(#[from] ApiKeyError),
}

/// What a newcomer reads first: where everything is, and a line that works.
pub(crate) fn banner(config: &Config, addresses: Addresses, key: &ApiKey) -> String {
    let Addresses { public, admin } = addresses;
    let database = Location::new(&config.database);
    let look = database
        .shell_query("SELECT id, hex(email_enc), hex(email_fp) FROM lead WHERE tenant = 'demo'");
    let secrets = secrets::path(&config.data_dir);
    let secrets = secrets.display();
    // EXPOSE: the dev profile shows its own generated secrets on the terminal it was started from.
    let (token, key) = (config.secrets.admin_token.expose(), key.hazmat_expose());
    format!(
        "\
ingest-server is ready, in the dev profile

  public       http://{public}
  admin        http://{admin}
  admin token  {token}
  demo key     {key}
  data         {database}
  secrets      {secrets}

Send a lead, and read it back:

  curl -i http://{public}/v1/leads -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{\"email\":\"ada@example.com\",\"phone\":\"+44 20 7946 0958\",\"name\":\"Ada Lovelace\"}}'

  curl 'http://{public}/v1/leads?email=ada@example.com' -H 'Authorization: Bearer {key}' \\
    -H 'X-Access-Reason: trying it out'

Look at what is stored: {look}
Stop with Ctrl-C.
"
    )
}
